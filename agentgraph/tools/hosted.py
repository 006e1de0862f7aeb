"""Tools that the Responses API runs itself, and tools that it calls by an output item of their own.

Rule: a tool here is a description. Its fields are those of the API's tool parameter; the models
turn them into a request. The driver calls the executors and callbacks; nothing here does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict, TypeVar

from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.computer import AsyncComputer, Computer
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from openai.types.responses import ResponseComputerToolCall
    from openai.types.responses.file_search_tool_param import Filters, RankingOptions
    from openai.types.responses.response_computer_tool_call import PendingSafetyCheck
    from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest
    from openai.types.responses.tool_param import CodeInterpreter, ImageGeneration, Mcp
    from openai.types.responses.web_search_tool_param import Filters as WebSearchToolFilters
    from openai.types.responses.web_search_tool_param import UserLocation

__all__ = [
    "ApprovalAnswer",
    "CodeInterpreterTool",
    "ComputerTool",
    "ComputerToolSafetyCheckData",
    "FileSearchTool",
    "HostedMCPTool",
    "ImageGenerationTool",
    "LocalShellCommandRequest",
    "LocalShellExecutor",
    "LocalShellTool",
    "MCPToolApprovalFunction",
    "MCPToolApprovalFunctionResult",
    "MCPToolApprovalRequest",
    "WebSearchTool",
]

ComputerT = TypeVar("ComputerT", bound=Computer | AsyncComputer, default=Any)


class ConstructedTool:
    """The base of the descriptions here: it remembers where the user made the tool."""

    _origin: SourceLine

    def __post_init__(self) -> None:
        self._origin = caller_origin()


@names_types(
    Filters="openai.types.responses.file_search_tool_param:Filters",
    RankingOptions="openai.types.responses.file_search_tool_param:RankingOptions",
)
@dataclass
class FileSearchTool(ConstructedTool):
    """Lets the model search uploaded files.

    Attributes:
        vector_store_ids: Where to search.
        max_num_results: How many results to use at most.
        include_search_results: Whether the model's reply contains the results.
        ranking_options: How results are ranked.
        filters: Which files are searched, by their attributes.

    Raises:
        UserError: `max_num_results` is less than one, which the API refuses.
    """

    vector_store_ids: list[str]
    max_num_results: int | None = None
    include_search_results: bool = False
    ranking_options: RankingOptions | None = None
    filters: Filters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_num_results is not None and self.max_num_results < 1:
            raise UserError(
                f"FileSearchTool(max_num_results={self.max_num_results}) asks for no result; it "
                "must be at least 1. Leave it out for the API's default."
            )

    @property
    def name(self) -> str:
        return "file_search"


@names_types(
    UserLocation="openai.types.responses.web_search_tool_param:UserLocation",
    WebSearchToolFilters="openai.types.responses.web_search_tool_param:Filters",
)
@dataclass
class WebSearchTool(ConstructedTool):
    """Lets the model search the web.

    Attributes:
        user_location: Where the user is, for results nearby.
        filters: Which sites are searched.
        search_context_size: How much of the results the model reads.
        external_web_access: Whether pages are fetched anew rather than taken from an index.
    """

    user_location: UserLocation | None = None
    filters: WebSearchToolFilters | None = None
    search_context_size: Literal["low", "medium", "high"] = "medium"
    external_web_access: bool | None = None

    @property
    def name(self) -> str:
        return "web_search"


@names_types(CodeInterpreter="openai.types.responses.tool_param:CodeInterpreter")
@dataclass
class CodeInterpreterTool(ConstructedTool):
    """Lets the model run Python in a container at the provider.

    Attributes:
        tool_config: The tool parameter of the API, with the container to use.
    """

    tool_config: CodeInterpreter

    @property
    def name(self) -> str:
        return "code_interpreter"


@names_types(ImageGeneration="openai.types.responses.tool_param:ImageGeneration")
@dataclass
class ImageGenerationTool(ConstructedTool):
    """Lets the model make images.

    Attributes:
        tool_config: The tool parameter of the API.
    """

    tool_config: ImageGeneration

    @property
    def name(self) -> str:
        return "image_generation"


@dataclass
class ComputerToolSafetyCheckData:
    """A safety check that a person or a policy must acknowledge before an action happens.

    Attributes:
        ctx_wrapper: The context of the run.
        agent: The agent whose model asks for the action.
        tool_call: The call with the action.
        safety_check: The provider's concern about the action.
    """

    ctx_wrapper: RunContextWrapper[Any]
    agent: Any
    tool_call: ResponseComputerToolCall
    safety_check: PendingSafetyCheck


@dataclass(eq=False)
class ComputerTool(ConstructedTool, Generic[ComputerT]):
    """Lets the model operate a computer on this side.

    Attributes:
        computer: Carries out the actions.
        on_safety_check: Decides whether to acknowledge a safety check of the provider, so that
            the action happens.

    Raises:
        AgentDefinitionError: When `computer` is neither a `Computer` nor an `AsyncComputer`.
    """

    computer: ComputerT
    on_safety_check: Callable[[ComputerToolSafetyCheckData], MaybeAwaitable[bool]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        computer: object = self.computer
        if not isinstance(computer, (Computer, AsyncComputer)):
            raise AgentDefinitionError(
                f"ComputerTool: computer must be a Computer or an AsyncComputer, "
                f"not {type(computer).__name__}."
            )

    @property
    def name(self) -> str:
        return "computer_use_preview"

    @property
    def trace_name(self) -> str:
        return "computer"


@dataclass
class MCPToolApprovalRequest:
    """A call on a hosted MCP server that waits for approval.

    Attributes:
        ctx_wrapper: The context of the run.
        data: The request as the API sent it.
    """

    ctx_wrapper: RunContextWrapper[Any]
    data: McpApprovalRequest


class ApprovalAnswer(TypedDict):
    """The answer to an approval request: whether the call may be made and, if not, why not."""

    approve: bool
    reason: NotRequired[str]


MCPToolApprovalFunctionResult: TypeAlias = ApprovalAnswer
"""The answer to an approval request of a hosted MCP server."""

MCPToolApprovalFunction: TypeAlias = Callable[
    [MCPToolApprovalRequest], MaybeAwaitable[MCPToolApprovalFunctionResult]
]
"""Answers approval requests of a hosted MCP server."""


@names_types(
    Mcp="openai.types.responses.tool_param:Mcp",
    McpApprovalRequest="openai.types.responses.response_output_item:McpApprovalRequest",
)
@dataclass
class HostedMCPTool(ConstructedTool):
    """Lets the model use an MCP server that the provider connects to.

    Attributes:
        tool_config: The tool parameter of the API: label and address of the server, its policy.
        on_approval_request: Answers the server's approval requests. Without it the result contains
            the requests, and the caller answers them.
    """

    tool_config: Mcp
    on_approval_request: MCPToolApprovalFunction | None = None

    @property
    def name(self) -> str:
        return "hosted_mcp"


@dataclass
class LocalShellCommandRequest:
    """A command that the model wants to run on this side.

    Attributes:
        ctx_wrapper: The context of the run.
        data: The call as the API sent it.
    """

    ctx_wrapper: RunContextWrapper[Any]
    data: LocalShellCall


LocalShellExecutor: TypeAlias = Callable[[LocalShellCommandRequest], MaybeAwaitable[str]]
"""Runs a command and returns the output for the model."""


@dataclass(eq=False)
class LocalShellTool(ConstructedTool):
    """Lets the model run commands on this side.

    Attributes:
        executor: Runs a command; it decides which commands are allowed.
    """

    executor: LocalShellExecutor

    @property
    def name(self) -> str:
        return "local_shell"
