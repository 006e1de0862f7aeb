"""The library's names in a file: what `Agent`, `agents.Agent` or `Bot` (imported as) stand for.

A file says `agentgraph`, or `agents` as programs for the published SDK do.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LibraryNames", "dotted", "library_names"]


@dataclass(frozen=True, slots=True)
class LibraryNames:
    """What the names of a file stand for in the library.

    Args:
        names: The public name by the name in the file.
        modules: The names under which the file imports the package itself.
        everything: Whether the file imports all public names.
        packages: The names of packages that mean the library in the file.
        own: The names that a function or a class of the file takes after the import.
    """

    names: Mapping[str, str]
    modules: frozenset[str]
    everything: bool = False
    packages: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()

    def public_name(self, expression: ast.expr) -> str | None:
        """The name of the library that an expression stands for: `Agent`, `Runner.run`."""
        if isinstance(expression, ast.Subscript):  # Agent[Context]
            return self.public_name(expression.value)
        first, _, rest = dotted(expression).partition(".")
        if not first or first in self.own:
            return None
        if first in self.modules:
            return rest or None
        name = self.names.get(first) or (first if self.everything else None)
        return f"{name}.{rest}" if name and rest else name


def library_names(tree: ast.Module, *packages: str) -> LibraryNames:
    """Read the imports of a file, wherever they stand.

    Args:
        tree: The syntax tree of the file.
        packages: The names of the package that mean the library in this file.
    """
    names: dict[str, str] = {}
    modules: set[str] = set()
    everything = False
    imported: dict[str, int] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0, names=aliases):
                if module.partition(".")[0] not in packages:
                    continue
                everything = everything or any(alias.name == "*" for alias in aliases)
                names.update((alias.asname or alias.name, alias.name) for alias in aliases)
                imported.update((alias.asname or alias.name, node.lineno) for alias in aliases)
            case ast.Import(names=aliases):
                modules.update(
                    alias.asname or alias.name for alias in aliases if alias.name in packages
                )
    own = {
        statement.name
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and statement.lineno > imported.get(statement.name, 0)
    }
    return LibraryNames(
        names, frozenset(modules), everything=everything, packages=packages, own=frozenset(own)
    )


def dotted(expression: ast.expr) -> str:
    """An expression of names and dots as text; empty for any other."""
    match expression:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            before = dotted(value)
            return f"{before}.{attribute}" if before else ""
        case _:
            return ""
