"""A run's side of a session: what was loaded, and what is still to be saved.

Saving is incremental and happens where the history is legal: the caller's input before the first
model call, each finished turn at its end, the last turn once its output passed. Where a run waits
for an approval, calls that were answered are saved with their outputs; the request of a hosted MCP
server is saved, because the next input may answer it; a call that waits stays in the run's state.
What a run saves stays together (`blocks`); where another run has gone on with its question, it
saves the question again, and has that to itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.items import ItemHelpers
from agentgraph.logger import logger
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.runs.blocks import (
    Block,
    ConcurrentWrite,
    adopt_block,
    append_to_block,
    begin_block,
    find_prior_attempt,
    sync_block,
)
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.runs.session_input import SessionInput, combine
from agentgraph.memory.session_settings import resolve_session_limit
from agentgraph.memory.transcripts.histories import Change, without_ids
from agentgraph.memory.transcripts.repeats import without_repeats
from agentgraph.memory.transcripts.writing import DistinctIds, Kept, first_open, writable_positions
from agentgraph.user_code.cancellation import take_back

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem
    from agentgraph.memory import Session
    from agentgraph.memory.util import SessionInputCallback
    from agentgraph.run_config import RunConfig


class Saved(NamedTuple):
    """What a write has added to a session.

    Attributes:
        written: Those of the run's items that are written now.
        items: The forms in which they stand there.
        block: Where everything of the run stands.
        anew: Whether everything that was written before is written again with this.
    """

    written: tuple[RunItem, ...] = ()
    items: tuple[TResponseInputItem, ...] = ()
    block: Block = None
    anew: bool = False


class SessionLog:
    """The part of a session that one run writes.

    Args:
        session: The session.
    """

    __slots__ = (
        "_block",
        "_done",
        "_forms",
        "_given",
        "_ids",
        "_recorded",
        "_stored",
        "_unsynced",
        "_written",
        "session",
    )

    def __init__(self, session: Session) -> None:
        self.session = session
        # What stands in the session of the run: the input, and what was done about it.
        self._stored: list[TResponseInputItem] = []
        self._block: Block = None
        self._ids = DistinctIds()
        self._written: dict[int, RunItem] = {}
        # The forms of what is not done with; before that stands the last item that is.
        self._forms: dict[int, TResponseInputItem | None] = {}
        self._done: tuple[int, RunItem | None] = (0, None)
        # A run may be resumed more than once, and each writes the turn that it was suspended in.
        self._recorded = False
        self._unsynced = False
        self._given: list[TResponseInputItem] = []

    def restore(
        self,
        shown: Sequence[TResponseInputItem],
        written: Sequence[RunItem],
        stored: Sequence[TResponseInputItem],
        block: Block,
    ) -> None:
        """Go on with a run that is resumed.

        Args:
            shown: What the model was shown first.
            written: The run's items that are written.
            stored: What stands in the session of the run.
            block: Where it stands.
        """
        self._ids = DistinctIds(shown)
        for item in written:
            self._form(item)
            self._written[id(item)] = item
        self._stored, self._block, self._recorded = list(stored), block, True

    @asynccontextmanager
    async def at_work(self, given: str | list[TResponseInputItem]) -> AsyncIterator[None]:
        """Be at work on an input, which other runs of this process can see, while a block runs.

        What was stored is sure of the disk when the block has ended, unless it was cancelled.

        Args:
            given: The caller's input.
        """
        self._given = without_repeats(ItemHelpers.input_to_new_input_list(given))
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
    ) -> tuple[list[TResponseInputItem], Saved]:
        """Read the history, combine it with the input at work and store what of that is new.

        A history that somebody has damaged is mended for the model, and the log says so.

        Args:
            config: The run's configuration (``session_settings``, ``session_input_callback``).
            tools_answer: Whether the run may end with the output of a tool.

        Returns:
            What the model is shown first, and what the session has of the run now.
        """
        take_back()
        own = getattr(self.session, "session_settings", None)
        limit = resolve_session_limit(resolve_session_limit(None, config.session_settings), own)
        prior = PriorAttempt(self._given, limit, self._asked_at_once, tools_answer)
        callback = config.session_input_callback
        combined = await (self._load(prior) if callback is None else self._load_by(callback, prior))
        # A limit may cut a turn in two. That is no fault of whoever wrote it.
        if combined.changes and limit is None:
            _report(self.session, combined.changes)
        self._ids = DistinctIds(combined.model_input)
        return combined.model_input, Saved((), tuple(self._stored), self._block, True)

    async def _load(self, prior: PriorAttempt) -> SessionInput:
        block = await begin_block(self.session, prior)
        self._begin(prior.new if prior.done is None else prior.items, block)
        self._unsynced = prior.done is None
        return await combine(prior.history, prior.new, done=prior.done, legal=prior.legal)

    async def _load_by(self, callback: SessionInputCallback, prior: PriorAttempt) -> SessionInput:
        new = prior.new
        stored = await find_prior_attempt(self.session, prior)
        combined = await _combined(callback, new, prior)
        to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if prior.done is None and to_store and to_store != new:
            # A try that failed has stored the input in the form that the callback gave it.
            again = PriorAttempt(to_store, prior.limit, prior.at_work, prior.tools_answer)
            again.window = prior.window
            if not again.take(stored):
                await find_prior_attempt(self.session, again)
            if again.done is not None:
                prior = again
                combined = await _combined(callback, new, prior)
                to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if prior.done is not None:
            self._begin(prior.items, await adopt_block(self.session, prior.items))
        # What a callback made of the two may be in any form that input comes in.
        await self._append(to_store)
        shown = without_repeats(ItemHelpers.input_to_new_input_list(combined.model_input))
        return SessionInput(shown, to_store, combined.changes)

    async def save(
        self,
        items: Sequence[RunItem],
        *,
        blocked: Callable[[], str] | None = None,
        kept: Kept = Kept.ALL,
        turn_start: int = 0,
        again: bool = False,
    ) -> Saved:
        """Store what may stand among the run's items and is not stored yet, in one write.

        What waits for something, such as a call for its output, is not written before that is
        there, and so never if the run ends without it.

        Args:
            items: All items of the run so far.
            blocked: Where a guardrail blocked the output, gives what is kept in place of what
                functions returned, which may have been the output. Of what is new only the calls
                are kept then, not what was said: it must not be read back later.
            kept: How much is kept, if `blocked` is left out.
            turn_start: Where the last turn begins among the items.
            again: Whether a process that died may have made this very write. If the session ends
                with its result, it is not made again.

        Returns:
            What was written.
        """
        start = self._first_open(items)
        opened = [
            (at, item)
            for at, item in enumerate(items[start:], start)
            if item.type != "tool_approval_item"
        ]
        forms = [self._form(item) for _, item in opened]
        written = {at for at, (_, item) in enumerate(opened) if id(item) in self._written}
        turn = sum(at < turn_start for at, _ in opened)
        kept = kept if blocked is None else Kept.WITHHELD
        before = self._stored
        positions = writable_positions(forms, written, kept, turn, before=before)
        new = [form for form in map(forms.__getitem__, positions) if form is not None]
        saved = await self._append(new if blocked is None else _withheld(new, blocked), again=again)
        now = tuple(opened[at][1] for at in positions)
        self._written |= {id(item): item for item in now}
        done = len(opened)
        if blocked is None:
            done = first_open(forms, {*written, *positions}, turn, before=before)
        for _, item in opened[:done]:
            del self._forms[id(item)]
        handled = len(items) if done == len(opened) else opened[done][0]
        self._done = (handled, items[handled - 1] if handled else None)
        return saved._replace(written=now)

    def _first_open(self, items: Sequence[RunItem]) -> int:
        """Where to look for what is new."""
        handled, last = self._done
        if last is not None and handled <= len(items) and items[handled - 1] is last:
            return handled
        # A run that is resumed begins anew; of a turn that was cut short fewer items may come.
        return 0

    def _form(self, item: RunItem) -> TResponseInputItem | None:
        """The form in which an item is stored, made once: an id counts as used from then on."""
        if id(item) not in self._forms:
            self._forms[id(item)] = self._ids.form(item.to_input_item())
        return self._forms[id(item)]

    def _begin(self, items: list[TResponseInputItem], block: Block) -> None:
        self._stored, self._block = list(items), block

    async def _append(self, items: list[TResponseInputItem], *, again: bool = False) -> Saved:
        anew = False
        take_back()
        try:
            if not (again and items and await self._is_written(items)):
                self._block = await append_to_block(self.session, items, self._block)
        except ConcurrentWrite:
            # The other run keeps what the two have in common.
            if self._recorded:
                items = without_ids([*self._stored, *items])
            else:
                items = [*without_ids(self._stored), *items]
            self._stored, anew = [], True
            self._block = await append_to_block(self.session, items, None)
        if items:
            self._recorded = self._unsynced = False
        self._stored += items
        return Saved((), tuple(items), self._block, anew)

    async def _is_written(self, items: list[TResponseInputItem]) -> bool:
        """Whether the session ends with everything of the run, these items included."""
        whole = [*self._stored, *items]
        block = await adopt_block(self.session, whole)
        if block is not None:
            self._block = block
            return True
        # A store that keeps no blocks gives None whatever stands there.
        return self._block is None and list(await self.session.get_items(len(whole))) == whole

    async def _sync(self) -> None:
        """Make sure of an input after which nothing was written, which would have done so."""
        if self._unsynced:
            self._unsynced = False
            take_back()
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
    callback: SessionInputCallback, new: list[TResponseInputItem], prior: PriorAttempt
) -> SessionInput:
    stored = None if prior.done is None else prior.new
    return await combine(prior.history, new, callback, stored=stored, done=prior.done)


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
