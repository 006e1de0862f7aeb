"""A run that is cut goes on to the same end in a process that never saw it begin.

One fresh process reads all cuts of a workflow.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.scenarios import SCENARIOS
from tests.replay.cuts import asked_in, cuts_of, left_of, seen_of, uncut
from tests.replay.digest import difference, plain
from tests.replay.fresh_process import workflow
from tests.replay.test_cut_anywhere import NO_RUN
from tests.replay.world import World

ROOT = Path(__file__).parents[2]
SEARCH = os.environ.get("AGENTGRAPH_CUTS")

# What a tool does to its agent is gone with the process, and so is an event that tools share.
IN_MEMORY = {
    "a_tool_adds_a_handoff",
    "a_tool_adds_a_tool",
    "a_tool_replaces_the_instructions_and_the_model",
    "parallel_tools_answer_in_call_order",
}
RECORDED = sorted(SCENARIOS.keys() - NO_RUN - IN_MEMORY)
OFTEN = [
    "a_custom_tool_that_waits_for_approval",
    "a_failed_model_call_that_is_made_again",
    "agent_used_as_a_tool",
    "each_call_after_the_stored_response_before_it",
    "guardrails_of_the_run",
    "output_guardrail_trips",
    "structured_output",
    "tool_that_raises_out",
]
WORKFLOWS: list[str | int] = (
    [*OFTEN, *range(4)] if SEARCH is None else [*RECORDED, *range(int(SEARCH))]
)
MOST = 8 if SEARCH is None else None


def as_json(value: Any) -> Any:
    """A value of `plain` as it comes back from JSON."""
    return json.loads(json.dumps(value))


async def cut_of(name: str | int, count: int, before: bool, folder: Path) -> tuple[Any, ...]:
    """What the fresh process is handed of a cut run, the work that has an outcome, what models were
    asked by then, and whether one append was cut in two."""
    world = World.of(workflow(name), folder)
    state = await left_of(world, count, before=before, streamed=False)
    handed = {
        "databases": str(folder),
        "text": state.to_string(),
        "used": [model.used for model in world.models],
        "heard": [[one.call.input, one.call.previous_response_id] for one in world.asked],
    }
    return handed, world.recorded(state.journal), asked_in(world, state.journal), world.torn


async def run_and_cut(name: str | int, folder: Path) -> tuple[dict[str, Any], list[Any]]:
    """What can be seen of a run that is not cut, and its cuts."""
    world, end = await uncut(workflow(name), streamed=False)
    expected = {key: as_json(plain(value)) for key, value in (await seen_of(world, end)).items()}
    expected["asked"][1:] = sorted(expected["asked"][1:], key=repr)
    cuts = []
    for place, (count, before) in enumerate(cuts_of(end, twice=True, most=MOST)):
        databases = folder / str(place)
        databases.mkdir()
        cuts.append(((count, before), *await cut_of(name, count, before, databases)))
    return expected, cuts


def fresh(file: Path) -> list[Any]:
    """What a fresh process makes of the cuts in a file."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay.fresh_process", str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'compiler'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    gone_on: list[Any] = json.loads(done.stdout)
    return gone_on


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_fresh_process_goes_on_from_every_cut(name: str | int, tmp_path: Path) -> None:
    expected, cuts = asyncio.run(run_and_cut(name, tmp_path))
    file = tmp_path / "cuts.json"
    handed = [cut[1] for cut in cuts]
    file.write_text(json.dumps({"workflow": name, "streamed": False, "cuts": handed}))
    for (where, _, recorded, asked, torn), gone_on in zip(cuts, fresh(file), strict=True):
        seen = gone_on["seen"]
        if torn:
            del seen["usage"], seen["spent"]
        asked_by_both = [*as_json(plain(asked))[1:], *seen["asked"][1:]]
        seen["asked"][1:] = sorted(asked_by_both, key=repr)
        for key, value in seen.items():
            here = difference(tuples(expected[key]), tuples(value), key)
            assert not here, f"{where}: {here}"
        done = {repr(as_json(plain(key))) for key in recorded}
        assert not done & set(map(repr, gone_on["begun"]))


def tuples(value: Any) -> Any:
    """Lists of JSON as `plain` gives them."""
    return tuple(map(tuples, value)) if isinstance(value, list) else value
