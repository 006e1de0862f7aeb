"""Faults of edges: a case is missing or leads elsewhere, a loop goes on longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from agentgraph.testing.mutation.changes import Change, Parts, label_of

if TYPE_CHECKING:
    from agentgraph.workflow import Workflow
    from agentgraph.workflow.declared import Case, Edges

__all__ = ["drop_at_most", "drop_case", "raise_at_most", "swap_cases"]


def drop_case(parts: Parts) -> Iterator[Change]:
    """Take each case of a route away; its values go to the default, or take no case."""
    for workflow, edges in _routes(parts):
        for place, case in enumerate(edges.cases):
            left = [*edges.cases[:place], *edges.cases[place + 1 :]]
            if not left:
                continue
            default = next((one for one in left if not one.keys), None)
            then = "take no case" if default is None else f"go to {_name(default.target)}"
            yield _change(
                workflow,
                edges,
                left,
                part=f"{label_of(edges.step)} {case.label}",
                text=f"values of case {case.label} after {_name(edges.step)} {then}",
                moves=_taken(edges, case),
            )


def swap_cases(parts: Parts) -> Iterator[Change]:
    """Let two neighbouring cases of a route lead to each other's target."""
    for workflow, edges in _routes(parts):
        for first, second in pairwise(range(len(edges.cases))):
            one, other = edges.cases[first], edges.cases[second]
            if one.target is other.target:
                continue
            cases = list(edges.cases)
            cases[first], cases[second] = _leading(one, other), _leading(other, one)
            yield _change(
                workflow,
                edges,
                cases,
                part=f"{label_of(edges.step)} {one.label}, {other.label}",
                text=f"case {one.label} after {_name(edges.step)} leads to {_name(other.target)},"
                f" and case {other.label} to {_name(one.target)}",
                moves=_taken(edges, one),
            )


def raise_at_most(parts: Parts) -> Iterator[Change]:
    """Let each loop go round twice as often."""
    for workflow, edges, place, case, most in _limits(parts):
        yield _change(
            workflow,
            edges,
            _with(edges, place, replace(case, at_most=2 * most)),
            part=f"{label_of(edges.step)} {case.label}",
            text=f"a run takes {_way(edges, case)} {2 * most} times, not {most}",
            moves=_rounds(edges, case, most),
        )


def drop_at_most(parts: Parts) -> Iterator[Change]:
    """Let each loop go round as often as it likes."""
    for workflow, edges, place, case, most in _limits(parts):
        yield _change(
            workflow,
            edges,
            _with(edges, place, replace(case, at_most=None, exhausted=None)),
            part=f"{label_of(edges.step)} {case.label}",
            text=f"a run takes {_way(edges, case)} without a limit",
            moves=_rounds(edges, case, most),
        )


def _change(
    workflow: Workflow,
    edges: Edges,
    cases: list[Case],
    *,
    part: str,
    text: str,
    moves: tuple[str, ...],
) -> Change:
    changed = replace(edges, cases=tuple(cases))
    return Change(
        owner=workflow,
        values={"_edges": [changed if one is edges else one for one in workflow._edges]},
        agent=workflow.start,
        part=part,
        text=text,
        moves=moves,
        place=_Line(edges.origin),
    )


class _Line:
    """Stands for the line of a route."""

    def __init__(self, origin: tuple[str, int]) -> None:
        self._origin = origin


def _routes(parts: Parts) -> Iterator[tuple[Workflow, Edges]]:
    for workflow in parts.workflows:
        yield from ((workflow, edges) for edges in workflow._edges if edges.on is not None)


def _limits(parts: Parts) -> Iterator[tuple[Workflow, Edges, int, Case, int]]:
    for workflow in parts.workflows:
        for edges in workflow._edges:
            for place, case in enumerate(edges.cases):
                if case.at_most is not None:
                    yield workflow, edges, place, case, case.at_most


def _leading(case: Case, to: Case) -> Case:
    """A case that leads where another one does, and hands over what that does."""
    return replace(case, target=to.target, gives=to.gives, carries=to.carries)


def _with(edges: Edges, place: int, case: Case) -> list[Case]:
    return [case if number == place else one for number, one in enumerate(edges.cases)]


def _way(edges: Edges, case: Case) -> str:
    return f"the way from {_name(edges.step)} to {_name(case.target)}"


def _taken(edges: Edges, case: Case) -> tuple[str, ...]:
    on = "" if edges.on is None or edges.on.step is None else f" ({edges.on.words})"
    return (
        f"{_name(edges.step)} is over with a value of case {case.label}{on}",
        f"the run comes to {_name(case.target)}",
    )


def _rounds(edges: Edges, case: Case, most: int) -> tuple[str, ...]:
    times = "once" if most == 1 else f"{most} times"
    return (
        f"the run takes {_way(edges, case)} {times}, and would again",
        f"it comes to {_name(case.exhausted)}",
    )


def _name(step: object) -> str:
    return f"'{label_of(step)}'"
