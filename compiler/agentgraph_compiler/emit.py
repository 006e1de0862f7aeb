"""Emission: a verified chart becomes a machine, and a machine comes back from its JSON form.

What only people need (origins, suppressions, declarations) stays behind; states and their tables
are taken over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import FORMAT_VERSION, AgentEntry, Machine

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class MachineFormatError(ValueError):
    """The JSON is not a machine of a format this version reads; the message says why."""


def emit(chart: Chart) -> Machine:
    """The machine of a chart that ``verify`` found well-formed."""
    return Machine(
        chart.name,
        chart.initial,
        tuple(
            AgentEntry(agent.id, agent.name, agent.context, agent.output, agent.digest)
            for agent in chart.agents
        ),
        chart.states,
        tuple(emit(part) for part in chart.charts),
    )


def machine_from_json(text: str) -> Machine:
    """Read a machine that :meth:`Machine.to_json` wrote.

    Args:
        text: The JSON text.

    Returns:
        The machine; its fingerprint equals that of the one written.

    Raises:
        MachineFormatError: The text is not JSON, not a machine, or of another format version.
    """
    from pydantic import ValidationError

    try:
        document = _reader().validate_json(text)
    except ValidationError as error:
        raise _unreadable(text, error) from error
    if document.version != FORMAT_VERSION:
        raise _unreadable(text, None)
    return Machine(
        document.name, document.initial, document.agents, document.states, document.machines
    )


@dataclass(frozen=True)
class _Document(Machine):
    """A machine as it is written: with the version of its format."""

    version: int = 0


@cache
def _reader() -> TypeAdapter[_Document]:
    from pydantic import TypeAdapter

    return TypeAdapter(_Document)


def _unreadable(text: str, error: ValueError | None) -> MachineFormatError:
    """What is wrong with a text that is no machine: its syntax, its version or its content."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as fault:
        return MachineFormatError(f"not JSON: {fault}")
    version = document.get("version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        return MachineFormatError(
            f"machine format {version!r} is not readable here;"
            f" this version reads format {FORMAT_VERSION}"
        )
    return MachineFormatError(f"not a machine: {error}")
