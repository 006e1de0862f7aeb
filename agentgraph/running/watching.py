"""Watching a run: its emissions become stream events on a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.branch_events import BranchEvents
from agentgraph.drivers.workbench import Watcher
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.projection import project
from agentgraph_compiler.machine import Emission

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import RunItem
    from agentgraph.stream_events import StreamEvent


def watcher_of(queue: EventQueue, *, replays: bool = False) -> Watcher:
    """Make a watcher that puts the stream events of a run on a queue.

    Args:
        queue: The queue.
        replays: Whether it also gets the events of what a resumed run did before.
    """

    watcher = Watcher(
        streamed=True,
        publish=queue.put,
        backpressure=queue.backpressure,
        drained=queue.drained,
        replays=replays,
    )
    watcher.show = _shower(watcher, queue.put)
    return watcher


def watcher_of_branch(outer: Watcher, branches: BranchEvents, lane: int, name: str) -> Watcher:
    """Make a watcher that passes the events of a branch on, in the order of the branches.

    Args:
        outer: The watcher of the run around it.
        branches: The order.
        lane: The place of the branch.
        name: The name of the branch, which its events carry.
    """

    def put(event: StreamEvent) -> bool:
        if event.step is None:
            event.step = name
        return branches.put(lane, event)

    async def backpressure() -> None:
        await branches.turn(lane)
        if outer.backpressure is not None:
            await outer.backpressure()

    async def drained() -> None:
        if outer.drained is not None and branches.has_turn(lane):
            await outer.drained()

    watcher = Watcher(
        streamed=outer.streamed, publish=put, backpressure=backpressure, drained=drained
    )
    watcher.show = _shower(watcher, put)
    return watcher


def _shower(
    watcher: Watcher, put: Callable[[StreamEvent], object]
) -> Callable[[Emission, Sequence[RunItem], Any], None]:
    """What shows the emissions of a run; an output of a branch comes after its events."""

    def show(emission: Emission, items: Sequence[RunItem], agent: Agent[Any]) -> None:
        branches = watcher.branches if emission is Emission.OUTPUT else None
        pass_on = None if branches is None else branches.shows_output()
        for event in project(emission, items, agent):
            put(event)
        if pass_on is not None:
            pass_on()

    return show
