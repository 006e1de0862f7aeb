"""Code reads a final output as a type that no run of the agent gives.

## What it does

Finds `result.final_output_as(T)` where `T` is none of the types with which a run of the agent can
end: the output types of all agents that can be last, and the types of tools that end a run
(`Program.output_type`). It says nothing where one of them is not known.

## Why is this bad?

`final_output_as` converts nothing. The value keeps its type, so the code after it fails where it
reads a field, and a type checker believes otherwise.

## Example

```python
from pydantic import BaseModel

from agentgraph import Agent, Runner


class Report(BaseModel):
    title: str


class Summary(BaseModel):
    text: str


writer = Agent(name="Writer", output_type=Report)


async def write(topic: str) -> str:
    result = await Runner.run(writer, topic)
    return result.final_output_as(Summary).text
```

## Use instead

```python
from pydantic import BaseModel

from agentgraph import Agent, Runner


class Report(BaseModel):
    title: str


writer = Agent(name="Writer", output_type=Report)


async def write(topic: str) -> str:
    result = await Runner.run(writer, topic)
    return result.final_output_as(Report).title
```
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.cli.capture.values import Function
from agentgraph.cli.source_rules.project import Project, is_allowed
from agentgraph.program import output_type_of
from agentgraph.workflow import Source
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG306",
    "wrong-final-output-type",
    Severity.WARNING,
    "Code reads a final output as a type that no run of the agent gives.",
)

_METHOD: Final = "final_output_as"
_HANDLERS: Final = "error_handlers"


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the conversions in a file."""
    file = project.file
    types: dict[int, list[type] | None] = {}
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=result, attr=attribute), args=[target, *_]) if (
                attribute == _METHOD
            ):
                yield from _findings(file, node, result, target, types)
            case _:
                pass


def _findings(
    file: SourceFile,
    node: ast.Call,
    result: ast.expr,
    target: ast.expr,
    types: dict[int, list[type] | None],
) -> Iterator[Diagnostic]:
    function = _function_around(file, node)
    targets = file.values.of(target, function)
    sources = _sources(file, result, function)
    if isinstance(target, ast.Name) and not targets:
        targets = [getattr(builtins, target.id, None)]
    if len(targets) != 1 or not isinstance(targets[0], type) or not sources:
        return
    ends: list[type] = []
    for source in sources:
        if id(source) not in types:
            types[id(source)] = _classes(source)
        classes = types[id(source)]
        if classes is None:
            return
        ends += classes
    if not any(_related(targets[0], end) for end in ends) and not is_allowed(RULE, *sources):
        yield _finding(file, node, targets[0], ends, sources)


def _sources(file: SourceFile, result: ast.expr, function: Function | None) -> list[Source]:
    """What the runs may start with whose result an expression is; empty if one is not known."""
    runs = _runs(file, result, function)
    sources: list[Source] = []
    for run in runs:
        handled = any(word.arg in (_HANDLERS, None) for word in run.call.keywords)
        starts = [as_source(one) for one in file.values.of(run.start, run.function)]
        if handled or not starts or None in starts:
            return []
        sources += [one for one in starts if one is not None]
    return sources


def _runs(file: SourceFile, result: ast.expr, function: Function | None) -> list[WrittenRun]:
    """The runs whose result an expression is: the call itself, or a variable of the function that
    holds nothing else."""
    if isinstance(result, ast.Await):
        return _runs(file, result.value, function)
    if isinstance(result, ast.Call):
        return [run for run in file.runs if run.is_certain and run.call is result]
    if not isinstance(result, ast.Name):
        return []
    runs: list[WrittenRun] = []
    for node in ast.walk(function or file.tree):
        if not isinstance(node, ast.Name) or node.id != result.id:
            continue
        if isinstance(node.ctx, ast.Load) or _function_around(file, node) is not function:
            continue
        value = next(file.around(node), None)
        if not isinstance(value, ast.Assign | ast.AnnAssign) or value.value is None:
            return []
        direct = not isinstance(value.value, ast.Name)
        assigned = _runs(file, value.value, function) if direct else []
        if not assigned:
            return []
        runs += assigned
    return runs


def _function_around(file: SourceFile, node: ast.AST) -> Function | None:
    return next((one for one in file.around(node) if isinstance(one, Function)), None)


def _classes(source: Source) -> list[type] | None:
    """The classes of the final outputs; `None` if one of them is not a class."""
    try:
        output = output_type_of(source)
    except Exception:  # noqa: BLE001 - a type that cannot be read is reported elsewhere
        return None
    parts = get_args(output) if get_origin(output) in (Union, UnionType) else (output,)
    classes = [get_origin(part) or part for part in parts]
    are_classes = all(isinstance(one, type) and one is not Any for one in classes)
    return classes if are_classes else None


def _related(one: type, other: type) -> bool:
    try:
        return issubclass(one, other) or issubclass(other, one)
    except TypeError:
        return True  # a protocol or a TypedDict says nothing about classes


def _finding(
    file: SourceFile,
    node: ast.Call,
    target: type,
    ends: Sequence[type],
    sources: Sequence[Source],
) -> Diagnostic:
    names = " | ".join(dict.fromkeys(one.__name__ for one in ends))
    agents = " or ".join(dict.fromkeys(f"'{one.name}'" for one in sources))
    return Diagnostic(
        RULE,
        f"the final output of {agents} is read as {target.__name__}, but it is {names}",
        file.origin(node),
        notes=(Note("final_output_as() converts nothing"),),
        help=f"read it as {names}, or give the agent output_type={target.__name__}",
    )
