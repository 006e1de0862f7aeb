"""The item protocol: what is legal, what `repair` removes and says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.memory.transcripts.automaton import ANSWERED_BY
from agentgraph.memory.transcripts.histories import (
    legal,
    repair,
    violations,
    without_ids,
)
from agentgraph.memory.transcripts.plain import PlainTranscript, plainly_legal
from tests.memory.stores import Item
from tests.memory.transcripts.items import HOSTED, SAID, USER, call, output, reasoning

SERVER_SEARCH: Item = {"type": "tool_search_call", "call_id": None, "execution": "server"}

LEGAL: dict[str, list[Item]] = {
    "nothing": [],
    "a question and its answer": [USER, SAID],
    "two equal messages without ids": [USER, USER],
    "a call and its output": [USER, call("c"), output("c"), SAID],
    "parallel calls answered in another order": [call("a"), call("b"), output("b"), output("a")],
    "a message between a call and its output": [call("a"), SAID, USER, output("a")],
    "a hosted call without output": [USER, HOSTED, SAID],
    "a search that the API answered itself": [USER, SERVER_SEARCH],
    "reasoning before a message": [USER, reasoning(), SAID],
    "reasoning twice before a call": [reasoning("rs_1"), reasoning("rs_2"), call("c"), output("c")],
    "reasoning before a hosted call": [reasoning(), HOSTED],
    "a call id used again after its output": [call("c"), output("c"), call("c"), output("c")],
    "one id for several kinds of call": [
        call("c"),
        call("c", "custom_tool_call"),
        output("c", "custom_tool_call"),
        output("c"),
    ],
    "the placeholder id of chat models, twice": [
        {**SAID, "id": "__fake_id__"},
        {**SAID, "id": "__fake_id__"},
    ],
    "a local shell output with the API's key": [
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "c"},
        {"type": "local_shell_call_output", "id": "lsh_1", "output": "ok"},
    ],
    "an output whose call may be a stored item": [
        {"type": "item_reference", "id": "fc_1"},
        output("c"),
    ],
    "a call whose output may be a stored item": [call("c"), {"id": "fco_1"}],
    "an item of a type to come": [USER, {"type": "telepathy", "id": "t_1"}],
}

ILLEGAL: dict[str, tuple[list[Item], list[tuple[int, str]], list[int]]] = {
    # name: (transcript, (index, rule) of each violation, indexes that repair keeps)
    "a call without output": ([USER, call("c")], [(1, "call-without-output")], [0]),
    "an output without call": ([USER, output("c")], [(1, "output-without-call")], [0]),
    "an output before its call": (
        [output("c"), call("c")],
        [(0, "output-without-call"), (1, "call-without-output")],
        [],
    ),
    "an output of another kind": (
        [call("c"), output("c", "shell_call")],
        [(0, "call-without-output"), (1, "output-without-call")],
        [],
    ),
    "one of two parallel calls without output": (
        [USER, call("a"), call("b"), output("b"), SAID],
        [(1, "call-without-output")],
        [0, 2, 3, 4],
    ),
    "reasoning at the end": ([USER, reasoning()], [(1, "reasoning-without-item")], [0]),
    "reasoning before a user message": (
        [reasoning(), USER],
        [(0, "reasoning-without-item")],
        [1],
    ),
    "reasoning before an output": (
        [call("c"), reasoning(), output("c")],
        [(1, "reasoning-without-item")],
        [0, 2],
    ),
    "reasoning of a call without output goes with the call": (
        [USER, reasoning(), call("a"), call("b"), output("b")],
        [(2, "call-without-output")],
        [0, 3, 4],
    ),
    "the same output twice": (
        [call("c"), output("c"), output("c")],
        [(2, "duplicate-output")],
        [0, 1],
    ),
    "the same call twice": (
        [call("c"), call("c"), output("c")],
        [(1, "duplicate-call")],
        [0, 2],
    ),
    "a turn saved twice": (
        [USER, call("c", id="fc_1"), output("c"), call("c", id="fc_1"), output("c"), SAID],
        [(3, "duplicate-item"), (4, "duplicate-output")],
        [0, 1, 2, 5],
    ),
    "an item beside a reference to it": (
        [SAID, {"type": "item_reference", "id": "msg_1"}],
        [(1, "duplicate-item")],
        [0],
    ),
    "an approval response to nothing": (
        [USER, output("m", "mcp_approval_request")],
        [(1, "output-without-call")],
        [0],
    ),
}


@pytest.mark.parametrize("items", LEGAL.values(), ids=LEGAL.keys())
def test_a_legal_transcript_has_no_violations_and_repair_returns_it_as_it_is(
    items: list[Item],
) -> None:
    assert violations(items) == []
    assert legal(items)
    assert repair(items).items is items
    assert repair(items).changes == ()


@pytest.mark.parametrize(("items", "faults", "kept"), ILLEGAL.values(), ids=ILLEGAL.keys())
def test_what_is_illegal_is_found_and_mended_by_removing_it(
    items: list[Item], faults: list[tuple[int, str]], kept: list[int]
) -> None:
    before = [dict(item) for item in items]

    assert [(violation.index, violation.rule) for violation in violations(items)] == faults
    mended = repair(items)

    assert mended.items == [items[index] for index in kept]
    removed = sorted(set(range(len(items))) - set(kept))
    assert [change.index for change in mended.changes] == removed
    assert items == before


@pytest.mark.parametrize("kind", ANSWERED_BY)
def test_every_kind_of_call_that_the_client_answers_needs_its_own_answer(kind: str) -> None:
    asked, answered = call("c", kind), output("c", kind)

    assert legal([asked, answered])
    assert [violation.rule for violation in violations([asked])] == ["call-without-output"]
    assert [violation.rule for violation in violations([answered])] == ["output-without-call"]


def test_a_change_says_in_words_what_was_removed_but_not_the_content() -> None:
    secret = call("call_7", name="transfer", arguments='{"iban": "DE00"}')

    (change,) = repair([USER, secret]).changes

    assert change.message == (
        "removed item 1: function_call 'call_7' of tool 'transfer' has no output"
    )


def test_ten_thousand_open_calls_are_mended_in_one_pass_each_way() -> None:
    calls = [call(f"c{n}") for n in range(10_000)]
    outputs = [output(f"c{n}") for n in range(10_000)]

    assert legal(calls + outputs)
    assert repair(calls).items == []


def _items() -> st.SearchStrategy[Item]:
    call_ids = st.sampled_from(["a", "b", "c"])
    kinds = st.sampled_from(list(ANSWERED_BY))
    ids = st.sampled_from(["x", "y", "z", "__fake_id__"])
    return st.one_of(
        st.just(USER),
        st.builds(lambda identity: {**SAID, "id": identity}, ids),
        st.builds(call, call_ids, kinds),
        st.builds(output, call_ids, kinds),
        st.builds(reasoning, ids),
        st.builds(lambda identity: {**HOSTED, "id": identity}, ids),
        st.builds(lambda identity: {"type": "item_reference", "id": identity}, ids),
        st.just({"role": "assistant", "content": "no id"}),
    )


TRANSCRIPTS = st.lists(_items(), max_size=14)


@given(TRANSCRIPTS)
def test_a_repaired_transcript_is_legal_and_repair_is_idempotent(items: list[Item]) -> None:
    mended = repair(items)

    assert legal(mended.items)
    again = repair(mended.items)
    assert again.items is mended.items
    assert again.changes == ()


@given(TRANSCRIPTS, TRANSCRIPTS)
def test_what_is_plainly_legal_is_legal_whatever_follows(
    items: list[Item], following: list[Item]
) -> None:
    assert not plainly_legal(items) or legal(items)
    if legal(items):
        found = violations([*items, *following])
        assert [violation for violation in found if violation.index < len(items)] == []


@given(TRANSCRIPTS, TRANSCRIPTS, TRANSCRIPTS)
def test_a_plain_transcript_that_grows_and_shrinks_says_no_more_than_one_read_whole(
    beginning: list[Item], popped: list[Item], end: list[Item]
) -> None:
    transcript = PlainTranscript(beginning)
    transcript.extend(popped)
    for item in reversed(popped):
        transcript.pop(item)
    transcript.extend(end)

    whole = plainly_legal([*beginning, *end])
    assert whole or not transcript.legal
    if not popped:
        assert transcript.legal == whole


def test_a_plain_transcript_is_legal_again_when_what_made_it_wrong_is_popped() -> None:
    transcript = PlainTranscript([USER, call("c"), output("c"), SAID])
    assert transcript.legal

    transcript.extend([USER, call("d")])
    assert not transcript.legal
    transcript.pop(call("d"))
    assert transcript.legal
    for item in (USER, SAID, output("c")):
        transcript.pop(item)
    assert not transcript.legal
    transcript.extend([output("c"), SAID])
    assert transcript.legal


@given(TRANSCRIPTS)
def test_items_without_their_ids_may_stand_a_second_time_in_their_transcript(
    items: list[Item],
) -> None:
    told = repair(items).items

    again = without_ids(told)

    assert legal([*told, *again])
    assert without_ids(again) == again


def test_items_that_need_an_id_are_left_out_where_ids_are_removed() -> None:
    told = [USER, reasoning(), {**call("c"), "id": "fc_1"}, output("c"), HOSTED, SAID]

    again = without_ids(told)

    said = {name: value for name, value in SAID.items() if name != "id"}
    assert again == [USER, call("c"), output("c"), said]
    assert without_ids([output("answers a call that stands elsewhere")]) == []


def test_the_usual_history_is_plainly_legal() -> None:
    assert plainly_legal([USER, call("c"), call("d"), output("d"), output("c"), SAID, USER])
    assert not plainly_legal([USER, call("c")])
    of_a_chat_model: list[Item] = [USER, {**SAID, "id": "__fake_id__"}]
    assert plainly_legal([*of_a_chat_model, *of_a_chat_model])


@given(TRANSCRIPTS)
def test_repair_changes_nothing_exactly_when_the_transcript_is_legal(items: list[Item]) -> None:
    assert (repair(items).changes == ()) == legal(items)


@given(TRANSCRIPTS)
def test_repair_only_removes_items_and_ids_and_accounts_for_each(items: list[Item]) -> None:
    mended = repair(items)
    changed = {change.index: change.replacement for change in mended.changes}

    assert len(changed) == len(mended.changes)
    expected = [changed.get(index, item) for index, item in enumerate(items)]
    assert mended.items == [item for item in expected if item is not None]
    for index, replacement in changed.items():
        without_id = {key: value for key, value in items[index].items() if key != "id"}
        assert replacement in (None, without_id)


@given(TRANSCRIPTS)
def test_messages_of_the_user_are_never_removed(items: list[Item]) -> None:
    assert repair(items).items.count(USER) == items.count(USER)


def test_a_call_that_what_follows_answers_is_not_removed() -> None:
    asked = [call("c1", name="f", arguments="{}")]
    assert repair(asked, followed_by=[output("c1")]).items is asked
    assert repair(asked, followed_by=[USER]).items == []


def test_an_approval_given_in_the_next_input_answers_the_request_in_the_history() -> None:
    asked = [call("r1", "mcp_approval_request")]
    assert repair(asked, followed_by=[output("r1", "mcp_approval_request")]).items is asked


def test_what_follows_is_never_mended() -> None:
    assert repair([], followed_by=[output("c9")]).changes == ()


@pytest.mark.parametrize(
    "items",
    [
        [USER, SAID, USER, SAID],
        [USER, call("c", id="fc"), output("c"), USER, call("c", id="fc"), output("c"), SAID],
        [USER, SAID, {**SAID, "content": "something else"}],
    ],
    ids=["the same answer in another turn", "the same call in another turn", "another answer"],
)
def test_an_id_that_is_used_again_is_taken_away_and_the_item_stays(items: list[Item]) -> None:
    mended = repair(items)

    assert {change.rule for change in mended.changes} == {"reused-id"}
    assert legal(mended.items)
    assert _without_ids(list(mended.items)) == _without_ids(items)


def _without_ids(items: list[Item]) -> list[Item]:
    return [{key: value for key, value in item.items() if key != "id"} for item in items]
