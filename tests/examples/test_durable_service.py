"""`examples/durable_service.py`: it starts, streams, suspends for an approval, is killed in the
middle of the refund, and goes on; the refund is made once."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentgraph.models.rehearsal import REHEARSAL_NOTICE
from tests.cli.command import EXAMPLES
from tests.examples.services import Service, serving
from tests.memory.servers import postgresql_server

SERVICE = EXAMPLES / "durable_service.py"
REQUEST = {"request": "Refund order 1042 with 40 euros"}
RUN = "/runs/order-1042"
LONGEST = 60.0


@pytest.fixture(params=["sqlite", "postgresql"])
def variables(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    bank = {"BANK_FILE": str(tmp_path / "bank.db")}
    if request.param == "sqlite":
        yield {**bank, "RUNS_JOURNAL": str(tmp_path / "runs.db")}
        return
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as socket_folder:
        url = f"postgresql://postgres@/postgres?host={socket_folder}"
        yield {**bank, "RUNS_JOURNAL": url}


def refunds(variables: dict[str, str]) -> list[Any]:
    with closing(sqlite3.connect(variables["BANK_FILE"])) as rows:
        try:
            return rows.execute("select number, euros from refunds").fetchall()
        except sqlite3.OperationalError:
            return []  # the bank has no table yet


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def decide_and_be_cut_off(service: Service) -> None:
    """Decide; the service dies before it answers."""
    with pytest.raises(OSError):
        service(f"{RUN}/decisions", {"call": 0, "approve": True})


def test_a_service_that_is_killed_during_a_refund_makes_it_once(variables: dict[str, str]) -> None:
    with serving(SERVICE, **variables) as service:
        assert service(RUN)[0] == 404
        status, begun = service(RUN, REQUEST, "PUT")
        assert (status, begun["output"]) == (200, None)
        (call,) = begun["waits_for"]
        assert json.loads(call["arguments"]) == {"order_number": 1042, "euros": 40}
        assert service(RUN, REQUEST, "PUT") == (200, begun)
        assert '"event": "tool_called"' in service.text(f"{RUN}/events")
    assert refunds(variables) == []
    with serving(SERVICE, **variables, BANK_SECONDS="600") as service:
        assert service(RUN) == (200, begun)
        deciding = threading.Thread(target=decide_and_be_cut_off, args=(service,))
        deciding.start()
        wait_for(lambda: refunds(variables) == [(1042, 40)])
        assert service(RUN) == (409, {"detail": "The run is at work."})
    deciding.join()
    with serving(SERVICE, **variables) as service:
        wait_for(lambda: service(RUN)[0] == 200)  # the service goes on with it by itself
        status, ended = service(RUN)
        assert (status, ended["waits_for"]) == (200, [])
        assert ended["output"].startswith(REHEARSAL_NOTICE)
        assert service(f"{RUN}/decisions", {"call": 0, "approve": True}) == (409, {"detail": ended})
        names = service.text(f"{RUN}/events")
        assert '"event": "tool_output"' in names
        assert '"event": "message_output_created"' in names
    assert refunds(variables) == [(1042, 40)]
