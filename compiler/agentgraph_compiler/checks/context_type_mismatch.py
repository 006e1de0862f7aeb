"""A callable reads another context than the one that the workflow runs with.

## What it does

Compares the context types that callables expect (`RunContextWrapper[Context]`,
`ToolContext[Context]`): of tools and guardrails, dynamic instructions, hooks, `tool_use_behavior`,
`is_enabled`, `needs_approval`, `failure_error_function` and `on_handoff`, agents used as tools
included. A run has one context object: that of the start agent (`Agent[Context]`), or else the one
that the first callable expects. It must fit all of them: they expect the same class, or one class
is derived from the other or registered with it. A callable that expects no context or a protocol,
or that makes no use of it, fits every run.

## Why is this bad?

The run passes the context on as it is. A tool for another class fails with an `AttributeError` when
the model calls it for the first time, and the model only learns that the tool does not work. An
`is_enabled` for another class ends the run.

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

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Origin, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Reader, is_allowed
from agentgraph_compiler.types import ANY, Type

RULE = Rule(
    "AG301",
    "context-type-mismatch",
    # Python does not check the class of an object, so no run is certain to fail.
    Severity.WARNING,
    "A callable reads another context than the one that the workflow runs with.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find callables that the context does not fit, in time linear in the callables."""
    agents = list(_agents(analysis.chart))
    reference = _Reference(agents)
    for agent in agents:
        others: dict[Type, list[Reader]] = {}
        for reader in agent.readers:
            if not reference.fits(agent, reader) and not is_allowed(RULE, agent, reader):
                others.setdefault(reader.context, []).append(reader)
        for context, readers in others.items():
            yield _mismatch(agent, context, readers, reference)


def _agents(chart: Chart) -> Iterator[Agent]:
    """The agents, each once: the start agent first, the others in document order."""
    start = chart.agent[chart.start]
    agents = {identity(start): start}
    for part in chart.walk():
        for agent in part.agents:
            agents.setdefault(identity(agent), agent)
    return iter(agents.values())


class _Reference:
    """The context that the workflow runs with, and who says so.

    Args:
        agents: The start agent first.
    """

    def __init__(self, agents: list[Agent]) -> None:
        self.context = agents[0].context
        self.words, self.origin = f"agent '{agents[0].name}'", agents[0].origin

    def fits(self, agent: Agent, reader: Reader) -> bool:
        """Whether the context fits a callable. If the callable expects a more special class, an
        object of that class fits both, so it becomes the reference."""
        if self.context == ANY or self.context.name in reader.context.supertypes:
            self.context, self.origin = reader.context, reader.origin
            self.words = f"{reader.what} of agent '{agent.name}'"
        return reader.context.accepts(self.context)


def _mismatch(
    agent: Agent, context: Type, readers: list[Reader], reference: _Reference
) -> Diagnostic:
    first, *others = readers
    callables = first.what if not others else f"{first.what} and {len(others)} more callables"
    verb = "reads" if not others else "read"
    origin: Origin = first.origin if not others else agent.origin
    name = reference.context.name
    return Diagnostic(
        RULE,
        f"{callables} of agent '{agent.name}' {verb} the context '{context.name}', but the workflow"
        f" runs with '{name}'",
        origin,
        notes=(
            *(Note(f"{reader.what} reads it", reader.origin) for reader in readers if others),
            Note(f"{reference.words} expects '{name}' here", reference.origin),
            Note("a run has one context object and passes it to every part"),
        ),
        help=f"write it for '{name}', or derive one class from the other",
    )
