"""Targets: the meaning of `FILE` or `FILE:NAME` on the command line.

A target's file runs as Python would import it: its folder comes first on the path (for a module of
a package the folder that holds the package), and `if __name__ == "__main__"` code does not run.
Output of the file during the import goes to the standard error, so that the command's own output
stays clean. After use the file's own modules leave `sys.modules`, so that two files may have
modules with the same name.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.namespace import find_start, names_in
from agentgraph.cli.source_spans import origins_in
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.origins import Overrides
from agentgraph.program import Program

__all__ = ["Target", "Workload", "loaded"]

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A file, and optionally a name in it."""

    path: Path
    name: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `FILE` or `FILE:NAME`.

        Raises:
            CommandFault: There is no such file.
        """
        file, colon, name = text.rpartition(":")
        if Path(text).exists() or not colon or not _NAME.fullmatch(name) or not file:
            file, name = text, ""
        path = Path(file)
        if path.is_dir():
            raise CommandFault(f"{path} is a folder", help="name the Python file with the agents")
        if not path.is_file():
            raise CommandFault(f"there is no file {path}", help=_similar_files(path))
        return cls(path, name or None)

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else str(self.path)


@dataclass(frozen=True, slots=True)
class Workload:
    """The agent or workflow of a target.

    Attributes:
        target: The target.
        source: The agent or workflow.
        overrides: Origins of objects that do not record their own.
        namespace: The names of the file.
    """

    target: Target
    source: Any
    overrides: Overrides
    namespace: dict[str, Any]

    def named(self, name: str) -> Any:
        """The object behind a name of the file; for a function without arguments its result.

        Raises:
            CommandFault: The file has no such name, or the function failed.
        """
        return _resolved(self.namespace, Target(self.target.path, name))


@contextlib.contextmanager
def loaded(target: Target) -> Iterator[Workload]:
    """Import a target's file and find its agent or workflow.

    Args:
        target: The target.

    Yields:
        The workload; its modules stay in `sys.modules` while the context is open.

    Raises:
        CommandFault: The file cannot be imported, or it has no single agent or workflow to take.
    """
    path = target.path.resolve()
    root, module_name = _place(path)
    modules, search_path = dict(sys.modules), list(sys.path)
    sys.path.insert(0, str(root))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            namespace = vars(_import(target, path, module_name))
            source = _source(namespace, target)
        own = [sys.modules[name] for name in _own(modules, root, module_name)]
        yield Workload(target, source, origins_in(own), namespace)
    finally:
        sys.path[:] = search_path
        for name in _own(modules, root, module_name):
            del sys.modules[name]


def _place(path: Path) -> tuple[Path, str]:
    """The folder for the import path, and the module name of the file."""
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        parts.insert(0, root.name)
        root = root.parent
    name = ".".join(parts)
    # A file must not replace a loaded module with the same name.
    return root, name if name not in sys.modules else f"_{name}_of_agentgraph_cli"


def _import(target: Target, path: Path, name: str) -> ModuleType:
    try:
        if "." in name:
            importlib.import_module(name.rpartition(".")[0])
        loader = SourceFileLoader(name, str(path))
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
    except SystemExit as error:
        raise CommandFault(
            f"{target.path} ended the process during its import (status {error.code})",
            help='put code for the script alone under `if __name__ == "__main__":`',
        ) from error
    except Exception as error:
        raise CommandFault(
            f"{target.path} cannot be imported", details=own_traceback(error)
        ) from error
    return module


def _source(namespace: dict[str, Any], target: Target) -> Any:
    if target.name is None:
        return find_start(namespace, target.path)
    value = _resolved(namespace, target)
    if isinstance(value, Program):
        return value.source
    if is_agent(value) or is_workflow(value):
        return value
    raise CommandFault(
        f"{target} is neither an agent nor a workflow, but of type {type(value).__name__}",
        help=names_in(namespace),
    )


def _resolved(namespace: dict[str, Any], target: Target) -> Any:
    assert target.name is not None
    first, *rest = target.name.split(".")
    try:
        value = namespace[first]
        for attribute in rest:
            value = getattr(value, attribute)
    except (KeyError, AttributeError) as error:
        raise CommandFault(
            f"{target.path} has no name '{target.name}'", help=names_in(namespace)
        ) from error
    if inspect.isfunction(value):
        value = _call(value, target)
    return value


def _call(function: Any, target: Target) -> Any:
    parameters = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if parameters:
        raise CommandFault(
            f"{target} is a function that needs arguments: {', '.join(parameters)}",
            help="name a function that needs none",
        )
    if inspect.iscoroutinefunction(function):
        raise CommandFault(f"{target} is an async function", help="name one that is not async")
    try:
        return function()
    except Exception as error:
        raise CommandFault(f"{target}() failed", details=own_traceback(error)) from error


def _own(before: Mapping[str, ModuleType], root: Path, module_name: str) -> list[str]:
    """The modules that came with a file: itself, and new ones below its folder.

    Modules of a package that was loaded before do not belong to the file, wherever they are, nor do
    installed modules and those of Python itself.
    """
    return [
        name
        for name, module in sys.modules.items()
        if name == module_name
        or (
            name.partition(".")[0] not in {*before, *sys.stdlib_module_names}
            and _is_below(module, root)
        )
    ]


def _is_below(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    path = Path(file)
    return path.is_relative_to(root) and "site-packages" not in path.parts


def _similar_files(path: Path) -> str:
    with_ending = path.with_name(f"{path.name}.py")
    if with_ending.is_file():
        return f"there is {with_ending}"
    if path.parent.is_dir():
        here = path.parent == Path()
        return "" if here else f"the folder {path.parent} has no file with that name"
    return f"there is no folder {path.parent} either"
