"""Work returns an outcome and writes nothing else: only the fold changes a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any

import pytest

from agentgraph.drivers import aio
from agentgraph.drivers.perform import PERFORMS
from agentgraph.drivers.workbench import Workbench
from agentgraph.items.read_only import ReadOnly
from agentgraph.memory.runs.transcript import Transcript
from agentgraph.record.record import Record
from agentgraph.record.view import Stored, View
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from tests.api.scenarios import SCENARIOS
from tests.replay.cuts import uncut
from tests.replay.digest import difference, plain
from tests.replay.test_cut_anywhere import NO_RUN

FOLDS = ("absorb", "show", "follow", "wait")


class Witness:
    """Knows what every record of a test held after the last fold.

    Records of runs inside one another share the ledger of decisions, so a fold of one may change
    what another holds.
    """

    def __init__(self) -> None:
        self.held: dict[int, tuple[Record, Any]] = {}
        self.looks = 0
        self.faults: list[str] = []

    def see(self, record: Record) -> None:
        """Take notice of a record."""
        if id(record) not in self.held:
            self.held[id(record)] = record, plain(record)

    def check(self, when: str) -> None:
        """Hold every record against what it held after the last fold; what work raises would count
        as its outcome, so a fault is noted."""
        for record, before in self.held.values():
            now = plain(record)
            if now != before:
                self.faults.append(f"{when}: {difference(before, now, 'record')}")
        self.looks += 1

    def renew(self) -> None:
        """Note what the records hold after a fold."""
        for record, _ in tuple(self.held.values()):
            self.held[id(record)] = record, plain(record)


def record_of(bench: Workbench) -> Record:
    """The record that work is given a view of."""
    return bench.view._View__record  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    """Looks at every record before and after each piece of work and each fold."""
    witness = Witness()

    def folding(name: str, fold: Callable[..., Any]) -> Callable[..., Any]:
        def folded(record: Record, *rest: Any) -> Any:
            witness.see(record)
            witness.check(f"before {name}")
            try:
                return fold(record, *rest)
            finally:
                witness.renew()

        return folded

    def working(work: Any) -> Any:
        async def worked(bench: Workbench, command: Perform) -> Outcome:
            witness.see(record_of(bench))
            what = f"{command.phase.kind} of {command.invoke.symbol}"
            witness.check(f"before {what}")
            try:
                outcome: Outcome = await work(bench, command)
                return outcome
            finally:
                witness.check(f"after {what}")

        return worked

    for name in FOLDS:
        monkeypatch.setattr(aio, name, folding(name, getattr(aio, name)))
    for kind, work in PERFORMS.items():
        monkeypatch.setitem(PERFORMS, kind, working(work))
    return witness


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - NO_RUN))
async def test_no_work_of_a_recorded_workflow_changes_the_record(
    name: str, streamed: bool, witness: Witness
) -> None:
    await uncut(SCENARIOS[name], streamed=streamed)
    assert witness.looks > 0
    assert not witness.faults


async def test_the_witness_sees_work_that_writes(
    monkeypatch: pytest.MonkeyPatch, witness: Witness
) -> None:
    def writing(work: Any) -> Any:
        async def written(bench: Workbench, command: Perform) -> Outcome:
            record_of(bench).usage.requests += 1
            outcome: Outcome = await work(bench, command)
            return outcome

        return written

    for kind, work in PERFORMS.items():
        monkeypatch.setitem(PERFORMS, kind, writing(work))
    await uncut(SCENARIOS["plain_answer"], streamed=False)
    assert witness.faults
    assert "record/usage/Usage/requests/1: 0 and 1" in witness.faults[0]


MUTATING = {
    *(name for kind in (list, dict, set) for name in dir(kind) if not hasattr(tuple, name)),
    *("record", "decide", "ask", "prepare", "rebase", "answer", "note"),
} - {*dir(frozenset), *dir(MappingProxyType)}
"""Names of methods that change what they belong to."""


def public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [View, ReadOnly, Stored])
def test_what_work_sees_has_no_method_that_changes_it(kind: type) -> None:
    assert {"append", "add", "update", "clear", "record"} <= MUTATING
    assert not MUTATING & set(public(kind))


async def seen_by_work(name: str) -> tuple[Record, View]:
    _, end = await uncut(SCENARIOS[name], streamed=False)
    bench = end.launched.run.bench
    return record_of(bench), bench.view


def handed_out(view: View) -> Iterator[tuple[str, Any]]:
    """Every value that a view gives without being asked for something in particular, and the parts
    of those that are made of parts."""
    for name in public(View):
        value = getattr(view, name)
        if callable(value):
            if any(
                parameter.default is Parameter.empty
                for parameter in signature(value).parameters.values()
            ):
                continue
            value = value()
        yield name, value
        if isinstance(value, tuple):
            yield from ((name, part) for part in value)


def containers(value: Any) -> Iterator[Any]:
    """The lists, dictionaries and sets among the attributes of an object, and of its log."""
    for name in getattr(type(value), "__slots__", ()) or vars(value):
        part = getattr(value, name)
        if isinstance(part, list | dict | set):
            yield part
        elif isinstance(part, Transcript):
            yield from containers(part)


@pytest.mark.parametrize("name", ["session_over_a_tool_turn", "handoff_with_a_filter"])
async def test_a_view_hands_out_no_container_of_the_record(name: str) -> None:
    record, view = await seen_by_work(name)
    own = {id(part) for part in containers(record)}
    assert len(own) > 15
    values = list(handed_out(view))
    assert {"items", "identities", "model_input", "stored", "results"} <= {key for key, _ in values}
    assert not [key for key, value in values if id(value) in own]


async def test_a_view_cannot_be_written_to() -> None:
    _, view = await seen_by_work("plain_answer")
    for name in public(View):
        with pytest.raises(AttributeError):
            setattr(view, name, None)
    with pytest.raises(TypeError):
        view.identities["c1"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        view.items[0] = None  # type: ignore[index]
