"""`Runner.run_sync` in an async function.

## What it does

Finds calls of `Runner.run_sync` that stand in an `async def`. A function inside it that runs in a
thread of its own is none.

## Why is this bad?

`run_sync` starts an event loop. In an async function one is running already, so the call raises
before the model is asked.

## Example

```python
from agentgraph import Agent, Runner

support = Agent(name="Support")


async def answer(question: str) -> str:
    result = Runner.run_sync(support, question)
    return str(result.final_output)
```

## Use instead

```python
from agentgraph import Agent, Runner

support = Agent(name="Support")


async def answer(question: str) -> str:
    result = await Runner.run(support, question)
    return str(result.final_output)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG910",
    "blocking-run-in-async-code",
    Severity.ERROR,
    "`Runner.run_sync` in an async function.",
)


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the calls of a file."""
    file = project.file
    for call in file.calls("run_sync"):
        scope = file.scope_of(call)
        if isinstance(scope, ast.AsyncFunctionDef) and not file.must_raise(call):
            yield Diagnostic(
                RULE,
                f"Runner.run_sync() in the async function '{scope.name}' always raises: an event"
                " loop is running there",
                file.origin(call),
                help="write 'await Runner.run(…)'",
            )
