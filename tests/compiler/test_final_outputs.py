"""The types of final outputs follow from the states with which a run can end."""

from __future__ import annotations

import dataclasses

from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.analysis.outputs import final_outputs
from agentgraph_compiler.ir.chart import Agent, Stop, StopKind
from agentgraph_compiler.types import ANY, TEXT, Type
from tests.compiler.workflows import ALWAYS_CALLS, chart, function, to

TICKET, VERDICT = Type("app.Ticket"), Type("app.Verdict")


def names(*agents: Agent) -> list[str]:
    return [type.name for type in final_outputs(Flow(chart(*agents)))]


def test_each_agent_that_can_be_last_adds_its_output() -> None:
    first = Agent("a", "A", output=TICKET, handoffs=(to("a", "b"), to("a", "c")))
    assert names(first, Agent("b", "B"), Agent("c", "C", output=TICKET)) == ["app.Ticket", "text"]
    forced = dataclasses.replace(first, choice=ALWAYS_CALLS)
    assert names(forced, Agent("b", "B"), Agent("c", "C")) == [TEXT.name]


def test_a_tool_that_ends_the_run_adds_the_type_that_it_returns() -> None:
    tools = (function("a", "x", returns=VERDICT), function("a", "y", returns=TICKET))
    stop = Stop(StopKind.NAMED, ("x",))
    agent = Agent("a", "A", tools=tools, stop=stop, choice=ALWAYS_CALLS)
    assert names(agent) == ["app.Verdict"]
    first = dataclasses.replace(agent, stop=Stop(StopKind.FIRST))
    assert names(first) == ["app.Verdict", "app.Ticket"]


def test_a_function_that_decides_may_give_anything() -> None:
    tools = (function("a", "x", returns=VERDICT),)
    agent = Agent("a", "A", tools=tools, stop=Stop(StopKind.ASKED, symbol="a/f"))
    assert names(agent) == [ANY.name]


def test_a_run_that_cannot_end_has_no_output() -> None:
    assert names(Agent("a", "A", tools=(function("a", "x"),), choice=ALWAYS_CALLS)) == []
