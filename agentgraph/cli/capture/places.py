"""Where the imports of a file lead: its module name, and the folders that it imports from.

A file is imported as Python would: its own folder comes first, for a module of a package the folder
that holds the package. Then come the working folder and the project's root, each with its `src`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Place", "file_of_module", "place_of", "project_root"]

_ROOT_MARKS: Final = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


@dataclass(frozen=True, slots=True)
class Place:
    """How to import a file.

    Args:
        root: The folder below which its module name begins.
        module: The module name.
        folders: The folders to import from, in order.
    """

    root: Path
    module: str
    folders: tuple[Path, ...]


def place_of(file: Path, tree: ast.Module) -> Place:
    """How to import a file.

    Args:
        file: The file, as a whole path.
        tree: Its syntax tree: a file with relative imports is a module of the folders above it,
            even if they have no `__init__.py`.
    """
    parents = max(_levels(tree), default=0)
    root, parts = file.parent, [file.stem]
    while parents > 0 or _is_package(root):
        if root == root.parent:
            break
        parts.insert(0, root.name)
        root, parents = root.parent, parents - 1
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    around = (
        (root, file.parent) if root != file.parent and not _is_package(file.parent) else (root,)
    )
    folders = (*around, *search_folders(file))
    return Place(root, ".".join(parts), tuple(dict.fromkeys(folders)))


def search_folders(file: Path | None = None) -> Iterator[Path]:
    """The working folder and the root of a file's project, each with its `src`."""
    roots = [Path.cwd()]
    if file is not None and (root := project_root(file.parent)) is not None:
        roots.append(root)
    for root in roots:
        yield root
        if (root / "src").is_dir():
            yield root / "src"


def project_root(folder: Path) -> Path | None:
    """The nearest folder, from one upwards, that holds a project."""
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _ROOT_MARKS):
            return candidate
    return None


def file_of_module(name: str) -> Path | None:
    """The file of a module, such as `package.module`; nothing is imported to find it."""
    for folder in (*search_folders(), *(Path(entry) for entry in sys.path if entry)):
        stem = folder.joinpath(*name.split("."))
        for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _levels(tree: ast.Module) -> Iterator[int]:
    return (node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file() and folder.name.isidentifier()
