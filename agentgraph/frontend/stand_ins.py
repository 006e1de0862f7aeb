"""Stand-ins: copies of the agents of a workflow in which an oracle makes every decision.

Tools do nothing and return a fixed text, and no code of the user runs: where a function decides
(``is_enabled``, a guardrail, ``tool_use_behavior``), the oracle decides in its place.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from agentgraph.agent import (
    Agent,
    StopAtTools,
    ToolsToFinalOutputFunction,
    ToolsToFinalOutputResult,
)
from agentgraph.agent_tool import AgentTool
from agentgraph.exceptions import UserError
from agentgraph.frontend.targets import target_of
from agentgraph.guardrail import GuardrailFunctionOutput, InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff
from agentgraph.tools.function import FunctionTool
from agentgraph.workflow import Workflow

if TYPE_CHECKING:
    from agentgraph.models.interface import Model
    from agentgraph.tool import FunctionToolResult, Tool
    from agentgraph.workflow import Source

__all__ = ["Decide", "Decider", "StandIns"]

_Guardrail = TypeVar("_Guardrail", InputGuardrail[Any], OutputGuardrail[Any])
Decider: TypeAlias = Literal["model", "guardrail", "function"]
Decide: TypeAlias = Callable[[Decider, str, Sequence[str]], int]
"""Takes who decides, on what, and the options; returns the index of one."""


class StandIns:
    """The copies of the agents of one workflow.

    Args:
        decide: The oracle.
        model_of: Makes the model of an agent.
    """

    def __init__(self, decide: Decide, model_of: Callable[[Agent[Any]], Model]) -> None:
        self._decide, self._model_of = decide, model_of
        self._agents: dict[int, Agent[Any]] = {}
        self._originals: list[object] = []

    def of(self, source: Source) -> Source:
        """The copy of an agent or a workflow."""
        if not isinstance(source, Workflow):
            return self.agent(source)
        agents = [self.agent(agent) for agent in source.agents]
        return Workflow(source.name, start=self.agent(source.start), agents=agents)

    def agent(self, agent: Agent[Any]) -> Agent[Any]:
        """The copy of an agent."""
        stand_in = self._agents.get(id(agent))
        if stand_in is not None:
            return stand_in
        # The originals stay alive, so no other agent gets one of their ids.
        self._originals.append(agent)
        stand_in = self._agents[id(agent)] = agent.clone(
            instructions=agent.instructions if isinstance(agent.instructions, str) else None,
            prompt=None if callable(agent.prompt) else agent.prompt,
            model=self._model_of(agent),
            hooks=None,
            mcp_servers=[],
            tools=[],
            handoffs=[],
            tool_use_behavior=self._stopping(agent),
            input_guardrails=[self._guardrail(agent, one) for one in agent.input_guardrails],
            output_guardrails=[self._guardrail(agent, one) for one in agent.output_guardrails],
        )
        stand_in.tools = [self._tool(tool) for tool in agent.tools]
        stand_in.handoffs = [self._handoff(agent, entry) for entry in agent.handoffs]
        return stand_in

    def _enabled(
        self, part: FunctionTool | Handoff[Any, Any], what: str
    ) -> bool | Callable[..., bool]:
        if not callable(part.is_enabled):
            return part.is_enabled
        return lambda context, agent: bool(self._decide("function", f"{what} is on offer", _NO_YES))

    def _tool(self, tool: Tool) -> Tool:
        stand_in = copy.copy(tool)
        if not isinstance(stand_in, FunctionTool):
            return stand_in

        async def invoked(context: object, arguments: str) -> str:
            return f"The result of {stand_in.name}."

        stand_in.is_enabled = self._enabled(stand_in, stand_in.name)
        stand_in.needs_approval = False
        stand_in.tool_input_guardrails = stand_in.tool_output_guardrails = None
        stand_in._failure_error_function = None
        if isinstance(stand_in, AgentTool):
            stand_in.agent = self.agent(stand_in.agent)
            stand_in.custom_output_extractor = stand_in.input_builder = None
            stand_in.on_stream = stand_in.hooks = stand_in.session = stand_in.run_config = None
        else:
            stand_in.on_invoke_tool = invoked
        return stand_in

    def _handoff(
        self, agent: Agent[Any], entry: Agent[Any] | Handoff[Any, Any]
    ) -> Agent[Any] | Handoff[Any, Any]:
        if not isinstance(entry, Handoff):
            return self.agent(entry)
        target = target_of(entry)
        if target is None:
            raise UserError(
                f"Agent '{agent.name}': the handoff '{entry.tool_name}' does not say which agent"
                " it leads to, so nothing can take its place. Make it with handoff(…)."
            )
        stand_in, stand_in_target = copy.copy(entry), self.agent(target)

        async def invoked(context: object, arguments: str) -> Agent[Any]:
            return stand_in_target

        stand_in.on_invoke_handoff = invoked
        stand_in.input_filter = stand_in._on_handoff = None
        stand_in.is_enabled = self._enabled(entry, entry.tool_name)
        stand_in._agent_ref = weakref.ref(stand_in_target)
        return stand_in

    def _guardrail(self, agent: Agent[Any], guardrail: _Guardrail) -> _Guardrail:
        name = guardrail.get_name()

        def judged(context: object, of: object, value: object) -> GuardrailFunctionOutput:
            trips = self._decide("guardrail", f"{name} of {agent.name} trips", _NO_YES)
            return GuardrailFunctionOutput(None, tripwire_triggered=bool(trips))

        stand_in = copy.copy(guardrail)
        stand_in.name, stand_in.guardrail_function = name, judged
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
            stops = self._decide("function", f"the run of {agent.name} stops here", _NO_YES)
            return ToolsToFinalOutputResult(bool(stops), results[0].output if stops else None)

        return decided


_NO_YES = ("no", "yes")
