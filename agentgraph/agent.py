"""The agent: a model with instructions, tools, and other agents to hand over to.

An agent is a description and nothing else. A program may change its fields during a run; the run
reads them again on each turn. The constructor checks every field that it can check
(`agent_validation`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, cast

from typing_extensions import TypedDict, TypeVar

from agentgraph.agent_output import AgentOutputSchemaBase
from agentgraph.agent_tool import (
    AgentTool,
    AgentToolStreamEvent,
    argument_schema,
    default_tool_name,
    not_bound,
)
from agentgraph.agent_validation import (
    check_agent,
    check_agent_base,
    default_of,
    is_plainly_right,
)
from agentgraph.authoring.notebook import ShownInNotebooks
from agentgraph.authoring.origin import UNKNOWN_ORIGIN, SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.authoring.recording import current_recorder
from agentgraph.exceptions import UserError
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff, HandoffTarget
from agentgraph.lifecycle import AgentHooks, RunHooks
from agentgraph.model_settings import DefaultModelSettings, ModelSettings
from agentgraph.models.interface import Model
from agentgraph.prompts import DynamicPromptFunction, Prompt, PromptUtil
from agentgraph.run_config import RunConfig, coerce_run_config
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.tool_server import MCPConfig, ToolServer, tools_of_servers, tools_of_turn
from agentgraph.tools.errors import default_tool_error_function
from agentgraph.tools.function import FunctionTool, FunctionToolResult, ToolErrorFunction
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from openai.types.responses.response_prompt_param import ResponsePromptParam

    from agentgraph.agent_tool_input import StructuredToolInputBuilder
    from agentgraph.memory.session import Session
    from agentgraph.tool import Tool

__all__ = [
    "Agent",
    "AgentBase",
    "AgentToolStreamEvent",
    "MCPConfig",
    "StopAtTools",
    "ToolsToFinalOutputFunction",
    "ToolsToFinalOutputResult",
]

TOutput = TypeVar("TOutput", default=Any)
"""The type of an agent's final output."""


@dataclass
class ToolsToFinalOutputResult:
    """The decision of a `tool_use_behavior` function.

    Attributes:
        is_final_output: Whether the run ends here; if not, the run calls the model again.
        final_output: If the run ends, the final output, of the agent's output type.
    """

    is_final_output: bool
    final_output: Any | None = None


ToolsToFinalOutputFunction: TypeAlias = Callable[
    [RunContextWrapper[TContext], list[FunctionToolResult]],
    MaybeAwaitable[ToolsToFinalOutputResult],
]
"""Decides, from the results of a turn's function tools, whether the run ends."""


class StopAtTools(TypedDict):
    """End the run with the output of the first of these tools that is called.

    Attributes:
        stop_at_tool_names: The names of the tools.
    """

    stop_at_tool_names: list[str]


@kept_as_is()
@dataclass(eq=False, repr=False)
class AgentBase(Generic[TContext]):
    """The fields and methods that all kinds of agents share. An agent equals only itself.

    Attributes:
        name: The agent's name, for people and in handoffs.
        handoff_description: The description of the agent for the models of other agents.
        tools: The tools that the agent's model may call.
        mcp_servers: Servers whose tools the model may call as well; the program connects and closes
            them.
        mcp_config: How the agent uses the tools of those servers.

    Raises:
        AgentDefinitionError: A field has a value of the wrong type; the message names it.
    """

    name: str
    handoff_description: str | None = None
    tools: list[Tool] = field(default_factory=list)
    mcp_servers: list[Any] = field(default_factory=list)
    mcp_config: MCPConfig = field(default_factory=lambda: MCPConfig())
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_agent_base(self)

    def __repr__(self) -> str:
        """Show the fields that are set. Other agents and tools appear by name, because agents may
        refer to each other in circles."""
        fields = (
            f"{f.name}={_text_of(value)}"
            for f in dataclasses.fields(self)
            if f.repr and (value := getattr(self, f.name)) != default_of(f)
        )
        return f"{type(self).__name__}({', '.join(fields)})"

    async def get_mcp_tools(self, run_context: RunContextWrapper[TContext]) -> list[Tool]:
        """List the current tools of the agent's servers.

        Args:
            run_context: The run's context, which tool filters receive.

        Returns:
            One function tool for each tool, in the order of the servers.

        Raises:
            UserError: Two servers have a tool of the same name.
        """
        servers: list[tuple[None, ToolServer]] = [(None, server) for server in self.mcp_servers]
        return [tool for _, tool in await tools_of_servers(self, run_context, servers)]

    async def get_all_tools(self, run_context: RunContextWrapper[TContext]) -> list[Tool]:
        """List the tools that the model may call in this turn.

        Args:
            run_context: The run's context, which `is_enabled` callables receive.

        Returns:
            The tools of the servers, then the enabled ones among the agent's own tools.

        Raises:
            UserError: Two servers have a tool of the same name.
        """
        own = [(None, tool) for tool in self.tools]
        servers: list[tuple[None, ToolServer]] = [(None, server) for server in self.mcp_servers]
        return [tool for _, tool in await tools_of_turn(self, run_context, own, servers)]


@dataclass(eq=False, repr=False)
class Agent(AgentBase[TContext], ShownInNotebooks, Generic[TContext, TOutput]):
    """A model with instructions, tools, guardrails, and other agents to hand over to.

    The first type parameter is the type of the object that the caller passes to the runner as
    `context`, the second one the type of the final output. A type checker infers the second one
    from `output_type`, unless the first one is written: `Agent[Customer](output_type=Ticket)` is an
    `Agent[Customer, Any]`.

    Attributes:
        instructions: The system prompt: a text, or a callable of the run's context and this agent
            that returns one, directly or as an awaitable.
        prompt: A prompt that is stored with the provider, or a callable that returns one.
        handoffs: The agents and workflows that the model may hand over to; `handoff()` customises a
            handoff.
        model: The model, or its name; `None` stands for the default model.
        model_settings: The settings of the model's calls. If left out, they suit the model; what is
            passed counts as it is.
        input_guardrails: Judge the input of a run that starts with this agent.
        output_guardrails: Judge the final output if this agent produces it.
        output_type: The type of the final output; text when left out. Pass an
            `AgentOutputSchemaBase` to customise the schema.
        hooks: Called when the agent acts.
        tool_use_behavior: The next step after calls of function tools: call the model again; end
            with the output of the first call; end with the output of one of the named tools; or the
            decision of a function.
        reset_tool_choice: Whether a forced `tool_choice` is dropped once the agent has used a tool
            in a run, so that the model is not forced to call tools forever.

    Raises:
        AgentDefinitionError: A field has a value of the wrong type; the message names it.
    """

    instructions: (
        str
        | Callable[[RunContextWrapper[TContext], Agent[TContext]], MaybeAwaitable[str | None]]
        | None
    ) = None
    prompt: Prompt | DynamicPromptFunction | None = None
    handoffs: list[Agent[Any] | Handoff[TContext, Any] | HandoffTarget] = field(
        default_factory=list
    )
    model: str | Model | None = None
    model_settings: ModelSettings = field(default_factory=DefaultModelSettings.unset)
    input_guardrails: list[InputGuardrail[TContext]] = field(default_factory=list)
    output_guardrails: list[OutputGuardrail[TContext]] = field(default_factory=list)
    # Both checkers take `A | B` for a `UnionType`, not for a type of its objects.
    output_type: type[TOutput] | UnionType | AgentOutputSchemaBase | None = None
    hooks: AgentHooks[TContext] | None = None
    tool_use_behavior: (
        Literal["run_llm_again", "stop_on_first_tool"]
        | StopAtTools
        | ToolsToFinalOutputFunction[TContext]
    ) = "run_llm_again"
    reset_tool_choice: bool = True

    def __post_init__(self) -> None:
        settings = self.model_settings
        if type(settings) is DefaultModelSettings and isinstance(self.model, str):
            self.model_settings = settings.of_model(self.model)
        if type(self) is Agent and is_plainly_right(self):
            self._origin = caller_origin()
        else:
            super().__post_init__()
            changes: object = self.model_settings
            if isinstance(changes, dict):
                self.model_settings = ModelSettings().resolve(changes)
            check_agent(self)
        recorder = current_recorder()
        if recorder is not None:
            recorder.made(self)

    def clone(self, **kwargs: Any) -> Agent[TContext, Any]:
        """Copy the agent with some fields replaced.

        The copy is shallow: a list that is not replaced is the same list in both agents.

        Args:
            kwargs: The new values of fields.

        Returns:
            A new agent.

        Raises:
            TypeError: There is no such field.
            AgentDefinitionError: A field has a value of the wrong type.
        """
        return dataclasses.replace(self, **kwargs)

    def as_tool(
        self,
        tool_name: str | None,
        tool_description: str | None,
        custom_output_extractor: Callable[[Any], Awaitable[str]] | None = None,
        is_enabled: bool
        | Callable[[RunContextWrapper[Any], AgentBase[Any]], MaybeAwaitable[bool]] = True,
        on_stream: Callable[[AgentToolStreamEvent], MaybeAwaitable[None]] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        max_turns: int | None = None,
        hooks: RunHooks[TContext] | None = None,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        session: Session | None = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        needs_approval: bool
        | Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]] = False,
        parameters: type[Any] | None = None,
        input_builder: StructuredToolInputBuilder | None = None,
        include_input_schema: bool = False,
        on_stream_max_pending_events: int | None = 1024,
    ) -> FunctionTool:
        """Describe this agent as a tool for another agent, which continues after the call.

        Args: `AgentTool` describes the others.
            tool_name: The tool's name; `None` derives a function name from the agent's name.
            tool_description: The description of the tool for the other agent's model.
            failure_error_function: Makes the message for that model when the inner run fails;
                `None` lets the exception end the outer run.
            needs_approval: Whether a person decides on each call first; a callable receives the
                context, the arguments and the call's id.

        Raises:
            AgentDefinitionError: An argument has a value of the wrong type.
        """
        return AgentTool(
            name=tool_name or default_tool_name(self.name),
            description=tool_description or "",
            params_json_schema=argument_schema(tool_name or self.name, parameters),
            on_invoke_tool=not_bound,
            is_enabled=cast("Any", is_enabled),
            needs_approval=needs_approval,
            _failure_error_function=failure_error_function,
            agent=self,
            custom_output_extractor=custom_output_extractor,
            on_stream=on_stream,
            run_config=None if run_config is None else coerce_run_config(run_config),
            max_turns=max_turns,
            hooks=hooks,
            previous_response_id=previous_response_id,
            conversation_id=conversation_id,
            session=session,
            parameters=parameters,
            input_builder=input_builder,
            include_input_schema=include_input_schema,
            on_stream_max_pending_events=on_stream_max_pending_events,
        )

    async def get_system_prompt(self, run_context: RunContextWrapper[TContext]) -> str | None:
        """Resolve the instructions for one turn.

        Args:
            run_context: The run's context.

        Returns:
            The text, or `None` if there are no instructions.

        Raises:
            UserError: The instructions callable returned something other than text.
        """
        instructions = self.instructions
        if instructions is None or isinstance(instructions, str):
            return instructions
        text = await resolve(instructions(run_context, self))
        if text is not None and not isinstance(text, str):
            raise UserError(
                f"The instructions function of agent {self.name!r} must return text, "
                f"not {type(text).__name__}."
            )
        return text

    async def get_prompt(
        self, run_context: RunContextWrapper[TContext]
    ) -> ResponsePromptParam | None:
        """Resolve the stored prompt for one turn.

        Args:
            run_context: The run's context.

        Returns:
            The provider's form of the prompt, or `None` if there is none.

        Raises:
            UserError: The prompt callable returned something other than a prompt.
        """
        prompt = self.prompt
        return (
            None if prompt is None else await PromptUtil.to_model_input(prompt, run_context, self)
        )


def _text_of(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text_of, value))}]"
    name = getattr(value, "name", None)
    return f"<{type(value).__name__} {name!r}>" if isinstance(name, str) else repr(value)
