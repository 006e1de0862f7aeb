"""A tool ends the run with a value of another type than the agent's output type.

## What it does

Compares the return annotation of each tool that ends the run (`stop_on_first_tool`,
`StopAtTools`) with the `output_type` of the agent.

## Why is this bad?

The output of such a tool is the final output as it is: nothing converts or validates it. Code that
relies on the output type fails, if the run ends with a tool, and works if the model answers.

## Example

```python
from agentgraph import Agent, function_tool
from pydantic import BaseModel


class Report(BaseModel):
    title: str


@function_tool
def write_report(title: str) -> str:
    "Write the report."
    return title


agent = Agent(
    name="Writer",
    tools=[write_report],
    tool_use_behavior="stop_on_first_tool",
    output_type=Report,
)
```

## Use instead

```python
from agentgraph import Agent, function_tool
from pydantic import BaseModel


class Report(BaseModel):
    title: str


@function_tool
def write_report(title: str) -> Report:
    "Write the report."
    return Report(title=title)


agent = Agent(
    name="Writer",
    tools=[write_report],
    tool_use_behavior="stop_on_first_tool",
    output_type=Report,
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Enabled, StopKind, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import TEXT

RULE = Rule(
    "AG305",
    "stopping-tool-output-mismatch",
    Severity.WARNING,
    "A tool ends the run with a value of another type than the agent's output type.",
)
_BUILTIN = frozenset({"bool", "bytes", "dict", "float", "int", "list", "set", "tuple"})
"""Names of output types that have no module. Any other name without one is not that of a class."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find tools that end a run with another type, in time linear in the tools."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if agent.output == TEXT or not _is_class(agent.output.name):
                continue
            for tool in agent.tools:
                wrong = _ends_the_run(agent, tool) and not _fits(agent, tool)
                if wrong and not is_allowed(RULE, agent, tool):
                    yield _finding(agent, tool)


def _is_class(name: str) -> bool:
    return "[" not in name and ("." in name or name in _BUILTIN)


def _ends_the_run(agent: Agent, tool: Tool) -> bool:
    if tool.kind is not WorkKind.FUNCTION or tool.enabled is Enabled.NEVER:
        return False
    stop = agent.stop
    return stop.kind is StopKind.FIRST or (stop.kind is StopKind.NAMED and tool.name in stop.names)


def _fits(agent: Agent, tool: Tool) -> bool:
    # A function that declares a more general class may return the special one.
    return agent.output.fits(tool.returns) or tool.returns.name in agent.output.supertypes


def _finding(agent: Agent, tool: Tool) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"tool '{tool.name}' ends a run of agent '{agent.name}' with '{tool.returns.name}', but its"
        f" output_type is '{agent.output.name}'",
        tool.origin,
        notes=(
            Note("the output of the tool is the final output as it is"),
            Note(f"the agent has its output_type here: '{agent.output.name}'", agent.origin),
        ),
        help=f"return '{agent.output.name}' from the tool, or leave out the output_type",
    )
