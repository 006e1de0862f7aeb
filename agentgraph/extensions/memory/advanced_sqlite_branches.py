"""Branches and turns of an advanced session, as operations on an open connection.

A turn begins with a user message; the items before the first one are turn 0. A branch lists items
by reference, so branching copies no item. The caller of a function that writes holds the
transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from agentgraph.extensions.memory.advanced_sqlite_kinds import is_user_message, kind_and_tool
from agentgraph.memory.errors import InvalidSessionInput

__all__ = ["MAIN", "Branch", "Branches"]

MAIN = "main"


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of one session.

    Attributes:
        session_id: The session.
        branch_id: The branch.
        messages: The table of items, quoted.
    """

    session_id: str
    branch_id: str
    messages: str

    @property
    def key(self) -> tuple[str, str]:
        """The parameters of an SQL condition on session and branch."""
        return self.session_id, self.branch_id

    def exists(self, connection: sqlite3.Connection) -> bool:
        """Return whether the branch lists any item; `main` always exists."""
        query = "SELECT 1 FROM message_structure WHERE session_id = ? AND branch_id = ? LIMIT 1"
        return self.branch_id == MAIN or connection.execute(query, self.key).fetchone() is not None

    def newest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return the structure ids and stored texts of the branch, the latest first."""
        return connection.execute(f"SELECT s.id, m.message_data {self._joined()} DESC", self.key)

    def oldest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return the structure ids and stored texts of the branch, the earliest first."""
        return connection.execute(f"SELECT s.id, m.message_data {self._joined()}", self.key)

    def append(self, connection: sqlite3.Connection, items: Sequence[tuple[int, Any]]) -> list[int]:
        """List items at the end of the branch.

        Args:
            connection: The connection, in a transaction.
            items: Pairs of an item's row id and the item.

        Returns:
            The ids of their rows in `message_structure`.
        """
        turn, branch_turn = self._last_turns(connection)
        sequence = _last_sequence(connection, self.session_id)
        rows = []
        for row_id, item in items:
            sequence += 1
            if is_user_message(item):
                turn, branch_turn = turn + 1, branch_turn + 1
            kind, tool = kind_and_tool(item)
            rows.append(
                (self.session_id, row_id, self.branch_id, kind, sequence, turn, branch_turn, tool)
            )
        connection.executemany(
            "INSERT INTO message_structure (session_id, message_id, branch_id, message_type, "
            "sequence_number, user_turn_number, branch_turn_number, tool_name) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        newest_first = connection.execute(
            "SELECT id FROM message_structure WHERE session_id = ? AND branch_id = ? "
            "ORDER BY sequence_number DESC LIMIT ?",
            (*self.key, len(rows)),
        )
        return [structure_id for (structure_id,) in newest_first][::-1]

    def move_to_end(self, connection: sqlite3.Connection, structure_ids: Sequence[int]) -> bool:
        """Move items to the end of the branch, and renumber the turns.

        Args:
            connection: The connection, in a transaction.
            structure_ids: The items; ids that the branch no longer lists are ignored.

        Returns:
            Whether others followed them; if not, nothing was changed.
        """
        ids = set(structure_ids)
        rows = self._rows_since_first(connection, ids)
        mine = [row for row in rows if row[0] in ids]
        if rows[len(rows) - len(mine) :] == mine:
            return False
        turn, branch_turn = self._last_turns(connection, before=rows[0][1])
        sequence = _last_sequence(connection, self.session_id)
        renumbered, turns = [], {}
        for row in (*(row for row in rows if row[0] not in ids), *mine):
            structure_id, place, kind, old_turn = row
            if structure_id in ids:
                place = sequence = sequence + 1
            if kind == "user":
                turn, branch_turn = turn + 1, branch_turn + 1
                turns[old_turn] = turn
            renumbered.append((place, turn, branch_turn, structure_id))
        connection.executemany(
            "UPDATE message_structure SET sequence_number = ?, user_turn_number = ?, "
            "branch_turn_number = ? WHERE id = ?",
            renumbered,
        )
        self._renumber_usage(connection, turns)
        return True

    def _rows_since_first(
        self, connection: sqlite3.Connection, structure_ids: Set[int]
    ) -> list[tuple[int, int, str, int]]:
        """Return id, place, kind and turn of each row of the branch, from the first of these rows
        on."""
        if not structure_ids:
            return []
        newest_first = connection.execute(
            "SELECT id, sequence_number, message_type, user_turn_number FROM message_structure "
            "WHERE session_id = ? AND branch_id = ? ORDER BY sequence_number DESC",
            self.key,
        )
        rows, length, first = [], 0, min(structure_ids)
        for row in newest_first:
            rows.append(row)
            if row[0] in structure_ids:
                length = len(rows)
            if row[0] == first:
                break
        newest_first.close()
        return rows[:length][::-1]

    def _renumber_usage(self, connection: sqlite3.Connection, turns: Mapping[int, int]) -> None:
        """Give the usage of turns their new numbers. Two turns may change places, so each usage
        first gets the negative number, which no turn has."""
        changes = {old: new for old, new in turns.items() if old != new}
        update = (
            "UPDATE turn_usage SET user_turn_number = ? "
            "WHERE session_id = ? AND branch_id = ? AND user_turn_number = ?"
        )
        connection.executemany(update, [(-new, *self.key, old) for old, new in changes.items()])
        connection.executemany(update, [(new, *self.key, -new) for new in changes.values()])

    def remove(self, connection: sqlite3.Connection, structure_id: int) -> None:
        """Remove an item from the branch, and from the file if no other branch lists it."""
        message_id, turn = connection.execute(
            "SELECT message_id, user_turn_number FROM message_structure WHERE id = ?",
            (structure_id,),
        ).fetchone()
        connection.execute("DELETE FROM message_structure WHERE id = ?", (structure_id,))
        self.drop_unlisted(connection, [message_id])
        self._drop_usage_without_items(connection, turn)

    def current_turn(self, connection: sqlite3.Connection) -> int | None:
        """Return the number of the latest turn: 0 before the first user message, None if the branch
        is empty."""
        (turn,) = connection.execute(
            "SELECT MAX(user_turn_number) FROM message_structure "
            "WHERE session_id = ? AND branch_id = ?",
            self.key,
        ).fetchone()
        return None if turn is None else int(turn)

    def check_user_turn(self, connection: sqlite3.Connection, turn: int) -> None:
        """Refuse a turn number for which the branch has no user message."""
        row = connection.execute(
            "SELECT 1 FROM message_structure WHERE session_id = ? AND branch_id = ? "
            "AND user_turn_number = ? AND message_type = 'user' LIMIT 1",
            (*self.key, turn),
        ).fetchone()
        if row is None:
            raise InvalidSessionInput(
                f"branch {self.branch_id!r} of session {self.session_id!r} has no turn {turn}; "
                "get_conversation_turns() lists the turns"
            )

    def copy_before(self, connection: sqlite3.Connection, turn: int, name: str) -> None:
        """List all items before a turn in a new branch."""
        rows = connection.execute(
            "SELECT message_id, message_type, user_turn_number, branch_turn_number, tool_name "
            "FROM message_structure WHERE session_id = ? AND branch_id = ? "
            "AND user_turn_number < ? ORDER BY sequence_number",
            (*self.key, turn),
        ).fetchall()
        start = _last_sequence(connection, self.session_id) + 1
        connection.executemany(
            "INSERT INTO message_structure (session_id, branch_id, sequence_number, message_id, "
            "message_type, user_turn_number, branch_turn_number, tool_name) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(self.session_id, name, start + offset, *row) for offset, row in enumerate(rows)],
        )

    def delete(self, connection: sqlite3.Connection) -> None:
        """Remove the branch, its usage and the items that no other branch lists."""
        ids = connection.execute(
            "SELECT message_id FROM message_structure WHERE session_id = ? AND branch_id = ?",
            self.key,
        ).fetchall()
        for table in ("message_structure", "turn_usage"):
            connection.execute(
                f"DELETE FROM {table} WHERE session_id = ? AND branch_id = ?", self.key
            )
        self.drop_unlisted(connection, [message_id for (message_id,) in ids])

    def drop_unlisted(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Remove the items with these row ids, except those that a branch lists."""
        connection.executemany(
            f"DELETE FROM {self.messages} WHERE id = ? AND NOT EXISTS "
            "(SELECT 1 FROM message_structure WHERE session_id = ? AND message_id = ?)",
            [(message_id, self.session_id, message_id) for message_id in ids],
        )

    def _drop_usage_without_items(self, connection: sqlite3.Connection, turn: int) -> None:
        """Remove the usage of a turn that has no items."""
        key = (*self.key, turn)
        connection.execute(
            "DELETE FROM turn_usage WHERE session_id = ? AND branch_id = ? AND user_turn_number = ?"
            " AND NOT EXISTS (SELECT 1 FROM message_structure "
            "WHERE session_id = ? AND branch_id = ? AND user_turn_number = ?)",
            (*key, *key),
        )

    def _joined(self) -> str:
        return (
            f"FROM message_structure s JOIN {self.messages} m ON m.id = s.message_id "
            "WHERE s.session_id = ? AND s.branch_id = ? ORDER BY s.sequence_number"
        )

    def _last_turns(
        self, connection: sqlite3.Connection, before: int | None = None
    ) -> tuple[int, int]:
        row = connection.execute(
            "SELECT MAX(user_turn_number), MAX(branch_turn_number) FROM message_structure "
            "WHERE session_id = ? AND branch_id = ? AND (? IS NULL OR sequence_number < ?)",
            (*self.key, before, before),
        ).fetchone()
        return row[0] or 0, row[1] or 0


@dataclass(frozen=True, slots=True)
class Branches:
    """All branches of one session.

    Attributes:
        session_id: The session.
    """

    session_id: str

    def generation(self, connection: sqlite3.Connection) -> int:
        """Return how often the session was cleared."""
        row = connection.execute(
            "SELECT generation FROM session_clear_generations WHERE session_id = ?",
            (self.session_id,),
        ).fetchone()
        return row[0] if row else 0

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove structure and usage of every branch, and count the clear for other objects."""
        for table in ("message_structure", "turn_usage"):
            connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (self.session_id,))
        connection.execute(
            "INSERT INTO session_clear_generations (session_id, generation) VALUES (?, 1) "
            "ON CONFLICT (session_id) DO UPDATE SET generation = generation + 1",
            (self.session_id,),
        )

    def reserve(self, connection: sqlite3.Connection, name: str | None, turn: int) -> str:
        """Reserve a branch name that was never used, and return it.

        Args:
            connection: The connection, in a transaction.
            name: The name; None makes one.
            turn: The turn for the name that is made.

        Raises:
            InvalidSessionInput: The name is empty or was used before.
        """
        if name is not None and not name.strip():
            raise InvalidSessionInput("a branch name must not be empty")
        self._take(connection, MAIN)
        if name is None:
            base = name = f"branch_from_turn_{turn}_{int(time.time())}"
            suffix = 1
            while not self._take(connection, name):
                suffix += 1
                name = f"{base}_{suffix}"
            return name
        if not self._take(connection, name):
            raise InvalidSessionInput(
                f"branch name {name!r} was used before in session {self.session_id!r}; "
                "choose another name"
            )
        return name

    def describe(self, connection: sqlite3.Connection, current: str) -> list[dict[str, Any]]:
        """Describe every branch, the oldest first."""
        rows = connection.execute(
            "SELECT branch_id, COUNT(*), SUM(message_type = 'user'), MIN(created_at) "
            "FROM message_structure WHERE session_id = ? GROUP BY branch_id ORDER BY MIN(id)",
            (self.session_id,),
        )
        return [
            {
                "branch_id": branch_id,
                "message_count": count,
                "user_turns": turns,
                "is_current": branch_id == current,
                "created_at": created_at,
            }
            for branch_id, count, turns, created_at in rows
        ]

    def _take(self, connection: sqlite3.Connection, name: str) -> bool:
        item = connection.execute(
            "SELECT 1 FROM message_structure WHERE session_id = ? AND branch_id = ? LIMIT 1",
            (self.session_id, name),
        ).fetchone()
        insertion = connection.execute(
            "INSERT OR IGNORE INTO branch_reservations (session_id, branch_id) VALUES (?, ?)",
            (self.session_id, name),
        )
        return insertion.rowcount == 1 and item is None


def _last_sequence(connection: sqlite3.Connection, session_id: str) -> int:
    row = connection.execute(
        "SELECT MAX(sequence_number) FROM message_structure WHERE session_id = ?", (session_id,)
    ).fetchone()
    return row[0] or 0
