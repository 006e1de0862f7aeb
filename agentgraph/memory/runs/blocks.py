"""A run's items as one block: they stay together, whatever other runs write to the session.

A store keeps a record of each save of a run under a key: the run and the position of the save. A
save that is sent again finds its own record and stores nothing. If another run has written under
the key, it is a `ConcurrentWrite`: a second attempt at a run continues the block of the first one,
and only one of the two may do so. The records also tell which items are a run's. If a later save
finds items of other runs after its own, the store moves the run's items to the end in the same
transaction. No run waits for another, so a run may contain another run on the same session. Items
of other runs never change, and items that were popped or cleared meanwhile do not return.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from agentgraph.exceptions import AgentsException
from agentgraph.items.text import mended
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.runs.saves import Block, ConcurrentWrite
from agentgraph.memory.session import Session, offers

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "Block",
    "BlockSession",
    "ConcurrentWrite",
    "adopt_block",
    "adopt_prior_attempt",
    "append_to_block",
    "begin_block",
    "find_prior_attempt",
    "keeps_blocks",
    "release_block",
    "sync_block",
]


_ATTEMPTS = 100
"""How often to look for a prior attempt in a session that changes all the time."""


class BlockSession(Protocol):
    """The methods of a store that can keep the items of a run together.

    A store may also have `begin_block(prior)`, which does the work of the function `begin_block` in
    one transaction, and `sync_block()` if that transaction is not on disk at once.
    """

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block | None = None
    ) -> Block:
        """Append items to a block; first move the block to the end if other items follow it.

        A save with the same key and items as an earlier one stores nothing.

        Args:
            items: Input items as dicts, at least one.
            block: The earlier result of this method or of `adopt_block`; None begins a block.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has written to the block.
        """
        ...

    async def adopt_block(
        self, items: list[TResponseInputItem], own: Block | None = None
    ) -> Block | None:
        """Return the latest items as a block if they equal `items`, else None.

        Args:
            items: The items.
            own: The block that the run would begin; None stands for a run without an id.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
        """
        ...

    async def release_block(self, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        ...


async def begin_block(session: Session, prior: PriorAttempt) -> Block | None:
    """Find a prior attempt in a session; if there is none, store the input of the run.

    Args:
        session: The session.
        prior: Holds the input, and afterwards the prior attempt.

    Returns:
        The block that the run continues.
    """
    store = _keeping_blocks(session)
    if store is not None and hasattr(type(session), "begin_block"):
        with _failures_named(session, "begin the items of a run"):
            return cast("Block | None", await cast("Any", store).begin_block(prior))
    await find_prior_attempt(session, prior)
    block = await adopt_prior_attempt(session, prior)
    if prior.done is not None:
        return block
    return await append_to_block(session, prior.new, prior.block)


async def adopt_prior_attempt(session: Session, prior: PriorAttempt) -> Block | None:
    """Return the block of a prior attempt, or decline the attempt if it is still at work."""
    if prior.done is None or not keeps_blocks(session):
        return None
    for _ in range(_ATTEMPTS):
        try:
            block = await adopt_block(session, prior.items, prior.block)
        except ConcurrentWrite:
            break
        if block is not None:
            return block
        # The session has changed since it was read, perhaps to another run's equal question.
        await find_prior_attempt(session, prior)
        if not prior.items:
            return None
    prior.decline()
    return None


async def sync_block(session: Session) -> None:
    """Wait until the beginning of a block is on disk, in a store where it is not at once."""
    store = _keeping_blocks(session)
    if store is not None and hasattr(type(session), "sync_block"):
        with _failures_named(session, "sync the items of a run"):
            await cast("Any", store).sync_block()


async def release_block(session: Session, block: Block) -> None:
    """Record that no run of this process works on a block any more."""
    store = _keeping_blocks(session)
    if store is not None:
        with _failures_named(session, "note that a run has ended"):
            await store.release_block(block)


async def adopt_block(
    session: Session, items: list[TResponseInputItem], own: Block | None = None
) -> Block | None:
    """Return the latest items of a session as a block if they equal `items` and the store can.

    Raises:
        ConcurrentWrite: Another run of this process works on them.
    """
    store = _keeping_blocks(session)
    if store is None:
        return None
    with _failures_named(session, "be read"):
        return await store.adopt_block(items, own)


async def find_prior_attempt(session: Session, prior: PriorAttempt) -> list[TResponseInputItem]:
    """Read as much of a session as needed; return the items of the last read."""
    while True:
        # The SDK guide shows a store whose `get_items` returns nothing yet.
        with _failures_named(session, "be read"):
            items = [] if prior.window == 0 else await session.get_items(prior.window) or []
        if not keeps_blocks(session):  # a store of the user's, which may hold what ours mend
            items = mended(items)
        if prior.take(items):
            return items


async def append_to_block(
    session: Session, items: list[TResponseInputItem], block: Block | None
) -> Block | None:
    """Append items to a run's block, or just to the end if the store has no blocks.

    Args:
        session: The session.
        items: The items; an empty list changes nothing.
        block: The earlier result; None begins a block.

    Raises:
        ConcurrentWrite: Another run has written to the block; nothing was stored.
    """
    if not items:
        return block
    store = _keeping_blocks(session)
    with _failures_named(session, "store the items of a run"):
        if store is None:
            await session.add_items(list(items))
            return None
        return await store.append_to_block(list(items), block)


@contextmanager
def _failures_named(session: Session, what: str) -> Iterator[None]:
    """Turn an exception of a store into one that names the session.

    The original is its cause and not part of its message, since it may quote items.
    """
    try:
        yield
    except (AgentsException, ConcurrentWrite):
        raise
    except Exception as error:
        name = getattr(session, "session_id", type(session).__name__)
        raise SessionError(
            f"Session {name!r} could not {what}: {type(error).__name__}. Resume the run from its"
            " state; it does not repeat the model calls that it has recorded."
        ) from error


def keeps_blocks(session: Session) -> bool:
    """Tell whether a session keeps blocks; one that overrides how items are stored does not."""
    return offers(session, "append_to_block", ("get_items", "add_items"))


def _keeping_blocks(session: Session) -> BlockSession | None:
    return cast("BlockSession", session) if keeps_blocks(session) else None
