"""The picture of a machine: its states, every transition, and which states belong to which agent.

Transitions between the same two states share an arrow, one line each. Transitions on failures, or
on a stopped save, are faint and have no words, because otherwise they would hide everything else.
Transitions that hold in every state lead out of one box that stands for all states. The picture
leaves out states without a way in, and rests that only lead back to the state before.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import (
    BACK,
    RESERVED,
    Event,
    GuardKind,
    Invoke,
    Rest,
    State,
    StateKind,
    Transition,
    WorkKind,
)
from agentgraph_compiler.render.picture import Arrow, Box, Frame, Ids, Picture, Role, Stroke

_ENDS = {
    StateKind.DONE: Role.DONE,
    StateKind.BLOCKED: Role.BLOCKED,
    StateKind.EXHAUSTED: Role.EXHAUSTED,
    StateKind.FAILED: Role.FAILED,
}
_GUARDRAILS = frozenset({WorkKind.INPUT_GUARDRAIL, WorkKind.OUTPUT_GUARDRAIL})
_ASIDE = frozenset({Event.FAILED, *RESERVED})


def states_picture(chart: Chart) -> Picture:
    """Draw the states of a chart and its sub-charts."""
    ids = Ids()
    picture = Picture(Frame("workflow", chart.name), across=False)
    box_of: dict[tuple[str | None, str | None], str] = {}
    for part in chart.walk():
        if part is chart:
            _boxes(part, None, picture.root, ids, box_of)
        else:
            frame = Frame(ids.take("machine", part.name), f"machine {part.name}")
            picture.root.frames.append(frame)
            _boxes(part, part.name, frame, ids, box_of)
    for part in chart.walk():
        name = None if part is chart else part.name
        for target, rows in _by_target(part.rows).items():
            every = box_of[name, None]
            labels = tuple(dict.fromkeys(map(_label, rows)))
            picture.arrows.append(Arrow(every, box_of[name, target], Stroke.SOLID, labels))
        for state in part.states:
            source = box_of.get((name, state.id))
            if source is None:
                continue
            for target, rows in _by_target(state.transitions).items():
                if (name, target) in box_of:
                    picture.arrows.append(_arrow(source, box_of[name, target], rows))
            for offer in state.offers:
                if offer.machine:
                    inner = box_of[offer.machine, chart.subchart[offer.machine].initial]
                    call = Arrow(source, inner, Stroke.CALL, (offer.symbol.rpartition("/")[2],))
                    picture.arrows.append(call)
    return picture


def drawn_states(chart: Chart) -> frozenset[str]:
    """Ids of the states of a chart that have a box."""
    predecessors: dict[str, set[str]] = {chart.initial: set()}
    for row in chart.rows:
        predecessors.setdefault(row.target, set())
    for state in chart.states:
        for row in state.transitions:
            predecessors.setdefault(row.target, set()).add(state.id)
    retries = {
        state.id
        for state in chart.states
        if state.rest is Rest.WAIT
        and {row.target for row in state.transitions} == predecessors.get(state.id)
    }
    return frozenset(predecessors.keys() - retries - {BACK})


def _boxes(
    chart: Chart,
    name: str | None,
    frame: Frame,
    ids: Ids,
    box_of: dict[tuple[str | None, str | None], str],
) -> None:
    owners: dict[str, Frame] = {}
    ids_with_box = drawn_states(chart)
    for state in (state for state in chart.states if state.id in ids_with_box):
        if state.agent and state.agent not in owners:
            frame_of = Frame(ids.take("agent", state.agent), chart.agent[state.agent].name)
            owners[state.agent] = frame_of
            frame.frames.append(frame_of)
        box = Box(
            ids.take("state", f"{name or ''} {state.id}"),
            Role.START if state.id == chart.initial else _role(state),
            _title(state),
            tuple(map(_row, (*state.invokes, *state.offers))),
        )
        owners.get(state.agent, frame).boxes.append(box)
        box_of[name, state.id] = box.id
    if chart.rows:
        every = Box(ids.take("every", name or ""), Role.STATE, "every state")
        frame.boxes.append(every)
        box_of[name, None] = every.id


def _role(state: State) -> Role:
    if state.rest is Rest.END:
        return _ENDS.get(state.kind, Role.STATE)
    checks = bool(state.invokes) and all(row.kind in _GUARDRAILS for row in state.invokes)
    return Role.GUARDRAIL if checks else Role.STATE


def _row(invoke: Invoke) -> tuple[str, str]:
    name, kind = invoke.symbol.rpartition("/")[2], invoke.kind.value.replace("_", " ")
    return name, kind if kind != name else ""


def _title(state: State) -> str:
    """The title of a state: its id if it belongs to no agent, else its kind; a recovering state
    also names the fault."""
    if not state.agent:
        return state.id.replace(".", " ")
    _, _, about = state.id.partition(f".{state.kind}.")
    return f"recovering from {about}" if state.kind is StateKind.RECOVERING else state.kind.value


def _by_target(transitions: Iterable[Transition]) -> dict[str, list[Transition]]:
    """The transitions by target. The way back from a rest is left out: it has no fixed target."""
    rows: dict[str, list[Transition]] = {}
    for transition in transitions:
        if transition.target != BACK:
            rows.setdefault(transition.target, []).append(transition)
    return rows


def _arrow(source: str, target: str, rows: list[Transition]) -> Arrow:
    if all(_is_failure(row) for row in rows):
        return Arrow(source, target, Stroke.FAINT)
    return Arrow(source, target, Stroke.SOLID, tuple(dict.fromkeys(map(_label, rows))))


def _is_failure(row: Transition) -> bool:
    bad_reply = row.guard.kind is GuardKind.VERDICT and row.event is Event.REPLIED
    return row.event in _ASIDE or (bad_reply and "final" not in row.guard.names)


def _label(row: Transition) -> str:
    operands = " ".join(name.rpartition("/")[2] for name in row.guard.names)
    match row.guard.kind:
        case GuardKind.OTHERWISE:
            return row.event.value
        case GuardKind.VERDICT:
            return f"{row.event.value} [{operands}]"
        case _:
            return f"{row.event.value} [{row.guard.kind.value}{' ' if operands else ''}{operands}]"
