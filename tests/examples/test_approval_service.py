"""`examples/approval_service.py`: a run begins in one server process, a person decides when another
one is there, and the refund is made once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agentgraph.models.rehearsal import REHEARSAL_NOTICE
from tests.cli.command import EXAMPLES
from tests.examples import services
from tests.examples.services import Service

SERVICE = EXAMPLES / "approval_service.py"
REQUEST = {"request": "Refund order 1042 with 40 euros"}


@contextmanager
def serving(file: Path) -> Iterator[Service]:
    """The service on a file."""
    with services.serving(SERVICE, APPROVALS_FILE=str(file)) as service:
        yield service


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "approvals.db"


def refunds(file: Path) -> list[Any]:
    with closing(sqlite3.connect(file)) as rows:
        return rows.execute("select order_number, euros from refunds").fetchall()


def test_a_decision_after_a_restart_carries_the_run_on_and_the_refund_is_made_once(
    file: Path,
) -> None:
    with serving(file) as service:
        status, begun = service("/runs", REQUEST)
        assert status == 200
        assert begun["output"] is None
        (call,) = begun["waits_for"]
        assert call["tool"] == "refund"
        assert json.loads(call["arguments"]) == {"order_number": 1042, "euros": 40}
    assert refunds(file) == []
    run = f"/runs/{begun['run']}"
    with serving(file) as service:
        assert service(run) == (200, begun)
        decision = {"call": 0, "approve": True, "version": begun["version"]}
        status, ended = service(f"{run}/decisions", decision)
        assert (status, ended["waits_for"]) == (200, [])
        assert ended["output"].startswith(REHEARSAL_NOTICE)
        assert refunds(file) == [(1042, 40)]
        # A second click, and one after another restart, is told how things stand.
        assert service(f"{run}/decisions", decision) == (409, {"detail": ended})
    with serving(file) as service:
        assert service(f"{run}/decisions", {"call": 0, "approve": False}) == (
            409,
            {"detail": ended},
        )
        assert service(run) == (200, ended)
    assert refunds(file) == [(1042, 40)]


def test_a_rejected_refund_is_not_made(file: Path) -> None:
    with serving(file) as service:
        _, begun = service("/runs", REQUEST)
        refusal = {"call": 0, "approve": False, "reason": "Too late."}
        status, ended = service(f"/runs/{begun['run']}/decisions", refusal)
        assert (status, ended["waits_for"]) == (200, [])
        assert ended["output"]
        assert service("/runs/none") == (404, {"detail": "There is no such run."})
    assert refunds(file) == []
