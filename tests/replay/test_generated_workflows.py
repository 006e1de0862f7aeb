"""Workflows drawn from seeds go on to the same end wherever they are cut.

A few cuts of each are made. `AGENTGRAPH_CUTS` is a number of workflows to cut everywhere.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from agentgraph.record.payloads import Transfer, Waiting
from tests.replay.cuts import Through, check_every_cut, same, text, uncut
from tests.replay.workflows import generated

SEARCH = os.environ.get("AGENTGRAPH_CUTS")
SEEDS, MOST = (40, 5) if SEARCH is None else (int(SEARCH), None)


@pytest.mark.parametrize("through", [same, text])
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_workflow_goes_on_to_its_end_from_every_cut(seed: int, through: Through) -> None:
    made = generated(seed)
    assert await check_every_cut(made, streamed=seed % 2 == 1, through=through, most=MOST) > 0


async def test_the_drawn_workflows_reach_what_a_run_may_do() -> None:
    reached: Counter[str] = Counter()
    for seed in range(40):
        world, end = await uncut(generated(seed), streamed=False)
        journal = end.launched.journal
        for row in journal.all():
            payload = row.outcome.payload
            reached[type(payload).__name__] += 1
            reached[f"{row.outcome.event} {len(row.path)} deep"] += 1
            reached["filtered"] += isinstance(payload, Transfer) and payload.filtered is not None
            reached["two at once"] += isinstance(payload, Waiting) and len(payload.questions) > 1
        reached["session"] += world.case.session is not None
        reached[f"ended {end.rest.kind if end.rest else type(end.error).__name__}"] += 1
        conversation = end.launched.run.record.conversation
        reached["response id"] += conversation.previous_response_id is not None
        reached["conversation id"] += conversation.conversation_id is not None
    missing = {name for name in TO_REACH if not reached[name]}
    assert not missing, reached


TO_REACH = {
    *("FailedAttempt", "Failure", "GuardrailVerdict", "Loaded", "ModelReply", "SavedTurn"),
    *("Resumed", "Screened", "ToolReturn", "Transfer", "Waiting", "FinalOutput"),
    *("rejected 0 deep", "retry 0 deep", "tripped 0 deep", "failed 1 deep"),
    *("awaiting 0 deep", "awaiting 1 deep", "awaiting 2 deep", "awaiting 3 deep"),
    *("filtered", "two at once", "session", "response id", "conversation id"),
    *("ended done", "ended OutputGuardrailTripwireTriggered", "ended MaxTurnsExceeded"),
}
