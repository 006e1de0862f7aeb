"""The usage that an outcome reports is read in two places, which agree: the record of its run, and
the journal, which counts it for the runs around."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from agentgraph import ModelResponse, RunConfig, Usage
from agentgraph.approvals import ApprovalLedger
from agentgraph.drivers.journal import spent_in
from agentgraph.record import payloads
from agentgraph.record.facts import RunFacts
from agentgraph.record.fold import absorb
from agentgraph.record.payloads import Failure, ModelReply, Request, ToolReturn
from agentgraph.record.record import Record
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Outcome
from agentgraph.stored.faults import fault_of
from agentgraph_compiler.machine import Event

USAGE = Usage(requests=1, input_tokens=3, output_tokens=4, total_tokens=7)
RESPONSE = ModelResponse(output=[], usage=USAGE, response_id=None)
NAMES: Any = None
REPORTING: list[Any] = [
    ModelReply(RESPONSE, "a", Request("be brief", 0, 0, 0, None, None, ())),
    ToolReturn("ok", {}, usage=USAGE),
    Failure(fault_of(ValueError("no")), USAGE),
]


@pytest.mark.parametrize("payload", REPORTING, ids=lambda payload: type(payload).__name__)
def test_the_record_counts_the_usage_that_the_journal_counts(payload: Any) -> None:
    facts = RunFacts("run", (), "", "go", RunConfig(), None)
    record = Record(facts, ApprovalLedger())
    absorb(record, Outcome(CommandId(1, 0), Event.FAILED, payload), None, NAMES)
    assert spent_in(payload) is USAGE
    assert record.usage.total_tokens == USAGE.total_tokens


def test_every_payload_that_has_a_place_for_usage_is_tried() -> None:
    classes = [one for _, one in inspect.getmembers(payloads, inspect.isclass)]
    own = [one for one in classes if one.__module__ == payloads.__name__]
    reporting = {one for one in own if {"usage", "response"} & one.__annotations__.keys()}
    assert reporting == set(map(type, REPORTING))
