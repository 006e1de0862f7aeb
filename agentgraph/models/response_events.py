"""The events by which the Responses API would stream a complete reply.

A model without a network streams `response_events`: created, in progress, then each output item
with its parts and deltas, then completed. Sequence numbers run from zero without gaps; the deltas
of a text, joined, are the text.

Each event is a copy of one validated prototype of its class with other field values (through
pydantic's pickling protocol). To validate each delta would cost more than all the rest of a
streamed run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from openai.types.responses import (
        Response,
        ResponseFunctionToolCall,
        ResponseOutputRefusal,
        ResponseOutputText,
        ResponseStreamEvent,
    )
    from openai.types.responses.response_reasoning_item import Summary
    from openai.types.responses.response_usage import ResponseUsage
    from pydantic import BaseModel

    from agentgraph.usage import Usage

__all__ = [
    "in_progress_response",
    "make_event",
    "response_events",
    "response_usage",
    "varied",
    "word_deltas",
]

_ARGUMENT_DELTA = 16
"""Characters of a tool call's arguments in one delta."""

_WORDS = re.compile(r"\s*\S+|\s+$")

_Model = TypeVar("_Model", bound="BaseModel")


def response_events(
    output: Iterable[Any],
    *,
    usage: Usage | None = None,
    response_id: str | None = None,
    model: str = "scripted-model",
    words_per_delta: int | None = 1,
) -> Iterator[ResponseStreamEvent]:
    """Stream a complete reply as the Responses API would.

    Messages, function calls and reasoning come with their parts and deltas. The API has other kinds
    of events for items of other types; these items have only the events `added` and `done` here.

    Args:
        output: The reply's output items, as objects of the `openai` client.
        usage: The reply's usage, for the last event.
        response_id: The reply's id; None means a constant one.
        model: The model's name in the response object.
        words_per_delta: Words in one delta of text; None means one delta for each text.

    Yields:
        Events of the `openai` client's types.
    """
    items = list(output)
    number = count()
    identity = response_id or "resp_scripted"
    opening = varied(in_progress_response(model), id=identity)
    yield make_event("response.created", number, response=opening)
    yield make_event("response.in_progress", number, response=opening)
    for index, item in enumerate(items):
        yield from _item_events(item, index, number, words_per_delta)
    closing = varied(opening, output=items, status="completed", usage=response_usage(usage))
    yield make_event("response.completed", number, response=closing)


def word_deltas(text: str, words_per_delta: int | None = 1) -> list[str]:
    """Cut a text into deltas; joined they are the text again.

    Args:
        text: Any text.
        words_per_delta: Words in one delta; None means one delta for the whole text.

    Returns:
        The deltas, none of them empty.
    """
    if words_per_delta is None:
        return [text] if text else []
    words = _WORDS.findall(text)
    if words_per_delta == 1:
        return words
    step = words_per_delta
    return ["".join(words[at : at + step]) for at in range(0, len(words), step)]


def _item_events(
    item: Any, index: int, number: count[int], words_per_delta: int | None
) -> Iterator[ResponseStreamEvent]:
    match getattr(item, "type", None):
        case "message":
            yield _added_event(varied(item, content=[], status="in_progress"), index, number)
            for at, part in enumerate(item.content):
                yield from _part_events(part, item.id, index, at, number, words_per_delta)
        case "function_call":
            yield _added_event(varied(item, arguments="", status="in_progress"), index, number)
            yield from _argument_events(item, index, number)
        case "reasoning":
            yield _added_event(varied(item, summary=[], status="in_progress"), index, number)
            for at, part in enumerate(item.summary):
                yield from _summary_events(part, item.id, index, at, number, words_per_delta)
        case _:
            yield _added_event(item, index, number)
    yield make_event("response.output_item.done", number, item=item, output_index=index)


def _added_event(item: object, index: int, number: count[int]) -> Any:
    return make_event("response.output_item.added", number, item=item, output_index=index)


def _part_events(
    part: ResponseOutputText | ResponseOutputRefusal,
    item_id: str,
    output_index: int,
    content_index: int,
    number: count[int],
    words_per_delta: int | None,
) -> Iterator[ResponseStreamEvent]:
    """Stream one content part of a message: text or refusal."""
    place = {"item_id": item_id, "output_index": output_index, "content_index": content_index}
    refused = part.type == "refusal"
    field = "refusal" if refused else "text"
    kind = "response.refusal" if refused else "response.output_text"
    whole = getattr(part, field)
    blank = varied(part, **{field: ""})
    yield make_event("response.content_part.added", number, part=blank, **place)
    yield from _delta_events(f"{kind}.delta", place, word_deltas(whole, words_per_delta), number)
    yield make_event(f"{kind}.done", number, **{field: whole}, **place)
    yield make_event("response.content_part.done", number, part=part, **place)


def _argument_events(
    call: ResponseFunctionToolCall, index: int, number: count[int]
) -> Iterator[ResponseStreamEvent]:
    place = {"item_id": call.id or call.call_id, "output_index": index}
    text: str = call.arguments
    pieces = [text[at : at + _ARGUMENT_DELTA] for at in range(0, len(text), _ARGUMENT_DELTA)]
    yield from _delta_events("response.function_call_arguments.delta", place, pieces, number)
    yield make_event(
        "response.function_call_arguments.done", number, arguments=text, name=call.name, **place
    )


def _summary_events(
    part: Summary,
    item_id: str,
    output_index: int,
    summary_index: int,
    number: count[int],
    words_per_delta: int | None,
) -> Iterator[ResponseStreamEvent]:
    """Stream one part of the summary of a reasoning item."""
    place = {"item_id": item_id, "output_index": output_index, "summary_index": summary_index}
    pieces = word_deltas(part.text, words_per_delta)
    kind = "response.reasoning_summary_text"
    blank = {"type": "summary_text", "text": ""}
    yield make_event("response.reasoning_summary_part.added", number, part=blank, **place)
    yield from _delta_events(f"{kind}.delta", place, pieces, number)
    yield make_event(f"{kind}.done", number, text=part.text, **place)
    whole = {**blank, "text": part.text}
    yield make_event("response.reasoning_summary_part.done", number, part=whole, **place)


def _delta_events(
    kind: str, place: dict[str, Any], pieces: list[str], number: count[int]
) -> Iterator[ResponseStreamEvent]:
    if not pieces:
        return
    first = make_event(kind, number, delta=pieces[0], **place)
    yield first
    # The inner loop of every streamed run: it only makes a new object with two changed fields.
    cls: Any = type(first)
    fields, names = first.__dict__, first.__pydantic_fields_set__
    for piece in pieces[1:]:
        event = cls.__new__(cls)
        event.__setstate__(
            {
                "__dict__": {**fields, "delta": piece, "sequence_number": next(number)},
                "__pydantic_extra__": None,
                "__pydantic_fields_set__": names.copy(),
                "__pydantic_private__": None,
            }
        )
        yield event


def varied(prototype: _Model, **changes: object) -> _Model:
    """Return a copy of a validated object with new values in some fields.

    Args:
        prototype: A valid object; it is not changed.
        changes: The new values, by field. They must be valid: they are not checked.

    Returns:
        The copy.
    """
    cls = type(prototype)
    twin = cls.__new__(cls)
    twin.__setstate__(
        {
            "__dict__": {**prototype.__dict__, **changes},
            "__pydantic_extra__": prototype.__pydantic_extra__,
            "__pydantic_fields_set__": prototype.__pydantic_fields_set__ | changes.keys(),
            "__pydantic_private__": None,
        }
    )
    return twin


def make_event(kind: str, number: count[int], **fields: object) -> Any:
    """Make an event from valid fields; only a `part` that is a dictionary is validated.

    Args:
        kind: The event's type.
        number: The counter that supplies its sequence number.
        fields: Its other fields.

    Returns:
        The event, an object of the client's type.
    """
    prototype = _prototype(kind)
    if isinstance(fields.get("part"), dict):
        return type(prototype)(type=kind, sequence_number=next(number), **fields)
    if "name" in fields and "name" not in type(prototype).model_fields:
        del fields["name"]  # In the client's 3.x versions only the item names the function.
    return varied(prototype, sequence_number=next(number), **fields)


@cache
def _prototype(kind: str) -> BaseModel:
    """Make the event of one kind that all others of that kind are copied from."""
    from openai.types import responses

    classes: dict[str, type[BaseModel]] = {
        "response.created": responses.ResponseCreatedEvent,
        "response.in_progress": responses.ResponseInProgressEvent,
        "response.completed": responses.ResponseCompletedEvent,
        "response.output_item.added": responses.ResponseOutputItemAddedEvent,
        "response.output_item.done": responses.ResponseOutputItemDoneEvent,
        "response.content_part.added": responses.ResponseContentPartAddedEvent,
        "response.content_part.done": responses.ResponseContentPartDoneEvent,
        "response.output_text.delta": responses.ResponseTextDeltaEvent,
        "response.output_text.done": responses.ResponseTextDoneEvent,
        "response.refusal.delta": responses.ResponseRefusalDeltaEvent,
        "response.refusal.done": responses.ResponseRefusalDoneEvent,
        "response.function_call_arguments.delta": responses.ResponseFunctionCallArgumentsDeltaEvent,
        "response.function_call_arguments.done": responses.ResponseFunctionCallArgumentsDoneEvent,
        "response.reasoning_summary_part.added": responses.ResponseReasoningSummaryPartAddedEvent,
        "response.reasoning_summary_part.done": responses.ResponseReasoningSummaryPartDoneEvent,
        "response.reasoning_summary_text.delta": responses.ResponseReasoningSummaryTextDeltaEvent,
        "response.reasoning_summary_text.done": responses.ResponseReasoningSummaryTextDoneEvent,
    }
    if kind.startswith("response.output_text"):
        return classes[kind].model_construct(type=kind, logprobs=[])
    return classes[kind].model_construct(type=kind)


@cache
def in_progress_response(model: str) -> Response:
    """Make the response object that every stream of one model starts from."""
    from openai.types.responses import Response as ResponseObject

    return ResponseObject(
        id="",
        created_at=0.0,
        model=model,
        object="response",
        output=[],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="in_progress",
    )


def response_usage(usage: Usage | None) -> ResponseUsage | None:
    """Turn this package's usage into the response object's."""
    if usage is None:
        return None
    from openai.types.responses import ResponseUsage as ResponseUsageObject

    # Both clients share the detail objects with our usage, so nothing needs to be validated again.
    return ResponseUsageObject.model_construct(
        input_tokens=usage.input_tokens,
        input_tokens_details=usage.input_tokens_details,
        output_tokens=usage.output_tokens,
        output_tokens_details=usage.output_tokens_details,
        total_tokens=usage.total_tokens,
    )
