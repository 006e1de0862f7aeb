"""The terminal: two consoles, one theme, and the layout of lines.

The result of a command goes to the standard output; progress, warnings and faults go to the
standard error. rich uses colour only on a terminal and never if NO_COLOR is set. Text from models,
tools and files is made printable first, so that it cannot control the terminal. An output that
cannot be written is a fault of the command.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TextIO, cast

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from agentgraph.cli.faults import CommandFault, OutputClosed, OutputFailed

__all__ = [
    "Terminal",
    "counting",
    "print_hanging",
    "printable",
    "printable_json",
    "printable_name",
    "progress",
    "say_fault",
]

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
"""The least columns for text beside its prefix; with fewer, the text goes below the prefix."""

_CONTROLS: Final = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"]
_REVERSING: Final = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Characters that reverse the text after them, even beyond the end of their own text."""
_SEPARATORS: Final = [0x2028, 0x2029]
"""Characters at which some readers of lines break a line."""
_SURROGATES: Final = range(0xD800, 0xE000)
"""Halves of a pair; no output takes one alone."""

_BROKEN: Final = {code: f"\\u{code:04x}" for code in (*_REVERSING, *_SEPARATORS, *_SURROGATES)}
_UNPRINTABLE: Final = {code: f"\\x{code:02x}" for code in _CONTROLS} | _BROKEN | {0x0D: None}
_UNPRINTABLE_IN_JSON: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)} | _BROKEN
_UNPRINTABLE_IN_NAMES: Final = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


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

    def write(self, text: str) -> None:
        """Write a text for programs on the standard output, as it is.

        Raises:
            OutputClosed: The reader is gone.
            OutputFailed: The output takes nothing more.
        """
        self.out.file.write(text)
        self.out.file.flush()


class _Output:
    """A stream that raises our own exceptions if it cannot be written, so that no part of a command
    takes such an error for one of the user's code.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _own_faults():
            return self._stream.write(text)

    def flush(self) -> None:
        with _own_faults():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _own_faults() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputFailed(error) from error


def _console(stream: TextIO) -> Console:
    output = cast("TextIO", _Output(stream))
    return Console(file=output, theme=_THEME, highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def progress(terminal: Terminal, what: str) -> Iterator[None]:
    """Show on the standard error what the command does meanwhile; only on a terminal."""
    if not terminal.err.is_terminal:
        yield
        return
    with terminal.err.status(Text(printable(what), "quiet")):
        yield


@contextlib.contextmanager
def counting(terminal: Terminal, what: str) -> Iterator[Callable[[int], None]]:
    """Show on the standard error how far the command is; only on a terminal.

    Args:
        terminal: The terminal.
        what: What the command does.

    Yields:
        Shows how many are done.
    """
    if not terminal.err.is_terminal:
        yield lambda number: None
        return
    with terminal.err.status(Text(printable(what), "quiet")) as status:
        yield lambda number: status.update(Text(printable(f"{what}: {number:,}"), "quiet"))


def printable(text: str) -> str:
    """Escape control characters, so that a text cannot move the cursor, change colours or reverse
    the text around it."""
    return text.translate(_UNPRINTABLE)


def printable_name(name: str) -> str:
    """Escape a name so that it is printable and stays on its line."""
    return printable(name.translate(_UNPRINTABLE_IN_NAMES))


def printable_json(text: str) -> str:
    """Escape in a JSON text what JSON itself allows but a terminal obeys; a reader of the JSON gets
    the same values."""
    return text.translate(_UNPRINTABLE_IN_JSON)


def print_hanging(console: Console, prefix: Text, body: Text) -> None:
    """Print a prefix and a text; further lines of the text are indented by the prefix.

    Args:
        console: Where to print. Only a terminal breaks lines: programs read what goes into a pipe.
        prefix: The prefix, with the space after it.
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
    """Say on the standard error why a command cannot do its work."""
    console = terminal.err
    if fault.details:
        console.print(Text(printable(fault.details.rstrip("\n"))), soft_wrap=True)
    print_hanging(console, Text("error: ", "error"), Text(printable(fault.message)))
    if fault.help:
        print_hanging(console, Text("help: ", "help"), Text(printable(fault.help)))
