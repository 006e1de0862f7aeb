"""The order of the events of branches: one branch at a time, in document order.

The events of the branch whose turn it is are shown as they come; those of the others wait, and a
branch that has too many of them waiting waits itself. The turn passes on once the run has shown the
output of the branch, or when the branch waits for a decision.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from agentgraph.runtime.commands import CommandId

if TYPE_CHECKING:
    from agentgraph.stream_events import StreamEvent

MOST_WAITING: Final = 1024
"""How many events of a branch may wait for its turn before its model waits."""


class BranchEvents:
    """The events of the branches of one step.

    Args:
        split: The outcome that began the branches.
        put: Shows an event; returns whether the consumer is far behind.
        over: The branches that are over already, in a run that goes on.
        ordered: Whether they come one branch at a time.
        bounded: Whether a branch with too many events waits for its turn.
    """

    def __init__(
        self,
        split: CommandId,
        put: Callable[[StreamEvent], bool],
        over: Iterable[int] = (),
        *,
        ordered: bool,
        bounded: bool,
    ) -> None:
        self.split, self._put, self._ordered = split, put, ordered
        self._limit = MOST_WAITING if bounded else sys.maxsize
        self._waiting: dict[int, list[StreamEvent]] = {}
        self._turn = 0
        self._over: set[int] = set()
        self._done: set[int] = set(over)
        self._turned: dict[int, asyncio.Future[None]] = {}
        self._pass_on()

    def has_turn(self, branch: int) -> bool:
        """Whether the events of a branch are shown as they come."""
        return not self._ordered or branch == self._turn or branch in self._done

    def put(self, branch: int, event: StreamEvent) -> bool:
        """Show an event of a branch, or let it wait; return whether its model is too far ahead."""
        if self.has_turn(branch):
            return self._put(event)
        waiting = self._waiting.setdefault(branch, [])
        waiting.append(event)
        return len(waiting) >= self._limit

    async def turn(self, branch: int) -> None:
        """Wait for the turn of a branch."""
        if not self.has_turn(branch):
            turned = self._turned[branch] = asyncio.get_running_loop().create_future()
            await turned

    def ends(self, branch: int, *, waits: bool) -> None:
        """Note that a branch is over, or that it waits for a decision and shows no output now."""
        (self._done if waits else self._over).add(branch)
        if waits:
            self._flush(branch)
            self._pass_on()

    def shows_output(self) -> Callable[[], None]:
        """Show the events of the branch whose output the run shows next.

        Returns:
            What passes the turn on, to be called once that output was shown.
        """
        branch = min(self._over - self._done, default=None)
        if branch is not None:
            self._flush(branch)
            self._done.add(branch)
        return self._pass_on

    def _pass_on(self) -> None:
        while self._turn in self._done:
            self._turn += 1
            self._flush(self._turn)
        turned = self._turned.pop(self._turn, None)
        if turned is not None and not turned.done():
            turned.set_result(None)

    def _flush(self, branch: int) -> None:
        for event in self._waiting.pop(branch, ()):
            self._put(event)
