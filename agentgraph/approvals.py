"""The decisions of people about tool calls that wait for approval, and their answers to questions.

Rule: the key of a decision consists of our own facts, never of a model's words. A decision belongs
to one call of one reply in one run (`CallKey`) and to a digest of the call's content; a sticky
decision belongs to one run and one tool of one agent. Names and call ids are the model's own: a
program may look a decision up by them, but they never let a call pass. An exact decision takes
precedence over a sticky one.
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
"""The calls that a run is nested in, outermost first; empty for the outermost run."""


class CallKey(NamedTuple):
    """The identity of a call, which never changes.

    Args:
        path: The run that makes the call.
        reply: The id of the outcome that holds the reply.
        lane: The position of the call among the calls of the reply.
    """

    path: RunPath
    reply: tuple[int, ...]
    lane: int

    @property
    def inside(self) -> RunPath:
        """The path of a run inside the call."""
        return (*self.path, (*self.reply, self.lane))


class PendingApproval(Protocol):
    """The part of a waiting call that a decision needs."""

    @property
    def name(self) -> str | None: ...

    @property
    def call_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about a call.

    Attributes:
        approved: Whether the call may be made.
        message: For a rejected call, the message that the model receives in place of a result;
            `None` leaves the message to the run's configuration.
        answer: For a question of a workflow, the answer as JSON text; `None` for a call.
    """

    approved: bool
    message: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision together with its subject.

    Attributes:
        key: The call; `None` for a call for which no run has requested a decision.
        tool: The symbol of the tool, or of the server that offers it, and its qualified name.
        content: The digest of the call's content.
        name: The tool as the model calls it, with its namespace in front.
        call_id: The id that the model chose.
        decision: The decision.
        sticky: Whether the decision also applies to every later call of the tool in this run.
    """

    key: CallKey | None
    tool: tuple[str, str]
    content: str
    name: str
    call_id: str
    decision: Decision
    sticky: bool = False


def tool_identity(name: str, namespace: str | None = None) -> str:
    """Qualify a tool's name, so that equal names in different namespaces stay distinct.

    Args:
        name: The tool as the model calls it.
        namespace: The group or server that the tool belongs to, if any.

    Returns:
        The tool's qualified name.
    """
    return f"{namespace}.{name}" if namespace and namespace != name else name


def content_digest(*parts: object) -> str:
    """Compute the digest of a call's content; the order of keys makes no difference.

    Args:
        parts: Names, texts and JSON values. A text that holds a JSON object counts as the object.
    """
    text = json.dumps([_canonical(part) for part in parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _canonical(part: object) -> object:
    if not isinstance(part, str) or not part.lstrip().startswith("{"):
        return part
    try:
        # Readers of JSON disagree about repeated keys, so objects that differ in one are distinct.
        return json.loads(part, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return part


def _pairs(pairs: list[tuple[str, object]]) -> object:
    unique = dict(pairs)
    return unique if len(unique) == len(pairs) else {"repeated keys": pairs}


class _Store:
    """The rulings of a run and of the runs inside it."""

    __slots__ = ("by_name", "exact", "pending", "sticky", "sticky_by_name", "unrecorded")

    def __init__(self) -> None:
        self.exact: dict[CallKey, Ruling] = {}
        self.sticky: dict[tuple[RunPath, tuple[str, str]], Ruling] = {}
        self.by_name: dict[tuple[RunPath, str, str], Ruling] = {}
        self.sticky_by_name: dict[tuple[RunPath, str], Ruling] = {}
        self.pending: tuple[Any, ...] = ()
        self.unrecorded: list[Ruling] = []

    def rulings(self) -> tuple[object, ...]:
        """All rulings, in every index."""
        return self.exact, self.sticky, self.by_name, self.sticky_by_name

    def add(self, ruling: Ruling) -> None:
        path: RunPath = ()
        if ruling.key is not None:
            path = ruling.key.path
            self.exact[ruling.key] = ruling
            if ruling.sticky:
                self.sticky[path, ruling.tool] = ruling
        self.by_name[path, ruling.name, ruling.call_id] = ruling
        if ruling.sticky:
            self.sticky_by_name[path, ruling.name] = ruling


# A decision applies to calls of one run. So pydantic dumps an empty ledger with a context, and a
# run with the restored context requests each decision again.
@kept_as_is(read=lambda dumped: ApprovalLedger(), write=lambda ledger: {})
@dataclass(slots=True, eq=False)
class ApprovalLedger:
    """The decisions of one run; the ledgers of the runs inside it share the same store.

    Attributes:
        path: The run that this ledger belongs to.
    """

    path: RunPath = ()
    _store: _Store = field(default_factory=_Store, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApprovalLedger):
            return NotImplemented
        return self.path == other.path and self._store.rulings() == other._store.rulings()

    __hash__ = None  # type: ignore[assignment]

    def within(self, path: RunPath) -> ApprovalLedger:
        """Return the ledger of an inner run, which shares this store.

        Args:
            path: The path of that run.
        """
        return ApprovalLedger(path, self._store)

    def ask(self, items: Iterable[Any]) -> None:
        """Set the calls that wait for a decision now.

        Args:
            items: The approval items of the run and of the runs inside it.
        """
        self._store.pending = tuple(items)

    def decide(self, pending: PendingApproval, decision: Decision, *, sticky: bool) -> None:
        """Record a decision about a waiting call.

        Args:
            pending: The call. An item made by hand must have the name, the id and the content of a
                waiting call.
            decision: The decision.
            sticky: Whether it also applies to every later call of the tool.

        Raises:
            UserError: `pending` names no tool or no call, no such call waits, or it is a question
                and the decision no answer.
        """
        if getattr(pending, "type", "") == "question_item" and decision.answer is None:
            raise UserError(
                f"Question {pending.name!r} can be neither approved nor rejected. Answer it with"
                " state.answer(item, value)."
            )
        ruling = replace(self._subject_of(pending), decision=decision, sticky=sticky)
        self._store.add(ruling)
        self._store.unrecorded.append(ruling)

    def _subject_of(self, pending: PendingApproval) -> Ruling:
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
            for item in self._store.pending
            if (item._subject.name, item._subject.call_id, item._content)
            == (qualified, call_id, content)
        ]
        if len(matches) == 1:
            match: Ruling = matches[0]
            return match
        if self._store.pending:
            raise UserError(
                f"Cannot decide on call {call_id!r} of tool {qualified!r}: no such call waits."
                " Pass an item of result.interruptions."
            )
        return Ruling(
            key=None,
            tool=("", ""),
            content=content,
            name=qualified,
            call_id=call_id,
            decision=Decision(False),
        )

    def record(self, ruling: Ruling) -> None:
        """Add a decision that the journal already holds."""
        self._store.add(ruling)

    def unrecorded(self) -> tuple[Ruling, ...]:
        """Return the decisions that no journal holds yet, in order."""
        return tuple(self._store.unrecorded)

    def ruling_on(self, key: CallKey, tool: tuple[str, str], content: str) -> Decision | None:
        """Return the decision about a call: the one about the call itself, else the sticky one
        about its tool.

        Args:
            key: The call.
            tool: The symbol and the qualified name of its tool.
            content: The digest of the call's content.
        """
        exact = self._store.exact.get(key)
        if exact is not None and exact.content == content:
            return exact.decision
        sticky = self._store.sticky.get((key.path, tool))
        return None if sticky is None else sticky.decision

    def find(self, identity: str, call_id: str) -> Decision | None:
        """Return the decision about a call, by the names that the model uses.

        Args:
            identity: The tool, as `tool_identity` names it.
            call_id: The call.

        Returns:
            The exact decision, else the sticky one, else `None`.
        """
        ruling = self._store.by_name.get((self.path, identity, call_id))
        if ruling is None:
            ruling = self._store.sticky_by_name.get((self.path, identity))
        return None if ruling is None else ruling.decision

    def copy(self) -> ApprovalLedger:
        """Copy the ledger, so that a later decision in one never shows in the other."""
        store = _Store()
        for name in _Store.__slots__:
            value = getattr(self._store, name)
            setattr(store, name, value if isinstance(value, tuple) else value.copy())
        return ApprovalLedger(self.path, store)

    def to_json_dict(self) -> dict[str, Any]:
        """Convert the decisions that no journal holds yet into plain JSON values."""
        return {"rulings": [ruling_to_json(ruling) for ruling in self._store.unrecorded]}

    @classmethod
    def from_json_dict(cls, stored: Mapping[str, Any]) -> ApprovalLedger:
        """Read the result of `to_json_dict`.

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
    """Convert a ruling into plain JSON values."""
    key = ruling.key
    return {
        "key": None if key is None else [list(map(list, key.path)), list(key.reply), key.lane],
        "tool": list(ruling.tool),
        "content": ruling.content,
        "name": ruling.name,
        "call_id": ruling.call_id,
        "approved": ruling.decision.approved,
        "message": ruling.decision.message,
        **({} if ruling.decision.answer is None else {"answer": ruling.decision.answer}),
        "sticky": ruling.sticky,
    }


def ruling_from_json(stored: Mapping[str, Any]) -> Ruling:
    """Read the result of `ruling_to_json`.

    Raises:
        KeyError, TypeError: `stored` has another form.
    """
    key = stored["key"]
    return Ruling(
        key=None if key is None else CallKey(tuple(map(tuple, key[0])), tuple(key[1]), key[2]),
        tool=(stored["tool"][0], stored["tool"][1]),
        content=stored["content"],
        name=stored["name"],
        call_id=stored["call_id"],
        decision=Decision(bool(stored["approved"]), stored["message"], stored.get("answer")),
        sticky=bool(stored["sticky"]),
    )
