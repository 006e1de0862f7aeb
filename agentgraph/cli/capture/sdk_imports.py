"""`from agents import …` means this library while a file is loaded.

A program for the published SDK is loaded as if it said `agentgraph`, whether the SDK is installed
or not: its own `Runner` would call models. A module or folder `agents` of the user stays what it
is, unless the file imports from it what only the library has.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

import agentgraph
from agentgraph.cli.capture.imported_names import LibraryNames, library_names

__all__ = ["sdk_means_this_library"]

_SDK: Final = "agents"
_OURS: Final = "agentgraph"
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_FILES_OF_THE_SDK: Final = ("run.py", "guardrail.py", "function_schema.py")
_PUBLIC: Final[frozenset[str]] = frozenset(vars(agentgraph)["__all__"])


@contextlib.contextmanager
def sdk_means_this_library(tree: ast.Module, file: Path) -> Iterator[LibraryNames]:
    """Let `agents` be this library, if it does not mean a module of the user.

    Args:
        tree: The syntax tree of the file that is loaded inside.
        file: That file.

    Yields:
        The library's names in the file.
    """
    if _means_a_module_of_the_user(tree, file):
        yield library_names(tree, _OURS)
        return
    before = {name for name in sys.modules if _is_of_the_sdk(name)}
    hidden = {name: sys.modules.pop(name) for name in before}
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield library_names(tree, _OURS, _SDK)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_of_the_sdk(name)]:
            del sys.modules[name]
        sys.modules.update(hidden)


class _Finder(MetaPathFinder):
    """Finds `agents` and its modules in this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_of_the_sdk(fullname):
            return None
        name = _OURS + fullname.removeprefix(_SDK)
        spec = find_spec(name)
        if spec is None:
            return None
        is_package = spec.submodule_search_locations is not None
        return ModuleSpec(fullname, _Alias(name), origin=spec.origin, is_package=is_package)


class _Alias(Loader):
    """Loads a module of this package under a second name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has given the module the spec of its second name.
        module.__spec__ = self._spec


def _is_of_the_sdk(name: str) -> bool:
    return name == _SDK or name.startswith(f"{_SDK}.")


def _means_a_module_of_the_user(tree: ast.Module, file: Path) -> bool:
    spec = PathFinder.find_spec(_SDK)
    if spec is None:
        return False
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    places = [*folders, *([Path(spec.origin)] if spec.origin else [])]
    if any(_INSTALLED & {*place.parts} for place in places):
        return False
    if any((folder / name).is_file() for folder in folders for name in _FILES_OF_THE_SDK):
        return False
    # A file called agents.py does not import from itself.
    if any(place == file for place in places):
        return False
    text = Path(spec.origin).read_text(errors="replace") if spec.origin else ""
    if re.search(rf"^\s*from {_SDK} import ", text, re.MULTILINE):
        return False  # it is called like the SDK and uses the SDK, as no module imports from itself
    return all(name in text for name in _public_names_from_the_sdk(tree))


def _public_names_from_the_sdk(tree: ast.Module) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == _SDK and not node.level
        for alias in node.names
        if alias.name in _PUBLIC
    }
