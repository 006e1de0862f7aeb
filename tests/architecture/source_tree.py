"""The source of both packages as the architecture tests read it: modules, imports, sizes.

Read by AST only, nothing is imported, so a broken module is still judged. An import counts wherever
it stands (module level, inside a function, under ``TYPE_CHECKING``); :class:`Import` says where.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = (REPOSITORY / "agentgraph", REPOSITORY / "compiler" / "agentgraph_compiler")
OURS = frozenset({"agentgraph", "agentgraph_compiler"})


class Place(Enum):
    """When an import runs."""

    MODULE = "at import time"
    FUNCTION = "inside a function"
    TYPE_CHECKING = "under TYPE_CHECKING"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full dotted name.

    ``target`` is a module of ours where the name denotes one, else what was written after
    ``import`` or ``from``.
    """

    target: str
    line: int
    place: Place

    @property
    def package(self) -> str:
        return self.target.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Module:
    """One source file."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return str(self.path.relative_to(REPOSITORY))


@cache
def modules() -> dict[str, Module]:
    """Every module of both packages by its dotted name."""
    results = {}
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            results[name] = Module(name, path, text, ast.parse(text, filename=str(path)))
    return results


def imports_of(module: Module, known: frozenset[str] | None = None) -> list[Import]:
    """Every import of a module: relative ones resolved, imported submodules by their own name.

    Args:
        module: The module to read.
        known: Names that denote modules; by default those of this repository.
    """
    names = frozenset(modules()) if known is None else known
    return [
        Import(target, node.lineno, place)
        for node, place in _placed(module.tree, Place.MODULE)
        for target in _targets(node, module, names)
    ]


def _placed(node: ast.AST, place: Place) -> Iterator[tuple[ast.stmt | ast.Call, Place]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.Call):
            yield child, place
        match child:
            case ast.If() if place is Place.MODULE and "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    yield from _placed(ast.Module([statement], []), Place.TYPE_CHECKING)
                for statement in child.orelse:
                    yield from _placed(ast.Module([statement], []), place)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _placed(child, Place.FUNCTION)
            case _:
                yield from _placed(child, place)


def _targets(node: ast.stmt | ast.Call, module: Module, known: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(names=names):
            source = _source(node, module)
            submodules = [
                f"{source}.{alias.name}" for alias in names if f"{source}.{alias.name}" in known
            ]
            yield from submodules
            if len(submodules) < len(names):
                yield source
        case ast.Call(args=[ast.Constant(value=str(target)), *_]) if _is_import_call(node):
            yield target
        case _:
            return


def _source(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    base = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*base, node.module] if node.module else base)


def _is_import_call(node: ast.Call) -> bool:
    return ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}


def functions_of(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
