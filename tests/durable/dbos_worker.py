"""A worker of DBOS; the tests start it as a process and kill it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dbos import DBOS

from agentgraph.extensions.durable.dbos import DBOSRuns
from agentgraph.extensions.journals import PostgresJournal
from tests.durable.ten_steps import agent_of_ten_steps


def runs_of(url: str, executor: str, effects: str) -> DBOSRuns:
    """The runs, as each process knows them."""
    DBOS(
        config={
            "name": "agentgraph-test",
            "system_database_url": url,
            "executor_id": executor,
            "application_version": "1",
            "log_level": "ERROR",
        }
    )
    return DBOSRuns(
        agent_of_ten_steps(Path(effects)),
        PostgresJournal(url),
        worker_concurrency=4,
        polling_seconds=0.1,
    )


if __name__ == "__main__":
    runs_of(*sys.argv[1:4])
    DBOS.launch()
    print("ready", flush=True)
    while True:
        time.sleep(60)
