"""Watching the budget of a run: model calls and tokens before each model call, time by a timer.

A limit that is reached becomes the reserved outcome ``EXPIRED`` of the run whose workflow has the
budget, whatever nested run reached it. The table says what comes then. A replay repeats the
outcome and looks at no clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agentgraph.approvals import RunPath
from agentgraph.record.payloads import Failure
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState
from agentgraph.stored.faults import fault_of
from agentgraph.usage import Usage
from agentgraph.workflow.budgets import Budget
from agentgraph_compiler.machine import RESERVED, Event, Machine, Rest

_AGAIN: float = 0.05
"""Seconds until an expiry is tried again that came while the run could not take it."""


class Watched(Protocol):
    """The run that a budget is for."""

    state: ControlState

    @property
    def path(self) -> RunPath:
        """The calls that it is nested in."""
        ...

    @property
    def machine(self) -> Machine:
        """The machine at work."""
        ...

    def spent(self) -> Usage:
        """Its usage, that of nested runs included."""
        ...


class Meter:
    """What one run has spent of its budget.

    Args:
        budget: The budget.
        step: The name of the budget in the machine.
        path: The calls that the run is nested in.
    """

    def __init__(self, budget: Budget, step: str, path: RunPath) -> None:
        self._budget, self._path = budget, path
        self._symbol = f"{step}/{budget.words}"
        self._run: Watched | None = None
        self._finish: Callable[[Outcome], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._calls = 0

    def begin(self, run: Watched, finish: Callable[[Outcome], None]) -> None:
        """Begin to watch, if it is the run that the budget is for.

        Args:
            run: The run.
            finish: Takes an outcome for it.
        """
        if run.path != self._path:
            return
        self._run, self._finish, self._calls = run, finish, run.spent().requests
        if self._budget.seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._budget.seconds, self._expire, "seconds")

    def end(self, run: Watched) -> None:
        """Watch no longer, because the run is at rest."""
        if run is self._run and self._timer is not None:
            self._timer.cancel()

    async def admit(self) -> None:
        """Let a model call begin; wait for the end of this work if the budget is spent."""
        run, budget = self._run, self._budget
        if run is None or self._is_over(run):
            return
        if budget.model_calls is not None and self._calls >= budget.model_calls:
            limit = "model_calls"
        elif budget.tokens is not None and run.spent().total_tokens >= budget.tokens:
            limit = "tokens"
        else:
            self._calls += 1
            return
        self._expire(limit)
        await asyncio.get_running_loop().create_future()

    def _is_over(self, run: Watched) -> bool:
        """Whether the budget has expired already, so that it holds no longer."""
        return self._symbol in dict(run.state.edges.taken)

    def _expire(self, limit: str) -> None:
        run, finish = self._run, self._finish
        assert run is not None
        assert finish is not None
        here = run.machine.state[run.state.state]
        if self._is_over(run) or here.rest is not Rest.NO:
            return
        if Event.EXPIRED not in here.by_event:  # the session is not just read or written
            id = CommandId(run.state.sequence, RESERVED[Event.EXPIRED])
            payload = Failure(fault_of(self._budget.exceeded(limit)))
            finish(Outcome(id, Event.EXPIRED, payload))
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_AGAIN, self._expire, limit)
