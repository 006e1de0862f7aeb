"""What a file may not do while it is loaded: open connections and start processes.

Python announces both as audit events before they happen. An audit hook cannot be removed, so there
is one in a process, which refuses only while a file is loaded. Code below Python, such as a client
written in C, announces nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Refused", "allow_connections_and_processes", "refuse_connections_and_processes"]

_CONNECTIONS: Final = {
    "socket.bind": "listening on {1}",
    "socket.connect": "a connection to {1}",
    "socket.getaddrinfo": "looking up {0}",
    "socket.gethostbyaddr": "looking up {0}",
    "socket.gethostbyname": "looking up {0}",
    "socket.sendmsg": "sending to {1}",
    "socket.sendto": "sending to {1}",
}
_PROCESSES: Final = {
    "_winapi.CreateProcess": "the process {1}",
    "os.exec": "the process {0}",
    "os.fork": "a fork",
    "os.forkpty": "a fork",
    "os.posix_spawn": "the process {0}",
    "os.spawn": "the process {1}",
    "os.startfile": "the process {0}",
    "os.startfile/2": "the process {0}",
    "os.system": "the command {0}",
    "subprocess.Popen": "the process {0}",
}
_EVENTS: Final = _CONNECTIONS | _PROCESSES
# multiprocessing starts processes with a function that announces nothing.
_IMPORTS: Final = frozenset(
    {"multiprocessing.popen_forkserver", "multiprocessing.popen_spawn_posix"}
)


class Refused(PermissionError):
    """A file tried what it may not do. Programs that can work offline handle an ``OSError``."""


class _Hook:
    """The audit hook of this process."""

    def __init__(self) -> None:
        self.is_installed = False
        self.note: Callable[[str], None] | None = None

    def refuse(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse an event if a file is being loaded."""
        note = self.note
        if note is None:
            return
        words = _EVENTS.get(event)
        if words is not None:
            action = words.format(*map(_text, arguments))
        elif event == "import" and arguments[0] in _IMPORTS:
            action = "a process of multiprocessing"
        else:
            return
        note(action)
        raise Refused(f"{action} is refused while the file is loaded (--allow-network allows it)")


_HOOK: Final = _Hook()


def refuse_connections_and_processes(note: Callable[[str], None]) -> None:
    """Refuse all connections and processes from now on, in this whole process.

    Args:
        note: Called with each refused action, in words.
    """
    if not _HOOK.is_installed:
        _HOOK.is_installed = True
        sys.addaudithook(_HOOK.refuse)
    _HOOK.note = note


def allow_connections_and_processes() -> None:
    """Refuse nothing any more, because the file is loaded."""
    _HOOK.note = None


def _text(argument: object) -> str:
    if isinstance(argument, bytes):
        return argument.decode(errors="replace")
    if isinstance(argument, tuple) and len(argument) >= 2 and isinstance(argument[1], int):
        return f"{argument[0]}:{argument[1]}"
    return str(argument)
