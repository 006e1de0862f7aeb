"""Durable runs by their id: to go on with one, and to make a new one from a point of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.approvals import RunPath
from agentgraph.exceptions import UserError
from agentgraph.items.text import carried
from agentgraph.memory.journals import JournalStore, StoredRun, UnknownRun
from agentgraph.memory.journals.holders import new_holder
from agentgraph.record.facts import RunFacts
from agentgraph.running.arguments import check_input
from agentgraph.running.journal_lines import (
    BEGAN,
    STARTED,
    Head,
    head_text,
    outcome_of,
    read_head,
    started_of,
)
from agentgraph.running.persist import stored_facts
from agentgraph.runtime.commands import CommandId
from agentgraph.stored.items import encode_input
from agentgraph.stored.journal_file import object_in, text_of

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["begin_run", "fork_points", "fork_run", "head_of_run", "machines_in", "open_run"]


async def head_of_run(store: JournalStore, run_id: str) -> Head:
    """What holds for a whole run.

    Raises:
        UnknownRun: There is no such run.
    """
    stored = await store.find(run_id)
    if stored is None:
        raise UnknownRun(run_id, store.place)
    return read_head(stored.head)


async def begin_run(
    store: JournalStore,
    run_id: str,
    input: str | list[TResponseInputItem],
    limit: int | None,
) -> None:
    """Store a run that no process works on yet.

    Args:
        store: The journal.
        run_id: The id of the run.
        input: Its input.
        limit: The most turns.

    Raises:
        UserError: There is a run with this id and another input.
    """
    check_input(input)
    text_or_items = carried(input) if isinstance(input, str) else input
    await open_run(store, stored_facts(run_id, text_or_items, limit))


async def open_run(store: JournalStore, facts: RunFacts) -> StoredRun:
    """Begin a run in a store, or check that it is the one that stands there.

    Returns:
        The run as it stands there.

    Raises:
        UserError: The run began with another input.
    """
    stored = await store.open(facts.run_id, head_text(facts))
    began = read_head(stored.head)
    if encode_input(began.input) != encode_input(facts.input):
        raise UserError(
            f"Run {facts.run_id!r} in {store.place} began with another input. Use another run_id"
            " for another run, or Runner.resume(run_id, ...) to go on with this one."
        )
    return stored


async def fork_run(store: JournalStore, run_id: str, at: int | None, new_run_id: str | None) -> str:
    """Begin a new run with the first outcomes of a stored one.

    Args:
        store: The journal of both.
        run_id: The stored run.
        at: How many of its outcomes the new run has; all if left out.
        new_run_id: The id of the new run; a new one if left out.

    Returns:
        The id of the new run.

    Raises:
        UnknownRun: There is no such run.
        UserError: The number is out of range, a call is at work at that point, the new id is
            taken, or the content of the run was erased.
    """
    stored = await store.find(run_id)
    if stored is None:
        raise UnknownRun(run_id, store.place)
    read_head(stored.head)
    new = os.urandom(16).hex() if new_run_id is None else new_run_id
    if await store.find(new) is not None:
        raise UserError(f"There is a run {new!r} in {store.place} already.")
    texts = await store.read(run_id)
    lines = [object_in(text, number) for number, text in enumerate(texts, 1)]
    kept = _first(lines, at, run_id)
    head = {**json.loads(stored.head), "run": new}
    await store.open(new, text_of(head, "The head"))
    epoch = await store.claim(new, new_holder(), store.claim_seconds)
    for fingerprint in machines_in(lines[:kept]):
        machine = await store.machine(fingerprint)
        if machine is not None:
            await store.keep_machine(new, fingerprint, machine)
    if kept:
        await store.append(new, epoch, 0, texts[:kept])
    await store.finish(new, epoch, "stopped", stored.note)
    return new


def _first(lines: list[dict[str, Any]], at: int | None, run_id: str) -> int:
    """How many lines belong to the first outcomes."""
    outcomes = sum("index" in line for line in lines)
    wished = outcomes if at is None else at
    if not 0 <= wished <= outcomes:
        raise UserError(f"Run {run_id!r} has {outcomes} outcomes, so it has no point {wished}.")
    if wished == 0:
        return 0
    kept = next(place for place, line in enumerate(lines, 1) if line.get("index") == wished - 1)
    if at is None:
        kept = len(lines)
    at_work = _at_work(lines[:kept])
    if at_work:
        raise UserError(
            f"Run {run_id!r} cannot be forked at {wished}: {len(at_work)} calls are at work there,"
            " and it is unknown what they did. Fork it at an outcome before or after them."
        )
    return kept


def _at_work(lines: Iterable[Mapping[str, Any]]) -> set[tuple[RunPath, CommandId]]:
    """The effects that began and have no outcome."""
    begun: set[tuple[RunPath, CommandId]] = set()
    for line in lines:
        _note(line, begun)
    return begun


def _note(line: Mapping[str, Any], begun: set[tuple[RunPath, CommandId]]) -> None:
    """Add an effect that begins to those at work, or remove one that has its outcome."""
    if line.get("kind") == STARTED:
        begun.add(started_of(line))
    elif "index" in line:
        begun.discard(outcome_of(line))


def fork_points(texts: Iterable[str]) -> Iterator[bool]:
    """For each outcome of a run, whether a fork can have it as its last one.

    Args:
        texts: The lines of the run.
    """
    begun: set[tuple[RunPath, CommandId]] = set()
    for number, text in enumerate(texts, 1):
        line = object_in(text, number)
        _note(line, begun)
        if "index" in line:
            yield not begun


def machines_in(lines: Iterable[Mapping[str, Any]]) -> set[str]:
    """The machines that some lines name."""
    began = {line["machine"] for line in lines if line.get("kind") == BEGAN}
    payloads = (line.get("payload") or {} for line in lines)
    return began | {one["after"] for one in payloads if one.get("is") == "migrated"}
