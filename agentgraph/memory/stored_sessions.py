"""Sessions as a database stores them, for administration.

A run sees one session, and only its readable items. This module shows every session of a store,
unreadable rows included, and can repair a stored history. It never creates anything: a store
without sessions is an error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentgraph.memory.encoding import ENVELOPE_MARK, decode_item, is_marked
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcripts.automaton import Fate, judge
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
]


_Connection = TypeVar("_Connection")
_T = TypeVar("_T")


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


@dataclass(frozen=True, slots=True)
class History:
    """One conversation, oldest row first: a session, or one branch of it.

    Attributes:
        branch: The name of the branch; None if the store has no branches.
        rows: All its stored rows.
    """

    branch: str | None
    rows: tuple[StoredRow, ...]

    @classmethod
    def of(cls, branch: str | None, texts: Iterable[tuple[int, Any]]) -> History:
        """Return the history with these stored texts and their keys."""
        return cls(
            branch,
            tuple(
                StoredRow(key, decode_item(text), isinstance(text, str) and is_marked(text))
                for key, text in texts
            ),
        )

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
        items = self.items
        asked = max((at for at, item in enumerate(items) if item.get("role") == "user"), default=-1)
        fates = enumerate(judge(items).fates)
        return [items[at] for at, fate in fates if at > asked and fate is Fate.ASKS]

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


class StoredSessions(ABC, Generic[_Connection]):
    """The sessions of one store. Every method raises `SessionError` if the store fails.

    A store implements the methods whose names begin with an underscore, on an open connection.
    """

    async def sessions(self) -> AsyncGenerator[StoredSession, None]:
        """Yield every session, by id."""
        for session_id in sorted(await self._run(self._ids)):
            yield await self.session(session_id)

    async def session(self, session_id: str) -> StoredSession:
        """Return one session.

        Raises:
            NoSuchSession: The store has no such session.
        """
        return await self._run(lambda connection: self._existing(connection, session_id))

    async def mend(self, session: StoredSession) -> None:
        """Carry out the mendings of a session and remove marks, in one transaction.

        Args:
            session: The session, as it was read.

        Raises:
            SessionError: It has changed since and needs other mendings now; nothing was written.
        """

        def mend(connection: _Connection) -> None:
            now = self._existing(connection, session.session_id)
            if now.mendings != session.mendings:
                raise SessionError(
                    f"session {session.session_id!r} was changed by another program in the "
                    "meantime, so nothing was written; read it again"
                )
            for mending in session.mendings:
                for key, change in mending.changes:
                    self._change(connection, session.session_id, mending.branch, key, change)
            self._remove_marks(connection, session.session_id)

        await self._run(mend, session.session_id)

    async def delete(self, session_id: str) -> None:
        """Remove a session with all its stored data, in one transaction.

        Raises:
            NoSuchSession: The store has no such session.
        """

        def delete(connection: _Connection) -> None:
            self._existing(connection, session_id)
            self._delete(connection, session_id)

        await self._run(delete, session_id)

    def _existing(self, connection: _Connection, session_id: str) -> StoredSession:
        created, updated, histories = self._read(connection, session_id)
        if created is None and not any(history.rows for history in histories):
            raise NoSuchSession(f"there is no session {session_id!r} in {self._place}")
        return StoredSession(session_id, created or "", updated or "", histories)

    def _missing_table(self, table: str, tables: Iterable[str]) -> SessionError:
        """Return the error about a store that lacks a table; `tables` are those that it has."""
        return SessionError(
            f"{self._place} holds no sessions: it has no table {table!r}, only "
            f"{', '.join(map(repr, sorted(tables))) or 'none at all'}; "
            "if the tables have names of their own, give them"
        )

    @abstractmethod
    async def close(self) -> None:
        """Close the store."""

    @property
    @abstractmethod
    def _place(self) -> str:
        """The store in messages."""

    @abstractmethod
    async def _run(self, call: Callable[[_Connection], _T], writes_to: str | None = None) -> _T:
        """Make a call, in a transaction that locks a session if it writes to one."""

    @abstractmethod
    def _ids(self, connection: _Connection) -> Iterable[str]:
        """Return the ids of all sessions."""

    @abstractmethod
    def _read(
        self, connection: _Connection, session_id: str
    ) -> tuple[str | None, str | None, tuple[History, ...]]:
        """Return when a session was created (None if it has no row of its own), when it was last
        written, and its histories."""

    @abstractmethod
    def _change(
        self, connection: _Connection, session_id: str, branch: str | None, key: int, change: Change
    ) -> None:
        """Carry out a change of a row."""

    @abstractmethod
    def _remove_marks(self, connection: _Connection, session_id: str) -> None:
        """Remove the marks of older versions."""

    @abstractmethod
    def _delete(self, connection: _Connection, session_id: str) -> None:
        """Remove a session with all its stored data."""
