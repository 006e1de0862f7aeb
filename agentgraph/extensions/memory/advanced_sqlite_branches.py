"""Branches and turns of an advanced session, as operations on an open connection.

A turn begins with a user message; the items before the first one are turn 0. A branch lists items
by reference, so branching copies no item, and the rows of the items stay in place. The keys of a
branch's rows are ids of `message_structure`. The caller of a function that writes holds the
transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agentgraph.extensions.memory.advanced_sqlite_kinds import is_user_message, kind_and_tool
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.runs.saved_rows import KeyedText
from agentgraph.memory.sqlite.rows import Rows

__all__ = ["MAIN", "Branch", "Branches"]

MAIN = "main"


@dataclass(frozen=True)
class Branch(Rows):
    """One branch of one session.

    Attributes:
        branch_id: The branch.
    """

    branch_id: str = MAIN

    @property
    def key(self) -> tuple[str, str]:
        """The parameters of an SQL condition on session and branch."""
        return self.session_id, self.branch_id

    def exists(self, connection: sqlite3.Connection) -> bool:
        """Return whether the branch lists any item; `main` always exists."""
        return self.branch_id == MAIN or self._last(connection) is not None

    def newest_first(
        self, connection: sqlite3.Connection, count: int
    ) -> Generator[KeyedText, None, None]:
        """Yield keys and texts, the latest first."""
        yield from connection.execute(f"{self._joined()} DESC", self.key)

    def oldest_first(self, connection: sqlite3.Connection) -> list[KeyedText]:
        """Return keys and texts, the earliest first."""
        return connection.execute(self._joined(), self.key).fetchall()

    def insert(self, connection: sqlite3.Connection, texts: Sequence[str]) -> list[int]:
        """Insert items, and list them at the end of the branch; return their keys."""
        row_ids = Rows.insert(self, connection, texts)
        items = [json.loads(text) for text in texts]
        return self.list_items(connection, list(zip(row_ids, items, strict=True)))

    def is_followed(self, connection: sqlite3.Connection, key: int) -> bool:
        """Return whether rows of the branch may follow the row with this key."""
        return self._last(connection) not in (None, key)

    def list_items(
        self, connection: sqlite3.Connection, items: Sequence[tuple[int, Any]]
    ) -> list[int]:
        """List stored items (pairs of row id and item) at the end of the branch; return keys."""
        turn, branch_turn = self._last_turns(connection)
        sequence = _last_sequence(connection, self.session_id)
        keys = []
        for row_id, item in items:
            sequence += 1
            if is_user_message(item):
                turn, branch_turn = turn + 1, branch_turn + 1
            kind, tool = kind_and_tool(item)
            listed = connection.execute(
                "INSERT INTO message_structure (session_id, branch_id, message_id, message_type, "
                "sequence_number, user_turn_number, branch_turn_number, tool_name) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*self.key, row_id, kind, sequence, turn, branch_turn, tool),
            )
            keys.append(cast("int", listed.lastrowid))
        return keys

    def move_to_end(self, connection: sqlite3.Connection, keys: Sequence[int]) -> list[int] | None:
        """Move rows that the branch still lists to its end, and renumber the turns.

        Returns:
            The keys; None if the rows are at the end already.
        """
        ids = set(keys)
        # From the first of them on: key, kind, turn and place.
        rows = connection.execute(
            "SELECT id, message_type, user_turn_number, sequence_number FROM message_structure "
            "WHERE session_id = ?1 AND branch_id = ?2 AND sequence_number >= "
            "(SELECT MIN(sequence_number) FROM message_structure WHERE session_id = ?1 "
            "AND branch_id = ?2 AND id IN (SELECT value FROM json_each(?3))) "
            "ORDER BY sequence_number",
            (*self.key, json.dumps(list(keys))),
        ).fetchall()
        ordered = sorted(rows, key=lambda row: row[0] in ids)
        if ordered == rows:
            return None
        turn, branch_turn = self._last_turns(connection, before=rows[0][3])
        sequence = _last_sequence(connection, self.session_id)
        renumbered, turns = [], {}
        for key, kind, old_turn, place in ordered:
            if key in ids:
                place = sequence = sequence + 1
            if kind == "user":
                turn, branch_turn = turn + 1, branch_turn + 1
                turns[old_turn] = turn
            renumbered.append((place, turn, branch_turn, key))
        connection.executemany(
            "UPDATE message_structure SET sequence_number = ?, user_turn_number = ?, "
            "branch_turn_number = ? WHERE id = ?",
            renumbered,
        )
        self._renumber_usage(connection, turns)
        return list(keys)

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

    def remove(self, connection: sqlite3.Connection, key: int) -> None:
        """Remove an item from the branch, and from the file if no other branch lists it; with the
        last item of a turn, remove the turn's usage."""
        message_id, turn = connection.execute(
            "SELECT message_id, user_turn_number FROM message_structure WHERE id = ?", (key,)
        ).fetchone()
        connection.execute("DELETE FROM message_structure WHERE id = ?", (key,))
        self.drop_unlisted(connection, [message_id])
        connection.execute(
            "DELETE FROM turn_usage WHERE session_id = ?1 AND branch_id = ?2 "
            "AND user_turn_number = ?3 AND NOT EXISTS (SELECT 1 FROM message_structure "
            "WHERE session_id = ?1 AND branch_id = ?2 AND user_turn_number = ?3)",
            (*self.key, turn),
        )

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its branches."""
        Branches(self.session_id).clear(connection)
        Rows.clear(self, connection)

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
        connection.execute(
            "INSERT INTO message_structure (session_id, branch_id, sequence_number, message_id, "
            "message_type, user_turn_number, branch_turn_number, tool_name) "
            "SELECT session_id, ?, ? + ROW_NUMBER() OVER (ORDER BY sequence_number), message_id, "
            "message_type, user_turn_number, branch_turn_number, tool_name FROM message_structure "
            "WHERE session_id = ? AND branch_id = ? AND user_turn_number < ? "
            "ORDER BY sequence_number",
            (name, _last_sequence(connection, self.session_id), *self.key, turn),
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

    def _last(self, connection: sqlite3.Connection) -> int | None:
        query = (
            "SELECT id FROM message_structure WHERE session_id = ? AND branch_id = ? "
            "ORDER BY sequence_number DESC LIMIT 1"
        )
        row = connection.execute(query, self.key).fetchone()
        return None if row is None else int(row[0])

    def _joined(self) -> str:
        return (
            f"SELECT s.id, m.message_data FROM message_structure s JOIN {self.messages} m "
            "ON m.id = s.message_id WHERE s.session_id = ? AND s.branch_id = ? "
            "ORDER BY s.sequence_number"
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
        self.count_clear(connection)

    def count_clear(self, connection: sqlite3.Connection) -> None:
        """Count a clear, by which other objects of the session notice it."""
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
