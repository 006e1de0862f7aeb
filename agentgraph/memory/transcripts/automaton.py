"""The item protocol: which input item may follow which, as an automaton over dicts in input form.

A transcript is legal where the Responses API takes it as input:

    rule                    the API's answer when it is broken
    call-without-output     No tool output found for function call …
    output-without-call     No tool call found for function call output …
    reasoning-without-item  Item … of type 'reasoning' was provided without its required …
    duplicate-item          Duplicate item found with id …; the item is the same
    reused-id               Duplicate item found with id …; the item is another one
    duplicate-call          undefined: two calls or two outputs have one call id,
    duplicate-output        so nothing says which of them holds

A call may be answered any number of items later, in any order; hosted calls carry their own result
and need no answer; the items of types that this module does not know are legal anywhere. A
reference to an item stored by the API may stand for anything, so what it could stand for is legal.

Everything here is pure, and takes one step an item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agentgraph.models.fake_id import PLACEHOLDER_IDS

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "ANSWERED_BY",
    "CALL_OF",
    "NEED_NO_ID",
    "Automaton",
    "Rule",
    "Violation",
    "from_client",
    "keys_of",
    "kind_of",
]

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
"""The types of items that the API takes without an id."""

_CLIENT_ROLES = frozenset({"user", "system", "developer"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One item that cannot stay where it is.

    Attributes:
        index: Its position in the list that was checked.
        rule: The rule it breaks.
        message: What is wrong, naming the item but not its content.
    """

    index: int
    rule: Rule
    message: str


class _OpenCall(NamedTuple):
    """A call that waits for its output, and every key under which it waits."""

    position: int
    kind: str
    fields: Mapping[str, Any]
    keys: tuple[tuple[str, str], ...]


class Automaton:
    """What a transcript waits for: outputs of its open calls, and the item after reasoning."""

    def __init__(self) -> None:
        self._position = -1
        self._user_messages = 0
        self._ids: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self._open: dict[tuple[str, str], _OpenCall] = {}
        self._answered: set[tuple[str, str]] = set()
        self._reasoning: list[int] = []
        self._references = False
        self._forgiven: set[int] = set()

    def settled(self) -> bool:
        """Tell whether the transcript may end here."""
        return not self._reasoning and all(
            call.position in self._forgiven for call in self._open.values()
        )

    def forgive(self) -> None:
        """Do not wait any more for what is open now; it may still be answered."""
        self._reasoning.clear()
        self._forgiven.update(call.position for call in self._open.values())

    def accept(self, item: TResponseInputItem) -> Sequence[Violation]:
        """Take the next item and return what it makes certain to be wrong."""
        self._position += 1
        # The item types are a union of a few dozen typed dicts; the protocol needs five keys.
        fields: Any = item
        kind = fields.get("type")
        if not isinstance(kind, str):
            kind = kind_of(fields)
        found: list[Violation] | None = None
        if "id" in fields and (twice := self._twice(kind, fields)) is not None:
            if twice.rule == "duplicate-item":
                return (twice,)
            found = [twice]
        if kind == "reasoning":
            self._reasoning.append(self._position)
            return found or ()
        if self._reasoning:
            found = [*(found or ()), *self._end_reasoning(kind, fields)]
        if kind == "message":
            self._user_messages += fields.get("role") == "user"
            return found or ()
        if kind == "item_reference":
            self._references = True
            self._open.clear()
            return found or ()
        wrong = None
        if kind in ANSWERED_BY:
            wrong = self._call(kind, fields)
        elif kind in CALL_OF:
            wrong = self._output(kind, fields)
        return found or () if wrong is None else (*(found or ()), wrong)

    def finish(self) -> list[Violation]:
        """Return what the end of the transcript makes wrong."""
        found = [_stranded(position) for position in self._reasoning]
        for call in {call.position: call for call in self._open.values()}.values():
            message = f"{_name(call.kind, call.fields)} has no output"
            found.append(Violation(call.position, "call-without-output", message))
        return found

    def _twice(self, kind: str, fields: Mapping[str, Any]) -> Violation | None:
        """Tell whether an item has an id that was seen before, and if so what that means.

        A turn that was stored twice repeats equal items without a user's message between. Models
        and proxies that number their items anew in each response use ids again for others.
        """
        identity = fields["id"]
        # The id of a local shell output is the id of its call, not its own.
        if not isinstance(identity, str) or kind == "local_shell_call_output":
            return None
        if identity not in self._ids:
            if identity not in PLACEHOLDER_IDS:
                self._ids[identity] = (self._user_messages, fields)
            return None
        since, first = self._ids[identity]
        same = since == self._user_messages and fields == first
        if same or kind not in NEED_NO_ID or kind_of(first) == "item_reference":
            message = f"{_name(kind, fields)} is in the transcript already"
            return Violation(self._position, "duplicate-item", message)
        message = f"{_name(kind, fields)} has the id {identity!r} of another item"
        return Violation(self._position, "reused-id", message)

    def _end_reasoning(self, kind: str, fields: Mapping[str, Any]) -> list[Violation]:
        waiting, self._reasoning = self._reasoning, []
        if not from_client(kind, fields):
            return []
        return [_stranded(position) for position in waiting]

    def _call(self, kind: str, fields: Mapping[str, Any]) -> Violation | None:
        keys = keys_of(kind, fields)
        for key in keys:
            if key in self._open:
                message = f"{_name(kind, fields)} has the call id of a call that is still open"
                return Violation(self._position, "duplicate-call", message)
        call = _OpenCall(self._position, kind, fields, keys)
        for key in keys:
            self._open[key] = call
            self._answered.discard(key)
        return None

    def _output(self, kind: str, fields: Mapping[str, Any]) -> Violation | None:
        keys = keys_of(CALL_OF[kind], fields, output=True)
        for key in keys:
            if key in self._open:
                answered = self._open[key].keys
                for same in answered:
                    del self._open[same]
                self._answered.update(answered)
                return None
        if not keys or self._references:
            return None
        if any(key in self._answered for key in keys):
            message = f"{_name(kind, fields)} answers a call that has its output already"
            return Violation(self._position, "duplicate-output", message)
        message = f"{_name(kind, fields)} answers a call that is not in the transcript"
        return Violation(self._position, "output-without-call", message)


def kind_of(fields: Mapping[str, Any]) -> str:
    """Return the type of an item in input form."""
    kind = fields.get("type")
    if isinstance(kind, str):
        return kind
    # Messages and references may leave their type out.
    return "message" if "role" in fields else "item_reference" if "id" in fields else ""


def from_client(kind: str, fields: Mapping[str, Any]) -> bool:
    """Tell whether the client made an item, and not the model; reasoning cannot lead to such."""
    return kind in CALL_OF or (kind == "message" and fields.get("role") in _CLIENT_ROLES)


def keys_of(
    call_kind: str, fields: Mapping[str, Any], *, output: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the keys under which a call waits, or which an output answers; none: needs nothing.

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


def _name(kind: str, fields: Mapping[str, Any]) -> str:
    identity = (
        fields.get("call_id") or fields.get("approval_request_id") or fields.get("id") or "no id"
    )
    tool = fields.get("name")
    return f"{kind} {identity!r}" + (f" of tool {tool!r}" if isinstance(tool, str) else "")


def _stranded(position: int) -> Violation:
    message = "reasoning is not followed by the item it belongs to"
    return Violation(position, "reasoning-without-item", message)
