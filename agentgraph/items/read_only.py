"""A view of a growing list for code that may read it, and not change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

__all__ = ["ReadOnly"]

T = TypeVar("T")


class ReadOnly(Sequence[T]):
    """A read-only view of a list that grows elsewhere; a slice of it is a tuple.

    Args:
        rows: The list.
    """

    __slots__ = ("__rows",)

    def __init__(self, rows: list[T]) -> None:
        self.__rows = rows

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(self.__rows[place])
        return self.__rows[place]

    def __len__(self) -> int:
        return len(self.__rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self.__rows)
