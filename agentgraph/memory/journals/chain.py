"""A chain of hashes over the lines of a run: each link covers its line and all before it.

It shows damage: a line that was changed, moved or lost. It needs no key, so an attacker could
compute it again; `EncryptedJournal` is for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["ChainedLine", "damage", "first_link", "linked"]


class ChainedLine(NamedTuple):
    """A line as a store has it.

    Args:
        place: Its place in the run, counted from zero.
        epoch: The epoch of the claim under which it was appended.
        line: Its text.
        link: Its link of the chain; empty in a run without one.
    """

    place: int
    epoch: int
    line: str
    link: str


def first_link(run_id: str, head: str) -> str:
    """The link before the first line, which covers the id and the head."""
    return hashlib.sha256(json.dumps([run_id, head]).encode()).hexdigest()


def _next_link(link: str, line: str) -> str:
    return hashlib.sha256(f"{link}\n{line}".encode()).hexdigest()


def linked(link: str, epoch: int, first: int, lines: Sequence[str]) -> list[ChainedLine]:
    """Lines with their links.

    Args:
        link: The link before them; empty in a run without a chain, which then stays without one.
        epoch: The epoch of the claim.
        first: The place of the first line.
        lines: The texts.
    """
    chained = []
    for place, line in enumerate(lines, first):
        link = _next_link(link, line) if link else ""
        chained.append(ChainedLine(place=place, epoch=epoch, line=line, link=link))
    return chained


def damage(
    lines: Sequence[ChainedLine], first: int, count: int, start: str, latest: str
) -> str | None:
    """What is wrong with the lines of a run; None if nothing is.

    Args:
        lines: The lines from a place on.
        first: That place.
        count: How many lines the run has.
        start: The link before the first line of the run.
        latest: The link of the last line of the run; empty in a run without a chain.
    """
    for place, line in enumerate(lines, first):
        if line.place != place:
            return f"line {place + 1} is missing"
    if first + len(lines) < count:
        return f"line {first + len(lines) + 1} is missing"
    if not latest:
        return None
    link = "" if first else start
    for line in lines:
        if link and line.link != _next_link(link, line.line):
            subject = "the head or line 1" if line.place == 0 else f"line {line.place + 1}"
            return f"{subject} is not as it was stored"
        link = line.link
        if line.place == count - 1 and link != latest:
            return f"line {count} is not the last one that was stored"
    return None if count or start == latest else "the head is not as it was stored"
