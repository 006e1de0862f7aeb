"""`Workflow.as_tool`: a workflow as a tool of an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from agentgraph.agent_tool import (
    AgentTool,
    AgentToolStreamEvent,
    argument_schema,
    default_tool_error_function,
    default_tool_name,
    not_bound,
)

if TYPE_CHECKING:
    from agentgraph.agent_tool_input import StructuredToolInputBuilder
    from agentgraph.lifecycle import RunHooks
    from agentgraph.memory.session import Session
    from agentgraph.run_config import RunConfig
    from agentgraph.run_context import RunContextWrapper
    from agentgraph.tools.function import FunctionTool, ToolErrorFunction
    from agentgraph.user_code.callbacks import MaybeAwaitable

__all__ = ["UsedAsTool"]


class UsedAsTool:
    """What a workflow has so that an agent can call it.

    Attributes:
        name: Its name.
    """

    name: str

    def as_tool(
        self,
        tool_name: str | None,
        tool_description: str | None,
        *,
        custom_output_extractor: Callable[[Any], Awaitable[str]] | None = None,
        is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True,
        on_stream: Callable[[AgentToolStreamEvent], MaybeAwaitable[None]] | None = None,
        run_config: RunConfig | None = None,
        max_turns: int | None = None,
        hooks: RunHooks[Any] | None = None,
        session: Session | None = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        needs_approval: bool
        | Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]] = False,
        parameters: type[Any] | None = None,
        input_builder: StructuredToolInputBuilder | None = None,
        include_input_schema: bool = False,
        on_stream_max_pending_events: int | None = 1024,
    ) -> FunctionTool:
        """Describe this workflow as a tool for an agent, which goes on after the call.

        A call is a run of the workflow inside the run of the agent, and its output is the final
        output of the workflow. The arguments are those of `Agent.as_tool`.

        Args:
            tool_name: The name of the tool; `None` derives one from the name of the workflow.
            tool_description: The description of the tool for the model of the agent.

        Raises:
            AgentDefinitionError: An argument has a value of the wrong type.
        """
        return AgentTool(
            name=tool_name or default_tool_name(self.name),
            description=tool_description or "",
            params_json_schema=argument_schema(tool_name or self.name, parameters),
            on_invoke_tool=not_bound,
            is_enabled=is_enabled,
            needs_approval=needs_approval,
            _failure_error_function=failure_error_function,
            agent=cast("Any", self),
            custom_output_extractor=custom_output_extractor,
            on_stream=on_stream,
            run_config=run_config,
            max_turns=max_turns,
            hooks=hooks,
            session=session,
            parameters=parameters,
            input_builder=input_builder,
            include_input_schema=include_input_schema,
            on_stream_max_pending_events=on_stream_max_pending_events,
        )
