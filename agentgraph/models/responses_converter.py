"""Convert an agent's tools, handoffs, tool choice and output type to a request of the Responses
API.

The payloads are plain dictionaries in the forms that the `openai` client declares. A payload shares
the tool's own schema instead of a copy, so converting fifty tools costs microseconds, and the
payload follows any change to a tool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import UserError
from agentgraph.model_settings import MCPToolChoice
from agentgraph.tools.custom import CustomTool
from agentgraph.tools.function import FunctionTool
from agentgraph.tools.hosted import (
    CodeInterpreterTool,
    ComputerTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    ProgrammaticToolCallingTool,
    ToolSearchTool,
    WebSearchTool,
)
from agentgraph.tools.shell import ApplyPatchTool, ShellTool

if TYPE_CHECKING:
    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.model_settings import ToolChoice
    from agentgraph.tool import Tool

__all__ = ["ConvertedTools", "Converter"]

_PREVIEW_COMPUTER: Final = "computer-use-preview"
_COMPUTER_NAMES: Final = frozenset(("computer", "computer_use", "computer_use_preview"))
_HOSTED_NAMES: Final = frozenset(
    (
        "code_interpreter",
        "file_search",
        "image_generation",
        "mcp",
        "programmatic_tool_calling",
        "tool_search",
        "web_search",
        "web_search_preview",
    )
)


@dataclass
class ConvertedTools:
    """The tools of a request.

    Attributes:
        tools: The payload of each tool, then of each handoff.
        includes: The `include` values that these tools require: what the response must contain
            besides the usual.
    """

    tools: list[dict[str, Any]]
    includes: list[str]


class Converter:
    """Turns authoring objects into the payloads of a request; holds no state."""

    @classmethod
    def convert_tools(
        cls,
        tools: Iterable[Tool],
        handoffs: Iterable[Handoff[Any, Any]],
        *,
        model: str | None = None,
        tool_choice: ToolChoice | None = None,
    ) -> ConvertedTools:
        """Convert the tools and handoffs of a call.

        Args:
            tools: The enabled tools.
            handoffs: The enabled handoffs.
            model: The model's name, which determines the form of the computer tool; None if a
                stored prompt names the model.
            tool_choice: The tool choice, which determines that form if there is no name.

        Returns:
            The payloads in order.

        Raises:
            UserError: There are two computer tools, or a tool that this API does not have.
        """
        tools = list(tools)
        if sum(isinstance(tool, ComputerTool) for tool in tools) > 1:
            raise UserError("An agent can have only one ComputerTool; remove the others.")
        _check_search(tools)
        preview = _wants_preview_computer(model, tool_choice)
        payloads = _grouped([(tool, _tool_payload(tool, preview)) for tool in tools])
        payloads += [_handoff_payload(handoff) for handoff in handoffs]
        files = any(isinstance(t, FileSearchTool) and t.include_search_results for t in tools)
        images = any(
            isinstance(t, WebSearchTool) and "image" in (t.search_content_types or ())
            for t in tools
        )
        includes = ["file_search_call.results"] * files + ["web_search_call.results"] * images
        return ConvertedTools(payloads, includes)

    @classmethod
    def convert_tool_choice(
        cls,
        tool_choice: ToolChoice | None,
        *,
        tools: Sequence[Tool] = (),
        handoffs: Sequence[Handoff[Any, Any]] = (),
        model: str | None = None,
    ) -> str | dict[str, Any] | None:
        """Convert a tool choice.

        If a function tool or handoff of the call has the same name as a hosted tool, the name means
        the function tool or handoff.

        Args:
            tool_choice: A mode, a tool's name, a tool of a hosted MCP server, or None.
            tools: The tools of the call.
            handoffs: The handoffs of the call.
            model: The model's name, as for `convert_tools`.

        Returns:
            The payload, or None for no choice.
        """
        match tool_choice:
            case None | "auto" | "required" | "none":
                return tool_choice
            case MCPToolChoice():
                return {
                    "type": "mcp",
                    "server_label": tool_choice.server_label,
                    "name": tool_choice.name,
                }
        functions = {tool.name for tool in tools if isinstance(tool, FunctionTool)}
        functions.update(handoff.tool_name for handoff in handoffs)
        if tool_choice not in functions:
            if any(isinstance(tool, CustomTool) and tool.name == tool_choice for tool in tools):
                return {"type": "custom", "name": tool_choice}
            if tool_choice in _HOSTED_NAMES:
                return {"type": tool_choice}
            if any(
                isinstance(t, ShellTool | ApplyPatchTool) and t.type == tool_choice for t in tools
            ):
                return {"type": tool_choice}
            if tool_choice in _COMPUTER_NAMES and any(isinstance(t, ComputerTool) for t in tools):
                preview = _wants_preview_computer(model, tool_choice)
                return {"type": "computer_use_preview" if preview else "computer"}
        return {"type": "function", "name": tool_choice}

    @classmethod
    def get_response_format(
        cls, output_schema: AgentOutputSchemaBase | None
    ) -> dict[str, Any] | None:
        """Convert an output type.

        Args:
            output_schema: The output type's schema.

        Returns:
            The `text` parameter, or None for plain text.
        """
        if output_schema is None or output_schema.is_plain_text():
            return None
        return {
            "format": {
                "type": "json_schema",
                "name": "final_output",
                "schema": output_schema.json_schema(),
                "strict": output_schema.is_strict_json_schema(),
            }
        }


def _wants_preview_computer(model: str | None, tool_choice: ToolChoice | None) -> bool:
    """Whether the request uses the preview form of the computer tool, the only form that the
    preview model family accepts."""
    if model is None:
        return tool_choice == "computer_use_preview"
    return model.startswith(_PREVIEW_COMPUTER)


def _tool_payload(tool: object, preview_computer: bool) -> dict[str, Any]:
    match tool:
        case FunctionTool():
            payload = {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.params_json_schema,
                "strict": tool.strict_json_schema,
            }
            return payload | _set_fields(
                defer_loading=tool.defer_loading or None,
                allowed_callers=tool.allowed_callers,
                output_schema=tool.output_json_schema,
            )
        case WebSearchTool():
            return {"type": "web_search", **_web_search_fields(tool)}
        case FileSearchTool():
            return {"type": "file_search", **_file_search_fields(tool)}
        case CodeInterpreterTool() | CustomTool() | HostedMCPTool() | ImageGenerationTool():
            return dict(tool.tool_config)
        case LocalShellTool():
            return {"type": "local_shell"}
        case ShellTool():
            return {
                "type": "shell",
                "environment": _plain(tool.environment),
                **_set_fields(allowed_callers=tool.allowed_callers),
            }
        case ApplyPatchTool():
            return {"type": "apply_patch", **_set_fields(allowed_callers=tool.allowed_callers)}
        case ToolSearchTool():
            return {
                "type": "tool_search",
                **_set_fields(
                    description=tool.description,
                    execution=tool.execution,
                    parameters=tool.parameters,
                ),
            }
        case ProgrammaticToolCallingTool():
            return {"type": "programmatic_tool_calling"}
        case ComputerTool():
            return _computer_payload(tool) if preview_computer else {"type": "computer"}
        case _:
            name = getattr(tool, "name", type(tool).__name__)
            raise UserError(
                f"The tool {name!r} ({type(tool).__name__}) cannot be sent to the Responses API; "
                "use a function tool or one of the hosted tools."
            )


def _grouped(payloads: list[tuple[Tool, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Put the function tools of each namespace together, where its first tool stands."""
    grouped: list[dict[str, Any]] = []
    spaces: dict[str, dict[str, Any]] = {}
    for tool, payload in payloads:
        namespace = tool._namespace if isinstance(tool, FunctionTool) else None
        if namespace is None:
            grouped.append(payload)
            continue
        name, description = namespace
        if name not in spaces:
            spaces[name] = {"type": "namespace", "name": name, "description": description}
            spaces[name]["tools"] = []
            grouped.append(spaces[name])
        if spaces[name]["description"] != description:
            raise UserError(f"The namespace {name!r} has several descriptions; give it one.")
        spaces[name]["tools"].append(payload)
    return grouped


def _check_search(tools: list[Tool]) -> None:
    """Refuse deferred tools that no search finds, and two searches."""
    searches = sum(isinstance(tool, ToolSearchTool) for tool in tools)
    deferred = [tool.name for tool in tools if _is_deferred(tool)]
    if searches > 1:
        raise UserError("An agent can have only one ToolSearchTool; remove the others.")
    if deferred and not searches:
        raise UserError(f"The model cannot find {deferred[0]!r}: add a ToolSearchTool.")


def _is_deferred(tool: Tool) -> bool:
    if isinstance(tool, HostedMCPTool):
        return bool(tool.tool_config.get("defer_loading"))
    return isinstance(tool, FunctionTool) and tool.defer_loading


def _handoff_payload(handoff: Handoff[Any, Any]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": handoff.tool_name,
        "description": handoff.tool_description,
        "parameters": handoff.input_json_schema,
        "strict": handoff.strict_json_schema,
    }


def _web_search_fields(tool: WebSearchTool) -> dict[str, Any]:
    return _set_fields(
        filters=tool.filters,
        user_location=tool.user_location,
        search_context_size=tool.search_context_size,
        external_web_access=tool.external_web_access,
        search_content_types=tool.search_content_types,
        image_settings=tool.image_settings,
    )


def _file_search_fields(tool: FileSearchTool) -> dict[str, Any]:
    return _set_fields(
        vector_store_ids=tool.vector_store_ids,
        max_num_results=tool.max_num_results,
        ranking_options=tool.ranking_options,
        filters=tool.filters,
    )


def _computer_payload(tool: ComputerTool[Any]) -> dict[str, Any]:
    computer = tool.computer
    environment = getattr(computer, "environment", None)
    dimensions = getattr(computer, "dimensions", None)
    if environment is None or dimensions is None:
        raise UserError(
            f"The model family {_PREVIEW_COMPUTER!r} needs the computer's `environment` and "
            f"`dimensions`; add these properties to {type(computer).__name__}."
        )
    width, height = dimensions
    return {
        "type": "computer_use_preview",
        "environment": environment,
        "display_width": width,
        "display_height": height,
    }


def _set_fields(**fields: object) -> dict[str, Any]:
    """Return the fields that have a value, as plain data."""
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: object) -> Any:
    """Turn an object of the client, or any mapping, into a dictionary."""
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(exclude_unset=True)
    return dict(value) if isinstance(value, Mapping) else value
