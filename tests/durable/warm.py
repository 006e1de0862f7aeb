"""Imported by the server of processes that tests kill: one run, so that a new process begins with
its own at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.durable.killed_program import Place, work

with TemporaryDirectory() as _folder:
    asyncio.run(work(Place(Path(_folder)), "warm"))
