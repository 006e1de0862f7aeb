"""Machines that were changed on disk: a reader refuses what no interpreter could run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agentgraph_compiler.emit import MachineFormatError, emit, machine_from_json
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Tool
from agentgraph_compiler.machine import WorkKind

Change = Callable[[dict[str, Any]], None]


def document() -> dict[str, Any]:
    """A machine, with one inside, as it is written."""
    asked = Tool("a/tool/ask", "ask", WorkKind.AGENT, machine="inner")
    outer = build("outer", "a", [Agent("a", "A", tools=(asked,))])
    inner = build("inner", "b", [Agent("b", "B")])
    written: dict[str, Any] = json.loads(emit(replace(outer, charts=(inner,))).to_json())
    return written


def without(state: str) -> Change:
    def change(written: dict[str, Any]) -> None:
        written["states"] = [row for row in written["states"] if row["id"] != state]

    return change


def test_an_unchanged_machine_is_read() -> None:
    assert machine_from_json(json.dumps(document())).name == "outer"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("done"), "leads to 'done', but 'outer' has no such state"),
        (without("initial"), "'outer' begins in 'initial', but has no such state"),
        (
            lambda written: written["machines"].clear(),
            "runs the machine 'inner', which does not exist",
        ),
        (lambda written: written["machines"][0].update(states=[]), "'inner' begins in 'initial'"),
        (lambda written: written.update(version="1"), "cannot read machine format '1'"),
        (lambda written: written.pop("states"), "not a machine: states: Field required"),
        (lambda written: written["states"][0].update(id=1), "states.0.id: Input should be"),
    ],
)
def test_a_changed_machine_is_refused_with_what_is_wrong(change: Change, message: str) -> None:
    written = document()
    change(written)
    with pytest.raises(MachineFormatError, match=message) as refused:
        machine_from_json(json.dumps(written))
    assert len(str(refused.value)) < 300
