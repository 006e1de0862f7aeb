"""Files written for the published SDK are checked by the shape of their objects.

Such objects do not know where they were made; the source does. `fixtures/lookalike.py` has the
shape of the SDK's classes, so that this holds without the SDK.
"""

from __future__ import annotations

import pytest

from agentgraph.cli.faults import Status
from agentgraph.cli.reports import shown_path
from agentgraph.cli.target import Target
from agentgraph.cli.workload import loaded
from agentgraph.program import check
from agentgraph_compiler.diagnostics import Severity
from tests.cli.command import FIXTURES, agentgraph

FILE = FIXTURES / "written_for_the_sdk.py"


def line_of(text: str) -> int:
    """The number of the only line that begins with a text, leading spaces aside."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    (number,) = [n for n, line in enumerate(lines, 1) if line.strip().startswith(text)]
    return number


def test_the_start_is_found_and_every_finding_has_its_line() -> None:
    with loaded(Target(FILE)) as workload:
        assert workload.source.name == "Triage"
        diagnostics = check(workload.source, overrides=workload.overrides)
    first_tool, second_tool = (
        n for n, line in enumerate(FILE.read_text().splitlines(), 1) if line.startswith("@")
    )
    faults = [one for one in diagnostics if one.severity is not Severity.NOTE]
    assert [(d.rule.code, d.origin.line, [n.origin.line for n in d.notes]) for d in faults] == [
        ("AG101", second_tool, [first_tool, 0]),
        ("AG501", line_of("history: Agent"), [line_of("async def on_topic"), line_of("triage =")]),
        ("AG204", line_of("handoff(history"), [0]),
    ]


def test_the_report_quotes_the_users_lines() -> None:
    ended = agentgraph("check", FILE)
    assert ended.status == Status.FOUND
    assert f"--> {shown_path(str(FILE))}:{line_of('handoff(history')}\n" in ended.out
    assert "        handoff(history, is_enabled=False),\n" in ended.out
    assert "        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n" in ended.out


@pytest.mark.parametrize("command", [("draw",), ("ir",)])
def test_it_can_be_drawn_and_printed(command: tuple[str, ...]) -> None:
    ended = agentgraph(*command, FILE)
    assert ended.status == Status.DONE
    assert "History" in ended.out


def test_running_it_is_refused_with_what_to_change() -> None:
    ended = agentgraph("run", FILE, "hello")
    assert ended.status == Status.UNUSABLE
    assert "was written for another library" in ended.err
    assert "help: import from `agentgraph` instead of `agents`" in ended.err
