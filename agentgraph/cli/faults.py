"""What ends a command early, and the exit statuses.

A command returns its status; whatever keeps it from doing its work is a `CommandFault`, which
carries the words that the user sees. Only `ending` turns either into the end of the process.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CommandFault", "OutputClosed", "Status"]


class Status(IntEnum):
    """Exit statuses, the same for every command.

    `FOUND` is for what the command is there to tell: diagnostics of a check, a run that was
    stopped. `UNUSABLE` is for what kept it from its work: no such file, no such name.
    """

    DONE = 0
    FOUND = 1
    UNUSABLE = 2
    INTERRUPTED = 130
    """By Ctrl-C, as shells have it: 128 and the number of SIGINT."""
    PIPE_CLOSED = 141
    """Whoever read our output went away: 128 and the number of SIGPIPE."""


class CommandFault(Exception):
    """A command cannot do its work.

    Attributes:
        message: What is wrong, in a sentence.
        details: Lines to show before it as they are, such as a traceback.
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
    """Whoever read our output went away, so there is nobody to tell anything."""
