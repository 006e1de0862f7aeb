"""Journals of durable runs: where the rows of runs are stored, so that a run survives its process.

A store knows texts and numbers only; what a line means stands in `agentgraph.running`. Read
`store.py` first.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from agentgraph.memory.journals.errors import (
    ClaimLost,
    IndexTaken,
    JournalError,
    RunInProgress,
    UnknownRun,
)
from agentgraph.memory.journals.in_memory import InMemoryJournal
from agentgraph.memory.journals.store import Durability, JournalStore, RunStatus, StoredRun

if TYPE_CHECKING:
    from agentgraph.memory.journals.sqlite import SQLiteJournal

__all__ = [
    "ClaimLost",
    "Durability",
    "InMemoryJournal",
    "IndexTaken",
    "JournalError",
    "JournalStore",
    "RunInProgress",
    "RunStatus",
    "SQLiteJournal",
    "StoredRun",
    "UnknownRun",
]


_LAZY = {"SQLiteJournal": "agentgraph.memory.journals.sqlite"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
