"""Cases of the rules about the turns of agent tools (AG602) and about budgets (AG234, AG603)."""

from __future__ import annotations

import dataclasses
from typing import Any

from agentgraph import Agent, End, ModelSettings, RunConfig, Workflow, function_tool, handoff
from tests.compiler.rule_cases.case import Rows


@function_tool
def look(text: str) -> str:
    """Look it up."""
    return text


def agent(name: str, choice: str | None = None, **fields: Any) -> Agent[Any]:
    return Agent(name=name, model_settings=ModelSettings(tool_choice=choice), **fields)


def asking(inner: Agent[Any], max_turns: int | None, **options: Any) -> Agent[Any]:
    return Agent(name="Desk", tools=[inner.as_tool("ask", "Ask.", max_turns=max_turns, **options)])


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


TURNS_BELOW_SHORTEST_WAY: Rows = {
    **{name: (start, [words]) for name, (start, words) in SHORT.items()},
    **{name: (start, []) for name, start in LONG_ENOUGH.items()},
}


def budgeted(calls: int | None, *, end: bool = False, tool: bool = False) -> Workflow:
    """Three agents in a row, with a budget; the second one may have to call an agent."""
    draft, review, letter = (Agent(name=name) for name in ("Draft", "Review", "Letter"))
    if tool:
        review = Agent(
            name="Review",
            tools=[agent("Inner").as_tool("ask", "Ask.")],
            model_settings=ModelSettings(tool_choice="required"),
        )
    flow = Workflow("Letters", start=draft)
    flow.then(draft, review)
    flow.then(review, End("enough") if end else letter)
    if calls is None:
        flow.budget(seconds=1)
    else:
        flow.budget(model_calls=calls, on_exhausted=End("spent"))
    return flow


BUDGET_BELOW_SHORTEST_WAY: Rows = {
    "one call too few": (
        budgeted(2),
        ["its shortest way to an end takes 3\nthe way: Draft → Review → Letter"],
    ),
    "a single call": (budgeted(1), ["has 1 model call, and"]),
    "the calls of an agent tool count": (budgeted(4, tool=True), ["takes 5"]),
    "just enough": (budgeted(3), []),
    "an end comes earlier": (budgeted(2, end=True), []),
    "no limit on calls": (budgeted(None), []),
}


def limited(
    rounds: int, calls: int | None = 10, *, back: bool = False, caught: bool = False
) -> Workflow:
    """A loop of two agents with a limit, in a workflow with a budget."""
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=bool)
    flow = Workflow("Letters", start=draft)
    flow.then(draft, review)
    flow.route(
        review,
        cases={True: End("sent"), False: draft},
        at_most={False: rounds},
        exhausted=End("enough"),
    )
    if caught:
        flow.on_error(review, End("failed"))
    if calls is None:
        flow.budget(seconds=1)
    else:
        flow.budget(model_calls=calls, on_exhausted=draft if back else End("spent"))
    return flow


LIMIT_NEVER_REACHED: Rows = {
    "one round too many": (limited(5), ["the limit at_most=5 after step 'Review' needs 12 model"]),
    "many rounds": (limited(40), ["needs 82 model calls, and the budget of workflow 'Letters'"]),
    "a small budget": (limited(1, 3), ["needs 4"]),
    "in a workflow that is a tool": (
        Agent(name="Desk", tools=[limited(5).as_tool("write", "Write.")]),
        ["the limit at_most=5 after step 'Review' needs 12 model"],
    ),
    "just enough": (limited(4), []),
    "no limit on calls": (limited(40, None), []),
    "a loop after the budget": (limited(40, back=True), []),
    "a failure may save calls": (limited(40, caught=True), []),
}
CASES: dict[str, Rows] = {
    "AG234": LIMIT_NEVER_REACHED,
    "AG602": TURNS_BELOW_SHORTEST_WAY,
    "AG603": BUDGET_BELOW_SHORTEST_WAY,
}
