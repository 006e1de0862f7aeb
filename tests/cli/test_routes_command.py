"""`agentgraph routes` lists the ways that runs can take, from agent to agent."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import agentgraph, written

DESK = '''
from agentgraph import Agent, Workflow, function_tool

@function_tool
def look(order: str) -> str:
    """Look."""
    raise SystemExit("no tool runs")

@function_tool
def refund(order: str) -> str:
    """Pay back."""
    raise SystemExit("no tool runs")

refunds = Agent(name="Refunds", tools=[look, refund])
lost = Agent(name="Lost")
triage = Agent(name="Triage", handoffs=[refunds])
desk = Workflow("Desk", start=triage, agents=[triage, refunds])
'''


def test_the_table_has_each_way_from_agent_to_agent_and_a_run(tmp_path: Path) -> None:
    ended = agentgraph("routes", written(tmp_path, "desk.py", DESK), "--max", 3)
    assert ended.status == 0
    assert [line.rstrip() for line in ended.out.splitlines()] == [
        "route             calls  runs  ends",
        "Triage                1     1  answered 1",
        "Triage → Refunds      2     3  answered 2, cut 1",
        "",
        "the shortest of them:",
        "",
        '1. model of Triage: answers "Done."',
        "→ answered",
    ]


def test_routes_to_a_tool_tell_tools_apart(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", DESK)
    ended = agentgraph("routes", file, "--to", "refund", "--max", 2, "--json")
    assert ended.status == 0
    [route] = json.loads(ended.out)
    assert route == {
        "agents": ["Triage", "Refunds"],
        "runs": 1,
        "model_calls": 2,
        "ends": {"cut": 1},
        "example": [
            "model of Triage: hands off to Refunds with transfer_to_refunds()",
            'model of Refunds: calls refund(order="order")',
            'tool refund(order="order") returns "The result of refund."',
        ],
    }


def test_no_route_is_a_status_of_its_own(tmp_path: Path) -> None:
    ended = agentgraph("routes", written(tmp_path, "desk.py", DESK), "--to", "refund", "--max", 1)
    assert (ended.status, ended.out) == (1, "no run of up to 1 model calls comes by 'refund'\n")


def test_a_name_that_is_not_there_is_said(tmp_path: Path) -> None:
    ended = agentgraph("routes", written(tmp_path, "desk.py", DESK), "--to", "refnd")
    assert ended.status == 2
    assert "no agent, tool, handoff or guardrail named 'refnd'. Did you mean 'refund'?" in ended.err


def test_a_workflow_with_errors_is_not_explored(tmp_path: Path) -> None:
    source = DESK.replace("[look, refund]", "[look, look]")
    ended = agentgraph("routes", written(tmp_path, "desk.py", source))
    assert ended.status == 2
    assert "error[AG101]" in ended.err
