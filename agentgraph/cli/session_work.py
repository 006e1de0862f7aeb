"""The work of the commands of `agentgraph sessions`.

Commands that read create and overwrite nothing. Commands that write ask first, and use one
transaction for each session.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.text import Text

from agentgraph.cli.ask import confirm
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.session_text import print_changes, print_history, print_sessions
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_json, progress
from agentgraph.extensions import memory
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.stored_sessions import (
    History,
    NoSuchSession,
    StoredSession,
    StoredSessions,
)

__all__ = [
    "ExportFormat",
    "Place",
    "delete_session",
    "export_session",
    "list_sessions",
    "repair_sessions",
    "show_session",
]


class ExportFormat(StrEnum):
    """The formats of `export`."""

    JSON = "json"
    LINES = "jsonl"


class Place:
    """The place of stored sessions, as the command line names it."""

    def __init__(self, db: str, sessions_table: str, messages_table: str) -> None:
        self.db = db
        self._tables = sessions_table, messages_table

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[StoredSessions[Any]]:
        """Open the place and close it again.

        Raises:
            CommandFault: It does not exist, holds no sessions, or failed.
        """
        try:
            stored = self._stored()
            try:
                yield stored
            finally:
                await stored.close()
        except NoSuchSession as error:
            raise CommandFault(
                str(error), help=f"`agentgraph sessions list --db {self.db}` lists all sessions"
            ) from error
        except (SessionError, InvalidSessionInput, MissingExtra) as error:
            raise CommandFault(str(error)) from error

    def is_file(self, path: Path) -> bool:
        """Whether a path leads to the file with the sessions."""
        file = self._file()
        return file is not None and file.exists() and path.exists() and file.samefile(path)

    def _stored(self) -> StoredSessions[Any]:
        path = self._file()
        if path is None:
            return memory.SQLAlchemyStoredSessions(self.db, *self._tables)
        if not path.exists():
            raise CommandFault(f"there is no file {path}")
        if not path.is_file():
            raise CommandFault(f"{path} is not a file")
        return memory.SQLiteStoredSessions(path, *self._tables)

    def _file(self) -> Path | None:
        """The SQLite file, or None for another database. Files need no further package, and their
        format does not depend on the class that wrote them."""
        scheme, separator, rest = self.db.partition("://")
        if separator and not scheme.startswith("sqlite"):
            return None
        name = rest.removeprefix("/").partition("?")[0] if separator else self.db
        if not name:
            raise CommandFault(
                f"{self.db!r} does not name a file",
                help="give --db a file, or the URL of a database",
            )
        return Path(name)


def list_sessions(terminal: Terminal, place: Place) -> Status:
    """List the sessions of a place.

    Raises:
        CommandFault: The place cannot be read.
    """

    async def work() -> list[StoredSession]:
        async with place.opened() as stored, aclosing(stored.sessions()) as sessions:
            return [session async for session in sessions]

    with progress(terminal, f"reading {place.db}"):
        sessions = asyncio.run(work())
    if sessions:
        print_sessions(terminal.out, sessions)
    else:
        terminal.err.print(Text("there are no sessions", "quiet"))
    return Status.DONE


def show_session(
    terminal: Terminal, place: Place, session_id: str, branch: str | None, limit: int | None
) -> Status:
    """Print the conversation of a session, or of a branch of it.

    Args:
        terminal: Where to print.
        place: Where the session is stored.
        session_id: Its id.
        branch: The branch; None is `main`, or the session itself.
        limit: How many of the latest items; None is all of them.

    Raises:
        CommandFault: The session does not exist, or cannot be read.
    """
    history = _history(asyncio.run(_read(place, session_id)), branch)
    print_history(terminal.out, history, limit)
    return Status.DONE


def export_session(
    terminal: Terminal,
    place: Place,
    session_id: str,
    branch: str | None,
    output: Path | None,
    export_format: ExportFormat | None,
) -> Status:
    """Write the items of a session as JSON.

    Args:
        terminal: Where to print, and to report the written file.
        place: Where the session is stored.
        session_id: Its id.
        branch: The branch; None is `main`, or the session itself.
        output: The file; None prints.
        export_format: The format; None takes it from the ending of the file.

    Raises:
        CommandFault: The session cannot be read, or the file cannot be written.
    """
    history = _history(asyncio.run(_read(place, session_id)), branch)
    if output is not None and place.is_file(output):
        raise CommandFault(
            f"{output} is the file with the sessions, so it was not overwritten",
            help="choose another file for --output",
        )
    if export_format is None:
        lines = output is not None and output.suffix in (".jsonl", ".ndjson")
        export_format = ExportFormat.LINES if lines else ExportFormat.JSON
    text = _exported(history, export_format)
    if history.unreadable:
        _warn(terminal, f"{history.unreadable} rows cannot be read and are left out")
    if history.encrypted:
        _warn(terminal, "the items are encrypted and are written as they are stored")
    if output is None:
        terminal.write(text)
        return Status.DONE
    try:
        _write(output, text)
    except OSError as error:
        raise CommandFault(f"{output} cannot be written: {error.strerror}") from error
    terminal.err.print(Text(printable(f"wrote {output}"), "quiet"), soft_wrap=True)
    return Status.DONE


def repair_sessions(
    terminal: Terminal, place: Place, session_ids: list[str], *, dry_run: bool, yes: bool
) -> Status:
    """Make histories legal where they are stored, one transaction a session.

    Args:
        terminal: Where to report the changes.
        place: Where the sessions are stored.
        session_ids: The sessions; empty means all of them.
        dry_run: Whether only to report the changes and not to make them.
        yes: Whether to skip the question.

    Raises:
        CommandFault: A session does not exist, the answer was no, or the place failed.
    """

    async def find() -> list[StoredSession]:
        async with place.opened() as stored:
            if session_ids:
                return [await stored.session(session_id) for session_id in session_ids]
            async with aclosing(stored.sessions()) as sessions:
                return [one async for one in sessions if one.mendings or one.marked]

    async def mend(session: StoredSession) -> None:
        async with place.opened() as stored:
            await stored.mend(session)

    with progress(terminal, f"reading {place.db}"):
        sessions = asyncio.run(find())
    for session in sessions:
        if any(history.encrypted for history in session.histories):
            _warn(terminal, f"session {session.session_id!r} is encrypted and cannot be checked")
    faulty = [session for session in sessions if session.mendings or session.marked]
    if not faulty:
        terminal.err.print(Text("nothing to repair", "quiet"))
        return Status.DONE
    for session in faulty:
        print_changes(terminal.out, session)
    if dry_run:
        return Status.FOUND
    changes = sum(
        session.marked + sum(len(mending.changes) for mending in session.mendings)
        for session in faulty
    )
    if not yes:
        items, stored = _count(changes, "item"), _count(len(faulty), "session")
        confirm(f"Make these changes ({items} of {stored})?")
    for session in faulty:
        asyncio.run(mend(session))
        done = Text(printable(f"repaired {session.session_id}"), "quiet")
        terminal.err.print(done, soft_wrap=True)
    return Status.DONE


def delete_session(terminal: Terminal, place: Place, session_id: str, *, yes: bool) -> Status:
    """Remove a session.

    Args:
        terminal: Where to report the deletion.
        place: Where the session is stored.
        session_id: Its id.
        yes: Whether to skip the question.

    Raises:
        CommandFault: The session does not exist, the answer was no, or the place failed.
    """

    async def delete() -> None:
        async with place.opened() as stored:
            await stored.delete(session_id)

    session = asyncio.run(_read(place, session_id))
    items = sum(len(history.rows) for history in session.histories)
    if not yes:
        confirm(f"Delete session {session_id!r} with {_count(items, 'item')}?")
    asyncio.run(delete())
    terminal.err.print(Text(printable(f"deleted {session_id}"), "quiet"), soft_wrap=True)
    return Status.DONE


async def _read(place: Place, session_id: str) -> StoredSession:
    async with place.opened() as stored:
        return await stored.session(session_id)


def _history(session: StoredSession, branch: str | None) -> History:
    for history in session.histories:
        if branch is None or history.branch == branch:
            return history
    branches = ", ".join(history.branch for history in session.histories if history.branch)
    raise CommandFault(
        f"session {session.session_id!r} has no branch {branch!r}",
        help=f"it has: {branches}" if branches else "it has no branches",
    )


def _exported(history: History, export_format: ExportFormat) -> str:
    """Return items as JSON that any file can hold and that a terminal may show."""
    values, indent = (
        ([history.items], 2) if export_format is ExportFormat.JSON else (history.items, None)
    )

    texts = (json.dumps(value, ensure_ascii=False, indent=indent) for value in values)
    return "".join(f"{printable_json(text)}\n" for text in texts)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _warn(terminal: Terminal, message: str) -> None:
    print_hanging(terminal.err, Text("warning: ", "warning"), Text(printable(message)))


def _write(path: Path, text: str) -> None:
    """Write a file completely or not at all; write directly to anything else, such as a pipe."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
