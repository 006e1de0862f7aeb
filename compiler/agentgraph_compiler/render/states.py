"""The picture of a machine: its states, every transition, and which states belong to which agent.

Transitions between the same two states share an arrow, one line each. Transitions on failures, or
on a stopped save, are faint and have no words, because otherwise they would hide everything else.
Transitions that hold in every state lead out of one box that stands for all states. The picture
leaves out states without a way in, and rests that only lead back to the state before.

The states of an agent can be folded into one box, which lists them. The arrows inside it go, and so
do those to the states that belong to no agent: that the agent can end the run is a mark on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from agentgraph_compiler.analysis.edges import exhausted_case
from agentgraph_compiler.analysis.moves import EVERY_STATE, words_of
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import case_of
from agentgraph_compiler.machine import (
    BACK,
    RESERVED,
    Event,
    GuardKind,
    Invoke,
    Machine,
    Rest,
    State,
    StateKind,
    Transition,
    WorkKind,
)
from agentgraph_compiler.render.case_words import after_words, case_words, rounds_words, with_remark
from agentgraph_compiler.render.findings import FINDINGS
from agentgraph_compiler.render.picture import (
    Arrow,
    Box,
    Frame,
    Ids,
    Mark,
    Meaning,
    Picture,
    Place,
    Role,
    Row,
    Stroke,
)

_ENDS = {
    StateKind.DONE: Role.DONE,
    StateKind.BLOCKED: Role.BLOCKED,
    StateKind.EXHAUSTED: Role.EXHAUSTED,
    StateKind.FAILED: Role.FAILED,
}
_GUARDRAILS = frozenset({WorkKind.INPUT_GUARDRAIL, WorkKind.OUTPUT_GUARDRAIL})
_ASIDE = frozenset({Event.FAILED, *RESERVED})
_STEPS = frozenset(
    {
        StateKind.WORKING,
        StateKind.ASKING,
        StateKind.SPLITTING,
        StateKind.BRANCHING,
        StateKind.LEAVING,
        StateKind.LOOPING,
    }
)
_MOST_LINES = 4
_WORDS: Mapping[Meaning, str] = {
    Role.STATE: "state",
    Role.GUARDRAIL: "state that runs guardrails",
    Role.AGENT: "agent, with its states folded",
    Role.FUNCTION: "function step, with its states folded",
    Role.QUESTION: "question to a person, with its states folded",
    Role.BRANCHES: "branches, with their states folded",
    Mark.ENDS: "can end the run",
    Stroke.SOLID: "transition: event [guard]",
    Stroke.FAINT: "transition on a failure",
    Stroke.CALL: "runs a machine, which returns",
    **FINDINGS,
}

Table = Chart | Machine
Unfolds = Callable[[str, str], bool]
"""Whether the states of an agent are drawn one by one; gets its sub-chart's name and its id."""


def unfolds_all(part: str, agent: str) -> bool:
    """Fold no agent."""
    return True


def states_picture(
    table: Table,
    findings: Mapping[tuple[str, str], Iterable[Row]] | None = None,
    unfolds: Unfolds = unfolds_all,
) -> Picture:
    """Draw the states of a chart or machine and of its parts.

    Args:
        table: The chart or the machine.
        findings: Rows about agents, by sub-chart and id, to be shown with their states.
        unfolds: Which agents are drawn state by state.
    """
    drawing = _Drawing(table, findings or {}, unfolds)
    return drawing.draw()


class _Drawing:
    def __init__(
        self, table: Table, findings: Mapping[tuple[str, str], Iterable[Row]], unfolds: Unfolds
    ) -> None:
        self.table, self.findings, self.unfolds = table, findings, unfolds
        self.parts = (table, *(table.charts if isinstance(table, Chart) else table.machines))
        self.ids = Ids()
        self.picture = Picture(Frame("workflow", table.name), across=False, words=_WORDS)
        self.box_of: dict[tuple[str, str | None], str] = {}
        self.folded: dict[str, Box] = {}

    def draw(self) -> Picture:
        root = self.picture.root
        for part in self.parts:
            name, frame = self._name(part), root
            unfolds = any(self.unfolds(name, agent.id) for agent in part.agents)
            if name and (len(part.agents) > 1 or unfolds):
                frame = Frame(self.ids.take("machine", name), f"machine {name}")
                root.frames.append(frame)
            self._boxes(part, name, frame)
        for part in self.parts:
            self._arrows(part, self._name(part))
        return self.picture

    def _name(self, part: Table) -> str:
        return "" if part is self.table else part.name

    def _boxes(self, part: Table, name: str, frame: Frame) -> None:
        drawn = drawn_states(part)
        steps = part.steps if isinstance(part, Chart) else ()
        names = {one.id: one.name for one in (*steps, *part.agents)}
        # A machine that a tool runs, all folded, shows its agents alone.
        whole = not name or any(self.unfolds(name, agent.id) for agent in part.agents)
        of_owner: dict[str, list[State]] = {}
        for state in part.states:
            if state.id in drawn and owner_of(state):
                of_owner.setdefault(owner_of(state), []).append(state)
            elif state.id in drawn and whole:
                frame.boxes.append(self._box(part, name, state, ""))
        for id, states in of_owner.items():
            group, title = f"{name}/{id}" if name else id, names.get(id, id)
            self.picture.groups[group] = title
            rows = tuple(self.findings.get((name, id), ()))
            if self.unfolds(name, id):
                boxes = [self._box(part, name, state, group) for state in states]
                inner = Frame(self.ids.take("agent", id), title, boxes, rows=rows)
                frame.frames.append(inner)
            else:
                frame.boxes.append(self._fold(name, states, title, group, rows))
        if part.rows and whole:
            every = Box(self.ids.take("every", name), Role.STATE, "every state")
            frame.boxes.append(every)
            self.box_of[name, None] = every.id

    def _box(self, part: Table, name: str, state: State, group: str) -> Box:
        role = Role.START if state.id == part.initial else _role(state)
        rows = tuple(
            replace(_row(invoke), about=((name, invoke.symbol),))
            for invoke in (*state.invokes, *state.offers)
        )
        id = self.ids.take("state", f"{name} {state.id}")
        self.box_of[name, state.id] = id
        about = ((name, state.id),)
        return Box(id, role, _title(state), rows, group=group, about=about)

    def _fold(
        self, name: str, states: Sequence[State], title: str, group: str, findings: tuple[Row, ...]
    ) -> Box:
        id = self.ids.take("agent", group)
        ends = any(
            row.target.startswith("saving.done") for state in states for row in state.transitions
        )
        counts = Counter(map(_title, states))
        box = Box(
            id=id,
            role=_role_of_owner(states),
            title=title,
            rows=(*(_times(*entry) for entry in counts.items()), *findings),
            mark=Mark.ENDS if ends else Mark.NONE,
            group=group,
            about=tuple((name, state.id) for state in states),
        )
        self.box_of |= {(name, state.id): id for state in states}
        self.folded[id] = box
        return box

    def _arrows(self, part: Table, name: str) -> None:
        moves: dict[tuple[str, str], list[Transition]] = {}
        lines: dict[tuple[str, str], list[str]] = {}
        about: dict[tuple[str, str], list[Place]] = {}
        sources: tuple[tuple[str | None, tuple[Transition, ...]], ...] = (
            (None, part.rows),
            *((state.id, state.transitions) for state in part.states),
        )
        for source, transitions in sources:
            here = self.box_of.get((name, source))
            for row in transitions:
                there = self.box_of.get((name, row.target))
                if here and there and not self._is_inside(name, here, there, row.target, part):
                    moves.setdefault((here, there), []).append(row)
                    if source is not None:
                        cases = lines.setdefault((here, there), [])
                        cases += _cases(part.state[source], row)
                    words = words_of(source or EVERY_STATE, row)
                    about.setdefault((here, there), []).append((name, words))
        every, place = self.box_of.get((name, None)), {id: n for n, id in enumerate(self.folded)}
        for (here, there), rows in moves.items():
            arrow = _arrow(here, there, rows, here == every)
            places = about[here, there]
            if {here, there} <= self.folded.keys():
                both = (there, here) in moves
                cases = list(dict.fromkeys(lines[here, there]))
                if cases or (both and lines[there, here]):
                    arrow = Arrow(here, there, label=_cut(cases))
                elif both and place[here] > place[there]:
                    continue
                else:
                    arrow = Arrow(here, there, both=both)
                    places = [*places, *about.get((there, here), ())]
            self.picture.arrows.append(replace(arrow, about=tuple(places)))
        for state in part.states:
            for offer in (*state.invokes, *state.offers):
                if offer.machine and (name, state.id) in self.box_of:
                    inner = self._entry(offer.machine)
                    label = (offer.symbol.rpartition("/")[2],)
                    call = Arrow(
                        source=self.box_of[name, state.id],
                        target=inner,
                        stroke=Stroke.CALL,
                        label=label,
                        about=((name, offer.symbol),),
                    )
                    if call not in self.picture.arrows:
                        self.picture.arrows.append(call)

    def _entry(self, machine: str) -> str:
        """The box where the run of a machine begins: its initial state, or the agent it enters."""
        [part] = (one for one in self.parts if one.name == machine and one is not self.table)
        initial = self.box_of.get((machine, part.initial))
        return initial or next(id for (name, _), id in self.box_of.items() if name == machine)

    def _is_inside(self, name: str, here: str, there: str, target: str, part: Table) -> bool:
        """Whether folding hides a transition."""
        if here in self.folded:
            return here == there or not owner_of(part.state[target])
        return False


def drawn_states(table: Table) -> frozenset[str]:
    """Ids of the states of a chart or machine that have a box."""
    predecessors: dict[str, set[str]] = {table.initial: set()}
    for row in table.rows:
        predecessors.setdefault(row.target, set())
    for state in table.states:
        for row in state.transitions:
            predecessors.setdefault(row.target, set()).add(state.id)
    retries = {
        state.id
        for state in table.states
        if state.rest is Rest.WAIT
        and {row.target for row in state.transitions} == predecessors.get(state.id)
    }
    return frozenset(predecessors.keys() - retries - {BACK})


def owner_of(state: State) -> str:
    """Id of the agent or the function step that a state belongs to; empty for none."""
    if state.agent or state.kind not in _STEPS:
        return state.agent
    return state.id.partition(f".{state.kind}")[0]


def _role(state: State) -> Role:
    if state.rest is Rest.END:
        return _ENDS.get(state.kind, Role.STATE)
    checks = bool(state.invokes) and all(row.kind in _GUARDRAILS for row in state.invokes)
    return Role.GUARDRAIL if checks else Role.STATE


def _role_of_owner(states: Sequence[State]) -> Role:
    """What an agent or a step is whose states are folded."""
    if states[0].agent:
        return Role.AGENT
    kinds = {state.kind for state in states}
    if StateKind.BRANCHING in kinds:
        return Role.BRANCHES
    return Role.QUESTION if StateKind.ASKING in kinds else Role.FUNCTION


def _row(invoke: Invoke) -> Row:
    name, kind = invoke.symbol.rpartition("/")[2], invoke.kind.value.replace("_", " ")
    return Row(name, kind if kind != name else "")


def _times(title: str, count: int) -> Row:
    return Row(title, f"× {count}" if count > 1 else "")


def _title(state: State) -> str:
    """The title of a state: its id if it belongs to no agent and no step, else its kind; a
    recovering state also names the fault, a looping one the case."""
    if not owner_of(state):
        return state.id.replace(".", " ")
    _, _, about = state.id.partition(f".{state.kind}.")
    match state.kind:
        case StateKind.RECOVERING:
            return f"recovering from {about}"
        case StateKind.LOOPING:
            return f"looping {case_words(about)}".rstrip()
        case _:
            return state.kind.value


def _arrow(source: str, target: str, rows: list[Transition], from_every: bool) -> Arrow:
    if not from_every and all(_is_failure(row) for row in rows):
        return Arrow(source, target, Stroke.FAINT)
    return Arrow(source, target, Stroke.SOLID, _cut(list(dict.fromkeys(map(_label, rows)))))


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= _MOST_LINES:
        return tuple(lines)
    return (*lines[: _MOST_LINES - 1], f"… {len(lines) - _MOST_LINES + 1} more")


def _cases(state: State, row: Transition) -> list[str]:
    """The case of an edge that a transition takes, in words; none for the only way."""
    words = ""
    match row.guard.kind:
        case GuardKind.CASE:
            words = case_words(case_of(row.guard.names[0]))
        case GuardKind.ROUNDS:
            edge, rounds = row.guard.names
            words = with_remark(case_words(case_of(edge)), rounds_words(int(rounds)))
        case _ if edge := exhausted_case(state, row):
            [rounds] = (one.guard.names[1] for one in state.transitions if one.guard.names)
            words = with_remark(case_words(case_of(edge)), after_words(int(rounds)))
        case _:
            pass
    return [words] if words else []


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
        case GuardKind.CASE:
            words = case_words(case_of(row.guard.names[0]))
            return f"{row.event.value} [{words}]" if words else row.event.value
        case GuardKind.ROUNDS:
            return f"{row.event.value} [{rounds_words(int(row.guard.names[1]))}]"
        case _:
            return f"{row.event.value} [{row.guard.kind.value}{' ' if operands else ''}{operands}]"
