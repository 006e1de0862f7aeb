"""What is done with a transcript: judge it, mend it, find up to where it may be written.

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

    _Kept: TypeAlias = list[tuple[int, TResponseInputItem]]

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
        rule: The rule it broke.
        message: What was done and why, as a sentence.
        replacement: What stands in its place; None when it was removed.
    """

    index: int
    rule: Rule
    message: str
    replacement: TResponseInputItem | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A transcript after mending.

    Attributes:
        items: The legal transcript; the same list object when nothing was wrong.
        changes: What was done, in the order of the original list; empty when nothing was.
    """

    items: list[TResponseInputItem]
    changes: tuple[Change, ...]


def legal(items: Sequence[TResponseInputItem]) -> bool:
    """Tell whether the Responses API would take these items as its input."""
    return not violations(items)


def violations(items: Sequence[TResponseInputItem]) -> list[Violation]:
    """Return what is wrong with a transcript, in the order of its items."""
    automaton = Automaton()
    found: list[Violation] = []
    for item in items:
        if wrong := automaton.accept(item):
            found.extend(wrong)
    found.extend(automaton.finish())
    found.sort(key=lambda violation: violation.index)
    return found


def repair(
    items: list[TResponseInputItem], followed_by: Sequence[TResponseInputItem] = ()
) -> Repair:
    """Mend a transcript that something else wrote, by removing what cannot stay.

    A call that never got its output goes together with the reasoning directly before it, which
    belongs to it; of duplicates the first stays; an item with the id of another one loses its id. A
    legal transcript comes back as it is, and repairing twice changes nothing more.

    Args:
        items: Input items, oldest first; the list is not changed.
        followed_by: What comes after them and is not mended: it may answer calls among them.

    Returns:
        The legal transcript and what was done to it, in words.
    """
    # What follows a legal transcript makes nothing in it wrong.
    found = [] if plainly_legal(items) else _among(items, followed_by)
    if not found:
        return Repair(items, ())
    kept: _Kept = list(enumerate(items))
    changes: dict[int, Change] = {}
    # Each round removes an item or an id; removing a call can only leave reasoning stranded.
    while found:
        # What takes an item away goes before what takes its id.
        found.sort(key=lambda violation: violation.rule != "reused-id")
        reasons = {violation.index: violation for violation in found}
        for violation in found:
            if violation.rule == "call-without-output":
                reasons |= _reasoning_of(kept, violation.index, reasons)
        changes |= {kept[at][0]: _change(*kept[at], reason) for at, reason in reasons.items()}
        kept = [
            (index, changes[index].replacement or item if at in reasons else item)
            for at, (index, item) in enumerate(kept)
            if at not in reasons or changes[index].replacement is not None
        ]
        found = _among([item for _, item in kept], followed_by)
    return Repair([item for _, item in kept], tuple(changes[index] for index in sorted(changes)))


def _among(
    items: Sequence[TResponseInputItem], followed_by: Sequence[TResponseInputItem]
) -> list[Violation]:
    """The violations among some items, seen together with what follows them."""
    found = violations([*items, *followed_by])
    return [violation for violation in found if violation.index < len(items)]


def _change(index: int, item: TResponseInputItem, reason: Violation) -> Change:
    """What is done to an item, given why it cannot stay as it is."""
    if reason.rule != "reused-id":
        return Change(index, reason.rule, f"removed item {index}: {reason.message}")
    without = {name: value for name, value in item.items() if name != "id"}
    message = f"removed the id of item {index}: {reason.message}"
    return Change(index, reason.rule, message, cast("TResponseInputItem", without))


def _reasoning_of(kept: _Kept, call: int, taken: Mapping[int, Violation]) -> dict[int, Violation]:
    """Return the reasoning items directly before a call that is removed."""
    found: dict[int, Violation] = {}
    at = call - 1
    while at >= 0 and at not in taken and kept[at][1].get("type") == "reasoning":
        found[at] = Violation(
            at, "reasoning-without-item", "the call that this reasoning belongs to has no output"
        )
        at -= 1
    return found


def without_ids(items: Iterable[TResponseInputItem]) -> list[TResponseInputItem]:
    """Return items as they may stand in a transcript a second time: without the ids of their own.

    What cannot do without its id, such as reasoning, is left out.

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

    This is what a writer saves: a call waits for its output, reasoning for its item. Nothing at or
    after an item that can never become legal is part of it.

    Args:
        items: What is to be saved, oldest first.
        history: What stands before it; its own faults do not count.
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
