"""Reading: the one pass over a workflow that lowering, binding and the search for a table share.

A reading holds every object with its shape, the outline what the table depends on, as plain data.
New agents from the same code have one outline and share a table. Reading inspects no code.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentgraph.agent import Agent
from agentgraph.agent_validation import check_agent, check_agent_base, is_plainly_right
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.lower_tools import enabled, source_behind
from agentgraph.frontend.outlines import (
    AGENT_TOOL,
    Outline,
    allowed_rules,
    choice_outline,
    ending_outline,
    guardrail_outlines,
    handoff_outline,
    server_outline,
    tool_outline,
    tries_of,
)
from agentgraph.frontend.readings import (
    AgentReading,
    ChartReading,
    HandoffReading,
    Reading,
    ToolReading,
)
from agentgraph.frontend.scope import RunScope, plain
from agentgraph.frontend.shapes import (
    BEHAVIOR,
    INPUTS,
    OUTPUTS,
    SERVERS,
    Shape,
    shape_of,
    shape_of_part,
    shape_of_run_config,
    shape_of_workflow,
)
from agentgraph.frontend.step_reading import (
    StepReading,
    check_is_finite,
    parts_of_steps,
    read_steps,
    step_outline,
    steps_of_workflows,
)
from agentgraph.frontend.targets import returning_tool, source_of_handoff, target_of
from agentgraph.handoffs import Handoff, handoff_by_itself
from agentgraph_compiler.ir.chart import Enabled

if TYPE_CHECKING:
    from agentgraph.workflow import Source, Workflow


def read(source: Source, scope: RunScope) -> tuple[Reading, Outline]:
    """Read a workflow.

    Args:
        source: A ``Workflow``, or the agent a run starts with.
        scope: What the run adds.

    Returns:
        The reading, and its outline.

    Raises:
        AgentDefinitionError: A field of an agent has got an unusable value since construction, or
            the class of the agent overrides ``get_all_tools``, which no run calls.
    """
    reader = _Reader(scope)
    if is_workflow(source):
        outlines = [reader.workflow(source, scope)]
        workflow = shape_of_workflow(source)
    else:
        outlines = [reader.chart(source.name, source, None, scope)]
        workflow = None
    while reader.waiting:
        part, scope = reader.waiting.popleft()
        reader.inherited = scope
        if is_workflow(part):
            outlines.append(reader.workflow(part, scope))
        else:
            outlines.append(reader.chart(getattr(part, "name", "agent"), part, None, scope))
    return Reading(source, workflow, tuple(reader.charts)), tuple(outlines)


class _Reader:
    def __init__(self, scope: RunScope) -> None:
        self.inherited = scope
        self.charts: list[ChartReading] = []
        self.waiting: deque[tuple[Any, RunScope]] = deque()
        self.numbers: dict[tuple[object, ...], int] = {}
        self.entered: dict[int, Workflow] = {}  # by the handoffs of the chart at hand

    def workflow(self, source: Workflow, scope: RunScope) -> Outline:
        """Read the chart of a workflow: a closed set of agents, or the agents of its steps.

        An agent that several steps hand over to is read once for each of them.
        """
        if not parts_of_steps(source):
            return self.chart(source.name, source.start, source.agents, scope)
        return self._with_steps(source.name, source.start, source.agents, [source], scope)

    def _with_steps(
        self,
        name: str,
        start: object,
        declared: Iterable[Any],
        workflows: list[Workflow],
        scope: RunScope,
    ) -> Outline:
        """Read a chart with steps: those of its workflow, and those of workflows that a handoff
        enters. The agents outside of every step are together a step without edges.

        Args:
            name: The name of the chart.
            start: The agent with which its runs start.
            declared: The agents that it has in any case.
            workflows: The workflows whose steps it has; those that a handoff enters join them.
            scope: What the run adds.
        """
        number_of_workflows = 0
        while number_of_workflows < len(workflows):  # handoffs may enter further ones
            number_of_workflows, self.entered = len(workflows), {}
            for workflow in workflows:
                check_is_finite(workflow)
            own = steps_of_workflows(workflows)
            inside = set(map(id, own))
            parts = [start, *(part for part in own if part is not start)]
            agents = [part for part in parts if is_agent(part)]
            shared = {id(agent): number for number, agent in enumerate(agents)}
            read: dict[int, tuple[AgentReading, Outline]] = {}
            regions: dict[int, tuple[int, ...]] = {}
            for agent in list(agents):
                region = self._region(shared[id(agent)], agents, shared, scope, read)
                regions[id(agent)] = region
                if id(agent) not in inside:
                    # What is outside of every step is so for each of them.
                    shared |= {id(agents[one]): one for one in region}
            placed = {id(agent) for agent in agents}
            for agent in declared:
                if id(agent) not in placed:  # no step leads to it
                    agents.append(agent)
                    self._region(len(agents) - 1, agents, shared, scope, read)
            workflows += [one for one in self.entered.values() if one not in workflows]
        steps = read_steps(workflows, parts, regions, self._branch)
        places = {id(part): place for place, part in enumerate(parts)}
        of_steps = tuple(step_outline(step, places) for step in steps)
        rows = [read[number] for number in range(len(agents))]
        return of_steps, self._read(name, shared[id(start)], scope, rows, steps)

    def _region(
        self,
        number: int,
        agents: list[Any],
        shared: Mapping[int, int],
        scope: RunScope,
        read: dict[int, tuple[AgentReading, Outline]],
    ) -> tuple[int, ...]:
        """Read an agent and all that it hands over to, up to the agents of ``shared``.

        Returns:
            Their numbers, its own first.
        """
        index, region = {**shared, id(agents[number]): number}, [number]
        for number in region:  # the list grows on the way
            before = len(agents)
            read[number] = self._agent(agents[number], agents, index, scope, True)
            region.extend(range(before, len(agents)))
        return tuple(region)

    def chart(
        self, name: str, start: object, declared: Iterable[Any] | None, scope: RunScope
    ) -> Outline:
        """Read the agents of a chart, breadth first along their handoffs or as declared."""
        agents = [start] if declared is None else list({id(one): one for one in declared}.values())
        index = {id(agent): number for number, agent in enumerate(agents)}
        self.entered = {}
        # The list grows on the way.
        rows = [self._agent(one, agents, index, scope, declared is None) for one in agents]
        if self.entered:
            entered, others = list(self.entered.values()), declared or ()
            return self._with_steps(name, start, others, entered, scope)
        return declared is None, self._read(name, index[id(start)], scope, rows)

    def _read(
        self,
        name: str,
        start: int,
        scope: RunScope,
        rows: Sequence[tuple[AgentReading, Outline]],
        steps: tuple[StepReading, ...] = (),
    ) -> Outline:
        """Keep the reading of a chart; return its outline."""
        handed = scope.policy.handed
        inputs, of_inputs = guardrail_outlines(() if handed else scope.input_guardrails)
        outputs, of_outputs = guardrail_outlines(() if handed else scope.output_guardrails)
        self.charts.append(
            ChartReading(
                name=name,
                scope=scope,
                start=start,
                agents=tuple([reading for reading, _ in rows]),
                inputs=inputs,
                outputs=outputs,
                steps=steps,
            )
        )
        of_run = (of_inputs, of_outputs, *scope.outline)
        return plain(name), start, of_run, tuple([outline for _, outline in rows])

    def _agent(
        self,
        agent: Any,  # an agent of the published SDK as well
        agents: list[Any],
        index: dict[int, int],
        scope: RunScope,
        grows: bool,
    ) -> tuple[AgentReading, Outline]:
        shape = shape_of(agent)
        values = shape.values
        if isinstance(agent, Agent) and not (type(agent) is Agent and is_plainly_right(agent)):
            # Fields may change at any time, so reading repeats the checks of construction.
            _check(agent)
        entries: list[Any] = agent.handoffs
        returning = [one for one in entries if getattr(one, "returns", False)]
        tools, of_tools = self._tools(agent, returning)
        handoffs: list[HandoffReading] = []
        of_handoffs: list[object] = []
        for entry in entries:
            if returning and getattr(entry, "returns", False):
                continue
            workflow = None
            if type(entry) is not Agent and is_workflow(source := source_of_handoff(entry)):
                workflow, self.entered[id(source)] = shape_of_workflow(source), source
                if entry is source:
                    entry = handoff_by_itself(source, Handoff.default_tool_name(source))
            bare = type(entry) is Agent or is_agent(entry)
            target = target_of(entry)
            at = -1 if target is None else index.get(id(target), -1)
            if at < 0 and grows and target is not None:
                at = index[id(target)] = len(agents)
                agents.append(target)
            shape_of_entry = None if bare else shape_of_part(entry)
            handoffs.append(
                HandoffReading(shape_of_entry, entry, target, place=at, workflow=workflow)
            )
            of_handoffs.append(at if bare and at >= 0 else handoff_outline(entry, target, at))
        inputs, of_inputs = guardrail_outlines(values[INPUTS])
        outputs, of_outputs = guardrail_outlines(values[OUTPUTS])
        servers = tuple([shape_of_part(one) for one in values[SERVERS] or ()])
        outline = (
            plain(agent.name),
            of_tools,
            tuple(of_handoffs),
            of_inputs,
            of_outputs,
            tuple([server_outline(one.part) for one in servers]),
            ending_outline(values[BEHAVIOR]),
            choice_outline(values, scope),
            tries_of(agent, scope),
            allowed_rules(agent),
        )
        return AgentReading(
            shape=shape,
            tools=tools,
            handoffs=tuple(handoffs),
            inputs=inputs,
            outputs=outputs,
            servers=servers,
        ), outline

    def _tools(
        self, agent: Agent[Any], returning: list[Handoff[Any, Any]]
    ) -> tuple[tuple[ToolReading, ...], Outline]:
        """Read the tools of an agent, then those of its handoffs that return."""
        readings: list[ToolReading] = []
        outlines: list[object] = []
        for tool in agent.tools:
            shape, outline = tool_outline(tool)
            allowed = allowed_rules(tool)
            if outline[1] != AGENT_TOOL:
                readings.append(ToolReading(shape))
                outlines.append(outline if allowed is None else (outline, allowed))
                continue
            run_config = getattr(tool, "run_config", None)
            # Nothing runs the agent of a tool that is disabled for good.
            inner = -1 if enabled(tool) is Enabled.NEVER else self._inner(tool, run_config)
            of_run = None if run_config is None else shape_of_run_config(run_config)
            readings.append(ToolReading(shape, inner, of_run, workflow=_workflow_behind(tool)))
            outlines.append((outline, allowed, inner))
        for handoff in returning:
            tool = returning_tool(agent, handoff)
            shape, outline = tool_outline(tool)
            inner = -1 if enabled(tool) is Enabled.NEVER else self._inner(tool, None, handed=True)
            of_handoff, workflow = shape_of_part(handoff), _workflow_behind(tool)
            readings.append(ToolReading(shape, inner, handoff=of_handoff, workflow=workflow))
            outlines.append((outline, allowed_rules(handoff), inner, "returns"))
        return tuple(readings), tuple(outlines)

    def _inner(self, tool: object, run_config: object, *, handed: bool = False) -> int:
        """The number of the chart of an agent tool. A new chart joins the queue."""
        source = source_behind(tool)
        # A tool without a run configuration of its own uses that of the calling run, but never its
        # error handlers.
        scope = self.inherited if run_config is None else RunScope.of(run_config)
        return self._number(source, scope.begun_by(handoff=handed))

    def _branch(self, part: object) -> int:
        """The number of the chart of an agent or workflow that runs in a branch. The guardrails of
        the run judge what enters and leaves the run itself."""
        scope = self.inherited.without_guardrails()
        return self._number(part, scope.begun_by(handoff=False))

    def _number(self, part: object, scope: RunScope) -> int:
        if scope.policy.recovers:
            scope = replace(scope, policy=replace(scope.policy, recovers=frozenset()))
        key = (id(part), scope.key)
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.numbers) + 1  # the root has number 0
            self.waiting.append((part, scope))
        return number


def _workflow_behind(tool: object) -> Shape | None:
    """The shape of the workflow that a tool runs; ``None`` if it runs an agent."""
    source = source_behind(tool)
    return shape_of_workflow(source) if is_workflow(source) else None


def _check(agent: Agent[Any]) -> None:
    check_agent_base(agent)
    check_agent(agent)
    if type(agent).get_all_tools is not Agent.get_all_tools:
        raise AgentDefinitionError(
            f"Agent {agent.name!r}: {type(agent).__name__} overrides get_all_tools, which no"
            " run calls, because the compiler needs the tools before the run. List them in tools,"
            " with is_enabled if they depend on the run, or give the agent an MCP server."
        )
