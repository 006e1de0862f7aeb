"""The faults that end a command early, and the exit statuses.

A command returns its status. If it cannot do its work, it raises a `CommandFault` with the message
for the user. Only `ending` turns either into the end of the process.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CommandFault", "OutputClosed", "OutputFailed", "Status"]


class Status(IntEnum):
    """Exit statuses, the same for every command.

    `FOUND` means that the command has something bad to report: diagnostics of a check, a run that
    was stopped. `UNUSABLE` means that it could not do its work: no such file, no such name.
    """

    DONE = 0
    FOUND = 1
    UNUSABLE = 2
    INTERRUPTED = 130
    """By Ctrl-C, as in shells: 128 plus the number of SIGINT."""
    PIPE_CLOSED = 141
    """The reader of our output is gone: 128 plus the number of SIGPIPE."""


class CommandFault(Exception):
    """A command cannot do its work.

    Attributes:
        message: What is wrong, in a sentence.
        details: Lines to show unchanged before the message, such as a traceback.
        help: What to do; empty when there is nothing to add.
        status: The exit status.
    """

    def __init__(
        self,
        message: str,
        *,
        details: str = "",
        help: str = "",
        status: Status = Status.UNUSABLE,
    ) -> None:
        self.message = message
        self.details = details
        self.help = help
        self.status = status
        super().__init__(message)


class OutputClosed(Exception):
    """The reader of our output is gone, so the command need not say anything more."""


class OutputFailed(CommandFault):
    """An output takes nothing more, as on a full disk.

    Args:
        error: What the system said.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror or error}")
