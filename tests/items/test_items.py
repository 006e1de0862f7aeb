"""Items pair what the provider speaks with an agent; helpers read text out of them."""

from __future__ import annotations

import copy
import dataclasses
import gc
import timeit
from collections import UserDict
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseReasoningItem,
)

from agentgraph import (
    Agent,
    AgentsException,
    CompactionItem,
    HandoffOutputItem,
    ItemHelpers,
    MessageOutputItem,
    ModelResponse,
    ReasoningItem,
    RunItem,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
    Usage,
)
from agentgraph.stream_events import NAMES, event_name

AGENT = Agent(name="a")


def text(content: str) -> ResponseOutputText:
    return ResponseOutputText(text=content, type="output_text", annotations=[])


def refusal(content: str) -> ResponseOutputRefusal:
    return ResponseOutputRefusal(refusal=content, type="refusal")


def raw_message(*parts: Any) -> ResponseOutputMessage:
    return ResponseOutputMessage(
        id="msg", content=list(parts), role="assistant", status="completed", type="message"
    )


def message(*parts: Any) -> MessageOutputItem:
    return MessageOutputItem(agent=AGENT, raw_item=raw_message(*parts))


def call(**fields: Any) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        **{"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}", **fields}
    )


MESSAGES: list[tuple[list[Any], str, str | None, str]] = [
    ([text("one"), text("two")], "two", "two", "onetwo"),
    ([text("one"), refusal("no")], "no", None, "one"),
    ([refusal("no"), text("two")], "two", "two", "two"),
    ([text("")], "", "", ""),
    ([], "", None, ""),
]


@pytest.mark.parametrize(("parts", "last_content", "last_text", "whole"), MESSAGES)
@pytest.mark.parametrize("form", [raw_message, message, lambda *p: raw_message(*p).model_dump()])
def test_text_is_read_out_of_messages_in_every_form(
    form: Any, parts: list[Any], last_content: str, last_text: str | None, whole: str
) -> None:
    content_item = form(*parts)
    assert ItemHelpers.extract_last_content(content_item) == last_content
    assert ItemHelpers.extract_last_text(content_item) == last_text
    assert ItemHelpers.text_message_output(content_item) == whole


def test_what_is_no_message_holds_no_text() -> None:
    assert ItemHelpers.extract_last_content(call()) == ""
    assert ItemHelpers.extract_last_text(call()) is None
    assert ItemHelpers.extract_text(call()) is None
    assert ItemHelpers.extract_refusal(call()) is None


def test_refusals_are_put_together() -> None:
    assert ItemHelpers.extract_refusal(message(refusal("no"), text("x"), refusal("!"))) == "no!"


def test_the_text_of_a_run_is_that_of_its_messages() -> None:
    called = ToolCallItem(agent=AGENT, raw_item=call())
    assert (
        ItemHelpers.text_message_outputs([message(text("a")), called, message(text("b"))]) == "ab"
    )


def test_texts_in_an_input_list_are_messages_of_the_user() -> None:
    item: Any = {"role": "assistant", "content": "hello"}
    assert ItemHelpers.input_to_new_input_list([item, "How are you?"]) == [
        item,
        {"role": "user", "content": "How are you?"},
    ]
    assert ItemHelpers.input_to_new_input_list("hi") == [{"role": "user", "content": "hi"}]


def test_input_of_other_mappings_and_iterables_becomes_plain() -> None:
    given_item: Any = UserDict(content=({"type": "input_text"} for _ in range(1)), role="user")
    assert ItemHelpers.input_to_new_input_list([given_item, raw_message(text("x"))]) == [  # type: ignore[list-item]
        {"content": [{"type": "input_text"}], "role": "user"},
        raw_message(text("x")).model_dump(exclude_unset=True),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), JSON)))
def test_an_input_list_is_copied_to_the_bottom(items: list[Any]) -> None:
    copied: Any = ItemHelpers.input_to_new_input_list(items)
    assert copied == items
    before = copy.deepcopy(items)
    for item in copied:
        for value in item.values():
            if isinstance(value, list | dict):
                value.clear()
    assert items == before


@pytest.mark.parametrize(("output", "sent"), [("x", "x"), (5, "5"), ([], "[]"), (None, "None")])
def test_a_tool_output_is_answered_to_its_call(output: Any, sent: str) -> None:
    assert ItemHelpers.tool_call_output_item(call(), output) == {
        "call_id": "c",
        "output": sent,
        "type": "function_call_output",
    }


def test_the_input_form_holds_what_the_provider_sent_and_no_more() -> None:
    raw = ResponseReasoningItem(id="r", summary=[], type="reasoning")
    item = ReasoningItem(agent=AGENT, raw_item=raw)
    assert item.to_input_item() == {"id": "r", "summary": [], "type": "reasoning"}
    response = ModelResponse(output=[raw], usage=Usage(), response_id=None)
    assert response.to_input_items() == [item.to_input_item()]


def test_a_dictionary_is_its_own_input_form() -> None:
    raw: Any = {"type": "compaction", "id": "c"}
    assert CompactionItem(agent=AGENT, raw_item=raw).to_input_item() is raw


def test_a_replaced_raw_item_is_converted_anew() -> None:
    item = message(text("before"))
    assert "before" in str(item.to_input_item())
    item.raw_item = raw_message(text("after"))
    assert "after" in str(item.to_input_item())


@pytest.mark.parametrize("raw", [5, "text", None, object()])
def test_what_cannot_be_sent_to_a_model_is_refused(raw: Any) -> None:
    with pytest.raises(AgentsException, match=type(raw).__name__):
        ToolCallItem(agent=AGENT, raw_item=raw).to_input_item()


def test_a_pending_approval_is_never_sent_to_a_model() -> None:
    with pytest.raises(AgentsException, match="pending approval of tool 'f'"):
        ToolApprovalItem(agent=AGENT, raw_item=call()).to_input_item()


def test_asking_again_for_the_input_form_costs_next_to_nothing() -> None:
    item = message(text("x"))
    assert item.to_input_item() is item.to_input_item()
    best = min(timeit.repeat(item.to_input_item, number=1000, repeat=5)) / 1000
    assert best < 5e-6


def test_a_released_agent_is_found_while_somebody_holds_it() -> None:
    agent, other = Agent(name="source"), Agent(name="target")
    raw: Any = {"type": "function_call_output", "call_id": "c", "output": "{}"}
    item = HandoffOutputItem(agent=other, raw_item=raw, source_agent=agent, target_agent=other)
    item.release_agent()
    item.release_agent()
    assert (item.agent, item.source_agent, item.target_agent) == (other, agent, other)
    del agent
    gc.collect()
    assert (item.agent, item.source_agent) == (other, None)


def test_a_released_item_can_still_be_shown_compared_and_taken_apart() -> None:
    item = message(text("x"))
    item.agent = Agent(name="short-lived")
    item.release_agent()
    gc.collect()
    assert item.agent is None
    assert "agent=None" in repr(item)
    assert dataclasses.asdict(item)["type"] == "message_output_item"
    assert dataclasses.replace(item, agent=AGENT).agent is AGENT
    assert item == dataclasses.replace(item)


def test_an_unknown_attribute_is_still_an_error() -> None:
    item = message(text("x"))
    item.release_agent()
    with pytest.raises(
        AttributeError, match="'MessageOutputItem' object has no attribute 'agents'"
    ):
        item.agents  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    ("raw", "tool_name", "call_id"),
    [
        (call(), "f", "c"),
        ({"type": "web_search_call", "id": "ws"}, "web_search_call", "ws"),
        ({"type": "mcp_call", "name": "read", "id": "m"}, "read", "m"),
        ({}, None, None),
    ],
)
def test_a_tool_call_knows_its_tool_and_its_id(
    raw: Any, tool_name: str | None, call_id: str | None
) -> None:
    item = ToolCallItem(agent=AGENT, raw_item=raw)
    assert (item.tool_name, item.call_id) == (tool_name, call_id)
    answer = ToolCallOutputItem(agent=AGENT, raw_item={"call_id": call_id}, output=1)
    assert answer.call_id == call_id


def test_an_approval_says_what_is_to_be_decided_and_equals_only_itself() -> None:
    first = ToolApprovalItem(agent=AGENT, raw_item=call(arguments='{"x": 1}'), tool_namespace="ns")
    assert (first.name, first.qualified_name, first.arguments, first.call_id) == (
        "f",
        "ns.f",
        '{"x": 1}',
        "c",
    )
    second = dataclasses.replace(first)
    assert first != second
    assert len({first, second}) == 2


SILENT = {"tool_approval_item", "compaction_item", "input_item"}


def test_every_type_of_item_has_an_event_or_is_silent_on_purpose() -> None:
    types = {item_type.__dataclass_fields__["type"].default for item_type in get_args(RunItem)}
    assert types == NAMES.keys() | SILENT


def test_the_event_of_an_item_follows_from_its_type() -> None:
    assert event_name(message()) == "message_output_created"
    assert event_name(ToolApprovalItem(agent=AGENT, raw_item=call())) is None
