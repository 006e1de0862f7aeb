"""What reading gives: every object of a workflow with its shape, as lowering and binding use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.agent import Agent
from agentgraph.frontend.scope import RunScope
from agentgraph.frontend.shapes import Shape, target_shape
from agentgraph.frontend.step_reading import StepReading

if TYPE_CHECKING:
    from agentgraph.handoffs import Handoff
    from agentgraph.workflow import Source


class ToolReading(NamedTuple):
    """A tool that an agent lists.

    Args:
        shape: Its shape.
        inner: The number of the chart that it runs, for an agent used as a tool; -1 for the others.
        run_config: The shape of its own run configuration, if it has one.
        handoff: The shape of the handoff of which it is the tool, if it is one that returns.
        workflow: The shape of the workflow that it runs; ``None`` if it runs an agent.
    """

    shape: Shape
    inner: int = -1
    run_config: Shape | None = None
    handoff: Shape | None = None
    workflow: Shape | None = None


class HandoffReading(NamedTuple):
    """An entry of ``handoffs``.

    Args:
        shape: Its shape; ``None`` if the entry is an agent.
        entry: The entry.
        target: The agent it leads to; ``None`` if it does not say.
        place: The number of that agent in the chart; -1 if the chart does not have it.
        workflow: The shape of the workflow that it enters; ``None`` if it leads to an agent.
    """

    shape: Shape | None
    entry: Agent[Any] | Handoff[Any, Any]
    target: Agent[Any] | None
    place: int
    workflow: Shape | None = None


class AgentReading(NamedTuple):
    """An agent with the objects that it lists, in the user's order.

    Args:
        shape: Its shape.
        tools: Its tools.
        handoffs: Its handoffs.
        inputs: Its input guardrails.
        outputs: Its output guardrails.
        servers: Its MCP servers.
    """

    shape: Shape
    tools: tuple[ToolReading, ...]
    handoffs: tuple[HandoffReading, ...]
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    servers: tuple[Shape, ...]


class ChartReading(NamedTuple):
    """The input of one chart: that of the workflow, or one that an agent tool runs.

    Args:
        name: The name of the workflow, or of the agent behind the tool.
        scope: What the run adds.
        start: The number of the agent a run starts with.
        agents: In document order.
        inputs: The input guardrails of the run.
        outputs: The output guardrails of the run.
        steps: The steps of a workflow with edges; none without edges.
    """

    name: str
    scope: RunScope
    start: int
    agents: tuple[AgentReading, ...]
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    steps: tuple[StepReading, ...] = ()

    def leads_on(self, number: int) -> bool:
        """Whether a step comes after an agent is over, so that its output does not leave the
        run."""
        return any(number in step.numbers and step.edges is not None for step in self.steps)


class Reading(NamedTuple):
    """The result of reading a workflow.

    Args:
        source: The agent or the workflow.
        workflow: The shape of a declared workflow; ``None`` for an agent.
        charts: The chart of the workflow, then those that agent tools run; they refer to each other
            by number.
    """

    source: Source
    workflow: Shape | None
    charts: tuple[ChartReading, ...]


def parts_of(read: AgentReading) -> list[Shape]:
    """The shapes of the objects that an agent lists."""
    shapes = [tool.shape for tool in read.tools]
    for tool in read.tools:
        others = tool.run_config, tool.handoff, tool.workflow
        shapes += [one for one in others if one is not None]
    for handoff in read.handoffs:
        shapes += [one for one in (handoff.shape, handoff.workflow) if one is not None]
    shapes += read.inputs + read.outputs + read.servers
    return shapes


def targets_of(read: AgentReading, chart: ChartReading) -> list[Shape]:
    """The shapes of the agents in an agent's ``handoffs``, reduced to what its model sees of
    them."""
    rows = [row for row in read.handoffs if row.shape is None and row.place >= 0]
    return [target_shape(chart.agents[row.place].shape) for row in rows]


def shapes_of(reading: Reading) -> Iterator[Shape]:
    """The shapes of everything in a reading."""
    if reading.workflow is not None:
        yield reading.workflow
    for part in reading.charts:
        for read in part.agents:
            yield read.shape
            yield from parts_of(read)
        yield from (*part.inputs, *part.outputs)
