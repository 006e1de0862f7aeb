"""Convert the chunks of a Chat Completions stream to the events of the Responses API.

An item is announced when its first piece arrives. The items are closed, in order, after the last
chunk; only reasoning is closed as soon as anything follows it. The last event carries the whole
reply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from agentgraph.items.run_items import raw_field
from agentgraph.models.chat_items import call_item, content_part, message_item, reasoning_item
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.gate.chat import ChatMessage, ChatReading, Piece, TextKind
from agentgraph.models.gate.counts import response_usage
from agentgraph.models.response_events import make_event, varied

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk
    from openai.types.responses import Response, ResponseOutputMessage, ResponseStreamEvent

__all__ = ["chat_events"]


@dataclass
class _Outputs:
    """The places in the output of the items that were announced.

    Attributes:
        announced: How many items were announced.
        reasoning: The place of each part of the reasoning, and its pieces.
        is_thinking: Whether the last part of the reasoning is open.
        message: The place of the message; None until it is announced.
        parts: The message's parts in their order.
        calls: The place of each call by its number.
    """

    announced: int = 0
    reasoning: list[tuple[int, list[str]]] = field(default_factory=list)
    is_thinking: bool = False
    message: int | None = None
    parts: list[TextKind] = field(default_factory=list)
    calls: dict[int, int] = field(default_factory=dict)

    def next(self) -> int:
        """Return the place of a new item."""
        self.announced += 1
        return self.announced - 1


async def chat_events(
    response: Response,
    stream: AsyncIterator[ChatCompletionChunk],
    reading: ChatReading,
    *,
    has_ended: Callable[[], bool],
    keep_cut_text: bool = True,
    buffer_tool_calls: bool = False,
) -> AsyncIterator[ResponseStreamEvent]:
    """Turn a stream of chunks into events.

    Args:
        response: The response object that the events carry, without output.
        stream: The chunks.
        reading: The reading of the reply.
        has_ended: Whether the server marked the end of its stream, asked after the last chunk.
        keep_cut_text: Whether a text that the limit of tokens cut off is a reply.
        buffer_tool_calls: Whether to announce calls only when all of them are complete.

    Yields:
        Events of the `openai` client's types; the last is `response.completed`.

    Raises:
        ModelBehaviorError: The stream is cut off, or a part of it cannot be read.
    """
    conversion = _Conversion(response, reading, buffer_tool_calls)
    async for chunk in stream:
        for event in conversion.take(chunk):
            yield event
    for piece in reading.finish(ended=has_ended(), keep_cut_text=keep_cut_text):
        for event in conversion.show(piece):
            yield event
    for event in conversion.finish():
        yield event


class _Conversion:
    """The conversion of one stream."""

    def __init__(self, response: Response, reading: ChatReading, buffer_tool_calls: bool) -> None:
        self._response = response
        self._reading = reading
        self._buffer = buffer_tool_calls
        self._outputs = _Outputs()
        self._number = count()
        self._usage: object = None
        self._source: dict[str, Any] = {}

    @property
    def _message(self) -> ChatMessage:
        return self._reading.message

    def take(self, chunk: ChatCompletionChunk) -> Iterator[Any]:
        """Turn one chunk into its events."""
        if not self._source:
            self._source = {"model": self._response.model, "response_id": raw_field(chunk, "id")}
            yield self._event("response.created", response=self._response)
        choices = raw_field(chunk, "choices") or ()
        # Groq and Moonshot send the usage in a place of their own.
        for owner in (chunk, raw_field(chunk, "x_groq"), *choices[:1]):
            self._usage = raw_field(owner, "usage") or self._usage
        if choices:
            for piece in self._reading.take(choices[0]):
                yield from self.show(piece)

    def show(self, piece: Piece) -> Iterator[Any]:
        """Turn a piece of text into its events."""
        if piece.kind == "reasoning":
            yield from self._think(piece.text)
            return
        yield from self._close_reasoning()
        if piece.kind == "call":
            yield from self._call(piece)
        else:
            yield from self._say(piece.kind, piece.text)

    def finish(self) -> Iterator[Any]:
        """Close the open items and complete the response."""
        if not self._source:
            return
        yield from self._close_reasoning()
        for number, call in enumerate(self._message.calls):
            if number not in self._outputs.calls:  # buffered, or its name never came
                yield from self._announce(number)
                yield self._arguments(number, call.arguments)
        output = self._output()
        for index, item in sorted(output.items()):
            if index == self._outputs.message:
                yield from self._close_parts(index, item)
            elif item.type == "function_call":
                yield self._event(
                    "response.function_call_arguments.done",
                    arguments=item.arguments,
                    name=item.name,
                    **self._place(index),
                )
            if item.type != "reasoning":
                yield self._event("response.output_item.done", item=item, output_index=index)
        whole = [item for _, item in sorted(output.items())]
        usage = response_usage(self._usage)
        response = varied(self._response, output=whole, status="completed", usage=usage)
        yield self._event("response.completed", response=response)

    def _event(self, kind: str, **fields: object) -> Any:
        return make_event(kind, self._number, **fields)

    def _place(self, index: int, **further: int) -> dict[str, Any]:
        return {"item_id": FAKE_RESPONSES_ID, "output_index": index, **further}

    def _think(self, thought: str) -> Iterator[Any]:
        outputs = self._outputs
        if not outputs.is_thinking:
            outputs.is_thinking = True
            outputs.reasoning.append((outputs.next(), []))
            index = outputs.reasoning[-1][0]
            item = varied(reasoning_item("", self._message, self._source), summary=[])
            yield self._event("response.output_item.added", item=item, output_index=index)
            yield self._event(
                "response.reasoning_summary_part.added",
                part={"type": "summary_text", "text": ""},
                **self._place(index, summary_index=0),
            )
        index, pieces = outputs.reasoning[-1]
        pieces.append(thought)
        yield self._event(
            "response.reasoning_summary_text.delta",
            delta=thought,
            **self._place(index, summary_index=0),
        )

    def _close_reasoning(self) -> Iterator[Any]:
        outputs = self._outputs
        if not outputs.is_thinking:
            return
        outputs.is_thinking = False
        index, pieces = outputs.reasoning[-1]
        text, place = "".join(pieces), self._place(index, summary_index=0)
        summary = {"type": "summary_text", "text": text}
        yield self._event("response.reasoning_summary_text.done", text=text, **place)
        yield self._event("response.reasoning_summary_part.done", part=summary, **place)
        item = reasoning_item(text, self._message, self._source)
        yield self._event("response.output_item.done", item=item, output_index=index)

    def _say(self, kind: TextKind, text: str) -> Iterator[Any]:
        outputs = self._outputs
        if outputs.message is None:
            outputs.message = outputs.next()
            item = message_item(self._message, self._source)
            item = varied(item, content=[], status="in_progress")
            index = outputs.message
            yield self._event("response.output_item.added", item=item, output_index=index)
        if kind not in outputs.parts:
            outputs.parts.append(kind)
            place = self._place(outputs.message, content_index=len(outputs.parts) - 1)
            blank = content_part(kind, "", ChatMessage())
            yield self._event("response.content_part.added", part=blank, **place)
        place = self._place(outputs.message, content_index=outputs.parts.index(kind))
        extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
        yield self._event(f"response.{kind}.delta", delta=text, **extra, **place)

    def _close_parts(self, index: int, message: ResponseOutputMessage) -> Iterator[Any]:
        for at, part in enumerate(message.content):
            place = self._place(index, content_index=at)
            name = "refusal" if part.type == "refusal" else "text"
            whole = {name: getattr(part, name)}
            yield self._event(f"response.{part.type}.done", **whole, **place)
            yield self._event("response.content_part.done", part=part, **place)

    def _call(self, piece: Piece) -> Iterator[Any]:
        call, text = self._message.calls[piece.call], piece.text
        # Some servers send a call's name only in a later chunk. Announce the call then.
        if self._buffer or not call.name:
            return
        if piece.call not in self._outputs.calls:
            yield from self._announce(piece.call)
            text = call.arguments
        if text:
            yield self._arguments(piece.call, text)

    def _announce(self, number: int) -> Iterator[Any]:
        index = self._outputs.calls[number] = self._outputs.next()
        item = call_item(self._message.calls[number], self._message, self._source)
        item = varied(item, arguments="", status="in_progress")
        yield self._event("response.output_item.added", item=item, output_index=index)

    def _arguments(self, number: int, text: str) -> Any:
        place = self._place(self._outputs.calls[number])
        return self._event("response.function_call_arguments.delta", delta=text, **place)

    def _output(self) -> dict[int, Any]:
        """Return the finished items by their place."""
        message, source, outputs = self._message, self._source, self._outputs
        output: dict[int, Any] = {
            index: reasoning_item("".join(pieces), message, source)
            for index, pieces in outputs.reasoning
        }
        if outputs.message is not None:
            output[outputs.message] = message_item(message, source)
        for number, index in outputs.calls.items():
            output[index] = call_item(message.calls[number], message, source)
        return output
