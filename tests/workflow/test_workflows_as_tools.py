"""A workflow as a tool of an agent, and as the target of a handoff that returns."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentDefinitionError,
    CompileError,
    End,
    GuardrailFunctionOutput,
    InputGuardrail,
    Runner,
    RunState,
    Workflow,
    check,
    compile,
    handoff,
)
from agentgraph.testing import (
    ScriptedModel,
    assistant_message,
    function_call,
    witnesses,
)
from agentgraph.testing.coverage import collect
from agentgraph_compiler.ir.parser import parse_chart
from agentgraph_compiler.ir.text import print_chart


class Ticket(BaseModel):
    kind: Literal["refund", "order"]


def says(*turns: Any) -> ScriptedModel:
    """A model with a reply for each call: a text, or output items."""
    return ScriptedModel(
        [[assistant_message(turn)] if isinstance(turn, str) else turn for turn in turns]
    )


def refunded(ticket: Ticket) -> str:
    return f"{ticket.kind}ed"


def support(**triage: Any) -> Workflow:
    """An agent, a route, a function and a last agent."""
    first = Agent(name="Triage", output_type=Ticket, model=says('{"kind": "refund"}'), **triage)
    last = Agent(name="Letter", model=says("Dear customer"))
    flow = Workflow("Support desk", start=first)
    flow.route(first, on="kind", cases={"refund": refunded, "order": End("soon")})
    flow.then(refunded, last)
    return flow


def desk(flow: Workflow, **options: Any) -> Agent[Any]:
    call = function_call("support_desk", {"input": "money back"}, call_id="c1")
    tool = flow.as_tool(None, "Answers customers.", **options)
    return Agent(name="Desk", tools=[tool], model=says([call], "Done."))


def calls(agent: Agent[Any]) -> list[Any]:
    assert isinstance(agent.model, ScriptedModel)
    return list(agent.model.calls)


async def test_the_output_of_the_workflow_is_the_output_of_the_call() -> None:
    flow = support()
    agent = desk(flow)
    result = await Runner.run(agent, "go")
    assert result.final_output == "Done."
    assert result.last_agent is agent
    assert calls(agent)[1].input[-1]["output"] == "Dear customer"
    assert [item["content"] for item in calls(flow.start)[0].input] == ["money back"]


async def test_the_options_of_agents_as_tools_work() -> None:
    seen: list[Any] = []

    async def extract(result: Any) -> str:
        seen.append({name: result.outputs[step] for name, step in (("function", refunded),)})
        return f"[{result.final_output}]"

    def event(event: Any) -> None:
        seen.append(event["agent"].name)

    agent = desk(support(), custom_output_extractor=extract, on_stream=event, needs_approval=True)
    result = await Runner.run(agent, "go")
    [item] = result.interruptions
    state = result.to_state()
    state.approve(item)
    result = await Runner.run(agent, state)
    assert calls(agent)[1].input[-1]["output"] == "[Dear customer]"
    assert seen[-1] == {"function": "refunded"}
    assert {"Triage", "Letter"} <= {one for one in seen if isinstance(one, str)}


async def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(AgentDefinitionError, match="max_turns"):
        support().as_tool("x", "y", max_turns=-1)


async def test_it_is_the_target_of_a_handoff_that_returns_and_enters_as_handoffs_do() -> None:
    async def never(*_: Any) -> GuardrailFunctionOutput:
        raise AssertionError

    flow = support(input_guardrails=[InputGuardrail(never)])
    call = function_call("transfer_to_support_desk", {}, call_id="c1")
    agent = Agent(name="Desk", handoffs=[handoff(flow, returns=True)], model=says([call], "Done."))
    assert (await Runner.run(agent, "go")).final_output == "Done."
    assert calls(agent)[1].input[-1]["output"] == "Dear customer"
    assert [item["content"] for item in calls(flow.start)[0].input] == ["go"]


async def test_a_question_inside_suspends_the_run() -> None:
    first = Agent(name="Triage", model=says("?"))
    flow = Workflow("Support desk", start=first)
    flow.then(first, flow.ask("person", "What now?"))
    agent = desk(flow)
    result = await Runner.run(agent, "go")
    [item] = result.interruptions
    state = await RunState.from_json(agent, result.to_state().to_json())
    [again] = state.get_interruptions()
    state.answer(again, "pay")
    result = await Runner.run(agent, state)
    assert (item.type, result.final_output) == (again.type, "Done.")
    assert calls(agent)[-1].input[-1]["output"] == "pay"


def test_a_change_of_the_workflow_before_the_first_run_counts() -> None:
    flow = support()
    before = compile(desk(flow)).machine.fingerprint
    flow.then(flow._edges[-1].cases[0].target, End("over"))
    assert compile(desk(flow)).machine.fingerprint != before


def test_the_rules_about_edges_hold_inside() -> None:
    first = Agent(name="Triage", output_type=Ticket)
    flow = Workflow("Support desk", start=first)
    flow.route(first, on="kind", cases={"refund": End("a")})
    assert [one.rule.code for one in check(desk(flow))] == ["AG220"]
    wrong = Workflow("Support desk", start=first)
    wrong.route(first, on="sort", cases={"refund": End("a")})
    with pytest.raises(CompileError, match="no field 'sort'"):
        Runner.run_sync(desk(wrong), "go")


def test_the_chart_has_a_printed_form_and_every_obligation_a_run() -> None:
    program = compile(desk(support()))
    assert parse_chart(print_chart(program.chart)) == program.chart
    search = witnesses(desk(support()))
    assert not {one.key.subject for one in search.missing} & {"agent", "edge", "function", "tool"}


def test_coverage_knows_the_edges_inside() -> None:
    agent = desk(support())
    with collect(agent) as coverage:
        Runner.run_sync(agent, "go")
    [workflow] = coverage.workflows
    edges = {item.title: item.count for item in workflow.items if item.subject == "edge"}
    assert sorted(edges.values()) == [0, 1, 1]
