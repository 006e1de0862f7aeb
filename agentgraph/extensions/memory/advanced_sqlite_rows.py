"""A branch as a history that runs read and append to.

The keys are ids of rows of `message_structure`. The rows of the items stay in place, because other
branches may list them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from agentgraph.extensions.memory.advanced_sqlite_branches import Branch, Branches
from agentgraph.memory.sqlite.rows import Rows

__all__ = ["BranchRows"]


@dataclass(frozen=True, slots=True)
class BranchRows(Rows):
    """The rows of one branch.

    Attributes:
        branch: The branch.
    """

    branch: Branch

    @property
    def branch_id(self) -> str:
        """The name of the branch."""
        return self.branch.branch_id

    def newest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return the keys and texts, the latest first."""
        return self.branch.newest_first(connection)

    def oldest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return the keys and texts, the earliest first."""
        return self.branch.oldest_first(connection)

    def append(self, connection: sqlite3.Connection, texts: Sequence[str]) -> list[int]:
        """Append texts to the branch; return their keys."""
        message_ids = Rows.append(self, connection, texts)
        items = [json.loads(text) for text in texts]
        return self.branch.append(connection, list(zip(message_ids, items, strict=True)))

    def is_followed(self, connection: sqlite3.Connection, key: int) -> bool:
        """Return whether rows of the branch may follow the row with this key."""
        query = (
            "SELECT id FROM message_structure WHERE session_id = ? AND branch_id = ? "
            "ORDER BY sequence_number DESC LIMIT 1"
        )
        row = connection.execute(query, self.branch.key).fetchone()
        return row is not None and row[0] != key

    def move_to_end(self, connection: sqlite3.Connection, keys: list[int]) -> list[int] | None:
        """Move rows that the branch still lists to its end; return the keys.

        Returns:
            The keys; None if they are at the end already.
        """
        return keys if self.branch.move_to_end(connection, keys) else None

    def remove(self, connection: sqlite3.Connection, key: int) -> None:
        """Remove a row from the branch."""
        self.branch.remove(connection, key)

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its branches."""
        Branches(self.session_id).clear(connection)
        Rows.clear(self, connection)
