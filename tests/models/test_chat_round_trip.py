"""Items become messages of Chat Completions and come back: nothing is lost that the API can carry.

It carries no ids and states of items, and one text for each message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentgraph.models.chat_items import output_items
from agentgraph.models.chat_messages import chat_messages
from agentgraph.models.gate.chat import ChatReading
from agentgraph.models.gate.quirks import ServerQuirks
from agentgraph.models.gate.server import Server

TEXTS = st.text(min_size=1)
PARTS = st.one_of(
    st.builds(lambda text: {"type": "input_text", "text": text}, TEXTS),
    st.builds(
        lambda url, detail: {"type": "input_image", "image_url": url, "detail": detail},
        TEXTS,
        st.sampled_from(["low", "high", "auto"]),
    ),
    st.builds(lambda id: {"type": "input_file", "file_id": id}, TEXTS),
    st.builds(
        lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}, TEXTS
    ),
)
SAID = st.one_of(TEXTS, st.lists(PARTS, min_size=1, max_size=3))
OUTPUTS = st.one_of(
    TEXTS,
    st.lists(
        st.builds(lambda text: {"type": "input_text", "text": text}, TEXTS), min_size=1, max_size=3
    ),
)
CALLS = st.lists(st.tuples(TEXTS, TEXTS, OUTPUTS), max_size=3)
WORDS = st.one_of(st.none(), st.tuples(st.sampled_from(["output_text", "refusal"]), TEXTS))
TURNS = st.tuples(st.sampled_from(["user", "system", "developer"]), SAID, TEXTS, WORDS, CALLS)


def items_of(turns: list[Any]) -> Iterator[dict[str, Any]]:
    """The items of a conversation: what was said, then thoughts, words, calls and their outputs."""
    for number, (role, said, thought, words, calls) in enumerate(turns):
        yield {"role": role, "content": said}
        if words is None and not calls:
            continue
        yield {
            "type": "reasoning",
            "id": f"rs_{number}",
            "summary": [{"type": "summary_text", "text": thought}],
        }
        if words is not None:
            kind, text = words
            part = {"type": kind, "refusal" if kind == "refusal" else "text": text}
            yield {"type": "message", "id": "m", "role": "assistant", "content": [part]}
        for place, (name, arguments, _) in enumerate(calls):
            yield {
                "type": "function_call",
                "call_id": f"call_{number}_{place}",
                "name": name,
                "arguments": arguments,
            }
        for place, (_, _, output) in enumerate(calls):
            call_id = f"call_{number}_{place}"
            yield {"type": "function_call_output", "call_id": call_id, "output": output}


def back(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The items that messages carry; a reply goes through the gate."""
    for message in messages:
        match message:
            case {"role": "assistant"}:
                reading = ChatReading(Server("m"), ServerQuirks())
                reading.read_whole({"choices": [{"message": message}]}, keep_cut_text=True)
                for item in output_items(reading.message, {}):
                    yield item.model_dump(exclude_unset=True)
            case {"role": "tool", "tool_call_id": call_id, "content": content}:
                yield {"type": "function_call_output", "call_id": call_id, "output": content}
            case {"role": role, "content": content}:
                yield {"role": role, "content": content}


def carried(item: dict[str, Any]) -> Any:
    """What the API carries of an item, in one form for both APIs."""
    match item:
        case {"type": "reasoning", "summary": summary}:
            return "reasoning", [part["text"] for part in summary]
        case {"type": "function_call"}:
            return item["call_id"], item["name"], item["arguments"]
        case {"type": "function_call_output", "output": output}:
            return item["call_id"], output if isinstance(output, str) else [*map(part_of, output)]
        case {"role": role, "content": str(content)}:
            return role, content
        case {"role": role, "content": content}:
            return role, [*map(part_of, content)]
        case _:
            raise AssertionError(item)


def part_of(part: dict[str, Any]) -> Any:
    match part:
        case {"type": "input_text" | "output_text" | "text", "text": text}:
            return "text", text
        case {"type": "refusal", "refusal": text}:
            return "refusal", text
        case {"type": "image_url", "image_url": image}:
            return "image", image["url"], image["detail"]
        case {"type": "input_image", "image_url": url, "detail": detail}:
            return "image", url, detail
        case {"type": "file", "file": {"file_id": id}} | {"type": "input_file", "file_id": id}:
            return "file", id
        case {"type": "input_audio", "input_audio": audio}:
            return "audio", audio
        case _:
            raise AssertionError(part)


@given(st.lists(TURNS, min_size=1, max_size=4))
def test_what_the_api_can_carry_comes_back(turns: list[Any]) -> None:
    items: list[Any] = [*items_of(turns)]
    messages = chat_messages(items, model="m", sends_back=lambda item: True)

    assert [carried(item) for item in back(messages)] == [carried(item) for item in items]


@given(st.lists(TURNS, min_size=1, max_size=4))
def test_messages_are_a_history_too(turns: list[Any]) -> None:
    """A history in the form of Chat Completions is sent as it is."""
    items: list[Any] = [*items_of(turns)]
    messages: list[Any] = chat_messages(items, model="m", sends_back=lambda item: True)

    assert chat_messages(messages, model="m") == messages
