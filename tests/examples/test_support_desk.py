"""The routes of `examples/support_desk.py`, with a model that has a script.

`agentgraph mutate examples/support_desk.py -- pytest tests/examples/test_support_desk.py` plants
faults in the desk; `tests/cli/test_mutate_command.py` holds that one of these tests notices each.
"""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
)
from agentgraph.result import RunResult
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from examples.support_desk import Customer, desk, sample_customer

SPECIALISTS = {
    "Orders": "transfer_to_orders",
    "Refunds": "transfer_to_refunds",
    "Technical Support": "transfer_to_technical_support",
    "Contracts": "transfer_to_contracts",
    "Escalation": "transfer_to_escalation",
}


def call(name: str, **arguments: object) -> list[Any]:
    return [function_call(name, arguments, call_id=f"call_{name}")]


def says(text: str) -> list[Any]:
    return [assistant_message(text)]


def route_to(agent: str) -> list[list[Any]]:
    """The replies that lead from triage to an agent."""
    return [call(SPECIALISTS[agent])] if agent in SPECIALISTS else []


def played(
    replies: list[list[Any]], message: str = "Hello", customer: Customer | None = None
) -> RunResult:
    """A run of the desk in which the models reply as scripted, to the last reply."""
    model = ScriptedModel(replies)
    result = Runner.run_sync(
        desk,
        message,
        context=customer or sample_customer(),
        run_config=RunConfig(model=model),
    )
    model.assert_complete()
    return result


@pytest.mark.parametrize("name", SPECIALISTS)
def test_triage_hands_over_to_each_colleague(name: str) -> None:
    result = played([*route_to(name), says("I can help.")])
    assert result.last_agent.name == name


@pytest.mark.parametrize("name", [name for name in SPECIALISTS if name != "Escalation"])
def test_each_specialist_can_hand_back_to_triage(name: str) -> None:
    result = played([*route_to(name), call("transfer_to_triage"), says("What else?")])
    assert result.last_agent.name == "Triage"


def test_an_escalation_is_written_down() -> None:
    customer = sample_customer()
    played([*route_to("Escalation"), says("A person will call you.")], customer=customer)
    assert customer.notes == ["escalated"]


def test_a_card_number_ends_the_run_before_any_model_is_called() -> None:
    model = ScriptedModel([])
    with pytest.raises(InputGuardrailTripwireTriggered):
        Runner.run_sync(
            desk,
            "My card is 4111 1111 1111 1111",
            context=sample_customer(),
            run_config=RunConfig(model=model),
        )
    assert model.calls == ()


@pytest.mark.parametrize("name", ["Triage", *SPECIALISTS])
def test_no_agent_can_promise_anything(name: str) -> None:
    with pytest.raises(OutputGuardrailTripwireTriggered):
        played([*route_to(name), says("We guarantee it.")])


@pytest.mark.parametrize(
    ("name", "tool", "arguments", "output"),
    [
        ("Orders", "order_status", {"order_id": "1043"}, "Order 1043: delivered."),
        ("Orders", "order_status", {"order_id": "7"}, "There is no order 7."),
        ("Refunds", "order_status", {"order_id": "1043"}, "Order 1043: delivered."),
        ("Refunds", "refund", {"order_id": "1042", "euros": 5}, "5 euros are on their way."),
        ("Technical Support", "reset_device", {"device": "lamp"}, "The lamp restarts"),
        ("Technical Support", "search_manual", {"question": "lamp"}, "Manual, page 12"),
    ],
)
def test_a_specialist_answers_after_a_look_at_what_its_tool_says(
    name: str, tool: str, arguments: dict[str, object], output: str
) -> None:
    result = played([*route_to(name), call(tool, **arguments), says("Here you are.")])
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert len(outputs) == 1
    assert outputs[0].startswith(output)
    assert result.final_output == "Here you are."


def test_triage_has_a_translator_and_answers_itself() -> None:
    result = played([call("translate", input="Bonjour"), says("Good day"), says("Good day to you")])
    assert (result.last_agent.name, result.final_output) == ("Triage", "Good day to you")


def test_a_refund_stays_within_the_limit_of_the_customer() -> None:
    customer = Customer("Ada", {"1042": "delivered"}, refund_limit=10)
    too_much = call("refund", order_id="1042", euros=11)
    played([*route_to("Refunds"), too_much, says("Ask a colleague.")], customer=customer)
    assert customer.notes == []
    enough = call("refund", order_id="1042", euros=10)
    played([*route_to("Refunds"), enough, says("Done.")], customer=customer)
    assert customer.notes == ["refunded 10 euros for 1042"]


def test_every_agent_of_the_desk_is_tested_here() -> None:
    agents: list[Agent[Any]] = list(desk.agents)
    assert [agent.name for agent in agents] == ["Triage", *SPECIALISTS]
