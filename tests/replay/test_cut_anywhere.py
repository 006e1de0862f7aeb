"""A run that is cut after any row of its journal goes on to the end that it would have had."""

from __future__ import annotations

import pytest

from tests.api.scenarios import SCENARIOS
from tests.replay.cuts import Through, check_every_cut, same, text

# Calls that the library refuses before there is a run.
NO_RUN = {"session_beside_a_stored_conversation"}
# A tool adds something to its agent. A process that dies before the outcome is written makes the
# call again, and the tool adds it twice.
NOT_TWICE = {"a_tool_adds_a_tool", "a_tool_adds_a_handoff"}


@pytest.mark.parametrize("through", [same, text])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - NO_RUN))
async def test_a_recorded_workflow_goes_on_to_its_end_from_every_cut(
    name: str, streamed: bool, through: Through
) -> None:
    await check_every_cut(
        SCENARIOS[name], streamed=streamed, twice=name not in NOT_TWICE, through=through
    )
