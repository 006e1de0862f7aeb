"""An SQLite session with branches, turns and usage.

The tables are those of the published SDK, so files are interchangeable. The session object, not the
file, knows the current branch. After a clear, `main` is current in every object of the session.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import agentgraph.extensions.memory.advanced_sqlite_reports as reports
from agentgraph.extensions.memory.advanced_sqlite_branches import MAIN, Branch, Branches
from agentgraph.extensions.memory.advanced_sqlite_schema import StructureTables
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.session_settings import SessionSettings, resolve_session_limit
from agentgraph.memory.sqlite.database import MEMORY, transaction
from agentgraph.memory.sqlite.rows import Rows
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
    """The part of a finished run's interface that has its usage; a `RunResult` has it."""

    @property
    def context_wrapper(self) -> _Context: ...


class AdvancedSQLiteSession(SQLiteSession):
    """A conversation that can branch, counts its turns and stores their usage.

    Args:
        session_id: The name of the conversation.
        db_path: The database file; by default the conversation is in memory.
        create_tables: Whether to create the additional tables if they are missing.
        logger: Logs changes of branches; the default is `agentgraph`'s logger.
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
        self._tables = StructureTables(sessions_table, messages_table, create_tables)
        self._branches = Branches(session_id)
        self._current_branch_id = MAIN
        self._generation: int | None = None

    async def get_items(
        self, limit: int | None = None, branch_id: str | None = None
    ) -> list[TResponseInputItem]:
        """Return the latest items of a branch, oldest first.

        Args:
            limit: The largest number of items; None means the session's own limit, or all items if
                it has none.
            branch_id: The branch; by default the current one.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []

        return await self._run(
            lambda connection: self._latest(connection, self._branch(branch_id), limit)
        )

    # Repeated, because this class overrides `get_items` and still supports blocks.
    append_to_block = SQLiteSession.append_to_block

    async def store_run_usage(self, result: _Result) -> None:
        """Store the usage of a run for the current turn, replacing the stored usage.

        An empty branch has no turn; nothing is stored then.

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
        """Make a branch of all items before a user turn and switch to it.

        Args:
            turn_number: The first turn that the new branch does not have; counted from 1.
            branch_name: A name that this session never used; by default one is made.

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
            search_term: The text; case is ignored.
            branch_name: A name that this session never used; by default one is made.

        Raises:
            InvalidSessionInput: No turn contains the text.
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
        """Remove a branch, its usage and the items that no other branch lists.

        Args:
            branch_id: Any branch but `main`.
            force: Remove it even if it is the current one; then `main` becomes current.

        Raises:
            InvalidSessionInput: The branch is `main`, or the current one without `force`, or does
                not exist.
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
            lambda connection: self._branches.describe(connection, self._current_branch_id)
        )

    async def get_conversation_turns(self, branch_id: str | None = None) -> list[dict[str, Any]]:
        """Describe the turns of a branch by their user messages, shortened to 100 characters."""
        return await self._report_on(branch_id, reports.user_turns)

    async def find_turns_by_content(
        self, search_term: str, branch_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Describe the turns whose user message contains a text, ignoring case."""
        return await self._report_on(branch_id, reports.user_turns, search_term)

    async def get_conversation_by_turns(
        self, branch_id: str | None = None
    ) -> dict[int, list[dict[str, str | None]]]:
        """Return kind and tool name of every item of a branch, by turn."""
        return await self._report_on(branch_id, reports.conversation_by_turns)

    async def get_tool_usage(self, branch_id: str | None = None) -> list[tuple[str, int, int]]:
        """Return (tool, number of calls, turn) for each tool of each turn of a branch."""
        return await self._report_on(branch_id, reports.tool_usage)

    async def get_session_usage(self, branch_id: str | None = None) -> dict[str, int] | None:
        """Return the usage of a branch, or by default of the whole session; None if it has none."""
        return await self._run(
            lambda connection: reports.session_usage(connection, self.session_id, branch_id)
        )

    async def get_turn_usage(
        self, user_turn_number: int | None = None, branch_id: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """Return the usage of one turn (empty if it has none), or by default a list of all."""
        turns = await self._report_on(branch_id, reports.turn_usage)
        if user_turn_number is None:
            return turns
        for turn in turns:
            if turn.pop("user_turn_number") == user_turn_number:
                return turn
        return {}

    async def _report_on(
        self, branch_id: str | None, report: Callable[..., _T], *arguments: object
    ) -> _T:
        return await self._run(lambda it: report(it, self._branch(branch_id), *arguments))

    @property
    def _history(self) -> Branch:
        return self._branch()

    def _branch(self, branch_id: str | None = None) -> Branch:
        branch = self._current_branch_id if branch_id is None else branch_id
        return Branch(self.session_id, self._tables, branch)

    def _check_exists(self, connection: sqlite3.Connection, branch_id: str) -> None:
        if branch_id != self._current_branch_id and not self._branch(branch_id).exists(connection):
            raise InvalidSessionInput(
                f"session {self.session_id!r} has no branch {branch_id!r}; "
                "list_branches() lists them"
            )

    def _take_over(self, connection: sqlite3.Connection) -> None:
        """Put the items of a plain SQLite session into `main`; such a file has no structure."""
        plain = Rows(self.session_id, self._tables)
        query = "SELECT 1 FROM message_structure WHERE session_id = ? LIMIT 1"

        def has_structure() -> bool:
            return connection.execute(query, (self.session_id,)).fetchone() is not None

        if has_structure() or not plain.is_followed(connection, 0):
            return
        with transaction(connection):
            # Check again under the write lock: another process may have done it meanwhile.
            if not has_structure():
                row_ids, items, _ = plain.latest(connection, None)
                main = self._branch(MAIN)
                main.list_items(connection, list(zip(row_ids, items, strict=True)))

    async def _run(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        def run(connection: sqlite3.Connection) -> _T:
            if self._generation is None:
                self._take_over(connection)
            self._notice_clear(connection)
            return call(connection)

        return await super()._run(run)

    def _notice_clear(self, connection: sqlite3.Connection) -> None:
        """Return to `main` if any object has cleared the session, which removes all branches."""
        generation = self._branches.generation(connection)
        if self._generation is not None and generation != self._generation:
            self._current_branch_id = MAIN
        self._generation = generation
