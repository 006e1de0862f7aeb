"""The terminal: two consoles, one theme, and how lines are laid out.

What a command is there to say goes to the standard output, what is said about it (progress,
warnings, faults) to the standard error. Colour is used only on a terminal and never where NO_COLOR
is set; that is rich's doing. Text that comes from models, tools and files is made printable first,
so that it cannot steer the terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from agentgraph.cli.faults import CommandFault, OutputClosed

__all__ = ["Terminal", "print_hanging", "printable", "progress", "say_fault"]

_THEME: Final = Theme(
    {
        "error": "bold red",
        "warning": "bold yellow",
        "note": "bold cyan",
        "help": "green",
        "place": "blue",
        "agent": "bold magenta",
        "tool": "yellow",
        "handoff": "cyan",
        "passed": "green",
        "quiet": "dim",
        "title": "bold",
    }
)

_NARROW: Final = 24
"""Columns that text needs beside its prefix; with fewer it stands below it."""

_CONTROLS: Final = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"]
_REVERSING: Final = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""They show what follows in another order, beyond the text that they stand in."""

_UNPRINTABLE: Final = (
    {code: f"\\x{code:02x}" for code in _CONTROLS}
    | {code: f"\\u{code:04x}" for code in _REVERSING}
    | {0x0D: None}
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command writes.

    Attributes:
        out: The standard output.
        err: The standard error.
    """

    out: Console
    err: Console

    @classmethod
    def of_process(cls) -> Terminal:
        """The terminal of this process, as its streams are now."""
        return cls(_console(sys.stdout), _console(sys.stderr))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise OutputClosed


def _console(stream: TextIO) -> Console:
    return _Console(file=stream, theme=_THEME, highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def progress(terminal: Terminal, what: str) -> Iterator[None]:
    """Tell on the standard error what is being done, as long as it is; only on a terminal."""
    if not terminal.err.is_terminal:
        yield
        return
    with terminal.err.status(Text(printable(what), "quiet")):
        yield


def printable(text: str) -> str:
    """Write control characters out, so that a text cannot move the cursor, change colours or turn
    the order of what stands around it."""
    return text.translate(_UNPRINTABLE)


def print_hanging(console: Console, prefix: Text, body: Text) -> None:
    """Print a prefix and a text; further lines of the text stand below its first.

    Args:
        console: Where to print. Lines are only broken on a terminal: what is piped somewhere is
            read by programs.
        prefix: What stands before the text, with the space between.
        body: The text, which may have line breaks.
    """
    indent = prefix.cell_len
    if not console.is_terminal:
        lines: Iterable[Text] = body.split(allow_blank=True)
    elif console.width - indent < _NARROW:
        console.print(prefix, soft_wrap=True)
        prefix, indent = Text("  "), 2
        lines = body.wrap(console, max(console.width - indent, 1))
    else:
        lines = body.wrap(console, console.width - indent)
    for line in lines:
        line.rstrip()
        console.print(prefix + line, soft_wrap=True)
        prefix = Text(" " * indent)


def say_fault(terminal: Terminal, fault: CommandFault) -> None:
    """Say on the standard error what keeps a command from its work."""
    console = terminal.err
    if fault.details:
        console.print(Text(printable(fault.details.rstrip("\n"))), soft_wrap=True)
    print_hanging(console, Text("error: ", "error"), Text(printable(fault.message)))
    if fault.help:
        print_hanging(console, Text("help: ", "help"), Text(printable(fault.help)))
