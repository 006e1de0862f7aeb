"""Cases of the rules about instructions."""

from __future__ import annotations

from typing import Any

from agentgraph import Agent, handoff
from agentgraph.extensions.handoff_prompt import RECOMMENDED_PROMPT_PREFIX
from agentgraph_compiler.ir import chart as ir
from agentgraph_compiler.machine import WorkKind
from tests.compiler.rule_cases.case import Rows
from tests.compiler.rule_cases.routing import ORDERS, sometimes, tool
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


BACK = "Transfer back to the triage agent if unsure."


HUMAN = "Escalate to a human if unsure."


REFUND = "Hand off to the refunds agent."


LOOK = tool("look_up_order", "Find an order.")


NO_ORDERS = (
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
)
CARRIED_OUT: dict[str, tuple[Agent[Any], int]] = {
    "handoffs to others only": (follows(BACK, handoffs=[ORDERS]), 1),
    "another handoff than to a human": (follows(HUMAN, handoffs=[TRIAGE]), 1),
    "an agent tool for something else": (
        follows(REFUND, tools=[TRIAGE.as_tool("ask_triage", "Ask triage.")]),
        1,
    ),
    "the handoff is disabled for good": (
        follows(BACK, handoffs=[handoff(TRIAGE, is_enabled=False)]),
        1,
    ),
    "an order beside an output type": (follows(BACK, output_type=int), 1),
    "instructions that say nothing": (follows(lambda context, agent: "Help."), 0),
    "a handoff": (follows(BACK, handoffs=[TRIAGE]), 0),
    "an agent tool": (follows(BACK, tools=[TRIAGE.as_tool("ask", "Ask.")]), 0),
    "a handoff that is enabled at times": (
        follows(BACK, handoffs=[handoff(TRIAGE, is_enabled=sometimes)]),
        0,
    ),
    "a handoff under another name": (
        follows(BACK, handoffs=[handoff(TRIAGE, tool_name_override="return_call")]),
        0,
    ),
    "a tool that makes a ticket": (follows(HUMAN, tools=[tool("create_ticket", "Make one.")]), 0),
    "a tool that calls a person": (
        follows(HUMAN, tools=[tool("page_on_call", "Call a person.")]),
        0,
    ),
    "a tool that hands over": (follows(REFUND, tools=[tool("hand_over", "To a colleague.")]), 0),
    "a tool that is for the same": (follows(REFUND, tools=[tool("pay", "Gives a refund.")]), 0),
    "any handoff, where no agent is named": (
        follows("Hand off to the right agent.", handoffs=[ORDERS]),
        0,
    ),
    "an output type that may route": (follows(REFUND, output_type=int), 0),
    "a word of one stem": (
        follows("Hand off to the maths agent.", handoffs=[Agent(name="Mathematician")]),
        0,
    ),
    "a word that only begins alike": (
        follows("Hand off to the tax agent.", handoffs=[Agent(name="Taxi")]),
        1,
    ),
}


def read_from_source(context: Any, agent: Any) -> str:
    return f"Help {context.context}. Transfer back to the triage agent."


# A server may list a tool that hands over.
WITH_SERVER = chart(
    ir.Agent(
        "a",
        "A",
        tools=(ir.Tool("a/mcp/desk", "desk", WorkKind.FUNCTION, server=True),),
        instructions=f"{BACK} Call look_up.",
    )
)
PROMISED = "agent 'FAQ' tell it to hand over to"
PROMISED_HANDOVER_MISSING: Rows = {
    **{order: (follows(order), [PROMISED]) for order in UNFOLLOWED},
    **{
        f"{order} (with a tool)": (
            follows(order, tools=[tool("look_up", "Read the FAQ.")]),
            [PROMISED],
        )
        for order in UNFOLLOWED
    },
    "a function's, read from its source": (
        Agent(name="FAQ", instructions=read_from_source),
        ["to hand over to 'the triage agent'"],
    ),
    **{sentence.splitlines()[-1]: (follows(sentence), []) for sentence in NO_ORDERS},
    "a server's tools": (WITH_SERVER, []),
    "the tools of a stored prompt": (follows(BACK, prompt={"id": "pmpt_1"}), []),
    **{name: (agent, [PROMISED] * number) for name, (agent, number) in CARRIED_OUT.items()},
}
UNKNOWN_NAME_IN_INSTRUCTIONS: Rows = {
    "a misspelt tool": (
        follows("Call lookup_order first.", tools=[LOOK]),
        ["name the tool 'lookup_order'"],
    ),
    "a plural": (follows("Use look_up_orders.", tools=[LOOK]), ["name the tool 'look_up_orders'"]),
    "a tool in backquotes": (
        follows("Use the `search` tool.", tools=[LOOK]),
        ["name the tool 'search'"],
    ),
    "a call in backquotes": (
        follows("Invoke `send_mail()` at the end."),
        ["name the tool 'send_mail'"],
    ),
    "a handoff that is not there": (
        follows("Then use transfer_to_billing.", handoffs=[ORDERS]),
        ["name the tool 'transfer_to_billing'"],
    ),
    "twice, which is one finding": (
        follows("Call a_b. Then call a_b again."),
        ["name the tool 'a_b'"],
    ),
    "a tool of the agent": (follows("Call look_up_order first.", tools=[LOOK]), []),
    "a call of it": (follows("Call look_up_order() first.", tools=[LOOK]), []),
    "its name with the word tool": (follows("Use the look_up_order_tool.", tools=[LOOK]), []),
    "a field": (follows("Use the order_id of the customer.", tools=[LOOK]), []),
    "a field in backquotes": (follows("Put it in `order_date`.", tools=[LOOK]), []),
    "of another agent, without an order": (
        follows("The other desk has look_up_order.", handoffs=[Agent(name="B")]),
        [],
    ),
    "of another agent, which has it": (
        follows("The desk will call look_up_order.", handoffs=[Agent(name="B", tools=[LOOK])]),
        [],
    ),
    "a pattern": (follows("Call transfer_to_<agent> of the desk.", tools=[LOOK]), []),
    "a handoff of the agent": (follows("Call transfer_to_orders.", handoffs=[ORDERS]), []),
    "a part of a name": (follows("Use the search tool.", tools=[LOOK]), []),
    "the recommended prefix": (follows(RECOMMENDED_PROMPT_PREFIX), []),
}

UNKNOWN_NAME_IN_INSTRUCTIONS |= {
    "a server's tools": (WITH_SERVER, []),
    "the tools of a stored prompt": (follows("Call look_up.", prompt={"id": "pmpt_1"}), []),
}

CASES: dict[str, Rows] = {
    "AG210": PROMISED_HANDOVER_MISSING,
    "AG211": UNKNOWN_NAME_IN_INSTRUCTIONS,
}
