"""Faults of guardrails: one is missing, one waits for nothing, or everything waits for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentgraph.frontend.inner_agents import inner_runs
from agentgraph.testing.mutation.changes import Change, Parts, label_of

__all__ = [
    "block_on_guardrail",
    "drop_guardrail",
    "drop_tool_guardrail",
    "run_guardrail_in_parallel",
]


def drop_guardrail(parts: Parts) -> Iterator[Change]:
    """Take each guardrail of each agent away."""
    for agent in parts.agents:
        for family in ("input_guardrails", "output_guardrails"):
            guardrails: list[Any] = getattr(agent, family, [])
            for place, guardrail in enumerate(guardrails):
                name, judged = label_of(guardrail), family.partition("_")[0]
                moves = (
                    f"a run starts with '{agent.name}' and an input that {name} refuses"
                    if judged == "input"
                    else f"'{agent.name}' answers what {name} refuses",
                    "the run ends at the guardrail",
                )
                yield Change(
                    owner=agent,
                    values={family: [*guardrails[:place], *guardrails[place + 1 :]]},
                    agent=agent,
                    part=name,
                    text=f"{name} does not judge the {judged} of '{agent.name}'",
                    moves=moves,
                    place=agent,
                )


def run_guardrail_in_parallel(parts: Parts) -> Iterator[Change]:
    """Let the model start before a guardrail that it should wait for has passed."""
    for agent in parts.agents:
        for guardrail in getattr(agent, "input_guardrails", []):
            if getattr(guardrail, "run_in_parallel", True) is False:
                name = label_of(guardrail)
                yield Change(
                    owner=guardrail,
                    values={"run_in_parallel": True},
                    agent=agent,
                    part=name,
                    text=f"the model of '{agent.name}' does not wait for {name}",
                    moves=(
                        f"a run starts with '{agent.name}' and an input that {name} refuses",
                        "the model was not called",
                    ),
                    place=guardrail,
                )


def block_on_guardrail(parts: Parts) -> Iterator[Change]:
    """Let the model wait for a guardrail that runs an agent, so that a user waits for both."""
    for agent in parts.agents:
        for guardrail in getattr(agent, "input_guardrails", []):
            if not getattr(guardrail, "run_in_parallel", True):
                continue
            if inner_runs(guardrail.guardrail_function):
                name = label_of(guardrail)
                yield Change(
                    owner=guardrail,
                    values={"run_in_parallel": False},
                    agent=agent,
                    part=name,
                    text=f"the model of '{agent.name}' waits for {name}, which runs an agent",
                    moves=(
                        f"a run starts with '{agent.name}'",
                        f"the model of '{agent.name}' is called before {name} has its verdict",
                    ),
                    place=guardrail,
                )


def drop_tool_guardrail(parts: Parts) -> Iterator[Change]:
    """Take each guardrail of each tool away."""
    for agent in parts.agents:
        for tool in agent.tools:
            for family in ("tool_input_guardrails", "tool_output_guardrails"):
                guardrails: list[Any] = getattr(tool, family, None) or []
                for place, guardrail in enumerate(guardrails):
                    name, called = label_of(guardrail), label_of(tool)
                    judged = "arguments" if family == "tool_input_guardrails" else "output"
                    yield Change(
                        owner=tool,
                        values={family: [*guardrails[:place], *guardrails[place + 1 :]]},
                        agent=agent,
                        part=f"{called} {name}",
                        text=f"{name} does not judge the {judged} of {called}",
                        moves=(
                            f"'{agent.name}' calls {called} with {judged} that {name} refuses",
                            "the model reads the refusal, or the run ends",
                        ),
                        place=tool,
                    )
