"""How a command ends: with the status that it returns, or with that of the fault that stops it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer
from rich.text import Text

from agentgraph.cli.faults import CommandFault, OutputClosed, Status
from agentgraph.cli.terminal import Terminal, say_fault

__all__ = ["end"]


def end(work: Callable[[Terminal], Status]) -> None:
    """Do a command's work and end the process with its status.

    Args:
        work: The command; gets the terminal and returns its exit status.
    """
    terminal = Terminal.of_process()
    try:
        status = work(terminal)
        sys.stdout.flush()
    except CommandFault as fault:
        say_fault(terminal, fault)
        status = fault.status
    except KeyboardInterrupt:
        terminal.err.print(Text("interrupted", "warning"))
        status = Status.INTERRUPTED
    except (OutputClosed, BrokenPipeError):
        # Python flushes the output again at exit, so the descriptor must lead somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = Status.PIPE_CLOSED
    raise typer.Exit(status)
