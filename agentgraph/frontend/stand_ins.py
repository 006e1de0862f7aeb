"""Stand-ins: copies of the agents of a workflow in which an oracle makes every decision.

No tool of the user runs, and where a function decides (``is_enabled``, a guardrail,
``tool_use_behavior``), the oracle decides in its place. The parts that the caller names keep their
code; the oracle is told what they did.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Collection, Sequence
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from agentgraph.agent import (
    Agent,
    StopAtTools,
    ToolsToFinalOutputFunction,
    ToolsToFinalOutputResult,
)
from agentgraph.agent_tool import AgentTool
from agentgraph.exceptions import UserError
from agentgraph.frontend.stand_in_edges import EdgeStandIns
from agentgraph.frontend.targets import source_of_handoff
from agentgraph.guardrail import GuardrailFunctionOutput, InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff, HandoffTarget
from agentgraph.tools.errors import failure_message
from agentgraph.tools.function import FunctionTool
from agentgraph.tools.guardrail_verdicts import ToolVerdict, output_of, verdict_of
from agentgraph.workflow import Workflow

if TYPE_CHECKING:
    from agentgraph.models.interface import Model
    from agentgraph.run_context import RunContextWrapper
    from agentgraph.tool import FunctionToolResult, Tool
    from agentgraph.tool_context import ToolContext
    from agentgraph.tool_guardrails import (
        ToolGuardrailFunctionOutput,
        ToolInputGuardrail,
        ToolOutputGuardrail,
    )
    from agentgraph.workflow import Source

__all__ = ["Oracle", "StandIns", "is_stand_in", "original_of"]

_STANDS_IN = "_agentgraph_stands_in"

_Guardrail = TypeVar("_Guardrail", InputGuardrail[Any], OutputGuardrail[Any])
_ToolGuardrail = TypeVar("_ToolGuardrail", "ToolInputGuardrail[Any]", "ToolOutputGuardrail[Any]")


class Oracle(Protocol):
    """Makes the decisions of a run, and hears of those that the user's code makes."""

    def function(self, agent: str, question: str) -> bool:
        """Decide what a function of the workflow says to a question."""
        ...

    def verdict(self, agent: str, guardrail: str, *, rejects: bool) -> ToolVerdict:
        """Decide a guardrail.

        Args:
            agent: The agent that it guards.
            guardrail: Its name.
            rejects: Whether it can reject the content and let the run go on.
        """
        ...

    async def tool(self, agent: str, tool: FunctionTool, arguments: str) -> object:
        """Decide what a tool returns; what it raises is the tool's error."""
        ...

    def ran(self, agent: str, tool: str, arguments: str, value: object) -> None:
        """Hear that a tool ran; the value is what it returned, or the exception."""
        ...

    def judged(self, agent: str, guardrail: str, verdict: ToolVerdict) -> None:
        """Hear that a guardrail ran."""
        ...

    def output(self, function: object, name: str, *, fails: bool) -> Any:
        """Decide what a function of the workflow's edges returns.

        Args:
            function: The function.
            name: Its name.
            fails: Whether it can raise instead.
        """
        ...

    def returned(self, name: str, value: object) -> None:
        """Hear that a function of the edges ran; the value is what it returned or raised."""
        ...


def is_stand_in(agent: object) -> bool:
    """Whether an agent is a copy in which an oracle decides."""
    return _STANDS_IN in getattr(agent, "__dict__", ())


def original_of(part: object) -> object:
    """The agent or workflow of which a part is the copy; `None` if it is none."""
    return getattr(part, "__dict__", {}).get(_STANDS_IN)


class StandIns:
    """The copies of the agents of one workflow.

    Args:
        oracle: Decides.
        model_of: Makes the model of an agent.
        real: The names of tools, guardrails, handoffs and agents whose code runs.
        filters: Whether the input filters of handoffs run.

    Attributes:
        originals: The agents that have a stand-in.
    """

    def __init__(
        self,
        oracle: Oracle,
        model_of: Callable[[Agent[Any]], Model],
        *,
        real: Collection[str] = (),
        filters: bool = False,
    ) -> None:
        self._oracle, self._model_of = oracle, model_of
        self._real, self._filters = frozenset(real), filters
        self._agents: dict[int, Agent[Any]] = {}
        self._workflows: dict[int, Workflow] = {}
        # The originals stay alive, so no other agent gets one of their ids.
        self.originals: list[Agent[Any]] = []

    def of(self, source: Source) -> Source:
        """The copy of an agent or a workflow."""
        return self._workflow(source) if isinstance(source, Workflow) else self.agent(source)

    def _workflow(self, source: Workflow) -> Workflow:
        if id(source) in self._workflows:
            return self._workflows[id(source)]
        agents = [self.agent(agent) for agent in source.agents]
        workflow = Workflow(source.name, start=self.agent(source.start), agents=agents)
        self._workflows[id(source)] = workflow
        workflow._origin = source._origin
        workflow.__dict__[_STANDS_IN] = source
        EdgeStandIns(self._oracle, self.agent, self._workflow, self._real).put(source, workflow)
        return workflow

    def agent(self, agent: Agent[Any]) -> Agent[Any]:
        """The copy of an agent."""
        stand_in = self._agents.get(id(agent))
        if stand_in is not None:
            return stand_in
        self.originals.append(agent)
        is_real = agent.name in self._real
        fixed = isinstance(agent.instructions, str) or is_real
        stand_in = self._agents[id(agent)] = agent.clone(
            instructions=agent.instructions if fixed else None,
            prompt=None if callable(agent.prompt) and not is_real else agent.prompt,
            model=self._model_of(agent),
            hooks=None,
            mcp_servers=[],
            tools=[],
            handoffs=[],
            tool_use_behavior=agent.tool_use_behavior if is_real else self._stopping(agent),
            input_guardrails=[self._guardrail(agent, one) for one in agent.input_guardrails],
            output_guardrails=[self._guardrail(agent, one) for one in agent.output_guardrails],
        )
        stand_in.__dict__[_STANDS_IN] = agent
        stand_in._origin = agent._origin
        stand_in.tools = [self._tool(agent, tool) for tool in agent.tools]
        stand_in.handoffs = [self._handoff(agent, entry) for entry in agent.handoffs]
        return stand_in

    def _question(self, agent: Agent[Any], value: object, question: str) -> Any:
        """A flag as it is, or the oracle in place of a function."""
        if not callable(value):
            return value
        return lambda *_: self._oracle.function(agent.name, question)

    def _tool(self, agent: Agent[Any], tool: Tool) -> Tool:
        if not isinstance(tool, FunctionTool):
            return copy.copy(tool)
        stand_in, name = copy.copy(tool), tool.name
        is_real = name in self._real
        if not is_real:
            stand_in.is_enabled = self._question(agent, tool.is_enabled, f"{name} is on offer")
            stand_in.needs_approval = self._question(
                agent, tool.needs_approval, f"{name} needs an approval"
            )
            stand_in._context = None
        for kind in ("tool_input_guardrails", "tool_output_guardrails"):
            guardrails = getattr(tool, kind) or ()
            setattr(stand_in, kind, [self._tool_guardrail(agent, one) for one in guardrails])
        if isinstance(stand_in, AgentTool):
            stand_in.agent = cast("Any", self.of(stand_in.agent))
            if not is_real:
                stand_in.custom_output_extractor = stand_in.input_builder = None
                stand_in.on_stream = stand_in.hooks = stand_in.session = stand_in.run_config = None
                if tool._failure_error_function is not None:
                    stand_in._failure_error_function = _failure_told
            return stand_in
        if is_real:
            stand_in.on_invoke_tool = partial(self._watched, agent.name, tool)
            return stand_in
        if stand_in.timeout_seconds is not None:
            stand_in.timeout_seconds = _AT_ONCE
        stand_in.timeout_error_function = stand_in.custom_data_extractor = None
        stand_in._failure_error_function = None

        async def invoked(context: ToolContext[Any], arguments: str) -> object:
            try:
                return await self._oracle.tool(agent.name, tool, arguments)
            except Exception as error:
                if tool._failure_error_function is None:
                    raise
                return await failure_message(_failure_told, context, error, tool.name)

        stand_in.on_invoke_tool = invoked
        return stand_in

    async def _watched(
        self, agent: str, tool: FunctionTool, context: ToolContext[Any], arguments: str
    ) -> object:
        try:
            value = await tool.on_invoke_tool(context, arguments)
        except Exception as error:
            self._oracle.ran(agent, tool.name, arguments, error)
            raise
        self._oracle.ran(agent, tool.name, arguments, value)
        return value

    def _handoff(
        self, agent: Agent[Any], entry: Handoff[Any, Any] | HandoffTarget
    ) -> Handoff[Any, Any] | HandoffTarget:
        if not isinstance(entry, Handoff):
            return self.of(cast("Source", entry))
        target = source_of_handoff(entry)
        if target is None:
            raise UserError(
                f"Agent '{agent.name}': the handoff '{entry.tool_name}' does not say which agent"
                " it leads to, so nothing can take its place. Make it with handoff(…)."
            )
        stand_in, stand_in_target = copy.copy(entry), cast("Agent[Any]", self.of(target))
        is_real = entry.tool_name in self._real

        async def invoked(context: RunContextWrapper[Any], arguments: str) -> Agent[Any]:
            if is_real:
                await entry.on_invoke_handoff(context, arguments)
            return stand_in_target

        stand_in.on_invoke_handoff = invoked
        if not self._filters:
            stand_in.input_filter = None
        if not is_real:
            stand_in._on_handoff = None
            stand_in.is_enabled = self._question(
                agent, entry.is_enabled, f"{entry.tool_name} is on offer"
            )
        stand_in._agent_ref = weakref.ref(stand_in_target)
        return stand_in

    def _guardrail(self, agent: Agent[Any], guardrail: _Guardrail) -> _Guardrail:
        name, oracle = guardrail.get_name(), self._oracle
        original: Callable[..., Any] = guardrail.guardrail_function

        async def watched(*arguments: object) -> GuardrailFunctionOutput:
            made = original(*arguments)
            output: GuardrailFunctionOutput = await made if isawaitable(made) else made
            oracle.judged(agent.name, name, "trip" if output.tripwire_triggered else "pass")
            return output

        def judged(context: object, of: object, value: object) -> GuardrailFunctionOutput:
            verdict = oracle.verdict(agent.name, name, rejects=False)
            return GuardrailFunctionOutput(None, tripwire_triggered=verdict == "trip")

        stand_in = copy.copy(guardrail)
        stand_in.name = name
        stand_in.guardrail_function = watched if name in self._real else judged
        return stand_in

    def _tool_guardrail(self, agent: Agent[Any], guardrail: _ToolGuardrail) -> _ToolGuardrail:
        name, oracle = guardrail.get_name(), self._oracle
        original: Callable[..., Any] = guardrail.guardrail_function

        async def watched(of: object) -> ToolGuardrailFunctionOutput:
            made = original(of)
            output: ToolGuardrailFunctionOutput = await made if isawaitable(made) else made
            oracle.judged(agent.name, name, verdict_of(output))
            return output

        def judged(of: object) -> ToolGuardrailFunctionOutput:
            verdict = oracle.verdict(agent.name, name, rejects=True)
            return output_of(verdict, f"Rejected by {name}.")

        stand_in = copy.copy(guardrail)
        stand_in.name = name
        stand_in.guardrail_function = watched if name in self._real else judged
        return stand_in

    def _stopping(
        self, agent: Agent[Any]
    ) -> (
        Literal["run_llm_again", "stop_on_first_tool"]
        | StopAtTools
        | ToolsToFinalOutputFunction[Any]
    ):
        if not callable(agent.tool_use_behavior):
            return agent.tool_use_behavior

        def decided(
            context: object, results: Sequence[FunctionToolResult]
        ) -> ToolsToFinalOutputResult:
            stops = self._oracle.function(agent.name, f"the run of {agent.name} stops here")
            return ToolsToFinalOutputResult(stops, results[0].output if stops else None)

        return decided


def _failure_told(context: RunContextWrapper[Any], error: Exception) -> str:
    """What the model reads about a failure that its tool handles."""
    return f"An error occurred while running {getattr(context, 'tool_name', 'the tool')}."


_AT_ONCE = 0.001
"""Seconds after which a stand-in times out: only one that is told to wait takes so long."""
