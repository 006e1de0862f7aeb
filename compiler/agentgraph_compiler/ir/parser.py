"""The parser of printed charts. ``ir/text.py`` describes the printed form. Errors name the line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Choice,
    Guardrail,
    Handoff,
    Inner,
    Reader,
    Stop,
    Tool,
)
from agentgraph_compiler.ir.lines import ChartSyntaxError, Line, lines_of
from agentgraph_compiler.ir.parts import (
    parse_choice,
    parse_guardrail,
    parse_handoff,
    parse_inner,
    parse_reader,
    parse_stop,
    parse_tool,
)
from agentgraph_compiler.ir.row_lines import (
    Lane,
    Phases,
    parse_invoke,
    parse_move,
    parse_phase,
    parse_transition,
)
from agentgraph_compiler.ir.step_lines import StepDraft
from agentgraph_compiler.machine import Phase, Rest, State, StateKind, Transition
from agentgraph_compiler.types import ANY, TEXT, Type


def parse_chart(text: str) -> Chart:
    """Read a chart in the form that ``print_chart`` writes.

    Args:
        text: The printed form: one chart, then its sub-charts.

    Returns:
        The chart. The parser checks only its form; ``verify`` says whether it is well-formed.

    Raises:
        ChartSyntaxError: The text is not a printed chart; the message names the line.
    """
    drafts: list[_ChartDraft] = []
    for line in lines_of(text):
        if line.indented:
            if not drafts:
                line.fail("a chart must be opened first")
            drafts[-1].member(line)
        elif line.accept("chart") or line.accept("subchart"):
            if (line.tokens[0] == "chart") == bool(drafts):
                line.fail("the root chart comes first and only once, its sub-charts follow it")
            drafts.append(_ChartDraft.opened_by(line))
        elif not drafts:
            line.fail("expected 'chart'")
        elif line.accept("agent"):
            drafts[-1].open(_AgentDraft.opened_by(line))
        elif line.accept("step"):
            drafts[-1].open(StepDraft.opened_by(line))
        elif line.accept("state"):
            drafts[-1].open(_StateDraft.opened_by(line))
        elif line.accept("rows"):
            drafts[-1].open(drafts[-1].rows)
        elif line.accept("phases"):
            drafts[-1].open(PhasesDraft.opened_by(line, drafts[0]))
        else:
            line.fail("expected 'agent', 'phases', 'rows', 'state', 'step' or 'subchart'")
        line.end()
    if not drafts:
        raise ChartSyntaxError("expected 'chart', found nothing", 1)
    root, *others = drafts
    phases = {name: draft.built() for name, draft in root.phases.items()}
    return root.built(phases, tuple(draft.built(phases) for draft in others))


@dataclass(slots=True)
class _ChartDraft:
    name: str
    start: str
    initial: str
    starts: tuple[str, ...]
    multi_turn: bool
    declared: bool
    origin: Origin
    agents: list[_AgentDraft] = field(default_factory=list)
    states: list[_StateDraft] = field(default_factory=list)
    steps: list[StepDraft] = field(default_factory=list)
    output_guardrails: list[Guardrail] = field(default_factory=list)
    rows: _RowsDraft = field(default_factory=lambda: _RowsDraft())
    phases: dict[str, PhasesDraft] = field(default_factory=dict)
    last: _Draft | None = None

    @classmethod
    def opened_by(cls, line: Line) -> _ChartDraft:
        name = line.word("the name of the chart")
        line.expect("start")
        start = line.word("the id of the start agent")
        line.expect("initial")
        initial = line.word("the id of the initial state")
        return cls(
            name=name,
            start=start,
            initial=initial,
            starts=line.words("the id of an agent") if line.accept("starts") else (),
            multi_turn=line.accept("multi_turn"),
            declared=line.accept("declared"),
            origin=line.origin(),
        )

    def open(self, draft: _Draft) -> None:
        if isinstance(draft, _AgentDraft):
            self.agents.append(draft)
        elif isinstance(draft, _StateDraft):
            self.states.append(draft)
        elif isinstance(draft, StepDraft):
            self.steps.append(draft)
        self.last = draft

    def member(self, line: Line) -> None:
        if self.last is not None:
            self.last.member(line)
        elif line.accept("output_guardrail"):
            self.output_guardrails.append(parse_guardrail(line))
        else:
            line.fail("an agent or a state must be opened first")

    def built(self, phases: Phases, charts: tuple[Chart, ...] = ()) -> Chart:
        return Chart(
            name=self.name,
            start=self.start,
            initial=self.initial,
            agents=tuple(draft.built() for draft in self.agents),
            states=tuple(draft.built(phases) for draft in self.states),
            rows=tuple(self.rows.transitions),
            declared=self.declared,
            charts=charts,
            origin=self.origin,
            starts=self.starts,
            multi_turn=self.multi_turn,
            steps=tuple(draft.built() for draft in self.steps),
            output_guardrails=tuple(self.output_guardrails),
        )


@dataclass(slots=True)
class _AgentDraft:
    id: str
    name: str
    digest: str
    origin: Origin
    context: Type = ANY
    members: tuple[str, ...] = ()
    output: Type = TEXT
    schema: str = ""
    not_strict: str = ""
    tools: list[Tool] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    input_guardrails: list[Guardrail] = field(default_factory=list)
    output_guardrails: list[Guardrail] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    choice: Choice = field(default_factory=Choice)
    unseen: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()
    tries: int = 0
    inner: list[Inner] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    instructions: str | None = None
    single_call: bool = False
    identity: int = 0

    @classmethod
    def opened_by(cls, line: Line) -> _AgentDraft:
        id, name = line.word("the id of the agent"), line.word("the name of the agent")
        return cls(id, name, line.clause("digest"), line.origin())

    def member(self, line: Line) -> None:
        match line.word("a part of the agent"):
            case "context":
                self.context = line.type()
            case "members":
                self.members = line.words("an attribute")
            case "output":
                self.output = line.type()
            case "schema":
                self.schema = line.word("a JSON schema")
            case "not_strict":
                self.not_strict = line.word("a reason")
            case "tool":
                self.tools.append(parse_tool(line))
            case "handoff":
                self.handoffs.append(parse_handoff(line))
            case "input_guardrail":
                self.input_guardrails.append(parse_guardrail(line))
            case "output_guardrail":
                self.output_guardrails.append(parse_guardrail(line))
            case "stop":
                self.stop = parse_stop(line)
            case "choice":
                self.choice = parse_choice(line)
            case "unseen":
                self.unseen.append(line.word("a fact that the compiler cannot see"))
            case "allow":
                self.allowed = line.words("a rule")
            case "tries":
                self.tries = line.number("a number of tries")
            case "single_call":
                self.single_call = True
            case "identity":
                self.identity = line.number("the number of an agent")
            case "inner":
                self.inner.append(parse_inner(line))
            case "reader":
                self.readers.append(parse_reader(line))
            case "instructions":
                self.instructions = line.word("the instructions")
            case other:
                line.fail(f"'{other}' is not a part of an agent")

    def built(self) -> Agent:
        return Agent(
            id=self.id,
            name=self.name,
            context=self.context,
            members=self.members,
            output=self.output,
            schema=self.schema,
            not_strict=self.not_strict,
            tools=tuple(self.tools),
            handoffs=tuple(self.handoffs),
            input_guardrails=tuple(self.input_guardrails),
            output_guardrails=tuple(self.output_guardrails),
            stop=self.stop,
            choice=self.choice,
            digest=self.digest,
            unseen=tuple(self.unseen),
            origin=self.origin,
            allowed=self.allowed,
            tries=self.tries,
            inner=tuple(self.inner),
            readers=tuple(self.readers),
            instructions=self.instructions,
            single_call=self.single_call,
            identity=self.identity,
        )


@dataclass(slots=True)
class PhasesDraft:
    phases: list[Phase] = field(default_factory=list)

    @classmethod
    def opened_by(cls, line: Line, root: _ChartDraft) -> PhasesDraft:
        name = line.word("a name of phases")
        if name in root.phases:
            line.fail(f"the phases '{name}' are defined twice")
        draft = root.phases[name] = cls()
        return draft

    def member(self, line: Line) -> None:
        match line.word("a phase or a move"):
            case "phase":
                self.phases.append(parse_phase(line))
            case "on" if self.phases:
                last = self.phases[-1]
                self.phases[-1] = replace(last, moves=(*last.moves, parse_move(line)))
            case other:
                line.fail(f"'{other}' is not a part of phases")

    def built(self) -> tuple[Phase, ...]:
        return tuple(self.phases)


@dataclass(slots=True)
class _RowsDraft:
    transitions: list[Transition] = field(default_factory=list)

    def member(self, line: Line) -> None:
        line.expect("on")
        self.transitions.append(parse_transition(line))


@dataclass(slots=True)
class _StateDraft:
    id: str
    kind: StateKind
    agent: str
    rest: Rest
    invokes: list[Lane] = field(default_factory=list)
    offers: list[Lane] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    @classmethod
    def opened_by(cls, line: Line) -> _StateDraft:
        id = line.word("the id of the state")
        kind, owner = line.choice(StateKind, "a kind of state"), line.clause("of")
        rests = (rest for rest in (Rest.WAIT, Rest.END) if line.accept(rest))
        return cls(id, kind, owner, next(rests, Rest.NO))

    def member(self, line: Line) -> None:
        match line.word("a part of the state"):
            case "invoke":
                self.invokes.append(parse_invoke(line))
            case "offer":
                self.offers.append(parse_invoke(line))
            case "on":
                self.transitions.append(parse_transition(line))
            case other:
                line.fail(f"'{other}' is not a part of a state")

    def built(self, phases: Phases) -> State:
        return State(
            self.id,
            self.kind,
            agent=self.agent,
            invokes=tuple(lane(phases) for lane in self.invokes),
            offers=tuple(lane(phases) for lane in self.offers),
            transitions=tuple(self.transitions),
            rest=self.rest,
        )


_Draft = _AgentDraft | StepDraft | _StateDraft | PhasesDraft | _RowsDraft
