"""Processes that tests kill: forked from a server that has imported everything they need, so that
most of their short lives is work. There is one such server in a process of tests, for all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

import pytest

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.memory.killed_writer",
        "tests.api.killed_run",
        "agentgraph.extensions.memory.sqlalchemy_session",
        "asyncpg",
        "sqlalchemy.dialects.postgresql.asyncpg",
        "openai.types.responses",
    ]
)


def let_processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare a test that starts processes."""
    # The server of Python 3.11 does not take over `sys.path`, and so would import nothing.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # Each process would import the main module again, which is pytest, or has no file under xdist.
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)
