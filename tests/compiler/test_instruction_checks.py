"""What the rules about instructions find and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, check, handoff
from agentgraph.extensions.handoff_prompt import RECOMMENDED_PROMPT_PREFIX
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir import chart as ir
from agentgraph_compiler.machine import WorkKind
from tests.compiler.test_routing_checks import ORDERS, messages, sometimes, tool
from tests.compiler.workflows import chart


def follows(order: str, **options: Any) -> Agent[Any]:
    return Agent(name="FAQ", instructions=f"Answer from the FAQ. {order}", **options)


TRIAGE = Agent(name="Triage Agent", handoff_description="Finds the right desk")
UNFOLLOWED = (
    "If you cannot, transfer back to the triage agent.",
    "If the customer asks about something else, transfer back to the triage agent.",
    "You must hand off to the Refunds agent where money is involved.",
    "Always escalate to a human.",
    "Then hand the conversation over to the billing specialist.",
    "Your job is to route users to the right agent.",
    "1. Ask for the number\n2. Escalate complex cases to a supervisor",
    "If unsure, please delegate the task to Research Agent.",
    "You can transfer the call to a human agent.",
    "For refunds: handoff to Refund Agent.",
    "Do not answer yourself, transfer the user to the sales team.",
    "When you are done, hand back to the planner agent.",
    "**Escalate** to a human agent.",
    "Route to Sales if they want to buy.",
    "Send the customer to the billing agent.",
)


@pytest.mark.parametrize("order", UNFOLLOWED)
def test_an_order_to_hand_over_that_nothing_can_carry_out(order: str) -> None:
    for agent in (follows(order), follows(order, tools=[tool("look_up", "Read the FAQ.")])):
        assert len(messages(agent, "AG210")) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Do not transfer to another agent.",
        "Never escalate to a human.",
        "You cannot transfer to other agents.",
        "If the user asks to transfer to a human, apologise.",
        "The triage agent transfers the user to you.",
        "You were probably transferred to from the triage agent.",
        "If the customer wants to transfer money to a person, help them.",
        "Transfer funds to the support account.",
        "Customers can transfer to the desk by phone.",
        "Explain the route to the station.",
        "Decide which team to escalate to.",
        "Send an email to the manager.",
        "Pass the result to the user.",
        "On the one hand, listen to people.",
        RECOMMENDED_PROMPT_PREFIX,
    ],
)
def test_a_sentence_that_is_no_order_to_hand_over(sentence: str) -> None:
    assert messages(follows(sentence), "AG210") == []


BACK = "Transfer back to the triage agent if unsure."
HUMAN = "Escalate to a human if unsure."
REFUND = "Hand off to the refunds agent."


@pytest.mark.parametrize(
    ("agent", "number"),
    [
        (follows(BACK, handoffs=[ORDERS]), 1),
        (follows(HUMAN, handoffs=[TRIAGE]), 1),
        (follows(REFUND, tools=[TRIAGE.as_tool("ask_triage", "Ask triage.")]), 1),
        (follows(BACK, handoffs=[handoff(TRIAGE, is_enabled=False)]), 1),
        (follows(BACK, output_type=int), 1),
        (follows(lambda context, agent: "Help."), 0),
        (follows(BACK, handoffs=[TRIAGE]), 0),
        (follows(BACK, tools=[TRIAGE.as_tool("ask", "Ask.")]), 0),
        (follows(BACK, handoffs=[handoff(TRIAGE, is_enabled=sometimes)]), 0),
        (follows(BACK, handoffs=[handoff(TRIAGE, tool_name_override="return_call")]), 0),
        (follows(HUMAN, tools=[tool("create_ticket", "Make one.")]), 0),
        (follows(HUMAN, tools=[tool("page_on_call", "Call a person.")]), 0),
        (follows(REFUND, tools=[tool("hand_over", "To a colleague.")]), 0),
        (follows(REFUND, tools=[tool("pay", "Gives a refund.")]), 0),
        (follows("Hand off to the right agent.", handoffs=[ORDERS]), 0),
        (follows(REFUND, output_type=int), 0),
        (follows("Hand off to the maths agent.", handoffs=[Agent(name="Mathematician")]), 0),
        (follows("Hand off to the tax agent.", handoffs=[Agent(name="Taxi")]), 1),
    ],
)
def test_a_handover_that_something_carries_out_under_any_name(
    agent: Agent[Any], number: int
) -> None:
    assert len(messages(agent, "AG210")) == number


def test_orders_of_a_function_are_read_from_its_source() -> None:
    def instructions(context: Any, agent: Any) -> str:
        return f"Help {context.context}. Transfer back to the triage agent."

    assert len(messages(Agent(name="A", instructions=instructions), "AG210")) == 1


def test_a_server_may_list_a_tool_that_hands_over() -> None:
    chart_of_server = chart(
        ir.Agent(
            "a",
            "A",
            tools=(ir.Tool("a/mcp/desk", "desk", WorkKind.FUNCTION, server=True),),
            instructions=f"{BACK} Call look_up.",
        )
    )
    codes = {one.rule.code for one in pipeline.check(chart_of_server)}
    assert codes.isdisjoint({"AG210", "AG211"})


LOOK = tool("look_up_order", "Find an order.")


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (follows("Call lookup_order first.", tools=[LOOK]), ["lookup_order"]),
        (follows("Use look_up_orders.", tools=[LOOK]), ["look_up_orders"]),
        (follows("Use the `search` tool.", tools=[LOOK]), ["search"]),
        (follows("Invoke `send_mail()` at the end."), ["send_mail"]),
        (follows("Then use transfer_to_billing.", handoffs=[ORDERS]), ["transfer_to_billing"]),
        (follows("Call a_b. Then call a_b again."), ["a_b"]),
        (follows("Call look_up_order first.", tools=[LOOK]), []),
        (follows("Call look_up_order() first.", tools=[LOOK]), []),
        (follows("Use the look_up_order_tool.", tools=[LOOK]), []),
        (follows("Use the order_id of the customer.", tools=[LOOK]), []),
        (follows("Put it in `order_date`.", tools=[LOOK]), []),
        (follows("The other desk has look_up_order.", handoffs=[Agent(name="B")]), []),
        (
            follows("The desk will call look_up_order.", handoffs=[Agent(name="B", tools=[LOOK])]),
            [],
        ),
        (follows("Call transfer_to_<agent> of the desk.", tools=[LOOK]), []),
        (follows("Call transfer_to_orders.", handoffs=[ORDERS]), []),
        (follows("Use the search tool.", tools=[LOOK]), []),
        (follows(RECOMMENDED_PROMPT_PREFIX), []),
    ],
)
def test_unknown_name_in_instructions(agent: Agent[Any], names: list[str]) -> None:
    assert [message.split("'")[3] for message in messages(agent, "AG211")] == names


def test_a_misspelt_name_gets_the_name_that_was_meant() -> None:
    (finding,) = check(follows("Call lookup_order first.", tools=[LOOK]))
    assert finding.help == "write 'look_up_order'"
