"""The written form of outcomes: JSON, versioned, and refused with a reason where it is not that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.stored.control import (
    VERSION,
    CodecError,
    decode_outcome,
    encode_outcome,
)
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.workflows import Run, runs

REPLY = Reply((Call("a/search", "search", 1),), (Request("a/to_b", 2),), Verdict.AGAIN, True)
OUTCOME = Outcome(CommandId(3, 0, 2), Event.REPLIED, "a response", REPLY)
WRITTEN_REPLY = {
    "calls": [["a/search", "search", 1]],
    "requests": [["a/to_b", 2]],
    "verdict": "again",
    "active": True,
}
WRITTEN_OUTCOME = {"version": 2, "id": [3, 0, 2], "event": "replied", "reply": WRITTEN_REPLY}


def test_the_written_form_of_an_outcome_leaves_the_payload_to_the_driver() -> None:
    # A golden: later versions read what was stored, so a change here needs a new VERSION.
    assert encode_outcome(OUTCOME) == WRITTEN_OUTCOME
    read = decode_outcome(WRITTEN_OUTCOME, "a response")
    assert (read, read.payload) == (OUTCOME, "a response")
    assert decode_outcome(WRITTEN_OUTCOME).payload is None


@given(runs())
def test_every_outcome_of_a_run_survives_json(run: Run) -> None:
    for outcome in run.outcomes:
        assert decode_outcome(json.loads(json.dumps(encode_outcome(outcome)))) == outcome


@pytest.mark.parametrize("version", [0, VERSION + 1, None, "1"])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(CodecError, match=f"version {VERSION} only"):
        decode_outcome({**WRITTEN_OUTCOME, "version": version})


@pytest.mark.parametrize("missing", sorted(WRITTEN_OUTCOME.keys() - {"version"}))
def test_an_outcome_with_a_field_missing_is_refused(missing: str) -> None:
    written = {name: value for name, value in WRITTEN_OUTCOME.items() if name != missing}
    with pytest.raises(CodecError, match=f"not an outcome: KeyError.*{missing}"):
        decode_outcome(written)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": [1, 2, 3, 4]},
        {"id": None},
        {"id": [1]},
        {"event": "finished"},
        {"reply": []},
        {"reply": {"calls": []}},
        {"reply": {**WRITTEN_REPLY, "verdict": "perhaps"}},
        {"reply": {**WRITTEN_REPLY, "calls": [["a/search"]]}},
    ],
    ids=str,
)
def test_an_outcome_with_a_field_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="not an outcome"):
        decode_outcome({**WRITTEN_OUTCOME, **wrong})


@pytest.mark.parametrize("data", [None, [], "state", 1])
def test_what_is_not_an_object_is_refused(data: Any) -> None:
    with pytest.raises(CodecError):
        decode_outcome(data)
