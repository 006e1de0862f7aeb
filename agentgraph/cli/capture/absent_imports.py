"""Imports of what only the published SDK has, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agentgraph.authoring.absent_names import PAGE, anchor_of
from agentgraph.authoring.mistakes import not_in_agentgraph
from agentgraph.cli.capture.imported_names import LibraryNames
from agentgraph.cli.capture.source import SourceText
from agentgraph_compiler.diagnostics import Diagnostic, Note, Origin

__all__ = ["absent_imports"]


def absent_imports(source: SourceText, names: LibraryNames) -> dict[str, Diagnostic]:
    """The findings about imports at the top of a file, by the part of the SDK that they are of.

    Args:
        source: The file.
        names: The library's names in it.
    """
    findings: dict[str, Diagnostic] = {}
    for statement in source.tree.body:
        for package, path in _imported(statement, names):
            part = anchor_of(path)
            if part is not None and part not in findings:
                findings[part] = Diagnostic(
                    not_in_agentgraph.RULE,
                    f"the file imports '{package}.{path}', which agentgraph does not have",
                    Origin(source.file, statement.lineno),
                    notes=(Note("the import fails, so the file was read and did not run"),),
                    help=f"{PAGE}#{part} says what there is",
                )
    return findings


def _imported(statement: ast.stmt, names: LibraryNames) -> Iterator[tuple[str, str]]:
    """What a statement imports from the library: the name of the package, and the path below it."""
    match statement:
        case ast.ImportFrom(module=str(module), level=0, names=aliases):
            package, _, below = module.partition(".")
            if package in names.packages:
                paths = (f"{below}.{one.name}" if below else one.name for one in aliases)
                yield from ((package, path) for path in paths)
        case ast.Import(names=aliases):
            for one in aliases:
                package, _, below = one.name.partition(".")
                if package in names.packages and below:
                    yield package, below
