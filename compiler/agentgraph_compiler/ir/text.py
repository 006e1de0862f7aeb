"""The printed form of a chart: ``parse_chart(print_chart(chart)) == chart`` for every chart.

One line says one thing. A line at the margin opens a chart, an agent, phases, the rows of a machine
or a state; the indented lines below belong to it. A lane that does one piece of work names that
kind of work; every other lane names the phases that it ``walks``. The root chart prints all phases,
each once. A word is printed bare where its characters allow it, otherwise as a JSON string; a name
is always a string. Default values are not printed. Lines that begin with ``#`` are remarks. The
parser is in ``ir/parser.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import (
    USUAL_TURNS,
    Agent,
    Approval,
    Chart,
    Choice,
    Enabled,
    Guardrail,
    Handoff,
    Inner,
    Reader,
    Stop,
    Tool,
)
from agentgraph_compiler.ir.lines import ChartSyntaxError, joined, quoted, type_term, word, words
from agentgraph_compiler.ir.parser import parse_chart
from agentgraph_compiler.ir.parts import HOSTED
from agentgraph_compiler.ir.step_lines import step_lines
from agentgraph_compiler.machine import (
    OTHERWISE,
    About,
    Emission,
    Event,
    Guard,
    Invoke,
    Move,
    Phase,
    PhaseNames,
    Premise,
    Rest,
    Source,
    State,
    Transition,
    plain,
)
from agentgraph_compiler.types import ANY, TEXT, Type

__all__ = ["ChartSyntaxError", "parse_chart", "print_chart"]


def print_chart(chart: Chart, *, origins: bool = True) -> str:
    """Print a chart and its sub-charts.

    Args:
        chart: The root chart.
        origins: Whether to print the place in the source of each part. Without origins the text
            does not depend on the folder of a program, which goldens need.

    Returns:
        The text, ending in a newline.

    Raises:
        ValueError: A sub-chart holds sub-charts of its own; they are flat.
    """
    nested = [part.name for part in chart.charts if part.charts]
    if nested:
        raise ValueError(f"sub-charts are flat, but '{nested[0]}' holds sub-charts of its own")
    printer = _Printer(origins, PhaseNames(_lanes_with_phases(chart)))
    lines = [line for part in chart.walk() for line in printer.chart(part, root=part is chart)]
    return "\n".join(lines) + "\n"


def _lanes_with_phases(chart: Chart) -> Iterator[Invoke]:
    """The lanes that do more than one piece of work."""
    for part in chart.walk():
        for state in part.states:
            for invoke in (*state.invokes, *state.offers):
                if not _is_plain(invoke):
                    yield invoke


def _is_plain(invoke: Invoke) -> bool:
    return bool(invoke.phases) and invoke.phases == plain(invoke.phases[0].kind)


def _enabled(enabled: Enabled) -> str:
    return "" if enabled is Enabled.ALWAYS else enabled.value


def _runs(machine: str) -> str:
    return f"runs {word(machine)}" if machine else ""


def _digest(digest: str) -> str:
    return f"digest {word(digest)}" if digest else ""


def _typed(keyword: str, term: Type) -> str:
    return "" if term == ANY else f"{keyword} {type_term(term)}"


def _described(description: str | None) -> str:
    return "" if description is None else f"described {quoted(description)}"


def _emits(emissions: tuple[Emission, ...]) -> str:
    return f"emits {', '.join(emissions)}" if emissions else ""


def _against(premise: Premise) -> str:
    return "" if premise is Premise.NONE else f"against {premise}"


def _guard(guard: Guard) -> str:
    return "" if guard == OTHERWISE else joined("when", guard.kind.value, words(guard.names))


class _Printer:
    def __init__(self, origins: bool, phases: PhaseNames) -> None:
        self.origins, self.phases = origins, phases

    def _at(self, origin: Origin) -> str:
        if not self.origins or origin == UNKNOWN:
            return ""
        return f"@ {word(origin.file)}:{origin.line}"

    def _tail(self, part: Tool | Handoff | Guardrail | Reader) -> str:
        """The end of the line of a part: its suppressed rules and its origin."""
        allow = f"allow {words(part.allowed)}" if part.allowed else ""
        return joined(allow, self._at(part.origin))

    def chart(self, chart: Chart, *, root: bool) -> Iterator[str]:
        """The lines of one chart, without its sub-charts."""
        if not root:
            yield ""
        yield joined(
            "chart" if root else "subchart",
            quoted(chart.name),
            f"start {word(chart.start)} initial {word(chart.initial)}",
            f"starts {words(chart.starts)}" if chart.starts else "",
            "multi_turn" if chart.multi_turn else "",
            "declared" if chart.declared else "",
            self._at(chart.origin),
        )
        yield from (self.guardrail("output_guardrail", row) for row in chart.output_guardrails)
        for agent in chart.agents:
            yield ""
            yield from self.agent(agent)
        for step in chart.steps:
            yield ""
            yield from step_lines(step, self._at)
        for name, phases in self.phases.table.items() if root else ():
            yield ""
            yield f"phases {word(name)}"
            for phase in phases:
                yield self.phase(phase)
                yield from map(self.move, phase.moves)
        if chart.rows:
            yield ""
            yield "rows"
            yield from map(self.transition, chart.rows)
        for state in chart.states:
            yield ""
            yield from self.state(state)

    def agent(self, agent: Agent) -> Iterator[str]:
        """The lines of one agent."""
        yield joined(
            "agent",
            word(agent.id),
            quoted(agent.name),
            _digest(agent.digest),
            self._at(agent.origin),
        )
        if agent.context != ANY:
            yield f"  context {type_term(agent.context)}"
        if agent.members:
            yield f"  members {words(agent.members)}"
        if agent.output != TEXT:
            yield f"  output {type_term(agent.output)}"
        if agent.schema:
            yield f"  schema {quoted(agent.schema)}"
        if agent.not_strict:
            yield f"  not_strict {quoted(agent.not_strict)}"
        yield from map(self.tool, agent.tools)
        yield from map(self.handoff, agent.handoffs)
        yield from (self.guardrail("input_guardrail", row) for row in agent.input_guardrails)
        yield from (self.guardrail("output_guardrail", row) for row in agent.output_guardrails)
        if agent.stop != Stop():
            names = f"of {words(agent.stop.names)}" if agent.stop.names else ""
            symbol = f"by {word(agent.stop.symbol)}" if agent.stop.symbol else ""
            yield joined("  stop", agent.stop.kind.value, names, symbol)
        if agent.choice != Choice():
            yield self.choice(agent.choice)
        yield from (f"  unseen {quoted(fact)}" for fact in agent.unseen)
        if agent.allowed:
            yield f"  allow {words(agent.allowed)}"
        if agent.tries:
            yield f"  tries {agent.tries}"
        if agent.single_call:
            yield "  single_call"
        if agent.identity:
            yield f"  identity {agent.identity}"
        yield from map(self.inner, agent.inner)
        yield from map(self.reader, agent.readers)
        if agent.instructions is not None:
            yield f"  instructions {quoted(agent.instructions)}"

    def choice(self, choice: Choice) -> str:
        """The line of a tool choice."""
        return joined(
            "  choice",
            choice.kind.value,
            f"of {words(choice.names)}" if choice.names else "",
            "" if choice.resets else "kept",
            "hosted" if choice.hosted else "",
        )

    def tool(self, tool: Tool) -> str:
        """The line of one tool."""
        return joined(
            "  tool",
            word(tool.symbol),
            quoted(tool.name),
            HOSTED if tool.kind is None else tool.kind.value,
            "server" if tool.server else "",
            "remote" if tool.remote else "",
            "acts" if tool.acts else "",
            _enabled(tool.enabled),
            _runs(tool.machine),
            "" if tool.turns == USUAL_TURNS else f"turns {tool.turns}",
            "" if tool.approval is Approval.NEVER else f"approval {tool.approval}",
            "screened" if tool.screened else "",
            "judged" if tool.judged else "",
            "extracts" if tool.extracts else "",
            "derived" if tool.derived else "",
            "handoff" if tool.handoff else "",
            _described(tool.description),
            _typed("returns", tool.returns),
            _digest(tool.digest),
            self._tail(tool),
        )

    def handoff(self, handoff: Handoff) -> str:
        """The line of one handoff."""
        return joined(
            "  handoff",
            word(handoff.symbol),
            quoted(handoff.name),
            "->",
            word(handoff.target),
            quoted(handoff.target_name),
            _enabled(handoff.enabled),
            "filters" if handoff.filters else "",
            "acts" if handoff.acts else "",
            "derived" if handoff.derived else "",
            _described(handoff.description),
            _typed("input", handoff.input),
            _typed("takes", handoff.takes),
            _digest(handoff.digest),
            self._tail(handoff),
        )

    def inner(self, inner: Inner) -> str:
        """The line of an agent that the code of a tool or guardrail runs."""
        certain = "certain" if inner.certain else ""
        name, place = quoted(inner.name), self._at(inner.origin)
        return joined("  inner", word(inner.symbol), "->", name, certain, place)

    def reader(self, reader: Reader) -> str:
        """The line of a callable that reads the context."""
        context = f"context {type_term(reader.context)}"
        return joined(
            "  reader",
            quoted(reader.what),
            context,
            f"reads {words(reader.reads)}" if reader.reads else "",
            f"writes {words(reader.writes)}" if reader.writes else "",
            "whole" if reader.whole else "",
            self._tail(reader),
        )

    def guardrail(self, keyword: str, guardrail: Guardrail) -> str:
        """The line of one guardrail."""
        return joined(
            f"  {keyword}",
            word(guardrail.symbol),
            quoted(guardrail.name),
            "" if guardrail.parallel else "blocking",
            "passes" if guardrail.passes else "",
            "of_run" if guardrail.of_run else "",
            self._tail(guardrail),
        )

    def state(self, state: State) -> Iterator[str]:
        """The lines of one state."""
        owner = f"of {word(state.agent)}" if state.agent else ""
        rest = "" if state.rest is Rest.NO else state.rest.value
        yield joined("state", word(state.id), state.kind.value, owner, rest)
        yield from (self.invoke("invoke", invoke) for invoke in state.invokes)
        yield from (self.invoke("offer", invoke) for invoke in state.offers)
        yield from map(self.transition, state.transitions)

    def phase(self, phase: Phase) -> str:
        """The line of one phase."""
        return joined(
            "  phase",
            word(phase.name),
            phase.kind.value,
            "" if phase.about is About.NOTHING else f"about {phase.about}",
            "boundary" if phase.boundary else "",
            "withholds" if phase.withholds else "",
            "" if phase.keep is None else f"keep {phase.keep}",
            _guard(phase.when),
        )

    def move(self, move: Move) -> str:
        """The line of one move, which belongs to the phase above it."""
        return joined(
            f"  on {move.event}",
            f"to {word(move.to)}" if move.to else "",
            "" if move.ends is None else f"ends {move.ends}",
            "keeps" if move.keeps else "",
        )

    def invoke(self, keyword: str, invoke: Invoke) -> str:
        """The line of one invoke or offer."""
        is_plain = _is_plain(invoke)
        return joined(
            f"  {keyword}",
            word(invoke.symbol),
            invoke.phases[0].kind.value if is_plain else f"walks {word(self.phases.of(invoke))}",
            _runs(invoke.machine),
            "stops" if invoke.stops else "",
            f"group {word(invoke.group)}" if invoke.group else "",
            f"places {invoke.places}" if invoke.places else "",
            f"tries {invoke.tries}" if invoke.tries else "",
            "turn" if invoke.turn else "",
            "" if invoke.idle is Event.DONE else f"idle {invoke.idle}",
            _digest(invoke.digest),
            _emits(invoke.emits),
            _against(invoke.against),
        )

    def transition(self, row: Transition) -> str:
        """The line of one transition."""
        return joined(
            f"  on {row.event}",
            _guard(row.guard),
            f"-> {word(row.target)}",
            _emits(row.emits),
            "" if row.output is Source.NONE else f"output {row.output}",
            "cause" if row.cause else "",
            f"arrives {word(row.arrives)}" if row.arrives else "",
            "keeps" if row.keeps else "",
            "visits" if row.visits else "",
            f"counts {word(row.counts)}" if row.counts else "",
            f"resets {words(row.resets)}" if row.resets else "",
            _against(row.against),
        )
