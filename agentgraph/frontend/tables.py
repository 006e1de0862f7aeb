"""Tables that are kept: what workflows of one outline have in common, by that outline.

A table and a layout are plain data; no object of a user's, no class and no function hangs on them.
How much is kept is bounded, and what was used longest ago goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import NamedTuple

from agentgraph.frontend.bind import Layout
from agentgraph_compiler.machine import Machine


class Table(NamedTuple):
    """What workflows of one outline share.

    Args:
        machine: A machine without types and digests.
        layout: Which place each of its symbols stands for.
    """

    machine: Machine
    layout: Layout

    @property
    def size(self) -> int:
        """How many agents it is about, those behind tools included."""
        return len(self.layout.agents) + sum(len(agents) for _, agents in self.layout.parts)


class Tables:
    """Tables by outline; several threads may use it.

    Args:
        limit: The most agents that all of the tables together are about; a larger workflow is not
            kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._tables: OrderedDict[Hashable, Table] = OrderedDict()
        self._lock = Lock()

    def get(self, outline: Hashable) -> Table | None:
        """The table of an outline, if it is kept."""
        with self._lock:
            found = self._tables.get(outline)
            if found is not None:
                self._tables.move_to_end(outline)
            return found

    def keep(self, outline: Hashable, table: Table) -> None:
        """Keep a table, and let go of those used longest ago if there are too many."""
        if table.size > self._limit:
            return
        with self._lock:
            before = self._tables.pop(outline, None)
            self._size += table.size - (0 if before is None else before.size)
            self._tables[outline] = table
            while self._size > self._limit:
                _, oldest = self._tables.popitem(last=False)
                self._size -= oldest.size

    @property
    def size(self) -> int:
        """How many agents the tables together are about."""
        return self._size
