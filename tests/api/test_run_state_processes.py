"""A run that is stored, decided on and carried on in processes that follow each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment

PROGRAM = Path(__file__).with_name("stored_run.py")


class Processes:
    """Does each step in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.text, self.effects = folder / "state.json", folder / "effects.txt"

    def __call__(self, step: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), step, str(self.text), str(self.effects)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=environment(),
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    @property
    def paid(self) -> list[str]:
        if not self.effects.exists():
            return []
        return self.effects.read_text(encoding="utf-8").split()


@pytest.fixture
def step(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_each_call_is_made_once_however_many_processes_take_part(step: Processes) -> None:
    assert step("begin")["waits"] == ["first", "inside"]
    assert step.paid == []
    assert step("approve")["waits"] == ["inside"]
    assert step.paid == ["1"]
    ended = step("approve")
    assert ended["output"] == [
        "Receipt(amount=Decimal('1'))",
        "assistant: Receipt(amount=Decimal('2'))",
    ]
    pairs = ["function_call", "function_call_output"] * 2
    assert ended["session"] == ["user", *pairs, "message"]
    assert step.paid == ["1", "2"]
    # The run is over: its result is recorded, and a late click does nothing.
    assert step("go_on") == ended
    assert step.paid == ["1", "2"]


def test_a_rejection_travels_with_its_message(step: Processes) -> None:
    step("begin")
    assert step("reject")["waits"] == ["inside"]
    assert step("reject")["output"] == ["Not today.", "assistant: Not today."]
    assert step.paid == []


def test_a_text_that_two_processes_take_up_is_two_runs(step: Processes) -> None:
    """A program that stores a text guards it; the library does not see the other process."""
    step("begin")
    text = step.text.read_bytes()
    step("approve")
    step.text.write_bytes(text)
    step("approve")
    assert step.paid == ["1", "1"]
