"""Clients and web sockets belong to the event loop that opened them; each loop has its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["LoopValues"]

_K = TypeVar("_K")
_V = TypeVar("_V")


class LoopValues(Generic[_K, _V]):
    """Values of each event loop, by key. A loop that is gone takes its values with it."""

    def __init__(self) -> None:
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_K, _V]] = (
            WeakKeyDictionary()
        )

    def here(self) -> dict[_K, _V]:
        """Return the values of the running loop, to read and to add to.

        Outside a loop it is unknown which loop will use a value, so the values are not kept.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return {}
        return self._of_loop.setdefault(loop, {})

    def take(self) -> list[_V]:
        """Remove the values of the running loop and return them, oldest first."""
        return [*self._of_loop.pop(asyncio.get_running_loop(), {}).values()]

    def __iter__(self) -> Iterator[_V]:
        for values in [*self._of_loop.values()]:
            yield from values.values()
