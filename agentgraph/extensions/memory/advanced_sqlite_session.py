"""An SQLite session with branches, turns and usage.

The tables are those of the published SDK, so files are interchangeable. Which branch is current
belongs to the session object, not to the file; clearing the session leads every object to `main`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import agentgraph.extensions.memory.advanced_sqlite_reports as reports
from agentgraph.extensions.memory.advanced_sqlite_branches import MAIN, Branch, Branches
from agentgraph.extensions.memory.advanced_sqlite_rows import BranchRows
from agentgraph.extensions.memory.advanced_sqlite_schema import StructureTables
from agentgraph.memory.encoding import decode_item
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.session_settings import SessionSettings, resolve_session_limit
from agentgraph.memory.sqlite.database import MEMORY, transaction
from agentgraph.memory.sqlite_session import SQLiteSession

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.usage import Usage

__all__ = ["AdvancedSQLiteSession"]

_T = TypeVar("_T")


class _Context(Protocol):
    @property
    def usage(self) -> Usage: ...


class _Result(Protocol):
    """A finished run, as far as its usage is concerned; a `RunResult` is one."""

    @property
    def context_wrapper(self) -> _Context: ...


class AdvancedSQLiteSession(SQLiteSession):
    """A conversation that can branch, knows its turns and keeps what they cost.

    Args:
        session_id: The name of the conversation.
        db_path: The database file; by default the conversation lives in memory.
        create_tables: Whether to make the additional tables when they are missing.
        logger: Where to say what was done to branches; by default `agentgraph`'s.
        session_settings: Defaults for reads, as settings or as a dict.
        sessions_table: The table of sessions.
        messages_table: The table of items.

    Raises:
        InvalidSessionInput: The session id is empty.
    """

    def __init__(
        self,
        *,
        session_id: str,
        db_path: str | Path = MEMORY,
        create_tables: bool = False,
        logger: logging.Logger | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> None:
        super().__init__(session_id, db_path, sessions_table, messages_table, session_settings)
        self._logger = logger or logging.getLogger("agentgraph")
        self._structure = StructureTables(self._tables, create_tables)
        self._branches = Branches(session_id)
        self._current_branch_id = MAIN
        self._generation: int | None = None

    async def get_items(
        self, limit: int | None = None, branch_id: str | None = None
    ) -> list[TResponseInputItem]:
        """Return the latest items of a branch, oldest first.

        Args:
            limit: How many at most; None takes the session's own limit, and without one every item.
            branch_id: The branch; by default the current one.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []

        return await self._run(
            lambda connection: self._latest(connection, self._branch_rows(branch_id), limit)
        )

    # Said anew, because this class reads in its own way and keeps blocks all the same.
    append_to_block = SQLiteSession.append_to_block

    async def store_run_usage(self, result: _Result) -> None:
        """Store what a run cost for the current turn, replacing what was stored for it.

        A branch with nothing in it has no turn; nothing is stored then.

        Args:
            result: The finished run.
        """
        usage = result.context_wrapper.usage

        def store(connection: sqlite3.Connection) -> None:
            branch = self._branch()
            turn = branch.current_turn(connection)
            if turn is not None:
                reports.store_usage(connection, branch, turn, usage)

        await self._write(store)

    async def create_branch_from_turn(
        self, turn_number: int, branch_name: str | None = None
    ) -> str:
        """Make a branch of everything before a user turn and switch to it.

        Args:
            turn_number: The turn that the new branch will hold no more; counted from 1.
            branch_name: A name never used in this session; by default one is made.

        Returns:
            The name of the branch.

        Raises:
            InvalidSessionInput: The current branch has no such turn, or the name was used.
        """

        def create(connection: sqlite3.Connection) -> str:
            branch = self._branch()
            branch.check_user_turn(connection, turn_number)
            name = self._branches.reserve(connection, branch_name, turn_number)
            branch.copy_before(connection, turn_number, name)
            return name

        self._current_branch_id = await self._write(create)
        self._logger.debug("branch %r made from turn %d", self._current_branch_id, turn_number)
        return self._current_branch_id

    async def create_branch_from_content(
        self, search_term: str, branch_name: str | None = None
    ) -> str:
        """Make a branch from the first turn whose user message contains a text.

        Args:
            search_term: The text, whatever its case.
            branch_name: As for `create_branch_from_turn`.

        Raises:
            InvalidSessionInput: No turn contains it.
        """
        turns = await self.find_turns_by_content(search_term)
        if not turns:
            raise InvalidSessionInput(
                f"no user turn of branch {self._current_branch_id!r} contains {search_term!r}"
            )
        return await self.create_branch_from_turn(turns[0]["turn"], branch_name)

    async def switch_to_branch(self, branch_id: str) -> None:
        """Make another branch the current one.

        Raises:
            InvalidSessionInput: There is no such branch.
        """
        await self._run(lambda connection: self._check_exists(connection, branch_id))
        self._current_branch_id = branch_id

    async def delete_branch(self, branch_id: str, force: bool = False) -> None:
        """Remove a branch, its usage and the items that only it had.

        Args:
            branch_id: Any branch but `main`.
            force: Remove it even if it is the current one; `main` is then current.

        Raises:
            InvalidSessionInput: It is `main`, or current without `force`, or not there.
        """
        if not branch_id.strip():
            raise InvalidSessionInput("a branch id must not be empty")
        if branch_id == MAIN:
            raise InvalidSessionInput("the branch 'main' cannot be deleted")

        def delete(connection: sqlite3.Connection) -> None:
            self._check_exists(connection, branch_id)
            if branch_id == self._current_branch_id and not force:
                raise InvalidSessionInput(
                    f"branch {branch_id!r} is the current one; "
                    "switch to another first, or give force=True"
                )
            self._branch(branch_id).delete(connection)

        await self._write(delete)
        if branch_id == self._current_branch_id:
            self._current_branch_id = MAIN

    async def list_branches(self) -> list[dict[str, Any]]:
        """Describe every branch that has items: id, counts, whether it is current, creation."""
        return await self._run(
            lambda connection: self._branches.listed(connection, self._current_branch_id)
        )

    async def get_conversation_turns(self, branch_id: str | None = None) -> list[dict[str, Any]]:
        """Describe the turns of a branch by their user messages, shortened to 100 characters."""
        return await self._run(
            lambda connection: reports.user_turns(connection, self._branch(branch_id))
        )

    async def find_turns_by_content(
        self, search_term: str, branch_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Describe the turns whose user message contains a text, whatever its case."""
        return await self._run(
            lambda connection: reports.user_turns(connection, self._branch(branch_id), search_term)
        )

    async def get_conversation_by_turns(
        self, branch_id: str | None = None
    ) -> dict[int, list[dict[str, str | None]]]:
        """Return kind and tool name of every item of a branch, by turn."""
        return await self._run(
            lambda connection: reports.conversation_by_turns(connection, self._branch(branch_id))
        )

    async def get_tool_usage(self, branch_id: str | None = None) -> list[tuple[str, int, int]]:
        """Return (tool, number of calls, turn) for each tool of each turn of a branch."""
        return await self._run(
            lambda connection: reports.tool_usage(connection, self._branch(branch_id))
        )

    async def get_session_usage(self, branch_id: str | None = None) -> dict[str, int] | None:
        """Return the usage of a branch, or by default of the whole session; None without any."""
        return await self._run(
            lambda connection: reports.session_usage(connection, self.session_id, branch_id)
        )

    async def get_turn_usage(
        self, user_turn_number: int | None = None, branch_id: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Return the usage of one turn (empty when it has none), or a list with that of each."""
        turns = await self._run(
            lambda connection: reports.turn_usage(connection, self._branch(branch_id))
        )
        if user_turn_number is None:
            return turns
        for turn in turns:
            if turn.pop("user_turn_number") == user_turn_number:
                return turn
        return {}

    @property
    def _history(self) -> BranchRows:
        return self._branch_rows(None)

    def _branch_rows(self, branch_id: str | None) -> BranchRows:
        return BranchRows(self.session_id, *self._quoted, self._branch(branch_id))

    def _branch(self, branch_id: str | None = None) -> Branch:
        chosen = self._current_branch_id if branch_id is None else branch_id
        return Branch(self.session_id, chosen, self._quoted[1])

    def _check_exists(self, connection: sqlite3.Connection, branch_id: str) -> None:
        if branch_id != self._current_branch_id and not self._branch(branch_id).exists(connection):
            raise InvalidSessionInput(
                f"session {self.session_id!r} has no branch {branch_id!r}; "
                "list_branches() lists them"
            )

    def _last_row(self, connection: sqlite3.Connection) -> int:
        row = connection.execute(
            f"SELECT MAX(id) FROM {self._quoted[1]} WHERE session_id = ?", (self.session_id,)
        ).fetchone()
        return row[0] or 0

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._structure.prepare(connection)

    def _preparation_key(self) -> object:
        return self._structure

    def _adopt(self, connection: sqlite3.Connection) -> None:
        """Put the items of a plain SQLite session into `main`; such a file has no structure."""
        if self._last_row(connection) == 0:
            return
        query = "SELECT 1 FROM message_structure WHERE session_id = ? LIMIT 1"
        if connection.execute(query, (self.session_id,)).fetchone() is not None:
            return
        with transaction(connection):
            # Asked again under the write lock: another process may just have done it.
            if connection.execute(query, (self.session_id,)).fetchone() is None:
                rows = connection.execute(
                    f"SELECT id, message_data FROM {self._quoted[1]} "
                    "WHERE session_id = ? ORDER BY id",
                    (self.session_id,),
                ).fetchall()
                readable = [(row_id, decode_item(text)) for row_id, text in rows]
                items = [(row_id, item) for row_id, item in readable if item is not None]
                Branch(self.session_id, MAIN, self._quoted[1]).append(connection, items)

    async def _run(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        def run(connection: sqlite3.Connection) -> _T:
            if self._generation is None:
                self._adopt(connection)
            self._notice_clear(connection)
            return call(connection)

        return await super()._run(run)

    def _notice_clear(self, connection: sqlite3.Connection) -> None:
        """Return to `main` when any object has cleared the session: its branches are gone."""
        generation = self._branches.generation(connection)
        if self._generation is not None and generation != self._generation:
            self._current_branch_id = MAIN
        self._generation = generation
