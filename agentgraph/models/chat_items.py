"""Turn a reply of Chat Completions, as the gate read it, into output items of the Responses API.

What that API has a field for stands in the field. The rest, such as a signature of the model's
thoughts or a spoken reply, stands in `provider_data` beside the model and the response that the
item comes from, and goes back to the same server from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.items.run_items import raw_field
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.gate.chat import ChatCall, ChatMessage, TextKind

if TYPE_CHECKING:
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputItem,
        ResponseOutputMessage,
        ResponseOutputRefusal,
        ResponseOutputText,
        ResponseReasoningItem,
    )

__all__ = ["call_item", "content_part", "message_item", "output_items", "reasoning_item"]


def output_items(message: ChatMessage, source: Mapping[str, Any]) -> list[ResponseOutputItem]:
    """Turn a whole reply into its items: reasoning, the message, then the calls.

    Args:
        message: The reply.
        source: The model and the response that the items come from.

    Returns:
        Objects of the `openai` client. Their id is the fake id, because this API gives items no
        ids.
    """
    items: list[ResponseOutputItem] = []
    if message.reasoning:
        items.append(reasoning_item("".join(message.reasoning), message, source))
    if message.texts:
        items.append(message_item(message, source))
    items += [call_item(call, message, source) for call in message.calls]
    return items


def reasoning_item(
    thought: str, message: ChatMessage, source: Mapping[str, Any]
) -> ResponseReasoningItem:
    """Return an item with a part of the reply's reasoning."""
    from openai.types.responses import ResponseReasoningItem
    from openai.types.responses.response_reasoning_item import Summary

    return ResponseReasoningItem(
        id=FAKE_RESPONSES_ID,
        type="reasoning",
        summary=[Summary(type="summary_text", text=thought)],
        **_provider_data(source, _of_message(message)),
    )


def message_item(message: ChatMessage, source: Mapping[str, Any]) -> ResponseOutputMessage:
    """Return the item with the reply's text and refusal."""
    from openai.types.responses import ResponseOutputMessage

    extra = {} if message.reasoning else _of_message(message)
    if message.audio is not None:
        extra["audio"] = message.audio
    return ResponseOutputMessage(
        id=FAKE_RESPONSES_ID,
        type="message",
        role="assistant",
        status="completed",
        content=[
            content_part(kind, "".join(text), message) for kind, text in message.texts.items()
        ],
        **_provider_data(source, extra),
    )


def content_part(
    kind: TextKind, text: str, message: ChatMessage
) -> ResponseOutputText | ResponseOutputRefusal:
    """Return one part of the message."""
    from openai.types.responses import ResponseOutputRefusal, ResponseOutputText

    if kind == "refusal":
        return ResponseOutputRefusal(type="refusal", refusal=text)
    return ResponseOutputText.model_validate(
        {
            "type": "output_text",
            "text": text,
            "annotations": list(_citations(message.annotations)),
            "logprobs": list(_probabilities(message.logprobs)),
        }
    )


def call_item(
    call: ChatCall, message: ChatMessage, source: Mapping[str, Any]
) -> ResponseFunctionToolCall:
    """Return the item of a function call."""
    from openai.types.responses import ResponseFunctionToolCall

    is_first = call is message.calls[0] and not message.reasoning and not message.texts
    extra = _of_message(message) if is_first else {}
    return ResponseFunctionToolCall(
        id=FAKE_RESPONSES_ID,
        type="function_call",
        call_id=call.id,
        name=call.name,
        arguments=call.arguments,
        **_provider_data(source, {**extra, **call.extra}),
    )


def _of_message(message: ChatMessage) -> dict[str, Any]:
    """Return what the server added to the message; the first item of the reply keeps it."""
    return {"message": message.extra} if message.extra else {}


def _provider_data(source: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    return {"provider_data": {**source, **extra}} if source or extra else {}


def _citations(annotations: Iterable[object]) -> Iterable[dict[str, Any]]:
    """Yield the citations of web pages, the only kind that this API has."""
    for annotation in annotations:
        page = raw_field(annotation, "url_citation")
        fields = {name: raw_field(page, name) for name in ("start_index", "end_index", "url")}
        if None not in fields.values():
            title = raw_field(page, "title")
            yield {"type": "url_citation", "title": title or "", **fields}


def _probabilities(tokens: Iterable[object]) -> Iterable[dict[str, Any]]:
    for token in tokens:
        yield {
            **_probability(token),
            "top_logprobs": [_probability(top) for top in raw_field(token, "top_logprobs") or ()],
        }


def _probability(token: object) -> dict[str, Any]:
    return {
        "token": raw_field(token, "token") or "",
        "bytes": raw_field(token, "bytes") or [],
        "logprob": raw_field(token, "logprob") or 0.0,
    }
