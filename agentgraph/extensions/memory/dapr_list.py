"""The list of a Dapr session: its texts, and before them our record of the saves of runs.

Dapr changes one value at a time, so the record is a part of the list: its first entry, which is not
JSON, so that the published SDK passes over it. Other programs add and remove texts at the end of
the list. So the rows of the record are right from the beginning up to there, and a row counts only
if it fits its text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, Self

from agentgraph.memory.encoding import without_mark
from agentgraph.memory.runs.saves import Block, adopted, is_repeated

__all__ = ["SessionList"]

_PREFIX = "agentgraph: "

_WRITES = 16
"""How many names of the latest writes without a run the record has."""


@dataclass(slots=True)
class SessionList:
    """The list of a session.

    Attributes:
        texts: The texts of the items, in order.
        rows: For each text, digests of its run and of itself; empty for a text of no run. Rows may
            be missing or too many at the end.
        runs: Of each run the number of its saves, the name of the latest one, and the process in
            which it is at work.
        writes: The names of the latest writes without a run.
    """

    texts: list[str]
    rows: list[str] = field(default_factory=list)
    runs: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, stored: Sequence[Any]) -> Self:
        """Read what `stored` returned, or a list that another program wrote."""
        texts = [
            without_mark(entry) if isinstance(entry, str) else json.dumps(entry) for entry in stored
        ]
        if not texts or not texts[0].startswith(_PREFIX):
            return cls(texts)
        try:
            rows, runs, writes = json.loads(texts[0].removeprefix(_PREFIX))
            of_run = {run_id: tuple(saved) for run_id, saved in runs.items()}
        except (AttributeError, TypeError, ValueError):
            return cls(texts)  # a damaged text among the others
        return cls(texts[1:], rows, of_run, writes)

    def stored(self) -> list[str]:
        """Return the list with the record, if there is anything to record."""
        if not self.runs and not self.writes:
            return self.texts
        return [_PREFIX + json.dumps([self.rows, self.runs, self.writes]), *self.texts]

    def append(self, texts: list[str], write: str) -> None:
        """Append texts of no run, unless this write was done before."""
        if write not in self.writes:
            self.texts += texts
            self.writes = [*self.writes, write][-_WRITES:]

    def save(self, texts: list[str], block: Block) -> None:
        """Append texts to those of a run, at the end, unless this save was done before.

        Raises:
            ConcurrentWrite: Another run has saved under the key.
        """
        write = block.write_of(texts)
        count, latest, _ = self.runs.get(block.run_id, (0, "", ""))
        if count > block.position and is_repeated(
            latest if count == block.position + 1 else "", write
        ):
            return
        name = _digest(block.run_id)
        self._align()
        mine = [
            row == name + _digest(text) for row, text in zip(self.rows, self.texts, strict=True)
        ]
        order = sorted(range(len(mine)), key=mine.__getitem__)
        self.rows = [self.rows[place] for place in order] + [name + _digest(it) for it in texts]
        self.texts = [self.texts[place] for place in order] + texts
        self.runs[block.run_id] = (block.position + 1, write, block.owner)

    def adopt(self, count: int, own: Block) -> Block:
        """Return the block of the run that has the latest texts; if none has them, `own` gets them.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
        """
        self._align()
        first = len(self.texts) - count
        digests = [_digest(text) for text in self.texts[first:]]
        saves = (
            (run_id, saves - 1, owner, [_digest(run_id) + digest for digest in digests])
            for run_id, (saves, _, owner) in self.runs.items()
        )
        block = adopted(saves, self.rows[first:], own)
        if block is not None:
            self.set_owner(block.run_id, own.owner)
            return block
        self.rows[first:] = [_digest(own.run_id) + digest for digest in digests]
        self.runs[own.run_id] = (1, "", own.owner)
        return own.saved()

    def set_owner(self, run_id: str, owner: str) -> None:
        """Record in which process a run is at work."""
        count, write, _ = self.runs[run_id]
        self.runs[run_id] = (count, write, owner)

    def remove(self, place: int, text: object) -> bool:
        """Remove a text, if it is in this place, counted from the end; return whether it was."""
        if place > len(self.texts) or self.texts[-place] != text:
            return False
        self._align()
        del self.texts[-place], self.rows[-place]
        return True

    def _align(self) -> None:
        missing = len(self.texts) - len(self.rows)
        self.rows = self.rows[: len(self.texts)] + [""] * missing


def _digest(text: str) -> str:
    return sha1(text.encode()).hexdigest()[:12]
