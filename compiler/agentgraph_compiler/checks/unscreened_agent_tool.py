"""An agent used as a tool gets a text that a model wrote, and nothing screens it.

## What it does

Looks at workflows whose first agent has input guardrails, and finds agents used as tools that have
tools of their own but no input guardrail, on a call that no tool guardrail screens either.

## Why is this bad?

Input guardrails check what the user wrote. The input of the inner run is written by a model, which
may repeat what it has read on a page or in a file, and the inner agent acts on it.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, function_tool, input_guardrail


@input_guardrail
def no_commands(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="sudo" in str(text))


@function_tool
def execute(command: str) -> str:
    "Execute a command."
    return command


operator = Agent(name="Operator", tools=[execute])
desk = Agent(
    name="Desk",
    tools=[operator.as_tool("operate", "Operate the machine.")],
    input_guardrails=[no_commands],
)
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, function_tool, input_guardrail


@input_guardrail
def no_commands(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="sudo" in str(text))


@function_tool
def execute(command: str) -> str:
    "Execute a command."
    return command


operator = Agent(name="Operator", tools=[execute], input_guardrails=[no_commands])
desk = Agent(
    name="Desk",
    tools=[operator.as_tool("operate", "Operate the machine.")],
    input_guardrails=[no_commands],
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Tool, is_allowed
from agentgraph_compiler.ir.obedience import callable_tools

RULE = Rule(
    "AG506",
    "unscreened-agent-tool",
    # The outer model may well be trusted with what it writes.
    Severity.NOTE,
    "An agent used as a tool gets a text that a model wrote, and nothing screens it.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find calls of agents that act on an input which nothing has screened."""
    chart = analysis.chart
    guarded = chart.agent[chart.start].input_guardrails
    if not guarded:
        return
    for _, agent, tool in analysis.agent_tools():
        if tool.handoff:  # the target is shown the conversation, whose input was screened
            continue
        inner = chart.subchart[tool.machine]
        first = inner.agent[inner.start]
        screened = tool.screened or first.input_guardrails
        if not screened and callable_tools(first) and not is_allowed(RULE, agent, tool, first):
            yield _unscreened(agent, tool, first)


def _unscreened(agent: Agent, tool: Tool, first: Agent) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"nothing screens the input of '{first.name}', which '{agent.name}' runs as its tool"
        f" '{tool.name}'",
        tool.origin,
        notes=(Note("input guardrails check what the user wrote, and a model writes this input"),),
        help=f"give '{first.name}' input_guardrails, or the tool tool_input_guardrails",
    )
