"""The rows in the box of an agent: its output, its tools and its guardrails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agentgraph_compiler.ir.chart import (
    FUNCTION_TOOLS,
    Agent,
    Enabled,
    Guardrail,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.obedience import Obedience
from agentgraph_compiler.render.picture import Mark, Place, Row, Tone
from agentgraph_compiler.types import TEXT


def output_row(agent: Agent) -> Iterator[Row]:
    """The row for the type of the output, unless that is text."""
    if agent.output != TEXT:
        yield Row("gives", agent.output.name.rpartition(".")[2])


def tool_rows(
    agent: Agent, most: int, appearances: Iterable[tuple[Place, Agent]], *, ends: bool
) -> Iterator[Row]:
    """Rows for the tools of an agent.

    Args:
        agent: The agent.
        most: The most rows.
        appearances: Where the agent stands.
        ends: Whether the run can end with its answer.
    """
    # An agent used as a tool is an arrow, unless it is disabled.
    tools = [tool for tool in agent.tools if not tool.machine or tool.enabled is Enabled.NEVER]
    rows = tools if len(tools) <= most else tools[: most - 1]
    for tool in rows:
        about = _places_of(tool.symbol, agent, appearances)
        yield replace(_tool_row(agent, tool, ends), about=about)
    if len(rows) < len(tools):
        yield Row(f"… {len(tools) - len(rows)} more tools")


def _tool_row(agent: Agent, tool: Tool, ends: bool) -> Row:
    mark = stops(agent, tool) if ends else Mark.NONE
    if tool.server:
        return Row(tool.name, "MCP server", mark=mark)
    name = f"{tool.name}()" if tool.kind in FUNCTION_TOOLS else tool.name
    if tool.enabled is Enabled.NEVER:
        return Row(name, "disabled", Tone.OFF)
    remarks = ("hosted", tool.kind is None), ("sometimes", tool.enabled is Enabled.SOMETIMES)
    return Row(name, ", ".join(word for word, said in remarks if said), mark=mark)


def stops(agent: Agent, tool: Tool) -> Mark:
    """Whether the output of a tool can be the final one."""
    if tool.kind not in FUNCTION_TOOLS or tool.enabled is Enabled.NEVER:
        return Mark.NONE
    match agent.stop.kind:
        case StopKind.FIRST:
            return Mark.ENDS
        case StopKind.NAMED:
            named = tool.name in agent.stop.names
            return Mark.ENDS if named else Mark.MAY_END if tool.server else Mark.NONE
        case StopKind.ASKED:
            return Mark.MAY_END
        case StopKind.NEVER:
            return Mark.NONE


def guardrail_rows(
    agent: Agent, takes_input: bool, appearances: Iterable[tuple[Place, Agent]]
) -> Iterator[Row]:
    """Rows for the guardrails of an agent; ``takes_input`` if those of its input can run."""
    rows = [
        (row, "checks input" if row.parallel else "checks input first", takes_input)
        for row in agent.input_guardrails
    ]
    ends = bool(agent.output_guardrails) and Obedience(agent).can_end
    rows += [(row, "checks output", ends) for row in agent.output_guardrails]
    for guardrail, work, runs in rows:
        row = _guardrail_row(guardrail, work, runs)
        yield replace(row, about=_places_of(guardrail.symbol, agent, appearances))


def _guardrail_row(guardrail: Guardrail, work: str, runs: bool) -> Row:
    if runs:
        return Row(guardrail.name, work, Tone.GUARDRAIL)
    return Row(guardrail.name, "guardrail, never runs", Tone.OFF)


def _places_of(
    symbol: str, agent: Agent, appearances: Iterable[tuple[Place, Agent]]
) -> tuple[Place, ...]:
    """Where the part of an agent with a symbol stands, in each chart with that agent."""
    own = symbol.removeprefix(f"{agent.id}/")
    return tuple((part, f"{id}/{own}") for (part, id), _ in appearances)
