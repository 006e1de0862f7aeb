"""What the branches of a step do to the world and to each other: tools that act, fields of the
context, sessions. Only what declarations and the code of plain functions show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentgraph.exceptions import UserError
from agentgraph.frontend.context_use import use_of_context
from agentgraph.frontend.lower_tools import kind_of, name_of
from agentgraph.frontend.readings import ChartReading
from agentgraph.frontend.scope import plain
from agentgraph.frontend.step_reading import BranchReading
from agentgraph.schemas.type_hints import context_type
from agentgraph_compiler.machine import WorkKind

__all__ = ["Effects", "effects_of"]

_ACTING = frozenset({WorkKind.FUNCTION, WorkKind.ACTION})


class Effects(NamedTuple):
    """What a branch does.

    Args:
        acts: The names of its tools that may change something.
        writes: The attributes of the context that its functions assign.
        sessions: The sessions that its agent tools write, by ``id``.
    """

    acts: tuple[str, ...]
    writes: tuple[str, ...]
    sessions: tuple[int, ...]


def effects_of(branch: BranchReading, charts: Sequence[ChartReading]) -> Effects:
    """What a branch does.

    Args:
        branch: The branch.
        charts: The charts of the workflow, by number.
    """
    acts: list[str] = []
    sessions: list[int] = []
    writes = set(_writes(branch.part)) if branch.inner < 0 else set[str]()
    for chart in _charts_of(branch.inner, charts):
        for step in chart.steps:
            for part in (step.part, *(one.part for one in step.branches)):
                writes.update(_writes(part))
        for tool in (row.shape.part for agent in chart.agents for row in agent.tools):
            if kind_of(tool) in _ACTING and not getattr(tool, "read_only", False):
                acts.append(plain(name_of(tool)))
            session = getattr(tool, "session", None)
            if session is not None:
                sessions.append(id(session))
            writes.update(_writes(getattr(tool, "_function", None)))
    return Effects(
        tuple(dict.fromkeys(acts)), tuple(sorted(writes)), tuple(dict.fromkeys(sessions))
    )


def _charts_of(number: int, charts: Sequence[ChartReading]) -> Iterator[ChartReading]:
    """The chart that a branch runs, and those that runs of it run."""
    seen, waiting = {number}, [number]
    while waiting:
        number = waiting.pop()
        if number < 0:
            continue
        yield charts[number]
        inner = [row.inner for agent in charts[number].agents for row in agent.tools]
        inner += [one.inner for step in charts[number].steps for one in step.branches]
        waiting += [one for one in inner if one not in seen]
        seen.update(inner)


def _writes(function: object) -> frozenset[str]:
    """The attributes of the context that a function assigns."""
    if not callable(function) or isinstance(function, type):
        return frozenset()
    try:
        takes_context = context_type(function) is not None
    except (UserError, TypeError, ValueError):
        return frozenset()
    return frozenset(use_of_context(function).writes) if takes_context else frozenset()
