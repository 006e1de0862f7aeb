"""Findings on a picture: a row in the box of the agent or step that each is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin, Severity
from agentgraph_compiler.ir.chart import Agent, Chart
from agentgraph_compiler.ir.steps import Step
from agentgraph_compiler.render.picture import Meaning, Row, Tone

_TONES = {
    Severity.ERROR: Tone.ERROR,
    Severity.WARNING: Tone.WARNING,
    Severity.NOTE: Tone.NOTE,
}
FINDINGS: Mapping[Meaning, str] = {
    Tone.ERROR: "error",
    Tone.WARNING: "warning",
    Tone.NOTE: "note",
}
"""What the tones of findings mean, for legends."""
WHOLE = ("", "")
"""The place of findings about no single agent."""


def placed(chart: Chart, findings: Iterable[Diagnostic]) -> dict[tuple[str, str], list[Row]]:
    """Rows for findings, by the agents and steps that they are about.

    Args:
        chart: The chart.
        findings: The findings on it.

    Returns:
        The rows by sub-chart (empty for the root) and id of the agent or step; ``WHOLE`` for the
        rest.
    """
    places: dict[Origin, list[tuple[str, Agent | Step]]] = {}
    for part in chart.walk():
        name = "" if part is chart else part.name
        for agent in part.agents:
            for origin in _origins(agent):
                places.setdefault(origin, []).append((name, agent))
        for step in part.steps:
            places.setdefault(step.origin, []).append((name, step))
    rows: dict[tuple[str, str], list[Row]] = {}
    for finding in findings:
        row = Row(f"{finding.rule.code} {finding.rule.name}", tone=_TONES[finding.severity])
        about = [] if finding.origin == UNKNOWN else places.get(finding.origin, [])
        # Agents from one line, such as those of a loop, are told apart by name.
        named = [one for one in about if f"'{one[1].name}'" in finding.message] or about[:1]
        for place in dict.fromkeys((part, one.id) for part, one in named) or (WHOLE,):
            if row not in rows.setdefault(place, []):
                rows[place].append(row)
    return rows


def _origins(agent: Agent) -> Iterator[Origin]:
    """Where an agent and the objects that it lists were written, each once, its own first."""
    origins = [agent.origin]
    origins += [tool.origin for tool in agent.tools]
    origins += [handoff.origin for handoff in agent.handoffs]
    origins += [row.origin for row in (*agent.input_guardrails, *agent.output_guardrails)]
    yield from dict.fromkeys(origins)
