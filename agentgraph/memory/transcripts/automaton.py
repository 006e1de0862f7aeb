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
"""The types of items that the API accepts without an id."""

_CLIENT_ROLES = frozenset({"user", "system", "developer"})


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


class _OpenCall(NamedTuple):
    """A call that waits for its output, with all keys that an output may use."""

    position: int
    kind: str
    fields: Mapping[str, Any]
    keys: tuple[tuple[str, str], ...]


class Automaton:
    """The state of a transcript: open calls without outputs, and reasoning without an item."""

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
        """Stop requiring outputs for the calls that are open now; they may still be answered."""
        self._reasoning.clear()
        self._forgiven.update(call.position for call in self._open.values())

    def accept(self, item: TResponseInputItem) -> Sequence[Violation]:
        """Take the next item and return the violations that it makes certain."""
        self._position += 1
        # The item types are a union of a few dozen typed dicts; the protocol needs five keys.
        fields: Mapping[str, object] = item
        kind = fields.get("type")
        if not isinstance(kind, str):
            kind = kind_of(fields)
        violations: list[Violation] | None = None
        if "id" in fields and (repeated := self._id_violation(kind, fields)) is not None:
            if repeated.rule == "duplicate-item":
                return (repeated,)
            violations = [repeated]
        if kind == "reasoning":
            self._reasoning.append(self._position)
            return violations or ()
        if self._reasoning:
            violations = [*(violations or ()), *self._end_reasoning(kind, fields)]
        if kind == "message":
            self._user_messages += fields.get("role") == "user"
            return violations or ()
        if kind == "item_reference":
            self._references = True
            self._open.clear()
            return violations or ()
        violation = None
        if kind in ANSWERED_BY:
            violation = self._call(kind, fields)
        elif kind in CALL_OF:
            violation = self._output(kind, fields)
        return violations or () if violation is None else (*(violations or ()), violation)

    def finish(self) -> list[Violation]:
        """Return the violations that the end of the transcript makes certain."""
        violations = [_stranded(position) for position in self._reasoning]
        for call in {call.position: call for call in self._open.values()}.values():
            message = f"{_name(call.kind, call.fields)} has no output"
            violations.append(Violation(call.position, "call-without-output", message))
        return violations

    def _id_violation(self, kind: str, fields: Mapping[str, Any]) -> Violation | None:
        """Return the violation of an item whose id occurred before; None if the id is new.

        A turn that was stored twice repeats equal items without a user's message in between. Models
        and proxies that number the items of each response from zero reuse ids for other items.
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
        positions, self._reasoning = self._reasoning, []
        if not from_client(kind, fields):
            return []
        return [_stranded(position) for position in positions]

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
                keys_of_call = self._open[key].keys
                for key_of_call in keys_of_call:
                    del self._open[key_of_call]
                self._answered.update(keys_of_call)
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


def _name(kind: str, fields: Mapping[str, Any]) -> str:
    identity = (
        fields.get("call_id") or fields.get("approval_request_id") or fields.get("id") or "no id"
    )
    tool = fields.get("name")
    return f"{kind} {identity!r}" + (f" of tool {tool!r}" if isinstance(tool, str) else "")


def _stranded(position: int) -> Violation:
    message = "reasoning is not followed by the item it belongs to"
    return Violation(position, "reasoning-without-item", message)
