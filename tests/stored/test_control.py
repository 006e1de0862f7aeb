"""The written form of a run: JSON, versioned, and refused with a reason where it is not that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.lanes import record
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import Facts, RunState
from agentgraph.stored.control import (
    VERSION,
    CodecError,
    decode_outcome,
    decode_state,
    encode_outcome,
    encode_state,
)
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.workflows import Run, runs

REPLY = Reply((Call("a/search", "search", 1),), (Request("a/to_b", 2),), Verdict.AGAIN, True)
OUTCOME = Outcome(CommandId(3, 0, 2), Event.REPLIED, "a response", REPLY)
KEPT = RunState(
    state="a.acting",
    facts=Facts(10, session=True),
    agent="a",
    sequence=4,
    entered=4,
    turn=2,
    lanes=record(1, 2) + record(3, 4, 2),
    owed=0b001,
    held=0b100,
    queued=0b1000,
    shown=0b10,
    joined=frozenset({Event.RETURNED, Event.PASSED}),
    retries=1,
    reply=REPLY,
    replied=CommandId(3, 0, 2),
    acted=frozenset({"b", "a"}),
    tripped=CommandId(4, 0, 1),
)
STATE = RunState(
    "suspended",
    Facts(10, session=True),
    "a",
    6,
    6,
    2,
    output=CommandId(2, 1),
    cause=CommandId(6, -3),
    arriving=True,
    kept=KEPT,
)
WRITTEN_REPLY = {
    "calls": [["a/search", "search", 1]],
    "requests": [["a/to_b", 2]],
    "verdict": "again",
    "active": True,
}
FACTS = {"limit": 10, "session": True, "hooked": False}
WRITTEN_KEPT = {
    "state": "a.acting",
    "facts": FACTS,
    "agent": "a",
    "sequence": 4,
    "entered": 4,
    "turn": 2,
    "lanes": [[1, 2, 0], [3, 4, 2]],
    "owed": [0],
    "held": [2],
    "queued": [3],
    "shown": [1],
    "joined": ["passed", "returned"],
    "retries": 1,
    "reply": WRITTEN_REPLY,
    "replied": [3, 0, 2],
    "output": None,
    "cause": None,
    "arriving": False,
    "acted": ["a", "b"],
    "kept": None,
    "tripped": [4, 0, 1],
}
WRITTEN_STATE = {
    "version": 2,
    "state": "suspended",
    "facts": FACTS,
    "agent": "a",
    "sequence": 6,
    "entered": 6,
    "turn": 2,
    "lanes": [],
    "owed": [],
    "held": [],
    "queued": [],
    "shown": [],
    "joined": [],
    "retries": 0,
    "reply": None,
    "replied": None,
    "output": [2, 1, 0],
    "cause": [6, -3, 0],
    "arriving": True,
    "acted": [],
    "kept": WRITTEN_KEPT,
    "tripped": None,
}
WRITTEN_OUTCOME = {"version": 2, "id": [3, 0, 2], "event": "replied", "reply": WRITTEN_REPLY}


def test_the_written_form_of_a_state() -> None:
    # A golden: later versions read what was stored, so a change here needs a new VERSION.
    assert encode_state(STATE) == WRITTEN_STATE
    assert decode_state(WRITTEN_STATE) == STATE


def test_the_written_form_of_a_state_does_not_depend_on_the_order_of_a_set() -> None:
    for names in (("x", "b", "a"), ("a", "b", "x")):
        written = encode_state(STATE._replace(acted=frozenset(names)))
        assert written["acted"] == ["a", "b", "x"]


def test_the_written_form_of_an_outcome_leaves_the_payload_to_the_driver() -> None:
    assert encode_outcome(OUTCOME) == WRITTEN_OUTCOME
    read = decode_outcome(WRITTEN_OUTCOME, "a response")
    assert (read, read.payload) == (OUTCOME, "a response")
    assert decode_outcome(WRITTEN_OUTCOME).payload is None


@given(runs())
def test_every_state_and_outcome_of_a_run_survives_json(run: Run) -> None:
    for state in run.states:
        assert decode_state(json.loads(json.dumps(encode_state(state)))) == state
    for outcome in run.outcomes:
        assert decode_outcome(json.loads(json.dumps(encode_outcome(outcome)))) == outcome


@pytest.mark.parametrize("version", [0, VERSION + 1, None, "1"])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(CodecError, match=f"version {VERSION} only"):
        decode_state({**WRITTEN_STATE, "version": version})
    with pytest.raises(CodecError, match=f"version {VERSION} only"):
        decode_outcome({**WRITTEN_OUTCOME, "version": version})


@pytest.mark.parametrize("missing", sorted(WRITTEN_STATE.keys() - {"version"}))
def test_a_state_with_a_field_missing_is_refused(missing: str) -> None:
    written = {name: value for name, value in WRITTEN_STATE.items() if name != missing}
    with pytest.raises(CodecError, match=f"not a run state: KeyError.*{missing}"):
        decode_state(written)


@pytest.mark.parametrize(
    "wrong",
    [
        {"owed": 3},
        {"owed": [-1]},
        {"lanes": [[1, 2]]},
        {"lanes": [[1, 2, "x"]]},
        {"joined": ["done", "gone"]},
        {"facts": {"limit": 1}, "kept": {}},
        {"kept": {**WRITTEN_KEPT, "owed": None}},
        {"replied": [1]},
        {"replied": 7},
        {"reply": {"calls": []}},
        {"reply": {**WRITTEN_REPLY, "verdict": "perhaps"}},
        {"reply": {**WRITTEN_REPLY, "calls": [["a/search"]]}},
    ],
    ids=str,
)
def test_a_state_with_a_field_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="not a run state"):
        decode_state({**WRITTEN_STATE, **wrong})


@pytest.mark.parametrize(
    "wrong", [{"id": [1, 2, 3, 4]}, {"id": None}, {"event": "finished"}, {"reply": []}], ids=str
)
def test_an_outcome_with_a_field_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="not an outcome"):
        decode_outcome({**WRITTEN_OUTCOME, **wrong})


@pytest.mark.parametrize("data", [None, [], "state", 1])
def test_what_is_not_an_object_is_refused(data: Any) -> None:
    with pytest.raises(CodecError):
        decode_state(data)
