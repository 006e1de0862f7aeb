"""A guardrail whose tripwire nothing in the project handles.

## What it does

Finds runs of agents with guardrails around which no `try` of the project handles
`InputGuardrailTripwireTriggered`, `OutputGuardrailTripwireTriggered` or an exception above them.

## Why is this bad?

It need not be: a web framework or a script may let the exception through. But a tripwire that was
meant to refuse politely ends the program with a traceback.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, Runner, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(None, tripwire_triggered="4111" in str(text))


billing = Agent(name="Billing", input_guardrails=[no_card_numbers])


def answer(question: str) -> str:
    return str(Runner.run_sync(billing, question).final_output)
```

## Use instead

```python
from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Runner,
    input_guardrail,
)


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(None, tripwire_triggered="4111" in str(text))


billing = Agent(name="Billing", input_guardrails=[no_card_numbers])


def answer(question: str) -> str:
    try:
        return str(Runner.run_sync(billing, question).final_output)
    except InputGuardrailTripwireTriggered:
        return "Please leave card numbers out."
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, Final

from agentgraph.cli.capture.kinds import as_source, is_workflow_source
from agentgraph.cli.capture.source_file import HANDLERS, SourceFile, called_name
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph.frontend.followed import agents_of_chart
from agentgraph.workflow import Source
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG918",
    "uncaught-tripwire",
    Severity.NOTE,
    "A guardrail whose tripwire nothing in the project handles.",
)

_EXCEPTIONS: Final = {
    "input": "InputGuardrailTripwireTriggered",
    "output": "OutputGuardrailTripwireTriggered",
}
_BROAD: Final = frozenset({"AgentsException", "BaseException", "Exception"})


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the runs of a project, one for each agent that runs start with and each kind."""
    handling = _Handling(project.files)
    seen: set[tuple[int, str]] = set()
    for file in project.files:
        for run in file.runs:
            is_chat = run.method == "run_demo_loop"
            if not run.is_certain or is_chat or handling.covers(run.call):
                continue
            for source in map(as_source, file.values.of(run.start, run.function)):
                if source is None:
                    continue
                for kind, guardrail in _guardrails(source):
                    if (id(source), kind) not in seen and not handling.mentions(kind):
                        seen.add((id(source), kind))
                        yield _finding(file, run.call, source, kind, guardrail)


def _guardrails(source: Source) -> Iterator[tuple[str, Any]]:
    """The first input guardrail and the first output guardrail that a run can meet."""
    start = source.start if is_workflow_source(source) else source
    agents = agents_of_chart(source).values()
    inputs = ((start, one) for one in start.input_guardrails)
    outputs = ((agent, one) for agent in agents for one in agent.output_guardrails)
    for kind, guardrails in (("input", inputs), ("output", outputs)):
        for agent, guardrail in guardrails:
            if not is_allowed(RULE, agent, guardrail):
                yield kind, guardrail
                break


class _Handling:
    """What the `try` statements of a project handle."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._named: set[str] = set()
        self._covered: set[ast.AST] = set()
        self._bodies: dict[str, list[ast.AST]] = {}
        handled = [node for file in files for node in self._read(file.nodes)]
        self._cover(handled)

    def _read(self, nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
        """Note the names and the functions of a file, and yield what stands in a broad `try`."""
        for node in nodes:
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    self._named.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self._bodies.setdefault(name, []).append(node)
                case ast.Try(body=body, handlers=handlers) if any(map(_is_broad, handlers)):
                    yield from body
                # `suppress(…)`, the `raises(…)` of a test and `gather(…, return_exceptions=True)`
                # handle without an `except`.
                case ast.With(items=items) | ast.AsyncWith(items=items) if any(
                    called_name(item.context_expr) in HANDLERS for item in items
                ):
                    yield node
                case ast.Call() if called_name(node) == "gather" and any(
                    word.arg == "return_exceptions" for word in node.keywords
                ):
                    yield node

    def _cover(self, waiting: list[ast.AST]) -> None:
        """Cover the calls below some nodes, and the functions of the project that they call."""
        while waiting:
            for node in ast.walk(waiting.pop()):
                if isinstance(node, ast.Call) and node not in self._covered:
                    self._covered.add(node)
                    waiting += self._bodies.pop(called_name(node), [])

    def covers(self, call: ast.Call) -> bool:
        """Whether a broad `except` is around a run, or around a call of its function."""
        return call in self._covered

    def mentions(self, kind: str) -> bool:
        """Whether the project names the exception of a kind of guardrail at all."""
        return _EXCEPTIONS[kind] in self._named or "GuardrailTripwireTriggered" in self._named


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(
        (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")) in _BROAD
        for node in ast.walk(handler.type)
    )


def _finding(
    file: SourceFile, call: ast.Call, source: Source, kind: str, guardrail: Any
) -> Diagnostic:
    name = guardrail.get_name()
    return Diagnostic(
        RULE,
        f"a run of '{source.name}' raises {_EXCEPTIONS[kind]} if guardrail '{name}' trips, and"
        " nothing handles it",
        file.origin(call),
        help=f"put the run in 'try', with 'except {_EXCEPTIONS[kind]}'",
    )
