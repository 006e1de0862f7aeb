"""A run's side of a session: what was loaded, and what is still to be saved.

Saving is incremental and happens where the history is legal: the caller's input before the first
model call, each finished turn at its end, the last turn once its output passed. Where a run waits
for an approval, the request of a hosted MCP server is saved, because the next input may answer it;
a call of a tool waits in the run's state. What a run saves stays together (`blocks`); where another
run has gone on with its question, it saves the question again, and has that to itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.items import ItemHelpers
from agentgraph.logger import logger
from agentgraph.memory.blocks import (
    Block,
    BlockTaken,
    adopt_block,
    append_to_block,
    begin_block,
    look_back,
    sync_block,
)
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.exchange import LookBack
from agentgraph.memory.run_transcript import unsaid
from agentgraph.memory.session_input import SessionInput, combine
from agentgraph.memory.session_settings import resolve_session_limit
from agentgraph.memory.transcript import Change, repair, retold, writable

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem
    from agentgraph.memory import Session
    from agentgraph.memory.util import SessionInputCallback
    from agentgraph.run_config import RunConfig


class Saved(NamedTuple):
    """What a session has of a run.

    Attributes:
        handled: How many of the run's items are done with.
        items: What stands in the session: the input, and what was done about it.
        block: Where it stands there.
    """

    handled: int = 0
    items: tuple[TResponseInputItem, ...] = ()
    block: Block = None


NOTHING_SAVED = Saved()


class SessionLog:
    """The part of a session that one run writes.

    Args:
        session: The session.
        saved: What it has of the run already, for a run that is resumed.
    """

    __slots__ = ("_given", "_recorded", "_unsynced", "saved", "session")

    def __init__(self, session: Session, saved: Saved = NOTHING_SAVED) -> None:
        self.session = session
        self.saved = saved
        # A run may be resumed more than once, and each writes the turn that it was suspended in.
        self._recorded = saved is not NOTHING_SAVED
        self._unsynced = False
        self._given: list[TResponseInputItem] = []

    @asynccontextmanager
    async def at_work(self, given: str | list[TResponseInputItem]) -> AsyncIterator[None]:
        """Be at work on an input, which other runs of this process can see, while a block runs.

        What was stored is sure of the disk when the block has ended, unless it was cancelled.

        Args:
            given: The caller's input.
        """
        self._given = ItemHelpers.input_to_new_input_list(given)
        _at_work.add(self)
        try:
            yield
        except Exception:
            await self._sync()
            raise
        else:
            await self._sync()
        finally:
            _at_work.discard(self)

    async def load(
        self, config: RunConfig, *, tools_answer: bool = False
    ) -> list[TResponseInputItem]:
        """Read the history, combine it with the input at work and store what of that is new.

        A history that somebody has damaged is mended for the model, and the log says so.

        Args:
            config: The run's configuration (``session_settings``, ``session_input_callback``).
            tools_answer: Whether the run may end with the output of a tool.

        Returns:
            What the model is shown first.
        """
        own = getattr(self.session, "session_settings", None)
        limit = resolve_session_limit(resolve_session_limit(None, config.session_settings), own)
        look = LookBack(self._given, limit, self._asked_at_once, tools_answer)
        callback = config.session_input_callback
        combined = await (self._load(look) if callback is None else self._load_by(callback, look))
        # A limit may cut a turn in two. That is no fault of whoever wrote it.
        if combined.changes and limit is None:
            _report(self.session, combined.changes)
        return combined.model_input

    async def _load(self, look: LookBack) -> SessionInput:
        block = await begin_block(self.session, look)
        self._begin(look.new if look.done is None else look.exchange, block)
        self._unsynced = look.done is None
        return await combine(look.history, look.new, done=look.done, legal=look.legal)

    async def _load_by(self, callback: SessionInputCallback, look: LookBack) -> SessionInput:
        new = look.new
        stored = await look_back(self.session, look)
        combined = await _combined(callback, new, look)
        to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if look.done is None and to_store and to_store != new:
            # A try that failed has stored the input in the form that the callback gave it.
            again = LookBack(to_store, look.limit, look.at_work, look.tools_answer)
            again.wanted = look.wanted
            if not again.take(stored):
                await look_back(self.session, again)
            if again.done is not None:
                look = again
                combined = await _combined(callback, new, look)
                to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if look.done is not None:
            self._begin(look.exchange, await adopt_block(self.session, look.exchange))
        # What a callback made of the two may be in any form that input comes in.
        await self._append(to_store)
        shown = ItemHelpers.input_to_new_input_list(combined.model_input)
        return SessionInput(shown, to_store, combined.changes)

    async def save(
        self, items: Sequence[RunItem], *, blocked: Callable[[], str] | None = None
    ) -> None:
        """Store what is new among the run's items, in one write.

        What waits for something, such as a call for its output, is not written before that is
        there, and so never if the run ends without it.

        Args:
            items: All items of the run so far.
            blocked: Where a guardrail blocked the output, gives what is kept in place of what
                functions returned, which may have been the output. Of what is new only the calls
                are kept then, not what was said: it must not be read back later.
        """
        unsaved = [
            (position, item)
            for position, item in enumerate(items[self.saved.handled :], self.saved.handled + 1)
            if item.type != "tool_approval_item"
        ]
        if blocked is not None:
            done = [item.to_input_item() for item in unsaid([item for _, item in unsaved])]
            await self._append(_withheld(repair(done).items, blocked))
            self.saved = self.saved._replace(handled=len(items))
            return
        new = [item.to_input_item() for _, item in unsaved]
        count = writable(new)
        await self._append(new[:count])
        if count == len(unsaved):
            self.saved = self.saved._replace(handled=len(items))
        elif count:
            self.saved = self.saved._replace(handled=unsaved[count - 1][0])

    def _begin(self, items: list[TResponseInputItem], block: Block) -> None:
        self.saved = NOTHING_SAVED._replace(items=tuple(items), block=block)

    async def _append(self, items: list[TResponseInputItem]) -> None:
        saved = self.saved
        try:
            block = await append_to_block(self.session, items, saved.block)
        except BlockTaken:
            # The other run keeps what the two have in common.
            if self._recorded:
                items = retold([*saved.items, *items])
            else:
                items = [*retold(saved.items), *items]
            saved = Saved(saved.handled)
            block = await append_to_block(self.session, items, None)
        if items:
            self._recorded = self._unsynced = False
        self.saved = saved._replace(items=(*saved.items, *items), block=block)

    async def _sync(self) -> None:
        """Make sure of an input after which nothing was written, which would have done so."""
        if self._unsynced:
            self._unsynced = False
            await sync_block(self.session)

    def _asked_at_once(self) -> bool:
        """Whether another run is at work on the same input, so that this is no second try of it."""
        return any(
            other is not self and other._given == self._given and _same(other.session, self.session)
            for other in tuple(_at_work)
        )


def _withheld(
    items: list[TResponseInputItem], blocked: Callable[[], str]
) -> list[TResponseInputItem]:
    kept: list[Any] = list(items)
    outputs = [at for at, it in enumerate(kept) if it.get("type") == "function_call_output"]
    message = blocked() if outputs else ""
    for at in outputs:
        kept[at] = {**kept[at], "output": message}
    return kept


# Runs that are going on in this process: what they left unanswered is not left over.
_at_work: set[SessionLog] = set()


async def _combined(
    callback: SessionInputCallback, new: list[TResponseInputItem], look: LookBack
) -> SessionInput:
    stored = None if look.done is None else look.new
    return await combine(look.history, new, callback, stored=stored, done=look.done)


def _report(session: Session, changes: Sequence[Change]) -> None:
    """Warn of a history that is damaged; `agentgraph sessions show` has the words for each item."""
    found = Counter(change.rule for change in changes)
    logger.warning(
        "The history of session %r is damaged, and the model is shown it without %d of its items"
        " or their ids (%s); `agentgraph sessions repair` mends it where it is stored",
        getattr(session, "session_id", type(session).__name__),
        len(changes),
        ", ".join(f"{rule}: {count}" for rule, count in found.items()),
    )


def _same(one: Session, other: Session) -> bool:
    """Whether two objects are the same conversation, as far as can be told from here."""
    if one is other:
        return True
    try:
        return type(one) is type(other) and one.session_id == other.session_id
    except (AttributeError, InvalidSessionInput):
        return False
