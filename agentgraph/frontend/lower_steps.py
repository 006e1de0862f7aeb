"""Lowering of the steps of a workflow: what the checks of edges and the machine need of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from agentgraph.frontend.branch_types import lower_branches, type_of_branches
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.digests import digest
from agentgraph.frontend.discover import Names
from agentgraph.frontend.domains import domain_of, values_of
from agentgraph.frontend.lower_types import nominal
from agentgraph.frontend.origins import allowed_on, origin_of
from agentgraph.frontend.readings import ChartReading
from agentgraph.frontend.scope import plain
from agentgraph.frontend.shapes import OUTPUT_TYPE
from agentgraph.frontend.step_reading import StepReading, end_beside_agents
from agentgraph.workflow.branches import Branches
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.declared import Case, Selector
from agentgraph.workflow.outputs import path_of, step_behind
from agentgraph.workflow.questions import QuestionStep
from agentgraph.workflow.steps import End, FunctionStep
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir import steps as ir
from agentgraph_compiler.ir.chart import Guardrail
from agentgraph_compiler.ir.steps import StepKind
from agentgraph_compiler.types import ANY, TEXT, Type


def lower_steps(
    part: ChartReading,
    ids: Sequence[str],
    step_ids: Sequence[str],
    declarations: Declarations,
    subcharts: Mapping[int, str],
    charts: Sequence[ChartReading],
) -> tuple[ir.Step, ...]:
    """Lower the steps of a chart.

    Args:
        part: The reading of the chart.
        ids: The ids of its agents.
        step_ids: The ids of its steps.
        declarations: Whether to leave out types and digests.
        subcharts: The names of the charts that branches run, by number.
        charts: The charts of the workflow, by number.
    """
    lowering = _Lowering(part, ids, step_ids, declarations, subcharts, charts)
    return tuple(lowering.step(number) for number in range(len(part.steps)))


def judges_of_run(part: ChartReading, declarations: Declarations) -> Iterator[Guardrail]:
    """The guardrails of the run on an output that leaves it from a function or by an end."""
    names = Names()
    for shape in part.outputs if end_beside_agents(part.steps) else ():
        declared = declarations.guardrail(shape)
        symbol = f"run/checks/{names.claim(declared.stem or 'output')}"
        yield replace(declared.declaration, symbol=symbol, of_run=True)


_MOST_WORDS = 40
"""The most characters of an end's text in its name."""


class _Lowering:
    def __init__(
        self,
        part: ChartReading,
        ids: Sequence[str],
        step_ids: Sequence[str],
        declarations: Declarations,
        subcharts: Mapping[int, str],
        charts: Sequence[ChartReading],
    ) -> None:
        self.subcharts, self.charts = subcharts, charts
        self.part, self.ids, self.step_ids = part, ids, step_ids
        self.bare, self.overrides = declarations.bare, declarations.overrides
        self.place = {id(read.part): number for number, read in enumerate(part.steps)}

    def step(self, number: int) -> ir.Step:
        read = self.part.steps[number]
        edges = read.edges
        on = None if edges is None else edges.on
        domain, fault, reads = None, "", ""
        if on is not None:
            source = read if on.step is None else self.step_of(on.step)
            domain, fault = domain_of(() if source is None else self.types(source), on)
            if on.step is not None:
                reads = self.id_of(on.step)
                fault = fault if reads else f"{on.words} is the output of no step of the workflow"
        return ir.Step(
            id=self.step_ids[number],
            name=plain(_name(read)),
            kind=_kind(read),
            agents=tuple(self.ids[one] for one in read.numbers),
            output=ANY if self.bare else self.output(read),
            on="" if on is None else plain(on.words),
            reads=reads,
            domain=domain,
            fault=fault,
            cases=() if edges is None else tuple(map(self.case, edges.cases)),
            origin=self.origin(read),
            ends=isinstance(read.part, End) and read.part.passes_on,
            digest="" if self.bare else _digest(read),
            takes=() if self.bare or read.function is None else tuple(_takes(read.function)),
            allowed=allowed_on(read.part),
            asks=plain(read.part.question) if isinstance(read.part, QuestionStep) else "",
            branches=lower_branches(
                read, self.subcharts, self.charts, self.before(read), bare=self.bare
            ),
            errors=tuple(self.case(one.case, one.paths) for one in read.errors),
            limits=read.part.words if isinstance(read.part, Budget) else "",
        )

    def case(self, case: Case, catches: tuple[str, ...] = ()) -> ir.Case:
        return ir.Case(
            label=plain(case.label),
            target=self.id_of(case.target),
            takes=values_of(case.keys) if case.keys and not catches else None,
            at_most=case.at_most or 0,
            exhausted="" if case.exhausted is None else self.id_of(case.exhausted),
            gives=tuple(self.id_of(step_behind(one)) for one in case.gives),
            carries=case.carries,
            unread=tuple(self.unread(case)),
            fields=any(path_of(one) for one in case.gives),
            catches=catches,
        )

    def before(self, read: StepReading) -> list[object]:
        """The types of the outputs with which plain edges lead to a step."""
        return [
            declared
            for one in self.part.steps
            for case in (() if one.edges is None else one.edges.cases)
            if case.target is read.part and not case.gives
            for declared in self.types(one)
        ]

    def unread(self, case: Case) -> Iterator[str]:
        """What the case gives that is not there."""
        for output in case.gives:
            source = self.step_of(step_behind(output))
            if source is None:
                yield repr(output)
            elif path_of(output):
                _, fault = domain_of(self.types(source), Selector(repr(output), path_of(output)))
                if fault:
                    yield fault

    def id_of(self, part: object) -> str:
        place = self.place.get(id(part))
        return "" if place is None else self.step_ids[place]

    def step_of(self, part: object) -> StepReading | None:
        place = self.place.get(id(part))
        return None if place is None else self.part.steps[place]

    def types(self, read: StepReading) -> list[object]:
        """The types of the outputs of a step, ``str`` for text."""
        if read.branches:
            return [type_of_branches(read)]
        if not read.numbers:
            return [] if isinstance(read.part, End) else [read.declared]
        types = [self.part.agents[number].shape.values[OUTPUT_TYPE] for number in read.numbers]
        return [str if declared is None else declared for declared in types]

    def output(self, read: StepReading) -> Type:
        """The one type of the outputs of a step; ``any`` for several."""
        types = [TEXT if one is str else nominal(one) for one in self.types(read)]
        return types[0] if len(set(types)) == 1 else ANY

    def origin(self, read: StepReading) -> Origin:
        if read.edges is not None:
            file, line = read.edges.origin
            return Origin(file, line)
        if isinstance(read.part, Branches):
            return Origin(*read.part.origin)
        return origin_of(read.part, self.overrides)


def _takes(function: FunctionStep) -> Iterator[Type]:
    for declared in function.takes:
        yield TEXT if declared is str else nominal(declared)


def _kind(read: StepReading) -> StepKind:
    if isinstance(read.part, End):
        return StepKind.END
    if isinstance(read.part, QuestionStep):
        return StepKind.QUESTION
    if isinstance(read.part, Budget):
        return StepKind.BUDGET
    if isinstance(read.part, Branches):
        return StepKind.EACH if read.part.each else StepKind.PARALLEL
    if read.branches:
        return StepKind.WORKFLOW
    return StepKind.AGENT if read.function is None else StepKind.FUNCTION


def _name(read: StepReading) -> str:
    """The name of a step; an end is told apart from others by its output."""
    if not isinstance(read.part, End) or read.part.passes_on:
        return read.name
    output = read.part.output
    if isinstance(output, str):
        words = output if len(output) <= _MOST_WORDS else f"{output[: _MOST_WORDS - 1]}…"
    else:
        words = repr(output) if isinstance(output, bool | int | None) else type(output).__name__
    return f"{read.name}: {words}"


def _digest(read: StepReading) -> str:
    """The digest of what the states do not show: the keys of cases, an end, a function."""
    keys = [
        (case.label, [repr(key) for key in case.keys], [repr(one) for one in case.gives])
        for case in (() if read.edges is None else read.edges.cases)
    ]
    on = None if read.edges is None or read.edges.on is None else read.edges.on.words
    what = read.name if read.function is not None else repr(read.part) if not read.numbers else ""
    what = read.part.words if isinstance(read.part, Budget) else what
    asked = (read.part.schema,) if isinstance(read.part, QuestionStep) else ()
    errors = [(one.case.label, one.paths, list(map(repr, one.case.gives))) for one in read.errors]
    return digest(keys, on, what, *asked, *errors)
