"""Runs in which every decision follows from a seed and from the work that it is part of.

The same work has the same decisions in each run: plain or streamed, replayed, or cut and begun
again. So everything that can be seen of two runs must be the same.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from agentgraph import Agent, RunConfig, SQLiteSession, Usage
from agentgraph.agent_tool import AgentTool
from agentgraph.frontend.stand_ins import StandIns
from agentgraph.items.responses import ModelResponse
from agentgraph.models.model_call import ModelCall
from agentgraph.run_config import ToolExecutionConfig
from agentgraph.testing.choices import Seeded
from agentgraph.testing.decisions import Drawn
from agentgraph.testing.offers import Menu, Offer
from agentgraph.testing.routes import Decision, Kind
from agentgraph.testing.simulated_model import SimulatedFault, SimulatedModel, response_of
from agentgraph.testing.values import Generators
from agentgraph.testing.weights import HOSTILE, ORDINARY, Weights
from agentgraph.tool import FunctionTool
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
)
from agentgraph.tools.guardrail_verdicts import ToolVerdict, output_of
from tests.api.scenarios import Case, Scenario
from tests.replay.world import AT_WORK, DOING, Asked

SERIAL: Final = Weights(None, HOSTILE)
"""What raises ends the work beside it, and how far that has come is chance: only work that is done
piece by piece raises."""
PARALLEL: Final = Weights(
    {"model.several": 5, "model.raise": 0, "model.cut": 0, "model.refuse": 0}
    | {"model.unknown_tool": 0, "model.reused_id": 0, "tool.raise": 0}
    | {"guardrail.trip": 0, "guardrail.raise": 0},
    ORDINARY,
)
MOST_TURNS: Final = 4


class Decided:
    """Runs of one workflow.

    Args:
        source: An agent or a workflow.
        is_serial: Whether the work of a run is done piece by piece.
    """

    def __init__(self, source: Any, *, is_serial: bool) -> None:
        self._is_serial = is_serial
        self._weights = SERIAL if is_serial else PARALLEL
        self._generators = Generators({})
        stand_ins = StandIns(self, lambda agent: _Model(self, agent.name), filters=True)
        self._start = stand_ins.of(source)
        for agent in stand_ins._agents.values():
            self._prepare(agent)
        self._seed = 0

    def _prepare(self, agent: Agent[Any]) -> None:
        """Let people decide on the calls of an agent's tools, and guardrails judge them."""
        for guardrail in agent.input_guardrails:
            guardrail.run_in_parallel = not self._is_serial
        for tool in agent.tools:
            if not isinstance(tool, FunctionTool):
                continue
            tool.needs_approval = partial(self._asks, agent.name, tool.name)
            if not isinstance(tool, AgentTool):
                screen, judge = (partial(self._judge, agent.name, of) for of in ("in", "out"))
                tool.tool_input_guardrails = [ToolInputGuardrail(screen, "in")]
                tool.tool_output_guardrails = [ToolOutputGuardrail(judge, "out")]

    def _asks(self, agent: str, tool: str, *_: object) -> bool:
        return self._seeded(agent, tool, "asks").index(4) == 0

    def _judge(self, agent: str, name: str, of: object) -> ToolGuardrailFunctionOutput:
        return output_of(self.verdict(agent, name, rejects=True), f"Rejected by {name}.")

    def run(self, seed: int) -> Scenario:
        """The run of a seed, as a scenario."""
        self._seed = seed
        options: dict[str, Any] = {"max_turns": MOST_TURNS}
        if self._is_serial:
            one_by_one = ToolExecutionConfig(max_function_tool_concurrency=1)
            options["run_config"] = RunConfig(tool_execution=one_by_one)

        def made(sdk: Any) -> Case:
            session = SQLiteSession("decided") if seed % 5 == 0 else None
            return Case(agent=self._start, options=options, session=session)

        return made

    def _seeded(self, *about: str) -> Seeded:
        work = DOING.get()
        place = None if work is None else work[1:]
        return Seeded(f"{self._seed} {place} {about}")

    def _drawn(self, *about: str) -> Drawn:
        return Drawn(self._seeded(*about), self._weights, self._generators)

    def _decide(self, decision: Decision, kinds: Sequence[Kind]) -> Decision:
        about = (decision.by, decision.agent, decision.name, str(decision.arguments))
        return self._drawn(*about).decide(decision, kinds)

    def function(self, agent: str, question: str) -> bool:
        """See `Oracle`."""
        draft = Decision("function", "no", agent, question)
        return self._decide(draft, ("no", "yes")).kind == "yes"

    def verdict(self, agent: str, guardrail: str, *, rejects: bool) -> ToolVerdict:
        """See `Oracle`."""
        kinds: tuple[Kind, ...] = ("pass", "reject", "trip") if rejects else ("pass", "trip")
        draft = Decision("guardrail", "pass", agent, guardrail)
        match self._decide(draft, (*kinds, "raise")).kind:
            case "pass" | "reject" | "trip" as verdict:
                return verdict
            case _:
                raise SimulatedFault(f"guardrail {guardrail} of {agent}")

    async def tool(self, agent: str, tool: Any, arguments: str) -> object:
        """See `Oracle`."""
        draft = Decision(
            by="tool", kind="return", agent=agent, name=tool.name, arguments=arguments, value=agent
        )
        decided = self._decide(draft, ("return", "raise"))
        if decided.kind == "raise":
            raise SimulatedFault(f"tool {tool.name} of {agent}")
        return f"{tool.name} of {agent} returns {arguments}"

    def ran(self, agent: str, tool: str, arguments: str, value: object) -> None:
        """See `Oracle`."""

    def judged(self, agent: str, guardrail: str, verdict: ToolVerdict) -> None:
        """See `Oracle`."""

    def reply(self, agent: str, call: ModelCall) -> ModelResponse:
        """The reply of an agent's model."""
        number = zlib.crc32(repr((DOING.get() or (0, 0, 0))[1:]).encode())
        ids = [one["call_id"] for one in call.input if one.get("type") == "function_call"]
        offer = Offer(call, Menu(agent, call), number, bool(ids))
        decided = [one for one in self._drawn(agent).reply(offer) if one.kind != "slow"]
        response = response_of(decided, number, ids)
        size = len(json.dumps(call.input, default=str))
        response.usage = Usage(
            requests=1,
            input_tokens=size,
            output_tokens=len(decided),
            total_tokens=size + len(decided),
        )
        return response


class _Model(SimulatedModel):
    """A model whose calls are noted in the world at work."""

    def __init__(self, decided: Decided, agent: str) -> None:
        async def reply(agent: str, call: ModelCall) -> ModelResponse:
            AT_WORK.get().asked.append(Asked(DOING.get(), call, None, None))
            return decided.reply(agent, call)

        super().__init__(reply, agent)
