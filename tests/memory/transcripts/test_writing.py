"""What a run may write of its items, and when: whatever a model replies, the log stays legal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.memory.transcripts.automaton import ANSWERED_BY
from agentgraph.memory.transcripts.histories import legal, violations
from agentgraph.memory.transcripts.writing import (
    DistinctIds,
    Kept,
    distinct,
    first_open,
    legal_input,
    writable_positions,
)
from tests.memory.stores import Item
from tests.memory.transcripts.items import HOSTED, REQUEST, SAID, USER, call, output, reasoning

# name: (items, positions written, positions written of a turn cut short, positions withheld)
CASES: dict[str, tuple[list[Item], list[int], list[int], list[int]]] = {
    "nothing": ([], [], [], []),
    "a message": ([SAID], [0], [], []),
    "reasoning and its message": ([reasoning(), SAID], [0, 1], [], []),
    "reasoning at the end": ([SAID, reasoning()], [0], [], []),
    "reasoning behind its call": ([call("a"), reasoning(), output("a")], [0, 2], [0, 2], [0, 2]),
    "reasoning behind a call that waits": ([call("a"), reasoning()], [], [], []),
    "a sibling that waits": (
        [call("a"), call("b"), output("b")],
        [1, 2],
        [1, 2],
        [1, 2],
    ),
    "reasoning waits with its call": (
        [reasoning(), call("a"), call("b"), output("b")],
        [2, 3],
        [2, 3],
        [2, 3],
    ),
    "reasoning of a sibling that is answered": (
        [call("a"), reasoning(), call("b"), output("b")],
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
    ),
    "a message beside calls": (
        [reasoning(), SAID, call("a"), call("b"), output("a")],
        [0, 1, 2, 4],
        [2, 4],
        [2, 4],
    ),
    "a hosted call alone": ([reasoning(), HOSTED], [0, 1], [], [0, 1]),
    "a hosted call beside an answered one": (
        [HOSTED, call("a"), output("a")],
        [0, 1, 2],
        [0, 1, 2],
        [0, 1, 2],
    ),
    "a request that waits": ([reasoning(), call("m", REQUEST)], [0, 1], [], []),
    "a request beside an answered call": (
        [call("a"), call("m", REQUEST), output("a")],
        [0, 1, 2],
        [0, 2],
        [0, 2],
    ),
    "a request that is answered": (
        [call("m", REQUEST), output("m", REQUEST)],
        [0, 1],
        [0, 1],
        [0, 1],
    ),
    "an output of nothing": ([output("a")], [], [], []),
    "two outputs of one call": ([call("a"), output("a"), output("a")], [0, 1], [0, 1], [0, 1]),
    "two calls of one id": ([call("a"), call("a"), output("a")], [0, 2], [0, 2], [0, 2]),
    "what the user adds": ([USER, call("a"), SAID], [0, 2], [0], [0]),
}


@pytest.mark.parametrize(("items", "all_", "settled", "withheld"), CASES.values(), ids=CASES)
def test_a_run_writes_what_may_stand(
    items: list[Item], all_: list[int], settled: list[int], withheld: list[int]
) -> None:
    assert writable_positions(items) == all_
    assert writable_positions(items, kept=Kept.SETTLED) == settled
    assert writable_positions(items, kept=Kept.WITHHELD) == withheld


def test_finished_turns_are_kept_whole_where_the_last_one_was_cut_short() -> None:
    items = [SAID, HOSTED, call("a"), output("a"), call("b"), {**SAID, "id": "msg_2"}]

    assert writable_positions(items, kept=Kept.SETTLED, turn_start=4) == [0, 1, 2, 3]


def test_a_call_that_waited_is_written_with_its_output_after_its_siblings() -> None:
    items = [reasoning(), call("a"), call("b"), output("b")]
    assert writable_positions(items) == [2, 3]

    items.insert(3, output("a"))

    assert writable_positions(items, {2, 4}) == [0, 1, 3]


def test_the_answer_of_a_request_is_written_after_the_request() -> None:
    items = [call("m", REQUEST), output("m", REQUEST)]

    assert writable_positions(items, {0}) == [1]
    assert first_open(items, {0}) == 0
    assert first_open(items, {0, 1}) == 2


def test_items_from_the_call_of_a_later_output_on_stay_open() -> None:
    items = [call("a"), output("a"), call("b"), SAID, output("b")]

    assert first_open(items, {0, 1, 2, 4}) == 2


def test_reasoning_that_ends_a_turn_does_not_lead_to_an_item_of_the_next() -> None:
    items = [HOSTED, reasoning()]
    assert writable_positions(items) == [0]
    assert first_open(items, {0}) == 1
    assert first_open(items, {0}, turn_start=2) == 2

    assert writable_positions([*items, SAID], {0}, turn_start=2) == [2]
    assert writable_positions([*items, SAID], {0}) == [1, 2]


def test_an_output_may_answer_a_call_that_stands_before_the_run() -> None:
    assert writable_positions([output("a")], before=[USER, call("a")]) == [0]
    assert writable_positions([output("a")], before=[call("a"), output("a")]) == []
    stored: Item = {"type": "item_reference", "id": "fc_1"}
    assert writable_positions([output("a")], before=[stored]) == [0]
    assert writable_positions([stored, output("a")]) == [0, 1]


def test_two_calls_of_one_item_id_stand_and_the_id_stands_once() -> None:
    items = [call("a", id="fc_1"), call("b", id="fc_1"), output("b")]

    forms = distinct(items)

    assert forms == [items[0], call("b"), items[2]]
    assert [forms[position] for position in writable_positions(forms)] == [call("b"), output("b")]
    assert distinct([SAID], [SAID]) == [{k: v for k, v in SAID.items() if k != "id"}]


@pytest.mark.parametrize("kind", ["shell_call", "custom_tool_call", "apply_patch_call"])
def test_a_call_with_a_used_id_stays_where_the_api_takes_it_without(kind: str) -> None:
    items = [call("a", kind, id="x"), output("a", kind), call("b", kind, id="x"), output("b", kind)]

    assert legal_input(items) == [*items[:2], call("b", kind), items[3]]


def test_an_item_with_a_used_id_falls_where_the_api_takes_none_without() -> None:
    turn = [reasoning(), HOSTED]

    assert legal_input([*turn, reasoning(), {**HOSTED, "id": "ws_2"}, SAID]) == [
        *turn,
        {**HOSTED, "id": "ws_2"},
        SAID,
    ]


def test_the_input_made_of_a_run_that_was_cancelled_leaves_out_the_open_call() -> None:
    assert legal_input([call("a")], [USER]) == []
    assert legal_input([call("a"), call("b"), output("b")], [USER]) == [call("b"), output("b")]


def test_what_the_caller_gave_is_not_mended() -> None:
    assert legal_input([output("c"), SAID], [USER, call("c"), call("d")]) == [output("c"), SAID]


def test_placeholder_ids_are_used_any_number_of_times() -> None:
    ids = DistinctIds([{**SAID, "id": "scripted-message"}])

    for placeholder in ("", "__fake_id__", "scripted-message"):
        item = {**SAID, "id": placeholder}
        assert ids.form(item) is item
    assert ids.used() == frozenset()


def test_ten_thousand_siblings_are_looked_at_in_one_pass() -> None:
    count = 10_000
    calls = [call(f"c{n}") for n in range(count)]
    outputs = [output(f"c{n}") for n in range(1, count)]

    assert writable_positions(calls + outputs) == list(range(1, 2 * count - 1))


@dataclass
class Run:
    """A run as it goes on: replies, answers in any order, cuts wherever it may be cut.

    The answers of a reply stand in the order of its calls, whenever each is given.
    """

    items: list[Item] = field(default_factory=list)
    turn_start: int = 0
    calls: list[Item] = field(default_factory=list)
    answers: list[tuple[int, Item]] = field(default_factory=list)

    def reply(self, items: list[Item]) -> None:
        """The model replies."""
        self.turn_start = len(self.items)
        self.items += items
        self.calls = [item for item in items if item["type"] in ANSWERED_BY]
        self.answers = []

    def answer(self, number: int) -> None:
        """One of the calls of the reply gets its output."""
        if number >= len(self.calls) or any(at == number for at, _ in self.answers):
            return
        asked = self.calls[number]
        answer = output(asked.get("call_id", asked.get("id")), asked["type"])
        later = sum(at > number for at, _ in self.answers)
        self.items.insert(len(self.items) - later, answer)
        self.answers = sorted([*self.answers, (number, answer)], key=lambda pair: pair[0])


def _reply_items() -> st.SearchStrategy[Item]:
    ids = st.sampled_from(["x", "y", "z", "__fake_id__"])
    call_ids = st.sampled_from(["a", "b", "c", "d"])
    return st.one_of(
        st.builds(call, call_ids, st.sampled_from(list(ANSWERED_BY))),
        st.builds(lambda call_id, identity: call(call_id, id=identity), call_ids, ids),
        st.builds(reasoning, ids),
        st.builds(lambda identity: {**SAID, "id": identity}, ids),
        st.builds(lambda identity: {**HOSTED, "id": identity}, ids),
    )


REPLIES = st.lists(_reply_items(), min_size=1, max_size=6)
# What happens between two saves: a reply, or the answer to a call of the latest reply.
EVENTS = st.lists(st.one_of(REPLIES, st.integers(0, 3)), max_size=12)
HISTORIES = st.sampled_from([[USER], [{**SAID, "id": "x"}, USER]])


def _apart_from_requests(items: list[Item]) -> list[Any]:
    return [wrong for wrong in violations(items) if items[wrong.index].get("type") != REQUEST]


@given(HISTORIES, EVENTS, st.lists(st.booleans(), max_size=12), st.sampled_from(Kept))
def test_the_log_of_a_run_is_legal_after_each_write(
    history: list[Item], events: list[Any], saves: list[bool], ending: Kept
) -> None:
    run, log = Run(), list(history)
    ids = DistinctIds(history)
    forms: dict[int, Item] = {}
    written: list[Item] = []
    modes = [*(Kept.ALL if save else None for save in saves), *[None] * 12][: len(events)]
    for event, mode in zip([*events, []], [*modes, ending], strict=True):
        if isinstance(event, int):
            run.answer(event)
        elif event:
            run.reply([dict(item) for item in event])
        if mode is None:
            continue
        for item in run.items:
            if id(item) not in forms:
                forms[id(item)] = ids.form(item)
        shown = [forms[id(item)] for item in run.items]
        done = {at for at, item in enumerate(run.items) if any(item is old for old in written)}
        positions = writable_positions(shown, done, mode, run.turn_start)

        assert positions == sorted(positions)
        assert done.isdisjoint(positions)
        log += [shown[position] for position in positions]
        written += [run.items[position] for position in positions]
        assert _apart_from_requests(log) == []
        # Nothing is left to write, and what is done with need not be looked at again.
        done.update(positions)
        assert writable_positions(shown, done, mode, run.turn_start) == []
        since = first_open(shown, done, run.turn_start)
        rest = writable_positions(shown, done, Kept.ALL, run.turn_start)
        later = {position - since for position in done if position >= since}
        turn = max(0, run.turn_start - since)
        assert rest == [
            since + position
            for position in writable_positions(
                shown[since:], later, Kept.ALL, turn, before=filter(None, shown[:since])
            )
        ]


@given(HISTORIES, EVENTS)
def test_no_answered_call_is_left_out(history: list[Item], events: list[Any]) -> None:
    run = Run()
    for number, event in enumerate(events):
        if isinstance(event, int):
            run.answer(event)
            continue
        # Each call has ids of its own, as those of a provider have.
        replied = [dict(item) for item in event if item["type"] in ANSWERED_BY]
        for at, item in enumerate(replied):
            name = "id" if item["type"] == REQUEST else "call_id"
            item[name] = f"{number}.{at}"
            item.pop("id" if name == "call_id" else "", None)
        run.reply([*(item for item in event if item["type"] == "reasoning"), *replied])
    answers = [item for item in run.items if item["type"] in ANSWERED_BY.values()]

    for kept in Kept:
        forms = distinct(run.items, history)
        positions = writable_positions(forms, kept=kept, turn_start=run.turn_start)
        assert [item for item in answers if item not in [forms[at] for at in positions]] == []


@given(HISTORIES, EVENTS)
def test_the_input_made_of_a_run_is_legal(history: list[Item], events: list[Any]) -> None:
    run = Run()
    for event in events:
        if isinstance(event, int):
            run.answer(event)
        else:
            run.reply([dict(item) for item in event])

    given_on = legal_input(run.items, history)

    assert _apart_from_requests([*history, *given_on]) == []
    assert legal_input(given_on, history) == given_on
    if legal([*history, *run.items]):
        assert given_on == run.items
