"""Facts that the documents state in numbers or lists are the facts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.api import test_published_sdk as published
from tests.architecture import test_budgets as budgets

REPOSITORY = Path(__file__).resolve().parents[2]
WORK = REPOSITORY / "agentgraph" / "drivers" / "work"


def text_of(document: str) -> str:
    return " ".join((REPOSITORY / document).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("document", ["README.md", "docs/coming-from-the-sdk.md"])
def test_the_number_of_recorded_workflows_is_right(document: str) -> None:
    [stated] = re.findall(r"(\d+) workflows", text_of(document))
    assert int(stated) == len(published.scenarios.SCENARIOS)


def test_the_measured_differences_are_listed() -> None:
    page = (REPOSITORY / "docs" / "coming-from-the-sdk.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)`", page.partition("## What was measured")[2], re.M)
    assert set(listed) == {*published.ON_PURPOSE, *published.STREAMED_ON_PURPOSE}


@pytest.mark.parametrize(
    "document", ["README.md", "docs/decisions/0011-size-of-the-interpreter.md"]
)
def test_the_stated_size_of_the_interpreter_is_right(document: str) -> None:
    """The budget is exact; what the loop calls is stated to a tenth."""
    text = text_of(document)
    assert f"{budgets.INTERPRETER_LINES:,} lines" in text
    [stated] = re.findall(r"about (\d),(\d00) more", text)
    work = sum(path.read_text(encoding="utf-8").count("\n") for path in WORK.glob("*.py"))
    assert work == pytest.approx(int("".join(stated)), rel=1 / 10)
