"""`explore`: every route that runs of a workflow can take, up to a bound.

Each route is a run of `Runner.run` over stand-ins (`frontend/stand_ins.py`), with a model that
obeys its tool choice and calls what is on offer. The routes come depth first: the search repeats a
run up to its last open decision and takes the next option there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agentgraph.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
)
from agentgraph.frontend.stand_ins import Decider, StandIns
from agentgraph.models.rehearsal import Move, RehearsalModel, moves
from agentgraph.run import Runner

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.models.model_call import ModelCall
    from agentgraph.workflow import Source

__all__ = ["Decision", "Route", "explore"]

End: TypeAlias = Literal["answered", "blocked", "cut", "failed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a run.

    Attributes:
        by: Who decides: the model, a guardrail, or a function of the workflow.
        what: The option taken: a tool, a handoff or `answer` for a model; else what was decided.
    """

    by: Decider
    what: str

    def __str__(self) -> str:
        return f"{self.by}: {self.what}"


@dataclass(frozen=True, slots=True)
class Route:
    """What one run did.

    Attributes:
        decisions: In their order.
        agents: The name of the agent of each model call, in their order.
        end: How the run ended: with an answer, at a guardrail (`blocked`), at the bound (`cut`) or
            with an error (`failed`).
        error: The error of a run that failed.
    """

    decisions: tuple[Decision, ...]
    agents: tuple[str, ...]
    end: End
    error: AgentsException | None = None

    def __str__(self) -> str:
        lines = [f"{number}. {one}" for number, one in enumerate(self.decisions, 1)]
        return "\n".join([*lines, f"→ {self.end}"])


def explore(source: Source, depth: int = 6, *, input: str = "Go on.") -> Iterator[Route]:
    """Run a workflow in every way that its models, guardrails and functions can decide.

    No tool and no other code of the workflow runs, and no model is called. Calls that need an
    approval get it. Tools that the provider runs and MCP servers take no part.

    Args:
        source: An agent or a workflow; it is not changed.
        depth: The most model calls of a run, those of agent tools included; at least 1.
        input: The user's message.

    Yields:
        The routes, depth first, each once. Their number grows exponentially with the depth.

    Raises:
        CompileError: The workflow has errors.
        UserError: A handoff does not say which agent it leads to.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; explore in a thread of its own there.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    search = _Search(depth)
    stand_in = StandIns(search.decide, lambda agent: _model_of(agent, search)).of(source)
    with _event_loop() as loop:
        while search.plan is not None:
            search.begin()
            try:
                loop.run_until_complete(Runner.run(stand_in, input, max_turns=depth))
            except AgentsException as error:
                if not search.is_under_way:
                    raise  # an error of the workflow, not one of a run
                yield search.route(_END_OF.get(type(error), "failed"), error)
            except _Cut:
                yield search.route("cut")
            else:
                yield search.route("answered")
            search.go_on()


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of its own, which does not become that of the thread."""
    if _is_in_a_coroutine():
        raise RuntimeError(
            "explore() runs an event loop of its own, and another one runs in this thread."
            " Explore in another thread: await asyncio.to_thread(list, explore(…))."
        )
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _is_in_a_coroutine() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


_END_OF: dict[type[AgentsException], End] = {
    InputGuardrailTripwireTriggered: "blocked",
    OutputGuardrailTripwireTriggered: "blocked",
    MaxTurnsExceeded: "cut",
}


def _model_of(agent: Agent[Any], search: _Search) -> RehearsalModel:
    def choose(offered: list[Move], call: ModelCall) -> Move:
        options = _obedient(call)
        search.call(agent.name)
        return options[search.decide("model", agent.name, [move.name for move in options])]

    return RehearsalModel(choose=choose)


def _obedient(call: ModelCall) -> list[Move]:
    """What a model may do that obeys its tool choice; a choice that it cannot obey leaves it
    free."""
    choice = call.model_settings.tool_choice
    free = moves(
        replace(call, model_settings=replace(call.model_settings, tool_choice=None)), again=True
    )
    calls = [move for move in free if move.kind != "answer"]
    match choice:
        case "none":
            return [move for move in free if move.kind == "answer"]
        case "required":
            # A call that the provider carries out may come with an answer.
            hosted = any(not hasattr(tool, "params_json_schema") for tool in call.tools)
            return free if hosted or not calls else calls
        case str():
            return [move for move in calls if move.name == choice] or free
        case _:
            return free


class _Cut(Exception):
    """Ends a run that has made as many model calls as the search allows."""


class _Search:
    """The oracle: it repeats the decisions of a plan, then takes the first option each time."""

    def __init__(self, depth: int) -> None:
        self.plan: list[int] | None = []
        self._depth = depth

    def begin(self) -> None:
        """Begin a run."""
        self._taken: list[tuple[int, int]] = []
        self._decisions: list[Decision] = []
        self._agents: list[str] = []
        self._is_cut = False

    def call(self, agent: str) -> None:
        """Note a call of the model of an agent.

        Raises:
            _Cut: The bound is reached.
        """
        if len(self._agents) == self._depth:
            self._is_cut = True
            raise _Cut
        self._agents.append(agent)

    @property
    def is_under_way(self) -> bool:
        """Whether the run has come to its first decision or model call."""
        return bool(self._taken or self._agents)

    def decide(self, by: Decider, subject: str, options: Sequence[str]) -> int:
        """Take an option."""
        assert self.plan is not None
        place = len(self._taken)
        index = self.plan[place] if place < len(self.plan) else 0
        self._taken.append((index, len(options)))
        option = options[index]
        self._decisions.append(Decision(by, option if by == "model" else f"{subject}: {option}"))
        return index

    def route(self, end: End, error: AgentsException | None = None) -> Route:
        """What the run did."""
        if self._is_cut:  # a tool may have wrapped the exception that ended the run
            end = "cut"
        kept = error if end == "failed" else None
        return Route(tuple(self._decisions), tuple(self._agents), end, kept)

    def go_on(self) -> None:
        """Plan the next run: up to the last decision that has a further option, and that one."""
        taken = self._taken
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        self.plan = [index for index, _ in taken] if taken else None
        if self.plan:
            self.plan[-1] += 1
