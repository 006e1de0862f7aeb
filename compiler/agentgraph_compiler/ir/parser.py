"""The parser of printed charts. What is printed how is said in ``ir/text.py``; errors name the
line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Guardrail,
    Handoff,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.lines import ChartSyntaxError, Line, lines_of
from agentgraph_compiler.machine import (
    OTHERWISE,
    Event,
    Guard,
    GuardKind,
    Invoke,
    InvokeKind,
    State,
    StateKind,
    Transition,
)
from agentgraph_compiler.types import ANY, TEXT, Type

HOSTED = "hosted"
"""What stands for the kind of a tool that runs at the model's side."""


def parse_chart(text: str) -> Chart:
    """Read a chart that ``print_chart`` wrote or a person wrote in its form.

    Args:
        text: The printed form: one chart, then its sub-charts.

    Returns:
        The chart. Only its form is checked here; ``verify`` says whether it is well-formed.

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
                line.fail("the root chart comes first and once, sub-charts follow it")
            drafts.append(_ChartDraft.opened_by(line))
        elif not drafts:
            line.fail("expected 'chart'")
        elif line.accept("agent"):
            drafts[-1].open(_AgentDraft.opened_by(line))
        elif line.accept("state"):
            drafts[-1].open(_StateDraft.opened_by(line))
        else:
            line.fail("expected 'agent', 'state' or 'subchart'")
        line.end()
    if not drafts:
        raise ChartSyntaxError("expected 'chart', found nothing", 1)
    root, *others = drafts
    return root.built(tuple(draft.built() for draft in others))


@dataclass(slots=True)
class _ChartDraft:
    name: str
    start: str
    initial: str
    declared: bool
    origin: Origin
    agents: list[_AgentDraft] = field(default_factory=list)
    states: list[_StateDraft] = field(default_factory=list)
    last: _AgentDraft | _StateDraft | None = None

    @classmethod
    def opened_by(cls, line: Line) -> _ChartDraft:
        name = line.word("the name of the chart")
        line.expect("start")
        start = line.word("the id of the start agent")
        line.expect("initial")
        initial = line.word("the id of the initial state")
        return cls(name, start, initial, line.accept("declared"), line.origin())

    def open(self, draft: _AgentDraft | _StateDraft) -> None:
        if isinstance(draft, _AgentDraft):
            self.agents.append(draft)
        else:
            self.states.append(draft)
        self.last = draft

    def member(self, line: Line) -> None:
        if self.last is None:
            line.fail("an agent or a state must be opened first")
        self.last.member(line)

    def built(self, charts: tuple[Chart, ...] = ()) -> Chart:
        agents = tuple(draft.built() for draft in self.agents)
        states = tuple(draft.built() for draft in self.states)
        return Chart(
            self.name,
            self.start,
            self.initial,
            agents,
            states,
            self.declared,
            charts,
            self.origin,
        )


@dataclass(slots=True)
class _AgentDraft:
    id: str
    name: str
    digest: str
    origin: Origin
    context: Type = ANY
    output: Type = TEXT
    tools: list[Tool] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    input_guardrails: list[Guardrail] = field(default_factory=list)
    output_guardrails: list[Guardrail] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    final: bool = True
    unseen: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    @classmethod
    def opened_by(cls, line: Line) -> _AgentDraft:
        id, name = line.word("the id of the agent"), line.word("the name of the agent")
        return cls(id, name, line.clause("digest"), line.origin())

    def member(self, line: Line) -> None:
        match line.word("a part of the agent"):
            case "context":
                self.context = line.type()
            case "output":
                self.output = line.type()
            case "tool":
                self.tools.append(_tool(line))
            case "handoff":
                self.handoffs.append(_handoff(line))
            case "input_guardrail":
                self.input_guardrails.append(_guardrail(line))
            case "output_guardrail":
                self.output_guardrails.append(_guardrail(line))
            case "stop":
                kind = line.choice(StopKind, "a way to stop")
                names = line.words("a tool name") if line.accept("of") else ()
                self.stop = Stop(kind, names, line.clause("by"))
            case "final":
                line.expect("never")
                self.final = False
            case "unseen":
                self.unseen.append(line.word("what was not seen"))
            case "allow":
                self.allowed = line.words("a rule")
            case other:
                line.fail(f"'{other}' is no part of an agent")

    def built(self) -> Agent:
        return Agent(
            self.id,
            self.name,
            self.context,
            self.output,
            tuple(self.tools),
            tuple(self.handoffs),
            tuple(self.input_guardrails),
            tuple(self.output_guardrails),
            self.stop,
            self.final,
            self.digest,
            tuple(self.unseen),
            self.origin,
            self.allowed,
        )


@dataclass(slots=True)
class _StateDraft:
    id: str
    kind: StateKind
    agent: str
    invokes: list[Invoke] = field(default_factory=list)
    offers: list[Invoke] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    @classmethod
    def opened_by(cls, line: Line) -> _StateDraft:
        id = line.word("the id of the state")
        return cls(id, line.choice(StateKind, "a kind of state"), line.clause("of"))

    def member(self, line: Line) -> None:
        match line.word("a part of the state"):
            case "invoke":
                self.invokes.append(_invoke(line))
            case "offer":
                self.offers.append(_invoke(line))
            case "on":
                self.transitions.append(_transition(line))
            case other:
                line.fail(f"'{other}' is no part of a state")

    def built(self) -> State:
        invokes, offers = tuple(self.invokes), tuple(self.offers)
        return State(self.id, self.kind, self.agent, invokes, offers, tuple(self.transitions))


def _tool(line: Line) -> Tool:
    symbol, name = line.word("the symbol of the tool"), line.word("the name of the tool")
    kind = None if line.accept(HOSTED) else line.choice(InvokeKind, "a kind of work")
    server, enabled = line.accept("server"), line.enabled()
    machine, digest, context = line.clause("runs"), line.clause("digest"), line.context()
    allowed, origin = line.allowed(), line.origin()
    return Tool(symbol, name, kind, enabled, machine, context, digest, origin, allowed, server)


def _handoff(line: Line) -> Handoff:
    symbol, name = line.word("the symbol of the handoff"), line.word("the name of the handoff")
    line.expect("->")
    target, target_name = line.word("the id of the target"), line.word("the name of the target")
    enabled, digest = line.enabled(), line.clause("digest")
    allowed, origin = line.allowed(), line.origin()
    return Handoff(symbol, name, target, target_name, enabled, digest, origin, allowed)


def _guardrail(line: Line) -> Guardrail:
    symbol, name = line.word("the symbol of the guardrail"), line.word("the guardrail's name")
    parallel, context = not line.accept("blocking"), line.context()
    allowed, origin = line.allowed(), line.origin()
    return Guardrail(symbol, name, parallel, context, origin, allowed)


def _invoke(line: Line) -> Invoke:
    symbol, kind = line.word("a symbol"), line.choice(InvokeKind, "a kind of work")
    machine, digest = line.clause("runs"), line.clause("digest")
    return Invoke(symbol, kind, machine, line.emits(), digest)


def _transition(line: Line) -> Transition:
    event, guard = line.choice(Event, "an event"), OTHERWISE
    if line.accept("when"):
        kind = line.choice(GuardKind, "a kind of guard")
        guard = Guard(kind, () if line.accept("->") else line.words("an operand of the guard"))
        if guard.names:
            line.expect("->")
    else:
        line.expect("->")
    return Transition(event, line.word("the id of the target"), guard, line.emits())
