"""A file of the project as the source rules read it: its tree, its names, its runs.

The files of a project are the file of a command and the modules beside it that it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from agentgraph.cli.capture.imported_names import LibraryNames, library_names
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.source import SourceError, SourceText, read_source
from agentgraph.cli.capture.uses import WrittenRun, written_runs
from agentgraph.cli.capture.values import Values
from agentgraph_compiler.diagnostics import Origin

__all__ = ["HANDLERS", "Scope", "SourceFile", "called_name", "file_itself", "files_of"]

_WORDS: Final = ("Runner", "run_demo_loop", "Tripwire")
"""A module without any of them begins no run and handles none."""

_REPLACING: Final = "set_default_agent_runner"
_EXPECTATIONS: Final = frozenset({"assertRaises", "assertRaisesRegex", "raises"})
HANDLERS: Final = _EXPECTATIONS | {"suppress"}
"""Context managers that end an error."""

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
"""What has local variables and runs later than where it stands."""


@dataclass
class SourceFile:
    """A file of the project.

    Attributes:
        path: The file, as tracebacks name it.
        tree: Its syntax tree.
        names: The library's names in it.
        namespace: Its names, with the objects behind them.
        values: What its expressions stand for.
    """

    path: str
    tree: ast.Module = field(repr=False)
    names: LibraryNames = field(repr=False)
    namespace: Mapping[str, Any] = field(repr=False)
    values: Values = field(repr=False)

    @property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree."""
        return self.values.nodes

    @cached_property
    def runs(self) -> list[WrittenRun]:
        """The calls that begin a run, in the order of the file."""
        return list(written_runs(self.tree, self.names))

    def calls(self, method: str) -> Iterator[ast.Call]:
        """The calls of a method of `Runner`, unless the file gives it another runner."""
        if _REPLACING in self.calls_by_name:
            return
        for run in self.runs:
            if run.is_certain and run.method == method:
                yield run.call

    @cached_property
    def calls_by_name(self) -> Mapping[str, Sequence[ast.Call]]:
        """The calls of functions by their names."""
        calls: dict[str, list[ast.Call]] = {}
        for node in self.nodes:
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    calls.setdefault(name, []).append(node)
        return calls

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        parents = self._parents
        while (outer := parents.get(node)) is not None:
            yield outer
            node = outer

    def scope_of(self, node: ast.AST) -> Scope | None:
        """The function around a node; `None` at the top and directly in a class."""
        return next((one for one in self.around(node) if isinstance(one, Scope)), None)

    def must_raise(self, node: ast.AST) -> bool:
        """Whether a test expects an error where a node stands: `with pytest.raises(…)`."""
        return any(
            called_name(item.context_expr) in _EXPECTATIONS
            for outer in self.around(node)
            if isinstance(outer, ast.With | ast.AsyncWith)
            for item in outer.items
        )

    def origin(self, node: ast.expr | ast.stmt) -> Origin:
        """The line of a node."""
        return Origin(self.path, node.lineno)

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}


def called_name(expression: ast.expr) -> str:
    """The name of the function or method that an expression calls; empty if it calls none."""
    match expression:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
        case _:
            return ""


def file_itself(loaded: Loading) -> SourceFile:
    """The file of a command."""
    source = loaded.source
    made = _made(loaded, source.file)
    values = Values(source.tree, loaded.namespace, loaded.locals, made)
    return SourceFile(
        source.file, source.tree, names=loaded.names, namespace=loaded.namespace, values=values
    )


def files_of(loaded: Loading) -> list[SourceFile]:
    """The file of a command, then the modules of its project that it imports and that begin runs or
    handle their errors."""
    files = [file_itself(loaded)]
    for module in loaded.own_modules:
        source = _source_of(module)
        if source is None or source.file == loaded.source.file:
            continue
        values = Values(source.tree, vars(module), made=_made(loaded, source.file))
        names = library_names(source.tree, "agentgraph", "agents")
        files.append(
            SourceFile(source.file, source.tree, names=names, namespace=vars(module), values=values)
        )
    return files


def _made(loaded: Loading, file: str) -> dict[int, Any]:
    objects = loaded.recorder.objects
    return {one.origin.line: one.authored for one in objects if one.origin.file == file}


def _source_of(module: ModuleType) -> SourceText | None:
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(".py"):
        return None
    try:
        text = Path(file).read_text(encoding="utf-8")
        return read_source(Path(file), text) if any(word in text for word in _WORDS) else None
    except (OSError, ValueError, SourceError):  # Python has read the module in some other way
        return None
