"""The machine: frozen tables of states, invokes, transitions and guards.

The vocabulary is SCXML's (https://www.w3.org/TR/scxml/): a state invokes work on entry (6.4), an
event selects the first enabled transition in document order (3.13), a guard is its condition. A
machine holds symbols, never callables; it is plain data with a JSON form and a fingerprint. The
closed sets below are the whole language: ``OUTCOMES`` says which events each kind of invoke can end
with, so an analysis can tell whether a state handles all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from agentgraph_compiler.types import Type

FORMAT_VERSION = 1


class InvokeKind(StrEnum):
    """What kind of work an invoke starts."""

    MODEL = "model"
    FUNCTION = "function"
    ACTION = "action"
    AGENT = "agent"
    INPUT_GUARDRAIL = "input_guardrail"
    OUTPUT_GUARDRAIL = "output_guardrail"
    HANDOFF = "handoff"
    DECIDE = "decide"
    RECOVER = "recover"
    END = "end"


class Event(StrEnum):
    """How an invoke ends, and with that the event its state sees. ``STARTED`` and ``RESUMED`` come
    from outside."""

    STARTED = "started"
    REPLIED = "replied"
    RETURNED = "returned"
    AWAITING = "awaiting"
    RESUMED = "resumed"
    PASSED = "passed"
    TRIPPED = "tripped"
    DONE = "done"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    FAILED = "failed"


OUTCOMES: Mapping[InvokeKind, tuple[Event, ...]] = {
    InvokeKind.MODEL: (Event.REPLIED, Event.FAILED),
    InvokeKind.FUNCTION: (Event.RETURNED, Event.AWAITING, Event.FAILED),
    InvokeKind.ACTION: (Event.RETURNED, Event.AWAITING, Event.FAILED),
    InvokeKind.AGENT: (Event.RETURNED, Event.AWAITING, Event.FAILED),
    InvokeKind.INPUT_GUARDRAIL: (Event.PASSED, Event.TRIPPED, Event.FAILED),
    InvokeKind.OUTPUT_GUARDRAIL: (Event.PASSED, Event.TRIPPED, Event.FAILED),
    InvokeKind.HANDOFF: (Event.DONE, Event.FAILED),
    InvokeKind.DECIDE: (Event.ACCEPTED, Event.DECLINED, Event.FAILED),
    InvokeKind.RECOVER: (Event.ACCEPTED, Event.DECLINED, Event.FAILED),
    InvokeKind.END: (Event.DONE, Event.FAILED),
}

FUNCTION_TOOLS = frozenset({InvokeKind.FUNCTION, InvokeKind.AGENT})
"""Work whose output can be the final one (SDK guide, ``tool_use_behavior``)."""

INTERRUPTING = frozenset({Event.TRIPPED, Event.FAILED})
"""Events that leave a state at once; every other outcome waits for its siblings (SCXML parallel
join)."""


class StateKind(StrEnum):
    """The role of a state in the life of an agent (ARCHITECTURE.md, "One agent, lowered")."""

    INITIAL = "initial"
    SCREENING = "screening"
    GUARDING = "guarding"
    THINKING = "thinking"
    ACTING = "acting"
    DECIDING = "deciding"
    SUSPENDED = "suspended"
    HANDOFF = "handoff"
    RECOVERING = "recovering"
    ENDING = "ending"
    CHECKING = "checking"
    DONE = "done"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


FINALS = frozenset({StateKind.DONE, StateKind.BLOCKED, StateKind.EXHAUSTED, StateKind.FAILED})
MODEL_STATES = frozenset({StateKind.GUARDING, StateKind.THINKING})
"""Entering one of these begins a turn."""


class GuardKind(StrEnum):
    """The closed set of conditions. Their meaning is ``runtime/guards.py``; their coverage is
    analysable."""

    OTHERWISE = "otherwise"
    CALLS = "calls"
    REQUESTS = "requests"
    VERDICT = "verdict"
    STOPS = "stops"
    SPENT = "spent"


class Verdict(StrEnum):
    """What a reply amounts to once its calls and handoffs are set aside."""

    FINAL = "final"
    AGAIN = "again"
    REFUSED = "refused"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Emission(StrEnum):
    """What the projection is told to show: the items of a reply, a tool output, a handoff, the
    agent now at work."""

    REPLY = "reply"
    OUTPUT = "output"
    HANDOFF = "handoff"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a transition.

    Args:
        kind: Which condition.
        names: Its operands: the handoff symbol of ``REQUESTS``, the verdict of ``VERDICT``, the
            tool names of ``STOPS`` (none means any function tool).
    """

    kind: GuardKind = GuardKind.OTHERWISE
    names: tuple[str, ...] = ()


OTHERWISE = Guard()
MISSING_TOOL = "missing_tool"
"""Last part of the symbol of the offer that answers calls of a tool nobody has."""


@dataclass(frozen=True, slots=True)
class Invoke:
    """Work that a state can start.

    Args:
        symbol: Name under which the bindings hold the callable; unique in a machine.
        kind: What kind of work, which fixes how it can end (``OUTCOMES``).
        machine: Name of the sub-machine that an ``AGENT`` invoke runs; empty for the others.
        emits: What is shown when its outcome is released.
        digest: Digest of the declared configuration (schema, description), part of the fingerprint.
    """

    symbol: str
    kind: InvokeKind
    machine: str = ""
    emits: tuple[Emission, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """A move: on ``event``, if ``guard`` holds, go to ``target`` and emit ``emits``."""

    event: Event
    target: str
    guard: Guard = OTHERWISE
    emits: tuple[Emission, ...] = ()


@dataclass(frozen=True)
class State:
    """A state.

    Args:
        id: Unique in a machine.
        kind: Its role.
        agent: Id of the agent it belongs to; empty for the machine's own states.
        invokes: Work started on entry, all of it.
        offers: Work that the reply held on entry may ask for; one command per call.
        transitions: In document order.
    """

    id: str
    kind: StateKind
    agent: str = ""
    invokes: tuple[Invoke, ...] = ()
    offers: tuple[Invoke, ...] = ()
    transitions: tuple[Transition, ...] = ()

    @cached_property
    def by_event(self) -> Mapping[Event, tuple[Transition, ...]]:
        """The transitions of each event, in document order."""
        table: dict[Event, list[Transition]] = {}
        for transition in self.transitions:
            table.setdefault(transition.event, []).append(transition)
        return {event: tuple(rows) for event, rows in table.items()}

    @cached_property
    def offered(self) -> Mapping[str, Invoke]:
        """The offers by symbol."""
        return {invoke.symbol: invoke for invoke in self.offers}

    @cached_property
    def requestable(self) -> frozenset[str]:
        """The handoffs that a reply in this state may ask for."""
        guards = (row.guard for row in self.transitions if row.guard.kind is GuardKind.REQUESTS)
        return frozenset(guard.names[0] for guard in guards)

    @cached_property
    def acting(self) -> str:
        """Id of the state whose offers a reply in this state may call; empty where it may call
        nothing."""
        targets = (row.target for row in self.transitions if row.guard.kind is GuardKind.CALLS)
        return next(targets, "")


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """An agent as the machine knows it: its id, its name, its types and the digest of its declared
    configuration."""

    id: str
    name: str
    context: Type
    output: Type
    digest: str = ""


@dataclass(frozen=True)
class Machine:
    """A compiled workflow.

    Args:
        name: Name of the workflow.
        initial: Id of the initial state.
        agents: Every agent of the machine, in discovery order.
        states: Every state, in document order.
        machines: The sub-machines that ``AGENT`` invokes run, flat; they refer to each other by
            name.
    """

    name: str
    initial: str
    agents: tuple[AgentEntry, ...]
    states: tuple[State, ...]
    machines: tuple[Machine, ...] = field(default=())

    @cached_property
    def state(self) -> Mapping[str, State]:
        """The states by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def submachine(self) -> Mapping[str, Machine]:
        """The sub-machines by name."""
        return {machine.name: machine for machine in self.machines}

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything above: the same in every process and Python version, changed by
        any change."""
        digest = hashlib.sha256()
        for line in _lines(self):
            digest.update(line.encode())
        return digest.hexdigest()

    def to_json(self, *, indent: int | None = None) -> str:
        """The machine as JSON text; :func:`agentgraph_compiler.emit.machine_from_json` reads it
        back."""
        document = {"version": FORMAT_VERSION, **_by_name(self)}
        return json.dumps(document, indent=indent, sort_keys=True, default=_by_name)


_PARTS: tuple[type, ...] = (Type, Guard, Invoke, Transition, State, AgentEntry, Machine)
_NAMES = {part: tuple(described.name for described in fields(part)) for part in _PARTS}
_VALUES = {part: attrgetter(*names) for part, names in _NAMES.items()}


def _by_name(part: object) -> dict[str, object]:
    """A part of a machine as a JSON object."""
    return dict(zip(_NAMES[type(part)], _by_position(part), strict=True))


def _by_position(part: object) -> tuple[object, ...]:
    """A part of a machine as a JSON array: what stands where is fixed by its class."""
    values: tuple[object, ...] = _VALUES[type(part)](part)
    return values


_CANONICAL = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_by_position)


def _lines(machine: Machine) -> Iterator[str]:
    """What a fingerprint is made of, piece by piece: a machine may be large."""
    head = FORMAT_VERSION, machine.name, machine.initial, len(machine.agents), len(machine.states)
    yield _CANONICAL.encode((*head, len(machine.machines)))
    yield from map(_CANONICAL.encode, machine.agents)
    yield from map(_CANONICAL.encode, machine.states)
    for part in machine.machines:
        yield from _lines(part)
