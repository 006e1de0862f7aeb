"""The types of the final outputs of a workflow, as Python types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.exceptions import UserError
from agentgraph.frontend.branch_types import type_of_branches
from agentgraph.frontend.readings import AgentReading, ChartReading, Reading
from agentgraph.schemas.type_hints import resolve_hints
from agentgraph.workflow.steps import End
from agentgraph_compiler.ir.chart import FUNCTION_TOOLS, Agent, Chart, Enabled, StopKind, Tool
from agentgraph_compiler.ir.steps import Step
from agentgraph_compiler.machine import Source

_Endings: TypeAlias = Callable[[Chart], Mapping[str, Set[Source]]]


def final_type(reading: Reading, chart: Chart, endings: _Endings) -> Any:
    """The union of the types of ``final_types``; ``Any`` if there are none."""
    types = final_types(reading, chart, endings)
    try:
        return reduce(or_, types) if types else Any
    except TypeError:
        return Any  # what a user declares need not be a type


def final_types(reading: Reading, chart: Chart, endings: _Endings) -> tuple[Any, ...]:
    """The types that the final output of a run can have.

    Args:
        reading: The workflow.
        chart: Its chart.
        endings: For a chart, what becomes the final output of each agent with which a run of it can
            end, by the id of the agent.

    Returns:
        Each type once, in document order; ``Any`` alone where a function decides or declares
        nothing; none if no run ends with an output.
    """
    types = tuple(dict.fromkeys(_FinalTypes(reading, chart, endings).of_chart(0, ())))
    return (Any,) if Any in types else types


class _FinalTypes:
    def __init__(self, reading: Reading, chart: Chart, endings: _Endings) -> None:
        self.reading, self.charts, self.endings = reading, tuple(chart.walk()), endings

    def of_chart(self, number: int, within: tuple[int, ...]) -> Iterator[Any]:
        """The types of one chart.

        Args:
            number: Its number.
            within: The numbers of the charts around it: a tool may run the agent that has it.
        """
        if number in within:
            return
        chart, reading = self.charts[number], self.reading.charts[number]
        endings = self.endings(chart)
        last = _agents_at_the_end(chart)
        yield from _types_of_steps(chart, reading)
        for agent, read in zip(chart.agents, reading.agents, strict=True):
            if last is not None and agent.id not in last:
                continue
            sources = endings.get(agent.id, ())
            if Source.REPLY in sources:
                yield _declared(read.shape.part)
            if Source.OUTCOME in sources:
                yield Any  # a function decides
            if Source.STOPPING in sources:
                yield from self._of_tools(agent, read, (*within, number))

    def _of_tools(self, agent: Agent, read: AgentReading, within: tuple[int, ...]) -> Iterator[Any]:
        for place, tool in enumerate(agent.tools):
            if not _stops(agent, tool):
                continue
            if place >= len(read.tools):
                yield Any  # the tool of a server
                continue
            part, inner = read.tools[place].shape.part, read.tools[place].inner
            if inner >= 0 and getattr(part, "custom_output_extractor", None) is None:
                yield from self.of_chart(inner, within)
            else:
                yield _returned(getattr(part, "_function", None))


def _is_last(chart: Chart, step: Step) -> bool:
    """Whether the output of a step can be the final one."""
    targets = (id for case in step.cases for id in (case.target, case.exhausted) if id)
    return not step.cases or any(chart.step[id].ends for id in targets)


def _agents_at_the_end(chart: Chart) -> Set[str] | None:
    """Ids of the agents whose outputs can be final; ``None`` for those of a chart without edges."""
    if not chart.steps:
        return None
    return {id for step in chart.steps if _is_last(chart, step) for id in step.agents}


def _types_of_steps(chart: Chart, reading: ChartReading) -> Iterator[Any]:
    """The types of the functions, answers and ends with which a run can end."""
    for step, read in zip(chart.steps, reading.steps, strict=True):
        if isinstance(read.part, End):
            yield from () if read.part.passes_on else (type(read.part.output),)
        elif not read.numbers and _is_last(chart, step):
            declared = type_of_branches(read) if read.branches else read.declared
            yield Any if declared is None else declared


def _stops(agent: Agent, tool: Tool) -> bool:
    if tool.kind not in FUNCTION_TOOLS or tool.enabled is Enabled.NEVER:
        return False
    return agent.stop.kind is not StopKind.NAMED or tool.server or tool.name in agent.stop.names


def _declared(agent: object) -> Any:
    declared = getattr(agent, "output_type", None)
    if isinstance(declared, AgentOutputSchema):
        declared = declared.output_type
    return Any if isinstance(declared, AgentOutputSchemaBase) else declared or str


def _returned(function: object) -> Any:
    try:
        return resolve_hints(function).get("return", Any) if callable(function) else Any
    except UserError:
        return Any
