"""One call of a server's tool: from the model's arguments to the output for the model.

Rule: every failure raises an exception of this package that names server, tool and agent; a caller
that is cancelled stays cancelled. The function tool (`conversion`) decides whether the model
reads the failure.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from agentgraph.exceptions import AgentsException, MCPToolCancellationError, UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.arguments import InvalidToolArguments, read_arguments
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom_data import CustomData, custom_data_of
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve
from agentgraph.user_code.cancellation import take_back

if TYPE_CHECKING:
    from mcp.types import CallToolResult
    from mcp.types import Tool as MCPTool

__all__ = [
    "MCPToolCustomDataContext",
    "MCPToolCustomDataExtractor",
    "MCPToolMetaContext",
    "MCPToolMetaResolver",
    "ToolCaller",
    "ToolOutput",
    "call_server_tool",
    "check_text",
    "first_of",
    "reason_of",
]

ToolOutput: TypeAlias = str | dict[str, Any] | list[dict[str, Any]]
"""The output of a call: text, or structured outputs of `agentgraph.items.tool_payload`."""


@dataclass
class MCPToolMetaContext:
    """A call that needs metadata.

    Attributes:
        run_context: The context of the call.
        server_name: The server.
        tool_name: The tool's name on the server.
        arguments: The model's arguments.
    """

    run_context: RunContextWrapper[Any]
    server_name: str
    tool_name: str
    arguments: dict[str, Any] | None


MCPToolMetaResolver: TypeAlias = Callable[
    ["MCPToolMetaContext"], MaybeAwaitable[dict[str, Any] | None]
]
"""Returns the `_meta` to send with a call, or None."""


@dataclass(frozen=True)
class MCPToolCustomDataContext:
    """A call of a server's tool whose output is about to become an item of the run.

    Attributes:
        run_context: The context of the call.
        server_name: The server.
        tool_name: The tool's name on the server.
        tool_display_name: The name by which the model calls the tool.
        arguments: The model's arguments; read-only.
        result_meta: The `_meta` of the result, if it has one; read-only.
        structured_content: The structured form of the result, if it has one; read-only.
        is_error: Whether the server reports that the call failed.
        tool_output: The output that the model reads.
    """

    run_context: RunContextWrapper[Any]
    server_name: str
    tool_name: str
    tool_display_name: str
    arguments: Mapping[str, Any]
    result_meta: Mapping[str, Any] | None
    structured_content: Mapping[str, Any] | None
    is_error: bool | None
    tool_output: ToolOutput


MCPToolCustomDataExtractor: TypeAlias = Callable[[MCPToolCustomDataContext], CustomData]
"""Returns data for the program to attach to the output of a call; no model sees it."""


class ToolCaller(Protocol):
    """The part of a server's interface that a call needs."""

    use_structured_content: bool
    tool_meta_resolver: MCPToolMetaResolver | None
    custom_data_extractor: MCPToolCustomDataExtractor | None

    @property
    def name(self) -> str: ...

    async def call_tool(
        self,
        tool_name: str,
        arguments: dict[str, Any] | None,
        meta: dict[str, Any] | None = None,
    ) -> CallToolResult: ...


async def call_server_tool(
    server: ToolCaller,
    tool: MCPTool,
    context: RunContextWrapper[Any],
    input_json: str,
    *,
    meta: dict[str, Any] | None = None,
    display_name: str | None = None,
) -> ToolOutput:
    """Call a tool.

    Args:
        server: The server of the tool.
        tool: The tool, as the server lists it.
        context: The context of the call.
        input_json: The arguments as the model wrote them.
        meta: The `_meta` to send with the call. It overrides the keys that the server's resolver
            returns.
        display_name: The name by which the model calls the tool, if it is not the tool's own.

    Returns:
        A structured output for each content of the result: a text or an image as such, any other
        content as its JSON text. It is a list unless the result has exactly one content. With
        `use_structured_content`, it is the JSON text of the structured result, if there is one and
        the call did not fail.

    Raises:
        InvalidToolArguments: The arguments are not a JSON object, or UTF-8 cannot encode them.
        MCPToolCancellationError: The call was cancelled, but its caller was not.
        AgentsException: The call failed; the message names server, tool and agent.
        Exception: Whatever the server's `custom_data_extractor` raises.
    """
    display = display_name or tool.name  # the name that the model reads
    arguments = read_arguments(input_json, display)
    if not _is_text(arguments):
        raise InvalidToolArguments(display, _HALF_A_PAIR, is_json=True)
    before = take_back()
    try:
        metadata = await _meta(server, tool, context, arguments, meta)
        if metadata is None:
            # A program's own server may have no `meta` parameter.
            result = await server.call_tool(tool.name, arguments)
        else:
            result = await server.call_tool(tool.name, arguments, meta=metadata)
    except asyncio.CancelledError as error:
        # The tool's deadline cancels this task as well, and turns that into a timeout itself.
        if take_back() > before:
            raise
        raise MCPToolCancellationError(
            f"{_failed(server, tool, context)}: the call was cancelled on its way"
        ) from error
    except Exception as error:
        raise AgentsException(f"{_failed(server, tool, context)}: {reason_of(error)}") from error
    if isinstance(context, ToolContext):
        context._custom_data = await _custom_data(server, tool, display, context, arguments, result)
    return _output(result, server.use_structured_content)


async def _custom_data(
    server: ToolCaller,
    tool: MCPTool,
    display: str,
    context: RunContextWrapper[Any],
    arguments: dict[str, Any],
    result: CallToolResult,
) -> dict[str, Any] | None:
    """Return the data that the program attaches to the output of a call."""
    if server.custom_data_extractor is None:
        return None
    call = MCPToolCustomDataContext(
        run_context=context,
        server_name=server.name,
        tool_name=tool.name,
        tool_display_name=display,
        arguments=MappingProxyType(arguments),
        result_meta=_read_only(result.meta),
        structured_content=_read_only(result.structured_content),
        is_error=result.is_error,
        tool_output=_output(result, server.use_structured_content),
    )
    owner = f"tool {tool.name!r} of MCP server {server.name!r}"
    return await custom_data_of(server.custom_data_extractor, call, owner)


def check_text(arguments: dict[str, Any] | None, tool_name: str) -> None:
    """Refuse arguments that cannot be encoded in UTF-8.

    They would break the connection for all its users: the task that writes messages ends at the
    first message that it cannot write.

    Args:
        arguments: The arguments of a call.
        tool_name: The tool, for the message.

    Raises:
        UserError: UTF-8 cannot encode a text of the arguments.
    """
    if not _is_text(arguments):
        raise UserError(f"The arguments for {tool_name!r}: {_HALF_A_PAIR}")


_HALF_A_PAIR: Final = (
    "a text contains half of a surrogate pair, which UTF-8 cannot encode; remove it from the text"
)


def _is_text(arguments: dict[str, Any] | None) -> bool:
    try:
        json.dumps(arguments, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def first_of(error: BaseException) -> BaseException:
    """Return the first error of a group: a connection fails in several tasks for one reason.

    Args:
        error: Any exception; one that is not a group is returned itself.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def reason_of(error: BaseException) -> str:
    """Return the message of an error, or the name of its type if the message is empty.

    Args:
        error: Any exception; for a group, its first member counts.
    """
    first = first_of(error)
    return str(first) or type(first).__name__


def _failed(server: ToolCaller, tool: MCPTool, context: RunContextWrapper[Any]) -> str:
    agent = getattr(getattr(context, "agent", None), "name", None)
    of_agent = "" if agent is None else f" for agent {agent!r}"
    return f"MCP server {server.name!r} failed to run tool {tool.name!r}{of_agent}"


async def _meta(
    server: ToolCaller,
    tool: MCPTool,
    context: RunContextWrapper[Any],
    arguments: dict[str, Any],
    overrides: dict[str, Any] | None,
) -> dict[str, Any] | None:
    if server.tool_meta_resolver is None:
        return overrides
    call = MCPToolMetaContext(context, server.name, tool.name, dict(arguments))
    resolved = await resolve(server.tool_meta_resolver(call))
    if resolved is None or overrides is None:
        return overrides if resolved is None else resolved
    return {**resolved, **overrides}


def _read_only(mapping: dict[str, Any] | None) -> Mapping[str, Any] | None:
    return None if mapping is None else MappingProxyType(mapping)


def _output(result: CallToolResult, use_structured_content: bool) -> ToolOutput:
    if use_structured_content and result.structured_content and not result.is_error:
        return json.dumps(result.structured_content)
    parts = _parts(result.content)
    return parts[0] if len(parts) == 1 else parts


def _parts(contents: Sequence[Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for content in contents:
        match content.type:
            case "text":
                parts.append({"type": "text", "text": content.text})
            case "image":
                url = f"data:{content.mime_type};base64,{content.data}"
                parts.append({"type": "image", "image_url": url})
            case _:
                text = content.model_dump_json(by_alias=True, exclude_none=True)
                parts.append({"type": "text", "text": text})
    return parts
