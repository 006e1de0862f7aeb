"""The rows of a machine as words, and a witness of the rows that runs take.

A row is named by its role: the kind of its state (`*` for the rows that hold in every state), the
event, the guard, and the kind of its target. A move inside a lane is named by its phase and event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentgraph.drivers import aio
from agentgraph.runtime import enter, step
from agentgraph_compiler.machine import BACK, GuardKind, Machine, State, Transition

_NAMED_IN_GUARDS = frozenset({GuardKind.VERDICT})
"""The guards whose names are words of the table; those of others are names of a workflow."""


def rows_of(machine: Machine) -> Iterator[str]:
    """The words of all rows of a machine, of its lanes, and of the machines of its tools."""
    for row in machine.rows:
        yield _row(machine, "*", row)
    for state in machine.states:
        for row in state.transitions:
            yield _row(machine, state.kind, row)
        for lane in (*state.invokes, *state.offers):
            for phase in lane.phases:
                yield from (_move(phase.kind, move.event) for move in phase.moves)
    for part in machine.machines:
        yield from rows_of(part)


def _row(machine: Machine, kind: str, row: Transition) -> str:
    guard = row.guard
    names = f" {'|'.join(sorted(guard.names))}" if guard.kind in _NAMED_IN_GUARDS else ""
    condition = "" if guard.kind is GuardKind.OTHERWISE else f" [{guard.kind}{names}]"
    target = "back" if row.target == BACK else machine.state[row.target].kind
    return f"{kind} {row.event}{condition} -> {target}"


def _move(phase: str, event: str) -> str:
    return f"{phase} {event} (in a lane)"


class Taken:
    """The words of the rows that runs take while a test patches the interpreter.

    Args:
        monkeypatch: Undoes the patches.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: set[str] = set()
        self._machine: Machine | None = None
        monkeypatch.setattr(step, "take", self._taking(step.take))
        for name in ("joined", "interrupting"):
            monkeypatch.setattr(enter, name, self._going_on(getattr(enter, name)))
        monkeypatch.setattr(aio, "absorb", self._moving(aio.absorb))

    def _taking(self, take: Callable[..., Any]) -> Callable[..., Any]:
        def taking(machine: Machine, here: State, row: Transition, *rest: Any) -> Any:
            self._machine = machine
            self._see(here, row)
            return take(machine, here, row, *rest)

        return taking

    def _going_on(self, choose: Callable[..., Any]) -> Callable[..., Any]:
        def chosen(*arguments: Any) -> Any:
            row = choose(*arguments)
            here = next(one for one in arguments if isinstance(one, State))
            self._see(here, row)
            return row

        return chosen

    def _moving(self, absorb: Callable[..., Any]) -> Callable[..., Any]:
        def absorbing(record: Any, outcome: Any, command: Any, *rest: Any) -> Any:
            if command is not None:
                self.rows.add(_move(command.phase.kind, outcome.event))
            return absorb(record, outcome, command, *rest)

        return absorbing

    def _see(self, here: State, row: Transition) -> None:
        machine = self._machine
        assert machine is not None
        own = any(row is one for one in here.transitions)
        self.rows.add(_row(machine, here.kind if own else "*", row))
