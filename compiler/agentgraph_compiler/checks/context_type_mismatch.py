"""A callable reads another context than the one that the workflow runs with.

## What it does

Compares the context types that callables expect (`RunContextWrapper[Context]`,
`ToolContext[Context]`): of tools and guardrails, dynamic instructions, hooks, `tool_use_behavior`,
`is_enabled`, `needs_approval`, `failure_error_function` and `on_handoff`, agents used as tools
included. A run has one context object: that of the start agent (`Agent[Context]`), or else the one
that the first callable expects. It must fit all of them: they expect the same class, or one class
is derived from the other or registered with it. A callable that expects no context or a protocol,
or that makes no use of it, fits every run, unless it reads an attribute that the class of the start
agent does not have.

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
        self.members = frozenset(agents[0].members)
        if self.members:
            readers = (reader for agent in agents for reader in agent.readers)
            self.members = self.members.union(*(reader.writes for reader in readers))

    def fits(self, agent: Agent, reader: Reader) -> bool:
        """Whether the context fits a callable. If the callable expects a more special class, an
        object of that class fits both, so it becomes the reference."""
        expected = reader.context
        if expected != ANY and (self.context == ANY or self.context.name in expected.supertypes):
            self.context, self.origin = expected, reader.origin
            self.words = f"{reader.what} of agent '{agent.name}'"
            self.members = frozenset()
        if expected in (ANY, self.context):
            return not self.missing(reader)
        has_all = bool(self.members and reader.reads) and self.members.issuperset(reader.reads)
        return expected.accepts(self.context) or (has_all and not reader.whole)

    def missing(self, reader: Reader) -> list[str]:
        """The attributes that a callable reads and the context does not have."""
        return [name for name in reader.reads if self.members and name not in self.members]


def _mismatch(
    agent: Agent, context: Type, readers: list[Reader], reference: _Reference
) -> Diagnostic:
    first, *others = readers
    callables = first.what if not others else f"{first.what} and {len(others)} more callables"
    verb = "reads" if not others else "read"
    origin: Origin = first.origin if not others else agent.origin
    name = reference.context.name
    names = list(dict.fromkeys(one for reader in readers for one in reference.missing(reader)))
    listed = " and ".join(f"'{one}'" for one in names[:3])
    if context in (ANY, reference.context):
        object_of = f"{verb} {listed} of the context, but '{name}' has no such attribute"
        remedy = f"add {listed} to '{name}', or read what it has"
    else:
        object_of = f"{verb} the context '{context.name}', but the workflow runs with '{name}'"
        remedy = f"write it for '{name}', or derive one class from the other"
    return Diagnostic(
        RULE,
        f"{callables} of agent '{agent.name}' {object_of}",
        origin,
        notes=(
            *(Note(f"{reader.what} reads it", reader.origin) for reader in readers if others),
            Note(f"{reference.words} expects '{name}' here", reference.origin),
            Note("a run has one context object and passes it to every part"),
        ),
        help=remedy,
    )
