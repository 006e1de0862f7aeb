"""The journal in PostgreSQL: lost connections, several processes at once, addresses."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from agentgraph import AgentDefinitionError, JournalError, UnknownRun
from agentgraph.extensions.journals import PostgresJournal
from tests.durable.conftest import postgresql_url
from tests.memory.servers import TcpProxy

COMMITS = (b"COMMIT;", b"COMMIT\0")


def connected(folder: Path) -> psycopg.Connection:
    return psycopg.connect(f"host={folder} user=postgres dbname=postgres")


@pytest.fixture
async def proxy(empty_postgresql: Path) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(empty_postgresql / ".s.PGSQL.5432").running() as proxy:
        yield proxy


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
@pytest.mark.parametrize("after_sending", [False, True], ids=["request-lost", "answer-lost"])
async def test_a_call_that_loses_its_connection_is_made_again(
    driver: str, after_sending: bool, proxy: TcpProxy
) -> None:
    url = f"postgresql+{driver}://postgres@127.0.0.1:{proxy.port}/postgres"
    journal = PostgresJournal(url, chain=True)
    await journal.find("a")

    def cut() -> None:
        proxy.cut_when(lambda it: any(end in it for end in COMMITS), after_sending=after_sending)

    cut()
    assert (await journal.open("a", '{"n": 0}')).epoch == 0
    cut()
    assert await journal.claim("a", "me", 60) == 1
    for first in (0, 2):
        cut()
        await journal.append("a", 1, first, [f'{{"n": {first}}}', "{}"])
    cut()
    await journal.renew("a", 1, 60)
    cut()
    await journal.keep_machine("a", "print", "{}")
    cut()
    assert await journal.read("a") == ['{"n": 0}', "{}", '{"n": 2}', "{}"]
    cut()
    await journal.finish("a", 1, "done", "")
    stored = await journal.find("a")
    assert stored is not None
    assert (stored.status, stored.epoch, stored.holder, stored.lines) == ("done", 1, "", 4)
    cut()
    await journal.delete("a")
    with pytest.raises(UnknownRun):
        await journal.delete("a")
    assert await journal.machine("print") is None
    await journal.aclose()


async def test_connections_that_the_server_closed_are_replaced(empty_postgresql: Path) -> None:
    journal = PostgresJournal(postgresql_url("psycopg", empty_postgresql))
    await journal.open("a", "{}")
    epoch = await journal.claim("a", "me", 60)
    with connected(empty_postgresql) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    await journal.append("a", epoch, 0, ["{}"])
    assert await journal.read("a") == ["{}"]
    await journal.aclose()


async def test_a_server_that_never_answered_is_named_without_its_password() -> None:
    journal = PostgresJournal("postgresql://me:hunter2@127.0.0.1:1/runs")
    with pytest.raises(JournalError, match=r"me:\*\*\*@127\.0\.0\.1:1/runs") as caught:
        await journal.open("a", "{}")
    assert "hunter2" not in str(caught.value)
    await journal.aclose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_a_user_without_access_is_refused(driver: str, empty_postgresql: Path) -> None:
    url = f"postgresql+{driver}://stranger@/postgres?host={empty_postgresql}"
    journal = PostgresJournal(url)
    with pytest.raises(JournalError, match=r"The journal of run 'a' .*stranger"):
        await journal.find("a")
    await journal.aclose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_no_traceback_quotes_what_was_to_be_stored(
    driver: str, empty_postgresql: Path
) -> None:
    journal = PostgresJournal(postgresql_url(driver, empty_postgresql))
    await journal.open("a", "{}")
    epoch = await journal.claim("a", "me", 60)
    with connected(empty_postgresql) as connection:
        connection.execute("DROP TABLE agentgraph_lines")
    with pytest.raises(JournalError, match=r"agentgraph_lines.* does not exist") as caught:
        await journal.append("a", epoch, 0, [json.dumps(20 * "candy")])
    assert "candycandy" not in "".join(traceback.format_exception(caught.value))
    await journal.aclose()


async def test_many_processes_may_make_the_tables_at_once(empty_postgresql: Path) -> None:
    journals = [PostgresJournal(postgresql_url("asyncpg", empty_postgresql)) for _ in range(6)]
    await asyncio.gather(*(one.open(f"run {n}", "{}") for n, one in enumerate(journals)))
    assert len(await journals[0].runs()) == 6
    for one in journals:
        await one.aclose()


async def test_tables_of_an_older_and_of_a_newer_version(empty_postgresql: Path) -> None:
    url = postgresql_url("psycopg", empty_postgresql)
    journal = PostgresJournal(url)
    await journal.open("a", "{}")
    await journal.aclose()
    with connected(empty_postgresql) as connection:
        connection.execute("ALTER TABLE agentgraph_runs DROP COLUMN chain")
        connection.execute("ALTER TABLE agentgraph_lines DROP COLUMN chain")
        connection.execute("DROP INDEX agentgraph_machines_by_use")
        connection.execute("UPDATE agentgraph_journal SET version = 1")
    journal = PostgresJournal(url, chain=True)
    epoch = await journal.claim("a", "me", 60)
    await journal.append("a", epoch, 0, ["{}"])
    await journal.aclose()
    with connected(empty_postgresql) as connection:
        connection.execute("UPDATE agentgraph_journal SET version = 99")
    journal = PostgresJournal(url)
    with pytest.raises(JournalError, match="version 99"):
        await journal.find("a")
    await journal.aclose()


async def test_a_machine_that_another_process_is_about_to_use_stays(
    empty_postgresql: Path,
) -> None:
    journal = PostgresJournal(postgresql_url("psycopg", empty_postgresql))
    for run in ("a", "b"):
        await journal.open(run, "{}")
    await journal.keep_machine("a", "print", "{}")
    with connected(empty_postgresql) as connection:
        connection.execute("INSERT INTO agentgraph_machines_of_runs VALUES ('b', 'print')")
        connection.execute(
            "INSERT INTO agentgraph_machines VALUES ('print', '{}') ON CONFLICT DO NOTHING"
        )
        deleting = asyncio.create_task(journal.delete("a"))
        assert await asyncio.to_thread(_sees_a_lock_awaited, empty_postgresql)
    await deleting
    assert await journal.machine("print") == "{}"
    await journal.aclose()


def _sees_a_lock_awaited(folder: Path) -> bool:
    """Wait until a connection waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    deadline = time.monotonic() + 60
    with connected(folder) as connection:
        connection.autocommit = True
        while connection.execute(waiting).fetchone() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
    return True


async def test_an_engine_of_the_caller_stays_open(empty_postgresql: Path) -> None:
    engine = create_async_engine(postgresql_url("psycopg", empty_postgresql))
    journal = PostgresJournal(engine)
    await journal.open("a", "{}")
    await journal.aclose()
    assert await journal.find("a") is not None
    await engine.dispose()


def test_a_journal_serves_several_event_loops(empty_postgresql: Path) -> None:
    journal = PostgresJournal(postgresql_url("psycopg", empty_postgresql))
    asyncio.run(_begun(journal, "a"))
    asyncio.run(_begun(journal, "b"))
    runs = asyncio.run(_closed(journal))
    assert sorted(runs) == ["a", "b"]


async def _begun(journal: PostgresJournal, run: str) -> None:
    await journal.open(run, "{}")


async def _closed(journal: PostgresJournal) -> list[str]:
    runs = [run.run_id for run in await journal.runs()]
    await journal.aclose()
    return runs


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite+aiosqlite:///runs.db", "needs a URL of PostgreSQL, not sqlite"),
        ("postgresql+nodriver://me:hunter2@host/x", r"no database .*me:\*\*\*@host/x"),
        ("runs.db", "no database can be reached"),
    ],
)
def test_other_addresses_are_refused(url: str, words: str) -> None:
    with pytest.raises(AgentDefinitionError, match=words) as caught:
        PostgresJournal(url)
    assert "hunter2" not in str(caught.value)


WITHOUT_SQLALCHEMY = """
import sys
sys.modules["sqlalchemy"] = None
from agentgraph.extensions.journals import PostgresJournal
"""


def test_a_missing_package_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SQLALCHEMY],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert "PostgresJournal needs a package that is not installed; run: pip install" in done.stderr
    assert "agentgraph-workflows[postgres]" in done.stderr
