"""Emission: a verified chart becomes a machine, and a machine comes back from its JSON form.

What only people need (origins, suppressions, declarations) stays behind; states and their tables
are taken over.
"""

from __future__ import annotations

import json

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import FORMAT_VERSION, AgentEntry, Machine


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
    from pydantic import TypeAdapter, ValidationError

    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MachineFormatError(f"not JSON: {error}") from error
    version = document.pop("version", None) if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        raise MachineFormatError(
            f"machine format {version!r} is not readable here;"
            f" this version reads format {FORMAT_VERSION}"
        )
    try:
        return TypeAdapter(Machine).validate_python(document)
    except ValidationError as error:
        raise MachineFormatError(f"not a machine: {error}") from error
