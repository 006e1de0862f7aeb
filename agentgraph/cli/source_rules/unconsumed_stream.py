"""A streamed run whose events are never read.

## What it does

Follows what `Runner.run_streamed` returns through the function that calls it. It reports a result
whose `stream_events()` is never called, one that is read before, and an `async for` over the result
itself. A result that is returned, stored or passed on is read elsewhere, so it is none.

## Why is this bad?

A streamed run goes on while its events are read. Without that `final_output` is still `None`, the
guardrails have not spoken, and an error of the run stays unseen. `async for` over the result itself
raises.

## Example

```python
from agentgraph import Agent, Runner

support = Agent(name="Support")


async def answer(question: str) -> str:
    result = Runner.run_streamed(support, question)
    return str(result.final_output)
```

## Use instead

```python
from agentgraph import Agent, Runner

support = Agent(name="Support")


async def answer(question: str) -> str:
    result = Runner.run_streamed(support, question)
    async for event in result.stream_events():
        print(event.type)
    return str(result.final_output)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG911",
    "unconsumed-stream",
    Severity.WARNING,
    "A streamed run whose events are never read.",
)

_RESULTS: Final = frozenset(
    {"final_output", "final_output_as", "new_items", "raw_responses", "to_input_list"}
)
"""What a result has only after its events were read."""
_FACTS: Final = frozenset({"current_agent", "current_turn", "input", "last_agent", "max_turns"})
"""What it has before, and reading it does not make the run go on."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_HELP: Final = "read them: 'async for event in result.stream_events()'"


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the streamed runs of a file that are not consumed."""
    file = project.file
    for call in file.calls("run_streamed"):
        if file.must_raise(call):
            continue
        place = next(file.around(call))
        match place:
            case ast.AsyncFor(iter=iterated) | ast.comprehension(iter=iterated, is_async=1) if (
                iterated is call
            ):
                yield _iterated(file, call)
            case ast.Expr():
                yield _never(file, call)
            case ast.Attribute(attr=attribute) if attribute in _RESULTS:
                yield _early(file, call, attribute)
            case (
                ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.NamedExpr(target=ast.Name(id=name))
            ):
                finding = _misused(file, call, name)
                if finding is not None:
                    yield finding


def _misused(file: SourceFile, call: ast.Call, name: str) -> Diagnostic | None:
    """The first misuse of a result that has a name."""
    early: tuple[ast.expr, str] | None = None
    for use in _uses(file, call, name):
        match next(file.around(use)):
            case ast.AsyncFor(iter=iterated) | ast.comprehension(iter=iterated, is_async=1) if (
                iterated is use
            ):
                return _iterated(file, use)
            case ast.Attribute(attr=attribute) if attribute in _RESULTS:
                if early is None and not _in_a_later_round(file, call, use):
                    early = use, attribute
            case ast.Attribute(attr=attribute) if attribute in _FACTS:
                continue
            case _ if early is None or file.scope_of(use) is not file.scope_of(call):
                return None  # it is consumed here, or somewhere else
            case ast.Attribute(attr="stream_events"):
                return _early(file, *early)
            case _:
                return None
    return _never(file, call)


def _uses(file: SourceFile, call: ast.Call, name: str) -> list[ast.Name]:
    """Where a variable is read, from its assignment to the next one, in the order of the file."""
    scope = file.scope_of(call) or file.tree
    nodes = [one for one in ast.walk(scope) if isinstance(one, ast.Name) and one.id == name]
    stores = [one.lineno for one in nodes if isinstance(one.ctx, ast.Store)]
    end = min((line for line in stores if line > call.lineno), default=None)
    loop = next((one for one in file.around(call) if isinstance(one, _LOOPS)), None)
    first = call.lineno if loop is None else loop.lineno
    inside = file.scope_of(call)
    reads = [
        one
        for one in nodes
        if isinstance(one.ctx, ast.Load)
        and (
            file.scope_of(one) is not inside
            or (first <= one.lineno and (not end or one.lineno <= end))
        )
        and call not in file.around(one)  # there it is the result of another run
    ]
    # In a loop what stands above the call comes after it.
    return sorted(reads, key=lambda one: (one.lineno < call.lineno, one.lineno, one.col_offset))


def _in_a_later_round(file: SourceFile, call: ast.Call, use: ast.Name) -> bool:
    """Whether a read may come after events that a loop reads in an earlier round."""
    loops = {one for one in file.around(call) if isinstance(one, _LOOPS)}
    return any(isinstance(one, _LOOPS) and one not in loops for one in file.around(use))


def _never(file: SourceFile, call: ast.Call) -> Diagnostic:
    message = "the events of this streamed run are never read, so it does not come to its end"
    return Diagnostic(RULE, message, file.origin(call), help=_HELP)


def _early(file: SourceFile, place: ast.expr, attribute: str) -> Diagnostic:
    message = f"'{attribute}' of a streamed run is read before its events, so it is not there yet"
    return Diagnostic(RULE, message, file.origin(place), help=_HELP)


def _iterated(file: SourceFile, place: ast.expr) -> Diagnostic:
    message = "'async for' over the result of a streamed run raises: the result is no iterator"
    return Diagnostic(RULE, message, file.origin(place), help=_HELP)
