"""Which of its items a run may write, and when: the rules of `automaton` for growing histories.

A run writes to an append-only log while some of its calls still wait, for a person or for ever.
Therefore a call is written together with its output, as soon as that is there, even if sibling
calls still wait. Reasoning is written with the item that follows it in the reply; if no item of the
model follows, it is left out. Positions are those of the run's items in the order of the
conversation, which may differ from the order in which they are written. Everything is pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from agentgraph.memory.transcripts.automaton import (
    ANSWERED_BY,
    CALL_OF,
    NEED_NO_ID,
    from_client,
    keys_of,
    kind_of,
)
from agentgraph.memory.transcripts.plain import plainly_legal
from agentgraph.models.fake_id import PLACEHOLDER_IDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentgraph.items import TResponseInputItem

    Forms: TypeAlias = Sequence[TResponseInputItem | None]
    _Key: TypeAlias = tuple[str, str]

__all__ = [
    "DistinctIds",
    "Kept",
    "distinct",
    "first_open",
    "legal_input",
    "writable_positions",
]

_OUTSIDE = -1
"""The position of a call that is not among the items."""


class Kept(Enum):
    """How much of a run is stored.

    Attributes:
        ALL: All items that may stand.
        SETTLED: The finished turns; of the turn that was cut short only the answered calls, with
            the items that a legal history needs around them, and no messages of the model.
        WITHHELD: All items except messages of the model and items that wait for an answer: a
            guardrail blocked the output, and no later run may read it.
    """

    ALL = "all"
    SETTLED = "settled"
    WITHHELD = "withheld"


class _Fate(Enum):
    """Whether an item may stand in the history: now, once another item follows, or never.

    A request for approval asks: it may stand unanswered, and an answer may still come.
    """

    STANDS = "stands"
    ASKS = "asks"
    WAITS = "waits"
    FALLS = "falls"


class DistinctIds:
    """The ids that a transcript has used; it grows with the transcript, item by item.

    Args:
        before: The items before those that will come.
        ids: Further ids in use.
    """

    __slots__ = ("_ids",)

    def __init__(self, before: Iterable[TResponseInputItem] = (), ids: Iterable[str] = ()) -> None:
        self._ids = set(ids)
        items: Iterable[Any] = before
        self._ids.update(
            identity
            for item in items
            if "id" in item
            and type(identity := item["id"]) is str
            and item.get("type") != "local_shell_call_output"
        )
        self._ids.difference_update(PLACEHOLDER_IDS)

    def used(self) -> frozenset[str]:
        """The ids so far."""
        return frozenset(self._ids)

    def form(self, item: TResponseInputItem) -> TResponseInputItem | None:
        """Return the form in which the next item may stand.

        Models and proxies that number the items of each response from zero reuse ids.

        Args:
            item: The item in input form; not changed.

        Returns:
            The item itself if its id is new or it has none. Otherwise the item without its id, or
            None if the API requires an id for it.
        """
        fields: Any = item
        identity = fields.get("id")
        if identity is None or identity in PLACEHOLDER_IDS or not isinstance(identity, str):
            return item
        # The id of a local shell output is the id of its call, not its own.
        if fields.get("type") == "local_shell_call_output":
            return item
        if identity not in self._ids:
            self._ids.add(identity)
            return item
        if kind_of(fields) not in NEED_NO_ID:
            return None
        without = {name: value for name, value in fields.items() if name != "id"}
        return cast("TResponseInputItem", without)


def distinct(
    items: Iterable[TResponseInputItem], before: Iterable[TResponseInputItem] = ()
) -> list[TResponseInputItem | None]:
    """Return the form of each item with distinct ids; None for an item without such a form.

    Args:
        items: The items in input form; not changed.
        before: The items before them.
    """
    ids = DistinctIds(before)
    return [ids.form(item) for item in items]


def writable_positions(
    items: Forms,
    written: Collection[int] = (),
    kept: Kept = Kept.ALL,
    turn_start: int = 0,
    *,
    since: int = 0,
    before: Iterable[TResponseInputItem] = (),
) -> list[int]:
    """Return the positions that a run may write now, after those that it has written.

    Written items never change. A later call returns further positions, such as a call that waited
    and its output. The log is therefore legal after each write, apart from requests for approval,
    which the caller may answer in the input of the next run.

    Args:
        items: The items of the run so far, in input form and with distinct ids (`distinct`); None
            for an item that cannot stand.
        written: The written positions.
        kept: How much of the run to store.
        turn_start: The position of the last turn. Reasoning at the end of an earlier turn cannot
            stand.
        since: The first position to check; all positions below are settled (`first_open`).
        before: The items before those of the run, which may answer calls among them.

    Returns:
        The positions, ascending.
    """
    if kept is Kept.ALL and not written and not since and _plain(items):
        return list(range(len(items)))
    fates, call_of = _fates(items, turn_start, since, before)
    answered = any(output >= turn_start for output in call_of)
    positions: list[int] = []
    reasoning: list[int] = []
    for position, fate in enumerate(fates, since):
        fields: Any = items[position]
        if fields is None:
            reasoning.clear()
            continue
        kind = kind_of(fields)
        if kind == "reasoning":
            if fate is not _Fate.FALLS:
                reasoning.append(position)
            continue
        if (
            fate in (_Fate.STANDS, _Fate.ASKS)
            and position not in written
            and not _output_written(items, written, call_of.get(position))
            and _is_kept(fields, fate, kept, cut_short=position >= turn_start, answered=answered)
        ):
            if not from_client(kind, fields):
                positions += reasoning
            positions.append(position)
        reasoning.clear()
    return positions


def first_open(
    items: Forms,
    written: Collection[int],
    turn_start: int = 0,
    *,
    since: int = 0,
    before: Iterable[TResponseInputItem] = (),
) -> int:
    """Return a position below which all items are settled: written, or never writable.

    A run passes it as `since` from then on, so that a write costs only as much as its new items.

    Args:
        items: As for `writable_positions`.
        written: The written positions.
        turn_start: As for `writable_positions`.
        since: The earlier result.
        before: As for `writable_positions`.
    """
    if not since and len(written) == len(items) and _plain(items):
        return len(items)
    fates, call_of = _fates(items, turn_start, since, before)
    undone = (
        position
        for position, fate in enumerate(fates, since)
        if not (fate is _Fate.FALLS or (fate is not _Fate.ASKS and position in written))
    )
    place = next(undone, len(items))
    # The meaning of a call id depends on the open calls, so never separate a call and its output.
    for output in sorted(call_of, reverse=True):
        if output < place:
            break
        if call_of[output] != _OUTSIDE:
            place = min(place, call_of[output])
    return place


def legal_input(
    items: Sequence[TResponseInputItem], before: Iterable[TResponseInputItem] = ()
) -> list[TResponseInputItem]:
    """Return the items of a run as they may stand in the input of another run.

    A run that ended inside a turn leaves calls without an output. They are left out, together with
    the reasoning that led to them; answered siblings stay. A request for approval stays, because
    the caller's next input may answer it.

    Args:
        items: The items of the run, in input form; not changed.
        before: The items before them, such as the caller's input, which is never changed.
    """
    before = list(before)
    forms = distinct(items, before)
    writable = (forms[position] for position in writable_positions(forms, before=before))
    return [form for form in writable if form is not None]


def _plain(items: Forms) -> bool:
    """Tell whether the items are plainly legal, as nearly all are, so that all may stand."""
    return None not in items and plainly_legal(cast("Sequence[TResponseInputItem]", items))


class _Open:
    """The open calls: those that wait for their output.

    Args:
        before: The items before; searched only if an output answers no call among the items.
    """

    __slots__ = ("_before", "_open", "_outside", "_referenced")

    def __init__(self, before: Iterable[TResponseInputItem]) -> None:
        self._open: dict[_Key, tuple[int, tuple[_Key, ...]]] = {}
        self._referenced = False
        self._before: Iterable[TResponseInputItem] = before
        self._outside: set[_Key] | None = None

    def open(self, position: int, keys: tuple[_Key, ...]) -> bool:
        """Add a call and return whether it may stand: no open call has its id."""
        if any(key in self._open for key in keys):
            return False
        self._open.update(dict.fromkeys(keys, (position, keys)))
        return True

    def answer(self, keys: tuple[_Key, ...]) -> int | None:
        """Return the position of the call that an output answers.

        It is -1 if the call is before the items, None if there is no such call.
        """
        for key in keys:
            if key in self._open:
                position, all_keys = self._open[key]
                for key_of_call in all_keys:
                    del self._open[key_of_call]
                return position
        if self._outside is None:
            self._outside = set()
            for item in self._before:
                fields: Any = item
                kind = kind_of(fields)
                if kind in ANSWERED_BY:
                    self._outside.update(keys_of(kind, fields))
                elif kind in CALL_OF:
                    self._outside -= {*keys_of(CALL_OF[kind], fields, output=True)}
                elif kind == "item_reference":
                    self._referenced = True
        if self._outside.isdisjoint(keys):
            return _OUTSIDE if self._referenced else None
        self._outside.difference_update(keys)
        return _OUTSIDE

    def refer(self) -> list[int]:
        """Note a reference to a stored item; return the calls that the item may answer."""
        self._referenced = True
        positions = [position for position, _ in self._open.values()]
        self._open.clear()
        return positions


def _fates(
    items: Forms, turn_start: int, since: int, before: Iterable[TResponseInputItem]
) -> tuple[list[_Fate], dict[int, int]]:
    """Return the fate of each item from `since`, and the position of the call of each output."""
    fates: list[_Fate] = []
    call_of: dict[int, int] = {}
    calls = _Open(before)
    reasoning: list[int] = []
    item_of: dict[int, int] = {}
    for position in range(since, len(items)):
        fields: Any = items[position]
        kind = "" if fields is None else kind_of(fields)
        if position == turn_start:
            reasoning.clear()
        fate = _Fate.STANDS
        if fields is None or kind == "reasoning":
            fate = _Fate.FALLS
        elif kind in ANSWERED_BY and (keys := keys_of(kind, fields)):
            fate = _Fate.ASKS if kind == "mcp_approval_request" else _Fate.WAITS
            fate = fate if calls.open(position, keys) else _Fate.FALLS
        elif kind in CALL_OF and (keys := keys_of(CALL_OF[kind], fields, output=True)):
            call = calls.answer(keys)
            if call is None:
                fate = _Fate.FALLS
            else:
                call_of[position] = call
                if call != _OUTSIDE:
                    fates[call - since] = _Fate.STANDS
        elif kind == "item_reference":
            for call in calls.refer():
                fates[call - since] = _Fate.STANDS
        fates.append(fate)
        if kind == "reasoning":
            reasoning.append(position)
            continue
        if fields is not None and not from_client(kind, fields):
            item_of.update(dict.fromkeys(reasoning, position))
        reasoning.clear()
    for position, item in item_of.items():
        fates[position - since] = fates[item - since]
    if len(items) > turn_start:
        for position in reasoning:
            fates[position - since] = _Fate.WAITS
    return fates, call_of


def _output_written(items: Forms, written: Collection[int], call: int | None) -> bool:
    """Tell whether the call at a position has a written output.

    A call is written together with its output; a request for approval is written before its answer.
    """
    if call is None or call not in written:
        return False
    request: Any = items[call]
    if request.get("type") != "mcp_approval_request":
        return True
    answers = (cast("Any", items[position]) for position in written)
    return any(
        answer is not None and answer.get("approval_request_id") == request["id"]
        for answer in answers
    )


def _is_kept(
    fields: Mapping[str, object], fate: _Fate, kept: Kept, *, cut_short: bool, answered: bool
) -> bool:
    """Tell whether to store an item that may stand."""
    if kept is Kept.ALL or (kept is Kept.SETTLED and not cut_short):
        return True
    kind = kind_of(fields)
    if kind == "message":
        return from_client(kind, fields)
    return fate is not _Fate.ASKS and (kept is Kept.WITHHELD or answered)
