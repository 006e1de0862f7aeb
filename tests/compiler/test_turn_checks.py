"""AG602: agent tools whose turns are below their shortest way; what is innocent is close to it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, RunConfig, allow, check, function_tool, handoff
from agentgraph.agent_tool import AgentTool


@function_tool
def look(text: str) -> str:
    """Look it up."""
    return text


def agent(name: str, choice: str | None = None, **fields: Any) -> Agent[Any]:
    return Agent(name=name, model_settings=ModelSettings(tool_choice=choice), **fields)


def asking(inner: Agent[Any], max_turns: int | None, **options: Any) -> Agent[Any]:
    return Agent(name="Desk", tools=[inner.as_tool("ask", "Ask.", max_turns=max_turns, **options)])


def messages(start: Agent[Any]) -> list[str]:
    return [one.message for one in check(start) if one.rule.code == "AG602"]


def chain(length: int) -> Agent[Any]:
    """Agents each of which must hand off to the next; the last one answers."""
    last = agent(f"A{length}")
    for number in range(length - 1, 0, -1):
        last = agent(f"A{number}", "required", handoffs=[last])
    return last


def meeting() -> Agent[Any]:
    """Two agents that must call on their first turn; the first one gets the work back."""
    first, second = agent("First", "transfer_to_second"), agent("Second", "transfer_to_first")
    first.handoffs, second.handoffs = [second], [first]
    return first


SHORT: dict[str, tuple[Agent[Any], str]] = {
    "a forced call": (asking(agent("B", "required", tools=[look]), 1), "has 1 turn,"),
    "no turn at all": (asking(agent("B"), 0), "has 0 turns,"),
    "a chain longer than the usual": (asking(chain(11), None), "has 10 turns,"),
    "a way back that is forced too": (asking(meeting(), 2), "has 2 turns,"),
    "a forced handoff to a forced call": (
        asking(agent("B", "required", handoffs=[agent("C", "look", tools=[look])]), 2),
        "has 2 turns,",
    ),
    "inside another agent tool": (
        asking(
            Agent(
                name="M", tools=[agent("B", "look", tools=[look]).as_tool("b", "B.", max_turns=1)]
            ),
            5,
        ),
        "tool 'b' of agent 'M'",
    ),
}
LONG_ENOUGH: dict[str, Agent[Any]] = {
    "a turn more": asking(agent("B", "required", tools=[look]), 2),
    "a call that ends the run": asking(
        agent("B", "required", tools=[look], tool_use_behavior="stop_on_first_tool"), 1
    ),
    "a choice that only asks": asking(agent("B", "auto", tools=[look]), 1),
    "a choice of nothing": asking(agent("B", "required"), 1),
    "a tool that may be off": asking(
        agent("B", "required", tools=[dataclasses.replace(look, is_enabled=lambda c, a: True)]), 1
    ),
    "a chain as long as the usual": asking(chain(10), None),
    "a way back in time": asking(meeting(), 3),
    "a shorter way beside": asking(agent("B", "required", handoffs=[chain(9), agent("C")]), 2),
    "its own run configuration": asking(
        agent("B", "required", tools=[look]),
        1,
        run_config=RunConfig(model_settings=ModelSettings(tool_choice="none")),
    ),
    "a tool disabled for good": asking(agent("B"), 0, is_enabled=False),
    "behind a handoff disabled for good": Agent(
        name="A", handoffs=[handoff(asking(agent("B"), 0), is_enabled=False)]
    ),
    "an agent that never ends": asking(
        agent("B", "required", tools=[look], reset_tool_choice=False), 1
    ),
}


@pytest.mark.parametrize("name", SHORT)
def test_turns_below_the_shortest_way_are_reported(name: str) -> None:
    start, words = SHORT[name]
    [message] = messages(start)
    assert words in message


@pytest.mark.parametrize("name", LONG_ENOUGH)
def test_turns_that_suffice_are_not(name: str) -> None:
    assert messages(LONG_ENOUGH[name]) == []


def test_the_finding_names_the_way_and_the_turns_that_it_takes() -> None:
    [finding] = [one for one in check(asking(meeting(), 1)) if one.rule.code == "AG602"]
    assert finding.message == (
        "tool 'ask' of agent 'Desk' has 1 turn, and the shortest way of 'First' to a final output"
        " takes 3"
    )
    assert finding.notes[0].message == "the way: First → Second → First"
    assert finding.help == "give it max_turns=3 or more"


def test_a_tool_that_two_agents_share_is_reported_once_and_can_be_allowed() -> None:
    tool = agent("B", "required", tools=[look]).as_tool("ask", "Ask.", max_turns=1)
    assert isinstance(tool, AgentTool)
    start = Agent(name="A", tools=[tool], handoffs=[Agent(name="C", tools=[tool])])
    assert len(messages(start)) == 1
    allow(tool, "turns-below-shortest-way")
    assert messages(start) == []
