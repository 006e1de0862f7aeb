"""Tools that the Responses API runs itself, and tools that it calls by an output item of their own.

Rule: a tool here is a description. Its fields are those of the API's tool parameter; the models
turn them into a request. The driver calls the executors and callbacks; nothing here does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NotRequired, Required, TypeAlias

from typing_extensions import TypedDict

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tools.computers import (
    ComputerCreate,
    ComputerProvider,
    ComputerT,
    is_computer,
)
from agentgraph.tools.function import check_callers
from agentgraph.user_code.arity import check_callbacks
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from openai.types.responses import ResponseComputerToolCall
    from openai.types.responses.file_search_tool_param import Filters, RankingOptions
    from openai.types.responses.response_computer_tool_call import PendingSafetyCheck
    from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest
    from openai.types.responses.tool_param import (
        CodeInterpreter,
        ImageGeneration,
        ImageGenerationInputImageMask,
        Mcp,
    )
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
    "ImageGenerationToolConfig",
    "LocalShellCommandRequest",
    "LocalShellExecutor",
    "LocalShellTool",
    "MCPToolApprovalFunction",
    "MCPToolApprovalFunctionResult",
    "MCPToolApprovalRequest",
    "ProgrammaticToolCallingTool",
    "ToolSearchTool",
    "WebSearchTool",
    "WebSearchToolImageSettings",
]


class ConstructedTool:
    """The base of the descriptions here: it remembers where the user made the tool, and refuses
    unknown callers and callbacks that cannot take their arguments (`_callbacks`)."""

    _origin: SourceLine
    _callbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        place = f"{type(self).__name__} {getattr(self, 'name', '')!r}"
        check_callers(place, getattr(self, "allowed_callers", None))
        check_callbacks(place, self, self._callbacks)


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


class WebSearchToolImageSettings(TypedDict, total=False):
    """How images in the results of a `WebSearchTool` are returned.

    Attributes:
        max_results: How many images to return.
        caption: Whether each image has a short caption, if there is one.
    """

    max_results: int
    caption: bool


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
        search_content_types: What is searched; the API's default is text. With `image` in it, the
            response contains the images.
        image_settings: How images are returned.
    """

    user_location: UserLocation | None = None
    filters: WebSearchToolFilters | None = None
    search_context_size: Literal["low", "medium", "high"] = "medium"
    external_web_access: bool | None = None
    search_content_types: list[Literal["text", "image"]] | None = None
    image_settings: WebSearchToolImageSettings | None = None

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


class ImageGenerationToolConfig(TypedDict, total=False):
    """The tool parameter of the API, with the models and qualities that newer clients know.

    Attributes:
        type: `image_generation`.
        action: Whether an image is made or edited.
        background: The background of the image.
        input_fidelity: How closely the style of an input image is followed.
        input_image_mask: The part of the input image that is painted anew.
        model: The image model.
        moderation: How strictly the result is moderated.
        output_compression: In percent.
        output_format: The file format.
        partial_images: How many images a stream shows on the way.
        quality: The quality.
        size: Width and height, in pixels (`1024x1024`).
    """

    type: Required[Literal["image_generation"]]
    action: Literal["generate", "edit", "auto"]
    background: Literal["transparent", "opaque", "auto"]
    input_fidelity: Literal["high", "low"] | None
    input_image_mask: ImageGenerationInputImageMask
    model: str
    moderation: Literal["auto", "low"]
    output_compression: int
    output_format: Literal["png", "webp", "jpeg"]
    partial_images: int
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto"]
    size: str


@names_types(
    ImageGeneration="openai.types.responses.tool_param:ImageGeneration",
    ImageGenerationInputImageMask=(
        "openai.types.responses.tool_param:ImageGenerationInputImageMask"
    ),
)
@dataclass
class ImageGenerationTool(ConstructedTool):
    """Lets the model make images.

    Attributes:
        tool_config: The tool parameter of the API.
    """

    tool_config: ImageGenerationToolConfig | ImageGeneration

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
    agent: AnyAgent
    tool_call: ResponseComputerToolCall
    safety_check: PendingSafetyCheck


@dataclass(eq=False)
class ComputerTool(ConstructedTool, Generic[ComputerT]):
    """Lets the model operate a computer on this side.

    Attributes:
        computer: Carries out the actions: any object with the methods of `Computer` or
            `AsyncComputer`, a function that makes one for a run, or a `ComputerProvider`.
        on_safety_check: Decides whether to acknowledge a safety check of the provider, so that
            the action happens.

    Raises:
        AgentDefinitionError: When `computer` is none of these.
    """

    computer: ComputerT | ComputerCreate[ComputerT] | ComputerProvider[ComputerT]
    on_safety_check: Callable[[ComputerToolSafetyCheckData], MaybeAwaitable[bool]] | None = None
    _callbacks: ClassVar = {"on_safety_check": ("the check",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        computer: object = self.computer
        if not (is_computer(computer) or callable(getattr(computer, "create", computer))):
            raise AgentDefinitionError(
                f"ComputerTool: computer must be a Computer, an AsyncComputer, a function that "
                f"makes one or a ComputerProvider, not {type(computer).__name__}."
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
    _callbacks: ClassVar = {"on_approval_request": ("the request",)}

    @property
    def name(self) -> str:
        return "hosted_mcp"


@dataclass
class ToolSearchTool(ConstructedTool):
    """Lets the model look for tools whose loading is deferred, and for namespaces.

    Attributes:
        description: What the model reads about the search.
        execution: Who searches; the API's default is the provider.
        parameters: The schema of the search's arguments, if this side searches.
    """

    description: str | None = None
    execution: Literal["server", "client"] | None = None
    parameters: object | None = None

    @property
    def name(self) -> str:
        return "tool_search"


@dataclass
class ProgrammaticToolCallingTool(ConstructedTool):
    """Lets the model write programs, at the provider, that call tools (`allowed_callers`)."""

    @property
    def name(self) -> str:
        return "programmatic_tool_calling"


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
    _callbacks: ClassVar = {"executor": ("the request",)}

    @property
    def name(self) -> str:
        return "local_shell"
