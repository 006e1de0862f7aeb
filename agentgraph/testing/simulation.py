"""`Simulation`: a workflow whose runs go through `Runner.run` while a source of decisions decides.

The stand-ins of its agents are made once and compiled once; each run has decisions of its own. No
model is called, and no tool runs unless the caller names it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agentgraph.exceptions import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
)
from agentgraph.frontend.part_names import names_of, represented_tools
from agentgraph.frontend.stand_ins import StandIns
from agentgraph.program import source_of
from agentgraph.run import Runner
from agentgraph.testing.choices import Choices
from agentgraph.testing.conditions import Conditions
from agentgraph.testing.deciding import BoundReached, Deciding
from agentgraph.testing.decisions import Decisions, Drawn
from agentgraph.testing.outputs import StepOutputs
from agentgraph.testing.routes import Decision, End, Route
from agentgraph.testing.scripted import ScriptMismatch
from agentgraph.testing.simulated_model import SimulatedModel
from agentgraph.testing.values import Generators

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.memory.session import Session
    from agentgraph.program import Program
    from agentgraph.result import RunResult, RunResultStreaming
    from agentgraph.run_state import RunState
    from agentgraph.workflow import Source

__all__ = ["Simulation"]

_T = TypeVar("_T")


_END_OF: Final[Mapping[type[Exception], End]] = {
    InputGuardrailTripwireTriggered: "blocked",
    OutputGuardrailTripwireTriggered: "blocked",
    ToolInputGuardrailTripwireTriggered: "blocked",
    ToolOutputGuardrailTripwireTriggered: "blocked",
    MaxTurnsExceeded: "cut",
}


class Simulation:
    """Runs of one workflow.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        conditions: How the runs are made.

    Attributes:
        start: The stand-in of the workflow.
        agents: Its agents themselves.
        names: The names of its parts.
        generators: The generators of values.
        at_work: The result of the streamed run that is going, or was the last.

    Raises:
        UserError: A name of `real` is no part of the workflow, one of `results` no tool, or a
            handoff does not say where it leads.
    """

    def __init__(self, source: Source | Program, conditions: Conditions) -> None:
        self._conditions = conditions
        self._deciding = Deciding(conditions.depth)
        self._stand_ins = StandIns(
            self._deciding, self._model_of, real=conditions.real, filters=conditions.filters
        )
        self.start = self._stand_ins.of(source_of(source))
        self.agents = self._stand_ins.originals
        self.names = names_of(self.agents, source_of(source))
        self._deciding.outputs = StepOutputs(source_of(source), conditions.real)
        self._check_real(conditions.real)
        self.generators = Generators(self._checked_results(conditions.results))
        self.at_work: RunResultStreaming | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def log(self) -> Sequence[Decision]:
        """The decisions of the run that is going, or was the last."""
        return self._deciding.log

    def drawn(self, choices: Choices) -> Drawn:
        """Decisions that are drawn from choices, by the weights of the conditions."""
        return Drawn(choices, self._conditions.drawn, self.generators)

    def run(self, decisions: Decisions, *, depth: int | None = None) -> Route:
        """Make one run.

        Args:
            decisions: Decides in it.
            depth: The most model calls, if fewer than in other runs.

        Raises:
            CompileError: The workflow has errors.
            RuntimeError: Another event loop runs in this thread.
        """
        self._deciding.depth = depth or self._conditions.depth
        return self.in_loop(self.play(decisions, self.start, self._conditions.input))

    def in_loop(self, run: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the event loop of the simulation."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            run.close()
            raise RuntimeError(
                "A simulation runs an event loop of its own, and another one runs in this thread."
                " Call it in another thread: await asyncio.to_thread(…)."
            )
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            weakref.finalize(self, self._loop.close)
        return self._loop.run_until_complete(run)

    async def play(
        self,
        decisions: Decisions,
        start: Source,
        input: str | list[Any] | RunState[Any],
        session: Session | None = None,
        calls_before: int = 0,
    ) -> Route:
        """Make one run in the loop of the caller.

        Args:
            decisions: Decides in it.
            start: A stand-in, or the workflow of stand-ins.
            input: The user's message, or the state of a run to go on with.
            session: The session of the run.
            calls_before: The model calls of the conversation before it; call ids count on.
        """
        self._deciding.begin(decisions, calls_before)
        result: RunResult | RunResultStreaming | None = None
        error: Exception | None = None
        try:
            result = await self._to_rest(start, input, session)
        except (ScriptMismatch, GeneratorExit, KeyboardInterrupt):
            raise
        except BoundReached:
            pass
        except Exception as fault:
            if not self._deciding.is_under_way and isinstance(input, str | list):
                raise  # an error of the workflow, not one of a run
            error = fault
        interrupt = self._deciding.interrupt
        if interrupt is not None and not isinstance(interrupt, BoundReached):
            raise interrupt  # what ran may have wrapped it
        return self._route(result, error)

    async def _to_rest(
        self, start: Source, input: str | list[Any] | RunState[Any], session: Session | None
    ) -> RunResult | RunResultStreaming:
        conditions = self._conditions
        context = conditions.context() if callable(conditions.context) else conditions.context
        result = await self._run(start, input, context, session)
        while result.interruptions and self._deciding.interrupt is None:
            state = result.to_state()
            settled = [self._deciding.settle(state, item) for item in result.interruptions]
            if not any(settled):
                break
            result = await self._run(start, state, None, session)
        return result

    async def _run(
        self,
        start: Source,
        input: str | list[Any] | RunState[Any],
        context: object,
        session: Session | None,
    ) -> RunResult | RunResultStreaming:
        limit = self._conditions.max_turns
        options: dict[str, Any] = {"max_turns": self._conditions.depth if limit is None else limit}
        if session is not None:
            options["session"] = session
        if context is not None:
            options["context"] = context
        if not self._conditions.streamed:
            return await Runner.run(start, input, **options)
        self.at_work = result = Runner.run_streamed(start, input, **options)
        try:
            async for _ in result.stream_events():
                pass
        except BoundReached:
            if (task := result.run_loop_task) is not None:
                await asyncio.wait([task])
                task.exception()  # taken, so that the loop does not report it
            raise
        return result

    def _route(
        self, result: RunResult | RunResultStreaming | None, error: Exception | None
    ) -> Route:
        end: End = "answered" if error is None else _END_OF.get(type(error), "failed")
        if self._deciding.interrupt is not None:
            end = "cut"
        elif result is not None and result.interruptions:
            end = "waiting"
        return Route(
            decisions=tuple(self._deciding.log),
            agents=tuple(self._deciding.agents),
            end=end,
            error=error if end == "failed" else None,
            result=None if end == "cut" else result,
            requests=tuple(self._deciding.requests),
            names=self.names,
        )

    def _model_of(self, agent: Agent[Any]) -> SimulatedModel:
        return SimulatedModel(self._deciding.reply, agent.name)

    def _check_real(self, real: Collection[str]) -> None:
        for name in real:
            if name not in self.names.every:
                raise UserError(
                    f"real names {name!r}, but the workflow has no tool, guardrail, handoff,"
                    " function or agent of that name. It has"
                    f" {', '.join(sorted(self.names.every))}."
                )

    def represented(self) -> frozenset[tuple[str, str]]:
        """Tools that an earlier tool of their agent can stand for, each with its agent."""
        return frozenset(
            (agent.name, name) for agent in self.agents for name in represented_tools(agent)
        )

    def _checked_results(
        self, results: Mapping[str, Sequence[object]] | None
    ) -> Mapping[str, Sequence[object]]:
        for name, values in (results or {}).items():
            names = self.names.tools | self.names.functions | self.names.questions
            if name not in names:
                raise UserError(
                    f"results names {name!r}, but the workflow has no tool of that name. It has"
                    f" {', '.join(sorted(names)) or 'no tools'}."
                )
            if not values:
                raise UserError(f"results has no result for the tool {name!r}.")
        return results or {}
