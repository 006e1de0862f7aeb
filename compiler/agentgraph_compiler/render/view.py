"""What a drawing shows of a chart: the level, the part of it, and the findings on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from agentgraph_compiler.diagnostics import Diagnostic
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.findings import WHOLE, placed
from agentgraph_compiler.render.focus import around, group_of
from agentgraph_compiler.render.layout import RenderError
from agentgraph_compiler.render.picture import Picture, Row
from agentgraph_compiler.render.states import Table, states_picture

__all__ = ["LEVELS", "View", "picture_of", "picture_of_machine"]

LEVELS = ("agents", "states")
"""The levels of a drawing: the workflow as people think of it, or the machine."""

_MOST_UNFOLDED = 4
"""The most agents that are drawn state by state unless someone asks for it."""


@dataclass(frozen=True, slots=True)
class View:
    """What to draw of a chart.

    Args:
        level: One of ``LEVELS``.
        findings: Diagnostics to show at the agents that they are about.
        focus: The name of the agent to draw with its surroundings; ``None`` draws all.
        depth: The most handoffs or calls between the focus and an agent in the drawing.
        fold: Whether the level of states folds each agent other than the focus into one box;
            ``None`` folds where the workflow has more than a few agents.
        legend: Whether a legend explains the signs.
        visited: Names of agents that a run came by.
    """

    level: str = "agents"
    findings: tuple[Diagnostic, ...] = ()
    focus: str | None = None
    depth: int = 1
    fold: bool | None = None
    legend: bool = True
    visited: Collection[str] = ()


WHOLE_WORKFLOW: Final = View()
"""All agents of a workflow, with a legend."""


def picture_of(chart: Chart, view: View = WHOLE_WORKFLOW) -> Picture:
    """The picture of a chart.

    Raises:
        RenderError: There is no such level, or no such agent to focus on.
    """
    rows = placed(chart, view.findings)
    if view.level == "agents":
        picture = agents_picture(chart, rows, view.visited)
    elif view.level == "states":
        picture = _states(chart, view, rows)
    else:
        raise RenderError(f"there is no level '{view.level}'; levels are {' and '.join(LEVELS)}")
    picture.root.rows = tuple(rows.get(WHOLE, ()))
    if view.focus is not None:
        picture = around(picture, view.focus, view.depth)
    return picture if view.legend else replace(picture, words={})


def picture_of_machine(machine: Machine) -> Picture:
    """The picture of the states of a machine; each agent of a large one is folded."""
    return _states(machine, View(level="states"), {})


def _states(table: Table, view: View, rows: Mapping[tuple[str, str], list[Row]]) -> Picture:
    parts = (table, *(table.charts if isinstance(table, Chart) else table.machines))
    names = {
        f"{'' if part is table else f'{part.name}/'}{agent.id}": agent.name
        for part in parts
        for agent in part.agents
    }
    focus = None if view.focus is None else group_of(names, view.focus)
    fold = len(names) > _MOST_UNFOLDED if view.fold is None else view.fold

    def unfolds(part: str, agent: str) -> bool:
        return not fold or (f"{part}/{agent}" if part else agent) == focus

    return states_picture(table, rows, unfolds)
