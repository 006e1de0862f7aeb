"""Write the Python blocks of README and docs into files, for a type checker.

    python -m tests.docs.block_files FOLDER

A block and the blocks that continue it make one file. A program that ends with an exception is
wrong on purpose and is left out. Its lines keep their numbers, so that a
message names the line of the document. A program that awaits outside a function becomes the body of
one.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.docs.markdown_blocks import DOCUMENTS, REPOSITORY, Block, chapters_of

__all__ = ["program", "write"]


def write(folder: Path, documents: Iterable[Path] = DOCUMENTS) -> list[Path]:
    """Write one file for each program of each document.

    Args:
        folder: The folder; what it holds is removed first.
        documents: The documents, in the repository.

    Returns:
        The files.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for document in documents:
        stem = "_".join(document.relative_to(REPOSITORY).with_suffix("").parts)
        for chapter in chapters_of(document):
            blocks = [part.code for part in chapter]
            if any(block.word("raises") for block in blocks):
                continue
            file = folder / f"{stem.replace('-', '_')}_{blocks[0].line}.py"
            file.write_text(program(blocks), encoding="utf-8")
            files.append(file)
    return files


def program(blocks: Sequence[Block]) -> str:
    """Join blocks into one module in which every line has its number in the document."""
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.text.splitlines()
    if _awaits("\n".join(lines)):
        lines = [line and f"    {line}" for line in lines]
        lines[blocks[0].line - 2] = "async def document() -> None:"  # The line of the fence.
    return "\n".join(lines) + "\n"


def _awaits(text: str) -> bool:
    """Whether a program awaits outside its functions."""
    try:
        compile(text, "document", "exec", dont_inherit=True)
    except SyntaxError:
        return True
    return False


if __name__ == "__main__":
    write(Path(sys.argv[1]))
