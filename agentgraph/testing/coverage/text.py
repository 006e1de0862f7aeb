"""The report of a coverage as text for terminals."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agentgraph.testing.coverage.workflows import Item, Tally, WorkflowCoverage, tally_of
from agentgraph_compiler.analysis.owed import FAILED, Subject

__all__ = ["percent_text", "place_of", "report"]


def report(workflows: Sequence[WorkflowCoverage], *, missing: bool) -> str:
    """The table and, if asked for, the lists under it."""
    if not workflows:
        return "No workflow ran."
    lines = list(_table(workflows))
    if missing:
        for workflow in workflows:
            lines += _lists(workflow)
    return "\n".join(lines)


def percent_text(tally: Tally) -> str:
    """The share that is covered, rounded so that only a full one reads 100 %."""
    percent = tally.percent
    return f"{min(percent, 99.9) if tally.covered < tally.owed else percent:.1f}".removesuffix(".0")


_OF_EDGES: Final = (Subject.EDGE, Subject.FUNCTION, Subject.QUESTION)
"""The subjects of workflows with edges, which other tables do not have."""


def place_of(workflow: WorkflowCoverage) -> str:
    """The file and line that make a workflow, relative to the working directory where that is
    shorter."""
    _, file, line = workflow.identity
    try:
        short = os.path.relpath(file)
    except ValueError:  # another drive
        short = file
    return f"{min(short, file, key=len)}:{line}"


def _table(workflows: Sequence[WorkflowCoverage]) -> Iterator[str]:
    every = [item for workflow in workflows for item in workflow.items]
    used = {item.subject for item in every}
    subjects = [one for one in Subject if one not in _OF_EDGES or one in used]
    rows = [["Workflow", *(f"{subject.capitalize()}s" for subject in subjects), "Cover"]]
    rows += [_cells(workflow.name, workflow.items, subjects) for workflow in workflows]
    if len(workflows) > 1:
        rows.append(_cells("TOTAL", every, subjects))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    for number, row in enumerate(rows):
        if number == 1 or (len(workflows) > 1 and number == len(rows) - 1):
            yield rule
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(cells)


def _cells(name: str, items: Iterable[Item], subjects: Sequence[Subject]) -> list[str]:
    items = tuple(items)
    tallies = [tally_of(one for one in items if one.subject == subject) for subject in subjects]
    cells = [f"{one.covered}/{one.owed}" if one.owed else "-" for one in tallies]
    return [name, *cells, f"{percent_text(tally_of(items))}%"]


def _lists(workflow: WorkflowCoverage) -> Iterator[str]:
    versions = len(workflow.versions)
    more = f", {versions} versions" if versions > 1 else ""
    yield ""
    yield f"{workflow.name} ({place_of(workflow)}{more})"
    if not workflow.missing:
        yield "  nothing is missing"
    for item in workflow.missing:
        yield f"  missing {item.subject}: {item}"
    # What the user wrote is named; states and transitions are many, so their excuses are counted.
    excuses = Counter[str]()
    for item in workflow.excused:
        if item.subject in (Subject.STATE, Subject.TRANSITION):
            excuses[item.excuse] += 1
        elif item.outcome != FAILED or item.count:
            times = f" ({item.count} times)" if item.count else ""
            yield f"  not counted {item.subject}: {item}{times}: {item.excuse}"
    for excuse, count in excuses.most_common():
        yield f"  not counted: {count} states and transitions: {excuse}"
