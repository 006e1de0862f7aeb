"""Runs whose decisions are drawn are the same plain, streamed, replayed, and cut after any row.

In CI each run is cut at one place of its own. `AGENTGRAPH_DECIDED` is a number of runs to cut
everywhere.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from agentgraph import Agent, RunState
from agentgraph.program import check
from agentgraph.running.launch import live_state
from examples.support_desk import desk
from tests.api.scenarios import Scenario
from tests.replay.cuts import (
    End,
    check_cut,
    check_seen,
    cuts_of,
    go_on,
    same,
    seen_of,
    seen_of_item,
    text,
    uncut,
)
from tests.replay.decided import Decided
from tests.replay.digest import difference, plain
from tests.replay.world import World
from tests.testing.test_exploring import workflows

SEARCH: Final = os.environ.get("AGENTGRAPH_DECIDED")
RUNS: Final = 500 if SEARCH is None else int(SEARCH)
MOST: Final = 1 if SEARCH is None else None
OF_THE_DESK: Final = RUNS // 2
PARTS: Final = 5
SEEDS_OF_A_WORKFLOW: Final = 5


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    """Tools fail often, and each time the log says so."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


async def check_every_way(make: Scenario, seed: int) -> End:
    """Hold a run that is streamed, replayed or cut against the plain one."""
    world, end = await uncut(make, streamed=False)
    expected = {name: plain(value) for name, value in (await seen_of(world, end)).items()}
    streamed, streamed_end = await uncut(make, streamed=True)
    check_seen(await seen_of(streamed, streamed_end), expected, f"seed {seed}, streamed")
    check_events(streamed_end, seed)
    if end.rest is not None:
        await check_replay(world, end, expected, seed)
    through = text if seed % 4 > 1 else same
    for cut in cuts_of(end, twice=True, most=MOST):
        await check_cut(make, cut, expected, streamed=seed % 8 > 3, through=through)
    return end


def check_events(end: End, seed: int) -> None:
    """Each item of a streamed run has one event, in the order of the items.

    After a decision of a person the outputs of a turn stand in the order of its calls, while their
    events have come as they did.
    """
    items = end.launched.run.record.transcript.new_items
    expected = [plain(seen_of_item(one)) for one in items if one.type != "tool_approval_item"]
    streamed = [
        plain(seen_of_item(one.item)) for one in end.events if one.type == "run_item_stream_event"
    ]
    if any(row.outcome.event == "awaiting" for row in end.launched.journal.all()):
        expected, streamed = sorted(expected, key=repr), sorted(streamed, key=repr)
    here = difference(tuple(expected), tuple(streamed), "events")
    assert not here, f"seed {seed}: {here}"


async def check_replay(world: World, end: End, expected: Mapping[str, Any], seed: int) -> None:
    """The journal of a run that is over gives the same result, and no work is done."""
    state = live_state(end.launched)
    read = await RunState.from_json(world.case.agent, state.to_json())
    asked = len(world.asked)
    world.begun.clear()
    replayed = await go_on(world, read, streamed=seed % 2 == 0)
    assert not world.begun, f"seed {seed}: a replay does work again"
    assert len(world.asked) == asked
    check_seen(await seen_of(world, replayed), expected, f"seed {seed}, replayed")


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_run_of_the_desk_is_the_same_in_every_way(part: int) -> None:
    decided = [Decided(desk, is_serial=is_serial) for is_serial in (False, True)]
    for seed in range(part, OF_THE_DESK, PARTS):
        await check_every_way(decided[Random(seed).randrange(2)].run(seed), seed)


@given(workflows(), st.integers(0, 2**32), st.booleans())
@settings(
    max_examples=(RUNS - OF_THE_DESK) // SEEDS_OF_A_WORKFLOW,
    # The message names the seed, and to shrink an example takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
async def test_a_run_of_a_drawn_workflow_is_the_same_in_every_way(
    start: Agent[Any], first: int, is_serial: bool
) -> None:
    assume(not any(one.severity == "error" for one in check(start)))
    decided = Decided(start, is_serial=is_serial)
    for seed in range(first, first + SEEDS_OF_A_WORKFLOW):
        await check_every_way(decided.run(seed), seed)


async def test_the_decided_runs_reach_what_a_run_may_do() -> None:
    reached: Counter[str] = Counter()
    for is_serial in (False, True):
        decided = Decided(desk, is_serial=is_serial)
        for seed in range(60):
            _, end = await uncut(decided.run(seed), streamed=False)
            for row in end.launched.journal.all():
                reached[f"{row.outcome.event} {len(row.path)} deep"] += 1
                reached[type(row.outcome.payload).__name__] += 1
            reached[f"ended {end.rest.kind if end.rest else type(end.error).__name__}"] += 1
    missing = {name for name in TO_REACH if not reached[name]}
    assert not missing, reached


TO_REACH: Final = {
    *("Failure", "GuardrailVerdict", "Loaded", "ModelReply", "SavedTurn", "Screened"),
    *("Resumed", "ToolReturn", "Transfer", "Waiting"),
    *("rejected 0 deep", "tripped 0 deep", "failed 0 deep", "failed 1 deep", "awaiting 0 deep"),
    *("ended done", "ended MaxTurnsExceeded", "ended SimulatedFault"),
    *("ended OutputGuardrailTripwireTriggered", "ended ModelBehaviorError"),
}
