"""A cache of tables: the data that all workflows with one outline share, by that outline.

A table and a layout are plain data; they refer to no object, class or function of the user. The
cache has a limit and evicts the least recently used tables.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import NamedTuple

from agentgraph.frontend.bind import Layout
from agentgraph_compiler.machine import Machine


class Table(NamedTuple):
    """The data that workflows with one outline share.

    Args:
        machine: A machine without types and digests.
        layout: The place of the object behind each of its symbols.
    """

    machine: Machine
    layout: Layout

    @property
    def size(self) -> int:
        """The number of its agents, including those behind tools."""
        return len(self.layout.agents) + sum(len(part.agents) for _, part in self.layout.parts)


class Tables:
    """Tables by outline; several threads may use one instance.

    Args:
        limit: The most agents in all of the tables together; a larger workflow is not cached.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._tables: OrderedDict[Hashable, Table] = OrderedDict()
        self._lock = Lock()

    def get(self, outline: Hashable) -> Table | None:
        """The table of an outline, if the cache has it."""
        with self._lock:
            table = self._tables.get(outline)
            if table is not None:
                self._tables.move_to_end(outline)
            return table

    def keep(self, outline: Hashable, table: Table) -> None:
        """Cache a table, and evict the least recently used ones if there are too many."""
        if table.size > self._limit:
            return
        with self._lock:
            previous = self._tables.pop(outline, None)
            self._size += table.size - (0 if previous is None else previous.size)
            self._tables[outline] = table
            while self._size > self._limit:
                _, oldest = self._tables.popitem(last=False)
                self._size -= oldest.size

    @property
    def size(self) -> int:
        """The number of agents in all of the tables together."""
        return self._size
