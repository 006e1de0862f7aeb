"""The factories of a file: functions that make an agent, can be called without arguments, and that
the file itself did not call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.loading import Loading

__all__ = ["run_factories"]

_SOURCES = frozenset({"Agent", "Workflow", "Program", "compile"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def run_factories(loaded: Loading) -> list[object]:
    """Call each factory of a loaded file whose agents were not made yet, as an entry of its own.

    Returns:
        The results, so that they live as long as the caller needs them.
    """
    names = loaded.names
    results = []
    for function in loaded.source.tree.body:
        if not isinstance(function, _Function) or not _needs_no_arguments(function):
            continue
        if not _makes_an_agent(function, names) or _was_called(function, loaded):
            continue
        callee = loaded.namespace.get(function.name)
        if callable(callee):
            results.append(loaded.enter(f"{function.name}()", callee))
    return results


def _needs_no_arguments(function: _Function) -> bool:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    return len(positional) == len(arguments.defaults) and all(arguments.kw_defaults)


def _makes_an_agent(function: _Function, names: LibraryNames) -> bool:
    """Whether a function returns an agent that it makes, or is a `main` that makes one."""
    makes = {
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and _is_source(node.func, names)
    }
    if not makes or function.decorator_list:
        return False
    if function.name == "main":
        return True
    annotation = function.returns
    if annotation is not None:
        return any(
            isinstance(node, ast.Name | ast.Attribute) and _is_source(node, names)
            for node in ast.walk(annotation)
        )
    variables = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and node.value in makes
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(
        value in makes or (isinstance(value, ast.Name) and value.id in variables)
        for value in _returned(function)
    )


def _is_source(expression: ast.expr, names: LibraryNames) -> bool:
    return names.public_name(expression) in _SOURCES


def _returned(function: _Function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def _was_called(function: _Function, loaded: Loading) -> bool:
    last = function.end_lineno or function.lineno
    return any(
        one.origin.file == loaded.source.file and function.lineno <= one.origin.line <= last
        for one in loaded.recorder.objects
    )
