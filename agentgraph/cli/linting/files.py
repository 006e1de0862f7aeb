"""The files that a check is about: single files, and those below folders and behind patterns."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentgraph.cli.capture.source import mentions_agents

__all__ = ["FileToCheck", "files_to_check", "matches"]

_ENDINGS: Final = frozenset({".py", ".ipynb"})
_LEFT_OUT: Final = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages"})
_PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class FileToCheck:
    """A target of a check.

    Args:
        text: The target, as on the command line.
        is_named: Whether the user named this file, and not only a folder or a pattern.
    """

    text: str
    is_named: bool = True

    @property
    def defines_no_agents(self) -> bool:
        """Whether the file was found in a folder and does not import the library, so that it is not
        loaded: a folder also holds scripts that have nothing to do with agents."""
        if self.is_named:
            return False
        try:
            return not mentions_agents(Path(self.text).read_bytes())
        except OSError:
            return False


def files_to_check(
    arguments: Sequence[str], exclude: Sequence[str] = (), root: str = "."
) -> list[FileToCheck]:
    """Read the arguments of a check.

    Args:
        arguments: Files, each with a name or without, folders, and patterns with `*`, `**`, `?`.
        exclude: Patterns of files and folders to leave out below folders.
        root: The folder from which the patterns begin.

    Returns:
        The files, each once: those of a folder sorted, without hidden folders, virtual environments
        and build products.

    Raises:
        CommandFault: A file is not there.
    """
    files: dict[str, FileToCheck] = {}
    for argument in arguments:
        for file in _files_behind(argument, exclude, root):
            files.setdefault(file.text, file)
    return list(files.values())


def matches(file: str, pattern: str, root: str = ".") -> bool:
    """Whether a path matches a pattern, as a whole from a folder, by its name, or below a folder
    that does."""
    relative = os.path.relpath(file, root)
    names = {relative.replace(os.sep, "/"), Path(file).name}
    folders = {parent.as_posix() for parent in Path(relative).parents}
    stripped = pattern.rstrip("/")
    return any(fnmatch.fnmatch(name, stripped) for name in names | folders) or stripped in {
        part for parent in Path(relative).parents for part in parent.parts
    }


def _files_behind(argument: str, exclude: Sequence[str], root: str) -> Iterator[FileToCheck]:
    path = Path(argument)
    if path.is_dir():
        for file in _below(path):
            if not any(matches(file, pattern, root) for pattern in exclude):
                yield FileToCheck(file, is_named=False)
    elif _PATTERN & {*argument} and not path.exists() and ":" not in argument:
        for match in sorted(glob.glob(argument, recursive=True)):
            if _is_source(Path(match)) and not any(matches(match, one, root) for one in exclude):
                yield FileToCheck(os.path.normpath(match), is_named=False)
    else:
        yield FileToCheck(argument)


def _below(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_searched(Path(place, name)))
        for file in sorted(files):
            if Path(file).suffix in _ENDINGS:
                yield os.path.normpath(os.path.join(place, file))


def _is_source(file: Path) -> bool:
    folders = [folder for folder in file.parents if folder.name]
    return file.suffix in _ENDINGS and all(map(_is_searched, folders))


def _is_searched(folder: Path) -> bool:
    name = folder.name
    return not (name.startswith(".") or name in _LEFT_OUT or (folder / "pyvenv.cfg").exists())
