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
from typing import TYPE_CHECKING, Any, cast

from agentgraph.memory.transcripts.automaton import (
    NEED_NO_ID,
    OUTSIDE,
    Fate,
    Forms,
    from_client,
    judge,
    kind_of,
    without_id,
)
from agentgraph.memory.transcripts.plain import plainly_legal
from agentgraph.models.fake_id import PLACEHOLDER_IDS, has_placeholder_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentgraph.items import TResponseInputItem

__all__ = [
    "DistinctIds",
    "Kept",
    "distinct",
    "first_open",
    "legal_input",
    "writable_positions",
]


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
            and identity != item.get("call_id")
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
        fields: Mapping[str, Any] = item
        identity = fields.get("id")
        if not isinstance(identity, str) or has_placeholder_id(fields):
            return item
        # The id of a local shell output is the id of its call, not its own.
        if fields.get("type") == "local_shell_call_output":
            return item
        if identity not in self._ids:
            self._ids.add(identity)
            return item
        if kind_of(fields) not in NEED_NO_ID:
            return None
        return without_id(fields)


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
        before: The items before those of the run, which may answer calls among them.

    Returns:
        The positions, ascending.
    """
    if kept is Kept.ALL and not written and _plain(items):
        return list(range(len(items)))
    fates, call_of, reasoning_of, _ = judge(items, turn_start, before)
    answered = any(output >= turn_start for output in call_of)
    positions: list[int] = []
    for position, fate in enumerate(fates):
        fields: Any = items[position]
        if (
            fate in (Fate.STANDS, Fate.ASKS)
            and position not in written
            and kind_of(fields) != "reasoning"
            and not _output_written(items, written, call_of.get(position))
            and _is_kept(fields, fate, kept, cut_short=position >= turn_start, answered=answered)
        ):
            positions += (*reasoning_of.get(position, ()), position)
    return positions


def first_open(
    items: Forms,
    written: Collection[int],
    turn_start: int = 0,
    *,
    before: Iterable[TResponseInputItem] = (),
) -> int:
    """Return a position below which all items are settled: written, or never writable.

    A run leaves out the items below it from then on, so that a write costs only as much as its new
    items.

    Args:
        items: As for `writable_positions`.
        written: The written positions.
        turn_start: As for `writable_positions`.
        before: As for `writable_positions`.
    """
    if len(written) == len(items) and _plain(items):
        return len(items)
    fates, call_of, _, _ = judge(items, turn_start, before)
    undone = (
        position
        for position, fate in enumerate(fates)
        if not (fate is Fate.FALLS or (fate is not Fate.ASKS and position in written))
    )
    place = next(undone, len(items))
    # The meaning of a call id depends on the open calls, so never separate a call and its output.
    for output in sorted(call_of, reverse=True):
        if output < place:
            break
        if call_of[output] != OUTSIDE:
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
    fields: Mapping[str, object], fate: Fate, kept: Kept, *, cut_short: bool, answered: bool
) -> bool:
    """Tell whether to store an item that may stand."""
    if kept is Kept.ALL or (kept is Kept.SETTLED and not cut_short):
        return True
    kind = kind_of(fields)
    if kind == "message":
        return from_client(kind, fields)
    return fate is not Fate.ASKS and (kept is Kept.WITHHELD or answered)
