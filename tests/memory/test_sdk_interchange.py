"""Files of the published Agents SDK open and continue here, and ours open and continue there.

The files in `fixtures/` were written by version 0.24 (`make_sdk_fixtures.py`). With
`AGENTGRAPH_SDK_PYTHON` naming a Python that has the SDK, the SDK itself reads and continues ours.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentgraph.extensions.memory import AdvancedSQLiteSession, EncryptedSession
from agentgraph.memory import SQLiteSession
from tests.memory.make_sdk_fixtures import TURNS
from tests.memory.stores import Item

FIXTURES = Path(__file__).parent / "fixtures"
ITEMS: list[Item] = [item for items in TURNS for item in items]

with_the_sdk = pytest.mark.skipif(
    "AGENTGRAPH_SDK_PYTHON" not in os.environ,
    reason="set AGENTGRAPH_SDK_PYTHON to a Python that has the published Agents SDK",
)


def copied(name: str, folder: Path) -> Path:
    return Path(shutil.copy(FIXTURES / f"{name}.sqlite", folder / "sessions.db"))


def columns(statements: list[str]) -> dict[str, Any]:
    """Return tables with their columns, keys and indexes, as SQLite understands a schema."""
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        if "sqlite_sequence" not in statement:
            connection.execute(statement)
    described = {}
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        described[table] = [
            connection.execute(f"PRAGMA {question}({table})").fetchall()
            for question in ("table_info", "foreign_key_list", "index_list")
        ]
    connection.close()
    return described


def schema(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return [statement for (statement,) in rows]


def run_sdk(script: str, file: Path) -> Any:
    """Run a script with the SDK; it gets `file` and `json` and prints one JSON value."""
    prelude = (
        "import asyncio, json, sys\n"
        "from agents import SQLiteSession\n"
        "from agents.extensions.memory import AdvancedSQLiteSession, EncryptedSession\n"
        "file = sys.argv[1]\n"
    )
    done = subprocess.run(
        [os.environ["AGENTGRAPH_SDK_PYTHON"], "-c", prelude + script, str(file)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["sdk_sqlite", "sdk_advanced_sqlite"])
async def test_our_files_have_the_tables_columns_keys_and_indexes_of_the_sdk(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "ours.db"
    session = (
        SQLiteSession("s", file)
        if name == "sdk_sqlite"
        else AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
    )
    await session.add_items(ITEMS)
    session.close()

    theirs = json.loads((FIXTURES / f"{name}.schema.json").read_text())

    assert columns(schema(file)) == columns(theirs)


async def test_a_file_of_the_sdk_opens_and_continues(tmp_path: Path) -> None:
    session = SQLiteSession("from-sdk", copied("sdk_sqlite", tmp_path))

    assert await session.get_items() == ITEMS
    await session.add_items(ITEMS[:1])
    assert await session.get_items() == [*ITEMS, ITEMS[0]]
    assert await session.pop_item() == ITEMS[0]
    session.close()


async def test_an_advanced_file_of_the_sdk_opens_with_branches_turns_and_usage(
    tmp_path: Path,
) -> None:
    file = copied("sdk_advanced_sqlite", tmp_path)
    session = AdvancedSQLiteSession(session_id="from-sdk", db_path=file)
    another: Item = {"role": "user", "content": "another second question"}

    assert await session.get_items() == ITEMS
    assert await session.get_items(branch_id="other") == [*ITEMS[:4], another]
    assert [branch["branch_id"] for branch in await session.list_branches()] == ["main", "other"]
    assert await session.get_tool_usage() == [("lookup", 1, 1)]
    usage = await session.get_turn_usage(2)
    assert isinstance(usage, dict)
    assert usage["total_tokens"] == 15
    await session.switch_to_branch("other")
    await session.add_items([{"role": "user", "content": "third"}])
    turns = await session.get_conversation_turns()
    assert [(turn["turn"], turn["content"]) for turn in turns][1:] == [
        (2, "another second question"),
        (3, "third"),
    ]
    session.close()


@with_the_sdk
async def test_the_sdk_opens_and_continues_our_file(tmp_path: Path) -> None:
    file = tmp_path / "sessions.db"
    ours = SQLiteSession("s", file)
    await ours.add_items(ITEMS)

    read = run_sdk(
        "session = SQLiteSession('s', file)\n"
        "items = asyncio.run(session.get_items())\n"
        "asyncio.run(session.add_items([{'role': 'user', 'content': 'theirs'}]))\n"
        "print(json.dumps(items))\n",
        file,
    )

    assert read == ITEMS
    assert await ours.get_items() == [*ITEMS, {"role": "user", "content": "theirs"}]
    ours.close()


@with_the_sdk
async def test_the_sdk_opens_and_continues_our_advanced_file(tmp_path: Path) -> None:
    file = tmp_path / "sessions.db"
    ours = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
    await ours.add_items(ITEMS)
    await ours.create_branch_from_turn(2, "other")
    await ours.add_items([{"role": "user", "content": "ours"}])

    read = run_sdk(
        "async def main():\n"
        "    session = AdvancedSQLiteSession(session_id='s', db_path=file, create_tables=True)\n"
        "    main = await session.get_items()\n"
        "    await session.switch_to_branch('other')\n"
        "    await session.add_items([{'role': 'user', 'content': 'theirs'}])\n"
        "    return [main, await session.get_items(), await session.get_tool_usage()]\n"
        "print(json.dumps(asyncio.run(main())))\n",
        file,
    )

    other = [*ITEMS[:4], *({"role": "user", "content": who} for who in ("ours", "theirs"))]
    assert read == [ITEMS, other, [["lookup", 1, 1]]]
    assert await ours.get_items() == other
    turns = await ours.get_conversation_turns()
    assert [turn["turn"] for turn in turns] == [1, 2, 3]
    ours.close()


@with_the_sdk
@pytest.mark.parametrize("key", ["any secret", "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="])
async def test_items_that_either_package_encrypted_open_in_the_other(
    tmp_path: Path, key: str
) -> None:
    file = tmp_path / "sessions.db"
    ours = EncryptedSession("s", SQLiteSession("s", file), key)
    await ours.add_items(ITEMS[:1])

    read = run_sdk(
        f"session = EncryptedSession('s', SQLiteSession('s', file), {key!r})\n"
        "items = asyncio.run(session.get_items())\n"
        "asyncio.run(session.add_items([{'role': 'user', 'content': 'theirs'}]))\n"
        "print(json.dumps(items))\n",
        file,
    )

    assert read == ITEMS[:1]
    assert await ours.get_items() == [ITEMS[0], {"role": "user", "content": "theirs"}]
    ours.close()
