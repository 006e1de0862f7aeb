"""The picture of a workflow as people think of it: agents, their tools, handoffs, guardrails and
the ends that a run can reach.

The picture shows an end only if it can happen: an agent has an arrow to "done" if and only if its
output can be final, and one to "turn limit" if it has no other way on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentgraph_compiler.analysis.exits import can_end, successors
from agentgraph_compiler.ir.chart import (
    FUNCTION_TOOLS,
    Agent,
    Chart,
    Enabled,
    Guardrail,
    Handoff,
    Tool,
)
from agentgraph_compiler.render.picture import Arrow, Box, Frame, Ids, Picture, Role, Stroke
from agentgraph_compiler.types import TEXT

_ROWS = 12
"""The most rows of tools in the box of an agent."""
_DEEP = 4
"""The most handoffs in a row for a picture that reads from left to right; with more it reads
downwards."""
_STROKES = {
    Enabled.ALWAYS: Stroke.SOLID,
    Enabled.SOMETIMES: Stroke.DASHED,
    Enabled.NEVER: Stroke.FAINT,
}


def agents_picture(chart: Chart) -> Picture:
    """Draw the agents of a chart, with agents used as tools in frames of their own."""
    return _Drawing(chart).draw()


class _Drawing:
    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.ids = Ids()
        self.picture = Picture(Frame("workflow", chart.name), across=_depth(chart) <= _DEEP)
        self.box_of: dict[tuple[str | None, str], str] = {}
        self.ends: dict[Role, str] = {}
        self.gates: dict[tuple[str, ...], str] = {}

    def draw(self) -> Picture:
        chart, root = self.chart, self.picture.root
        start = self._box(root, Role.START, "start")
        for agent in chart.agents:
            role = Role.ENTRY if agent.id == chart.start else Role.AGENT
            self._agent(root, None, agent, role, tuple(_rows_of_entry(agent, role)))
        for part in chart.charts:
            entry = part.agent[part.start]
            frame = Frame(self.ids.take("tool", part.name), f"{entry.name} as a tool")
            root.frames.append(frame)
            for agent in part.agents:
                role = Role.ENTRY if agent.id == part.start else Role.AGENT
                self._agent(frame, part.name, agent, role, tuple(_rows_of_nested(agent, role)))
        self._entrance(start, chart.agent[chart.start])
        for agent in chart.agents:
            self._way_out(agent)
        for part in chart.walk():
            name = None if part is chart else part.name
            self._handoffs(root, part, name)
            self._calls(part, name)
        return self.picture

    def _box(
        self,
        frame: Frame,
        role: Role,
        title: str,
        rows: tuple[tuple[str, str], ...] = (),
        name: str = "",
    ) -> str:
        box = Box(self.ids.take(role.value, name), role, title, rows)
        frame.boxes.append(box)
        return box.id

    def _agent(
        self,
        frame: Frame,
        part: str | None,
        agent: Agent,
        role: Role,
        guardrails: tuple[tuple[str, str], ...],
    ) -> None:
        rows = (*_output_row(agent), *_tool_rows(agent), *guardrails)
        self.box_of[part, agent.id] = self._box(frame, role, agent.name, rows, agent.id)

    def _arrow(self, source: str, target: str, stroke: Stroke, *label: str) -> None:
        self.picture.arrows.append(Arrow(source, target, stroke, label))

    def _end(self, role: Role, title: str) -> str:
        if role not in self.ends:
            self.ends[role] = self._box(self.picture.root, role, title)
        return self.ends[role]

    def _gate(self, title: str, guardrails: tuple[Guardrail, ...]) -> str:
        """The id of a box of guardrails that can block the run. Agents whose outputs pass the same
        guardrails share one box.
        """
        key = (title, *(row.name for row in guardrails))
        if key not in self.gates:
            rows = tuple(
                (row.name, "" if row.parallel else "before the model") for row in guardrails
            )
            gate = self._box(self.picture.root, Role.GUARDRAIL, title, rows)
            self.gates[key] = gate
            self._arrow(gate, self._end(Role.BLOCKED, "blocked"), Stroke.FAINT, "tripped")
        return self.gates[key]

    def _entrance(self, start: str, entry: Agent) -> None:
        box = self.box_of[None, entry.id]
        if entry.input_guardrails:
            gate = self._gate("input guardrails", entry.input_guardrails)
            self._arrow(start, gate, Stroke.SOLID)
            self._arrow(gate, box, Stroke.SOLID)
        else:
            self._arrow(start, box, Stroke.SOLID)

    def _way_out(self, agent: Agent) -> None:
        box = self.box_of[None, agent.id]
        if can_end(agent) and agent.output_guardrails:
            gate = self._gate("output guardrails", agent.output_guardrails)
            self._arrow(box, gate, Stroke.FAINT)
            passed = Arrow(gate, self._end(Role.DONE, "done"), Stroke.FAINT)
            if passed not in self.picture.arrows:
                self.picture.arrows.append(passed)
        elif can_end(agent):
            self._arrow(box, self._end(Role.DONE, "done"), Stroke.FAINT)
        elif not any(successors(agent)):
            self._arrow(box, self._end(Role.EXHAUSTED, "turn limit"), Stroke.FAINT)

    def _handoffs(self, root: Frame, part: Chart, name: str | None) -> None:
        positions: dict[tuple[str, str], int] = {}
        for agent in part.agents:
            source = self.box_of[name, agent.id]
            for handoff in agent.handoffs:
                if handoff.target:
                    target = self.box_of[name, handoff.target]
                else:
                    target = self._outside(root, handoff.target_name)
                arrow = Arrow(source, target, _STROKES[handoff.enabled], _label(agent, handoff))
                back = positions.get((target, source))
                arrows = self.picture.arrows
                there = Arrow(target, source, arrow.stroke, arrow.label)
                if back is not None and arrows[back] == there:
                    arrows[back] = replace(there, both=True)
                else:
                    positions[source, target] = len(arrows)
                    arrows.append(arrow)

    def _outside(self, root: Frame, name: str) -> str:
        key = ("", name)
        if key not in self.box_of:
            self.box_of[key] = self._box(root, Role.OUTSIDE, name, name=name)
        return self.box_of[key]

    def _calls(self, part: Chart, name: str | None) -> None:
        for agent in part.agents:
            for tool in agent.tools:
                if tool.machine and tool.enabled is not Enabled.NEVER:
                    inner = self.chart.subchart[tool.machine]
                    target = self.box_of[inner.name, inner.start]
                    self._arrow(self.box_of[name, agent.id], target, Stroke.CALL, tool.name)


def _depth(chart: Chart) -> int:
    """The number of handoffs from the start to the agent farthest from it."""
    depth, seen, layer = 0, {chart.start}, [chart.start]
    while layer:
        targets = dict.fromkeys(
            target for agent in layer for target in successors(chart.agent[agent])
        )
        layer = [target for target in targets if target not in seen]
        seen.update(layer)
        depth += bool(layer)
    return depth


def _label(agent: Agent, handoff: Handoff) -> tuple[str, ...]:
    """The name of a handoff, if it says more than the name of the target."""
    words = "".join(filter(str.isalnum, handoff.target_name.lower()))
    names_target = "".join(filter(str.isalnum, handoff.name.lower())).endswith(words)
    has_sibling = sum(other.target == handoff.target for other in agent.handoffs) > 1
    return () if names_target and not has_sibling else (handoff.name,)


def _output_row(agent: Agent) -> Iterator[tuple[str, str]]:
    if agent.output != TEXT:
        yield "gives", agent.output.name.rpartition(".")[2]


def _tool_rows(agent: Agent) -> Iterator[tuple[str, str]]:
    tools = agent.tools if len(agent.tools) <= _ROWS else agent.tools[: _ROWS - 1]
    for tool in tools:
        yield _tool_row(tool)
    if len(tools) < len(agent.tools):
        yield f"… {len(agent.tools) - len(tools)} more tools", ""


def _tool_row(tool: Tool) -> tuple[str, str]:
    remarks = {Enabled.ALWAYS: "", Enabled.SOMETIMES: "sometimes", Enabled.NEVER: "disabled"}
    if tool.server:
        return tool.name, "MCP server"
    if tool.kind is None:
        return tool.name, "hosted"
    name = f"{tool.name}()" if tool.kind in FUNCTION_TOOLS else tool.name
    return name, remarks[tool.enabled]


def _rows_of_entry(agent: Agent, role: Role) -> Iterator[tuple[str, str]]:
    """The guardrails of an agent that never run. Those that run have boxes of their own."""
    if role is not Role.ENTRY:
        yield from ((row.name, "guardrail, never runs") for row in agent.input_guardrails)
    if not can_end(agent):
        yield from ((row.name, "guardrail, never runs") for row in agent.output_guardrails)


def _rows_of_nested(agent: Agent, role: Role) -> Iterator[tuple[str, str]]:
    """The guardrails of an agent in a nested run; the drawing shows no ends for such a run."""
    runs = "guardrail" if role is Role.ENTRY else "guardrail, never runs"
    yield from ((row.name, runs) for row in agent.input_guardrails)
    ends = "guardrail" if can_end(agent) else "guardrail, never runs"
    yield from ((row.name, ends) for row in agent.output_guardrails)
