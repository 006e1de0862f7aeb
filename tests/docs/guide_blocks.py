"""The code in a guide that was saved as plain text, without fences.

A block is the longest run of lines that is Python, starts with something that only code starts
with, and defines or calls something. Prose between blocks does not parse, or is a bare word.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_STARTS_CODE = re.compile(
    r"(from \w[\w.]* import |import \w|async def |def |class \w+[:(]|@\w|\w+ = |# \w|print\()"
)
_PROSE = (ast.Name, ast.Tuple, ast.Compare, ast.BinOp, ast.Constant)


@dataclass(frozen=True, slots=True)
class GuideBlock:
    """One block of code and the line of the guide where it starts, counted from 1."""

    line: int
    code: str


def guide_blocks(text: str) -> Iterator[GuideBlock]:
    """The blocks of a guide, in order."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        end = _end_of_code(lines, at) if _STARTS_CODE.match(lines[at]) else at
        if end > at:
            yield GuideBlock(at + 1, "\n".join(lines[at:end]))
        at = max(end, at + 1)


def _end_of_code(lines: list[str], start: int) -> int:
    """Where the longest run of Python from a line ends; the line itself when there is none."""
    end = start
    for stop in range(start + 1, len(lines) + 1):
        following = lines[stop] if stop < len(lines) else ""
        if following.startswith((" ", "\t", ")", "]", "}")):
            continue
        body = _parse(lines[start:stop])
        if body is None:
            if stop - end > _LONGEST_STATEMENT:
                break
            continue
        if body and not _is_prose(body[-1]):
            end = stop
        elif body and _is_prose(body[-1]) and lines[stop - 1].strip():
            break
    return end


# A statement of the guide that spans more lines than this would be cut; none does.
_LONGEST_STATEMENT = 60


def _parse(lines: list[str]) -> list[ast.stmt] | None:
    try:
        module = compile(
            "\n".join(lines),
            "guide",
            "exec",
            ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST,
            dont_inherit=True,
        )
    except SyntaxError:
        return None
    assert isinstance(module, ast.Module)
    return module.body


def _is_prose(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, _PROSE)
