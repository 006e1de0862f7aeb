"""mypy --strict and pyright infer the same of programs, and reject the same lines.

The programs of this folder are only read. `assert_type` says what a checker must infer; a line that
ends in `# rejected` is one that it must refuse. pyright widens the literals that it infers from a
lambda, so a line that ends in `# rejected by mypy` is one that only mypy must refuse.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PROGRAMS = sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)
Lines = dict[tuple[str, int], str]


def output_of(*command: str) -> str:
    """What a checker prints about the programs; it must be able to read them."""
    done = subprocess.run(
        [sys.executable, "-m", *command, *map(str, PROGRAMS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def found_by_mypy() -> Lines:
    lines = output_of("mypy").splitlines()
    matches = [re.match(r"(?:.*/)?(\w+\.py):(\d+): error: (.*)", line) for line in lines]
    return {(match[1], int(match[2])): match[3] for match in matches if match}


def found_by_pyright() -> Lines:
    report = json.loads(output_of("pyright", "--outputjson", "--pythonpath", sys.executable))
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1): found["message"]
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    }


@pytest.mark.slow
@pytest.mark.parametrize("found", [found_by_mypy, found_by_pyright])
def test_a_checker_rejects_the_lines_that_are_marked_and_no_other(
    found: Callable[[], Lines],
) -> None:
    marked = {
        (program.name, number)
        for program in PROGRAMS
        for number, line in enumerate(program.read_text(encoding="utf-8").splitlines(), start=1)
        if line.endswith("# rejected")
        or (found is found_by_mypy and line.endswith("# rejected by mypy"))
    }
    problems = found()
    assert marked
    assert problems.keys() - marked == set(), problems
    assert marked - problems.keys() == set()
