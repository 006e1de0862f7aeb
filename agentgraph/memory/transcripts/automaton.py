"""The item protocol: which input item may follow which, as an automaton over dicts in input form.

A transcript is legal if the Responses API accepts it as input:

    rule                    the API's answer when it is broken
    call-without-output     No tool output found for function call …
    output-without-call     No tool call found for function call output …
    reasoning-without-item  Item … of type 'reasoning' was provided without its required …
    duplicate-item          Duplicate item found with id …; the item is the same
    reused-id               Duplicate item found with id …; the items differ
    duplicate-call          undefined: two calls or two outputs have one call id,
    duplicate-output        and nothing decides between them

A call may be answered any number of items later, in any order. Hosted calls contain their result
and need no answer. Items of unknown types are legal anywhere. A reference to an item stored by the
API may be any item, so a transcript is legal if some item in its place makes it legal.

Everything here is pure, and takes one step for each item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "ANSWERED_BY",
    "CALL_OF",
    "NEED_NO_ID",
    "OUTSIDE",
    "Fate",
    "Forms",
    "Judgment",
    "Rule",
    "from_client",
    "judge",
    "keys_of",
    "kind_of",
    "without_id",
]

_Key: TypeAlias = tuple[str, str]

Forms: TypeAlias = "Sequence[TResponseInputItem | None]"
"""Items in input form; None for an item that cannot stand."""

OUTSIDE = -1
"""The position of a call that is not among the items."""

Rule = Literal[
    "call-without-output",
    "output-without-call",
    "reasoning-without-item",
    "duplicate-item",
    "reused-id",
    "duplicate-call",
    "duplicate-output",
]

ANSWERED_BY = {
    "function_call": "function_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "tool_search_call": "tool_search_output",
    "mcp_approval_request": "mcp_approval_response",
}
"""Each kind of call that the client answers, and the kind of its answer."""

CALL_OF = {output: call for call, output in ANSWERED_BY.items()}
"""Each kind of answer, and the kind of call that it answers."""

_CALLS_WITHOUT_ID = {
    "apply_patch_call",
    "custom_tool_call",
    "function_call",
    "shell_call",
    "tool_search_call",
}
NEED_NO_ID = frozenset({"message", *_CALLS_WITHOUT_ID, *CALL_OF} - {"local_shell_call_output"})
"""The types of items that the API accepts without an id."""

_CLIENT_ROLES = frozenset({"user", "system", "developer"})


class Fate(Enum):
    """Whether an item may stand in the history: now, once another item follows, or never.

    A request for approval asks: it may stand unanswered, and an answer may still come.
    """

    STANDS = "stands"
    ASKS = "asks"
    WAITS = "waits"
    FALLS = "falls"


class Judgment(NamedTuple):
    """What the automaton says about a list of items.

    Attributes:
        fates: The fate of each item.
        call_of: The position of the call of each output; `OUTSIDE` for one before the items.
        reasoning_of: The positions of the reasoning that leads to an item.
        broken: The rule that an item breaks, if it is not that of a call that waits.
    """

    fates: list[Fate]
    call_of: dict[int, int]
    reasoning_of: dict[int, list[int]]
    broken: dict[int, Rule]


class _OpenCalls:
    """The calls that wait for their output.

    Args:
        before: The items before; searched only if an output answers no call among the items.
    """

    def __init__(self, before: Iterable[TResponseInputItem]) -> None:
        self._open: dict[_Key, tuple[int, tuple[_Key, ...]]] = {}
        self._answered: set[_Key] = set()
        self._referenced = False
        self._before = before
        self._outside: set[_Key] | None = None

    def open(self, position: int, keys: tuple[_Key, ...]) -> Rule | None:
        """Add a call, unless an open call has its id; return the broken rule."""
        if any(key in self._open for key in keys):
            return "duplicate-call"
        self._open.update(dict.fromkeys(keys, (position, keys)))
        self._answered.difference_update(keys)
        return None

    def answer(self, keys: tuple[_Key, ...]) -> int | Rule:
        """Return the position of the call that an output answers, or the broken rule."""
        for key in keys:
            if key in self._open:
                position, all_keys = self._open[key]
                for key_of_call in all_keys:
                    del self._open[key_of_call]
                self._answered.update(all_keys)
                return position
        if self._outside is None:
            self._outside = self._search()
        if not self._outside.isdisjoint(keys):
            self._outside.difference_update(keys)
            return OUTSIDE
        if self._referenced:
            return OUTSIDE
        is_repeated = not self._answered.isdisjoint(keys)
        return "duplicate-output" if is_repeated else "output-without-call"

    def refer(self) -> list[int]:
        """Note a reference to a stored item; return the calls that the item may answer."""
        self._referenced = True
        positions = [position for position, _ in self._open.values()]
        self._open.clear()
        return positions

    def _search(self) -> set[_Key]:
        """Return the calls before the items that wait for their output."""
        waiting: set[_Key] = set()
        for item in self._before:
            fields: Mapping[str, Any] = item
            kind = kind_of(fields)
            if kind in ANSWERED_BY:
                waiting.update(keys_of(kind, fields))
            elif kind in CALL_OF:
                waiting -= {*keys_of(CALL_OF[kind], fields, output=True)}
            elif kind == "item_reference":
                self._referenced = True
        return waiting


def judge(items: Forms, turn_start: int = 0, before: Iterable[TResponseInputItem] = ()) -> Judgment:
    """Judge the items of a transcript, apart from their ids.

    Args:
        items: The items; None for one that cannot stand.
        turn_start: The position of the last turn. Reasoning at the end of an earlier turn cannot
            stand.
        before: The items before them, which may have calls that they answer.
    """
    fates: list[Fate] = []
    call_of: dict[int, int] = {}
    broken: dict[int, Rule] = {}
    calls = _OpenCalls(before)
    reasoning: list[int] = []
    reasoning_of: dict[int, list[int]] = {}
    for position, item in enumerate(items):
        fields: Mapping[str, Any] | None = item
        kind = "" if fields is None else kind_of(fields)
        if position == turn_start:
            reasoning = []
        fate = Fate.STANDS
        if fields is None or kind == "reasoning":
            fate = Fate.FALLS
        elif kind in ANSWERED_BY and (keys := keys_of(kind, fields)):
            fate = Fate.ASKS if kind == "mcp_approval_request" else Fate.WAITS
            if (rule := calls.open(position, keys)) is not None:
                fate, broken[position] = Fate.FALLS, rule
        elif kind in CALL_OF and (keys := keys_of(CALL_OF[kind], fields, output=True)):
            call = calls.answer(keys)
            if isinstance(call, str):
                fate, broken[position] = Fate.FALLS, call
            else:
                call_of[position] = call
                if call != OUTSIDE:
                    fates[call] = Fate.STANDS
        elif kind == "item_reference":
            for call in calls.refer():
                fates[call] = Fate.STANDS
        fates.append(fate)
        if kind == "reasoning":
            reasoning.append(position)
            broken[position] = "reasoning-without-item"
            continue
        if reasoning and fields is not None and not from_client(kind, fields):
            reasoning_of[position] = reasoning
        reasoning = []
    for position, leading in reasoning_of.items():
        for one in leading:
            fates[one] = fates[position]
            del broken[one]
    if len(items) > turn_start:
        for position in reasoning:
            fates[position] = Fate.WAITS
    return Judgment(fates, call_of, reasoning_of, broken)


def kind_of(fields: Mapping[str, Any]) -> str:
    """Return the type of an item in input form."""
    kind = fields.get("type")
    if isinstance(kind, str):
        return kind
    # Messages and references may leave their type out.
    return "message" if "role" in fields else "item_reference" if "id" in fields else ""


def without_id(fields: Mapping[str, Any]) -> TResponseInputItem:
    """Return a copy of an item in input form that has no id."""
    form = {name: value for name, value in fields.items() if name != "id"}
    return cast("TResponseInputItem", form)


def from_client(kind: str, fields: Mapping[str, Any]) -> bool:
    """Tell whether the client made an item rather than the model; reasoning cannot lead to it."""
    return kind in CALL_OF or (kind == "message" and fields.get("role") in _CLIENT_ROLES)


def keys_of(
    call_kind: str, fields: Mapping[str, Any], *, output: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the keys of a call that waits, or of its output; empty if the call needs none.

    Args:
        call_kind: The type of the call.
        fields: The call, or its output.
        output: Whether it is the output.
    """
    names: tuple[str, ...] = ("call_id",)
    if call_kind == "mcp_approval_request":
        names = ("approval_request_id" if output else "id",)
    elif call_kind == "local_shell_call":
        # The API's output type has only `id`; the SDK writes `call_id`.
        names = ("call_id", "id")
    elif call_kind == "tool_search_call" and fields.get("execution") != "client":
        # The API answers its own searches, within one response and without a call id.
        names = ()
    if len(names) == 1:
        value = fields.get(names[0])
        return ((call_kind, value),) if isinstance(value, str) and value else ()
    values = dict.fromkeys(fields.get(name) for name in names)
    return tuple((call_kind, value) for value in values if isinstance(value, str) and value)
