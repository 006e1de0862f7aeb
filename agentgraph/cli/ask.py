"""Asking the person at the keyboard for a line."""

from __future__ import annotations

import signal
import socket
import sys
from select import select

from rich.console import Console
from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.terminal import printable

__all__ = ["ask", "somebody_is_there"]


def somebody_is_there() -> bool:
    """Whether a person can be asked: both standard streams are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(console: Console, question: str, *, ended: str) -> str:
    """Ask for a line. The event loop, if one runs, waits for it, too.

    Args:
        console: Where to ask.
        question: What stands before the cursor.
        ended: What to say if there is no line any more.

    Returns:
        The line, without the spaces around it.

    Raises:
        CommandFault: The standard input is at its end, or Ctrl-C was pressed.
    """
    # While asyncio handles SIGINT itself, Ctrl-C would wait for the end of the line.
    asyncio_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        console.print(Text(question, "title"), end="")
        if sys.stdin.isatty():
            _wait_for_a_line()
        answer = console.input().strip()
    except EOFError:
        fault = CommandFault(ended, status=Status.FOUND)
    except KeyboardInterrupt:
        fault = CommandFault("interrupted", status=Status.INTERRUPTED)
    else:
        if not sys.stdin.isatty():
            # A terminal shows what is typed; of a file it is shown here.
            console.print(Text(printable(answer)), soft_wrap=True)
        return answer
    finally:
        signal.signal(signal.SIGINT, asyncio_handler)
    console.print()
    raise fault


def _wait_for_a_line() -> None:
    """Wait until a line was typed. Reading alone would sleep through a Ctrl-C that comes when the
    question stands there and the reading has not quite begun.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    if sys.platform == "win32":  # where a console is nothing to select from
        return
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    try:
        # A signal writes to the socket before its handler runs, so it is never missed.
        while sys.stdin not in select([sys.stdin, woken], [], [])[0]:
            woken.recv(64)
    finally:
        signal.set_wakeup_fd(before)
        woken.close()
        waking.close()
