"""`agentgraph routes`: the routes from agent to agent, each with a run that takes it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from rich.table import Table
from rich.text import Text

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.reports import print_report
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable, progress
from agentgraph.cli.workload import Workload, loaded
from agentgraph.exceptions import UserError
from agentgraph.program import CompileError
from agentgraph.testing.exploring import explore
from agentgraph.testing.patterns import matcher
from agentgraph.testing.routes import Route

__all__ = ["print_routes"]


@dataclass(slots=True)
class _Path:
    """All runs that come by the same agents in the same order.

    Args:
        agents: The agents; calls in a row by one agent count once.
        shortest: A run with the fewest model calls.
        runs: How many runs.
        ends: How often each end comes.
    """

    agents: tuple[str, ...]
    shortest: Route
    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, route: Route) -> None:
        """Add a run."""
        self.runs += 1
        self.ends[route.end] += 1
        self.shortest = min(self.shortest, route, key=_length)


def print_routes(
    terminal: Terminal, text: str, to: str | None, most: int, limits: Limits, *, as_json: bool
) -> Status:
    """List the routes of a workflow.

    Without `to`, tools that the workflow treats alike count as one. No model is called and no tool
    runs.

    Args:
        terminal: Where to print them.
        text: The file, with a name or without.
        to: What a route must come by; `None` lists all.
        most: The most model calls of a run.
        limits: What the file may use while it is loaded.
        as_json: Whether to print JSON instead of a table.

    Returns:
        `DONE`; `FOUND` if there is no such route; `UNUSABLE` if the workflow has errors.

    Raises:
        CommandFault: The file cannot be used, or the workflow has no part named `to`.
    """
    try:
        paths = _explored(terminal, text, to, most, limits)
    except CompileError as error:
        print_report(terminal.err, error.diagnostics)
        return Status.UNUSABLE
    if as_json:
        terminal.write(json.dumps([_as_json(path) for path in paths], ensure_ascii=False, indent=2))
        terminal.write("\n")
    elif paths:
        _print_table(terminal, paths)
    else:
        by = "" if to is None else f" comes by {to!r}"
        terminal.out.print(Text(f"no run of up to {most} model calls{by}"))
    return Status.DONE if paths else Status.FOUND


def _explored(
    terminal: Terminal, text: str, to: str | None, most: int, limits: Limits
) -> list[_Path]:
    with (
        loaded(Target.parse(text), limits) as workload,
        progress(terminal, f"exploring runs of up to {most} model calls"),
    ):
        return _paths(workload, to, most)


def _length(route: Route) -> tuple[int, bool, int]:
    return len(route.agents), route.end != "answered", len(route.decisions)


def _paths(workload: Workload, to: str | None, most: int) -> list[_Path]:
    paths: dict[tuple[str, ...], _Path] = {}
    try:
        # If the routes to a tool are asked for, no other tool can stand for it.
        for route in explore(workload.source, most, alike=to is not None):
            if to is not None and not any(map(matcher(to, route.names), route.decisions)):
                continue
            agents = tuple(name for name, _ in groupby(route.agents))
            paths.setdefault(agents, _Path(agents, route)).add(route)
    except UserError as error:
        raise CommandFault(str(error)) from error
    return sorted(paths.values(), key=lambda path: (len(path.agents), path.agents))


def _as_json(path: _Path) -> dict[str, object]:
    return {
        "agents": path.agents,
        "runs": path.runs,
        "model_calls": len(path.shortest.agents),
        "ends": dict(path.ends),
        "example": [str(one) for one in path.shortest.decisions],
    }


def _print_table(terminal: Terminal, paths: list[_Path]) -> None:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="quiet")
    for column in ("route", "calls", "runs"):
        table.add_column(column, justify="left" if column == "route" else "right")
    table.add_column("ends")
    for path in paths:
        table.add_row(
            Text(printable(" → ".join(path.agents) or "blocked before the first model")),
            str(len(path.shortest.agents)),
            str(path.runs),
            ", ".join(_ends(path)),
        )
    terminal.out.print(table)
    shortest = min((path.shortest for path in paths), key=_length)
    terminal.out.print(Text("\nthe shortest of them:\n", "quiet"))
    terminal.out.print(Text(printable(str(shortest))), soft_wrap=True)


def _ends(path: _Path) -> Iterator[str]:
    for end, count in sorted(path.ends.items()):
        yield f"{end} {count}"
