"""A run's items as one block: they stay together, whatever other runs write to the session.

A run remembers what it has written. When it writes on and finds items of others after its own, it
takes its own to the end in the same transaction. Nobody waits for anybody, so a run may contain
another run on the same session; nobody else's items change; what was popped or cleared in between
stays away. After every write the blocks stand in the order of their last writes.

A run that is tried again goes on with the block of the first try. If that try is still alive, two
runs share a block, and whichever writes second finds it taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from agentgraph.exceptions import AgentsException
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.session import Session, offers

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "Block",
    "BlockSession",
    "ConcurrentWrite",
    "adopt_block",
    "append_to_block",
    "begin_block",
    "find_prior_attempt",
    "sync_block",
]

Block: TypeAlias = Any
"""What a store needs to know its block again; None, or what the store gave."""


class ConcurrentWrite(Exception):
    """Another run has gone on with the same block; what was to be appended was not stored."""


class BlockSession(Protocol):
    """What a store offers that can keep the items of a run together.

    It may also offer `begin_block(prior)`, which is the function of that name here in one
    transaction; if that is not sure of the disk at once, also `sync_block()`.
    """

    async def append_to_block(self, items: list[TResponseInputItem], block: Block = None) -> Block:
        """Append items to a block, and the block to the end if others have written after it.

        Args:
            items: Input items as dicts, at least one.
            block: What this or `adopt_block` returned before; None begins a block.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has adopted the block and appended to it, or the block
                was adopted from that run.
        """
        ...

    async def adopt_block(self, items: list[TResponseInputItem]) -> Block:
        """Return the latest items as a block if they are these, else None."""
        ...


async def begin_block(session: Session, prior: PriorAttempt) -> Block:
    """Look back in a session and store the input of a run, unless it stands there unanswered.

    Args:
        session: The session.
        prior: Holds the input, and afterwards what was found.

    Returns:
        The block that the run goes on with.
    """
    store = _keeping_blocks(session)
    if store is not None and hasattr(type(session), "begin_block"):
        with _failures_named(session, "begin the items of a run"):
            return await cast("Any", store).begin_block(prior)
    await find_prior_attempt(session, prior)
    if prior.done is None:
        return await append_to_block(session, prior.new, None)
    return await adopt_block(session, prior.items)


async def sync_block(session: Session) -> None:
    """Wait until the beginning of a block is sure of the disk, in a store where it is not at
    once."""
    store = _keeping_blocks(session)
    if store is not None and hasattr(type(session), "sync_block"):
        with _failures_named(session, "make sure of the items of a run"):
            await cast("Any", store).sync_block()


async def adopt_block(session: Session, items: list[TResponseInputItem]) -> Block:
    """Return the latest items of a session as a block, if they are these and the store can."""
    store = _keeping_blocks(session)
    if store is None:
        return None
    with _failures_named(session, "be read"):
        return await store.adopt_block(items)


async def find_prior_attempt(session: Session, prior: PriorAttempt) -> list[TResponseInputItem]:
    """Read as much of a session as is needed; returns what was read last."""
    while True:
        # The SDK guide shows a store whose `get_items` returns nothing yet.
        with _failures_named(session, "be read"):
            stored = [] if prior.window == 0 else await session.get_items(prior.window) or []
        if prior.take(stored):
            return stored


async def append_to_block(session: Session, items: list[TResponseInputItem], block: Block) -> Block:
    """Append items to a run's block; to the end alone where the store knows no blocks.

    Args:
        session: The session.
        items: The items; nothing is done without any.
        block: What was returned before; None begins a block.

    Raises:
        ConcurrentWrite: Another run has gone on with the block; nothing was stored.
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
    """Name the session in what a store raises; what it raised is the cause, and no part of the
    message: it may quote items."""
    try:
        yield
    except (AgentsException, ConcurrentWrite):
        raise
    except Exception as error:
        name = getattr(session, "session_id", type(session).__name__)
        raise SessionError(
            f"Session {name!r} could not {what}: {type(error).__name__}. A run that has failed with"
            " this goes on from its state, and asks no model for what it has recorded."
        ) from error


def _keeping_blocks(session: Session) -> BlockSession | None:
    """The session as one that keeps blocks, if it does and nobody stores in a way of their own."""
    keeps = offers(session, "append_to_block", ("get_items", "add_items"))
    return cast("BlockSession", session) if keeps else None
