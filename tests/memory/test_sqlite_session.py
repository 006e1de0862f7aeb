"""`SQLiteSession` beyond the contract: files, concurrency, cost, faults and bad input."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentgraph.memory import SQLiteSession, encoding
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from agentgraph.memory.runs import saved_rows
from agentgraph.memory.sqlite.database import SQLiteDatabase
from tests.memory.stores import call, output, user


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def execute(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def read(file: Path) -> bytes:
    return file.read_bytes()


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def delete(file: Path) -> None:
    for part in file.parent.iterdir():
        part.unlink()


def is_open(file: Path) -> bool:
    """SQLite removes this file when the last connection closes."""
    return file.with_name(f"{file.name}-wal").exists()


def use_connections(monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Any], None]) -> None:
    """Let every connection that a session opens from now on be prepared by `prepare`."""

    class Prepared(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            prepare(self)

    connect = functools.partial(sqlite3.connect, factory=Prepared)
    monkeypatch.setattr(sqlite3, "connect", connect)


async def test_two_hundred_concurrent_runs_on_one_file_finish(file: Path) -> None:
    async def run(number: int) -> None:
        session = SQLiteSession(f"run-{number}", file)
        await session.get_items()
        await session.add_items([user("question")])
        await session.add_items([call("c"), output("c")])
        session.close()

    await asyncio.gather(*(run(number) for number in range(200)))

    assert rows(file, "SELECT COUNT(*) FROM agent_messages") == [(600,)]


async def test_calls_on_one_session_take_effect_in_the_order_in_which_they_were_made(
    file: Path,
) -> None:
    session = SQLiteSession("s", file)
    items = [user(str(number)) for number in range(50)]

    await asyncio.gather(*(session.add_items([item]) for item in items))

    assert await session.get_items() == items
    session.close()


WRITER = """
import asyncio, sys
from agentgraph.memory import SQLiteSession

async def main(name, file):
    session = SQLiteSession("shared", file)
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(40):
        await session.add_items(
            [{"role": "user", "content": f"{name} {turn} {part}"} for part in range(20)]
        )
    session.close()

asyncio.run(main(*sys.argv[1:]))
"""


def test_processes_that_share_a_session_keep_their_items_together(file: Path) -> None:
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, str(file)], stdin=pipe, stdout=pipe, stderr=pipe
        )
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors.decode()

    stored = asyncio.run(_items(SQLiteSession("shared", file)))

    texts = [str(item["content"]).split() for item in stored]
    assert len(texts) == 3 * 40 * 20
    for start in range(0, len(texts), 20):
        name, turn, _ = texts[start]
        assert texts[start : start + 20] == [[name, turn, str(part)] for part in range(20)]
    for name in ("a", "b", "c"):
        turns = [int(turn) for owner, turn, part in texts if owner == name and part == "0"]
        assert turns == list(range(40))


async def _items(session: SQLiteSession) -> list[Any]:
    items = await session.get_items()
    session.close()
    return items


async def test_a_read_with_a_limit_looks_at_no_more_rows_than_it_returns(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user(str(number)) for number in range(1_000)])
    decoded: list[object] = []

    def decode(text: str) -> object:
        decoded.append(text)
        return encoding.decode_item(text)

    monkeypatch.setattr(saved_rows, "decode_item", decode)

    assert await session.get_items(3) == [user("997"), user("998"), user("999")]

    assert len(decoded) == 3
    session.close()


async def test_saving_a_turn_writes_only_what_is_new(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SQLiteSession("s", file)
    await first.add_items([user(str(number)) for number in range(1_000)])
    first.close()
    connections: list[sqlite3.Connection] = []
    use_connections(monkeypatch, connections.append)

    session = SQLiteSession("s", file)
    await session.add_items([call("c"), output("c")])

    (connection,) = connections
    assert connection.total_changes == 3  # two items, and the time of the session
    session.close()


async def test_sessions_of_one_file_look_for_its_tables_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    use_connections(monkeypatch, lambda opened: opened.set_trace_callback(statements.append))
    first = SQLiteSession("0", file)
    await first.append_to_block([user("x")])
    statements.clear()

    for number in range(1, 4):
        with closing(SQLiteSession(f"{number}", file)) as session:
            await session.append_to_block([user("x")])

    looks = [text for text in statements if "table_info" in text or "CREATE" in text]
    assert looks == []
    first.close()


async def test_every_change_is_one_transaction_that_waits_for_its_turn_at_the_start(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    use_connections(monkeypatch, lambda opened: opened.set_trace_callback(statements.append))
    session = SQLiteSession("s", file)
    await session.get_items()

    for change in (session.add_items([call("c"), output("c")]), session.pop_item()):
        statements.clear()
        await change
        assert (statements[0], statements[-1]) == ("BEGIN IMMEDIATE", "COMMIT")
        assert len(statements) > 2
        assert not [text for text in statements[1:-1] if text.startswith(("BEGIN", "COMMIT"))]
    session.close()


async def test_the_event_loop_is_free_while_another_process_holds_the_lock(file: Path) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user("before")])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    waiting = asyncio.create_task(session.add_items([user("after")]))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    await waiting

    assert await session.get_items() == [user("before"), user("after")]
    session.close()


async def test_a_cancelled_write_is_stored_as_a_whole_or_not_at_all(file: Path) -> None:
    session = SQLiteSession("s", file)
    turns = [[call(f"{n}"), output(f"{n}")] for n in range(40)]
    for turn in turns:
        writing = asyncio.create_task(session.add_items(turn))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    stored = await session.get_items()

    assert [item for turn in turns if turn[0] in stored for item in turn] == stored
    session.close()


async def test_a_full_disk_stores_nothing_of_the_call_and_keeps_what_was_there(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_connections(monkeypatch, lambda connection: connection.execute("PRAGMA max_page_count=12"))
    session = SQLiteSession("s", file)
    await session.add_items([user("small")])

    with pytest.raises(SessionError, match=r"'s' in .*\.db: the disk or a quota is full"):
        await session.add_items([user("first"), user("x" * 200_000)])

    assert await session.get_items() == [user("small")]
    await session.add_items([user("again small")])
    assert await session.get_items() == [user("small"), user("again small")]
    session.close()


async def test_damaged_rows_are_left_out_and_take_no_place_of_an_item(file: Path) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user("1"), user("2")])
    execute(
        file,
        "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', '{\"broken')",
        "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', '[3]')",
        "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', x'ff00')",
    )

    assert await session.get_items() == [user("1"), user("2")]
    assert await session.get_items(1) == [user("2")]
    assert await session.pop_item() == user("2")
    assert rows(file, "SELECT COUNT(*) FROM agent_messages") == [(4,)]
    session.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path) -> None:
    write(file, b"my novel\n" * 1_000)
    session = SQLiteSession("s", file)

    for attempt in (session.get_items(), session.add_items([user("x")]), session.pop_item()):
        with pytest.raises(SessionError, match=r"'s' in .*\.db: this is not an SQLite database"):
            await attempt

    assert read(file) == b"my novel\n" * 1_000
    session.close()


async def test_a_damaged_database_is_an_error_that_names_session_and_file(file: Path) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user("x" * 3_000) for _ in range(50)])
    session.close()
    content = read(file)
    write(file, content[: 4096 * 3] + b"\xaa" * (len(content) - 4096 * 3))

    session = SQLiteSession("s", file)
    with pytest.raises(SessionError, match=r"'s' in .*\.db: the database file is damaged"):
        await session.get_items()
    session.close()


async def test_a_table_of_another_program_is_refused_and_left_alone(file: Path) -> None:
    execute(
        file,
        "CREATE TABLE agent_messages (id INTEGER PRIMARY KEY, subject TEXT)",
        "INSERT INTO agent_messages (subject) VALUES ('hello')",
    )
    session = SQLiteSession("s", file)

    with pytest.raises(SessionError, match="lacks the columns message_data, session_id"):
        await session.add_items([user("x")])

    assert rows(file, "SELECT name FROM sqlite_master") == [("agent_messages",)]
    assert rows(file, "SELECT subject FROM agent_messages") == [("hello",)]
    session.close()


async def test_other_tables_in_the_file_stay(file: Path) -> None:
    execute(file, "CREATE TABLE invoices (total INTEGER)", "INSERT INTO invoices VALUES (3)")
    session = SQLiteSession("s", file, sessions_table="my sessions", messages_table='my "items"')

    await session.add_items([user("x")])

    assert await session.get_items() == [user("x")]
    assert rows(file, "SELECT * FROM invoices") == [(3,)]
    session.close()


async def test_a_missing_folder_is_an_error_that_says_to_create_it(tmp_path: Path) -> None:
    session = SQLiteSession("s", tmp_path / "missing" / "sessions.db")

    with pytest.raises(SessionError, match="create its folder"):
        await session.add_items([user("x")])
    session.close()


@pytest.mark.parametrize("session_id", ["", "  ", None, 7, "\ud800"])
def test_a_session_id_that_is_no_text_is_refused(session_id: Any) -> None:
    with pytest.raises(InvalidSessionInput, match="non-empty string"):
        SQLiteSession(session_id)


async def test_a_closed_session_refuses_every_use_and_closing_again_does_nothing(
    file: Path,
) -> None:
    session, other = SQLiteSession("s", file), SQLiteSession("other", file)
    await session.add_items([user("x")])

    session.close()
    session.close()

    for use in (session.get_items(), session.add_items([user("y")]), session.pop_item()):
        with pytest.raises(SessionClosedError, match="'s' is closed"):
            await use
    await other.add_items([user("still open")])
    other.close()


async def test_the_last_session_of_a_file_to_close_closes_the_file(file: Path) -> None:
    first, second = SQLiteSession("1", file), SQLiteSession("2", file)
    await first.add_items([user("x")])

    first.close()
    assert is_open(file)
    second.close()

    assert not is_open(file)


async def test_a_session_that_nobody_closes_gives_its_file_back_when_it_is_gone(
    file: Path,
) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user("x")])

    del session

    assert not is_open(file)


async def test_an_event_loop_keeps_nothing_of_the_files_whose_sessions_are_gone(
    tmp_path: Path,
) -> None:
    for number in range(3):
        session = SQLiteSession("s", tmp_path / f"{number}.db")
        await session.add_items([user("x")])
        session.close()
    del session
    gc.collect()

    open_ones = [it.path for it in gc.get_objects() if type(it) is SQLiteDatabase]
    assert not [path for path in open_ones if path.startswith(str(tmp_path))]


async def test_a_thread_that_still_holds_its_last_call_does_not_keep_a_session_alive(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[object] = []
    submit = ThreadPoolExecutor.submit

    def holding(self: ThreadPoolExecutor, call: Any, /, *arguments: Any) -> Any:
        held.append((call, arguments))
        return submit(self, call, *arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", holding)
    session = SQLiteSession("s", file)
    await session.add_items([user("x")])

    del session

    assert held
    assert not is_open(file)


async def test_a_file_that_was_deleted_is_made_anew(file: Path) -> None:
    session = SQLiteSession("s", file)
    await session.add_items([user("lost with its file")])
    delete(file)

    await session.add_items([user("kept")])

    assert rows(file, "SELECT COUNT(*) FROM agent_messages") == [(1,)]
    session.close()


async def test_a_file_that_took_the_place_of_another_keeps_what_it_holds(file: Path) -> None:
    other = file.with_name("backup.db")
    with closing(SQLiteSession("s", other)) as backup:
        await backup.add_items([user("from the backup")])
    session = SQLiteSession("s", file)
    await session.add_items([user("in the log of the old file")])

    other.replace(file)
    await session.add_items([user("later")])
    session.close()

    with closing(SQLiteSession("s", file)) as again:
        assert await again.get_items() == [user("from the backup"), user("later")]


async def test_memory_sessions_do_not_share_anything() -> None:
    first, second = SQLiteSession("s"), SQLiteSession("s")

    await first.add_items([user("x")])

    assert await second.get_items() == []


def test_one_session_serves_several_event_loops(file: Path) -> None:
    session = SQLiteSession("s", file)

    asyncio.run(session.add_items([user("1")]))
    asyncio.run(session.add_items([user("2")]))

    assert asyncio.run(session.get_items()) == [user("1"), user("2")]
    session.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_opens_the_file_for_itself(file: Path) -> None:
    script = """
import asyncio, os, sys
from agentgraph.memory import SQLiteSession
session = SQLiteSession("s", sys.argv[1])
asyncio.run(session.add_items([{"role": "user", "content": "parent"}]))
child = os.fork()
asyncio.run(session.add_items([{"role": "user", "content": "child" if child == 0 else "parent"}]))
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert len(asyncio.run(session.get_items())) == 3
session.close()
"""
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_neither_sqlite_nor_openai() -> None:
    script = (
        "import sys, agentgraph.memory, agentgraph.extensions.memory as stores\n"
        "heavy = {'sqlite3', 'openai', 'sqlalchemy', 'redis', 'dapr', 'cryptography'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
        "from agentgraph.memory import SQLiteSession\n"
        "assert 'sqlite3' in sys.modules and 'openai' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
