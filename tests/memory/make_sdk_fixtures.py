"""Writes the files in `fixtures/` with the published Agents SDK 0.24; run it with its Python.

python tests/memory/make_sdk_fixtures.py tests/memory/fixtures
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TURNS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": 'Grüße, "quoted"'}],
    [
        {"type": "function_call", "call_id": "c", "name": "lookup", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"role": "assistant", "content": "It is 42."},
    ],
    [{"role": "user", "content": "second question"}],
    [{"role": "assistant", "content": "second answer"}],
]


async def plain(file: Path) -> None:
    from agents import SQLiteSession

    session = SQLiteSession("from-sdk", file)
    for items in TURNS:
        await session.add_items(items)
    session.close()


async def advanced(file: Path) -> None:
    from agents.extensions.memory import AdvancedSQLiteSession
    from agents.usage import Usage

    session = AdvancedSQLiteSession(session_id="from-sdk", db_path=file, create_tables=True)
    for items in TURNS:
        await session.add_items(items)
    usage = Usage(requests=2, input_tokens=10, output_tokens=5, total_tokens=15)
    await session.store_run_usage(SimpleNamespace(context_wrapper=SimpleNamespace(usage=usage)))
    await session.create_branch_from_turn(2, "other")
    await session.add_items([{"role": "user", "content": "another second question"}])
    session.close()


def finish(file: Path) -> None:
    """Put everything into one file, and its schema beside it."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    schema = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    statements = [" ".join(statement.split()) for (statement,) in schema]
    file.with_suffix(".schema.json").write_text(json.dumps(statements, indent=1) + "\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, make in (("sdk_sqlite", plain), ("sdk_advanced_sqlite", advanced)):
        target = folder / f"{name}.sqlite"
        target.unlink(missing_ok=True)
        asyncio.run(make(target))
        finish(target)
