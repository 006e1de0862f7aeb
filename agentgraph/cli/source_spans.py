"""Places in source files: the lines of objects that do not record their own origin, and the columns
to underline.

Agents of the published SDK do not record where they were made. So this module matches their names
to the assignments of the file, and the entries of their lists to the elements in the source. The
origins are the same as those that our own objects record: the line on which the constructing
expression begins.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from agentgraph import InputGuardrail, OutputGuardrail
from agentgraph.frontend.discover import is_agent
from agentgraph_compiler.diagnostics import Origin

__all__ = ["Underlined", "origins_in", "parsed", "underlined"]

_LISTS: Final = ("handoffs", "tools", "input_guardrails", "output_guardrails")

Underlined = tuple[int, int]
"""The first column of a piece of a line, and the column after its end; counted from 0, in
characters."""


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file as it is now; an empty one if the file is unreadable or not valid
    Python."""
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError:
        return ast.Module([], [])


@lru_cache(maxsize=64)
def _parsed(path: Path, changed: int) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, SystemError, ValueError):
        return ast.Module([], [])


def origins_in(modules: Iterable[ModuleType]) -> dict[int, Origin]:
    """Find the authoring objects of modules in their source files.

    Args:
        modules: Modules with a source file.

    Returns:
        Origins by `id` of the object, for those that do not record their own.
    """
    origins: dict[int, Origin] = {}
    for module in modules:
        file = module.__file__
        if file is None:
            continue
        for authored, line in _objects(parsed(Path(file)).body, vars(module)):
            if getattr(authored, "_origin", None) is None:
                origins.setdefault(id(authored), Origin(file, line))
        for guardrail, place in _guardrails(vars(module).values()):
            if getattr(guardrail, "_origin", None) is None:
                origins.setdefault(id(guardrail), place)
    return origins


def _objects(body: Sequence[ast.stmt], namespace: dict[str, Any]) -> Iterator[tuple[Any, int]]:
    """Objects with the lines of the statements that made them. If several statements assign a name,
    the last one comes first."""
    for statement in reversed(body):
        match statement:
            case ast.Assign(targets=[*_, ast.Name(id=name)], value=value):
                yield from _made_by(value, namespace.get(name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield from _made_by(value, namespace.get(name))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = [statement.lineno, *(part.lineno for part in statement.decorator_list)]
                yield namespace.get(statement.name), min(lines)
            case ast.If(body=inner, orelse=other) | ast.Try(body=inner, orelse=other):
                yield from _objects([*inner, *other], namespace)
            case ast.With(body=inner):
                yield from _objects(inner, namespace)


def _guardrails(values: Iterable[Any]) -> Iterator[tuple[Any, Origin]]:
    """The guardrails of agents with the origins of their functions, for guardrails that no list in
    the source constructs."""
    for agent in values:
        if is_agent(agent) and not isinstance(agent, type):
            guardrails: tuple[InputGuardrail[Any] | OutputGuardrail[Any], ...]
            guardrails = (*agent.input_guardrails, *agent.output_guardrails)
            for guardrail in guardrails:
                code = getattr(guardrail.guardrail_function, "__code__", None)
                if code is not None:
                    yield guardrail, Origin(code.co_filename, code.co_firstlineno)


def _made_by(value: ast.expr, authored: object) -> Iterator[tuple[Any, int]]:
    if not isinstance(value, ast.Call) or authored is None:
        return
    yield authored, value.lineno
    if not is_agent(authored):
        return
    for keyword in value.keywords:
        if keyword.arg in _LISTS and isinstance(keyword.value, ast.List):
            yield from _elements(keyword.value.elts, getattr(authored, keyword.arg))


def _elements(elements: Sequence[ast.expr], entries: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    # Entries that the program adds later follow those in the source; after `*more` the positions
    # no longer match.
    for element, entry in zip(elements, entries, strict=False):
        if isinstance(element, ast.Starred):
            return
        if isinstance(element, ast.Call):
            yield entry, element.lineno


def underlined(origin: Origin) -> Underlined | None:
    """The piece of a line to underline for an origin: the outermost call that begins on the line,
    or a decorator, else the whole line.

    Args:
        origin: A place in a file.

    Returns:
        The columns, or `None` if the file has no such line.
    """
    line = linecache.getline(origin.file, origin.line).rstrip("\r\n")
    if not line.strip():
        return None
    if line.lstrip().startswith("@"):
        return len(line) - len(line.lstrip()), len(line.rstrip())
    calls = [
        node
        for node in ast.walk(parsed(Path(origin.file)))
        if isinstance(node, ast.Call) and node.lineno == origin.line
    ]
    if not calls:
        return len(line) - len(line.lstrip()), len(line.rstrip())
    first = min(calls, key=lambda call: (call.col_offset, -(call.end_lineno or 0)))
    end = first.end_col_offset if first.end_lineno == first.lineno else None
    encoded = line.encode()
    return (
        len(encoded[: first.col_offset].decode(errors="replace")),
        len(line.rstrip()) if end is None else len(encoded[:end].decode(errors="replace")),
    )
