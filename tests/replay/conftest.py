"""Every piece of work in these tests is noted in the world that it is done in."""

from __future__ import annotations

import pytest

from agentgraph.drivers import perform
from tests.replay.world import watched


@pytest.fixture(autouse=True)
def _noted_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "_PERFORMS", watched(perform._PERFORMS))
