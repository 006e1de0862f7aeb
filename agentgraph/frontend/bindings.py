"""Bindings: the objects behind the symbols of a machine. The machine stays plain data; the
callables live here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.once import once
from agentgraph.frontend.readings import (
    AgentReading,
    ChartReading,
    Reading,
    parts_of,
    shapes_of,
    targets_of,
)
from agentgraph.frontend.shapes import Shape, unchanged
from agentgraph.frontend.step_reading import BranchReading, StepReading
from agentgraph.handoffs import handoff_by_itself

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.handoffs import Handoff
    from agentgraph.tool import Tool


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
    entry: Agent[Any] | Handoff[Any, Any]
    target: str

    @once
    def handoff(self) -> Handoff[Any, Any]:
        """The handoff object on offer to the model. If the user listed the agent itself, the
        binding makes the object when a run first gets there."""
        entry = self.entry
        return handoff_by_itself(entry, self.name) if is_agent(entry) else entry


class ToolBinding(NamedTuple):
    """A tool of an agent with its symbol, which is empty for a tool that runs at the model's
    side."""

    symbol: str
    tool: Tool


class AgentLayout(NamedTuple):
    """The symbols of an agent, in the order in which the agent lists the objects behind them.

    Args:
        id: Its identity in the machine.
        tools: The symbols of its tools; empty for one that runs at the model's side.
        handoffs: Place, symbol, name and target id of each handoff that a run can take.
        servers: The symbols of its MCP servers.
        guardrails: The symbols of its input guardrails and those of the run, then the symbols of
            the output guardrails.
        stop: The symbol of the callable that says whether tool outputs end the run; empty if there
            is none.
    """

    id: str
    tools: tuple[str, ...]
    handoffs: tuple[tuple[int, str, str, str], ...]
    servers: tuple[str, ...]
    guardrails: tuple[str, ...]
    stop: str


@dataclass(eq=False)
class AgentBinding:
    """An agent and the objects behind its symbols, computed when a run first gets there.

    Args:
        id: Its identity in the machine.
        agent: The agent object.
        layout: Its symbols.
        read: The reading of the agent.
        chart: The reading of its chart.
        memo: Values that a driver derives from this binding once, such as the tools on offer if
            they never change.
    """

    id: str
    agent: Agent[Any]
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
    def tool(self) -> Mapping[str, Tool]:
        """The tools by symbol."""
        return dict(self.tools)

    @once
    def handoffs(self) -> tuple[HandoffBinding, ...]:
        """The handoffs that a run can take, in the user's order."""
        read = self.read.handoffs
        return tuple(
            [
                HandoffBinding(symbol, name, read[place].entry, target)
                for place, symbol, name, target in self.layout.handoffs
            ]
        )

    @once
    def handoff(self) -> Mapping[str, HandoffBinding]:
        """The handoffs that a run can take, by symbol."""
        return {row.symbol: row for row in self.handoffs}

    @once
    def servers(self) -> tuple[tuple[str, Any], ...]:
        """Symbol and MCP server, in the user's order."""
        parts = [shape.part for shape in self.read.servers]
        return tuple(zip(self.layout.servers, parts, strict=True))

    @once
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of the agent and of everything that it lists, from the time of lowering. If a
        shape differs now, the workflow must be compiled again."""
        read, chart = self.read, self.chart
        of_run = chart.inputs + chart.outputs
        return (read.shape, *parts_of(read), *targets_of(read, chart), *of_run)

    @property
    def current(self) -> bool:
        """Whether the agent is unchanged since it was lowered."""
        return unchanged(self.shapes)


class StepBinding(NamedTuple):
    """A step of a workflow with edges.

    Args:
        id: Its id in the machine.
        step: The reading of the step.
        ids: The ids of all steps, by ``id`` of the object.
        agents: The ids of the agents that can work in it.
        branches: The symbols of its branches.
    """

    id: str
    step: StepReading
    ids: Mapping[int, str]
    agents: tuple[str, ...]
    branches: tuple[str, ...] = ()


class BranchBinding(NamedTuple):
    """A branch of a step.

    Args:
        step: The step.
        read: The reading of the branch.
    """

    step: StepBinding
    read: BranchReading


@dataclass(eq=False)
class Bindings:
    """The objects behind the symbols of one machine.

    Args:
        agents: The agents by id.
        symbols: Guardrails and deciding callables by symbol.
        start: The binding of the agent that a run starts with.
        reading: The reading of the whole workflow.
        hooked: Whether any agent of this machine has hooks.
        machines: The bindings of the sub-machines by name; all sub-machines share this mapping.
        steps: The steps of a workflow with edges, ends left out.
        budget: What a run may spend; ``None`` for no limit.
    """

    agents: Mapping[str, AgentBinding]
    symbols: Mapping[str, Any]
    start: AgentBinding = field(repr=False)
    reading: Reading = field(repr=False)
    hooked: bool = False
    machines: Mapping[str, Bindings] = field(default_factory=dict, repr=False)
    steps: tuple[StepBinding, ...] = ()
    budget: StepBinding | None = None

    def id_of(self, agent: Agent[Any]) -> str:
        """Identity of an agent of this machine.

        Raises:
            KeyError: The agent is not part of this machine.
        """
        agent_id = self._ids.get(id(agent))
        if agent_id is None:
            raise KeyError(f"agent '{agent.name}' is not part of this machine")
        return agent_id

    def has(self, agent: Agent[Any]) -> bool:
        """Whether an agent is part of this machine."""
        return id(agent) in self._ids

    @once
    def _ids(self) -> dict[int, str]:
        return {id(binding.agent): binding.id for binding in self.agents.values()}

    @property
    def current(self) -> bool:
        """Whether everything in this machine and its sub-machines is unchanged since lowering."""
        return unchanged(shapes_of(self.reading))

    def current_at(self, agent: Agent[Any] | None = None) -> bool:
        """Whether everything that a run needs at an agent is unchanged since lowering.

        Args:
            agent: The agent; ``None`` for the one that a run starts with.
        """
        workflow = self.reading.workflow
        if not self.start.current or (workflow is not None and not unchanged((workflow,))):
            return False
        if agent is None:
            return True
        binding = self.agents.get(self._ids.get(id(agent), ""))
        return binding is not None and binding.current
