"""The fenced code blocks of a Markdown document, with where they stand and what their fence says.

A fence may carry words after the language:

    continues   a Python block that goes on where the last one of the document ended
    printed     a text block that is, line by line, what the Python block above it prints
    raises=ERROR    a Python block that ends with this exception
    exit=N      a console block whose last command ends with status N
    types=A,B   a console block at whose last command a person types these lines
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```", re.M | re.S
)


REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Args:
        document: The file it stands in.
        line: Line of its first line of code, counted from 1.
        language: First word of the fence.
        words: The other words of the fence.
        text: The code.
    """

    document: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    def word(self, name: str) -> str | None:
        """What stands behind ``name=`` in the fence."""
        for word in self.words:
            key, equals, value = word.partition("=")
            if equals and key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and the output that the document shows for it."""

    words: str
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A Python block, and what the document says it prints if it says so."""

    code: Block
    printed: str | None


def all_blocks_of(document: Path) -> list[Block]:
    """The blocks of every language, in order."""
    text = document.read_text(encoding="utf-8")
    results = []
    for match in _FENCE.finditer(text):
        name, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start("body")) + 1
        results.append(Block(document, line, name, tuple(words), match["body"]))
    return results


def blocks_of(document: Path, language: str) -> list[Block]:
    """The blocks of one language, in order."""
    return [block for block in all_blocks_of(document) if block.language == language]


def programs_of(document: Path) -> list[Program]:
    """The Python blocks, each with the output that the document shows for it."""
    blocks = all_blocks_of(document)
    results = []
    for block, following in pairwise([*blocks, None]):
        if block is not None and block.language == "python":
            shown = following is not None and "printed" in following.words
            results.append(Program(block, following.text if following and shown else None))
    return results


def chapters_of(document: Path) -> list[list[Program]]:
    """The Python blocks, each with those that continue it."""
    chapters: list[list[Program]] = []
    for program in programs_of(document):
        if "continues" in program.code.words:
            chapters[-1].append(program)
        else:
            chapters.append([program])
    return chapters


def commands_of(block: Block) -> list[Command]:
    """The commands of a console block: lines that start with ``$``, with the lines below each."""
    commands: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:], ()))
        elif commands:
            last = commands[-1]
            commands[-1] = Command(last.words, (*last.output, line))
    return commands


def exit_status(block: Block) -> int:
    """The status with which the last command of a console block ends."""
    return int(block.word("exit") or 0)


def typed(block: Block) -> str:
    """What a person types at the last command of a console block."""
    lines = block.word("types")
    return "" if lines is None else "".join(f"{line}\n" for line in lines.split(","))
