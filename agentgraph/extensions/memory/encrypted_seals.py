"""Seals of encrypted rows: they bind version, key id, order and count.

The rows of one save are numbered and know how many they are. The save also knows the row that was
the latest when it was written: of which save it was, and how many rows that save then had, which
are fewer if its last ones had been popped. Runs move their saves, so a save may stand anywhere in a
history, but its rows stand together and in order. The last rows of a history may always be missing:
this is what popping does.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Seal", "misplaced", "seal_of", "sealed"]


class Seal(NamedTuple):
    """The seal of a row.

    Attributes:
        save: The id of its save.
        place: Its place in the save.
        size: The number of rows in the save.
        after: The save of the row before the save; empty if there was none with a seal.
        rows: The number of rows that the earlier save had.
    """

    save: str
    place: int
    size: int
    after: str
    rows: int


def sealed(
    key: bytes, envelopes: Sequence[Mapping[str, Any]], latest: Seal | None
) -> list[dict[str, Any]]:
    """Return the envelopes of a save with their seals.

    Args:
        key: The key of the session's seals.
        envelopes: The envelopes, in order.
        latest: The seal of the row after which they are written; None if it has none.
    """
    save = secrets.token_hex(8)
    after, rows = ("", 0) if latest is None else (latest.save, latest.place + 1)
    seals = [
        Seal(save=save, place=place, size=len(envelopes), after=after, rows=rows)
        for place in range(len(envelopes))
    ]
    return [
        {**envelope, "seal": [*seal, _tag(key, envelope, seal)]}
        for envelope, seal in zip(envelopes, seals, strict=True)
    ]


def seal_of(key: bytes, envelope: Mapping[str, Any]) -> Seal | None:
    """Return the seal of an envelope; None if it has none, or not the one that it had."""
    match envelope.get("seal"):
        case [str(save), int(place), int(size), str(after), int(rows), str(tag)] if tag.isascii():
            seal = Seal(save=save, place=place, size=size, after=after, rows=rows)
            return seal if hmac.compare_digest(tag, _tag(key, envelope, seal)) else None
    return None


def misplaced(seals: Sequence[Seal | None], *, whole: bool) -> list[int]:
    """Return the places of rows that are not where they were written, and of rows next to which
    others were left out.

    Args:
        seals: The seals of the rows, the oldest first; None for a row without a seal.
        whole: Whether these are all rows of the session, and not only the latest.
    """
    faults: set[int] = set()
    rows: dict[str, int] = {}
    ends: dict[str, int] = {}
    named: dict[str, set[int]] = {}
    before: Seal | None = None
    for at, seal in enumerate(seals):
        if seal is not None:
            begins = seal.place == 0 and seal.save not in rows
            goes_on = before is not None and before[:2] == (seal.save, seal.place - 1)
            if not begins and not goes_on and (whole or at):
                faults.add(at)
            rows[seal.save], ends[seal.save] = seal.place + 1, at
            named.setdefault(seal.after, set()).add(seal.rows)
        before = seal
    for at, seal in enumerate(seals):
        begins = seal is not None and seal.place == 0 and seal.after != ""
        if whole and seal is not None and begins and rows.get(seal.after) != seal.rows:
            faults.add(at)
    for save, at in ends.items():
        seal = seals[at]
        assert seal is not None
        cut = rows[save] < seal.size and at < len(seals) - 1
        if cut and rows[save] not in named.get(save, ()):
            faults.add(at)
    return sorted(faults)


def _tag(key: bytes, envelope: Mapping[str, Any], seal: Seal) -> str:
    bound = [envelope.get("v"), envelope.get("kid"), envelope.get("payload"), *seal]
    return hmac.digest(key, json.dumps(bound).encode(), "sha256").hex()[:32]
