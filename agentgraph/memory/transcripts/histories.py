"""Operations on a transcript: check it, and repair it.

The rules are those of `agentgraph.memory.transcripts.automaton`; every function here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from agentgraph.memory.transcripts.automaton import (
    NEED_NO_ID,
    Fate,
    Rule,
    judge,
    kind_of,
    without_id,
)
from agentgraph.memory.transcripts.plain import plainly_legal
from agentgraph.models.fake_id import has_placeholder_id

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

    _Numbered: TypeAlias = list[tuple[int, TResponseInputItem]]

__all__ = [
    "Change",
    "Repair",
    "Rule",
    "Violation",
    "legal",
    "repair",
    "violations",
    "without_ids",
]


_MESSAGES: dict[Rule, str] = {
    "call-without-output": "{} has no output",
    "output-without-call": "{} answers a call that is not in the transcript",
    "reasoning-without-item": "reasoning is not followed by the item it belongs to",
    "duplicate-call": "{} has the call id of a call that is still open",
    "duplicate-output": "{} answers a call that has its output already",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One item that cannot stay where it is.

    Attributes:
        index: Its position in the list that was checked.
        rule: The rule it breaks.
        message: What is wrong; it names the item but not its content.
    """

    index: int
    rule: Rule
    message: str


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
    faults, standing = _id_faults(items)
    fates, _, _, broken = judge([items[position] for position in standing])
    for at, (position, fate) in enumerate(zip(standing, fates, strict=True)):
        rule = broken.get(at)
        if rule is None and fate in (Fate.WAITS, Fate.ASKS) and not _is_reasoning(items[position]):
            rule = "call-without-output"
        if rule is not None:
            message = _MESSAGES[rule].format(_name(items[position]))
            faults.append(Violation(position, rule, message))
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
    message = f"removed the id of item {index}: {reason.message}"
    return Change(index, reason.rule, message, without_id(item))


def _is_reasoning(item: TResponseInputItem) -> bool:
    return item.get("type") == "reasoning"


def _reasoning_of(
    numbered: _Numbered, call: int, others: Mapping[int, Violation]
) -> dict[int, Violation]:
    """Return the reasoning items directly before a call that is removed."""
    reasons: dict[int, Violation] = {}
    at = call - 1
    while at >= 0 and at not in others and _is_reasoning(numbered[at][1]):
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
    return repair(
        [without_id(item) for item in items if item.get("type", "message") in NEED_NO_ID]
    ).items


def _id_faults(items: Sequence[TResponseInputItem]) -> tuple[list[Violation], list[int]]:
    """Return the violations of the ids of items, and the positions of items that are no duplicates.

    A turn that was stored twice repeats equal items without a user's message in between. Models
    and proxies that number the items of each response from zero reuse ids for other items.
    """
    faults: list[Violation] = []
    standing: list[int] = []
    ids: dict[str, tuple[int, Mapping[str, object]]] = {}
    user_messages = 0
    for position, item in enumerate(items):
        fields: Mapping[str, object] = item
        kind, identity = kind_of(fields), fields.get("id")
        # The id of a local shell output is the id of its call, not its own.
        if isinstance(identity, str) and kind != "local_shell_call_output":
            if identity in ids:
                since, first = ids[identity]
                same = since == user_messages and fields == first
                if same or kind not in NEED_NO_ID or kind_of(first) == "item_reference":
                    message = f"{_name(fields)} is in the transcript already"
                    faults.append(Violation(position, "duplicate-item", message))
                    continue
                message = f"{_name(fields)} has the id {identity!r} of another item"
                faults.append(Violation(position, "reused-id", message))
            elif not has_placeholder_id(fields):
                ids[identity] = user_messages, fields
        user_messages += kind == "message" and fields.get("role") == "user"
        standing.append(position)
    return faults, standing


def _name(fields: Mapping[str, object]) -> str:
    identity = (
        fields.get("call_id") or fields.get("approval_request_id") or fields.get("id") or "no id"
    )
    tool = fields.get("name")
    of_tool = f" of tool {tool!r}" if isinstance(tool, str) else ""
    return f"{kind_of(fields)} {identity!r}{of_tool}"
