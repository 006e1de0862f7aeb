"""Custom tools of the Responses API: the model sends text of a form that is described to it, where
a function tool is sent JSON arguments.

Rule: as for all tools, a description only. The provider holds the model to the format; what the
text means is the function's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom_data import CustomData
from agentgraph.tools.hosted import ConstructedTool
from agentgraph.tools.shell import ApprovalAnswer
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from openai.types.responses import CustomToolParam

    from agentgraph.items.run_items import ToolApprovalItem

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
"""Carries out a call: it gets the context and the text that the model wrote. The model is shown the
text form of what it returns."""

CustomToolApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], str, str], MaybeAwaitable[bool]
]
"""Says whether a call, given with its text and id, must be approved."""

CustomToolOnApprovalFunctionResult: TypeAlias = ApprovalAnswer
"""The answer to a question of approval: whether the call may be made and, if not, why not."""

CustomToolOnApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], "ToolApprovalItem"], MaybeAwaitable[CustomToolOnApprovalFunctionResult]
]
"""Answers an approval at once instead of interrupting the run."""


@dataclass(eq=False)
class CustomTool(ConstructedTool):
    """Lets the model send text to a function on this side.

    Attributes:
        name: What the model calls the tool.
        description: What the model is told about the tool.
        on_invoke_tool: Carries out one call, sync or async. Of an error the model is told.
        format: The form of the text as the API describes it: `{"type": "text"}`, or a grammar,
            `{"type": "grammar", "syntax": "lark" | "regex", "definition": …}`. Any text when left
            out.
        needs_approval: Whether a person must approve a call before it is made.
        on_approval: Answers approvals at once.
        defer_loading: Whether the model finds the tool by tool search instead of being shown it.
        custom_data_extractor: Says what is attached to the output for the program itself.

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

    def __post_init__(self) -> None:
        super().__post_init__()
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise AgentDefinitionError(f"CustomTool {name!r}: name must be non-empty text.")
        for attribute in ("on_invoke_tool", "on_approval", "custom_data_extractor"):
            value = getattr(self, attribute)
            wanted = attribute == "on_invoke_tool"
            if not callable(value) and (wanted or value is not None):
                raise AgentDefinitionError(f"CustomTool {name!r}: {attribute} must be a function.")

    @property
    def _function(self) -> CustomToolExecutor:
        """What the front end reads the type of the context from, as it does of a function tool."""
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
        return cast("CustomToolParam", config)


@dataclass(frozen=True)
class CustomToolCustomDataContext:
    """The call whose output is about to be logged.

    Attributes:
        tool_context: The context of the call.
        tool: The tool that was called.
        input: The text that the model wrote.
        output: What the model is shown.
        raw_item: A copy of the output as the provider is sent it.
    """

    tool_context: ToolContext[Any]
    tool: CustomTool
    input: str
    output: str
    raw_item: Mapping[str, Any]


CustomToolCustomDataExtractor: TypeAlias = Callable[[CustomToolCustomDataContext], CustomData]
"""Says what is attached to the output of a call for the program itself; no model sees it."""
