"""Sessions as they lie in a database, for people who look after them.

A run sees one session and only what it can read of it. Here every session of a place is seen, with
the rows that cannot be read, and a history can be mended where it is stored. Nothing is ever made:
a place that holds no sessions is an error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from agentgraph.memory.encoding import ENVELOPE_MARK
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
    """A session is asked for that is not in the place."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row of a history.

    Attributes:
        key: What the place knows the row by.
        item: The item; None when the row cannot be read.
    """

    key: int
    item: TResponseInputItem | None


@dataclass(frozen=True, slots=True)
class History:
    """One conversation, oldest row first: a session, or one branch of it.

    Attributes:
        branch: The name of the branch; None where sessions have no branches.
        rows: Everything that is stored of it.
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
        """Whether any item is encrypted, so that nothing can be said of the history."""
        return any(ENVELOPE_MARK in item for item in self.items)

    @property
    def awaited(self) -> list[TResponseInputItem]:
        """What the next input may answer: requests for approval since the user's last message."""
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
        """What would make it legal; what waits for approval is left to wait."""
        answers: list[Any] = [
            {"type": "mcp_approval_response", "approval_request_id": item.get("id")}
            for item in self.awaited
        ]
        changes = () if self.encrypted else repair(self.items, followed_by=answers).changes
        readable = [row.key for row in self.rows if row.item is not None]
        return Mending(self.branch, tuple((readable[change.index], change) for change in changes))


@dataclass(frozen=True, slots=True)
class Mending:
    """What makes one history legal.

    Attributes:
        branch: The branch; None where sessions have no branches.
        changes: The key of each row, and what is done to it.
    """

    branch: str | None
    changes: tuple[tuple[int, Change], ...]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session with all its histories.

    Attributes:
        session_id: Its id.
        created: When it was made, as the place writes it (UTC); empty when unknown.
        updated: When it was last written to.
        histories: At least one; `main` first where there are branches.
    """

    session_id: str
    created: str
    updated: str
    histories: tuple[History, ...]

    @property
    def mendings(self) -> tuple[Mending, ...]:
        """What makes it legal; empty when it is."""
        return tuple(m for history in self.histories if (m := history.mending).changes)


class StoredSessions(Protocol):
    """The sessions of one place. Every method raises `SessionError` when the place fails."""

    def sessions(self) -> AsyncGenerator[StoredSession, None]:
        """Give every session, by id."""
        ...

    async def session(self, session_id: str) -> StoredSession:
        """Return one session.

        Raises:
            NoSuchSession: It is not there.
        """
        ...

    async def mend(self, session: StoredSession) -> None:
        """Carry out the mendings of a session, in one transaction.

        Args:
            session: As it was read.

        Raises:
            SessionError: It was changed since, so that other mendings would be needed; nothing was
                written.
        """
        ...

    async def delete(self, session_id: str) -> None:
        """Remove a session with everything that is stored of it, in one transaction.

        Raises:
            NoSuchSession: It is not there.
        """
        ...

    async def close(self) -> None:
        """Let go of the place."""
        ...


def check_unchanged(now: StoredSession, before: StoredSession) -> None:
    """Refuse to mend a session that is not as it was when the mending was worked out."""
    if now.mendings != before.mendings:
        raise SessionError(
            f"session {before.session_id!r} was changed by another program in the meantime, "
            "so nothing was written; look again"
        )
