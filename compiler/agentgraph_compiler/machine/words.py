"""The closed sets of the machine: kinds of work and how each can end, events, guards, emissions.

``OUTCOMES`` says which events each kind of work can end with, so an analysis can tell whether a
state handles all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class WorkKind(StrEnum):
    """What kind of work a phase starts."""

    LOAD = "load"
    SAVE = "save"
    GREET = "greet"
    MODEL = "model"
    WAIT = "wait"
    INPUT_GUARDRAIL = "input_guardrail"
    OUTPUT_GUARDRAIL = "output_guardrail"
    ASK = "ask"
    HOLD = "hold"
    SCREEN = "screen"
    FUNCTION = "function"
    ACTION = "action"
    AGENT = "agent"
    MISSING = "missing"
    JUDGE = "judge"
    TELL = "tell"
    HANDOFF = "handoff"
    DECIDE = "decide"
    RECOVER = "recover"
    END = "end"
    EDGE = "edge"
    STEP = "step"
    ANSWER = "answer"
    SPLIT = "split"
    BRANCH = "branch"
    CATCH = "catch"


class Event(StrEnum):
    """How work ends, and so what a state sees. ``STARTED``, ``RESUMED`` and the events of
    ``RESERVED`` come from outside."""

    STARTED = "started"
    REPLIED = "replied"
    RETRY = "retry"
    RETURNED = "returned"
    AWAITING = "awaiting"
    RESUMED = "resumed"
    PASSED = "passed"
    HELD = "held"
    REJECTED = "rejected"
    TRIPPED = "tripped"
    DONE = "done"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CHOSEN = "chosen"
    FAILED = "failed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_DONE = (Event.DONE, Event.FAILED)
_CALLED = (Event.RETURNED, Event.AWAITING, Event.FAILED)
_JUDGED = (Event.PASSED, Event.REJECTED, Event.FAILED)
_GUARDED = (Event.PASSED, Event.TRIPPED, Event.FAILED)
_ANSWERED = (Event.ACCEPTED, Event.DECLINED, Event.FAILED)
OUTCOMES: Mapping[WorkKind, tuple[Event, ...]] = {
    WorkKind.LOAD: _DONE,
    WorkKind.SAVE: _DONE,
    WorkKind.GREET: _DONE,
    WorkKind.MODEL: (Event.REPLIED, Event.RETRY, Event.FAILED),
    WorkKind.WAIT: (Event.DONE,),
    WorkKind.INPUT_GUARDRAIL: _GUARDED,
    WorkKind.OUTPUT_GUARDRAIL: _GUARDED,
    WorkKind.ASK: (Event.PASSED, Event.HELD, Event.FAILED),
    WorkKind.HOLD: (Event.PASSED, Event.REJECTED, Event.AWAITING, Event.FAILED),
    WorkKind.SCREEN: _JUDGED,
    WorkKind.FUNCTION: _CALLED,
    WorkKind.ACTION: _CALLED,
    WorkKind.AGENT: _CALLED,
    WorkKind.MISSING: (Event.RETURNED, Event.FAILED),
    WorkKind.JUDGE: _JUDGED,
    WorkKind.TELL: _DONE,
    WorkKind.HANDOFF: _DONE,
    WorkKind.DECIDE: _ANSWERED,
    WorkKind.RECOVER: _ANSWERED,
    WorkKind.END: _DONE,
    WorkKind.EDGE: (Event.CHOSEN, Event.FAILED),
    WorkKind.STEP: _DONE,
    WorkKind.ANSWER: (Event.DONE, Event.AWAITING, Event.FAILED),
    WorkKind.SPLIT: (Event.CHOSEN, Event.FAILED),
    WorkKind.BRANCH: _CALLED,
    WorkKind.CATCH: (Event.CHOSEN, Event.DECLINED, Event.FAILED),
}
"""The events that each kind of work can end with."""

INTERRUPTING = frozenset({Event.TRIPPED, Event.FAILED})
"""Events on which the run leaves a state at once; every other outcome waits for its siblings (SCXML
parallel join)."""

RESERVED: Mapping[Event, int] = {Event.STOPPED: -1, Event.CANCELLED: -2, Event.EXPIRED: -3}
"""Events that no work ends with, each with the lane number in its command ids. On these, too, the
run leaves a state at once."""


class StateKind(StrEnum):
    """The role of a state in the life of an agent or a run: a label for people; no move depends on
    it (docs/design/architecture.md, "One agent, lowered")."""

    INITIAL = "initial"
    LOADING = "loading"
    SCREENING = "screening"
    GUARDING = "guarding"
    THINKING = "thinking"
    ACTING = "acting"
    DECIDING = "deciding"
    HANDOFF = "handoff"
    RECOVERING = "recovering"
    ENDING = "ending"
    CHECKING = "checking"
    OVER = "over"
    LEAVING = "leaving"
    LOOPING = "looping"
    WORKING = "working"
    ASKING = "asking"
    SPLITTING = "splitting"
    BRANCHING = "branching"
    FAILING = "failing"
    SAVING = "saving"
    UNSAVED = "unsaved"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    DONE = "done"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


class Rest(StrEnum):
    """Whether a run rests in a state: not at all, until it is resumed, or as its end."""

    NO = "no"
    WAIT = "wait"
    END = "end"


class GuardKind(StrEnum):
    """The closed set of conditions. ``runtime/guards.py`` defines their meaning; an analysis can
    tell which cases they cover."""

    OTHERWISE = "otherwise"
    CALLS = "calls"
    REQUESTS = "requests"
    VERDICT = "verdict"
    STOPS = "stops"
    SPENT = "spent"
    SESSION = "session"
    UNSAVED = "unsaved"
    ARRIVING = "arriving"
    HOOKED = "hooked"
    KEPT = "kept"
    ACTED = "acted"
    CASE = "case"
    ROUNDS = "rounds"
    JOINED = "joined"


class Premise(StrEnum):
    """What a model would have to disregard to make a row happen.

    ``CHOICE`` is the tool choice of the agent, ``FIRST_CHOICE`` one that holds until the agent has
    used a tool or handed off, ``OFFER`` the set of tools on offer, and ``SCHEMA`` the schema of its
    output. The interpreter takes such a row if it happens all the same; an analysis leaves it out.
    """

    NONE = "none"
    CHOICE = "tool_choice"
    FIRST_CHOICE = "first_tool_choice"
    OFFER = "offer"
    SCHEMA = "output_schema"


class Verdict(StrEnum):
    """What a reply is apart from its calls and handoffs.

    ``EMPTY`` means that the reply has no text where the agent declares a structured output: a
    handler of invalid outputs may answer, otherwise the run asks the model again.
    """

    FINAL = "final"
    AGAIN = "again"
    EMPTY = "empty"
    REFUSED = "refused"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Emission(StrEnum):
    """What the projection has to show: the items of a reply, a tool output, a tool output without
    its content (because no judge has passed it yet), a handoff, the agent now at work."""

    REPLY = "reply"
    OUTPUT = "output"
    WITHHELD = "withheld"
    HANDOFF = "handoff"
    AGENT = "agent"


class About(StrEnum):
    """Which outcome a phase is about: none, the current reply, a call of that reply, its first
    handoff, the result of the lane, the final output, or the fault of the run."""

    NOTHING = "nothing"
    REPLY = "reply"
    CALL = "call"
    REQUEST = "request"
    RESULT = "result"
    OUTPUT = "output"
    CAUSE = "cause"


class Keep(StrEnum):
    """What a save keeps of a turn: everything, the settled part, or everything except an output
    that a guardrail blocked."""

    ALL = "all"
    SETTLED = "settled"
    WITHHELD = "withheld"


class Source(StrEnum):
    """Which outcome a transition makes the final output: none, the current reply, the result of
    the first call that stops, or the outcome that caused the move."""

    NONE = "none"
    REPLY = "reply"
    STOPPING = "stopping"
    OUTCOME = "outcome"
