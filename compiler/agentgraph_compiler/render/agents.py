"""The picture of a workflow as people think of it: agents with their tools and guardrails, handoffs
and calls.

Each agent has one box, however many parts of the workflow it stands in. An end is a mark on the
agent or on the tool that gives the final output: it is there if and only if that output can be
final.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Enabled,
    Handoff,
)
from agentgraph_compiler.ir.obedience import Obedience, callable_handoffs
from agentgraph_compiler.render.agent_rows import guardrail_rows, output_row, stops, tool_rows
from agentgraph_compiler.render.findings import FINDINGS
from agentgraph_compiler.render.picture import (
    Arrow,
    Box,
    Frame,
    Ids,
    Mark,
    Meaning,
    Picture,
    Place,
    Role,
    Row,
    Stroke,
    Tone,
)
from agentgraph_compiler.render.steps import Steps, branches_of, ways_of
from agentgraph_compiler.render.teams import teams

_NOT_IN_NAMES = re.compile("[^a-z0-9]+")
_ROWS = ((10, 12), (30, 6))
"""The most rows of tools in a box, by the number of agents up to which it holds."""
_FEWEST_ROWS = 4
_DEEP = 4
"""The most handoffs in a row for a picture that reads from left to right; with more it reads
downwards."""
_HANDOFFS = {
    Enabled.ALWAYS: Stroke.SOLID,
    Enabled.SOMETIMES: Stroke.DASHED,
    Enabled.NEVER: Stroke.OFF,
}
_CALLS = {Enabled.ALWAYS: Stroke.CALL, Enabled.SOMETIMES: Stroke.SOMETIMES_CALL}
_RETURNING = {Enabled.ALWAYS: Stroke.RETURNING, Enabled.SOMETIMES: Stroke.SOMETIMES_RETURNING}
_WORDS: Mapping[Meaning, str] = {
    Role.ENTRY: "agent that a run starts with",
    Role.AGENT: "agent",
    Role.TOOL: "agent used as a tool",
    Role.CODE: "agent that code runs, unchecked",
    Role.OUTSIDE: "agent outside this workflow",
    Role.FUNCTION: "function that is a step",
    Role.QUESTION: "question to a person",
    Role.BRANCHES: "branches side by side, or a workflow",
    Role.END: "end of the workflow",
    Mark.ENDS: "can end the run",
    Mark.MAY_END: "a function decides whether it ends the run",
    Mark.STUCK: "only the turn limit ends the run",
    Stroke.SOLID: "handoff (two heads: both ways)",
    Stroke.DASHED: "handoff that a function may disable",
    Stroke.OFF: "disabled handoff",
    Stroke.EDGE: "edge to the next step, with its case",
    Stroke.CATCH: "edge after an exception",
    Stroke.CALL: "calls an agent as a tool",
    Stroke.SOMETIMES_CALL: "tool that a function may disable",
    Stroke.BRANCH: "runs in a branch",
    Stroke.RETURNING: "handoff that returns to its caller",
    Stroke.SOMETIMES_RETURNING: "handoff that returns, and that a function may disable",
    Stroke.CODE: "runs it in the code of a tool or guardrail",
    Tone.GUARDRAIL: "guardrail",
    Tone.OFF: "disabled, or never runs",
    **FINDINGS,
}


def agents_picture(
    chart: Chart,
    findings: Mapping[Place, Iterable[Row]] | None = None,
    visited: Collection[str] = (),
) -> Picture:
    """Draw the agents of a chart.

    Args:
        chart: The chart.
        findings: Rows about agents, to be shown in their boxes.
        visited: The names of the agents that a run came by.
    """
    return _Drawing(chart, findings or {}, frozenset(visited)).draw()


class _Drawing:
    def __init__(
        self, chart: Chart, findings: Mapping[Place, Iterable[Row]], visited: frozenset[str]
    ) -> None:
        self.chart, self.findings, self.visited = chart, findings, visited
        self.ids = Ids()
        self.picture = Picture(
            Frame("workflow", chart.name), across=_depth(chart) <= _DEEP, words=_WORDS
        )
        self.box_of: dict[Place, str] = {}
        self.box_by_identity: dict[tuple[str, Origin], str] = {}
        self.position_of: dict[Arrow, int] = {}
        self.outside: dict[object, str] = {}
        # The charts in which only handoffs that return begin runs.
        self.handed = frozenset(
            tool.machine
            for part in chart.walk()
            for agent in part.agents
            for tool in agent.tools
            if tool.handoff
        )
        self.branched = frozenset(
            one.machine for part in chart.walk() for step in part.steps for one in branches_of(step)
        )
        self.steps = Steps(chart)
        self.inner = {part.name: Steps(part, part.name) for part in chart.charts if part.steps}
        self.frame_of: dict[str, Frame] = {}
        self.entered = {chart.start, *chart.starts, *self.steps.entered}
        if chart.multi_turn:
            self.entered |= Flow(chart).last_agents
        self.places = _places(chart)
        most = [rows for size, rows in _ROWS if len(self.places) <= size]
        self.most = most[0] if most else _FEWEST_ROWS

    def draw(self) -> Picture:
        root = self.picture.root
        start = Box(self.ids.take(Role.START, "start"), Role.START, "start")
        root.boxes.append(start)
        frames = self._frames()
        for appearances in self.places:
            self._agent(frames[appearances[0][0]], appearances)
        for id, box in self.steps.boxes(self.ids, self.findings):
            root.boxes.append(box)
            self.box_of["", id] = box.id
            if box.group:
                self.picture.groups[box.group] = box.title.removesuffix("()")
        for name, steps in self.inner.items():
            for id, box in steps.boxes(self.ids, self.findings):
                self.frame_of.get(name, root).boxes.append(box)
                self.box_of[name, id] = box.id
        for entry in (self.chart.start, *self.chart.starts):
            self._arrow(Arrow(start.id, self.box_of["", entry]))
        for appearances in self.places:
            for place, agent in appearances:
                self._handoffs(place, agent)
                self._calls(place, agent)
                self._code(place, agent)
        for steps in (self.steps, *self.inner.values()):
            for arrow in steps.arrows(self.box_of):
                self._arrow(arrow)
        for arrow in self.steps.runs(self.box_of):
            self._arrow(arrow)
        return self.picture

    def _frames(self) -> dict[Place, Frame]:
        """The frame of each agent: for a team, and for a run of its own with several agents."""
        root = self.picture.root
        frames = {place: root for appearances in self.places for place, _ in appearances}
        for leader, members in teams(self.chart):
            name = (self.chart.agent.get(leader) or self.chart.step[leader]).name
            frame = Frame(self.ids.take("team", leader), f"reached only through {name}")
            root.frames.append(frame)
            frames |= {("", member): frame for member in members}
        for part in self.chart.charts:
            own = [places[0][0] for places in self.places if places[0][0][0] == part.name]
            if len(own) > 1 or part.steps:
                start = part.agent[part.start].name
                title = f"the run of {start} as a tool"
                if part.name in self.handed:
                    title = f"the run of {start} before it returns"
                if part.name in self.branched:
                    title = f"the run of {part.name} in a branch"
                frame = Frame(self.ids.take("run", part.name), title)
                root.frames.append(frame)
                frames |= dict.fromkeys(own, frame)
                self.frame_of[part.name] = frame
        return frames

    def _agent(self, frame: Frame, appearances: list[tuple[Place, Agent]]) -> None:
        (part, id), agent = appearances[0]
        group = f"{part}/{id}" if part else id
        self.picture.groups[group] = agent.name
        rows = (
            *output_row(agent),
            *self._steps_of(part).rows(id),
            *self.steps.others(id for (part, id), _ in appearances if not part),
            *tool_rows(agent, self.most, appearances, ends=self._ends(appearances)),
            *guardrail_rows(agent, self._takes_input(appearances), appearances),
            *dict.fromkeys(row for place, _ in appearances for row in self.findings.get(place, ())),
        )
        box = Box(
            id=self.ids.take("agent", group),
            role=self._role(part, agent),
            title=agent.name,
            rows=rows,
            mark=self._mark(part, agent, appearances),
            group=group,
            lit=agent.name in self.visited,
            about=tuple(place for place, _ in appearances),
        )
        frame.boxes.append(box)
        self.box_of |= {place: box.id for place, _ in appearances}
        self.box_by_identity |= {_identity(one): box.id for _, one in appearances}

    def _steps_of(self, part: str) -> Steps:
        """The steps of a chart, by its name."""
        return self.inner.get(part, _NO_STEPS) if part else self.steps

    def _role(self, part: str, agent: Agent) -> Role:
        if part:
            called = agent.id == self.chart.subchart[part].start and part not in self._by_itself
            return Role.TOOL if called else Role.AGENT
        is_entry = agent.id in (self.chart.start, *self.chart.starts)
        return Role.ENTRY if is_entry else Role.AGENT

    @property
    def _by_itself(self) -> frozenset[str]:
        """The charts whose runs no call of a tool begins."""
        return self.handed | self.branched

    def _takes_input(self, appearances: Iterable[tuple[Place, Agent]]) -> bool:
        """Whether a run, a further run of a chat, or a run as a tool starts with this agent."""
        return any(
            id == self.chart.subchart[part].start and part not in self.handed
            if part
            else id in self.entered
            for (part, id), _ in appearances
        )

    def _ends(self, appearances: Iterable[tuple[Place, Agent]]) -> bool:
        """Whether there is a place where no edge leads on from this agent."""
        return any(id not in self._steps_of(part).onward for (part, id), _ in appearances)

    def _mark(self, part: str, agent: Agent, appearances: Iterable[tuple[Place, Agent]]) -> Mark:
        alone = bool(part) and len(self.chart.subchart[part].agents) == 1
        obedience = Obedience(agent)
        if obedience.can_answer:
            return Mark.NONE if alone or not self._ends(appearances) else Mark.ENDS
        if obedience.can_end or callable_handoffs(agent):
            return Mark.NONE
        return Mark.STUCK

    def _arrow(self, arrow: Arrow) -> None:
        """Draw an arrow, or let the equal one that is drawn stand for this one too."""
        number = self.position_of.setdefault(arrow, len(self.picture.arrows))
        if number == len(self.picture.arrows):
            self.picture.arrows.append(arrow)
        else:
            before = self.picture.arrows[number]
            self.picture.arrows[number] = replace(before, about=(*before.about, *arrow.about))

    def _handoffs(self, place: Place, agent: Agent) -> None:
        source, drawn = self.box_of[place], self.position_of
        for handoff in agent.handoffs:
            if handoff.target:
                target = self.box_of[place[0], handoff.target]
            else:
                target = self._other(Role.OUTSIDE, handoff.target_name, handoff.target_name)
            label = _label(agent, handoff)
            about: tuple[Place, ...] = ((place[0], handoff.symbol),)
            back = Arrow(target, source, _HANDOFFS[handoff.enabled], label, about=about)
            plain = not handoff.filters and not handoff.acts
            both = replace(back, both=True)
            if plain and back in drawn and target != source:
                number = drawn[both] = drawn.pop(back)
                about = (*self.picture.arrows[number].about, *about)
                self.picture.arrows[number] = replace(both, about=about)
            elif plain and both in drawn:
                self._arrow(both)
            else:
                self._arrow(replace(back, source=source, target=target))

    def _other(self, role: Role, name: str, key: object) -> str:
        """The box of an agent that is no part of the chart."""
        if key not in self.outside:
            box = Box(self.ids.take(role, name), role, name, group=self.ids.take("group", name))
            self.picture.groups[box.group] = name
            self.picture.root.boxes.append(box)
            self.outside[key] = box.id
        return self.outside[key]

    def _calls(self, place: Place, agent: Agent) -> None:
        for tool in agent.tools:
            if tool.machine and tool.enabled is not Enabled.NEVER:
                inner = self.chart.subchart[tool.machine]
                entry = inner.agent[inner.start]
                label = [] if _says(tool.name, entry.name) else [tool.name]
                onward = agent.id in self._steps_of(place[0]).onward
                if tool.handoff:
                    label.append("returns")
                elif not onward and stops(agent, tool) is not Mark.NONE:
                    label.append("its answer ends the run")
                self._arrow(
                    Arrow(
                        source=self.box_of[place],
                        target=self.box_of[inner.name, inner.start],
                        stroke=(_RETURNING if tool.handoff else _CALLS)[tool.enabled],
                        label=tuple(label),
                        about=((place[0], tool.symbol),),
                    )
                )

    def _code(self, place: Place, agent: Agent) -> None:
        for inner in agent.inner:
            key = (inner.name, inner.origin)
            target = self.box_by_identity.get(key) or self._other(Role.CODE, inner.name, key)
            name = inner.symbol.rpartition("/")[2]
            self._arrow(Arrow(self.box_of[place], target, Stroke.CODE, (name,)))


_NO_STEPS = Steps(Chart(name="", start="", initial="", agents=(), states=()))


def _places(chart: Chart) -> list[list[tuple[Place, Agent]]]:
    """The agents with all places where they stand. An agent used as a tool that is also a target of
    handoffs stands in two charts, as one object of the user; an agent of two steps stands twice in
    one chart."""
    places: list[list[tuple[Place, Agent]]] = []
    first: dict[tuple[str, Origin], int] = {}
    for part in chart.walk():
        name = "" if part is chart else part.name
        here, same = dict[tuple[str, Origin], int](), dict[int, int]()
        for agent in part.agents:
            key, place = _identity(agent), (name, agent.id)
            number = first.get(key)
            if agent.identity and agent.identity in same:
                places[same[agent.identity]].append((place, agent))
                continue
            if number is not None and key not in here and agent.origin != UNKNOWN:
                places[number].append((place, agent))
                here[key] = number
            else:
                number = len(places)
                here.setdefault(key, number)
                places.append([(place, agent)])
            same[agent.identity] = number
        first = {**here, **first}
    return places


def _identity(agent: Agent) -> tuple[str, Origin]:
    return agent.name, agent.origin


def _depth(chart: Chart) -> int:
    """The number of handoffs and edges from the start to the agent or step farthest from it."""
    depth, seen, layer = 0, {chart.start}, [chart.start]
    while layer:
        targets = dict.fromkeys(target for id in layer for target in _next(chart, id))
        layer = [target for target in targets if target not in seen]
        seen.update(layer)
        depth += bool(layer)
    return depth


def _next(chart: Chart, id: str) -> Iterator[str]:
    """Where handoffs and edges lead from an agent or step."""
    if id in chart.agent:
        yield from (handoff.target for handoff in callable_handoffs(chart.agent[id]))
    if id in chart.step:
        yield from (target for case in chart.step[id].ways for target in ways_of(case))


def _says(name: str, target: str) -> bool:
    """Whether the name of a handoff or tool says no more than the name of the agent. A default name
    keeps only the letters of the agent's name that fit into a function name."""
    words = _NOT_IN_NAMES.sub("", target.lower())
    said = _NOT_IN_NAMES.sub("", name.lower())
    return said.endswith(words) if words else said in ("", "transferto")


def _label(agent: Agent, handoff: Handoff) -> tuple[str, ...]:
    """The name of a handoff, if it says more than the name of the target, and the functions that
    work on it."""
    has_sibling = sum(other.target == handoff.target for other in agent.handoffs) > 1
    named = has_sibling or not _says(handoff.name, handoff.target_name)
    words = ((handoff.name, named), ("input filter", handoff.filters), ("on_handoff", handoff.acts))
    return tuple(word for word, said in words if said)
