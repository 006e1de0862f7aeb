"""One call of a server's tool: from the model's arguments to what the model is shown.

Rule: whatever goes wrong on the way leaves as an exception of this package that names server, tool
and agent; only a cancelled caller is cancelled. Whether the model is told of it is decided where
the call is made into a function tool (`conversion`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from agentgraph.exceptions import AgentsException, MCPToolCancellationError, UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.arguments import read_arguments
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
"""What a call gives: text, or structured outputs as `agentgraph.items.tool_payload` knows them."""


@dataclass
class MCPToolMetaContext:
    """The call for which metadata is asked.

    Attributes:
        run_context: The context of the call.
        server_name: The server.
        tool_name: The tool's name on the server.
        arguments: The arguments that the model gave.
    """

    run_context: RunContextWrapper[Any]
    server_name: str
    tool_name: str
    arguments: dict[str, Any] | None


MCPToolMetaResolver: TypeAlias = Callable[
    ["MCPToolMetaContext"], MaybeAwaitable[dict[str, Any] | None]
]
"""Gives the `_meta` that is sent with a call, or none."""


@dataclass(frozen=True)
class MCPToolCustomDataContext:
    """The call of a server's tool that is about to be logged.

    Attributes:
        run_context: The context of the call.
        server_name: The server.
        tool_name: The tool's name on the server.
        tool_display_name: The tool's name towards the model.
        arguments: The arguments that the model gave; read only.
        result_meta: The `_meta` of the result, if it has one; read only.
        structured_content: The structured form of the result, if it has one; read only.
        is_error: Whether the server says that the call failed.
        tool_output: What the model is shown.
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
"""Says what is attached to the output of a call for the program itself; no model sees it."""


class ToolCaller(Protocol):
    """A server, as far as a call has to know it."""

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
        server: The server that has it.
        tool: The tool, as the server lists it.
        context: The context of the call.
        input_json: The arguments as the model wrote them.
        meta: Sent with the call, over what the server's resolver gives.
        display_name: The tool's name towards the model, where it is another one.

    Returns:
        A structured output for a text or an image, its JSON as text for any other content; a list
        where the result has not exactly one. With `use_structured_content`, the JSON text of the
        structured result, if there is one and the call did not fail.

    Raises:
        InvalidToolArguments: The arguments are no JSON object.
        MCPToolCancellationError: The call was cancelled, though nobody cancelled the caller.
        AgentsException: The call failed; the message names server, tool and agent.
        Exception: Whatever the server's `custom_data_extractor` raises.
    """
    shown_name = display_name or tool.name
    arguments = read_arguments(input_json, shown_name)
    before = take_back()
    try:
        sent = await _meta(server, tool, context, arguments, meta)
        if sent is None:
            # Servers that people write need not know metadata that nobody sends.
            result = await server.call_tool(tool.name, arguments)
        else:
            result = await server.call_tool(tool.name, arguments, meta=sent)
    except asyncio.CancelledError as error:
        # A deadline of the tool cancels this task too, and makes of it what it is.
        if take_back() > before:
            raise
        raise MCPToolCancellationError(
            f"{_failed(server, tool, context)}: the call was cancelled on its way"
        ) from error
    except Exception as error:
        raise AgentsException(f"{_failed(server, tool, context)}: {reason_of(error)}") from error
    if isinstance(context, ToolContext):
        context._custom_data = await _attached(server, tool, shown_name, context, arguments, result)
    return _output(result, server.use_structured_content)


async def _attached(
    server: ToolCaller,
    tool: MCPTool,
    shown_name: str,
    context: RunContextWrapper[Any],
    arguments: dict[str, Any],
    result: CallToolResult,
) -> dict[str, Any] | None:
    """What the program attaches to the output of a call."""
    if server.custom_data_extractor is None:
        return None
    asked = MCPToolCustomDataContext(
        context,
        server.name,
        tool.name,
        shown_name,
        MappingProxyType(arguments),
        _read_only(result.meta),
        _read_only(result.structured_content),
        result.is_error,
        _output(result, server.use_structured_content),
    )
    owner = f"tool {tool.name!r} of MCP server {server.name!r}"
    return await custom_data_of(server.custom_data_extractor, asked, owner)


def check_text(arguments: dict[str, Any] | None, tool_name: str) -> None:
    """Refuse what would break a connection for everybody: the task that writes messages ends with
    the first one that cannot be written.

    Args:
        arguments: The arguments of a call.
        tool_name: The tool, for the message.

    Raises:
        UserError: A text is none in UTF-8, as messages are.
    """
    try:
        json.dumps(arguments, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"The arguments for {tool_name!r} hold half of a surrogate pair, which is no text."
        ) from error


def first_of(error: BaseException) -> BaseException:
    """The error that a group stands for: a connection fails in several tasks for one reason.

    Args:
        error: What was raised.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def reason_of(error: BaseException) -> str:
    """Say what went wrong, in one sentence.

    Args:
        error: What was raised; of a group, its first member.
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
    given: dict[str, Any] | None,
) -> dict[str, Any] | None:
    if server.tool_meta_resolver is None:
        return given
    asked = MCPToolMetaContext(context, server.name, tool.name, dict(arguments))
    resolved = await resolve(server.tool_meta_resolver(asked))
    if resolved is None or given is None:
        return given if resolved is None else resolved
    return {**resolved, **given}


def _read_only(given: dict[str, Any] | None) -> Mapping[str, Any] | None:
    return None if given is None else MappingProxyType(given)


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
                written = content.model_dump_json(by_alias=True, exclude_none=True)
                parts.append({"type": "text", "text": written})
    return parts
