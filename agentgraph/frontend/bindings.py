"""Bindings: what the symbols of a machine stand for. The machine stays plain data; the callables
live here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.once import once
from agentgraph.frontend.reading import (
    AgentReading,
    ChartReading,
    Reading,
    parts_of,
    shapes_of,
    targets_of,
)
from agentgraph.frontend.shapes import Shape, unchanged
from agentgraph.handoffs import handoff_by_itself


@dataclass(eq=False)
class HandoffBinding:
    """A handoff that a run can take.

    Args:
        symbol: Its name in the machine.
        name: The tool name the model calls it by.
        entry: What the agent lists: a handoff, or an agent by itself.
        target: Id of the target agent.
    """

    symbol: str
    name: str
    entry: Any
    target: str

    @once
    def handoff(self) -> Any:
        """The handoff object that the model is shown; for an agent listed by itself it is made
        when a run first gets there."""
        entry = self.entry
        return handoff_by_itself(entry, self.name) if is_agent(entry) else entry


class ToolBinding(NamedTuple):
    """A tool of an agent, under its symbol; ``symbol`` is empty for a tool that runs at the model's
    side."""

    symbol: str
    tool: Any


class AgentLayout(NamedTuple):
    """The symbols of an agent, by the place of what they stand for among what the agent lists.

    Args:
        id: Its identity in the machine.
        tools: The symbols of its tools; empty for one that runs at the model's side.
        handoffs: Place, symbol, name and id of the target, of the handoffs that a run can take.
        servers: The symbols of its MCP servers.
        guardrails: The symbols of its input guardrails and those of the run, then of the outputs.
        stop: The symbol of the callable that says whether tool outputs end the run, if there is
            one.
    """

    id: str
    tools: tuple[str, ...]
    handoffs: tuple[tuple[int, str, str, str], ...]
    servers: tuple[str, ...]
    guardrails: tuple[str, ...]
    stop: str


@dataclass(eq=False)
class AgentBinding:
    """An agent and what its symbols stand for, worked out when a run first gets there.

    Args:
        id: Its identity in the machine.
        agent: The agent object.
        layout: Its symbols.
        read: What was read of it.
        chart: What was read of the whole.
        memo: What a driver derives from this binding once, such as the tools on offer where they
            never change.
    """

    id: str
    agent: Any
    layout: AgentLayout = field(repr=False)
    read: AgentReading = field(repr=False)
    chart: ChartReading = field(repr=False)
    memo: dict[str, Any] = field(default_factory=dict)

    @once
    def tools(self) -> tuple[ToolBinding, ...]:
        """The tools in the user's order."""
        rows = zip(self.layout.tools, self.read.tools, strict=True)
        return tuple([ToolBinding(symbol, tool.shape.part) for symbol, tool in rows])

    @once
    def handoffs(self) -> tuple[HandoffBinding, ...]:
        """The handoffs in the user's order; only those a run can take."""
        read = self.read.handoffs
        return tuple(
            [
                HandoffBinding(symbol, name, read[place].entry, target)
                for place, symbol, name, target in self.layout.handoffs
            ]
        )

    @once
    def servers(self) -> tuple[tuple[str, Any], ...]:
        """Symbol and MCP server, in the user's order."""
        parts = [shape.part for shape in self.read.servers]
        return tuple(zip(self.layout.servers, parts, strict=True))

    @once
    def shapes(self) -> tuple[Shape, ...]:
        """What the agent and everything it lists was when it was lowered; another shape now means
        compiling anew."""
        read, chart = self.read, self.chart
        of_run = chart.inputs + chart.outputs
        return (read.shape, *parts_of(read), *targets_of(read, chart), *of_run)

    @property
    def current(self) -> bool:
        """Whether the agent is still what was lowered."""
        return unchanged(self.shapes)


@dataclass(eq=False)
class Bindings:
    """What the symbols of one machine stand for.

    Args:
        agents: The agents by id.
        symbols: Guardrails and deciding callables by symbol.
        start: That of the agent a run starts with.
        reading: What was read of the whole workflow.
        hooked: Whether any agent of this machine has hooks.
        machines: The bindings of the sub-machines by name; shared by all of them.
    """

    agents: Mapping[str, AgentBinding]
    symbols: Mapping[str, Any]
    start: AgentBinding = field(repr=False)
    reading: Reading = field(repr=False)
    hooked: bool = False
    machines: Mapping[str, Bindings] = field(default_factory=dict, repr=False)

    def id_of(self, agent: Any) -> str:
        """Identity of an agent of this machine.

        Raises:
            KeyError: The agent is not one of this machine.
        """
        known = self._ids.get(id(agent))
        if known is None:
            raise KeyError(f"agent '{agent.name}' is not part of this machine")
        return known

    def has(self, agent: Any) -> bool:
        """Whether an agent is one of this machine."""
        return id(agent) in self._ids

    @once
    def _ids(self) -> dict[int, str]:
        return {id(binding.agent): binding.id for binding in self.agents.values()}

    @property
    def current(self) -> bool:
        """Whether everything in this machine and its sub-machines is still what was lowered."""
        return unchanged(shapes_of(self.reading))

    def current_at(self, agent: Any = None) -> bool:
        """Whether what a run meets at an agent is still what was lowered.

        Args:
            agent: The agent; ``None`` for the one a run starts with.
        """
        workflow = self.reading.workflow
        if not self.start.current or (workflow is not None and not unchanged((workflow,))):
            return False
        if agent is None:
            return True
        bound = self.agents.get(self._ids.get(id(agent), ""))
        return bound is not None and bound.current
