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

from agentgraph.models.copies import copied
from agentgraph.models.streamed_response import ExactUsage

if TYPE_CHECKING:
    from openai.types.responses import (
        Response,
        ResponseFunctionToolCall,
        ResponseOutputRefusal,
        ResponseOutputText,
        ResponseReasoningItem,
        ResponseStreamEvent,
    )
    from openai.types.responses.response_usage import ResponseUsage
    from pydantic import BaseModel

    from agentgraph.usage import Usage

__all__ = [
    "in_progress_response",
    "make_event",
    "response_events",
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
    request_id: str | None = None,
    raw_usage: dict[str, Any] | None = None,
    model: str = "scripted-model",
    words_per_delta: int | None = 1,
) -> Iterator[ResponseStreamEvent]:
    """Stream a complete reply as the Responses API would.

    Messages, function calls and reasoning come with their parts and deltas. The API has other kinds
    of events for items of other types; these items have only the events `added` and `done` here.
    No event shares an item with another, nor with the reply.

    Args:
        output: The reply's output items, as objects of the `openai` client.
        usage: The reply's usage, for the last event.
        response_id: The reply's id; None stays None, though the API's responses have one.
        request_id: The id of the request.
        raw_usage: The usage in the provider's form.
        model: The model's name in the response object.
        words_per_delta: Words in one delta of text; None means one delta for each text, and one for
            the arguments of a call.

    Yields:
        Events of the `openai` client's types.
    """
    items = list(output)
    number = count()
    opening = varied(
        in_progress_response(model), id=response_id, tool_choice="none", parallel_tool_calls=False
    )
    for kind in ("response.created", "response.in_progress"):
        yield make_event(kind, number, response=varied(opening, output=[], tools=[]))
    for index, item in enumerate(items):
        yield from _item_events(item, index, number, words_per_delta)
    closing = varied(opening, output=items, status="completed", usage=_response_usage(usage))
    if usage is not None:
        ExactUsage(usage, raw_usage).mark(closing)
    if request_id is not None:
        closing._request_id = request_id
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


def _pieces(text: str, words_per_delta: int | None) -> list[str]:
    """The deltas of a text; in one piece it has a delta even if it is empty."""
    return [text] if words_per_delta is None else word_deltas(text, words_per_delta)


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
            yield from _argument_events(item, index, number, words_per_delta)
        case "reasoning":
            content = None if item.content is None else list[object]()
            begun = {"content": content, "encrypted_content": None, "status": "in_progress"}
            yield _added_event(varied(item, summary=[], **begun), index, number)
            yield from _reasoning_events(item, index, number, words_per_delta)
        case "apply_patch_call":
            yield _added_event(varied(item, status="in_progress"), index, number)
        case _:
            yield _added_event(item, index, number)
    done = "response.output_item.done"
    yield make_event(done, number, item=copied(item), output_index=index)


def _added_event(item: object, index: int, number: count[int]) -> Any:
    added = "response.output_item.added"
    return make_event(added, number, item=copied(item), output_index=index)


def _part_events(
    part: ResponseOutputText | ResponseOutputRefusal,
    item_id: str,
    output_index: int,
    content_index: int,
    number: count[int],
    words_per_delta: int | None,
) -> Iterator[ResponseStreamEvent]:
    """Stream one content part of a message: text with its annotations, or refusal."""
    place = {"item_id": item_id, "output_index": output_index, "content_index": content_index}
    if part.type == "refusal":
        kind, name = "response.refusal", "refusal"
        empty: dict[str, object] = {"refusal": ""}
    else:
        kind, name = "response.output_text", "text"
        empty = {"text": "", "annotations": [], "logprobs": []}
    whole: str = getattr(part, name)
    probable = {}
    if part.type == "output_text" and part.logprobs:
        probable["logprobs"] = _logprobs(kind, part)
    yield make_event("response.content_part.added", number, part=varied(part, **empty), **place)
    pieces = _pieces(whole, words_per_delta)
    yield from _delta_events(f"{kind}.delta", {**place, **probable}, pieces, number)
    for at, annotation in enumerate(getattr(part, "annotations", None) or ()):
        yield make_event(
            "response.output_text.annotation.added",
            number,
            annotation=annotation.model_dump(),
            annotation_index=at,
            **place,
        )
    yield make_event(f"{kind}.done", number, **{name: whole}, **place, **probable)
    yield make_event("response.content_part.done", number, part=copied(part), **place)


def _logprobs(kind: str, part: ResponseOutputText) -> list[Any]:
    """The probabilities of a text in the form of the events."""
    event = type(_prototype(f"{kind}.delta"))
    fields = ("token", "logprob", "top_logprobs")
    rows = [{name: getattr(one, name) for name in fields} for one in part.logprobs or ()]
    for row in rows:
        row["top_logprobs"] = [
            {"token": top.token, "logprob": top.logprob} for top in row["top_logprobs"]
        ]
    whole = {"type": f"{kind}.delta", "delta": "", "item_id": "", "logprobs": rows}
    numbers = dict.fromkeys(("output_index", "content_index", "sequence_number"), 0)
    logprobs: list[Any] = vars(event.model_validate({**whole, **numbers}))["logprobs"]
    return logprobs


def _argument_events(
    call: ResponseFunctionToolCall, index: int, number: count[int], words_per_delta: int | None
) -> Iterator[ResponseStreamEvent]:
    place = {"item_id": call.call_id if call.id is None else call.id, "output_index": index}
    text: str = call.arguments
    size = max(1, len(text)) if words_per_delta is None else _ARGUMENT_DELTA
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    if words_per_delta is None and not pieces:
        pieces = [""]
    yield from _delta_events("response.function_call_arguments.delta", place, pieces, number)
    yield make_event(
        "response.function_call_arguments.done", number, arguments=text, name=call.name, **place
    )


def _reasoning_events(
    item: ResponseReasoningItem,
    output_index: int,
    number: count[int],
    words_per_delta: int | None,
) -> Iterator[ResponseStreamEvent]:
    """Stream the parts of a reasoning item: its summary, then its text."""
    for at, part in enumerate(item.summary):
        place = {"item_id": item.id, "output_index": output_index, "summary_index": at}
        pieces = _pieces(part.text, words_per_delta)
        kind = "response.reasoning_summary_text"
        blank = {"type": part.type, "text": ""}
        yield make_event("response.reasoning_summary_part.added", number, part=blank, **place)
        yield from _delta_events(f"{kind}.delta", place, pieces, number)
        yield make_event(f"{kind}.done", number, text=part.text, **place)
        whole = {**blank, "text": part.text}
        yield make_event("response.reasoning_summary_part.done", number, part=whole, **place)
    for at, content in enumerate(item.content or ()):
        place = {"item_id": item.id, "output_index": output_index, "content_index": at}
        kind = "response.reasoning_text"
        pieces = _pieces(content.text, words_per_delta)
        yield from _delta_events(f"{kind}.delta", place, pieces, number)
        yield make_event(f"{kind}.done", number, text=content.text, **place)


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
    event = varied(prototype, sequence_number=next(number), **fields)
    if "name" in fields and "name" not in type(prototype).model_fields:
        # In 3.x versions of the client only the item has the name; a consumer may read it here.
        vars(event).pop("name")
        event.__setstate__({**event.__getstate__(), "__pydantic_extra__": {"name": fields["name"]}})
    return event


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
        "response.output_text.annotation.added": responses.ResponseOutputTextAnnotationAddedEvent,
        "response.refusal.delta": responses.ResponseRefusalDeltaEvent,
        "response.refusal.done": responses.ResponseRefusalDoneEvent,
        "response.function_call_arguments.delta": responses.ResponseFunctionCallArgumentsDeltaEvent,
        "response.function_call_arguments.done": responses.ResponseFunctionCallArgumentsDoneEvent,
        "response.reasoning_summary_part.added": responses.ResponseReasoningSummaryPartAddedEvent,
        "response.reasoning_summary_part.done": responses.ResponseReasoningSummaryPartDoneEvent,
        "response.reasoning_summary_text.delta": responses.ResponseReasoningSummaryTextDeltaEvent,
        "response.reasoning_summary_text.done": responses.ResponseReasoningSummaryTextDoneEvent,
        "response.reasoning_text.delta": responses.ResponseReasoningTextDeltaEvent,
        "response.reasoning_text.done": responses.ResponseReasoningTextDoneEvent,
    }
    if kind in ("response.output_text.delta", "response.output_text.done"):
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


def _response_usage(usage: Usage | None) -> ResponseUsage | None:
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
