"""The journal: every outcome of a run under the id of its command, in the order in which ``step``
saw them.

Resuming is replaying: recorded outcomes go through ``step`` again and nothing that has one is
performed twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Outcome


class Journal:
    """An append-only record of outcomes."""

    __slots__ = ("_by_id", "_order")

    def __init__(self) -> None:
        self._order: list[Outcome] = []
        self._by_id: dict[CommandId, Outcome] = {}

    def record(self, outcome: Outcome) -> None:
        """Append an outcome."""
        self._order.append(outcome)
        self._by_id[outcome.id] = outcome

    def payload(self, id: CommandId | None) -> Any:
        """What the outcome of a command brought; ``None`` for no command."""
        return None if id is None else self._by_id[id].payload

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)
