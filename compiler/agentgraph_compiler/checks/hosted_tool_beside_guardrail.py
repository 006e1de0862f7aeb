"""A hosted tool can act while an input guardrail is still at work.

## What it does

Finds agents that runs start with, that have an input guardrail beside the first model call (the
default, `run_in_parallel=True`) and a hosted tool that acts: a hosted MCP server, a shell or a code
interpreter at the provider. Tools that only read (web search, file search) are no finding, nor is a
server whose every call needs an approval or that may only read (`allowed_tools` with `read_only`).

## Why is this bad?

A run holds back its own tools until every input guardrail has passed. A hosted tool runs at the
provider's side during the model call, so it has acted by the time the guardrail trips.

## Example

```python
from agentgraph import Agent, CodeInterpreterTool, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="4111" in str(text))


code = CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}})
desk = Agent(name="Desk", tools=[code], input_guardrails=[no_card_numbers])
```

## Use instead

```python
from agentgraph import Agent, CodeInterpreterTool, GuardrailFunctionOutput, input_guardrail


@input_guardrail(run_in_parallel=False)
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="4111" in str(text))


code = CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}})
desk = Agent(name="Desk", tools=[code], input_guardrails=[no_card_numbers])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Enabled, Guardrail, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind

RULE = Rule(
    "AG507",
    "hosted-tool-beside-guardrail",
    Severity.WARNING,
    "A hosted tool can act while an input guardrail is still at work.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find model calls beside a guardrail that a hosted tool can act in."""
    for part in analysis.parts:
        if not any(_acts(tool) for agent in part.agents for tool in agent.tools):
            continue
        beside: dict[str, str] = {}
        for state, lane in analysis.flow(part).lanes:
            if lane.kind is WorkKind.INPUT_GUARDRAIL and state.turns:
                beside.setdefault(state.agent, lane.symbol)
        for id, symbol in beside.items():
            agent = part.agent[id]
            guardrail = next(row for row in agent.input_guardrails if row.symbol == symbol)
            for tool in agent.tools:
                if _acts(tool) and not is_allowed(RULE, agent, tool, guardrail):
                    yield _beside(agent, tool, guardrail)
                    break


def _acts(tool: Tool) -> bool:
    return tool.acts and tool.enabled is not Enabled.NEVER


def _beside(agent: Agent, tool: Tool, guardrail: Guardrail) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"hosted tool '{tool.name}' of agent '{agent.name}' can act before input guardrail"
        f" '{guardrail.name}' has passed",
        agent.origin,
        notes=(
            Note("the provider runs the tool during the model call, so the run cannot hold it"),
            Note("the guardrail is defined here", guardrail.origin),
        ),
        help=f"let '{guardrail.name}' run first: run_in_parallel=False",
    )
