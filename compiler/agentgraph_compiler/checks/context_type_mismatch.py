"""A part that expects another context than the workflow runs with.

## What it does

Compares the context types that agents, tools and guardrails declare (`Agent[Context]`,
`RunContextWrapper[Context]`, `ToolContext[Context]`), agents used as tools included. A run has one
context object, so it must fit all of them: they declare the same class, or one class is derived
from the other. A part that declares no context, or a protocol, fits every run.

## Why is this bad?

The run passes the context on as it is. A tool for another class fails with an `AttributeError` when
the model calls it for the first time, and the model only learns that the tool does not work.

## Example

```python
from agentgraph import Agent, RunContextWrapper, function_tool


class Customer:
    name = "Ada"


class Warehouse:
    shelves = 40


@function_tool
def free_shelves(context: RunContextWrapper[Warehouse]) -> int:
    "Count the shelves."
    return context.context.shelves


agent = Agent[Customer](name="Support", tools=[free_shelves])
```

## Use instead

```python
from agentgraph import Agent, RunContextWrapper, function_tool


class Warehouse:
    shelves = 40


class Customer:
    name = "Ada"
    warehouse = Warehouse()


@function_tool
def free_shelves(context: RunContextWrapper[Customer]) -> int:
    "Count the shelves."
    return context.context.warehouse.shelves


agent = Agent[Customer](name="Support", tools=[free_shelves])
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Origin, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Guardrail, Tool, is_allowed
from agentgraph_compiler.types import ANY, Type

RULE = Rule(
    "AG301",
    "context-type-mismatch",
    # Python does not check the class of an object, so no run is certain to fail.
    Severity.WARNING,
    "A part that expects another context than the workflow runs with.",
)


@dataclass(frozen=True, slots=True)
class _Declared:
    """A part that says which context it expects."""

    context: Type
    description: str
    origin: Origin
    parts: tuple[Agent | Tool | Guardrail, ...]


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find declared contexts that no single object fits, in time linear in the declarations."""
    reference: _Declared | None = None
    for declared in _declarations(analysis.chart):
        if reference is None or reference.context.name in declared.context.supertypes:
            reference = declared  # an object of the more special class fits both
        elif not declared.context.accepts(reference.context) and not is_allowed(
            RULE, *declared.parts
        ):
            yield _mismatch(declared, reference)


def _declarations(chart: Chart) -> Iterator[_Declared]:
    """The parts that declare a context: the start agent first, the others in document order."""
    start = chart.agent[chart.start]
    agents = {identity(start): start}
    for part in chart.walk():
        for agent in part.agents:
            agents.setdefault(identity(agent), agent)
    for agent in agents.values():
        if agent.context != ANY:
            yield _Declared(agent.context, f"agent '{agent.name}'", agent.origin, (agent,))
    for agent in agents.values():
        for tool in agent.tools:
            if tool.context != ANY:
                description = f"tool '{tool.name}' of agent '{agent.name}'"
                yield _Declared(tool.context, description, tool.origin, (agent, tool))
        for guardrail in (*agent.input_guardrails, *agent.output_guardrails):
            if guardrail.context != ANY:
                description = f"guardrail '{guardrail.name}' of agent '{agent.name}'"
                yield _Declared(
                    guardrail.context, description, guardrail.origin, (agent, guardrail)
                )


def _mismatch(declared: _Declared, reference: _Declared) -> Diagnostic:
    name = reference.context.name
    return Diagnostic(
        RULE,
        f"{declared.description} expects the context '{declared.context.name}', but the workflow"
        f" runs with '{name}'",
        declared.origin,
        notes=(
            Note(f"{reference.description} expects '{name}' here", reference.origin),
            Note("a run has one context object and passes it to every part"),
        ),
        help=f"write it for '{name}', or derive one class from the other",
    )
