"""Statuses and ages of runs, in the words and colours of a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, get_args

from agentgraph.cli.faults import CommandFault
from agentgraph.memory.encoding import ENVELOPE_MARK
from agentgraph.memory.journals import RunStatus, StoredRun

__all__ = [
    "STATUSES",
    "age",
    "age_in_seconds",
    "moment",
    "note_of",
    "number_of_runs",
    "status_of",
    "statuses_of",
    "style_of",
    "waiting_of",
]

STATUSES: Final[tuple[RunStatus, ...]] = get_args(RunStatus)
"""The statuses of runs, as a journal stores them."""

_STYLES: Final[Mapping[str, str]] = {
    "running": "handoff",
    "not begun": "note",
    "cut short": "warning",
    "suspended": "warning",
    "stopped": "note",
    "unsaved": "error",
    "failed": "error",
    "blocked": "error",
    "exhausted": "error",
    "done": "passed",
}
_MINUTE: Final = 60
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", _MINUTE), ("s", 1))
_SECONDS: Final = {"s": 1, "m": _MINUTE, "h": 3_600, "d": 86_400, "w": 604_800}


def status_of(run: StoredRun, now: float) -> str:
    """What a run is doing. A run that counts as running has not begun, or its process is gone,
    unless its claim holds.

    Args:
        run: The run.
        now: The seconds since 1970.
    """
    if run.status != "running" or run.is_held(now):
        return run.status
    return "cut short" if run.epoch else "not begun"


def statuses_of(names: Sequence[str]) -> list[RunStatus]:
    """Read statuses.

    Raises:
        CommandFault: There is no such status.
    """
    by_name: Mapping[str, RunStatus] = {status: status for status in STATUSES}
    for name in names:
        if name not in by_name:
            raise CommandFault(
                f"there is no status {name!r}", help=f"the statuses are {', '.join(STATUSES)}"
            )
    return [by_name[name] for name in names]


def style_of(status: str) -> str:
    """The style of a status in a terminal."""
    return _STYLES.get(status, "")


def note_of(run: StoredRun) -> Mapping[str, Any]:
    """What lists show of a run; empty before its first rest, or if it is encrypted."""
    note = json.loads(run.note) if run.note else {}
    return {} if ENVELOPE_MARK in note else note


def waiting_of(run: StoredRun) -> list[Mapping[str, Any]]:
    """The calls and questions that a run waits for: the tool or the step, and the id of the call.

    A run that was decided or forked may have a note of an earlier rest.
    """
    return list(note_of(run).get("waiting", ())) if run.status == "suspended" else []


def number_of_runs(number: int, noun: str = "run") -> str:
    """How many runs, in words."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def age(seconds: float) -> str:
    """A time that has passed, in its largest unit."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def age_in_seconds(text: str) -> float:
    """Read an age such as `90s`, `30m`, `12h`, `7d` or `2w`.

    Raises:
        CommandFault: It is none.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not number.isdecimal():
        raise CommandFault(f"{text!r} is no age", help="write 90s, 30m, 12h, 7d or 2w")
    return float(int(number) * _SECONDS[unit])


def moment(seconds: float) -> str:
    """A time in UTC, as ISO 8601 writes it.

    Args:
        seconds: The seconds since 1970.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
