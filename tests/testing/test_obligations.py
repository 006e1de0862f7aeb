"""What tests of a workflow owe: all that runs can do, and nothing that they cannot."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, Workflow, compile, function_tool
from agentgraph.testing import walk
from agentgraph.testing.coverage import collect
from agentgraph_compiler.analysis.obligations import obligations
from tests.architecture.source_tree import REPOSITORY
from tests.testing.desk import desk


def excuses(workflow: Agent[Any] | Workflow) -> dict[str, str]:
    """What its tests do not owe, with the reasons."""
    rows = obligations(compile(workflow).chart)
    return {f"{one.title} {one.key.outcome}": one.excuse for one in rows if one.excuse}


def support_desk() -> Agent[Any]:
    agent: Agent[Any] = runpy.run_path(str(REPOSITORY / "examples" / "support_desk.py"))["triage"]
    return agent


@pytest.mark.parametrize("made", [support_desk, lambda: desk([])])
def test_random_runs_meet_all_that_tests_owe(made: Any) -> None:
    workflow = made()
    with collect(workflow) as coverage:
        for _ in walk(workflow, 2, 600, hostile=True):
            pass
        # Models that rarely answer use up the turns of an agent tool; few turns are soon used up.
        for _ in walk(workflow, 2, 50, depth=24, weights={"model.call": 200, "model.handoff": 20}):
            pass
        for _ in walk(workflow, 2, 100, max_turns=2):
            pass
    assert [str(item) for item in coverage.missing] == []


def test_an_agent_that_no_run_reaches_is_excused_with_all_that_it_has() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return ""

    idle = Agent(name="Idle", tools=[look])
    first = Agent(name="First")
    excused = excuses(Workflow("Desk", start=first, agents=[first, idle]))
    assert excused["Idle visited"] == "no run can get there"
    assert excused["look called"] == "no run can get there"
    assert excused["idle.thinking visited"] == "no run can get there"


def test_a_reply_with_one_call_cannot_call_a_tool_and_hand_off() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return ""

    row = "first.acting: returned [requests transfer_to_second] → first.handoff.transfer_to_second"
    second = Agent(name="Second")
    first = Agent(name="First", tools=[look], handoffs=[second])
    assert f"{row} taken" not in excuses(first)
    first.model_settings = ModelSettings(parallel_tool_calls=False)
    assert excuses(first)[f"{row} taken"] == "its replies have one call only"


def test_only_agents_whose_tools_wait_owe_the_rest_for_a_decision() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return ""

    @function_tool(needs_approval=True)
    def pay() -> str:
        """Pay."""
        return ""

    rest = "saving.suspended visited"
    assert excuses(Agent(name="A", tools=[look]))[rest] == (
        "none of the tools waits for a decision"
    )
    assert rest not in excuses(Agent(name="A", tools=[pay]))
    inner = Agent(name="Inner", tools=[pay])
    outer = Agent(name="Outer", tools=[inner.as_tool("ask", "Ask.")])
    owed = {one.key[1:3] for one in obligations(compile(outer).chart) if not one.excuse}
    assert {("", "suspended"), ("inner", "suspended")} <= owed
