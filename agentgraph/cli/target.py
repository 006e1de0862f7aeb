"""Targets: the meaning of `FILE` or `FILE:NAME` on the command line.

`FILE` is a Python file, a notebook, a module (`package.module`), or `-` for the standard input.
`NAME` is an expression of names, dots, constant keys, and calls with constant arguments:
`build(model="x")`, `Team().triage`, `agents["billing"]`.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentgraph.cli.capture.places import file_of_module
from agentgraph.cli.capture.source import STDIN
from agentgraph.cli.faults import CommandFault

__all__ = ["Target"]

_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A file, and optionally an expression for something in it.

    Args:
        path: The file; `-` for the standard input.
        name: The expression.
        text: The text of the standard input.
    """

    path: Path
    name: str | None = None
    text: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `FILE` or `FILE:NAME`.

        Raises:
            CommandFault: There is no such file.
        """
        path, name = _split(text)
        if str(path) == STDIN:
            return cls(path, name, sys.stdin.read())
        if path.is_dir():
            raise CommandFault(f"{path} is a folder", help="name the Python file with the agents")
        if not path.is_file():
            raise CommandFault(f"there is no file {path}", help=_similar_files(path))
        return cls(path, name)

    @property
    def file(self) -> str:
        """The file, as tracebacks and diagnostics name it."""
        return "<stdin>" if self.text is not None else str(self.path.resolve())

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else str(self.path)


def _split(text: str) -> tuple[Path, str | None]:
    if Path(text).exists() or text == STDIN:
        return Path(text), None
    for colon in (match.start() for match in re.finditer(":", text)):
        file, name = text[:colon], text[colon + 1 :]
        if not _is_expression(name):
            continue
        if Path(file).is_file() or file == STDIN:
            return Path(file), name
        if (module := _module_file(file)) is not None:
            return module, name
    if (module := _module_file(text)) is not None:
        return module, None
    file, colon_text, name = text.rpartition(":")
    return (
        (Path(file), name) if colon_text and file and _is_expression(name) else (Path(text), None)
    )


def _module_file(name: str) -> Path | None:
    return file_of_module(name) if _MODULE.fullmatch(name) else None


def _is_expression(text: str) -> bool:
    try:
        return _is_allowed(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        return False


def _is_allowed(node: ast.expr) -> bool:
    match node:
        case ast.Name():
            return True
        case ast.Attribute(value=value):
            return _is_allowed(value)
        case ast.Subscript(value=value, slice=key):
            return _is_allowed(value) and _is_constant(key)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            values = [*arguments, *(keyword.value for keyword in keywords)]
            named = all(keyword.arg for keyword in keywords)
            return _is_allowed(function) and named and all(map(_is_constant, values))
        case _:
            return False


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _similar_files(path: Path) -> str:
    with_ending = path.with_name(f"{path.name}.py")
    if with_ending.is_file():
        return f"there is {with_ending}"
    if path.parent.is_dir():
        here = path.parent == Path()
        return "" if here else f"the folder {path.parent} has no file with that name"
    return f"there is no folder {path.parent} either"
