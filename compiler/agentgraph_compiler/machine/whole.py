"""The machine as a whole: its agents, states and rows, its fingerprint and its JSON form.

Most lanes walk the same few tuples of phases, so the JSON and the text of the fingerprint contain
each tuple once, under a name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from importlib import import_module
from operator import attrgetter
from typing import cast

from agentgraph_compiler.machine.lanes import Guard, Invoke, Move, Phase
from agentgraph_compiler.machine.table import State, Transition, by_event
from agentgraph_compiler.machine.words import Event
from agentgraph_compiler.types import Type

FORMAT_VERSION = 2
_DRAWING = "agentgraph_compiler.render.notebook"
"""Looked up by name when a notebook asks, because drawing stands above machines."""


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
        rows: Transitions that hold in every state that is not at rest, after the state's own.
        machines: The sub-machines that ``AGENT`` and ``BRANCH`` phases run, in one flat tuple; they
            refer to each other by name.
    """

    name: str
    initial: str
    agents: tuple[AgentEntry, ...]
    states: tuple[State, ...]
    rows: tuple[Transition, ...] = ()
    machines: tuple[Machine, ...] = field(default=())

    @cached_property
    def state(self) -> Mapping[str, State]:
        """The states by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def by_event(self) -> Mapping[Event, tuple[Transition, ...]]:
        """The rows of each event, in document order."""
        return by_event(self.rows)

    @cached_property
    def submachine(self) -> Mapping[str, Machine]:
        """The sub-machines by name."""
        return {machine.name: machine for machine in self.machines}

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all fields: the same in every process and Python version, and different
        after any change."""
        digest = hashlib.sha256()
        for line in _lines(self):
            digest.update(line.encode())
        return digest.hexdigest()

    def to_json(self, *, indent: int | None = None) -> str:
        """The machine as JSON text; :func:`agentgraph_compiler.emit.machine_from_json` reads it
        back."""
        names = PhaseNames(_lanes(self))
        document = {"version": FORMAT_VERSION, "phases": names.table, **_by_name(self, names)}
        write = _writer(_by_name, names)
        return json.dumps(document, indent=indent, sort_keys=True, default=write)

    @cached_property
    def text(self) -> str:
        """The machine as JSON text, made once: many runs store the same machine."""
        return self.to_json()

    def _repr_svg_(self) -> str | None:
        """The drawing of the states, for notebooks; ``None`` without Graphviz."""
        return cast("str | None", import_module(_DRAWING).svg_of(self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The drawing of the states in the formats of notebooks, by MIME type."""
        return cast("dict[str, str]", import_module(_DRAWING).bundle_of(self))


class PhaseNames:
    """A name for every tuple of phases that some lanes walk.

    Args:
        lanes: The lanes, in document order.
    """

    def __init__(self, lanes: Iterable[Invoke]) -> None:
        self.table: dict[str, tuple[Phase, ...]] = {}
        # Most lanes share one tuple object, and a lookup by identity costs no hashing.
        self._named: dict[int, str] = {}
        self._equal: dict[tuple[Phase, ...], str] = {}
        for lane in lanes:
            if id(lane.phases) not in self._named:
                self._named[id(lane.phases)] = self._name(lane.phases)

    def of(self, lane: Invoke) -> str:
        """The name of the phases that one of the lanes walks."""
        return self._named[id(lane.phases)]

    def _name(self, phases: tuple[Phase, ...]) -> str:
        name = self._equal.get(phases)
        if name is None:
            stem = "-".join(phase.kind for phase in phases)
            name, count = stem, 1
            while name in self.table:
                count += 1
                name = f"{stem}.{count}"
            self._equal[phases] = name
            self.table[name] = phases
        return name


_PARTS: tuple[type, ...] = (
    Type,
    Guard,
    Move,
    Phase,
    Invoke,
    Transition,
    State,
    AgentEntry,
    Machine,
)
_NAMES: dict[type, tuple[str, ...]] = {
    part: tuple(one.name for one in fields(part)) for part in _PARTS
}
_VALUES: dict[type, attrgetter[tuple[object, ...]]] = {
    part: attrgetter(*names) for part, names in _NAMES.items()
}
_PHASES = _NAMES[Invoke].index("phases")


def _by_name(part: object, names: PhaseNames) -> dict[str, object]:
    """A part of a machine as a JSON object."""
    return dict(zip(_NAMES[type(part)], _by_position(part, names), strict=True))


def _by_position(part: object, names: PhaseNames) -> tuple[object, ...]:
    """A part of a machine as a JSON array, in the order of the fields of its class."""
    values: tuple[object, ...] = _VALUES[type(part)](part)
    if isinstance(part, Invoke):
        return (*values[:_PHASES], names.of(part), *values[_PHASES + 1 :])
    return values


def _writer(
    form: Callable[[object, PhaseNames], object], names: PhaseNames
) -> Callable[[object], object]:
    return lambda part: form(part, names)


def _lanes(machine: Machine) -> Iterator[Invoke]:
    for state in machine.states:
        yield from state.invokes
        yield from state.offers
    for part in machine.machines:
        yield from _lanes(part)


def _lines(machine: Machine, names: PhaseNames | None = None) -> Iterator[str]:
    """The text of the fingerprint in pieces, because a machine may be large."""
    phase_names = PhaseNames(_lanes(machine)) if names is None else names
    encode = json.JSONEncoder(
        separators=(",", ":"), check_circular=False, default=_writer(_by_position, phase_names)
    ).encode
    if names is None:
        yield from map(encode, phase_names.table.items())
    head = FORMAT_VERSION, machine.name, machine.initial, len(machine.agents), len(machine.states)
    yield encode((*head, len(machine.machines), machine.rows))
    yield from map(encode, machine.agents)
    yield from map(encode, machine.states)
    for part in machine.machines:
        yield from _lines(part, phase_names)
