"""Runs behind a Restate service whose worker is killed."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentgraph import Runner, SQLiteJournal
from tests.durable.install_restate import SERVER
from tests.durable.ten_steps import STEPS

pytest.importorskip("restate", reason="the extra restate is not installed")
pytestmark = pytest.mark.skipif(
    not SERVER.exists(), reason="`make restate` installs the server of Restate"
)

WORKER = Path(__file__).with_name("restate_worker.py")
LONGEST = 60.0


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def post(url: str, body: object) -> str:
    """Send JSON, and return the answer."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=LONGEST) as answer:
        text: str = answer.read().decode()
    return text


def once_it_listens(url: str, body: object) -> str:
    """Send JSON to a server that has just been started."""
    deadline = time.monotonic() + LONGEST
    while True:
        try:
            return post(url, body)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def wait_for_lines(file: Path, count: int) -> None:
    """Wait until a file has that many lines."""
    deadline = time.monotonic() + LONGEST
    while not file.exists() or file.read_text().count("\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    started = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@contextmanager
def restate(folder: Path) -> Iterator[tuple[str, str]]:
    """A server; yields the addresses for calls and for its administration."""
    ingress, admin, node = free_ports(3)
    with process(
        str(SERVER),
        RESTATE_BASE_DIR=str(folder / "restate"),
        RESTATE_LISTEN_MODE="tcp",
        RESTATE_INGRESS__BIND_ADDRESS=f"127.0.0.1:{ingress}",
        RESTATE_ADMIN__BIND_ADDRESS=f"127.0.0.1:{admin}",
        RESTATE_BIND_ADDRESS=f"127.0.0.1:{node}",
        RESTATE_DISABLE_TELEMETRY="true",
    ):
        yield f"http://127.0.0.1:{ingress}", f"http://127.0.0.1:{admin}"


async def test_a_worker_that_is_killed_is_called_again(tmp_path: Path) -> None:
    journal, effects = SQLiteJournal(tmp_path / "runs.db"), tmp_path / "effects"
    (port,) = free_ports(1)
    worker = (sys.executable, str(WORKER), str(port), str(tmp_path / "runs.db"), str(effects))
    await Runner.begin("run-1", "run-1", journal=journal)
    await Runner.begin("run-2", "run-2", journal=journal, max_turns=20)
    with restate(tmp_path) as (calls, administration):
        with process(*worker):
            body = {"uri": f"http://127.0.0.1:{port}", "use_http_11": False}
            await asyncio.to_thread(once_it_listens, f"{administration}/deployments", body)
            answer = asyncio.create_task(
                asyncio.to_thread(once_it_listens, f"{calls}/agentgraph/resume", "run-2")
            )
            await asyncio.to_thread(wait_for_lines, effects, STEPS // 2)
        with process(*worker):
            assert json.loads(await answer) == "done"
            failed = asyncio.to_thread(post, f"{calls}/agentgraph/resume", "run-1")
            with pytest.raises(urllib.error.HTTPError, match="500") as refused:
                await failed
            assert b"MaxTurnsExceeded" in refused.value.read()
    lines = Counter(effects.read_text().splitlines())
    assert {line for line in lines if line.startswith("run-2")} == {
        f"run-2 {number}" for number in range(STEPS)
    }
    assert sum(lines.values()) <= len(lines) + 1
