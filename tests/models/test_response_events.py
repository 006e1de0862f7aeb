"""The events that models without a network stream."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import (
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseStreamEvent,
)
from pydantic import TypeAdapter

from agentgraph.models.response_events import response_events, word_deltas
from agentgraph.testing import assistant_message, function_call
from agentgraph.usage import Usage
from tests.models.model_calls import finished

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
ITEMS: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


def refusal(text: str) -> ResponseOutputMessage:
    message = assistant_message("").model_dump(exclude_unset=True)
    message["content"] = [{"type": "refusal", "refusal": text}]
    return ResponseOutputMessage.model_validate(message)


def reasoning(text: str) -> Any:
    part = {"type": "summary_text", "text": text}
    return ITEMS.validate_python({"type": "reasoning", "id": "rs", "summary": [part]})


def web_search() -> Any:
    action = {"type": "search", "query": "q"}
    return ITEMS.validate_python(
        {"type": "web_search_call", "id": "ws", "status": "completed", "action": action}
    )


items = st.lists(
    st.one_of(
        st.text().map(assistant_message),
        st.text().map(refusal),
        st.text().map(reasoning),
        st.just(web_search()),
        st.dictionaries(st.text(), st.text()).map(lambda a: function_call("f", a, call_id="c")),
    ),
    max_size=4,
)


@given(items)
def test_every_stream_is_a_stream_of_the_api_that_gives_the_reply_back(output: list[Any]) -> None:
    usage = Usage(requests=1, input_tokens=2, output_tokens=3, total_tokens=5)
    stream: list[Any] = list(response_events(output, usage=usage, response_id="r"))
    reply = finished(stream)

    assert reply.output == output
    assert (reply.response_id, reply.usage.total_tokens) == ("r", 5)
    assert [event.sequence_number for event in stream] == list(range(len(stream)))
    for event in stream:
        wire = event.model_dump(mode="json", exclude_unset=True)
        again = EVENTS.validate_python(wire)
        assert type(again) is type(event)


@given(items)
def test_items_open_and_close_in_order_and_deltas_add_up_to_what_is_done(output: list[Any]) -> None:
    opened: list[int] = []
    closed: list[int] = []
    texts: dict[tuple[int, str], str] = {}
    stream: list[Any] = list(response_events(output))
    for event in stream:
        kind = event.type
        if kind == "response.output_item.added":
            opened.append(event.output_index)
        elif kind == "response.output_item.done":
            closed.append(event.output_index)
            assert event.item == output[event.output_index]
        elif kind.endswith(".delta"):
            place = (event.output_index, kind.removesuffix(".delta"))
            texts[place] = texts.get(place, "") + event.delta
        elif kind.endswith((".text.done", "output_text.done", "refusal.done", "arguments.done")):
            whole = next(
                getattr(event, name)
                for name in ("text", "refusal", "arguments")
                if hasattr(event, name)
            )
            assert texts.get((event.output_index, kind.removesuffix(".done")), "") == whole

    assert opened == closed == list(range(len(output)))


def test_an_item_is_announced_empty_and_in_progress() -> None:
    output = [assistant_message("x"), function_call("f", {"a": 1}, call_id="c")]
    stream: list[Any] = list(response_events(output))
    added = [event.item for event in stream if event.type == "response.output_item.added"]

    assert [item.status for item in added] == ["in_progress", "in_progress"]
    assert (added[0].content, added[1].arguments) == ([], "")


def test_events_do_not_share_what_a_consumer_may_change() -> None:
    whole: list[Any] = list(response_events([assistant_message("a b c")]))
    stream = [event for event in whole if event.type.endswith("delta")]
    stream[1].delta = "changed"

    assert [event.delta for event in stream] == ["a", "changed", " c"]


@given(st.text(), st.one_of(st.none(), st.integers(1, 5)))
def test_deltas_put_together_are_the_text(text: str, words_per_delta: int | None) -> None:
    deltas = word_deltas(text, words_per_delta)

    assert "".join(deltas) == text
    assert all(deltas)
