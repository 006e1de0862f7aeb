"""A value with many parts names them where it is built.

Fourteen arguments in a row cannot be checked by eye, and two of one type can change places unseen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from inspect import isclass

from tests.architecture.source_tree import OURS, Module, modules

MOST = 4
"""The most arguments without a name for a value of ours."""
MOST_OF_CHARTS = 3
"""The same for the parts of a chart and of a machine."""
CHARTS = frozenset({"ir.chart", "machine.table", "machine.whole"})


def constructions(module: Module) -> Iterator[tuple[int, type, int]]:
    """Line, class and number of unnamed arguments, wherever a module builds a value of ours."""
    names = vars(import_module(module.name))
    yield from _below(module.tree, names, None)


def _below(
    node: ast.AST, names: dict[str, object], within: str | None
) -> Iterator[tuple[int, type, int]]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.ClassDef) else within
        if isinstance(child, ast.Call):
            kind = _named(child.func, names, inside)
            if isclass(kind) and _is_a_value_of_ours(kind):
                yield child.lineno, kind, len(child.args)
        yield from _below(child, names, inside)


def _named(function: ast.expr, names: dict[str, object], within: str | None) -> object:
    match function:
        case ast.Name(id="cls") if within is not None:
            return names.get(within)
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return getattr(names.get(name), attribute, None)
    return None


def _is_a_value_of_ours(kind: type) -> bool:
    ours = kind.__module__.partition(".")[0] in OURS
    return ours and (is_dataclass(kind) or hasattr(kind, "_fields"))


def _most(kind: type) -> int:
    room = kind.__module__.removeprefix("agentgraph_compiler.")
    return MOST_OF_CHARTS if room in CHARTS else MOST


def test_a_value_with_many_parts_is_built_by_keyword() -> None:
    rows = [
        f"{module}:{line} {kind.__name__} has {count} arguments without a name"
        for module in modules().values()
        for line, kind, count in constructions(module)
        if count > _most(kind)
    ]
    assert rows == []


def test_constructions_are_seen_under_every_kind_of_name() -> None:
    whole = {name: list(constructions(module)) for name, module in modules().items()}
    seen = {(name, kind.__name__) for name, rows in whole.items() for _, kind, _ in rows}

    assert ("agentgraph_compiler.ir.builder", "Chart") in seen
    assert ("agentgraph.frontend.lower_agent", "Agent") in seen  # written chart.Agent
    assert ("agentgraph_compiler.ir.parser", "_ChartDraft") in seen  # written cls
