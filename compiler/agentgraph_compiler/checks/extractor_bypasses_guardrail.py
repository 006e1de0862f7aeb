"""An extractor makes the output of a tool, and output guardrails check another text.

## What it does

Finds agents used as tools with a `custom_output_extractor` whose agents have output guardrails.

## Why is this bad?

Output guardrails check the final output of the inner run. The extractor may take the output of the
tool from anywhere in that run, such as a message before the last or the result of a tool, and
nothing checks that.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


async def all_words(result):
    return " ".join(str(item.raw_item) for item in result.new_items)


bank = Agent(name="Bank", output_guardrails=[no_account_numbers])
ask = bank.as_tool("ask_bank", "Ask the bank.", custom_output_extractor=all_words)
desk = Agent(name="Desk", tools=[ask])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


bank = Agent(name="Bank", output_guardrails=[no_account_numbers])
desk = Agent(name="Desk", tools=[bank.as_tool("ask_bank", "Ask the bank.")])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Tool, is_allowed

RULE = Rule(
    "AG505",
    "extractor-bypasses-guardrail",
    Severity.WARNING,
    "An extractor makes the output of a tool, and output guardrails check another text.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find tools with an extractor in the calls that a run can make."""
    for _, agent, tool in analysis.agent_tools():
        if not tool.extracts or tool.judged or is_allowed(RULE, agent, tool):
            continue
        inner = analysis.chart.subchart[tool.machine]
        for last in inner.agents:
            if last.output_guardrails and last.id in analysis.flow(inner).last_agents:
                yield _bypassed(agent, tool, last)
                break


def _bypassed(agent: Agent, tool: Tool, last: Agent) -> Diagnostic:
    guardrail = last.output_guardrails[0]
    return Diagnostic(
        RULE,
        f"the output of tool '{tool.name}' of agent '{agent.name}' bypasses the output guardrail"
        f" '{guardrail.name}' of '{last.name}': an extractor makes it",
        tool.origin,
        notes=(
            Note(f"'{guardrail.name}' checks the final output of the inner run", guardrail.origin),
        ),
        help="leave out custom_output_extractor, or check the tool with tool_output_guardrails",
    )
