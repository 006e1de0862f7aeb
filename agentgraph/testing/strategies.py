"""Hypothesis strategies for runs of a workflow, and for the parts of which runs are made.

The strategies draw through the same generators as `walk`. The simplest option is always the first,
so a failing run shrinks to a short one. Needs the package `hypothesis`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from typing_extensions import Unpack

from agentgraph.frontend.part_names import answer_schema
from agentgraph.memory.sqlite_session import SQLiteSession
from agentgraph.testing.conditions import Conditions, RunKeywords
from agentgraph.testing.parts import (
    agent_named,
    offer_to,
    ruling_on,
    tool_named,
    tool_result,
    verdict_of,
)
from agentgraph.testing.routes import Decision, Kind, Route
from agentgraph.testing.script import Reply
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.values import Draw, values_of

try:
    from hypothesis import strategies as st
except ImportError as missing:
    raise ImportError(
        "agentgraph.testing.strategies needs Hypothesis: install 'agentgraph-workflows[testing]'."
    ) from missing

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.testing.conditions import DrawnKeywords
    from agentgraph.workflow import Source

__all__ = [
    "answers",
    "arguments",
    "conversations",
    "replies",
    "rulings",
    "runs",
    "tool_results",
    "verdicts",
]

_T = TypeVar("_T")
_DraftOf: TypeAlias = Callable[[Simulation, str], tuple[Decision, tuple[Kind, ...]]]
"""The simplest decision of a part, and the kinds of its decisions."""


class DrawnChoices:
    """Choices that Hypothesis draws.

    Args:
        draw: Draws.
    """

    __slots__ = ("_draw",)

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def index(self, count: int) -> int:
        """See `Choices`."""
        return self._draw(_index(count)) if count > 1 else 0


@cache
def _index(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


# -- whole runs


class _Runs:
    """Draws runs of one workflow; it simulates nothing before the first draw."""

    def __init__(self, source: Source | Program, conditions: Conditions) -> None:
        self._source, self._conditions = source, conditions

    @cached_property
    def _simulation(self) -> Simulation:
        return Simulation(self._source, self._conditions)

    def run(self, choices: DrawnChoices) -> Route:
        """Draw one run."""
        return self._simulation.run(self._simulation.drawn(choices))

    def conversation(self, choices: DrawnChoices, turns: int, goes_on: bool) -> tuple[Route, ...]:
        """Draw a conversation of at least one turn."""
        simulation, input = self._simulation, self._conditions.input
        count = 1 + choices.index(turns)

        async def converse() -> tuple[Route, ...]:
            session, start = SQLiteSession("simulated"), simulation.start
            routes: list[Route] = []
            try:
                while len(routes) < count:
                    decisions = simulation.drawn(choices)
                    route = await simulation.play(decisions, start, input, session)
                    routes.append(route)
                    if route.end == "waiting":
                        break
                    if goes_on and route.result is not None:
                        start = route.result.last_agent
            finally:
                session.close()
            return tuple(routes)

        return simulation.in_loop(converse())


def runs(source: Source | Program, **keywords: Unpack[RunKeywords]) -> st.SearchStrategy[Route]:
    """Whole runs of a workflow, in which models, tools, guardrails and people decide at random.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        keywords: The conditions of the runs, see `Conditions`.

    Raises:
        CompileError: When it draws: the workflow has errors.
        UserError: A name of `weights` does not exist; when it draws, one of `real` or `results`.
        ValueError: The depth is below 1.
    """
    return _drawn(_Runs(source, Conditions(**keywords)).run)


def conversations(
    source: Source | Program,
    *,
    turns: int = 3,
    goes_on: bool = True,
    **keywords: Unpack[RunKeywords],
) -> st.SearchStrategy[tuple[Route, ...]]:
    """Conversations of several runs with one session.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        turns: The most runs of a conversation; at least 1. One that waits for a person is the last.
        goes_on: Whether a run starts with the last agent of the one before.
        keywords: The conditions of the runs, see `Conditions`; each turn has the same `input`.

    Raises:
        CompileError: When it draws: the workflow has errors.
        UserError: A name of `weights` does not exist; when it draws, one of `real` or `results`.
        ValueError: `turns` or the depth is below 1.
    """
    if turns < 1:
        raise ValueError(f"turns must be at least 1, not {turns}")
    drawing = _Runs(source, Conditions(**keywords))
    return _drawn(lambda choices: drawing.conversation(choices, turns, goes_on))


# -- what one of them decides


def replies(
    source: Source | Program, agent: str, **keywords: Unpack[DrawnKeywords]
) -> st.SearchStrategy[Reply]:
    """Replies of an agent's model, for the script of `play`: answers, calls and handoffs with
    arguments that fit their schemas, several calls at once; hostile ones too, if asked for.

    Args:
        source: An agent, a workflow or a program.
        agent: The name of one of its agents.
        keywords: `hostile` and `weights`, see `Conditions`.

    Raises:
        CompileError: The workflow has errors.
        UserError: The workflow has no agent of that name, or a name of `weights` does not exist.
    """
    simulation = Simulation(source, Conditions(**keywords))
    offer = offer_to(simulation, agent)
    return _drawn(lambda choices: Reply(agent, simulation.drawn(choices).reply(offer)))


def tool_results(
    source: Source | Program, tool: str, **keywords: Unpack[DrawnKeywords]
) -> st.SearchStrategy[Decision]:
    """What a function tool does, for the script of `play`: it returns, fails, or runs out of time
    if it has a limit.

    Args:
        source: An agent, a workflow or a program.
        tool: The name of one of its function tools.
        keywords: `weights` and `results`, see `Conditions`.

    Raises:
        UserError: The workflow has no function tool of that name, an agent is behind it, or a name
            of another keyword does not exist.
    """
    return _decided(source, tool_result, tool, keywords)


def verdicts(
    source: Source | Program, guardrail: str, **keywords: Unpack[DrawnKeywords]
) -> st.SearchStrategy[Decision]:
    """What a guardrail says, for the script of `play`: it passes or trips, one of a tool may also
    reject, and it raises if `hostile` or `weights` says so.

    Args:
        source: An agent, a workflow or a program.
        guardrail: The name of one of its guardrails.
        keywords: `hostile` and `weights`, see `Conditions`.

    Raises:
        UserError: The workflow has no guardrail of that name, or a name of `weights` does not
            exist.
    """
    return _decided(source, verdict_of, guardrail, keywords)


def rulings(
    source: Source | Program, tool: str, **keywords: Unpack[DrawnKeywords]
) -> st.SearchStrategy[Decision]:
    """How a person decides on a call that needs an approval, for the script of `play`: the person
    approves, rejects, or leaves it waiting.

    Args:
        source: An agent, a workflow or a program.
        tool: The name of one of its tools that need an approval.
        keywords: `weights`, see `Conditions`.

    Raises:
        UserError: The workflow has no tool of that name that needs an approval, or a name of
            `weights` does not exist.
    """
    return _decided(source, ruling_on, tool, keywords)


def _decided(
    source: Source | Program, draft_of: _DraftOf, name: str, keywords: DrawnKeywords
) -> st.SearchStrategy[Decision]:
    simulation = Simulation(source, Conditions(**keywords))
    draft, kinds = draft_of(simulation, name)
    return _drawn(lambda choices: simulation.drawn(choices).decide(draft, kinds))


# -- values


def arguments(source: Source | Program, tool: str) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments that fit the schema of a tool.

    Args:
        source: An agent, a workflow or a program.
        tool: The name of one of its function tools.

    Raises:
        UserError: The workflow has no function tool of that name.
    """
    named = tool_named(Simulation(source, Conditions()), tool)
    return _values(values_of(named.params_json_schema))


def answers(source: Source | Program, agent: str) -> st.SearchStrategy[Any]:
    """Answers of an agent: texts, or JSON values that fit its output type.

    Args:
        source: An agent, a workflow or a program.
        agent: The name of one of its agents.

    Raises:
        UserError: The workflow has no agent of that name.
    """
    schema = answer_schema(agent_named(Simulation(source, Conditions()), agent))
    return st.text() if schema is None else _values(values_of(schema))


def _values(value: Draw) -> st.SearchStrategy[Any]:
    return _drawn(lambda choices: value(choices, 0))


@st.composite
def _drawn(draw: st.DrawFn, make: Callable[[DrawnChoices], _T]) -> _T:
    return make(DrawnChoices(draw))
