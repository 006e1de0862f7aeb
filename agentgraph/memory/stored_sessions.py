"""Sessions as a database stores them, for administration.

A run sees one session, and only its readable items. This module shows every session of a store,
unreadable rows included, and can repair a stored history. It never creates anything: a store
without sessions is an error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from agentgraph.memory.encoding import ENVELOPE_MARK, decode_item, without_mark
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcripts.histories import Change, repair

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "History",
    "Mending",
    "NoSuchSession",
    "StoredRow",
    "StoredSession",
    "StoredSessions",
    "check_unchanged",
]


class NoSuchSession(SessionError):
    """The store has no session with this id."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row of a history.

    Attributes:
        key: The key of the row in the store.
        item: The item; None if the row cannot be read.
        marked: Whether an older version of this package has marked its text.
    """

    key: int
    item: TResponseInputItem | None
    marked: bool = False

    @classmethod
    def of(cls, key: int, text: Any) -> StoredRow:
        """Return the row with a stored text."""
        marked = isinstance(text, str) and without_mark(text) != text
        return cls(key, decode_item(text), marked)


@dataclass(frozen=True, slots=True)
class History:
    """One conversation, oldest row first: a session, or one branch of it.

    Attributes:
        branch: The name of the branch; None if the store has no branches.
        rows: All its stored rows.
    """

    branch: str | None
    rows: tuple[StoredRow, ...]

    @property
    def items(self) -> list[TResponseInputItem]:
        """The items that can be read."""
        return [row.item for row in self.rows if row.item is not None]

    @property
    def unreadable(self) -> int:
        """How many rows cannot be read."""
        return sum(row.item is None for row in self.rows)

    @property
    def encrypted(self) -> bool:
        """Whether any item is encrypted, so that the history cannot be checked."""
        return any(ENVELOPE_MARK in item for item in self.items)

    @property
    def awaited(self) -> list[TResponseInputItem]:
        """Requests for approval since the user's last message, which the next input may answer."""
        requests: dict[str, TResponseInputItem] = {}
        for item in self.items:
            fields = cast("Mapping[str, Any]", item)
            if fields.get("role") == "user":
                requests.clear()
            elif fields.get("type") == "mcp_approval_request":
                requests[fields.get("id", "")] = item
            elif fields.get("type") == "mcp_approval_response":
                requests.pop(fields.get("approval_request_id", ""), None)
        return list(requests.values())

    @property
    def mending(self) -> Mending:
        """The changes that make it legal; requests that wait for approval stay."""
        answers: list[Any] = [
            {"type": "mcp_approval_response", "approval_request_id": item.get("id")}
            for item in self.awaited
        ]
        changes = () if self.encrypted else repair(self.items, followed_by=answers).changes
        readable = [row.key for row in self.rows if row.item is not None]
        return Mending(self.branch, tuple((readable[change.index], change) for change in changes))


@dataclass(frozen=True, slots=True)
class Mending:
    """The changes that make one history legal.

    Attributes:
        branch: The branch; None if the store has no branches.
        changes: The key of each changed row, and its change.
    """

    branch: str | None
    changes: tuple[tuple[int, Change], ...]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session with all its histories.

    Attributes:
        session_id: Its id.
        created: When it was created, in the store's format (UTC); empty if unknown.
        updated: When it was last written.
        histories: At least one; `main` first if there are branches.
    """

    session_id: str
    created: str
    updated: str
    histories: tuple[History, ...]

    @property
    def marked(self) -> int:
        """How many rows have marks of an older version, which `mend` removes."""
        return sum(row.marked for history in self.histories for row in history.rows)

    @property
    def mendings(self) -> tuple[Mending, ...]:
        """The changes that make it legal; empty if it is legal."""
        return tuple(m for history in self.histories if (m := history.mending).changes)


class StoredSessions(Protocol):
    """The sessions of one store. Every method raises `SessionError` if the store fails."""

    def sessions(self) -> AsyncGenerator[StoredSession, None]:
        """Yield every session, by id."""
        ...

    async def session(self, session_id: str) -> StoredSession:
        """Return one session.

        Raises:
            NoSuchSession: The store has no such session.
        """
        ...

    async def mend(self, session: StoredSession) -> None:
        """Carry out the mendings of a session and remove marks, in one transaction.

        Args:
            session: The session, as it was read.

        Raises:
            SessionError: It has changed since and needs other mendings now; nothing was written.
        """
        ...

    async def delete(self, session_id: str) -> None:
        """Remove a session with all its stored data, in one transaction.

        Raises:
            NoSuchSession: The store has no such session.
        """
        ...

    async def close(self) -> None:
        """Close the store."""
        ...


def check_unchanged(now: StoredSession, before: StoredSession) -> None:
    """Refuse to mend a session whose mendings have changed since they were computed."""
    if now.mendings != before.mendings:
        raise SessionError(
            f"session {before.session_id!r} was changed by another program in the meantime, "
            "so nothing was written; read it again"
        )
