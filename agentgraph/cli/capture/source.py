"""The source of a target: a Python file, a notebook, or the text of the standard input.

All three become one syntax tree whose line numbers are those of the file. A notebook's are the
lines of its JSON text, so that an editor and a code host find them. Its lines for the shell (`!`)
and for the notebook itself (`%`, `?`) are left out.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["STDIN", "SourceError", "SourceText", "main_blocks", "mentions_agents", "read_source"]

STDIN: Final = "-"
"""The target that stands for the standard input."""

_MAGIC: Final = re.compile(r"\s*[%!?]")
_ASSIGNED_MAGIC: Final = re.compile(r"\s*[\w, ]+=\s*[%!]")
_HELP: Final = re.compile(r"^[\w.]+\?+\s*$")
_PYTHON_CELLS: Final = frozenset({"%%time", "%%timeit", "%%capture", "%%prun"})
_MENTION: Final = re.compile(rb"\b(?:from|import)\s+(?:agents|agentgraph)\b")


class SourceError(Exception):
    """A file that is no Python source.

    Args:
        message: What is wrong with it.
        line: Where; 0 for the whole file.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file as a syntax tree.

    Args:
        file: The file, as tracebacks name it.
        tree: The tree.
        is_notebook: Whether `await` may stand at the top.
    """

    file: str
    tree: ast.Module = field(repr=False)
    is_notebook: bool = False


def mentions_agents(content: bytes) -> bool:
    """Whether a file imports the library, so that it can define agents at all."""
    return _MENTION.search(content) is not None


def read_source(path: Path, text: str | None = None) -> SourceText:
    """Read and parse a file.

    Args:
        path: The file.
        text: Its text, if it was read before.

    Raises:
        SourceError: The file is unreadable or is no Python.
    """
    try:
        content = path.read_bytes() if text is None else text.encode()
        if path.suffix == ".ipynb":
            return SourceText(str(path), _notebook(content.decode(), str(path)), is_notebook=True)
        return SourceText(str(path), ast.parse(content, filename=str(path)))
    except OSError as error:
        raise SourceError(error.strerror or str(error)) from error
    except SyntaxError as error:
        raise SourceError(f"SyntaxError: {error.msg}", error.lineno or 0) from error
    except (ValueError, RecursionError, SystemError) as error:
        # Python 3.11 raises SystemError where greenlets have changed its depth of recursion.
        raise SourceError(str(error)) from error


def main_blocks(tree: ast.Module) -> list[ast.stmt]:
    """The statements below `if __name__ == "__main__":` at the top of a file."""
    return [
        statement
        for block in tree.body
        if isinstance(block, ast.If) and _is_main_test(block.test)
        for statement in block.body
    ]


def _is_main_test(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            texts = {ast.unparse(left), ast.unparse(right)}
            return texts == {"__name__", "'__main__'"}
        case _:
            return False


def _notebook(text: str, file: str) -> ast.Module:
    """The code cells of a notebook in order, as one module."""
    body: list[ast.stmt] = []
    for lines, numbers in _cells(text):
        kept = _python_lines(lines)
        try:
            cell = ast.parse("".join(kept), filename=file)
        except SyntaxError as error:
            number = numbers[min(error.lineno or 1, len(numbers)) - 1]
            raise SourceError(f"SyntaxError: {error.msg}", number) from error
        body.extend(_renumbered(cell, numbers).body)
    return ast.Module(body, [])


def _cells(text: str) -> Iterator[tuple[list[str], list[int]]]:
    """The lines of each code cell, with their line numbers in the file."""
    notebook = json.loads(text)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise SourceError("no notebook: it has no list of cells")
    position = 0
    for cell in cells:
        source = cell.get("source", [])
        pieces = source.splitlines(keepends=True) if isinstance(source, str) else source
        numbers = []
        for piece in pieces:
            at = _position(text, piece, position)
            position = position if at < 0 else at
            numbers.append(text.count("\n", 0, position) + 1)
        if cell.get("cell_type") == "code" and pieces:
            yield list(pieces), numbers


def _position(text: str, piece: str, start: int) -> int:
    """Where a line of a cell stands in the JSON text, from a position on; -1 if it is not there."""
    written = (json.dumps(piece, ensure_ascii=False)[1:-1], json.dumps(piece)[1:-1])
    places = [text.find(form, start) for form in written]
    return min((place for place in places if place >= 0), default=-1)


def _python_lines(lines: list[str]) -> list[str]:
    first = lines[0].strip()
    if first.startswith("%%") and first.split()[0] not in _PYTHON_CELLS:
        return ["\n"] * len(lines)
    return [_python_line(line) for line in lines]


def _python_line(line: str) -> str:
    if _MAGIC.match(line) or _HELP.match(line):
        # A block may consist of such lines alone.
        return f"{line[: len(line) - len(line.lstrip())]}pass\n"
    if _ASSIGNED_MAGIC.match(line):
        return f"{line.partition('=')[0]}= None\n"
    return line


def _renumbered(cell: ast.Module, numbers: list[int]) -> ast.Module:
    for node in ast.walk(cell):
        if isinstance(node, ast.expr | ast.stmt | ast.ExceptHandler | ast.arg | ast.keyword):
            node.lineno = numbers[node.lineno - 1]
            if node.end_lineno is None or node.end_col_offset is None:
                continue
            node.end_lineno = numbers[min(node.end_lineno, len(numbers)) - 1]
            if node.end_lineno == node.lineno:  # a JSON text may be a single line
                node.end_col_offset = max(node.end_col_offset, node.col_offset)
    return cell
