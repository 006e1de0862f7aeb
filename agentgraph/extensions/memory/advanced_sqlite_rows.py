"""A branch as a history that runs read and append to.

The keys are ids of rows of `message_structure`. The rows of the items stay in place, because other
branches may list them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgraph.extensions.memory.advanced_sqlite_branches import Branch, Branches
from agentgraph.memory.sqlite.rows import Rows

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

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

    def append(self, connection: sqlite3.Connection, texts: Sequence[str]) -> tuple[int, ...]:
        """Append texts to the branch; return their keys."""
        message_ids = Rows.append(self, connection, texts)
        items = [json.loads(text) for text in texts]
        return self.branch.append(connection, list(zip(message_ids, items, strict=True)))

    def move_to_end(self, connection: sqlite3.Connection, keys: tuple[int, ...]) -> tuple[int, ...]:
        """Move rows that the branch still lists to its end; return the keys."""
        self.branch.move_to_end(connection, keys)
        return keys

    def row_ids(self, connection: sqlite3.Connection, keys: Sequence[int]) -> Sequence[int]:
        """Return the row ids of the items that these keys list."""
        query = "SELECT message_id FROM message_structure WHERE id = ?"
        return [connection.execute(query, (key,)).fetchone()[0] for key in keys]

    def pop(self, connection: sqlite3.Connection, accept: Accept) -> TResponseInputItem | None:
        """Remove the latest readable item of the branch that `accept` accepts; return it."""
        item: TResponseInputItem | None = self.branch.pop(connection, accept)
        return item

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its branches."""
        Branches(self.session_id).clear(connection)
        Rows.clear(self, connection)
