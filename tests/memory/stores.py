"""Every session store, opened the same way, for the tests that all of them pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from agentgraph.memory import Session
from agentgraph.memory.sqlite_session import SQLiteSession

# The item types are typed dicts of the openai package; tests write plain dicts.
Item: TypeAlias = Any


class Store:
    """One kind of store with one place behind it.

    Attributes:
        name: As in the ids of parametrized tests.
        reopens: Whether a second object sees what the first has stored.
    """

    def __init__(self, name: str, make: Callable[[str], Session], *, reopens: bool = True) -> None:
        self.name = name
        self.reopens = reopens
        self._make = make
        self._opened: list[Session] = []
        self._suffix = uuid4().hex[:8]

    def open(self, session_id: str = "s") -> Session:
        """Make a session object; the same id gives the same conversation."""
        session = self._make(f"{session_id}-{self._suffix}")
        self._opened.append(session)
        return session

    async def close(self) -> None:
        """Close what was opened."""
        for session in self._opened:
            close = getattr(session, "close", None)
            if close is not None:
                closing = close()
                if inspect.isawaitable(closing):
                    await closing
        self._opened.clear()

    def plain(self, items: list[Any]) -> list[Item]:
        """Return items without what the store's API adds to them."""
        if self.name != "conversations":
            return items
        added = ("id", "status")
        return [{key: item[key] for key in item if key not in added} for item in items]


LOCAL = (
    "sqlite-file",
    "sqlite-memory",
    "async-sqlite",
    "advanced-sqlite",
    "encrypted",
    "aiosqlite",
)


def local_store(name: str, folder: Path) -> Store:
    """Return one of the stores that need no server."""
    from agentgraph.extensions.memory import (
        AdvancedSQLiteSession,
        AsyncSQLiteSession,
        EncryptedSession,
        SQLAlchemySession,
    )

    file = folder / f"{name}.db"
    match name:
        case "sqlite-file":
            return Store(name, lambda key: SQLiteSession(key, file))
        case "sqlite-memory":
            return Store(name, lambda key: SQLiteSession(key), reopens=False)
        case "async-sqlite":
            return Store(name, lambda key: AsyncSQLiteSession(key, file))
        case "advanced-sqlite":
            return Store(
                name,
                lambda key: AdvancedSQLiteSession(session_id=key, db_path=file, create_tables=True),
            )
        case "encrypted":
            return Store(
                name, lambda key: EncryptedSession(key, SQLiteSession(key, file), "secret")
            )
        case "aiosqlite":
            url = f"sqlite+aiosqlite:///{file}"
            return Store(
                name, lambda key: SQLAlchemySession.from_url(key, url=url, create_tables=True)
            )
    raise ValueError(name)


def user(text: str) -> Item:
    return {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": text}],
    }


def call(call_id: str) -> Item:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id: str, text: str = "1") -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": text}
