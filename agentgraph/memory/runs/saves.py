"""The keys of a run's saves: the run, and the position of the save among its saves.

A store keeps a record of each save under its key. A save that is sent again finds its own record
and stores nothing; a save of another run under the key is a `ConcurrentWrite`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

__all__ = ["Block", "ConcurrentWrite", "adopted", "is_repeated", "this_process"]

_STARTED = secrets.token_hex(8)


class ConcurrentWrite(Exception):
    """Another run has written to the same block, or works on it; this call stored nothing."""


class Block(NamedTuple):
    """The items of a run in a session, and the key of their next save.

    Attributes:
        run_id: The run that began the block.
        position: How many saves the block has.
        writer: The run that writes to it now: another one after a failed attempt.
        owner: The process in which the writer is at work; empty if it has answered, or if that is
            unknown.
        write: Names the next save; empty: its texts do.
        sole: Whether the writer continues no block of another run: a durable run is tried again
            under its own id.
    """

    run_id: str
    position: int
    writer: str
    owner: str = ""
    write: str = ""
    sole: bool = False

    @classmethod
    def begun(cls, run_id: str | None = None, owner: str = "") -> Block:
        """Return the empty block that a run begins; None stands for a run without an id."""
        run_id = run_id or secrets.token_hex(16)
        return cls(run_id, 0, run_id, owner)

    def saved(self) -> Block:
        """Return the block after its next save."""
        return self._replace(position=self.position + 1, write="")

    def continued(self, run_id: str, position: int) -> Block:
        """Return another run's block with so many saves, continued by the writer of this one."""
        return self._replace(run_id=run_id, position=position)

    def left(self) -> Block:
        """Return the block that the writer begins when it leaves this one to another run."""
        parts = (self.run_id, str(self.position), self.writer)
        return self._replace(run_id=_digest(parts), position=0, write="")

    def write_of(self, texts: Sequence[str]) -> str:
        """Return the name of the next save, by which the store knows it if it is sent again."""
        return self.write or _digest((self.writer, *texts))


def is_repeated(stored: str | None, write: str) -> bool:
    """Tell whether a save is in the store already.

    Args:
        stored: The save that the store has under the same key; None if it has none.
        write: The save.

    Raises:
        ConcurrentWrite: The store has another save under the key.
    """
    if stored not in (None, write):
        raise ConcurrentWrite
    return stored is not None


def adopted(
    saves: Iterable[tuple[str, int, str, Iterable[Hashable]]],
    rows: Sequence[Hashable],
    own: Block,
) -> Block | None:
    """Return the block that has all of some rows; None if no run or several runs have them.

    Args:
        saves: The run, position, owner and rows of each save of the session. A later one has a
            row that several list. The owner of a run is that of its highest position.
        rows: The rows.
        own: The block of the run that continues them.

    Raises:
        ConcurrentWrite: A run at work in the same process has some of them, or `own` is sole and
            they are of another run.
    """
    run_of: dict[Hashable, str] = {}
    latest: dict[str, tuple[int, str]] = {}
    for run_id, position, owner, its_rows in saves:
        run_of.update(dict.fromkeys(its_rows, run_id))
        latest[run_id] = max((position, owner), latest.get(run_id, (0, "")))
    runs = {run_of.get(row) for row in rows}
    if own.sole and runs != {own.run_id}:
        raise ConcurrentWrite
    if any(own.owner == latest[run][1] != "" for run in runs if run not in (None, own.run_id)):
        raise ConcurrentWrite
    run = runs.pop() if len(runs) == 1 else None
    return None if run is None else own.continued(run, latest[run][0] + 1)


def this_process() -> str:
    """Return the name of this process in the records of saves; no other process has the same."""
    return f"{os.getpid()}-{_STARTED}"


def _digest(texts: Sequence[str]) -> str:
    digest = blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode()
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()
