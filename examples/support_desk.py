"""A support desk: triage, five specialists, a translator as a tool, and checks on both ends.

    agentgraph check examples/support_desk.py
    agentgraph draw examples/support_desk.py -o support_desk.svg
    agentgraph run --rehearse --context sample_customer examples/support_desk.py "Where is 1042?"
    AGENTGRAPH_MODEL=rehearsal python examples/support_desk.py "I want my money back for order 1042"

Specialists hand back to triage when a question turns out not to be theirs. That makes cycles in the
graph. They are fine, because every agent in them can also answer and so end the run.
"""

import asyncio
import re
import sys
from dataclasses import dataclass, field
from typing import Annotated, Literal

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    RunContextWrapper,
    Runner,
    TResponseInputItem,
    Workflow,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agentgraph.extensions.handoff_prompt import RECOMMENDED_PROMPT_PREFIX


@dataclass
class Customer:
    """The customer of a run. Tools and guardrails receive it; the model never does.

    Attributes:
        name: How to address the customer.
        orders: State of each order, by number.
        refund_limit: The largest refund without a person's approval, in euros.
        notes: The notes that the desk takes during the run.
    """

    name: str
    orders: dict[str, str]
    refund_limit: int = 100
    notes: list[str] = field(default_factory=list)


Context = RunContextWrapper[Customer]


def sample_customer() -> Customer:
    """Return a customer to try the desk with."""
    return Customer("Ada", {"1042": "left the warehouse this morning", "1043": "delivered"})


# Tools


@function_tool
def order_status(context: Context, order_id: Annotated[str, "The order's number"]) -> str:
    """Look up where an order is."""
    state = context.context.orders.get(order_id)
    return f"Order {order_id}: {state}." if state else f"There is no order {order_id}."


@function_tool
def refund(
    context: Context,
    order_id: Annotated[str, "The order's number"],
    euros: Annotated[int, "How much to pay back"],
) -> str:
    """Pay money back for an order."""
    if order_id not in context.context.orders:
        return f"There is no order {order_id}."
    if euros > context.context.refund_limit:
        return f"{euros} euros are more than may be paid back here; ask a colleague."
    context.context.notes.append(f"refunded {euros} euros for {order_id}")
    return f"{euros} euros are on their way."


@function_tool
def reset_device(
    device: Literal["router", "camera", "lamp"],
) -> str:
    """Restart a device from afar."""
    return f"The {device} restarts and is back in a minute."


@function_tool
async def search_manual(question: str) -> str:
    """Search the manuals of all devices."""
    return f"Manual, page 12, on “{question}”: hold the button for ten seconds."


# Guardrails


@input_guardrail(run_in_parallel=False)
def no_card_numbers(
    context: Context, agent: Agent[Customer], message: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    """Keep card numbers away from the model, which starts only after this check has passed."""
    matches = re.search(r"\b(?:\d[ -]?){15,16}\b", str(message)) is not None
    return GuardrailFunctionOutput("a card number" if matches else None, tripwire_triggered=matches)


@output_guardrail
def no_promises(
    context: Context, agent: Agent[Customer], answer: object
) -> GuardrailFunctionOutput:
    """Stop answers that promise what the desk cannot keep."""
    matches = "guarantee" in str(answer).lower()
    return GuardrailFunctionOutput("a promise" if matches else None, tripwire_triggered=matches)


# Agents


async def note_escalation(context: Context) -> None:
    """Write down that a person has to look at this."""
    context.context.notes.append("escalated")


translator = Agent[Customer](
    name="Translator",
    instructions="Translate the text into the language that is asked for. Reply with nothing else.",
)
orders = Agent[Customer](
    name="Orders",
    handoff_description="Where an order is, delivery, shipping, tracking",
    instructions=f"{RECOMMENDED_PROMPT_PREFIX}\nTell where the order is.",
    tools=[order_status],
    output_guardrails=[no_promises],
)
refunds = Agent[Customer](
    name="Refunds",
    handoff_description="Money back, returns, wrong charges, refund",
    instructions=f"{RECOMMENDED_PROMPT_PREFIX}\nPay back what is owed, after a look at the order.",
    tools=[order_status, refund],
    output_guardrails=[no_promises],
)
technical = Agent[Customer](
    name="Technical Support",
    handoff_description="A device does not work: router, camera, lamp, error, broken",
    instructions=f"{RECOMMENDED_PROMPT_PREFIX}\nFind the fault. Search the manual first.",
    tools=[search_manual, reset_device],
    output_guardrails=[no_promises],
)
contracts = Agent[Customer](
    name="Contracts",
    handoff_description="Cancel or change a contract, subscription, tariff",
    instructions=f"{RECOMMENDED_PROMPT_PREFIX}\nExplain what the contract allows.",
    output_guardrails=[no_promises],
)
escalation = Agent[Customer](
    name="Escalation",
    handoff_description="A complaint, or a customer who wants to talk to a person",
    instructions="Apologise, say that a person will call, and ask for a good time.",
    output_guardrails=[no_promises],
)
triage = Agent[Customer](
    name="Triage",
    instructions=f"{RECOMMENDED_PROMPT_PREFIX}\nHand over to the colleague who can help.",
    tools=[
        translator.as_tool(
            tool_name="translate",
            tool_description="Translate a message from one language into another",
        )
    ],
    handoffs=[
        orders,
        refunds,
        technical,
        contracts,
        handoff(escalation, on_handoff=note_escalation),
    ],
    input_guardrails=[no_card_numbers],
    output_guardrails=[no_promises],
)
for specialist in (orders, refunds, technical, contracts):
    specialist.handoffs.append(triage)

desk = Workflow(
    "Support Desk",
    start=triage,
    agents=[triage, orders, refunds, technical, contracts, escalation],
)


async def main(message: str) -> None:
    """Answer one message and print which agent did."""
    customer = sample_customer()
    try:
        result = await Runner.run(desk, message, context=customer)
    except InputGuardrailTripwireTriggered as stopped:
        print(f"not accepted: the message holds {stopped.guardrail_result.output.output_info}")
        return
    except OutputGuardrailTripwireTriggered:
        print("not sent: the answer promised money")
        return
    print(f"{result.last_agent.name}: {result.final_output}")
    for note in customer.notes:
        print(f"note: {note}")


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Where is my order 1042?"))
