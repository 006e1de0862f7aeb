"""Who holds a claim: a process, by a name from which others on its machine see whether it lives."""

from __future__ import annotations

import os
import platform
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

__all__ = ["is_gone", "new_holder"]


def new_holder() -> str:
    """A name for one claim of this process; no other claim has the same.

    It is the machine, the process and a random part, with spaces between them.
    """
    return f"{_machine()} {_itself(os.getpid())} {uuid.uuid4().hex[:12]}"


def is_gone(holder: str) -> bool:
    """Whether the process of a holder is certainly gone: it ran on this machine and does not."""
    machine, _, process = holder.rpartition(" ")[0].rpartition(" ")
    if machine != _machine():
        return False
    pid, _, started = process.partition("-")
    if not pid.isdecimal() or not started:
        return False
    return _process(int(pid)) != process


@lru_cache(maxsize=1)
def _machine() -> str:
    """This machine since it was started; containers with process ids of their own differ."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
        parts.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))
    return "/".join(parts).replace(" ", "_")


@lru_cache(maxsize=1)
def _itself(pid: int) -> str:
    """This process; after a fork it has another id."""
    return _process(pid)


def _process(pid: int) -> str:
    """A process by its id and the time it was started; only the id where that time is unknown."""
    with suppress(OSError, IndexError):
        # The name of the program stands in brackets and may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] not in "ZX":
            return f"{pid}-{fields[19]}"
    return str(pid)
