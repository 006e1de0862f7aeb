"""Faults of handoffs: one is missing, one leads elsewhere, a condition or a filter is ignored."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import agentgraph
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.targets import target_of
from agentgraph.testing.mutation.changes import Change, Parts

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.handoffs import Handoff, HandoffTarget
    from agentgraph.run_context import RunContextWrapper

__all__ = ["drop_handoff", "drop_input_filter", "enable_handoff", "swap_handoffs"]

_Entry: TypeAlias = "Handoff[Any, Any] | HandoffTarget"


def drop_handoff(parts: Parts) -> Iterator[Change]:
    """Take each handoff away."""
    for agent in parts.agents:
        for place, entry in enumerate(agent.handoffs):
            name, target = _names(entry)
            yield Change(
                owner=agent,
                values={"handoffs": [*agent.handoffs[:place], *agent.handoffs[place + 1 :]]},
                agent=agent,
                part=name,
                text=f"'{agent.name}' cannot hand over to '{target}'",
                moves=(f"'{agent.name}' hands over to '{target}'",),
                place=agent if is_agent(entry) else entry,
            )


def swap_handoffs(parts: Parts) -> Iterator[Change]:
    """Let two neighbouring handoffs of an agent lead to each other's target."""
    for agent in parts.agents:
        places = [place for place, one in enumerate(agent.handoffs) if target_of(one) is not None]
        for first, second in pairwise(places):
            handoffs: list[Any] = list(agent.handoffs)
            one, other = handoffs[first], handoffs[second]
            if target_of(one) is target_of(other):
                continue
            handoffs[first] = _leading_to(target_of(other), one)
            handoffs[second] = _leading_to(target_of(one), other)
            (name, target), (other_name, other_target) = _names(one), _names(other)
            yield Change(
                owner=agent,
                values={"handoffs": handoffs},
                agent=agent,
                part=f"{name}, {other_name}",
                text=f"{name} of '{agent.name}' leads to '{other_target}', and {other_name} to "
                f"'{target}'",
                moves=(
                    f"'{agent.name}' calls {name}",
                    f"'{target}' answers, and not '{other_target}'",
                ),
                place=agent if is_agent(one) else one,
            )


def enable_handoff(parts: Parts) -> Iterator[Change]:
    """Let each handoff with a condition be on offer always."""
    for agent, entry in _customised(parts):
        if entry.is_enabled is not True:
            yield Change(
                owner=entry,
                values={"is_enabled": True},
                agent=agent,
                part=entry.tool_name,
                text=f"{entry.tool_name} of '{agent.name}' ignores its is_enabled",
                moves=(
                    f"is_enabled of {entry.tool_name} says no",
                    f"{entry.tool_name} is not among the handoffs of the model call",
                ),
                place=entry,
            )


def drop_input_filter(parts: Parts) -> Iterator[Change]:
    """Let the target of each handoff receive the whole conversation as it is."""
    for agent, entry in _customised(parts):
        names = {
            name: None
            for name in ("input_filter", "nest_handoff_history")
            if getattr(entry, name, None)
        }
        for name in names:
            yield Change(
                owner=entry,
                values={name: None},
                agent=agent,
                part=f"{entry.tool_name} {name}",
                text=f"{entry.tool_name} of '{agent.name}' hands the conversation over without "
                f"its {name}",
                moves=(
                    f"'{agent.name}' calls {entry.tool_name} in a conversation that the {name} "
                    "would change",
                    f"the model call of '{entry.agent_name}' receives what the {name} leaves",
                ),
                place=entry,
            )


def _customised(parts: Parts) -> Iterator[tuple[Agent[Any], Handoff[Any, Any]]]:
    for agent in parts.agents:
        for entry in agent.handoffs:
            if isinstance(entry, agentgraph.Handoff):
                yield agent, entry


def _names(entry: _Entry) -> tuple[str, str]:
    """The name of a handoff's tool, and that of its target."""
    if not isinstance(entry, agentgraph.Handoff):
        return agentgraph.Handoff.default_tool_name(entry), entry.name
    target = target_of(entry)
    return entry.tool_name, entry.agent_name if target is None else target.name


def _leading_to(target: Agent[Any] | None, entry: _Entry) -> Handoff[Any, Any]:
    """A handoff that looks to the model as before, and leads elsewhere."""
    assert target is not None
    if not isinstance(entry, agentgraph.Handoff):
        return agentgraph.handoff(
            target,
            agentgraph.Handoff.default_tool_name(entry),
            agentgraph.Handoff.default_tool_description(entry),
        )

    async def invoke(context: RunContextWrapper[Any], arguments: str) -> Agent[Any]:
        await entry.on_invoke_handoff(context, arguments)
        return target

    changed: Handoff[Any, Any] = copy.copy(entry)
    changed.on_invoke_handoff = invoke
    changed.agent_name = target.name
    changed._agent_ref = weakref.ref(target)
    return changed
