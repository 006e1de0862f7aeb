"""Drawing agents with Graphviz, as in the published SDK: `draw_graph(agent)`.

Shown is what the SDK shows (agents, tools, MCP servers, handoffs) and also guardrails and the
agents in which a run can really end. Agents are read by their shape, so that those of the
published SDK can be drawn too. `Program.draw` draws more: the compiled workflow, or its states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import graphviz  # type: ignore[import-untyped]

from agentgraph.exceptions import UserError
from agentgraph.frontend.discover import target_of
from agentgraph_compiler.render.layout import RenderError, lay_out

__all__ = ["draw_graph", "get_all_edges", "get_all_nodes", "get_main_graph"]

_START, _END = "__start__", "__end__"
_TERMINAL = "shape=ellipse, style=filled, fillcolor=lightblue, width=0.5, height=0.3"
_ENTRY = "shape=box, style=filled, fillcolor=lightyellow, width=1.5, height=0.8"
_AGENT = 'shape=box, style="filled,rounded", fillcolor=lightyellow, width=1.5, height=0.8'
_TOOL = "shape=ellipse, style=filled, fillcolor=lightgreen, width=0.5, height=0.3"
_SERVER = "shape=box, style=filled, fillcolor=lightgrey, width=1, height=0.5"
_GUARDRAIL = "shape=octagon, style=filled, fillcolor=mistyrose, width=0.5, height=0.3"


def draw_graph(agent: Any, filename: str | None = None) -> graphviz.Source:
    """Draw an agent and everything it can hand off to.

    Args:
        agent: The agent a run starts with.
        filename: Where to write a PNG, without the ending; `None` writes nothing.

    Returns:
        The drawing; notebooks show it.

    Raises:
        UserError: `filename` was given and Graphviz is not installed or took too long.
    """
    source = get_main_graph(agent)
    if filename is not None:
        try:
            Path(f"{filename}.png").write_bytes(lay_out(source, "png"))
        except RenderError as error:
            raise UserError(str(error)) from error
    return graphviz.Source(source)


def get_main_graph(agent: Any) -> str:
    """Write an agent and everything it can hand off to in DOT.

    Args:
        agent: The agent a run starts with.

    Returns:
        The DOT source.
    """
    survey = _Survey(agent)
    lines = [
        "digraph G {",
        "graph [splines=true];",
        'node [fontname="Arial"];',
        "edge [penwidth=1.5];",
        *survey.nodes(entry=True),
        *survey.edges(entry=True),
        "}",
    ]
    return "\n".join(lines) + "\n"


def get_all_nodes(agent: Any, parent: Any = None, visited: set[str] | None = None) -> str:
    """Write the nodes of an agent and of everything it can hand off to.

    Args:
        agent: The agent.
        parent: The agent that hands off to it; `None` for the one a run starts with, which also
            brings the start and the end.
        visited: Names of agents to leave out; the names of the agents written are added.

    Returns:
        DOT statements.
    """
    return "\n".join(_Survey(agent, visited).nodes(entry=parent is None))


def get_all_edges(agent: Any, parent: Any = None, visited: set[str] | None = None) -> str:
    """Write the edges of an agent and of everything it can hand off to.

    Args:
        agent: The agent.
        parent: The agent that hands off to it; `None` for the one a run starts with.
        visited: Names of agents to leave out; the names of the agents written are added.

    Returns:
        DOT statements.
    """
    return "\n".join(_Survey(agent, visited).edges(entry=parent is None))


class _Survey:
    """The agents to draw, each once, and a node for everything they have.

    Things are told apart by identity, never by name: the first of a name has it as its node's id,
    later ones get a number.
    """

    def __init__(self, agent: Any, visited: set[str] | None = None) -> None:
        self.entry = agent
        self.agents: list[Any] = []
        self._ids: dict[int, str] = {}
        self._taken = {_START, _END}
        left_out = frozenset(visited or ())
        self._discover(agent, left_out)
        if visited is not None:
            visited.update(found.name for found in self.agents)

    def _discover(self, agent: Any, left_out: frozenset[str]) -> None:
        # A stack rather than recursion: a chain of handoffs may be longer than Python recurses.
        waiting = [agent]
        while waiting:
            found = waiting.pop()
            if id(found) in self._ids:
                continue
            self._id(found)
            if found.name in left_out:
                continue
            self.agents.append(found)
            targets = [target_of(listed) for listed in _listed(found, "handoffs")]
            waiting.extend(target for target in reversed(targets) if target is not None)

    def _id(self, thing: Any) -> str:
        if id(thing) not in self._ids:
            name = _name(thing)
            candidate, number = name, 1
            while candidate in self._taken:
                number += 1
                candidate = f"{name} ({number})"
            self._taken.add(candidate)
            self._ids[id(thing)] = candidate
        return _quoted(self._ids[id(thing)])

    def nodes(self, *, entry: bool) -> Iterator[str]:
        """The node statements, each thing once."""
        if entry:
            yield f'"{_START}" [label="{_START}", {_TERMINAL}];'
            yield f'"{_END}" [label="{_END}", {_TERMINAL}];'
        seen: set[int] = set()
        for thing, look in self._things(entry):
            if id(thing) not in seen:
                seen.add(id(thing))
                yield f"{self._id(thing)} [label={_quoted(_name(thing))}, {look}];"

    def _things(self, entry: bool) -> Iterator[tuple[Any, str]]:
        for agent in self.agents:
            yield agent, _ENTRY if entry and agent is self.entry else _AGENT
            yield from ((tool, _TOOL) for tool in _listed(agent, "tools"))
            yield from ((server, _SERVER) for server in _listed(agent, "mcp_servers"))
            yield from ((guardrail, _GUARDRAIL) for guardrail in _guardrails(agent))
            unresolved = (row for row in _listed(agent, "handoffs") if target_of(row) is None)
            yield from ((row, _AGENT) for row in unresolved)

    def edges(self, *, entry: bool) -> Iterator[str]:
        """The edge statements."""
        if entry and self.agents:
            yield f'"{_START}" -> {self._id(self.entry)};'
        for agent in self.agents:
            here = self._id(agent)
            yield from self._both_ways(here, _listed(agent, "tools"), "dotted")
            yield from self._both_ways(here, _listed(agent, "mcp_servers"), "dashed")
            for guardrail in _listed(agent, "input_guardrails"):
                yield f"{self._id(guardrail)} -> {here} [style=dotted, penwidth=1.5];"
            for guardrail in _listed(agent, "output_guardrails"):
                yield f"{here} -> {self._id(guardrail)} [style=dotted, penwidth=1.5];"
            for listed in _listed(agent, "handoffs"):
                target = target_of(listed)
                yield f"{here} -> {self._id(listed if target is None else target)};"
            if _can_end(agent):
                yield f'{here} -> "{_END}";'

    def _both_ways(self, here: str, things: Iterable[Any], style: str) -> Iterator[str]:
        for thing in things:
            there = self._id(thing)
            yield f"{here} -> {there} [style={style}, penwidth=1.5];"
            yield f"{there} -> {here} [style={style}, penwidth=1.5];"


def _listed(agent: Any, field: str) -> list[Any]:
    listed = getattr(agent, field, ())
    return list(listed) if isinstance(listed, list | tuple) else []


def _guardrails(agent: Any) -> list[Any]:
    return [*_listed(agent, "input_guardrails"), *_listed(agent, "output_guardrails")]


def _name(thing: Any) -> str:
    get_name = getattr(thing, "get_name", None)
    if callable(get_name) and hasattr(thing, "guardrail_function"):
        return str(get_name())
    name = getattr(thing, "name", None)
    return str(getattr(thing, "agent_name", "?") if name is None else name)


def _can_end(agent: Any) -> bool:
    """Whether a run can end in an agent: its model may answer, or a tool output can be final."""
    choice = getattr(getattr(agent, "model_settings", None), "tool_choice", None)
    forced = isinstance(choice, str) and choice not in ("auto", "none")
    if not forced or getattr(agent, "reset_tool_choice", True) is not False:
        return True
    return getattr(agent, "tool_use_behavior", "run_llm_again") != "run_llm_again"


def _quoted(text: str) -> str:
    """A DOT string: without an end before its end, and without escapes of its own."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    lines = re.split("\r\n|\r|\n", escaped)
    shown = ("".join(char if char.isprintable() else " " for char in line) for line in lines)
    return '"' + "\\n".join(shown) + '"'
