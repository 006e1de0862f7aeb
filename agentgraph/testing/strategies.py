"""Hypothesis strategies for runs of a workflow, and for the parts of which runs are made.

The strategies draw through the same generators as `walk`. The simplest option is always the first,
so a failing run shrinks to a short one. Needs the package `hypothesis`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.frontend.part_names import answer_schema
from agentgraph.memory.sqlite_session import SQLiteSession
from agentgraph.testing.decisions import Drawn
from agentgraph.testing.routes import Route
from agentgraph.testing.simulation import Conditions, Simulation
from agentgraph.testing.values import Draw, Generators, values_of
from agentgraph.testing.weights import HOSTILE, ORDINARY, Weights

try:
    from hypothesis import strategies as st
except ImportError as missing:
    raise ImportError(
        "agentgraph.testing.strategies needs Hypothesis: install 'agentgraph-workflows[testing]'."
    ) from missing

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source

__all__ = ["answers", "arguments", "conversations", "runs"]


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


class _Drawing:
    """Draws runs of one workflow; it simulates nothing before the first draw."""

    def __init__(
        self,
        source: Source,
        conditions: Conditions,
        weights: Weights,
        results: Mapping[str, Sequence[object]] | None,
    ) -> None:
        self._source, self._conditions, self._weights = source, conditions, weights
        self._results = results
        self._made: tuple[Simulation, Generators] | None = None

    def ready(self) -> tuple[Simulation, Generators]:
        """The simulation and the generators of its values."""
        if self._made is None:
            simulation = Simulation(self._source, self._conditions)
            self._made = simulation, Generators(simulation.checked_results(self._results))
        return self._made

    def drawn(self, draw: st.DrawFn) -> Drawn:
        """Decisions that Hypothesis draws."""
        return Drawn(DrawnChoices(draw), self._weights, self.ready()[1])

    def run(self, draw: st.DrawFn, input: str | list[Any]) -> Route:
        """Draw one run."""
        return self.ready()[0].run(self.drawn(draw), input)

    def conversation(
        self, draw: st.DrawFn, input: str, turns: int, goes_on: bool
    ) -> tuple[Route, ...]:
        """Draw a conversation of at least one turn."""
        simulation, _ = self.ready()
        count = 1 + draw(_index(turns))

        async def converse() -> tuple[Route, ...]:
            session, start = SQLiteSession("simulated"), simulation.start
            routes: list[Route] = []
            try:
                while len(routes) < count:
                    route = await simulation.play(self.drawn(draw), start, input, session)
                    routes.append(route)
                    if route.end == "waiting":
                        break
                    if goes_on and route.result is not None:
                        start = route.result.last_agent
            finally:
                session.close()
            return tuple(routes)

        return simulation.in_loop(converse())


def runs(
    source: Source,
    *,
    depth: int = 12,
    hostile: bool = False,
    weights: Mapping[str, int] | None = None,
    real: Collection[str] = (),
    results: Mapping[str, Sequence[object]] | None = None,
    context: object = None,
    streamed: bool = False,
    input: str = "Go on.",
) -> st.SearchStrategy[Route]:
    """Whole runs of a workflow, in which models, tools, guardrails and people decide at random.

    Args:
        source: An agent or a workflow; it is not changed.
        depth: The most model calls of a run, those of agent tools included; at least 1.
        hostile: Whether models also reply what no provider should send.
        weights: How often each kind of decision comes, as for `walk`.
        real: The names of tools, guardrails, handoffs and agents whose code runs.
        results: The results from which tools draw, by their names.
        context: The context object, or a function that makes one for each run.
        streamed: Whether the runs are streamed.
        input: The user's message.

    Raises:
        CompileError: When it draws: the workflow has errors.
        UserError: A name of `weights` does not exist; when it draws, one of `real` or `results`.
    """
    conditions = Conditions(depth=depth, real=real, context=context, streamed=streamed)
    weighing = Weights(weights, HOSTILE if hostile else ORDINARY)
    return _runs(_Drawing(source, conditions, weighing, results), input)


@st.composite
def _runs(draw: st.DrawFn, drawing: _Drawing, input: str) -> Route:
    return drawing.run(draw, input)


def conversations(
    source: Source,
    *,
    turns: int = 3,
    goes_on: bool = True,
    depth: int = 12,
    hostile: bool = False,
    weights: Mapping[str, int] | None = None,
    real: Collection[str] = (),
    results: Mapping[str, Sequence[object]] | None = None,
    context: object = None,
    input: str = "Go on.",
) -> st.SearchStrategy[tuple[Route, ...]]:
    """Conversations of several runs with one session.

    Args:
        source: See `runs`.
        turns: The most runs of a conversation; at least 1. One that waits for a person is the last.
        goes_on: Whether a run starts with the last agent of the one before.
        depth: See `runs`.
        hostile: See `runs`.
        weights: See `runs`.
        real: See `runs`.
        results: See `runs`.
        context: See `runs`.
        input: The user's message in each turn.

    Raises:
        CompileError: When it draws: the workflow has errors.
        UserError: A name of `weights` does not exist; when it draws, one of `real` or `results`.
        ValueError: `turns` is below 1.
    """
    if turns < 1:
        raise ValueError(f"turns must be at least 1, not {turns}")
    conditions = Conditions(depth=depth, real=real, context=context)
    weighing = Weights(weights, HOSTILE if hostile else ORDINARY)
    return _conversations(_Drawing(source, conditions, weighing, results), input, turns, goes_on)


@st.composite
def _conversations(
    draw: st.DrawFn, drawing: _Drawing, input: str, turns: int, goes_on: bool
) -> tuple[Route, ...]:
    return drawing.conversation(draw, input, turns, goes_on)


def arguments(source: Source, tool: str) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments that fit the schema of a tool.

    Args:
        source: An agent or a workflow.
        tool: The name of one of its function tools.

    Raises:
        UserError: The workflow has no function tool of that name.
    """
    tools = [one for agent in _agents(source) for one in agent.tools if one.name == tool]
    schemas = [
        schema for one in tools if (schema := getattr(one, "params_json_schema", None)) is not None
    ]
    if not schemas:
        raise UserError(f"The workflow has no function tool named {tool!r}.")
    return _values(values_of(schemas[0]))


def answers(source: Source, agent: str) -> st.SearchStrategy[Any]:
    """Answers of an agent: texts, or JSON values that fit its output type.

    Args:
        source: An agent or a workflow.
        agent: The name of one of its agents.

    Raises:
        UserError: The workflow has no agent of that name.
    """
    named = [one for one in _agents(source) if one.name == agent]
    if not named:
        raise UserError(f"The workflow has no agent named {agent!r}.")
    schema = answer_schema(named[0])
    return st.text() if schema is None else _values(values_of(schema))


@st.composite
def _values(draw: st.DrawFn, value: Draw) -> Any:
    return value(DrawnChoices(draw), 0)


def _agents(source: Source) -> Sequence[Agent[Any]]:
    return Simulation(source, Conditions()).agents
