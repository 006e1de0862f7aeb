"""The rows of one history in an SQL database, and the saves of runs to it.

All operations take an open connection; the caller opens the transaction of a write. A store says
how it reads, inserts, moves and removes rows, which it names by keys. The handling of saves is the
same in every store: a table of our own has a row for each save, with its key, its name
(`Block.write_of`), the keys of the rows that it wrote, and the process in which the run is at work.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.runs.saves import Block, adopted, is_repeated

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

__all__ = ["KeyedText", "Popped", "Readable", "SavedRows"]

_Connection = TypeVar("_Connection")

KeyedText = tuple[int, str]
"""The key of a row and its text."""

_OF_RUN = "session_id = :session_id AND run_id = :run_id"


class Readable(NamedTuple):
    """Rows that were read.

    Attributes:
        keys: The keys of the rows that hold an item.
        items: Their items.
        damaged: How many rows among them hold none.
    """

    keys: list[int]
    items: list[TResponseInputItem]
    damaged: int


class Popped(NamedTuple):
    """The result of a pop.

    Attributes:
        item: The item of the removed row; None if no row was removed.
        passed: How many later rows have an item that was not accepted.
        damaged: How many later rows hold no item.
    """

    item: TResponseInputItem | None
    passed: int
    damaged: int


@dataclass(frozen=True)
class SavedRows(ABC, Generic[_Connection]):
    """The rows of one history.

    Attributes:
        session_id: The session.
    """

    session_id: str

    def latest(self, connection: _Connection, count: int | None) -> Readable:
        """Return the latest rows that hold an item, oldest first; None means all of them."""
        if count is None:
            pairs = self.oldest_first(connection)
            items = decode_items([text for _, text in pairs])
            if len(items) == len(pairs):
                return Readable([key for key, _ in pairs], items, 0)
            return _readable(pairs, None)
        if count == 0:
            return Readable([], [], 0)
        with closing(self.newest_first(connection, count)) as rows:
            keys, items, damaged = _readable(rows, count)
        return Readable(keys[::-1], items[::-1], damaged)

    def append(self, connection: _Connection, texts: Sequence[str]) -> Sequence[int]:
        """Append texts of no run; return their keys."""
        self.lock(connection)
        return self.insert(connection, texts)

    def append_to_block(self, connection: _Connection, texts: Sequence[str], block: Block) -> bool:
        """Append texts to the block of a run; first move the block to the end if other rows follow.

        Returns:
            Whether this appended the texts and did nothing else.

        Raises:
            ConcurrentWrite: Another run has written to the block.
        """
        self.lock(connection)
        saves = self._saves(
            connection,
            f"SELECT position, {self.write}, row_ids FROM {self.saves} "
            f"WHERE {_OF_RUN} AND position >= :position",
            run_id=block.run_id,
            position=block.position - 1,
        )
        latest = {position: rest for position, *rest in saves}
        write = block.write_of(texts)
        stored, _ = latest.get(block.position, (None, None))
        if is_repeated(stored, write):
            return False
        _, before = latest.get(block.position - 1, (None, "[]"))
        moved = self._gather(connection, block.run_id, json.loads(before))
        self._record(connection, block, write, [*(moved or ()), *self.insert(connection, texts)])
        return moved is None

    def adopt(
        self, connection: _Connection, items: list[TResponseInputItem], own: Block
    ) -> Block | None:
        """Return the latest rows as a block if they hold these items, else None.

        Rows of another program, or of several runs, become the run's own block.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
        """
        self.lock(connection)
        keys, latest, _ = self.latest(connection, len(items))
        if latest != items:
            return None
        # Of two runs that list a row, the one that has claimed it comes last.
        saves = self._saves(
            connection,
            f"SELECT run_id, position, owner, row_ids FROM {self.saves} "
            "WHERE session_id = :session_id "
            f"ORDER BY CASE WHEN {self.write} = '' THEN 1 ELSE 0 END, position",
        )
        block = adopted(((*save, json.loads(row_ids)) for *save, row_ids in saves), keys, own)
        if block is None:
            self._saves(connection, f"DELETE FROM {self.saves} WHERE {_OF_RUN}", run_id=own.run_id)
            self._record(connection, own, "", keys)
            return own.saved()
        change = f"UPDATE {self.saves} SET owner = :owner WHERE {_OF_RUN}"
        self._saves(connection, change, run_id=block.run_id, owner=own.owner)
        return block

    def release(self, connection: _Connection, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        change = f"UPDATE {self.saves} SET owner = '' WHERE {_OF_RUN} AND owner = :owner"
        self._saves(connection, change, run_id=block.run_id, owner=block.owner)

    def pop(self, connection: _Connection, accept: Accept) -> Popped:
        """Remove the latest row whose item is accepted."""
        passed = damaged = 0
        with closing(self.newest_first(connection, 1)) as rows:
            for key, text in rows:
                item = decode_item(text)
                if item is None:
                    damaged += 1
                elif accept(item):
                    rows.close()
                    self.remove(connection, key)
                    return Popped(item, passed, damaged)
                else:
                    passed += 1
        return Popped(None, passed, damaged)

    def _gather(
        self, connection: _Connection, run_id: str, latest: Sequence[int]
    ) -> Sequence[int] | None:
        """Move the rows of a run to the end if others follow those of its latest save.

        Returns:
            The new keys of all its rows; None if nothing was moved.
        """
        if not latest or not self.is_followed(connection, latest[-1]):
            return None
        query = f"SELECT row_ids FROM {self.saves} WHERE {_OF_RUN} ORDER BY position"
        lists = list(self._saves(connection, query, run_id=run_id))
        moved = self.move_to_end(connection, [key for (ids,) in lists for key in json.loads(ids)])
        if moved is not None:
            change = f"UPDATE {self.saves} SET row_ids = '[]' WHERE {_OF_RUN}"
            self._saves(connection, change, run_id=run_id)
        return moved

    def _record(
        self, connection: _Connection, block: Block, write: str, keys: Sequence[int]
    ) -> None:
        self._saves(
            connection,
            f"INSERT INTO {self.saves} (session_id, run_id, position, {self.write}, row_ids, owner)"
            " VALUES (:session_id, :run_id, :position, :write, :row_ids, :owner)",
            run_id=block.run_id,
            position=block.position,
            write=write,
            row_ids=json.dumps(list(keys)),
            owner=block.owner,
        )

    def _saves(self, connection: _Connection, statement: str, **values: object) -> Iterable[Any]:
        return self.execute(connection, statement, {"session_id": self.session_id, **values})

    @property
    @abstractmethod
    def saves(self) -> str:
        """The table of saves, quoted."""

    @property
    def write(self) -> str:
        """The column `write` of the table of saves, quoted where the database needs it."""
        return "write"

    @abstractmethod
    def execute(
        self, connection: _Connection, statement: str, values: dict[str, object]
    ) -> Iterable[Any]:
        """Execute a statement with named parameters; return its rows."""

    @abstractmethod
    def lock(self, connection: _Connection) -> None:
        """Make other writers to the session wait until the transaction ends."""

    @abstractmethod
    def newest_first(self, connection: _Connection, count: int) -> Generator[KeyedText, None, None]:
        """Yield all rows, the latest first; the caller probably needs `count` of them."""

    @abstractmethod
    def oldest_first(self, connection: _Connection) -> Sequence[KeyedText]:
        """Return all rows, the earliest first."""

    @abstractmethod
    def insert(self, connection: _Connection, texts: Sequence[str]) -> Sequence[int]:
        """Insert rows at the end; return their keys."""

    @abstractmethod
    def is_followed(self, connection: _Connection, key: int) -> bool:
        """Return whether rows may follow the row with this key; it may be gone."""

    @abstractmethod
    def move_to_end(self, connection: _Connection, keys: Sequence[int]) -> Sequence[int] | None:
        """Move those of the rows that still exist to the end, in their order.

        A text that an older version has marked loses its mark.

        Returns:
            Their new keys; None if they are at the end already.
        """

    @abstractmethod
    def remove(self, connection: _Connection, key: int) -> None:
        """Remove a row."""


def _readable(rows: Iterable[KeyedText], count: int | None) -> Readable:
    """Return the rows with an item, up to `count`, in their order; read no further row."""
    keys: list[int] = []
    items: list[TResponseInputItem] = []
    damaged = 0
    for key, text in rows:
        item = decode_item(text)
        if item is None:
            damaged += 1
            continue
        keys.append(key)
        items.append(item)
        if len(items) == count:
            break
    return Readable(keys, items, damaged)
