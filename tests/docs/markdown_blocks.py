"""The fenced code blocks of a Markdown document, with where they stand and what their fence says.

A fence may carry words after the language: ``continues`` (a Python block that goes on where the
last one of the document ended) and ``exit=N`` (a console block whose last command ends with N).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```", re.M | re.S
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


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and the output that the document shows for it."""

    words: str
    output: tuple[str, ...]


def blocks_of(document: Path, language: str) -> list[Block]:
    """The blocks of one language, in order."""
    text = document.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        name, *words = match["info"].split() or [""]
        if name == language:
            line = text.count("\n", 0, match.start("body")) + 1
            found.append(Block(document, line, name, tuple(words), match["body"]))
    return found


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
    for word in block.words:
        if word.startswith("exit="):
            return int(word.removeprefix("exit="))
    return 0
