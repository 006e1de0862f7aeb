"""A process that goes on with the runs of another one, of which it has nothing but text and
databases.

usage: python -m tests.replay.fresh_process CUTS.json

Prints a JSON list: what became of each run, and the work that it began.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agentgraph import RunState
from agentgraph.drivers.perform import PERFORMS
from tests.api.scenarios import SCENARIOS, Scenario
from tests.replay.cuts import go_on, seen_of
from tests.replay.digest import plain
from tests.replay.workflows import generated
from tests.replay.world import World, watched


def workflow(name: str | int) -> Scenario:
    """A recorded workflow by its name, a generated one by its seed."""
    return SCENARIOS[name] if isinstance(name, str) else generated(name)


async def gone_on(name: str | int, cut: dict[str, Any], *, streamed: bool) -> dict[str, Any]:
    """Go on with one run."""
    world = World.of(workflow(name), Path(cut["databases"]))
    for model, steps in zip(world.models, cut["used"], strict=True):
        model.skip(steps)
    world.heard = [(shown, previous) for shown, previous in cut["heard"]]
    context = world.options.get("context")
    state = await RunState.from_string(world.case.agent, cut["text"], context_override=context)
    world.facts = state.facts
    end = await go_on(world, state, streamed=streamed)
    seen = {key: plain(value) for key, value in (await seen_of(world, end)).items()}
    return {"seen": seen, "begun": plain(world.begun)}


async def _all(cuts: dict[str, Any]) -> list[Any]:
    name, streamed = cuts["workflow"], cuts["streamed"]
    return [await gone_on(name, cut, streamed=streamed) for cut in cuts["cuts"]]


if __name__ == "__main__":
    PERFORMS.update(watched(PERFORMS))
    print(json.dumps(asyncio.run(_all(json.loads(Path(sys.argv[1]).read_text())))))
