"""A guardrail that is none, or one of the wrong kind.

## What it does

Reports functions without a decorator, and guardrails of the other kind, in `input_guardrails` and
`output_guardrails`.

## Why is this bad?

An input guardrail gets the input, an output guardrail the final output. In the wrong list it would
judge the wrong thing.

## Example

```python raises=AgentDefinitionError
from agentgraph import Agent, GuardrailFunctionOutput


def polite(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="stupid" in str(text))


agent = Agent(name="Support", input_guardrails=[polite])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def polite(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="stupid" in str(text))


agent = Agent(name="Support", input_guardrails=[polite])
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG904",
    "not-a-guardrail",
    Severity.ERROR,
    "A guardrail that is none, or one of the wrong kind.",
)
