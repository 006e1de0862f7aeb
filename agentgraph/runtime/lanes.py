"""The lanes of a state, packed: a record of fixed size a lane, and masks with a bit a lane.

A step among a thousand parallel calls copies what it changes, and copying bytes costs a twentieth
of copying a tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

ONE = 8
"""Bytes a lane: the phase in the lowest eight bits, then two numbers of 28 bits."""
_NUMBER = (1 << 28) - 1


def record(phase: int, given: int, result: int = 0) -> bytes:
    """The record of one lane.

    Args:
        phase: Index of the phase it stands in; the number of its phases once it is over.
        given: How many commands it was given; the last one has the attempt ``given - 1``.
        result: One more than the attempt whose outcome is its result; 0 while it has none.
    """
    return (phase | given << 8 | result << 36).to_bytes(ONE, "little")


BEGUN = tuple([record(phase, 1) for phase in range(256)])
"""The record of a lane with its first command, by the index of its phase."""
IDLE = tuple([record(phase, 0) for phase in range(256)])
"""The record of a lane that was given no command, by the number of its phases."""


def read(lanes: bytes, lane: int) -> tuple[int, int, int]:
    """Phase, commands given and result of a lane, as :func:`record` takes them."""
    if len(lanes) != ONE:
        lanes = lanes[lane * ONE : lane * ONE + ONE]
    packed = int.from_bytes(lanes, "little")
    return packed & 255, packed >> 8 & _NUMBER, packed >> 36


def write(lanes: bytes, lane: int, changed: bytes) -> bytes:
    """The lanes with another record of one of them."""
    if len(lanes) == ONE:
        return changed
    return lanes[: lane * ONE] + changed + lanes[lane * ONE + ONE :]


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
