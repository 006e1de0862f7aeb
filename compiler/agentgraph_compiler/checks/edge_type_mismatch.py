"""An edge gives a function a value of another type than it declares.

## What it does

Compares the output types of steps with the parameters of the functions that get them. After a
failure a function gets what the failed step had got, and that is compared, too. Unions, protocols,
fields of outputs and the input of a run are not compared.

## Why is this bad?

The function gets the value as it is and fails, or works on what it does not expect.

## Example

```python
from agentgraph import Agent, Workflow


def charge(euros: int) -> str:
    return f"{euros} euros"


clerk = Agent(name="Clerk")
workflow = Workflow("Charges", start=clerk)
workflow.then(clerk, charge)
```

## Use instead

```python
from agentgraph import Agent, Workflow


def charge(euros: int) -> str:
    return f"{euros} euros"


clerk = Agent(name="Clerk", output_type=int)
workflow = Workflow("Charges", start=clerk)
workflow.then(clerk, charge)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Case, Step, StepKind
from agentgraph_compiler.types import ANY, Type

RULE = Rule(
    "AG307",
    "edge-type-mismatch",
    Severity.WARNING,
    "An edge gives a function a value of another type than it declares.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find values that do not fit, in time linear in the edges."""
    chart = analysis.chart
    entering = _entering(chart)
    for step in chart.steps:
        for case in step.ways:
            for target, sources in _handed_over(chart, step, case, entering):
                if step.allows(RULE) or target.allows(RULE):
                    continue
                for source, name, takes in _taken(target, sources):
                    if not fits(source.output, takes):
                        yield Diagnostic(
                            RULE,
                            f"step '{name}' takes {takes.name}, but step"
                            f" '{source.name}' gives {source.output.name}",
                            step.origin,
                            notes=(Note(_edge(step, case)),),
                            help="give another output (give=…), or change the annotation",
                        )


def _taken(target: Step, sources: list[Step]) -> Iterator[tuple[Step, str, Type]]:
    """What the functions of a step take, each value with the step that gives it."""
    functions = [(target.name, target.takes)]
    if target.kind is StepKind.PARALLEL and target.branches is not None:
        functions += [(one.name, one.takes) for one in target.branches.branches]
    for name, types in functions:
        for source, takes in zip(sources, types, strict=False):
            yield source, name, takes


def _edge(step: Step, case: Case) -> str:
    if case.catches:
        return f"the edge after a failure of step '{step.name}' gives it"
    return f"the edge after step '{step.name}' gives it"


_Entering: TypeAlias = Mapping[str, list[tuple[Step, Case]]]
"""The edges that lead to each step, by its id, each with the step that it leaves."""


def _entering(chart: Chart) -> _Entering:
    entering: dict[str, list[tuple[Step, Case]]] = {step.id: [] for step in chart.steps}
    for step in chart.steps:
        for case in step.ways:
            for id in dict.fromkeys(case.targets):
                entering[id].append((step, case))
    return entering


def _handed_over(
    chart: Chart, step: Step, case: Case, entering: _Entering
) -> Iterator[tuple[Step, list[Step]]]:
    """The steps to which a case leads, each with the steps whose outputs it gets."""
    for id in case.targets:
        if id == case.target and case.fields:
            continue
        if id == case.target and any(case.gives):
            yield chart.step[id], [chart.step[one] for one in case.gives if one]
        elif not case.catches:
            yield chart.step[id], [step]
        elif id != step.id:
            yield from ((chart.step[id], sources) for sources in _got(chart, step, entering))


def _got(chart: Chart, failed: Step, entering: _Entering) -> Iterator[list[Step]]:
    """The steps whose outputs a step had got, once for each way to it."""
    seen, waiting = {failed.id}, [failed]
    while waiting:
        here = waiting.pop()
        for step, case in entering[here.id]:
            if here.id == case.target and (case.fields or any(case.gives)):
                if not case.fields:
                    yield [chart.step[id] for id in case.gives if id]
            elif not case.catches:
                yield [step]
            elif step.id not in seen:
                seen.add(step.id)
                waiting.append(step)


def fits(output: Type, takes: Type) -> bool:
    """Whether a value of one type can stand where another is declared."""
    if ANY in (output, takes) or output.name == takes.name:
        return True
    # Python takes a whole number for a float, too.
    return takes.name in output.supertypes or (output.name, takes.name) == ("int", "float")
