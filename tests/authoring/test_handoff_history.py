"""After a handoff the conversation can be told in one message, and read back from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
)

from agentgraph import (
    Agent,
    HandoffCallItem,
    HandoffInputData,
    HandoffOutputItem,
    MessageOutputItem,
    ReasoningItem,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
    UserError,
    nest_handoff_history,
    reset_conversation_history_wrappers,
    set_conversation_history_wrappers,
)
from agentgraph.extensions.handoff_filters import remove_all_tools
from agentgraph.extensions.handoff_prompt import (
    RECOMMENDED_PROMPT_PREFIX,
    prompt_with_handoff_instructions,
)
from agentgraph.handoffs import default_handoff_history_mapper, get_conversation_history_wrappers

AGENT = Agent(name="a")


def message(text: str) -> MessageOutputItem:
    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    raw = ResponseOutputMessage(
        id="msg", content=[part], role="assistant", status="completed", type="message"
    )
    return MessageOutputItem(agent=AGENT, raw_item=raw)


def call(name: str = "transfer") -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(type="function_call", name=name, call_id="c", arguments="{}")


HANDED_OVER = (
    HandoffCallItem(agent=AGENT, raw_item=call()),
    HandoffOutputItem(
        agent=AGENT,
        raw_item={"type": "function_call_output", "call_id": "c", "output": "{}"},
        source_agent=AGENT,
        target_agent=AGENT,
    ),
)
TOOL_ITEMS = (
    ToolCallItem(agent=AGENT, raw_item=call("look_up")),
    ToolCallOutputItem(
        agent=AGENT,
        raw_item={"type": "function_call_output", "call_id": "c", "output": "found"},
        output="found",
    ),
    ReasoningItem(
        agent=AGENT, raw_item=ResponseReasoningItem(id="r", summary=[], type="reasoning")
    ),
)


def at_handoff(
    history: Any = "hi", earlier: tuple[Any, ...] = (), new: tuple[Any, ...] = ()
) -> HandoffInputData:
    return HandoffInputData(input_history=history, pre_handoff_items=earlier, new_items=new)


@pytest.fixture(autouse=True)
def _usual_markers() -> Iterator[None]:
    yield
    reset_conversation_history_wrappers()


def history_of(data: HandoffInputData) -> list[Any]:
    assert not isinstance(data.input_history, str)
    return list(data.input_history)


def texts_of(item: Any) -> list[str]:
    """The lines between the markers of a summary."""
    start, end = get_conversation_history_wrappers()
    lines = item["content"].split("\n")
    assert item["role"] == "assistant"
    assert lines[-1] == end
    return list(lines[lines.index(start) + 1 : -1])


def test_the_conversation_becomes_numbered_lines_between_markers() -> None:
    history = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"})
    nested = nest_handoff_history(at_handoff(history, earlier=TOOL_ITEMS[1:2]))
    (summary,) = history_of(nested)
    assert texts_of(summary) == [
        "1. user: hi",
        "2. assistant: hello",
        '3. {"type": "function_call_output", "call_id": "c", "output": "found"}',
    ]
    assert get_conversation_history_wrappers() == (
        "<CONVERSATION HISTORY>",
        "</CONVERSATION HISTORY>",
    )


def test_messages_of_the_turn_stay_word_for_word_in_their_place() -> None:
    nested = nest_handoff_history(at_handoff(new=(message("one moment"), *HANDED_OVER)))
    before, kept, after = history_of(nested)
    assert texts_of(before) == ["1. user: hi"]
    assert kept == message("one moment").to_input_item()
    assert [line[:2] for line in texts_of(after)] == ["1.", "2."]


def test_the_run_items_stay_complete_and_the_model_sees_the_history_only() -> None:
    data = at_handoff(earlier=TOOL_ITEMS, new=HANDED_OVER)
    nested = nest_handoff_history(data)
    assert nested.new_items == HANDED_OVER
    assert (nested.pre_handoff_items, nested.input_items) == ((), ())


def test_a_chain_of_handoffs_yields_one_flat_summary() -> None:
    first = nest_handoff_history(at_handoff("hi", new=HANDED_OVER))
    later = (*history_of(first), {"role": "user", "content": "more"})
    (summary,) = history_of(nest_handoff_history(at_handoff(later)))
    lines = texts_of(summary)
    assert (lines[0], lines[-1]) == ("1. user: hi", "4. user: more")
    assert sum("CONVERSATION HISTORY" in line for line in lines) == 0


def test_pending_approvals_are_not_told() -> None:
    pending = ToolApprovalItem(agent=AGENT, raw_item=call())
    (summary,) = history_of(nest_handoff_history(at_handoff(new=(pending,))))
    assert texts_of(summary) == ["1. user: hi"]


def test_a_mapper_gets_the_flat_transcript_and_replaces_everything() -> None:
    seen: list[Any] = []

    def map_history(transcript: list[Any]) -> list[Any]:
        seen.extend(transcript)
        return [{"role": "user", "content": "in short"}]

    nested = nest_handoff_history(
        at_handoff(new=(message("x"), *HANDED_OVER)), history_mapper=map_history
    )
    assert nested.input_history == ({"role": "user", "content": "in short"},)
    assert [item.get("type", item.get("role")) for item in seen] == [
        "user",
        "message",
        "function_call",
        "function_call_output",
    ]


def test_markers_can_be_changed_and_put_back() -> None:
    set_conversation_history_wrappers(start="<<", end=">>")
    (summary,) = history_of(nest_handoff_history(at_handoff("hi")))
    assert texts_of(summary) == ["1. user: hi"]
    set_conversation_history_wrappers(end="]]")
    assert get_conversation_history_wrappers() == ("<<", "]]")
    reset_conversation_history_wrappers()
    assert get_conversation_history_wrappers()[0] == "<CONVERSATION HISTORY>"


def test_an_empty_marker_is_refused() -> None:
    with pytest.raises(UserError, match="must not be empty"):
        set_conversation_history_wrappers(start="")


ITEMS = st.lists(
    st.one_of(
        st.builds(
            lambda role, content: {"role": role, "content": content},
            st.sampled_from(["user", "assistant", "system", "developer", "odd"]),
            st.text() | st.sampled_from(["a\nb", "1. user: x", "user: y", "{}", "- \r\n"]),
        ),
        st.dictionaries(st.text(min_size=1), st.integers() | st.text(), min_size=1),
    ),
    min_size=1,
)


@given(ITEMS)
def test_a_summary_read_back_is_the_transcript(items: list[Any]) -> None:
    summary = default_handoff_history_mapper(items)
    data = at_handoff(tuple(summary))
    read_back = nest_handoff_history(data, history_mapper=lambda transcript: transcript)
    assert history_of(read_back) == items


def test_remove_all_tools_keeps_what_was_said() -> None:
    history = (
        {"role": "user", "content": "hi"},
        {"type": "function_call", "name": "f", "call_id": "1", "arguments": "{}"},
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "mcp_call", "id": "m"},
        {"type": "item_reference", "id": "kept"},
    )
    said = message("hello")
    data = at_handoff(history, earlier=(said, *TOOL_ITEMS), new=(*HANDED_OVER, said))
    left = remove_all_tools(data.clone(input_items=HANDED_OVER))
    assert left.input_history == (history[0], history[4])
    assert (left.pre_handoff_items, left.new_items) == ((said,), (said,))
    assert left.input_items == ()


def test_remove_all_tools_leaves_text_input_alone() -> None:
    assert remove_all_tools(at_handoff("hi")).input_history == "hi"


def test_the_words_about_handoffs_come_before_the_instructions() -> None:
    prompt = prompt_with_handoff_instructions("You know invoices.")
    assert prompt.startswith(RECOMMENDED_PROMPT_PREFIX)
    assert prompt.endswith("\n\nYou know invoices.")
