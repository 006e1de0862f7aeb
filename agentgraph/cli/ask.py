"""Asking the person at the keyboard for a line."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from select import select

import typer
from rich.console import Console
from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.terminal import printable

__all__ = ["ask", "confirm", "is_interactive", "next_line"]


def is_interactive() -> bool:
    """Whether a person can answer: the standard input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(console: Console, question: str, *, fault: str) -> str:
    """Ask for a line. This blocks the event loop, if one runs.

    Args:
        console: Where to ask.
        question: The text before the cursor.
        fault: The message of the fault if the standard input is at its end.

    Returns:
        The line, without the spaces around it.

    Raises:
        CommandFault: The standard input is at its end, or the person pressed Ctrl-C.
    """
    # While asyncio handles SIGINT itself, Ctrl-C would wait for the end of the line.
    asyncio_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        console.print(Text(question, "title"), end="")
        if sys.stdin.isatty():
            _wait_for_a_line()
        answer = console.input().strip()
    except EOFError:
        error = CommandFault(fault, status=Status.FOUND)
    except KeyboardInterrupt:
        error = CommandFault("interrupted", status=Status.INTERRUPTED)
    else:
        if not sys.stdin.isatty():
            # A terminal echoes what the person types; for a file or pipe we do.
            console.print(Text(printable(answer)), soft_wrap=True)
        return answer
    finally:
        signal.signal(signal.SIGINT, asyncio_handler)
    console.print()
    raise error


async def next_line(console: Console, question: str) -> str | None:
    """Ask for a line while the event loop goes on, so that connections stay alive meanwhile.

    Args:
        console: Where to ask.
        question: The text before the cursor.

    Returns:
        The line, without the spaces around it; `None` at the end of the input.

    Raises:
        CommandFault: The person pressed Ctrl-C.
    """
    console.print(Text(question, "title"), end="")
    if sys.stdin.isatty() and sys.platform != "win32":
        await _line_typed()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        line, error = "", CommandFault("interrupted", status=Status.INTERRUPTED)
        raise error from None
    if not line:
        console.print()
        return None
    if not sys.stdin.isatty():
        console.print(Text(printable(line.rstrip("\n"))), soft_wrap=True)
    return line.strip()


async def _line_typed() -> None:
    """Wait until the terminal has a line.

    Raises:
        CommandFault: The person pressed Ctrl-C.
    """
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def settle(error: CommandFault | None = None) -> None:
        if ready.done():
            return
        if error is None:
            ready.set_result(None)
        else:
            ready.set_exception(error)

    fault = CommandFault("interrupted", status=Status.INTERRUPTED)
    previous = signal.signal(
        signal.SIGINT, lambda *_: loop.call_soon_threadsafe(settle, fault) and None
    )
    loop.add_reader(sys.stdin, settle)
    try:
        await ready
    finally:
        loop.remove_reader(sys.stdin)
        signal.signal(signal.SIGINT, previous)


def _wait_for_a_line() -> None:
    """Wait until the person has typed a line. A plain read would miss a Ctrl-C that comes after the
    question appears and just before the read begins.

    Raises:
        KeyboardInterrupt: The person pressed Ctrl-C.
    """
    if sys.platform == "win32":  # where select does not take a console
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    try:
        # A signal writes to the socket before its handler runs, so we never miss it.
        while sys.stdin not in select([sys.stdin, receiver], [], [])[0]:
            receiver.recv(64)
    finally:
        signal.set_wakeup_fd(previous)
        receiver.close()
        sender.close()


def confirm(question: str) -> None:
    """Ask before writing; the standard input answers.

    Raises:
        CommandFault: The answer is no, or the standard input is at its end.
    """
    typer.echo(printable(f"{question} [y/N] "), nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer:
        typer.echo(err=True)
        raise CommandFault(
            "there was no answer, so nothing was changed",
            help="give --yes to make the changes without a question",
        )
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandFault("nothing was changed", status=Status.FOUND)
