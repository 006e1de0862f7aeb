"""The picture of a machine: its states, every transition, and which states belong to which agent.

Transitions between the same two states share an arrow, one line each. Those that only say that
something failed are drawn faintly and without words, or nothing else could be read. Ends that
nothing leads to are left out.
"""

from __future__ import annotations

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import (
    FINALS,
    Event,
    GuardKind,
    Invoke,
    State,
    StateKind,
    Transition,
)
from agentgraph_compiler.render.picture import Arrow, Box, Frame, Ids, Picture, Role, Stroke

_ROLES = {
    StateKind.INITIAL: Role.START,
    StateKind.DONE: Role.DONE,
    StateKind.BLOCKED: Role.BLOCKED,
    StateKind.EXHAUSTED: Role.EXHAUSTED,
    StateKind.FAILED: Role.FAILED,
    StateKind.SCREENING: Role.GUARDRAIL,
    StateKind.CHECKING: Role.GUARDRAIL,
}


def states_picture(chart: Chart) -> Picture:
    """Draw the states of a chart and its sub-charts."""
    ids = Ids()
    picture = Picture(Frame("workflow", chart.name), across=False)
    box_of: dict[tuple[str | None, str], str] = {}
    for part in chart.walk():
        if part is chart:
            _boxes(part, None, picture.root, ids, box_of)
        else:
            frame = Frame(ids.take("machine", part.name), f"machine {part.name}")
            picture.root.frames.append(frame)
            _boxes(part, part.name, frame, ids, box_of)
    for part in chart.walk():
        name = None if part is chart else part.name
        for state in part.states:
            source = box_of.get((name, state.id))
            if source is None:  # an end that nothing leads to
                continue
            for target, rows in _by_target(state).items():
                picture.arrows.append(_arrow(source, box_of[name, target], rows))
            for offer in state.offers:
                if offer.machine:
                    inner = box_of[offer.machine, chart.subchart[offer.machine].initial]
                    called = Arrow(source, inner, Stroke.CALL, (offer.symbol.rpartition("/")[2],))
                    picture.arrows.append(called)
    return picture


def _boxes(
    chart: Chart,
    name: str | None,
    frame: Frame,
    ids: Ids,
    box_of: dict[tuple[str | None, str], str],
) -> None:
    owners: dict[str, Frame] = {}
    entered = {row.target for state in chart.states for row in state.transitions}
    for state in chart.states:
        if state.kind in FINALS and state.id not in entered:
            continue
        owner = state.agent if state.kind is not StateKind.INITIAL else ""
        if owner and owner not in owners:
            owners[owner] = Frame(ids.take("agent", owner), chart.agent[owner].name)
            frame.frames.append(owners[owner])
        box = Box(
            ids.take("state", f"{name or ''} {state.id}"),
            _ROLES.get(state.kind, Role.STATE),
            _title(state),
            tuple(map(_row, (*state.invokes, *state.offers))),
        )
        owners.get(owner, frame).boxes.append(box)
        box_of[name, state.id] = box.id


def _row(invoke: Invoke) -> tuple[str, str]:
    name, kind = invoke.symbol.rpartition("/")[2], invoke.kind.value.replace("_", " ")
    return name, kind if kind != name else ""


def _title(state: State) -> str:
    if state.kind is StateKind.RECOVERING:
        return f"recovering from {state.id.rpartition('.')[2]}"
    return state.kind.value


def _by_target(state: State) -> dict[str, list[Transition]]:
    rows: dict[str, list[Transition]] = {}
    for transition in state.transitions:
        rows.setdefault(transition.target, []).append(transition)
    return rows


def _arrow(source: str, target: str, rows: list[Transition]) -> Arrow:
    if all(_is_failure(row) for row in rows):
        return Arrow(source, target, Stroke.FAINT)
    return Arrow(source, target, Stroke.SOLID, tuple(dict.fromkeys(map(_label, rows))))


def _is_failure(row: Transition) -> bool:
    bad_reply = row.guard.kind is GuardKind.VERDICT and row.event is Event.REPLIED
    return row.event is Event.FAILED or (bad_reply and "final" not in row.guard.names)


def _label(row: Transition) -> str:
    operands = " ".join(name.rpartition("/")[2] for name in row.guard.names)
    match row.guard.kind:
        case GuardKind.OTHERWISE:
            return row.event.value
        case GuardKind.VERDICT:
            return f"{row.event.value} [{operands}]"
        case _:
            return f"{row.event.value} [{row.guard.kind.value}{' ' if operands else ''}{operands}]"
