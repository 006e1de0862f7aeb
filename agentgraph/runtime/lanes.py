"""The lanes of a state, packed: one record of fixed size for each lane, and masks of one bit each.

A step among a thousand parallel calls copies what it changes, and to copy bytes costs a twentieth
of what it costs to copy a tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from struct import Struct

_RECORD = Struct("<BII")
"""A lane: its phase in one byte, then two numbers."""
ONE = _RECORD.size
"""Bytes of one lane."""
unpack = _RECORD.unpack_from
"""Reads the record that begins at a byte of the lanes; see :func:`read`."""


def record(phase: int, commands: int, result: int = 0) -> bytes:
    """The record of one lane.

    Args:
        phase: Index of its current phase; the number of its phases once it is over.
        commands: How many commands it has had; the last one has the attempt ``commands - 1``.
        result: The attempt whose outcome is its result, plus one; 0 if it has no result.
    """
    return _RECORD.pack(phase, commands, result)


BEGUN = tuple([record(phase, 1) for phase in range(256)])
"""The record of a lane with its first command, by the index of its phase."""


def read(lanes: bytes, lane: int) -> tuple[int, int, int]:
    """Phase, number of commands and result of a lane, as :func:`record` takes them."""
    phase, commands, result = unpack(lanes, lane * ONE)
    return phase, commands, result


def write(lanes: bytes, lane: int, new: bytes) -> bytes:
    """The lanes, with the record of one of them replaced."""
    if len(lanes) == ONE:
        return new
    return lanes[: lane * ONE] + new + lanes[lane * ONE + ONE :]


def count(lanes: bytes) -> int:
    """How many lanes there are."""
    return len(lanes) // ONE


def mask(lanes: Iterable[int]) -> int:
    """The mask of some lanes."""
    return reduce(or_, (1 << lane for lane in lanes), 0)


def members(mask: int) -> Iterator[int]:
    """The lanes of a mask, in order."""
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit
