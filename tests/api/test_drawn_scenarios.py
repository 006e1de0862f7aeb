"""Drawn workflows do the same on the published SDK and here, but for the known differences.

One process with the SDK runs all of them. `AGENTGRAPH_DRAWN` is how many are run; 2,000 otherwise.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.api.drawn_scenarios import is_streamed, seen
from tests.api.known_differences import NAMES, expected
from tests.api.scenarios import Observed, package
from tests.published_sdk import SDK_PYTHON, needs_the_published_sdk

REPOSITORY: Final = Path(__file__).parents[2]
RUNS: Final = int(os.environ.get("AGENTGRAPH_DRAWN", "2000"))
AT_ONCE: Final = 250

pytestmark = [needs_the_published_sdk, pytest.mark.xdist_group("drawn scenarios")]
APPLIED: Counter[str] = Counter()


@pytest.fixture(scope="module")
def published() -> Iterator[subprocess.Popen[str]]:
    """A process with the published SDK."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
        "OPENAI_API_KEY": "no key",
    }
    with subprocess.Popen(
        [os.environ[SDK_PYTHON], "-m", "tests.api.drawn_scenarios", "agents"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    """Tools fail often, and each time the log says so."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, RUNS, AT_ONCE))
async def test_drawn_workflows_behave_as_on_the_published_sdk(
    first: int, published: subprocess.Popen[str]
) -> None:
    assert published.stdin is not None
    assert published.stdout is not None
    seeds = range(first, min(first + AT_ONCE, RUNS))
    published.stdin.write(json.dumps([seeds.start, seeds.stop]) + "\n")
    published.stdin.flush()
    sdk = package("agentgraph")
    ours = [await seen(sdk, seed) for seed in seeds]
    theirs = json.loads(published.stdout.readline())
    differing = {}
    for seed, one, own in zip(seeds, theirs, ours, strict=True):
        wish, applied = expected(one, own, streamed=is_streamed(seed))
        APPLIED.update(applied)
        if wish != own:
            differing[seed] = parts(wish, own)
    assert differing == {}


def parts(wish: Observed, own: Observed) -> Observed:
    """What differs, by its name: what is expected, and what was seen."""
    return {
        name: (wish.get(name), own.get(name))
        for name in {*wish, *own}
        if wish.get(name) != own.get(name)
    }


def test_each_known_difference_was_met() -> None:
    if RUNS < 2000 or not APPLIED:
        pytest.skip("needs the runs of the test before it, 2,000 or more")
    assert APPLIED.keys() == NAMES
