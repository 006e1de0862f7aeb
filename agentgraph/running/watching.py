"""Watching a run: its emissions become stream events on a queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.workbench import Watcher
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.projection import project
from agentgraph_compiler.machine import Emission

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import RunItem


def watcher_of(queue: EventQueue, *, replays: bool = False) -> Watcher:
    """Make a watcher that puts the stream events of a run on a queue.

    Args:
        queue: The queue.
        replays: Whether it also gets the events of what a resumed run did before.
    """

    def show(emission: Emission, items: Sequence[RunItem], agent: Agent[Any]) -> None:
        for event in project(emission, items, agent):
            queue.put(event)

    return Watcher(
        streamed=True,
        show=show,
        publish=queue.put,
        backpressure=queue.backpressure,
        drained=queue.drained,
        replays=replays,
    )
