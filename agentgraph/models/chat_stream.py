"""Convert the chunks of a Chat Completions stream to the events of the Responses API.

An item is announced when its first piece arrives. The items are closed, in order, after the last
chunk; only reasoning is closed as soon as anything follows it. The last event carries the whole
reply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from agentgraph.models.chat_messages import ChatConverter
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.response_events import make_event, varied

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall
    from openai.types.completion_usage import CompletionUsage
    from openai.types.responses import Response, ResponseStreamEvent, ResponseUsage

__all__ = ["chat_events", "response_usage_of"]


@dataclass
class _Part:
    """A content part of a reply while its text arrives.

    Attributes:
        text: The text so far.
        type: The type of the content part.
    """

    text: str
    type: str


@dataclass
class _Call:
    """A function call while it arrives.

    Attributes:
        index: Its place in the output; -1 until it is announced.
        call_id: The id that the server gives it; empty until it arrives.
        name: The function's name; empty until it arrives.
        arguments: The arguments so far.
    """

    index: int
    call_id: str
    name: str
    arguments: str = ""


@dataclass
class _PartialReply:
    """The part of a reply that has arrived.

    Attributes:
        started: Whether the response was announced.
        outputs: How many items were announced.
        reasoning: The place of the reasoning in the output, and the reasoning.
        reasoning_done: Whether the reasoning was closed.
        parts: The message's parts in order: text, refusal or both.
        message_index: The message's place in the output; None until it is announced.
        calls: The function calls by their index in the stream.
        usage: The reply's usage; None until the server sends it.
    """

    started: bool = False
    outputs: int = 0
    reasoning: tuple[int, _Part] | None = None
    reasoning_done: bool = False
    parts: list[_Part] = field(default_factory=list)
    message_index: int | None = None
    calls: dict[int, _Call] = field(default_factory=dict)
    usage: CompletionUsage | None = None

    def next_output(self) -> int:
        """Return the place of a new item."""
        self.outputs += 1
        return self.outputs - 1


async def chat_events(
    response: Response,
    stream: AsyncIterator[ChatCompletionChunk],
    *,
    buffer_tool_calls: bool = False,
) -> AsyncIterator[ResponseStreamEvent]:
    """Turn a stream of chunks into events.

    Args:
        response: The response object that the events carry, without output.
        stream: The chunks.
        buffer_tool_calls: Whether to announce calls only when all of them are complete.

    Yields:
        Events of the `openai` client's types; the last is `response.completed`.
    """
    conversion = _Conversion(response, buffer_tool_calls)
    async for chunk in stream:
        for event in conversion.take(chunk):
            yield event
    for event in conversion.finish():
        yield event


class _Conversion:
    """The conversion of one stream."""

    def __init__(self, response: Response, buffer_tool_calls: bool) -> None:
        self._response = response
        self._buffer = buffer_tool_calls
        self._state = _PartialReply()
        self._number = count()
        self._source: dict[str, Any] = {"model": response.model}

    def take(self, chunk: ChatCompletionChunk) -> Iterator[Any]:
        """Turn one chunk into its events."""
        if not self._state.started:
            self._state.started = True
            self._source["response_id"] = chunk.id
            yield self._event("response.created", response=self._response)
        if chunk.usage is not None:
            self._state.usage = chunk.usage
        if not chunk.choices:
            return
        delta: ChoiceDelta | None = chunk.choices[0].delta
        if delta is None:
            return
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if thought:
            yield from self._think(thought)
        if delta.content:
            yield from self._say("output_text", delta.content)
        if delta.refusal:
            yield from self._say("refusal", delta.refusal)
        for call in delta.tool_calls or ():
            yield from self._call(call)

    def finish(self) -> Iterator[Any]:
        """Close the open items and complete the response."""
        state = self._state
        if not state.started:
            return
        yield from self._close_reasoning()
        if self._buffer:
            for call in state.calls.values():
                call.index = state.next_output()
                yield from self._announce(call)
                yield self._arguments(call, call.arguments)
        output = self._output()
        for index, item in sorted(output.items()):
            if index == state.message_index:
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
        usage = response_usage_of(state.usage)
        response = varied(self._response, output=whole, status="completed", usage=usage)
        yield self._event("response.completed", response=response)

    def _event(self, kind: str, **fields: Any) -> Any:
        return make_event(kind, self._number, **fields)

    def _place(self, index: int, **further: int) -> dict[str, Any]:
        return {"item_id": FAKE_RESPONSES_ID, "output_index": index, **further}

    def _think(self, thought: str) -> Iterator[Any]:
        state = self._state
        if state.reasoning is None:
            state.reasoning = (state.next_output(), _Part("", "summary_text"))
            index = state.reasoning[0]
            item = varied(self._reasoning("x"), summary=[])
            yield self._event("response.output_item.added", item=item, output_index=index)
            yield self._event(
                "response.reasoning_summary_part.added",
                part={"type": "summary_text", "text": ""},
                **self._place(index, summary_index=0),
            )
        index, part = state.reasoning
        part.text += thought
        yield self._event(
            "response.reasoning_summary_text.delta",
            delta=thought,
            **self._place(index, summary_index=0),
        )

    def _close_reasoning(self) -> Iterator[Any]:
        state = self._state
        if state.reasoning is None or state.reasoning_done:
            return
        state.reasoning_done = True
        index, part = state.reasoning
        place = self._place(index, summary_index=0)
        summary = {"type": "summary_text", "text": part.text}
        yield self._event("response.reasoning_summary_text.done", text=part.text, **place)
        yield self._event("response.reasoning_summary_part.done", part=summary, **place)
        item = self._reasoning(part.text)
        yield self._event("response.output_item.done", item=item, output_index=index)

    def _say(self, kind: str, text: str) -> Iterator[Any]:
        yield from self._close_reasoning()
        state = self._state
        if state.message_index is None:
            state.message_index = state.next_output()
            item = varied(self._message([_Part("x", kind)]), content=[], status="in_progress")
            index = state.message_index
            yield self._event("response.output_item.added", item=item, output_index=index)
        if not any(part.type == kind for part in state.parts):
            state.parts.append(_Part("", kind))
            place = self._place(state.message_index, content_index=len(state.parts) - 1)
            blank = self._content_part(_Part("", kind))
            yield self._event("response.content_part.added", part=blank, **place)
        at = next(at for at, part in enumerate(state.parts) if part.type == kind)
        state.parts[at].text += text
        place = self._place(state.message_index, content_index=at)
        extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
        yield self._event(f"response.{kind}.delta", delta=text, **extra, **place)

    def _close_parts(self, index: int, message: Any) -> Iterator[Any]:
        for at, part in enumerate(message.content):
            place = self._place(index, content_index=at)
            name = "refusal" if part.type == "refusal" else "text"
            whole = {name: getattr(part, name)}
            yield self._event(f"response.{part.type}.done", **whole, **place)
            yield self._event("response.content_part.done", part=part, **place)

    def _call(self, delta: ChoiceDeltaToolCall) -> Iterator[Any]:
        yield from self._close_reasoning()
        state = self._state
        function = delta.function
        call = state.calls.get(delta.index)
        if call is None:
            # Some servers send a call's name only in a later chunk. Announce the call then.
            call = state.calls[delta.index] = _Call(-1, "", "")
        call.call_id = call.call_id or delta.id or ""
        arguments = ""
        if function is not None:
            call.name = call.name or function.name or ""
            arguments = function.arguments or ""
        call.arguments += arguments
        if self._buffer or not call.name:
            return
        if call.index < 0:
            call.index = state.next_output()
            yield from self._announce(call)
            arguments = call.arguments
        if arguments:
            yield self._arguments(call, arguments)

    def _announce(self, call: _Call) -> Iterator[Any]:
        item = varied(self._function_call(call), arguments="", status="in_progress")
        yield self._event("response.output_item.added", item=item, output_index=call.index)

    def _arguments(self, call: _Call, text: str) -> Any:
        place = self._place(call.index)
        return self._event("response.function_call_arguments.delta", delta=text, **place)

    def _output(self) -> dict[int, Any]:
        """Return the finished items by their place."""
        state = self._state
        output: dict[int, Any] = {}
        if state.reasoning is not None:
            output[state.reasoning[0]] = self._reasoning(state.reasoning[1].text)
        if state.message_index is not None:
            output[state.message_index] = self._message(state.parts)
        output.update({call.index: self._function_call(call) for call in state.calls.values()})
        return output

    def _reasoning(self, text: str) -> Any:
        return self._items(reasoning_content=text)[0]

    def _message(self, parts: list[_Part]) -> Any:
        texts = {part.type: part.text or "x" for part in parts}
        message = self._items(content=texts.get("output_text"), refusal=texts.get("refusal"))[0]
        return varied(message, content=[self._content_part(part) for part in parts])

    def _content_part(self, part: _Part) -> Any:
        refused = part.type == "refusal"
        message = self._items(**{"refusal" if refused else "content": part.text or "x"})[0]
        return varied(message.content[0], **{"refusal" if refused else "text": part.text})

    def _function_call(self, call: _Call) -> Any:
        function = {"name": call.name, "arguments": call.arguments}
        tool_call = {"id": call.call_id, "type": "function", "function": function}
        return self._items(tool_calls=[tool_call])[0]

    def _items(self, **fields: Any) -> list[Any]:
        """Convert a message with these fields to items, in the same way as a whole reply."""
        from openai.types.chat import ChatCompletionMessage

        message = ChatCompletionMessage.model_validate({"role": "assistant", **fields})
        return ChatConverter.output_items(message, self._source)


def response_usage_of(usage: CompletionUsage | None) -> ResponseUsage | None:
    """Turn the usage of Chat Completions into that of the Responses API.

    Args:
        usage: The server's counts, or None.

    Returns:
        The same counts; details that the server leaves out are zero. None for None.
    """
    if usage is None:
        return None
    from openai.types.responses import ResponseUsage
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return ResponseUsage(
        input_tokens=usage.prompt_tokens,
        input_tokens_details=InputTokensDetails(
            cached_tokens=(prompt and prompt.cached_tokens) or 0, cache_write_tokens=0
        ),
        output_tokens=usage.completion_tokens,
        output_tokens_details=OutputTokensDetails(
            reasoning_tokens=(completion and completion.reasoning_tokens) or 0
        ),
        total_tokens=usage.total_tokens,
    )
