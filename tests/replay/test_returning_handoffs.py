"""Runs with handoffs that return, cut after every row: hooks and filters are not asked again."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import Agent, End, HandoffInputData, RunHooks, Workflow, function_tool, handoff
from tests.api.scenarios import Case
from tests.replay.cuts import Through, check_every_cut, same, text


@function_tool(needs_approval=True)
def look_up(order: str) -> str:
    """Look an order up."""
    return f"order {order}"


class Hooks(RunHooks[Any]):
    """Hooks that do nothing; with hooks, lanes walk more phases."""


def last_message(data: HandoffInputData) -> HandoffInputData:
    """Show the target nothing but a summary."""
    return data.clone(input_history="the summary", pre_handoff_items=(), new_items=())


def approving(sdk: Any) -> Case:
    """The target waits for a decision, hands on and answers; the caller goes on."""
    answers = Agent(name="answers", model=sdk.ScriptedModel([[sdk.assistant_message("it came")]]))
    orders = Agent(
        name="orders",
        tools=[look_up],
        handoffs=[answers],
        model=sdk.ScriptedModel(
            [
                [sdk.function_call("look_up", {"order": "1"}, call_id="c1")],
                [sdk.function_call("transfer_to_answers", {}, call_id="h1")],
            ]
        ),
    )
    desk = Agent(
        name="desk",
        handoffs=[handoff(orders, returns=True, input_filter=last_message)],
        model=sdk.ScriptedModel(
            [
                [
                    sdk.assistant_message("I ask."),
                    sdk.function_call("transfer_to_orders", {}, call_id="r1"),
                ],
                [sdk.assistant_message("done")],
            ]
        ),
    )
    return Case(agent=desk, session=sdk.SQLiteSession("returning"), options={"hooks": Hooks()})


def several(sdk: Any) -> Case:
    """Two handoffs in one reply, and a circle: the second one asks the first one back."""
    one = Agent(
        name="one",
        tools=[look_up],
        model=sdk.ScriptedModel(
            [
                [
                    sdk.function_call("transfer_to_two", {}, call_id="r1"),
                    sdk.function_call("transfer_to_three", {}, call_id="r2"),
                ],
                [sdk.function_call("look_up", {"order": "2"}, call_id="c2")],
                [sdk.assistant_message("back in one")],
                [sdk.assistant_message("done")],
            ]
        ),
    )
    three = Agent(name="three", model=sdk.ScriptedModel([[sdk.assistant_message("third")]]))
    two = Agent(
        name="two",
        handoffs=[handoff(one, returns=True)],
        model=sdk.ScriptedModel(
            [
                [sdk.function_call("transfer_to_one", {}, call_id="r3")],
                [sdk.assistant_message("second")],
            ]
        ),
    )
    one.handoffs = [handoff(two, returns=True), handoff(three, returns=True)]
    return Case(agent=one)


class Ticket(BaseModel):
    kind: Literal["refund", "order"]


def refunded(ticket: Ticket) -> str:
    return f"{ticket.kind}ed"


def workflows(sdk: Any) -> Case:
    """A call waits inside a workflow that is a tool; then the same workflow gets a handoff."""
    triage = Agent(
        name="triage",
        output_type=Ticket,
        model=sdk.ScriptedModel([[sdk.assistant_message('{"kind": "refund"}')]] * 2),
    )
    letter = Agent(
        name="letter",
        tools=[look_up],
        model=sdk.ScriptedModel(
            [
                [sdk.function_call("look_up", {"order": "1"}, call_id="c1")],
                [sdk.assistant_message("Dear")],
                [sdk.assistant_message("Hello")],
            ]
        ),
    )
    flow = Workflow("flow", start=triage)
    flow.route(triage, on="kind", cases={"refund": refunded}, default=End("no"))
    flow.then(refunded, letter)
    desk = Agent(
        name="desk",
        tools=[flow.as_tool("ask", "Ask.")],
        handoffs=[handoff(flow, returns=True)],
        model=sdk.ScriptedModel(
            [
                [sdk.function_call("ask", {"input": "x"}, call_id="a1")],
                [sdk.function_call("transfer_to_flow", {}, call_id="a2")],
                [sdk.assistant_message("done")],
            ]
        ),
    )
    return Case(agent=desk)


def entered(sdk: Any) -> Case:
    """A handoff enters a workflow, in which a call waits."""
    triage = Agent(
        name="triage",
        output_type=Ticket,
        model=sdk.ScriptedModel([[sdk.assistant_message('{"kind": "refund"}')]]),
    )
    letter = Agent(
        name="letter",
        tools=[look_up],
        model=sdk.ScriptedModel(
            [
                [sdk.function_call("look_up", {"order": "1"}, call_id="c1")],
                [sdk.assistant_message("Dear")],
            ]
        ),
    )
    flow = Workflow("flow", start=triage)
    flow.route(triage, on="kind", cases={"refund": refunded}, default=End("no"))
    flow.then(refunded, letter)
    desk = Agent(
        name="desk",
        handoffs=[flow],
        model=sdk.ScriptedModel([[sdk.function_call("transfer_to_flow", {}, call_id="a1")]]),
    )
    return Case(agent=desk, session=sdk.SQLiteSession("entered"))


@pytest.mark.parametrize("through", [same, text])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("make", [approving, several, workflows, entered])
async def test_a_handoff_returns_from_every_cut(
    make: Any, streamed: bool, through: Through
) -> None:
    await check_every_cut(make, streamed=streamed, through=through)
