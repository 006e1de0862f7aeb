"""A change of a list that an agent shares with its clone.

## What it does

Finds a change in place, such as `copy.tools.append(…)`, after `copy = agent.clone(…)`, where the
clone did not get a list of its own.

## Why is this bad?

A clone is shallow: a list that is not replaced is the same list in both agents. The change reaches
the other agent too.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def refund(order: str) -> str:
    "Pay an order back."
    return order


support = Agent(name="Support")
senior = support.clone(name="Senior support")
senior.tools.append(refund)
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def refund(order: str) -> str:
    "Pay an order back."
    return order


support = Agent(name="Support")
senior = support.clone(name="Senior support", tools=[*support.tools, refund])
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from agentgraph.agent import Agent
from agentgraph.cli.capture.source_file import Scope, SourceFile
from agentgraph.cli.source_rules.project import Project
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG913",
    "list-shared-by-clone",
    Severity.WARNING,
    "A change of a list that an agent shares with its clone.",
)

_LISTS: Final = frozenset(
    {"handoffs", "input_guardrails", "mcp_servers", "output_guardrails", "tools"}
)
_CHANGES: Final = frozenset({"append", "clear", "extend", "insert", "pop", "remove"})


def check(project: Project) -> Iterator[Diagnostic]:
    """Find the changes in a file."""
    file = project.file
    for node in file.nodes:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=copy)],
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=original), attr="clone"), keywords=words
                ) as call,
            ) if copy != original and all(word.arg for word in words):
                if _is_of_an_agent(file, call):
                    shared = _LISTS - {str(word.arg) for word in words}
                    yield from _changes(file, node, (original, copy), shared)


def _is_of_an_agent(file: SourceFile, call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    scope = file.scope_of(call)
    function = None if isinstance(scope, ast.Lambda) else scope
    objects = file.values.of(call.func.value, function)
    return not objects or any(isinstance(one, Agent) for one in objects)


def _changes(
    file: SourceFile, clone: ast.Assign, names: tuple[str, str], shared: frozenset[str]
) -> Iterator[Diagnostic]:
    """The changes of a shared list after a clone, the first of each list."""
    statements = sorted(_statements(file.scope_of(clone) or file.tree), key=lambda one: one.lineno)
    left = set(shared)
    for statement in statements:
        if statement.lineno <= clone.lineno:
            continue
        for target in _assigned(statement):
            match target:
                case ast.Name(id=name) if name in names:
                    return  # from here on the name stands for another agent
                case ast.Attribute(value=ast.Name(id=name), attr=part) if name in names:
                    left.discard(part)
        changed = _changed(statement)
        if changed is not None and changed[0] in names and changed[1] in left:
            left.discard(changed[1])
            yield _finding(file, clone, statement, changed, names)


def _statements(scope: Scope | ast.Module) -> Iterator[ast.stmt]:
    """The statements of a scope, without those of functions inside it."""
    waiting: list[ast.AST] = [*ast.iter_child_nodes(scope)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scope):
            continue
        if isinstance(node, ast.stmt):
            yield node
        waiting += ast.iter_child_nodes(node)


def _assigned(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target) | ast.For(target=target):
            return [target]
        case _:
            return []


def _changed(statement: ast.stmt) -> tuple[str, str] | None:
    """The variable and the list that a statement changes in place."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=place, attr=change))) if (
            change in _CHANGES
        ):
            pass
        case ast.AugAssign(target=ast.Attribute() as place):
            pass
        case ast.Assign(targets=[ast.Subscript(value=place)]):
            pass
        case _:
            return None
    match place:
        case ast.Attribute(value=ast.Name(id=name), attr=part):
            return name, part
        case _:
            return None


def _finding(
    file: SourceFile,
    clone: ast.Assign,
    statement: ast.stmt,
    changed: tuple[str, str],
    names: tuple[str, str],
) -> Diagnostic:
    name, part = changed
    other = names[1] if name == names[0] else names[0]
    return Diagnostic(
        RULE,
        f"this changes '{part}' of '{other}' too: '{names[1]}' is a clone with the same list",
        file.origin(statement),
        notes=(Note("clone() copies no list", file.origin(clone)),),
        help=f"give the clone its own: '{names[0]}.clone(…, {part}=[*{names[0]}.{part}])'",
    )
