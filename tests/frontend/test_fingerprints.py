"""The fingerprint of a program: changed by every single change of what it declares, and by nothing
else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings
from agentgraph.frontend.digests import digest
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.emit import emit
from tests.frontend.declared_program import CHANGES, SCOPES, fingerprints, program, tool

ROOT = Path(__file__).parents[2]
ELSEWHERE = (
    "import json; from tests.frontend.declared_program import fingerprints;"
    " print(json.dumps(fingerprints()))"
)


@pytest.fixture(scope="module")
def fingerprint_of() -> dict[str, str]:
    return fingerprints()


def test_every_single_change_gives_a_fingerprint_of_its_own(fingerprint_of: dict[str, str]) -> None:
    names = defaultdict(list)
    for name, fingerprint in fingerprint_of.items():
        names[fingerprint].append(name)
    assert [same for same in names.values() if len(same) > 1] == []
    assert len(fingerprint_of) == len(CHANGES) + len(SCOPES)


def test_a_tool_that_is_disabled_for_good_is_as_no_tool(fingerprint_of: dict[str, str]) -> None:
    chart, _ = lower(program({"tools": [tool(is_enabled=False)]}))
    assert emit(chart).fingerprint == fingerprint_of["no tool"]


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_equal_programs_in_two_processes_agree(fingerprint_of: dict[str, str], seed: str) -> None:
    path = os.pathsep.join((str(ROOT), str(ROOT / "compiler")))
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
    )
    assert json.loads(done.stdout) == fingerprint_of


class Callable:
    def __call__(self) -> None: ...

    def method(self) -> None: ...


@pytest.mark.parametrize(
    "made",
    [
        object,
        Callable,
        lambda: Callable().method,
        lambda: {object(), "b", 1},
        lambda: {1: {2: object()}, "k": (Callable(),)},
        lambda: lambda: None,
        lambda: float("nan"),
        lambda: "\ud800",
        lambda: tool(),
        lambda: Agent(name="A"),
    ],
)
def test_objects_made_alike_have_one_digest(made: Any) -> None:
    assert digest(made()) == digest(made())


def test_circles_are_cut() -> None:
    settings = ModelSettings()
    settings.extra_args = {"settings": settings}
    assert digest(settings) != digest(ModelSettings())
