"""The decisions of people about tool calls that wait for approval.

Rule: a decision rests on what the library knows, never on what a model says. It belongs to one call
of one reply in one run (`CallKey`) and to a digest of what that call asks for; a sticky decision
belongs to one run and one tool of one agent. Names and call ids are the model's own: programs may
ask by them, and no call is let through because of them. An exact decision beats a sticky one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.exceptions import UserError

__all__ = [
    "ApprovalLedger",
    "CallKey",
    "Decision",
    "PendingApproval",
    "Ruling",
    "RunPath",
    "content_digest",
    "tool_identity",
]

RunPath: TypeAlias = tuple[tuple[int, ...], ...]
"""Where a run stands: the calls that it runs inside, outermost first; empty for the outermost."""


class CallKey(NamedTuple):
    """The identity of a call for the whole of its life.

    Args:
        path: The run that makes the call.
        reply: The id of the outcome that holds the reply.
        lane: The place of the call among the calls of the reply.
    """

    path: RunPath
    reply: tuple[int, ...]
    lane: int

    @property
    def inside(self) -> RunPath:
        """The path of a run inside the call."""
        return (*self.path, (*self.reply, self.lane))


class PendingApproval(Protocol):
    """A call that waits for a decision, as far as the decision needs to know it."""

    @property
    def name(self) -> str | None: ...

    @property
    def call_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about a call.

    Attributes:
        approved: Whether the call may be made.
        message: What the model is told instead of a result when it may not; `None` leaves the words
            to the run's configuration.
    """

    approved: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision with what it is about.

    Attributes:
        key: The call; `None` for a call that no run has asked about.
        tool: The symbol of the tool, or of the server that has it, and its qualified name.
        content: The digest of what the call asks for.
        name: The tool as the model calls it, its namespace in front.
        call_id: The id that the model chose.
        decision: What was decided.
        sticky: Whether it also answers for every later call of the tool in this run.
    """

    key: CallKey | None
    tool: tuple[str, str]
    content: str
    name: str
    call_id: str
    decision: Decision
    sticky: bool = False


def tool_identity(name: str, namespace: str | None = None) -> str:
    """Name a tool so that tools of the same name in different namespaces stay apart.

    Args:
        name: The tool as the model calls it.
        namespace: The group or server that the tool belongs to, if any.

    Returns:
        The tool's qualified name.
    """
    return f"{namespace}.{name}" if namespace and namespace != name else name


def content_digest(*parts: object) -> str:
    """A digest of what a call asks for; the order of keys makes no difference.

    Args:
        parts: Names, texts and JSON values. A text that holds a JSON object counts as the object.
    """
    text = json.dumps([_canonical(part) for part in parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _canonical(part: object) -> object:
    if not isinstance(part, str) or not part.lstrip().startswith("{"):
        return part
    try:
        # Two objects that differ in a repeated key differ for some readers, so they differ here.
        return json.loads(part, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return part


def _pairs(pairs: list[tuple[str, object]]) -> object:
    unique = dict(pairs)
    return unique if len(unique) == len(pairs) else {"repeated keys": pairs}


class _Store:
    """The rulings of a run and of the runs inside it."""

    __slots__ = ("asked", "exact", "named", "sticky", "sticky_named", "unrecorded")

    def __init__(self) -> None:
        self.exact: dict[CallKey, Ruling] = {}
        self.sticky: dict[tuple[RunPath, tuple[str, str]], Ruling] = {}
        self.named: dict[tuple[RunPath, str, str], Ruling] = {}
        self.sticky_named: dict[tuple[RunPath, str], Ruling] = {}
        self.asked: tuple[Any, ...] = ()
        self.unrecorded: list[Ruling] = []

    def decided(self) -> tuple[object, ...]:
        """Everything that was decided."""
        return self.exact, self.sticky, self.named, self.sticky_named

    def add(self, ruling: Ruling) -> None:
        path: RunPath = ()
        if ruling.key is not None:
            path = ruling.key.path
            self.exact[ruling.key] = ruling
            if ruling.sticky:
                self.sticky[path, ruling.tool] = ruling
        self.named[path, ruling.name, ruling.call_id] = ruling
        if ruling.sticky:
            self.sticky_named[path, ruling.name] = ruling


# Decisions hold for calls of one run, and are not written: whoever reads a context asks again.
@kept_as_is(read=lambda written: ApprovalLedger(), write=lambda ledger: {})
@dataclass(slots=True, eq=False)
class ApprovalLedger:
    """The decisions of one run, kept in one place with those of the runs inside it.

    Attributes:
        path: The run that this ledger answers for.
    """

    path: RunPath = ()
    _store: _Store = field(default_factory=_Store, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApprovalLedger):
            return NotImplemented
        return self.path == other.path and self._store.decided() == other._store.decided()

    __hash__ = None  # type: ignore[assignment]

    def within(self, path: RunPath) -> ApprovalLedger:
        """The ledger of a run inside, kept in the same place.

        Args:
            path: Where that run stands.
        """
        return ApprovalLedger(path, self._store)

    def ask(self, items: Iterable[Any]) -> None:
        """Note which calls wait for a decision now.

        Args:
            items: The approval items of the run and of the runs inside it.
        """
        self._store.asked = tuple(items)

    def decide(self, pending: PendingApproval, decision: Decision, *, sticky: bool) -> None:
        """Record a decision about a waiting call.

        Args:
            pending: The call; an item made by hand must be equal in name, id and content to one
                that waits.
            decision: What was decided.
            sticky: Whether it also answers for every later call of the tool.

        Raises:
            UserError: `pending` names no tool or no call, or no such call waits.
        """
        ruling = replace(self._about(pending), decision=decision, sticky=sticky)
        self._store.add(ruling)
        self._store.unrecorded.append(ruling)

    def _about(self, pending: PendingApproval) -> Ruling:
        name, call_id = getattr(pending, "name", None), getattr(pending, "call_id", None)
        if not name or not call_id:
            raise UserError(
                f"Cannot decide on {type(pending).__name__!r}: it names no tool call. "
                "Pass an item of result.interruptions."
            )
        subject: Ruling | None = getattr(pending, "_subject", None)
        if subject is not None:
            return subject
        qualified = tool_identity(name, getattr(pending, "tool_namespace", None))
        content = getattr(pending, "_content", "")
        matches = [
            item._subject
            for item in self._store.asked
            if (item._subject.name, item._subject.call_id, item._content)
            == (qualified, call_id, content)
        ]
        if len(matches) == 1:
            match: Ruling = matches[0]
            return match
        if self._store.asked:
            raise UserError(
                f"Cannot decide on call {call_id!r} of tool {qualified!r}: no such call waits."
                " Pass an item of result.interruptions."
            )
        return Ruling(None, ("", ""), content, qualified, call_id, Decision(False))

    def record(self, ruling: Ruling) -> None:
        """Take over a decision that the journal holds."""
        self._store.add(ruling)

    def unrecorded(self) -> tuple[Ruling, ...]:
        """The decisions that no journal holds yet, in order."""
        return tuple(self._store.unrecorded)

    def ruling_on(self, key: CallKey, tool: tuple[str, str], content: str) -> Decision | None:
        """What was decided about a call: about itself, else about its tool.

        Args:
            key: The call.
            tool: The symbol and the qualified name of its tool.
            content: The digest of what it asks for.
        """
        exact = self._store.exact.get(key)
        if exact is not None and exact.content == content:
            return exact.decision
        sticky = self._store.sticky.get((key.path, tool))
        return None if sticky is None else sticky.decision

    def find(self, identity: str, call_id: str) -> Decision | None:
        """What was decided about a call, by the names that the model uses.

        Args:
            identity: The tool, as `tool_identity` names it.
            call_id: The call.

        Returns:
            The exact decision, else the sticky one, else `None`.
        """
        ruling = self._store.named.get((self.path, identity, call_id))
        if ruling is None:
            ruling = self._store.sticky_named.get((self.path, identity))
        return None if ruling is None else ruling.decision

    def copy(self) -> ApprovalLedger:
        """Copy the ledger, so that later decisions in either leave the other alone."""
        store = _Store()
        for name in _Store.__slots__:
            value = getattr(self._store, name)
            setattr(store, name, value if isinstance(value, tuple) else value.copy())
        return ApprovalLedger(self.path, store)

    def to_json_dict(self) -> dict[str, Any]:
        """Turn the decisions that no journal holds into plain JSON values."""
        return {"rulings": [ruling_to_json(ruling) for ruling in self._store.unrecorded]}

    @classmethod
    def from_json_dict(cls, stored: Mapping[str, Any]) -> ApprovalLedger:
        """Read back what `to_json_dict` wrote.

        Args:
            stored: The decisions.

        Returns:
            A new ledger.
        """
        ledger = cls()
        for entry in stored.get("rulings", ()):
            ruling = ruling_from_json(entry)
            ledger._store.add(ruling)
            ledger._store.unrecorded.append(ruling)
        return ledger


def ruling_to_json(ruling: Ruling) -> dict[str, Any]:
    """A ruling as plain JSON values."""
    key = ruling.key
    return {
        "key": None if key is None else [list(map(list, key.path)), list(key.reply), key.lane],
        "tool": list(ruling.tool),
        "content": ruling.content,
        "name": ruling.name,
        "call_id": ruling.call_id,
        "approved": ruling.decision.approved,
        "message": ruling.decision.message,
        "sticky": ruling.sticky,
    }


def ruling_from_json(stored: Mapping[str, Any]) -> Ruling:
    """Read what `ruling_to_json` wrote.

    Raises:
        KeyError, TypeError: It is something else.
    """
    key = stored["key"]
    return Ruling(
        None if key is None else CallKey(tuple(map(tuple, key[0])), tuple(key[1]), key[2]),
        (stored["tool"][0], stored["tool"][1]),
        stored["content"],
        stored["name"],
        stored["call_id"],
        Decision(bool(stored["approved"]), stored["message"]),
        bool(stored["sticky"]),
    )
