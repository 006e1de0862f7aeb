"""A worker behind Restate; the tests start it as a process and kill it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from agentgraph import SQLiteJournal
from agentgraph.extensions.durable.restate import restate_service
from tests.durable.ten_steps import agent_of_ten_steps

if __name__ == "__main__":
    port, journal, effects = sys.argv[1:4]
    service = restate_service(agent_of_ten_steps(Path(effects)), SQLiteJournal(journal))
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(restate.app([service]), config))
