"""Replies and streams of other libraries as plain data, which the gate reads."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import Any

from agentgraph.models.gate.stream import closed

__all__ = ["Chunks", "plain"]


def plain(reply: object) -> Any:
    """Return a library's reply or chunk as a dictionary without nulls; anything else as it is."""
    dump = getattr(reply, "model_dump", None)
    return reply if dump is None else dump(exclude_none=True, warnings=False)


class Chunks:
    """A library's stream whose chunks are converted; closing it closes the library's.

    Args:
        stream: The stream.
        convert: Makes plain data of a chunk.
        check_end: Called after the last chunk; raises if the stream broke off.
    """

    def __init__(
        self,
        stream: AsyncIterable[Any],
        convert: Callable[[Any], Any] = plain,
        check_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        self._iterator = aiter(stream)
        self._convert = convert
        self._check_end = check_end

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._convert(await anext(self._iterator))
        except StopAsyncIteration:
            self._check_end()
            raise

    async def aclose(self) -> None:
        """Close the library's stream."""
        await closed(self._stream)
