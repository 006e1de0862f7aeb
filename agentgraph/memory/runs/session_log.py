"""A run's side of a session: what it loaded, and what it still has to save.

A run saves in steps, at points where the history is legal: the caller's input before the first
model call, each finished turn at its end, the last turn once its output passed the guardrails. If a
run waits for an approval, it saves answered calls with their outputs, and the request of a hosted
MCP server, because the next input may answer it; a waiting call stays in the run's state. A run's
items stay together (`blocks`). If another run has continued its block, the run saves its items
again in a block of its own. A save is keyed by the run and its position, so a run that was resumed
may send it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.items import ItemHelpers
from agentgraph.logger import logger
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs.blocks import (
    adopt_prior_attempt,
    append_to_block,
    begin_block,
    find_prior_attempt,
    release_block,
    sync_block,
)
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.runs.saves import Block, ConcurrentWrite, this_process
from agentgraph.memory.runs.session_input import SessionInput, combine
from agentgraph.memory.runs.shielded import shielded
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
    """The result of one write to a session.

    Attributes:
        written: The run's items that this write stored.
        items: Their forms in the session.
        block: The block that holds the run.
        anew: Whether this write also stored all earlier items again.
    """

    written: tuple[RunItem, ...] = ()
    items: tuple[TResponseInputItem, ...] = ()
    block: Block | None = None
    anew: bool = False


class SessionLog:
    """The part of a session that one run writes.

    Args:
        session: The session.
        run_id: The id of the run in the session.
    """

    __slots__ = (
        "_block",
        "_done",
        "_forms",
        "_ids",
        "_input",
        "_recorded",
        "_run_id",
        "_stored",
        "_unsynced",
        "_written",
        "session",
    )

    def __init__(self, session: Session, run_id: str) -> None:
        self.session = session
        self._run_id = run_id
        # The run's items in the session: the input, and the work on it.
        self._stored: list[TResponseInputItem] = []
        self._block: Block | None = None
        self._ids = DistinctIds()
        self._written: dict[int, RunItem] = {}
        # The forms of items that later writes may store, and the last item before these.
        self._forms: dict[int, TResponseInputItem | None] = {}
        self._done: tuple[int, RunItem | None] = (0, None)
        # A run may be resumed more than once; each time it writes the turn of the suspension.
        self._recorded = False
        self._unsynced = False
        self._input: list[TResponseInputItem] = []

    def restore(
        self,
        first_input: Sequence[TResponseInputItem],
        items: Sequence[RunItem],
        forms: Sequence[TResponseInputItem],
        block: Sequence[Any] | None,
    ) -> None:
        """Take over the state of a resumed run.

        Args:
            first_input: The items that the model saw first.
            items: The run's items that the session holds.
            forms: Their forms in the session.
            block: The block that holds them, perhaps as JSON data.
        """
        self._ids = DistinctIds(first_input)
        for item in items:
            self._form(item)
            self._written[id(item)] = item
        self._stored, self._recorded = list(forms), True
        self._block = (
            None
            if block is None
            else Block(*block)._replace(writer=self._run_id, owner=this_process())
        )

    @asynccontextmanager
    async def at_work(self, input: str | list[TResponseInputItem]) -> AsyncIterator[None]:
        """Show other runs of this process, during an `async with`, that this run works on an input.

        At its end all stored items are on disk, unless the run was cancelled.

        Args:
            input: The caller's input.
        """
        self._input = without_repeats(ItemHelpers.input_to_new_input_list(input))
        try:
            yield
        except Exception:
            await self._sync()
            raise
        else:
            await self._sync()
        finally:
            await self._release()

    async def load(
        self,
        config: RunConfig,
        *,
        tools_answer: bool = False,
        durable: bool = False,
        again: bool = False,
    ) -> tuple[list[TResponseInputItem], Saved]:
        """Read the history, combine it with the input, and store what is new.

        A damaged history is repaired for the model, and a warning says so.

        Args:
            config: The run's configuration (``session_settings``, ``session_input_callback``).
            tools_answer: Whether the run may end with the output of a tool.
            durable: Whether a retry of the run has its id, so that no other run is one.
            again: Whether a process that died may have stored the input of a durable run.

        Returns:
            The items that the model sees first, and the part of the run that the session holds.
        """
        take_back()
        own = getattr(self.session, "session_settings", None)
        limit = resolve_session_limit(resolve_session_limit(None, config.session_settings), own)
        self._block = own = Block.begun(self._run_id, this_process())._replace(sole=durable)
        prior = PriorAttempt(self._input, limit, tools_answer, own, adopts=again or not durable)
        callback = config.session_input_callback
        combined = await (self._load(prior) if callback is None else self._load_by(callback, prior))
        # A limit may cut a turn in two, which is no damage.
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
        latest = await find_prior_attempt(self.session, prior)
        await self._continue(prior)
        combined = await _combined(callback, new, prior)
        to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        if prior.done is None and to_store and to_store != new:
            # A failed attempt has stored the input in the form that the callback returned.
            stored = PriorAttempt(
                to_store, prior.limit, prior.tools_answer, prior.block, adopts=prior.adopts
            )
            stored.window = prior.window
            if not stored.take(latest):
                await find_prior_attempt(self.session, stored)
            await self._continue(stored)
            if stored.done is not None:
                combined = await _combined(callback, new, stored)
                to_store = ItemHelpers.input_to_new_input_list(combined.to_store)
        # The callback may return items in any input form.
        await self._append(to_store)
        model_input = without_repeats(ItemHelpers.input_to_new_input_list(combined.model_input))
        return SessionInput(model_input, to_store, combined.changes)

    async def _continue(self, prior: PriorAttempt) -> None:
        """Take over the block of a prior attempt, if there is one."""
        if prior.done is not None:
            block = await adopt_prior_attempt(self.session, prior)
            if prior.done is not None:
                self._begin(prior.items, block)

    async def save(
        self,
        items: Sequence[RunItem],
        *,
        blocked: Callable[[], str] | None = None,
        kept: Kept = Kept.ALL,
        turn_start: int = 0,
        again: bool = False,
    ) -> Saved:
        """Store the new items of the run that may stand in the history, in one write.

        An item that waits for another, such as a call for its output, is written together with that
        one, and never if the run ends without it.

        Args:
            items: All items of the run so far.
            blocked: If a guardrail blocked the output, returns the text to store in place of
                function outputs, which may have been that output. Of the new items only the calls
                are stored then and no messages, because a later run must not read them.
            kept: How much to store if `blocked` is None.
            turn_start: The position of the last turn among the items.
            again: Whether a process that died may have made this write already. If the session
                ends with its result, the write is skipped.

        Returns:
            The result of the write.
        """
        start = self._first_open(items)
        opened = [
            (at, item)
            for at, item in enumerate(items[start:], start)
            if item.type != "tool_approval_item"
        ]
        forms = [self._form(item) for _, item in opened]
        written_positions = {at for at, (_, item) in enumerate(opened) if id(item) in self._written}
        turn = sum(at < turn_start for at, _ in opened)
        kept = kept if blocked is None else Kept.WITHHELD
        before = self._stored
        positions = writable_positions(forms, written_positions, kept, turn, before=before)
        new = [form for form in map(forms.__getitem__, positions) if form is not None]
        saved = await self._append(new if blocked is None else _withheld(new, blocked), again=again)
        now = tuple(opened[at][1] for at in positions)
        self._written |= {id(item): item for item in now}
        done = len(opened)
        if blocked is None:
            done = first_open(forms, {*written_positions, *positions}, turn, before=before)
        for _, item in opened[:done]:
            del self._forms[id(item)]
        handled = len(items) if done == len(opened) else opened[done][0]
        self._done = (handled, items[handled - 1] if handled else None)
        return saved._replace(written=now)

    def _first_open(self, items: Sequence[RunItem]) -> int:
        """The position from which to look for new items."""
        handled, last = self._done
        if last is not None and handled <= len(items) and items[handled - 1] is last:
            return handled
        # A resumed run starts over; a turn that was cut short may have fewer items now.
        return 0

    def _form(self, item: RunItem) -> TResponseInputItem | None:
        """The stored form of an item, made once, because making it uses up the item's id."""
        if id(item) not in self._forms:
            self._forms[id(item)] = self._ids.form(item.to_input_item())
        return self._forms[id(item)]

    def _begin(self, items: list[TResponseInputItem], block: Block | None) -> None:
        self._stored, self._block = list(items), block

    async def _append(self, items: list[TResponseInputItem], *, again: bool = False) -> Saved:
        anew = False
        take_back()
        try:
            if not (again and items and await self._is_written(items)):
                self._block = await self._save(items, self._block)
        except ConcurrentWrite:
            # The other run keeps the items that both share.
            if self._recorded:
                items = without_ids([*self._stored, *items])
            else:
                items = [*without_ids(self._stored), *items]
            self._stored, anew = [], True
            own = None if self._block is None else self._block.left()
            self._block = await self._save(items, own)
        if items:
            self._recorded = self._unsynced = False
        self._stored += items
        return Saved((), tuple(items), self._block, anew)

    async def _save(self, items: list[TResponseInputItem], block: Block | None) -> Block | None:
        if block is not None and items:
            # A run that has answered is not at work, whatever is popped later.
            answered = items[-1].get("role") == "assistant"
            block = block._replace(owner="" if answered else this_process())
        return await append_to_block(self.session, items, block)

    async def _is_written(self, items: list[TResponseInputItem]) -> bool:
        """Whether a session without blocks ends with all items of the run, including these."""
        whole = [*self._stored, *items]
        return self._block is None and list(await self.session.get_items(len(whole))) == whole

    async def _sync(self) -> None:
        """Sync an input to disk if no later write has done that."""
        if self._unsynced:
            self._unsynced = False
            take_back()
            await sync_block(self.session)

    async def _release(self) -> None:
        """Let a second attempt continue what this run leaves unanswered."""
        if self._block is not None and self._block.owner:
            # An error here would hide the one with which the run ends.
            with suppress(SessionError):
                await shielded(release_block(self.session, self._block))


def _withheld(
    items: list[TResponseInputItem], blocked: Callable[[], str]
) -> list[TResponseInputItem]:
    result: list[Any] = list(items)
    outputs = [at for at, it in enumerate(result) if it.get("type") == "function_call_output"]
    message = blocked() if outputs else ""
    for at in outputs:
        result[at] = {**result[at], "output": message}
    return result


async def _combined(
    callback: SessionInputCallback, new: list[TResponseInputItem], prior: PriorAttempt
) -> SessionInput:
    stored_input = None if prior.done is None else prior.new
    return await combine(prior.history, new, callback, stored=stored_input, done=prior.done)


def _report(session: Session, changes: Sequence[Change]) -> None:
    """Warn about a damaged history; `agentgraph sessions show` describes each item."""
    counts = Counter(change.rule for change in changes)
    logger.warning(
        "The history of session %r is damaged: the model sees it without %d of its items or"
        " their ids (%s); repair the stored history with `agentgraph sessions repair`",
        getattr(session, "session_id", type(session).__name__),
        len(changes),
        ", ".join(f"{rule}: {count}" for rule, count in counts.items()),
    )
