"""`assert_clean`: an assertion that the compiler has nothing to say about a workflow."""

from __future__ import annotations

import pytest

from agentgraph import Agent, Workflow
from agentgraph.exceptions import UserError
from agentgraph.testing import assert_clean
from tests.cli.command import agentgraph

a = Agent(name="A")
UNREACHABLE = Workflow("W", start=a, agents=[a, Agent(name="B")])
NOTED = Agent(name="N", handoffs=[Agent(name="First"), Agent(name="Second")])
twin = Agent(name="A")
first = Agent(name="A", handoffs=[twin])
WRONG = Workflow("V", start=first, agents=[first, twin])


def test_a_clean_workflow_passes() -> None:
    assert_clean(a)
    assert_clean(a, severity="note")


def test_the_error_is_the_report_of_the_command() -> None:
    with pytest.raises(AssertionError) as raised:
        assert_clean(UNREACHABLE)
    head, report = str(raised.value).split("\n\n", 1)
    assert head == "workflow 'W' is not clean:"
    printed = agentgraph("check", f"{__file__}:UNREACHABLE").out
    assert report.rsplit("\n\n", 1)[0] == printed.rsplit("\n\n", 1)[0]
    assert report.endswith("1 warning")
    assert "UNREACHABLE = Workflow" in report


@pytest.mark.parametrize("term", ["AG201", "ag2", "unreachable-agent"])
def test_rules_can_be_allowed(term: str) -> None:
    assert_clean(UNREACHABLE, allow=[term])


def test_findings_below_the_severity_do_not_count() -> None:
    assert_clean(NOTED)
    with pytest.raises(AssertionError, match=r"note\[AG212\]"):
        assert_clean(NOTED, severity="note")
    assert_clean(UNREACHABLE, severity="error")
    with pytest.raises(AssertionError, match=r"error\[AG102\]"):
        assert_clean(WRONG, severity="error")


def test_unknown_rules_and_severities_are_refused() -> None:
    with pytest.raises(UserError, match="no rule 'AG999' to allow"):
        assert_clean(a, allow=["AG999"])
    with pytest.raises(UserError, match="no severity 'fatal'; severities are error, warning"):
        assert_clean(a, severity="fatal")
