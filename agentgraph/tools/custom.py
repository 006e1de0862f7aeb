"""Custom tools of the Responses API: the model sends a text in a declared format, where a function
tool receives JSON arguments.

Rule: a custom tool, like every tool, is a description. The provider holds the model to the format;
the function interprets the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from agentgraph.authoring.function_names import check_function_name
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom_data import CustomData
from agentgraph.tools.function import ToolCaller
from agentgraph.tools.hosted import ApprovalAnswer, ConstructedTool
from agentgraph.tools.shell import OnApprovalFunction
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from openai.types.responses import CustomToolParam

__all__ = [
    "CustomTool",
    "CustomToolApprovalFunction",
    "CustomToolCustomDataContext",
    "CustomToolCustomDataExtractor",
    "CustomToolExecutor",
    "CustomToolOnApprovalFunction",
    "CustomToolOnApprovalFunctionResult",
]

CustomToolExecutor: TypeAlias = Callable[[ToolContext[Any], str], MaybeAwaitable[Any]]
"""Carries out a call: it receives the context and the text that the model wrote. The model reads
the text form of what it returns."""

CustomToolApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], str, str], MaybeAwaitable[bool]
]
"""Decides whether a person must approve a call, from the context, the call's text and its id."""

CustomToolOnApprovalFunctionResult: TypeAlias = ApprovalAnswer
"""The answer to an approval request: whether the call may be made and, if not, why not."""

CustomToolOnApprovalFunction: TypeAlias = OnApprovalFunction
"""Answers an approval of a call of a custom tool."""


@dataclass(eq=False)
class CustomTool(ConstructedTool):
    """Lets the model send text to a function on this side.

    Attributes:
        name: What the model calls the tool.
        description: The description that the model reads.
        on_invoke_tool: Carries out one call, sync or async. If it raises, the model reads the
            error.
        format: The format of the text as the API describes it: `{"type": "text"}`, or a grammar,
            `{"type": "grammar", "syntax": "lark" | "regex", "definition": …}`. The default is any
            text.
        needs_approval: Whether a person must approve a call before it is made.
        on_approval: Answers approvals at once.
        defer_loading: Whether the request leaves the tool out, so that the model must find it by
            tool search.
        custom_data_extractor: Returns data for the program to attach to the output.
        allowed_callers: Who may call the tool; it goes out in the request.

    Raises:
        AgentDefinitionError: When a field has a value of the wrong type.
    """

    name: str
    description: str
    on_invoke_tool: CustomToolExecutor
    format: object | None = None
    needs_approval: bool | CustomToolApprovalFunction = False
    on_approval: CustomToolOnApprovalFunction | None = None
    defer_loading: bool = False
    custom_data_extractor: CustomToolCustomDataExtractor | None = field(default=None, kw_only=True)
    allowed_callers: list[ToolCaller] | None = field(default=None, kw_only=True)
    _callbacks: ClassVar = {
        "on_invoke_tool": ("the context", "the text"),
        "needs_approval": ("the context", "the text", "the id of the call"),
        "on_approval": ("the context", "the approval"),
        "custom_data_extractor": ("the call",),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_function_name(self.name, "CustomTool")
        for attribute in ("on_invoke_tool", "on_approval", "custom_data_extractor"):
            value = getattr(self, attribute)
            required = attribute == "on_invoke_tool"
            if not callable(value) and (required or value is not None):
                raise AgentDefinitionError(
                    f"CustomTool {self.name!r}: {attribute} must be a function."
                )

    @property
    def _function(self) -> CustomToolExecutor:
        """The function that tells the front end the type of the context, as in a function tool."""
        return self.on_invoke_tool

    @property
    def type(self) -> str:
        """The type of the tool parameter of the API."""
        return "custom"

    @property
    def tool_config(self) -> CustomToolParam:
        """The tool parameter of the API."""
        config: dict[str, Any] = {
            "type": "custom",
            "name": self.name,
            "description": self.description,
        }
        if self.format is not None:
            config["format"] = self.format
        if self.defer_loading:
            config["defer_loading"] = True
        if self.allowed_callers is not None:
            config["allowed_callers"] = self.allowed_callers
        return cast("CustomToolParam", config)


@dataclass(frozen=True)
class CustomToolCustomDataContext:
    """A call whose output is about to become an item of the run.

    Attributes:
        tool_context: The context of the call.
        tool: The tool that was called.
        input: The text that the model wrote.
        output: The text that the model reads.
        raw_item: A copy of the output in the form that the provider receives.
    """

    tool_context: ToolContext[Any]
    tool: CustomTool
    input: str
    output: str
    raw_item: Mapping[str, Any]


CustomToolCustomDataExtractor: TypeAlias = Callable[[CustomToolCustomDataContext], CustomData]
"""Returns data for the program to attach to the output of a call; no model sees it."""
