"""Operations on a transcript: check it, repair it, find the part that may be written.

The rules are those of `agentgraph.memory.transcripts.automaton`; every function here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from agentgraph.memory.transcripts.automaton import NEED_NO_ID, Automaton, Rule, Violation
from agentgraph.memory.transcripts.plain import plainly_legal

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

    _Numbered: TypeAlias = list[tuple[int, TResponseInputItem]]

__all__ = [
    "Change",
    "Repair",
    "Rule",
    "Violation",
    "legal",
    "legal_prefix",
    "repair",
    "violations",
    "without_ids",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One item that `repair` removed or changed.

    Attributes:
        index: Its position in the list before the repair.
        rule: The rule that it broke.
        message: The change and its reason, as a sentence.
        replacement: The item in its place; None if it was removed.
    """

    index: int
    rule: Rule
    message: str
    replacement: TResponseInputItem | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A repaired transcript.

    Attributes:
        items: The legal transcript; the same list object if nothing was wrong.
        changes: The changes, in the order of the original list.
    """

    items: list[TResponseInputItem]
    changes: tuple[Change, ...]


def legal(items: Sequence[TResponseInputItem]) -> bool:
    """Tell whether the Responses API would accept these items as its input."""
    return not violations(items)


def violations(items: Sequence[TResponseInputItem]) -> list[Violation]:
    """Return the violations of a transcript, in the order of its items."""
    automaton = Automaton()
    faults: list[Violation] = []
    for item in items:
        if wrong := automaton.accept(item):
            faults.extend(wrong)
    faults.extend(automaton.finish())
    faults.sort(key=lambda violation: violation.index)
    return faults


def repair(
    items: list[TResponseInputItem], followed_by: Sequence[TResponseInputItem] = ()
) -> Repair:
    """Repair a transcript by removing the items that cannot stay.

    A call without an output is removed together with the reasoning directly before it, which
    belongs to it. Of duplicates the first stays. An item with the id of another item loses its id.
    A legal transcript is returned unchanged, and a second repair changes nothing.

    Args:
        items: Input items, oldest first; the list is not changed.
        followed_by: The items after them, which are not repaired and may answer calls among them.

    Returns:
        The legal transcript and its changes.
    """
    # Later items cannot make a legal transcript illegal.
    faults = [] if plainly_legal(items) else _among(items, followed_by)
    if not faults:
        return Repair(items, ())
    numbered: _Numbered = list(enumerate(items))
    changes: dict[int, Change] = {}
    # Each round removes an item or an id; removing a call can only leave reasoning stranded.
    while faults:
        # A rule that removes the item wins over one that removes only its id.
        faults.sort(key=lambda violation: violation.rule != "reused-id")
        reasons = {violation.index: violation for violation in faults}
        for violation in faults:
            if violation.rule == "call-without-output":
                reasons |= _reasoning_of(numbered, violation.index, reasons)
        changes |= {
            numbered[at][0]: _change(*numbered[at], reason) for at, reason in reasons.items()
        }
        numbered = [
            (index, changes[index].replacement or item if at in reasons else item)
            for at, (index, item) in enumerate(numbered)
            if at not in reasons or changes[index].replacement is not None
        ]
        faults = _among([item for _, item in numbered], followed_by)
    return Repair(
        [item for _, item in numbered], tuple(changes[index] for index in sorted(changes))
    )


def _among(
    items: Sequence[TResponseInputItem], followed_by: Sequence[TResponseInputItem]
) -> list[Violation]:
    """The violations among some items, in view of the items that follow them."""
    faults = violations([*items, *followed_by])
    return [violation for violation in faults if violation.index < len(items)]


def _change(index: int, item: TResponseInputItem, reason: Violation) -> Change:
    """The change of an item, by the reason why it cannot stay."""
    if reason.rule != "reused-id":
        return Change(index, reason.rule, f"removed item {index}: {reason.message}")
    without = {name: value for name, value in item.items() if name != "id"}
    message = f"removed the id of item {index}: {reason.message}"
    return Change(index, reason.rule, message, cast("TResponseInputItem", without))


def _reasoning_of(
    numbered: _Numbered, call: int, others: Mapping[int, Violation]
) -> dict[int, Violation]:
    """Return the reasoning items directly before a call that is removed."""
    reasons: dict[int, Violation] = {}
    at = call - 1
    while at >= 0 and at not in others and numbered[at][1].get("type") == "reasoning":
        reasons[at] = Violation(
            at, "reasoning-without-item", "the call that this reasoning belongs to has no output"
        )
        at -= 1
    return reasons


def without_ids(items: Iterable[TResponseInputItem]) -> list[TResponseInputItem]:
    """Return items as they may stand in a transcript a second time: without their ids.

    Items that need an id, such as reasoning, are left out.

    Args:
        items: A part of a transcript, oldest first; not changed.
    """
    forms: list[dict[str, object]] = []
    for item in items:
        fields = cast("Mapping[str, object]", item)
        if fields.get("type", "message") in NEED_NO_ID:
            forms.append({name: value for name, value in fields.items() if name != "id"})
    return repair(cast("list[TResponseInputItem]", forms)).items


def legal_prefix(
    items: Sequence[TResponseInputItem], history: Iterable[TResponseInputItem] = ()
) -> list[TResponseInputItem]:
    """Return the longest beginning of `items` after which a transcript may be written.

    A writer saves this part: a call waits for its output, reasoning for its item. It ends before
    the first item that can never become legal.

    Args:
        items: The items to save, oldest first.
        history: The items before them; violations among these do not count.
    """
    automaton = Automaton()
    for item in history:
        automaton.accept(item)
    automaton.forgive()
    length = 0
    for position, item in enumerate(items, start=1):
        if automaton.accept(item):
            break
        if automaton.settled():
            length = position
    return list(items[:length])
