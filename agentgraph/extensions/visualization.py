"""`draw_graph` and its parts: a workflow as one flat DOT graph, in which each tool and guardrail is
a node of its own.

An agent is compiled to its chart first, so the drawing shows what the compiler finds: it marks
guardrails that never run, and only an agent whose output can be final has an edge to ``__end__``.
``Program.draw`` draws the same chart with tools inside their agents and with every end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentgraph.exceptions import UserError
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.analysis.flow import reached_from
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Guardrail
from agentgraph_compiler.ir.obedience import Obedience
from agentgraph_compiler.render.layout import RenderError, lay_out

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

    from agentgraph.workflow import Source

__all__ = ["draw_graph", "get_all_edges", "get_all_nodes", "get_main_graph"]

_START, _END = "__start__", "__end__"
_SMALL = "width=0.5, height=0.3"
_LARGE = "fillcolor=lightyellow, width=1.5, height=0.8"
_TERMINAL = f"shape=ellipse, style=filled, fillcolor=lightblue, {_SMALL}"
_FIRST_AGENT = f"shape=box, style=filled, {_LARGE}"
_AGENT = f'shape=box, style="filled,rounded", {_LARGE}'
_OUTSIDE = f'shape=box, style="filled,rounded,dashed", {_LARGE}'
_TOOL = f"shape=ellipse, style=filled, fillcolor=lightgreen, {_SMALL}"
_SERVER = "shape=box, style=filled, fillcolor=lightgrey, width=1, height=0.5"
_GUARDRAIL = f"shape=octagon, style=filled, fillcolor=mistyrose, {_SMALL}"
_IDLE_GUARDRAIL = f'shape=octagon, style="filled,dashed", fillcolor=white, {_SMALL}'
_TOOL_CALL = "style=dotted, penwidth=1.5"
_SERVER_CALL = "style=dashed, penwidth=1.5"
_DISABLED = "color=lightgrey"

_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n"}


def get_main_graph(agent: Source) -> str:
    """Return the workflow that starts with an agent, in DOT.

    Args:
        agent: The agent that a run starts with.

    Returns:
        The source of a directed graph.
    """
    flat = _Flat(_chart(agent))
    settings = ("graph [splines=true];", 'node [fontname="Arial"];', "edge [penwidth=1.5];")
    agents = flat.chart.agents
    statements = (*settings, *flat.nodes(agents, True), *flat.edges(agents, True))
    return "\n".join(("digraph G {", *(f"  {statement}" for statement in statements), "}"))


def get_all_nodes(agent: Source, parent: object = None, visited: set[str] | None = None) -> str:
    """Return the nodes of an agent's graph: the agents that handoffs lead to, tools, guardrails and
    MCP servers.

    Args:
        agent: The agent to begin with.
        parent: The agent of the graph that receives the nodes. This graph already has ``agent``,
            the start and the end. ``None`` makes a whole graph.
        visited: Names of agents that the graph already has, with all that they lead to. This
            function adds the names of the agents that it draws.

    Returns:
        DOT statements, one on each line.
    """
    flat = _Flat(_chart(agent))
    return "\n".join(flat.nodes(_unvisited(flat.chart, visited), parent is None))


def get_all_edges(agent: Source, parent: object = None, visited: set[str] | None = None) -> str:
    """Return the edges of an agent's graph: handoffs, calls of tools and MCP servers and their
    returns, guardrails, the start and the ends.

    Args:
        agent: The agent to begin with.
        parent: The agent of the graph that receives the edges. This graph already has the start.
            ``None`` makes a whole graph.
        visited: Names of agents whose edges the graph already has, with all that they lead to.
            This function adds the names of the agents that it draws.

    Returns:
        DOT statements, one on each line.
    """
    flat = _Flat(_chart(agent))
    return "\n".join(flat.edges(_unvisited(flat.chart, visited), parent is None))


def draw_graph(agent: Source, filename: str | None = None) -> graphviz.Source:
    """Draw the workflow that starts with an agent.

    Args:
        agent: The agent that a run starts with.
        filename: The path of the PNG to write, without the suffix; ``None`` writes no file.

    Returns:
        The drawing. A notebook displays it; ``.view()`` opens it.

    Raises:
        UserError: Graphviz is not installed, or its layout takes too long.
    """
    import graphviz

    source = get_main_graph(agent)
    if filename is not None:
        try:
            drawing = lay_out(source, "png")
        except RenderError as error:
            raise UserError(str(error)) from error
        Path(f"{filename}.png").write_bytes(drawing)
    return graphviz.Source(source, format="png")


def _chart(agent: Source) -> Chart:
    chart, _ = lower(agent)
    return chart


def _unvisited(chart: Chart, visited: set[str] | None) -> tuple[Agent, ...]:
    """Return the agents that can be reached without passing a visited one."""
    if not visited:
        drawn = chart.agents
    else:
        onward = {
            agent.id: [
                handoff.target
                for handoff in agent.handoffs
                if handoff.target and chart.agent[handoff.target].name not in visited
            ]
            for agent in chart.agents
        }
        first = [] if chart.agent[chart.start].name in visited else [chart.start]
        reached = reached_from(first, onward.__getitem__)
        drawn = tuple(agent for agent in chart.agents if agent.id in reached)
    if visited is not None:
        visited.update(agent.name for agent in drawn)
    return drawn


@dataclass(frozen=True, slots=True)
class _Node:
    """A node: its unique name in the graph, its label and its attributes."""

    name: str
    label: str
    look: str

    def __str__(self) -> str:
        return f"{_quoted(self.name)} [label={_quoted(self.label)}, {self.look}];"


class _Flat:
    """A chart as nodes and edges.

    A node has the name of the thing that it stands for; if two things share a name, the later one
    gets a number. Agents are distinguished by identity, all else by name and look: two agents with
    a tool ``search`` point to one node.
    """

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._node_of: dict[tuple[str, str], _Node] = {}
        self._uses = {_START: 1, _END: 1}
        for agent in chart.agents:
            look = _FIRST_AGENT if agent.id == chart.start else _AGENT
            self._node_of["agent", agent.id] = self._new(agent.name, look)

    def nodes(self, agents: Iterable[Agent], whole: bool) -> Iterator[str]:
        """Yield the statements of nodes. A whole graph also has the terminals and the first
        agent."""
        drawn = dict.fromkeys(
            node
            for agent in agents
            for node in (self._agent(agent.id), *self._belongings(agent))
            if whole or node.look != _FIRST_AGENT
        )
        terminals = (_Node(_START, _START, _TERMINAL), _Node(_END, _END, _TERMINAL))
        yield from map(str, (*(terminals if whole else ()), *drawn))

    def edges(self, agents: Iterable[Agent], whole: bool) -> Iterator[str]:
        """Yield the statements of edges. A whole graph also has the edge from the start."""
        if whole:
            yield _edge(_START, self._agent(self.chart.start).name)
        drawn = dict.fromkeys(edge for agent in agents for edge in self._edges_of(agent))
        yield from drawn

    def _edges_of(self, agent: Agent) -> Iterator[str]:
        here = self._agent(agent.id).name
        for node in self._tools(agent):
            call = _SERVER_CALL if node.look == _SERVER else _TOOL_CALL
            yield _edge(here, node.name, call)
            yield _edge(node.name, here, call)
        for node in self._input_guardrails(agent):
            yield _edge(node.name, here, _TOOL_CALL)
        for handoff, node in zip(agent.handoffs, self._targets(agent), strict=True):
            disabled = handoff.enabled is Enabled.NEVER
            yield _edge(here, node.name, _DISABLED if disabled else "")
        for node in self._output_guardrails(agent):
            yield _edge(here, node.name, _TOOL_CALL)
        if Obedience(agent).can_end:
            yield _edge(here, _END)

    def _belongings(self, agent: Agent) -> Iterator[_Node]:
        yield from self._tools(agent)
        yield from self._input_guardrails(agent)
        yield from self._output_guardrails(agent)
        yield from (node for node in self._targets(agent) if node.look == _OUTSIDE)

    def _tools(self, agent: Agent) -> Iterator[_Node]:
        for tool in agent.tools:
            yield self._shared(tool.name, _SERVER if tool.server else _TOOL)

    def _input_guardrails(self, agent: Agent) -> Iterator[_Node]:
        return self._guardrails(agent.input_guardrails, agent.id == self.chart.start)

    def _output_guardrails(self, agent: Agent) -> Iterator[_Node]:
        return self._guardrails(agent.output_guardrails, Obedience(agent).can_end)

    def _guardrails(self, guardrails: Iterable[Guardrail], runs: bool) -> Iterator[_Node]:
        for guardrail in guardrails:
            label = guardrail.name if runs else f"{guardrail.name} (never runs)"
            yield self._shared(label, _GUARDRAIL if runs else _IDLE_GUARDRAIL)

    def _targets(self, agent: Agent) -> Iterator[_Node]:
        for handoff in agent.handoffs:
            if handoff.target:
                yield self._agent(handoff.target)
            else:
                yield self._shared(handoff.target_name, _OUTSIDE)

    def _agent(self, id: str) -> _Node:
        return self._node_of["agent", id]

    def _shared(self, label: str, look: str) -> _Node:
        key = (look, label)
        if key not in self._node_of:
            self._node_of[key] = self._new(label, look)
        return self._node_of[key]

    def _new(self, label: str, look: str) -> _Node:
        name = label
        while name in self._uses:
            self._uses[label] = self._uses.get(label, 0) + 1
            name = f"{label} ({self._uses[label]})"
        self._uses[name] = 1
        return _Node(name, label, look)


def _edge(source: str, target: str, look: str = "") -> str:
    attributes = f" [{look}]" if look else ""
    return f"{_quoted(source)} -> {_quoted(target)}{attributes};"


def _quoted(text: str) -> str:
    """Return a DOT string that displays ``text``, with spaces for unprintable characters."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    return _ESCAPES.get(char) or (char if char.isprintable() else " ")
