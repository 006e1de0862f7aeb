"""The base class of this package's stores: limits, encoding, closed sessions, damaged rows.

A store implements the methods whose names begin with an underscore, each as one transaction. They
take and return checked values: stored texts, a limit of at least 1, a block.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentgraph.logger import logger
from agentgraph.memory.encoding import decode_item, decode_items, encode_items
from agentgraph.memory.errors import SessionClosedError
from agentgraph.memory.runs.saves import Block
from agentgraph.memory.session import Accept, SessionABC, any_item
from agentgraph.memory.session_settings import resolve_session_limit

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["StoreSession"]


class StoreSession(SessionABC):
    """A conversation in a store. Every method raises `SessionError` if the store fails."""

    _closed = False

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first.

        Damaged rows are left out and take no place of an item. The log says how many there are, and
        `damaged_rows` which.

        Args:
            limit: The maximum number of items; None takes the session's own limit, or all items if
                it has none.

        Raises:
            SessionError: The store cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []
        return await self._get(limit)

    async def damaged_rows(self) -> list[int]:
        """Return the places of the rows that hold no item; the oldest row has place 0.

        Raises:
            SessionError: The store cannot be read.
        """
        texts = await self._texts()
        return [place for place, text in enumerate(texts) if decode_item(text) is None]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Args:
            items: Input items as dicts.

        Raises:
            InvalidSessionInput: A member of `items` is not an item; nothing was stored.
            SessionError: The store did not confirm the write; all items were stored or none.
        """
        texts = self._encoded(items)
        self._check_open()
        if texts:
            await self._add(texts, None)

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block | None = None
    ) -> Block:
        """Append items to the block of a run; first move the block to the end if others follow it.

        Args:
            items: Input items as dicts.
            block: The earlier result of a method for blocks; None begins a block.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has written to the block; nothing was stored.
            InvalidSessionInput: A member of `items` is not an item; nothing was stored.
            SessionError: The store did not confirm the write; all items were stored or none.
        """
        block = Block.begun() if block is None else block
        await self._add(self._encoded(items), block)
        return block.saved()

    async def adopt_block(
        self, items: list[TResponseInputItem], own: Block | None = None
    ) -> Block | None:
        """Return the latest items as a block if they equal `items`, else None.

        Args:
            items: The items.
            own: The block that the run would begin; None stands for a run without an id.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
            SessionError: The store cannot be read or written.
        """
        return await self._adopt(items, own or Block.begun())

    async def release_block(self, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        await self._release(block)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if there is none. Damaged rows stay."""
        return await self._pop(any_item)

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest accepted item; None if there is none.

        Args:
            accept: Tells whether an item is accepted.
        """
        return await self._pop(accept)

    async def clear_session(self) -> None:
        """Remove the session and all its rows, readable or not."""
        await self._clear()

    @property
    def _label(self) -> str:
        """The session's name in messages."""
        return f"{type(self).__name__} {self.session_id!r}"

    def _check_open(self) -> None:
        """Refuse the use of a closed session.

        Raises:
            SessionClosedError: The session is closed.
        """
        if self._closed:
            raise SessionClosedError(f"{self._label} is closed; make a new session object")

    def _encoded(self, items: list[TResponseInputItem]) -> list[str]:
        return encode_items(items, self._label)

    def _decoded(self, texts: Sequence[str | bytes | None]) -> list[TResponseInputItem]:
        """Return the items in stored texts, and report the texts that hold none."""
        items = decode_items(texts)
        self._report(len(texts) - len(items))
        return items

    def _report(self, damaged: int) -> None:
        """Log that rows were left out."""
        if damaged:
            logger.warning(
                "%s: %d damaged rows were left out; damaged_rows() returns their places",
                self._label,
                damaged,
            )

    @abstractmethod
    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        """Return the latest items; None means all."""

    @abstractmethod
    async def _texts(self) -> Sequence[str | bytes | None]:
        """Return all stored texts, the oldest first; None for a row without a text."""

    @abstractmethod
    async def _add(self, texts: list[str], block: Block | None) -> None:
        """Append texts: to a block, or of no run."""

    @abstractmethod
    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        """Do what `adopt_block` does."""

    @abstractmethod
    async def _release(self, block: Block) -> None:
        """Do what `release_block` does."""

    @abstractmethod
    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        """Do what `pop_latest` does."""

    @abstractmethod
    async def _clear(self) -> None:
        """Do what `clear_session` does."""
