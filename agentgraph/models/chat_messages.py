"""Convert between the Responses API's items, which a run uses, and Chat Completions messages.

All function calls of one reply become one assistant message, as the Chat Completions API requires.
An item that the API cannot express raises an error that names its type. Reasoning is left out,
because no server accepts it back in this form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.model_settings import MCPToolChoice
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.tools.function import FunctionTool

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageToolCallUnion
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseReasoningItem,
    )

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.model_settings import ToolChoice
    from agentgraph.tool import Tool

__all__ = ["ChatConverter"]


class ChatConverter:
    """Converts requests and replies; holds no state."""

    @classmethod
    def messages(cls, items: str | Iterable[TResponseInputItem]) -> list[dict[str, Any]]:
        """Turn input items into messages.

        Args:
            items: The user's text, or the items of a conversation, oldest first.

        Returns:
            The messages.

        Raises:
            UserError: An item is of a type that this API does not have.
        """
        if isinstance(items, str):
            return [{"role": "user", "content": items}]
        messages: list[dict[str, Any]] = []
        for item in items:
            _append_item(messages, item)
        return messages

    @classmethod
    def output_items(
        cls, message: ChatCompletionMessage, provider_data: dict[str, Any] | None = None
    ) -> list[Any]:
        """Turn a reply into output items: reasoning, the message, then the calls.

        Args:
            message: The reply.
            provider_data: The model and response that each item comes from, to store on the item.

        Returns:
            Objects of the `openai` client. Their id is the fake id, because this API gives items
            no ids.

        Raises:
            UserError: The reply calls a custom tool; requests to this API never offer one.
        """
        source: dict[str, Any] = {"provider_data": provider_data} if provider_data else {}
        items: list[Any] = []
        if thought := getattr(message, "reasoning_content", None):
            items.append(_reasoning_item(thought, source))
        if message.content or message.refusal:
            items.append(_message_item(message.content, message.refusal, source))
        items += [_call_item(call, source) for call in message.tool_calls or ()]
        return items

    @classmethod
    def tool(cls, tool: Tool) -> dict[str, Any]:
        """Convert a tool.

        Raises:
            UserError: The tool is not a function tool; only the Responses API has other tools.
        """
        if not isinstance(tool, FunctionTool):
            raise UserError(
                f"The tool {tool.name!r} ({type(tool).__name__}) needs a model of the Responses "
                "API; the Chat Completions API takes function tools only."
            )
        return _function(
            tool.name, tool.description, tool.params_json_schema, tool.strict_json_schema
        )

    @classmethod
    def handoff(cls, handoff: Handoff[Any, Any]) -> dict[str, Any]:
        """Convert a handoff."""
        return _function(
            handoff.tool_name,
            handoff.tool_description,
            handoff.input_json_schema,
            handoff.strict_json_schema,
        )

    @classmethod
    def tool_choice(cls, tool_choice: ToolChoice | None) -> str | dict[str, Any] | None:
        """Convert a tool choice: a mode, or the name of a function.

        Raises:
            UserError: The choice is a tool of a hosted MCP server.
        """
        match tool_choice:
            case None | "auto" | "required" | "none":
                return tool_choice
            case MCPToolChoice():
                raise UserError(
                    "tool_choice names a tool of a hosted MCP server, and the Chat Completions API "
                    "has none; use a model of the Responses API."
                )
            case name:
                return {"type": "function", "function": {"name": name}}

    @classmethod
    def response_format(
        cls, final_output_schema: AgentOutputSchemaBase | None
    ) -> dict[str, Any] | None:
        """Convert an output type; None means plain text."""
        if final_output_schema is None or final_output_schema.is_plain_text():
            return None
        return {
            "type": "json_schema",
            "json_schema": {
                "name": "final_output",
                "strict": final_output_schema.is_strict_json_schema(),
                "schema": final_output_schema.json_schema(),
            },
        }


def _reasoning_item(thought: str, source: dict[str, Any]) -> ResponseReasoningItem:
    from openai.types.responses import ResponseReasoningItem as Reasoning
    from openai.types.responses.response_reasoning_item import Summary

    summary = [Summary(type="summary_text", text=thought)]
    return Reasoning(id=FAKE_RESPONSES_ID, type="reasoning", summary=summary, **source)


def _message_item(
    text: str | None, refusal: str | None, source: dict[str, Any]
) -> ResponseOutputMessage:
    from openai.types.responses import ResponseOutputMessage as Message
    from openai.types.responses import ResponseOutputRefusal as Refusal
    from openai.types.responses import ResponseOutputText as Text

    content: list[Text | Refusal] = []
    if text:
        content.append(Text(type="output_text", text=text, annotations=[], logprobs=[]))
    if refusal:
        content.append(Refusal(type="refusal", refusal=refusal))
    return Message(
        id=FAKE_RESPONSES_ID,
        type="message",
        role="assistant",
        status="completed",
        content=content,
        **source,
    )


def _call_item(
    call: ChatCompletionMessageToolCallUnion, source: dict[str, Any]
) -> ResponseFunctionToolCall:
    from openai.types.responses import ResponseFunctionToolCall as Call

    if call.type != "function":
        raise UserError(
            f"The model made a tool call of type {call.type!r}; through the Chat Completions API "
            "only function calls can be carried out."
        )
    return Call(
        id=FAKE_RESPONSES_ID,
        type="function_call",
        call_id=call.id,
        name=call.function.name,
        arguments=call.function.arguments,
        **source,
    )


def _function(
    name: str, description: str, schema: Mapping[str, Any], strict: bool
) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": schema, "strict": strict}
    return {"type": "function", "function": function}


def _append_item(messages: list[dict[str, Any]], item: Any) -> None:
    match item:
        case {"type": "function_call"}:
            call = {"name": item["name"], "arguments": item["arguments"] or "{}"}
            _append_call(messages, item["call_id"], call)
        case {"type": "file_search_call"}:
            queries = {"queries": item.get("queries", []), "status": item.get("status")}
            call = {"name": "file_search_call", "arguments": json.dumps(queries)}
            _append_call(messages, item["id"], call)
        case {"type": "function_call_output"}:
            output = item["output"]
            content = output if isinstance(output, str) else _text_parts(output)
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})
        case {"type": "reasoning"}:
            pass
        case {"role": "assistant", "content": content}:
            messages.append(_assistant_message(content))
        case {"role": "user" | "system" | "developer" as role, "content": content}:
            parts = content if isinstance(content, str) else [_part(part) for part in content]
            messages.append({"role": role, "content": parts})
        case _:
            kind = item.get("type") if isinstance(item, Mapping) else type(item).__name__
            raise UserError(
                f"An input item of type {kind!r} cannot be sent to the Chat Completions API; use a "
                "model of the Responses API for this conversation."
            )


def _append_call(messages: list[dict[str, Any]], call_id: str, function: dict[str, Any]) -> None:
    """Add a call to the assistant message that it belongs to, or begin one."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    calls = messages[-1].setdefault("tool_calls", [])
    calls.append({"id": call_id, "type": "function", "function": function})


def _assistant_message(content: Any) -> dict[str, Any]:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    message: dict[str, Any] = {"role": "assistant"}
    texts = [part["text"] for part in content if part.get("type") == "output_text"]
    refusals = [part["refusal"] for part in content if part.get("type") == "refusal"]
    message["content"] = "\n".join(texts) if texts else None
    if refusals:
        message["refusal"] = "\n".join(refusals)
    return message


def _text_parts(output: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the text parts of a tool's structured output; this API's tool messages hold only
    text."""
    texts = [part for part in output if part.get("type") in ("input_text", "output_text")]
    return [{"type": "text", "text": part["text"]} for part in texts]


def _part(part: Any) -> dict[str, Any]:
    match part:
        case {"type": "input_text" | "output_text" | "text", "text": text}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)}:
            return {
                "type": "image_url",
                "image_url": {"url": url, "detail": part.get("detail", "auto")},
            }
        case {"type": "input_audio", "input_audio": audio}:
            return {"type": "input_audio", "input_audio": audio}
        case {"type": "input_file", "file_data": _} | {"type": "input_file", "file_id": _}:
            names = ("file_data", "file_id", "filename")
            return {"type": "file", "file": {name: part[name] for name in names if name in part}}
        case _:
            raise UserError(
                f"A content part of type {part.get('type')!r} cannot be sent to the Chat "
                "Completions API in this form: images need an image_url, files need file_data or "
                "file_id."
            )
