"""The projection: emissions of a machine become the standard stream events. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.stream_events import AgentUpdatedStreamEvent, RunItemStreamEvent, event_name
from agentgraph_compiler.machine import Emission

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import RunItem
    from agentgraph.stream_events import StreamEvent


def project(
    emission: Emission, items: Sequence[RunItem], agent: Agent[Any]
) -> Iterator[StreamEvent]:
    """The stream events of one emission.

    Args:
        emission: What the machine emitted.
        items: The run items of the emission, in order.
        agent: The agent now at work.

    Yields:
        One event for each announced item, or the event that another agent is at work.
    """
    if emission is Emission.AGENT:
        yield AgentUpdatedStreamEvent(new_agent=agent)
        return
    for item in items:
        name = event_name(item)
        if name is not None:
            yield RunItemStreamEvent(name=name, item=item)
