"""Runs that began in another version of the program: what goes on, what moves, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, InMemoryJournal, MachineChanged, Runner, Workflow, function_tool
from agentgraph.running.run_checks import RunCheck, check_runs
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@function_tool(needs_approval=True)
def pay(euros: int) -> str:
    """Pay."""
    return f"paid {euros}"


@function_tool
def look(order: str) -> str:
    """Look an order up."""
    return order


def desk(name: str = "Desk", *tools: Any, replies: list[Any] | None = None) -> Agent:
    return Agent(name=name, tools=list(tools or [pay]), model=ScriptedModel(replies or []))


ASKS = [function_call("pay", {"euros": 1}, call_id="a")]
SAYS = [assistant_message("done")]


async def waiting() -> InMemoryJournal:
    journal = InMemoryJournal()
    await Runner.run(desk(replies=[ASKS]), "Pay.", journal=journal, run_id="a")
    return journal


async def verdicts(journal: InMemoryJournal, source: Agent | Workflow) -> list[RunCheck]:
    return [one async for one in check_runs(journal, source)]


async def go_on(journal: InMemoryJournal, agent: Agent) -> Any:
    result = await Runner.resume("a", agent, journal=journal)
    state = result.to_state()
    state.approve(result.interruptions[0])
    return await Runner.run(agent, state)


async def test_the_same_program_goes_on() -> None:
    journal = await waiting()
    (check,) = await verdicts(journal, desk())
    assert (check.run_id, check.verdict, check.can_go_on) == ("a", "same", True)


async def test_a_new_tool_moves_the_run_which_is_recorded() -> None:
    journal = await waiting()
    (check,) = await verdicts(journal, desk("Desk", pay, look))
    assert (check.verdict, check.can_go_on) == ("moves", True)
    done = await go_on(journal, desk("Desk", pay, look, replies=[SAYS]))
    assert done.final_output == "done"
    assert any('"is":"migrated"' in line for line in await journal.read("a"))
    again = await Runner.resume("a", desk("Desk", pay, look), journal=journal)
    assert again.final_output == "done"


async def test_an_agent_that_is_gone_refuses_the_run_and_names_it() -> None:
    journal = await waiting()
    before = await journal.read("a")
    renamed = desk("Help")
    (check,) = await verdicts(journal, Workflow("Desk", start=renamed))
    assert (check.verdict, check.can_go_on) == ("refused", False)
    assert "agent 'desk'" in check.reason
    with pytest.raises(MachineChanged, match="agent 'desk'") as refused:
        await go_on(journal, renamed)
    assert "agent 'desk'" in refused.value.needs
    assert await journal.read("a") == before
    stored = await journal.find("a")
    assert stored is not None
    assert (await go_on(journal, desk(replies=[SAYS]))).final_output == "done"


async def test_a_tool_that_no_longer_asks_refuses_a_call_that_was_asked_about() -> None:
    journal = await waiting()

    @function_tool(name_override="pay")
    def unasked(euros: int) -> str:
        """Pay."""
        return f"paid {euros}"

    (check,) = await verdicts(journal, desk("Desk", unasked))
    assert check.verdict == "refused"
    assert "no longer asks for approval" in check.reason


async def test_runs_that_are_over_and_those_of_other_workflows_are_passed_over() -> None:
    journal = await waiting()
    await Runner.run(desk(replies=[SAYS]), "Hi.", journal=journal, run_id="b")
    assert [one.run_id for one in await verdicts(journal, desk())] == ["a"]
    assert await verdicts(journal, desk("Other")) == []


async def test_a_damaged_run_is_a_verdict_of_its_own() -> None:
    journal = await waiting()
    journal._lines["a"][1] = "{}"
    (check,) = await verdicts(journal, desk())
    assert (check.verdict, check.can_go_on) == ("damaged", False)
    assert "line 2" in check.reason
