"""How a command ends: with the status that it returns, or with that of the fault that stops it."""

from __future__ import annotations

import os
from collections.abc import Callable

import typer
from rich.text import Text

from agentgraph.cli.faults import CommandFault, OutputClosed, OutputFailed, Status
from agentgraph.cli.terminal import Terminal, say_fault

__all__ = ["end"]


def end(work: Callable[[Terminal], Status]) -> None:
    """Do a command's work and end the process with its status.

    Args:
        work: The command; gets the terminal and returns its exit status.
    """
    raise typer.Exit(_status(work, Terminal.of_process()))


def _status(work: Callable[[Terminal], Status], terminal: Terminal) -> Status:
    try:
        try:
            status = work(terminal)
            terminal.out.file.flush()
        except CommandFault as fault:
            if isinstance(fault, OutputFailed):
                _leave(1)
            say_fault(terminal, fault)
            return fault.status
        except KeyboardInterrupt:
            terminal.err.print(Text("interrupted", "warning"))
            return Status.INTERRUPTED
        except OutputClosed:
            _leave(1)
            return Status.PIPE_CLOSED
        else:
            return status
    except (OutputFailed, OutputClosed):
        # The standard error takes nothing either; only the status is left to tell.
        _leave(2)
        return Status.UNUSABLE


def _leave(descriptor: int) -> None:
    """Lead an output that cannot be written to nowhere, since Python flushes it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
