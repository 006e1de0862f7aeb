"""Emission: a verified chart becomes a machine, and a machine comes back from its JSON form.

The machine takes over the states and their tables. It leaves out what only people need: origins,
suppressions and declarations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import BACK, FORMAT_VERSION, AgentEntry, Machine

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class MachineFormatError(ValueError):
    """The JSON is not a machine of a format this version reads; the message says why."""


def emit(chart: Chart) -> Machine:
    """The machine of a chart that ``verify`` found well-formed."""
    return Machine(
        name=chart.name,
        initial=chart.initial,
        agents=tuple(
            AgentEntry(
                id=agent.id,
                name=agent.name,
                context=agent.context,
                output=agent.output,
                digest=agent.digest,
            )
            for agent in chart.agents
        ),
        states=chart.states,
        rows=chart.rows,
        machines=tuple(emit(part) for part in chart.charts),
    )


def machine_from_json(text: str) -> Machine:
    """Read a machine that :meth:`Machine.to_json` wrote.

    Args:
        text: The JSON text.

    Returns:
        The machine; its fingerprint equals that of the one written.

    Raises:
        MachineFormatError: The text is not JSON, is not a machine, has another format version, or
            refers to a state or a machine that it does not contain.
    """
    from pydantic import ValidationError

    try:
        document = _reader().validate_json(_unfolded(text), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in details]
        raise _unreadable(text, faults) from error
    if document.version != FORMAT_VERSION:
        raise _unreadable(text, ())
    machine = Machine(
        name=document.name,
        initial=document.initial,
        agents=document.agents,
        states=document.states,
        rows=document.rows,
        machines=document.machines,
    )
    for fault in _dangling_references(machine, frozenset(machine.submachine)):
        raise MachineFormatError(f"not a machine: {fault}")
    return machine


def _dangling_references(machine: Machine, machines: frozenset[str]) -> Iterator[str]:
    """References of a machine to parts that it does not contain. The interpreter relies on there
    being none."""
    if machine.initial not in machine.state:
        yield f"'{machine.name}' begins in '{machine.initial}', but has no such state"
    for row in machine.rows:
        if row.target not in machine.state:
            yield f"'{machine.name}' leads to '{row.target}', but has no such state"
    for state in machine.states:
        for row in state.transitions:
            if row.target != BACK and row.target not in machine.state:
                missing = f"but '{machine.name}' has no such state"
                yield f"'{state.id}' leads to '{row.target}', {missing}"
        for invoke in (*state.invokes, *state.offers):
            if invoke.machine and invoke.machine not in machines:
                yield f"'{state.id}' runs the machine '{invoke.machine}', which does not exist"
            names = {"", *(phase.name for phase in invoke.phases)}
            for move in (move for phase in invoke.phases for move in phase.moves):
                if move.to not in names:
                    yield f"'{invoke.symbol}' moves to '{move.to}', but has no such phase"
    for part in machine.machines:
        yield from _dangling_references(part, machines)


@dataclass(frozen=True)
class _Document(Machine):
    """A machine as the JSON holds it: with the version of its format."""

    version: int = 0


@cache
def _reader() -> TypeAdapter[_Document]:
    from pydantic import TypeAdapter

    return TypeAdapter(_Document)


def _unfolded(text: str) -> str:
    """The text with the phases of each lane in place of their name.

    A text in which that is impossible comes back unchanged, so that the reader reports the fault.
    """
    try:
        document = json.loads(text)
    except ValueError:
        return text
    phases = document.pop("phases", None) if isinstance(document, dict) else None
    if not isinstance(phases, dict):
        return text
    waiting: list[object] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = part.get("phases")
            if isinstance(name, str) and name in phases:
                part["phases"] = phases[name]
            waiting.extend(part.get(key) for key in ("machines", "states", "invokes", "offers"))
        elif isinstance(part, list):
            waiting.extend(part)
    return json.dumps(document)


def _unreadable(text: str, faults: Sequence[str]) -> MachineFormatError:
    """The error for a text that is not a machine: it names its syntax, its version or its content
    as the cause."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as fault:
        return MachineFormatError(f"not JSON: {fault}")
    version = document.get("version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        return MachineFormatError(
            f"this version of the compiler cannot read machine format {version!r};"
            f" it reads format {FORMAT_VERSION}"
        )
    more = [f"{len(faults) - 3} more"] if len(faults) > 3 else []
    return MachineFormatError(f"not a machine: {'; '.join([*faults[:3], *more])}")
