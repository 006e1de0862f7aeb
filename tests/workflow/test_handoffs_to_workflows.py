"""Handoffs that enter a workflow: its steps are part of the chart of the agent that hands over."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentDefinitionError,
    BudgetExceeded,
    End,
    GuardrailFunctionOutput,
    InputGuardrail,
    Runner,
    SQLiteSession,
    UserError,
    Workflow,
    check,
    compile,
    handoff,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call, witnesses


class Ticket(BaseModel):
    kind: Literal["refund", "order"]


def says(*turns: Any) -> ScriptedModel:
    """A model with a reply for each call: a text, or output items."""
    return ScriptedModel(
        [[assistant_message(turn)] if isinstance(turn, str) else turn for turn in turns]
    )


def transfer(name: str, id: str = "h1") -> Any:
    return [function_call(f"transfer_to_{name}", {}, call_id=id)]


def refunded(ticket: Ticket) -> str:
    return f"{ticket.kind}ed"


def support(last: Agent[Any] | None = None, **triage: Any) -> Workflow:
    first = Agent(name="Triage", output_type=Ticket, model=says('{"kind": "refund"}'), **triage)
    flow = Workflow("Support desk", start=first, handoff_description="Answers customers.")
    flow.route(first, on="kind", cases={"refund": refunded, "order": End("soon")})
    if last is not None:
        flow.then(refunded, last)
    return flow


def desk(*entries: Any, name: str = "support_desk") -> Agent[Any]:
    return Agent(name="Desk", handoffs=list(entries), model=says(transfer(name)))


@pytest.mark.parametrize("by_itself", [True, False])
async def test_a_handoff_enters_the_start_and_the_run_ends_with_the_workflow(
    by_itself: bool,
) -> None:
    letter = Agent(name="Letter", model=says("Dear"))
    flow = support(letter)
    agent = desk(flow if by_itself else handoff(flow))
    result = await Runner.run(agent, "go")
    assert result.final_output == "Dear"
    assert result.last_agent is letter
    assert result.outputs[refunded] == "refunded"
    assert result.outputs[flow.start] == Ticket(kind="refund")
    assert check(agent) == ()


async def test_the_model_reads_the_name_and_the_description_of_the_workflow() -> None:
    agent = desk(support())
    await Runner.run(agent, "go")
    assert isinstance(agent.model, ScriptedModel)
    [entry] = agent.model.calls[0].handoffs
    assert entry.tool_name == "transfer_to_support_desk"
    assert "Answers customers." in entry.tool_description


async def test_the_start_gets_the_conversation_and_its_input_guardrails_do_not_run() -> None:
    async def never(*_: Any) -> GuardrailFunctionOutput:
        raise AssertionError

    flow = support(input_guardrails=[InputGuardrail(never)])
    await Runner.run(desk(flow), "go")
    assert isinstance(flow.start.model, ScriptedModel)
    assert flow.start.model.calls[0].input[0] == {"content": "go", "role": "user"}


async def test_an_agent_of_the_workflow_leaves_it_by_a_handoff_to_an_agent_outside() -> None:
    person = Agent(name="Person", model=says("A person."))
    letter = Agent(name="Letter", model=says(transfer("person", "h2")), handoffs=[person])
    flow = support(letter)
    flow.then(letter, End("never"))
    result = await Runner.run(desk(flow, person), "go")
    assert (result.final_output, result.last_agent) == ("A person.", person)


async def test_an_agent_behind_a_step_works_in_the_step() -> None:
    helper = Agent(name="Helper", model=says("helped"))
    letter = Agent(name="Letter", model=says(transfer("helper", "h2")), handoffs=[helper])
    flow = support(letter)
    flow.then(letter, End("sent"))
    assert (await Runner.run(desk(flow), "go")).final_output == "sent"


async def test_a_caller_that_is_a_step_does_not_go_on_along_its_edge() -> None:
    agent = desk(support())
    outer = Workflow("Outer", start=agent)
    outer.then(agent, End("after the desk"))
    assert (await Runner.run(outer, "go")).final_output == "refunded"
    answering = Agent(name="Desk", handoffs=[support()], model=says("No."))
    outer = Workflow("Outer", start=answering)
    outer.then(answering, End("after the desk"))
    assert (await Runner.run(outer, "go")).final_output == "after the desk"


async def test_a_workflow_may_hand_over_to_another_one() -> None:
    inner = support()
    first = Agent(name="First", handoffs=[inner], model=says(transfer("support_desk", "h2")))
    outer = Workflow("Outer", start=first)
    outer.then(first, End("never"))
    assert (await Runner.run(desk(outer, name="outer"), "go")).final_output == "refunded"


async def test_a_closed_set_of_agents_is_a_target_too() -> None:
    specialist = Agent(name="Specialist", model=says("I know."))
    flow = Workflow("Support desk", start=specialist, agents=[specialist])
    assert (await Runner.run(desk(flow), "go")).final_output == "I know."


async def test_a_session_stores_the_handoff_and_the_items_of_the_steps() -> None:
    session = SQLiteSession("desk")
    await Runner.run(desk(support(Agent(name="Letter", model=says("Dear")))), "go", session=session)
    kinds = [item.get("type", item.get("role")) for item in await session.get_items()]
    assert kinds == ["user", "function_call", "function_call_output", "message", "message"]


async def test_the_workflow_stays_as_it_is_once_a_run_could_enter_it() -> None:
    flow = support()
    assert (await Runner.run(desk(flow), "go")).final_output == "refunded"
    with pytest.raises(UserError, match="has run, so its edges stay as they are"):
        flow.then(refunded, End("changed"))


def test_a_step_of_two_workflows_of_one_chart_is_refused() -> None:
    one, two = support(), Workflow("Two", start=Agent(name="Other"))
    two.then(two.start, refunded)
    with pytest.raises(AgentDefinitionError, match="'refunded' is a step of workflow"):
        compile(Agent(name="Desk", handoffs=[one, two]))


def test_two_budgets_in_one_run_are_refused_and_one_holds_for_the_run() -> None:
    one, two = support(), Workflow("Two", start=Agent(name="Other"))
    one.budget(model_calls=1)
    with pytest.raises(BudgetExceeded):
        Runner.run_sync(desk(one), "go")
    two.budget(model_calls=9)
    with pytest.raises(AgentDefinitionError, match="have a budget each"):
        compile(Agent(name="Desk", handoffs=[one, two]))


def test_obligations_and_drawings_know_the_steps() -> None:
    agent = desk(support(Agent(name="Letter")))
    search = witnesses(agent)
    assert not {one.key.subject for one in search.missing} & {"agent", "edge", "function"}
    drawn = compile(agent).draw()
    assert "refunded()" in drawn
    assert "refund" in drawn
