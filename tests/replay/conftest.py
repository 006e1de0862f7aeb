"""Every piece of work in these tests is noted in the world that it is done in."""

from __future__ import annotations

import pytest

from agentgraph.drivers.perform import PERFORMS
from agentgraph.drivers.work import retries
from tests.replay.world import watched


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "WAITS_FOR_LOCK", (0.0, 0.0, 0.0))


@pytest.fixture(autouse=True)
def _noted_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, work in watched(PERFORMS).items():
        monkeypatch.setitem(PERFORMS, kind, work)
