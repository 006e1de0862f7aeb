"""How long durable runs are kept, and what of them.

The outline of a run keeps numbers and the names that the program gave: states, events, agents,
tools, usage, classes of exceptions. Whatever a person, a model or a tool said is left out, since
only what stands in the lists below is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.memory.journals import JournalStore, RunInProgress, RunStatus, StoredRun, UnknownRun
from agentgraph.memory.journals.store import OVER
from agentgraph.running.journal_lines import ERASED
from agentgraph.stored.journal_file import line_of, object_in

__all__ = ["Kept", "prune_runs"]

Kept: TypeAlias = Literal["nothing", "outline"]
"""What is kept of a run: nothing, or status, times, usage and shape."""

_PAGE: Final = 200
_OF_HEADS: Final = ("$schemaVersion", "run", "code", "limit")
_OF_LINES: Final = ("kind", "index", "path", "id", "event", "state", "sequence", "turn", "machine")
_OF_PAYLOADS: Final = (
    "is",
    "agent",
    "failed",
    "number",
    "source",
    "step",
    "symbol",
    "target",
    "tripped",
    "wait",
)


async def prune_runs(
    journal: JournalStore,
    *,
    older_than: timedelta,
    statuses: Sequence[RunStatus] = (),
    keep: Kept = "nothing",
    on_run: Callable[[str], object] | None = None,
) -> list[str]:
    """Delete old runs, or all that was said in them.

    A run that is claimed, or changes meanwhile, stays as it is.

    Args:
        journal: The journal.
        older_than: How long ago the status of a run must have changed last.
        statuses: Which runs; those that are over if empty. A run that is not over is lost if it is
            deleted.
        keep: `"nothing"` deletes the runs. `"outline"` erases their content; it is for runs that
            are over, which then cannot give their result again.
        on_run: Called with the id of each run that was pruned.

    Returns:
        The ids of the runs that were pruned, the latest changed first.

    Raises:
        UserError: The settings cannot work.
        JournalError: The journal failed. Runs pruned before stay pruned.
    """
    chosen = tuple(statuses) or tuple(sorted(OVER))
    if older_than < timedelta(0):
        raise UserError(f"older_than must not be negative, got {older_than!r}.")
    if keep not in ("nothing", "outline"):
        raise UserError(f"keep is 'nothing' or 'outline', not {keep!r}.")
    if keep == "outline" and not OVER.issuperset(chosen):
        pending = ", ".join(sorted(set(chosen) - OVER))
        raise UserError(
            f"keep='outline' is for runs that are over, and these may go on: {pending}. Their"
            " content is what they go on with."
        )
    before = time.time() - older_than.total_seconds()
    pruned = []
    for run in await _old(journal, chosen, before, keep):
        if await _pruned(journal, run, keep):
            pruned.append(run.run_id)
            if on_run is not None:
                on_run(run.run_id)
    return pruned


async def _old(
    journal: JournalStore, statuses: Sequence[RunStatus], before: float, keep: Kept
) -> list[StoredRun]:
    """The runs to prune, without the texts of their heads and notes."""
    runs: list[StoredRun] = []
    last = ""
    while page := await journal.runs(statuses, limit=_PAGE, after=last):
        last = page[-1].run_id
        runs += [
            run._replace(head="", note="")
            for run in page
            if run.updated <= before and not (keep == "outline" and _is_erased(run))
        ]
    return runs


def _is_erased(run: StoredRun) -> bool:
    return ERASED in json.loads(run.head)


async def _pruned(journal: JournalStore, run: StoredRun, keep: Kept) -> bool:
    now = await journal.find(run.run_id)
    if now is None or (now.status, now.updated) != (run.status, run.updated):
        return False
    try:
        if keep == "nothing":
            await journal.delete(run.run_id)
        else:
            texts = await journal.read(run.run_id)
            lines = [_outline(object_in(text, at)) for at, text in enumerate(texts, 1)]
            await journal.rewrite(run.run_id, _erased_head(now.head), lines)
    except (RunInProgress, UnknownRun):
        return False
    return True


def _erased_head(head: str) -> str:
    data = json.loads(head)
    kept = {name: data[name] for name in _OF_HEADS if name in data}
    return line_of({**kept, ERASED: int(time.time())}, "The head").rstrip("\n")


def _outline(line: Mapping[str, Any]) -> str:
    kept = {name: line[name] for name in _OF_LINES if name in line}
    if "spent" in line:
        kept["spent"] = _numbers(line["spent"])
    if "reply" in line:
        kept["reply"] = _reply_outline(line["reply"])
    if "payload" in line:
        kept["payload"] = _payload_outline(line["payload"])
    return line_of(kept, "The outline").rstrip("\n")


def _reply_outline(reply: Mapping[str, Any]) -> dict[str, Any]:
    """What a model asked for, by symbol; the name of a tool that does not exist is the model's."""
    return {
        "calls": [[symbol, "", position] for symbol, _, position in reply["calls"]],
        "requests": reply["requests"],
        "verdict": reply["verdict"],
        "active": reply["active"],
    }


def _payload_outline(payload: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: payload[name] for name in _OF_PAYLOADS if name in payload}
    response = payload.get("response") or {}
    usage = payload.get("usage") or response.get("usage")
    if usage is not None:
        kept["usage"] = _numbers(usage)
    if payload.get("fault"):
        kept["fault"] = payload["fault"]["name"]
    return kept


def _numbers(value: object) -> object:
    """A value without its texts."""
    match value:
        case dict():
            return {name: _numbers(one) for name, one in value.items()}
        case list():
            return [_numbers(one) for one in value]
        case str():
            return None
        case _:
            return value
