"""Binding: connects the symbols of a machine with the user's objects.

All workflows with one outline have the same symbols at the same places, so they share a layout,
cached with their table; each workflow gets new bindings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agentgraph.frontend.bindings import (
    AgentBinding,
    AgentLayout,
    Bindings,
    BranchBinding,
    StepBinding,
)
from agentgraph.frontend.readings import ChartReading, Reading
from agentgraph.frontend.shapes import BEHAVIOR, HOOKS
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.steps import End
from agentgraph_compiler.ir.branches import branch_symbol
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled

_NOTHING: Mapping[str, Any] = {}
_OF_A_STEP = ("edge", "step", "answer", "split", "catch")


class Layout(NamedTuple):
    """The symbols of a chart and of those that its agent tools run.

    Args:
        agents: The symbols of each agent, in document order.
        steps: The ids of the steps, in the order in which the workflow names them.
        judges: The symbols of the run's guardrails on what leaves it from a function or by an end.
        parts: Name and symbols of each sub-chart, in the order of their numbers.
    """

    agents: tuple[AgentLayout, ...]
    steps: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    parts: tuple[tuple[str, Layout], ...] = ()


def layout_of(chart: Chart) -> Layout:
    """The symbols of a chart."""
    return Layout(
        agents=tuple(map(_of_agent, chart.agents)),
        steps=tuple(step.id for step in chart.steps),
        judges=tuple(row.symbol for row in chart.output_guardrails),
        parts=tuple((part.name, layout_of(part)) for part in chart.charts),
    )


def bind(layout: Layout, reading: Reading) -> Bindings:
    """Bind the symbols of a layout to the objects of a reading that has its outline."""
    machines: Mapping[str, Bindings] = _NOTHING
    if layout.parts:
        machines = by_name = dict[str, Bindings]()
        for (name, inner), part in zip(layout.parts, reading.charts[1:], strict=True):
            by_name[name] = _bindings(inner, part, reading, machines)
    return _bindings(layout, reading.charts[0], reading, machines)


def _of_agent(agent: Agent) -> AgentLayout:
    own = [tool for tool in agent.tools if not tool.server]
    return AgentLayout(
        id=agent.id,
        tools=tuple("" if tool.kind is None else tool.symbol for tool in own),
        handoffs=tuple(
            (place, row.symbol, row.name, row.target)
            for place, row in enumerate(agent.handoffs)
            if row.target and row.enabled is not Enabled.NEVER
        ),
        servers=tuple(tool.symbol for tool in agent.tools if tool.server),
        guardrails=tuple(row.symbol for row in (*agent.input_guardrails, *agent.output_guardrails)),
        stop=agent.stop.symbol,
    )


def _bindings(
    of_chart: Layout, chart: ChartReading, reading: Reading, machines: Mapping[str, Bindings]
) -> Bindings:
    agents: dict[str, AgentBinding] = {}
    symbols: dict[str, Any] = {}
    hooked = False
    for number, (layout, read) in enumerate(zip(of_chart.agents, chart.agents, strict=True)):
        shape = read.shape
        agents[layout.id] = AgentBinding(
            id=layout.id, agent=shape.part, layout=layout, read=read, chart=chart
        )
        hooked = hooked or shape.values[HOOKS] is not None
        if layout.guardrails:
            inputs = chart.inputs if number == chart.start else ()
            outputs = () if chart.leads_on(number) else chart.outputs
            guardrails = (*read.inputs, *inputs, *read.outputs, *outputs)
            for symbol, guardrail in zip(layout.guardrails, guardrails, strict=True):
                symbols[symbol] = guardrail.part
        if layout.stop:
            symbols[layout.stop] = shape.values[BEHAVIOR]
    if of_chart.judges:
        parts = [guardrail.part for guardrail in chart.outputs]
        symbols |= zip(of_chart.judges, parts, strict=True)
    of_steps = _steps(of_chart.steps, chart, tuple(agents))
    for row in of_steps:
        symbols |= dict.fromkeys((f"{row.id}/{name}" for name in _OF_A_STEP), row)
        for symbol, branch in zip(row.branches, row.step.branches, strict=True):
            symbols[symbol] = BranchBinding(row, branch)
    start = agents[of_chart.agents[chart.start].id]
    return Bindings(
        agents=agents,
        symbols=symbols or _NOTHING,
        start=start,
        reading=reading,
        hooked=hooked,
        machines=machines,
        steps=tuple([row for row in of_steps if not isinstance(row.step.part, End | Budget)]),
        budget=next((row for row in of_steps if isinstance(row.step.part, Budget)), None),
    )


def _steps(ids: tuple[str, ...], chart: ChartReading, agents: tuple[str, ...]) -> list[StepBinding]:
    rows = list(zip(ids, chart.steps, strict=True))
    by_part = {id(step.part): step_id for step_id, step in rows}
    return [
        StepBinding(
            step_id,
            step,
            by_part,
            agents=tuple([agents[one] for one in step.numbers]),
            branches=tuple([branch_symbol(step_id, one.name) for one in step.branches]),
        )
        for step_id, step in rows
    ]
