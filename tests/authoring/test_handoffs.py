"""A handoff describes a way to another agent and reads what the model passes along."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import Agent, Handoff, ModelBehaviorError, RunContextWrapper, UserError, handoff
from agentgraph.exceptions import AgentDefinitionError

CONTEXT: RunContextWrapper[Any] = RunContextWrapper("ctx")


class Reason(BaseModel):
    reason: str
    urgency: int = 1


@pytest.mark.parametrize(
    ("agent_name", "tool_name", "warns"),
    [
        ("Billing", "transfer_to_billing", False),
        ("Billing Agent", "transfer_to_billing_agent", False),
        ("Billing!", "transfer_to_billing_", True),
        ("Über uns", "transfer_to__ber_uns", True),
    ],
)
def test_the_default_tool_name_is_the_agents_fitted_into_a_function_name(
    agent_name: str, tool_name: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="agentgraph"):
        assert Handoff.default_tool_name(Agent(name=agent_name)) == tool_name
    assert bool(caplog.records) is warns


def test_the_default_description_ends_with_the_agents_own() -> None:
    agent = Agent(name="Billing", handoff_description="Knows invoices")
    assert Handoff.default_tool_description(agent) == (
        "Handoff to the Billing agent to handle the request. Knows invoices"
    )


def test_overrides_replace_name_and_description() -> None:
    made = handoff(
        Agent(name="a"), tool_name_override="escalate", tool_description_override="To a person"
    )
    assert (made.tool_name, made.tool_description) == ("escalate", "To a person")


def test_a_handoff_knows_its_target_as_long_as_it_lives() -> None:
    agent = Agent(name="Billing")
    made = handoff(agent)
    assert made.target is agent
    assert made.agent_name == "Billing"
    assert made.get_transfer_message(agent) == '{"assistant": "Billing"}'


def test_a_handoff_made_by_hand_has_no_known_target() -> None:
    async def choose(context: Any, arguments: str) -> Agent[Any]:
        return Agent(name="chosen")

    made = Handoff(
        tool_name="choose",
        tool_description="",
        input_json_schema={},
        on_invoke_handoff=choose,
        agent_name="chosen",
    )
    assert made.target is None


def test_without_input_type_the_schema_is_an_empty_object() -> None:
    schema = handoff(Agent(name="a")).input_json_schema
    assert (schema["properties"], schema["additionalProperties"]) == ({}, False)


def test_the_schema_of_the_input_is_strict() -> None:
    made = handoff(Agent(name="a"), on_handoff=lambda context, input: None, input_type=Reason)
    assert made.input_json_schema["required"] == ["reason", "urgency"]
    assert made.input_json_schema["additionalProperties"] is False


async def test_the_callback_gets_the_context_and_the_input() -> None:
    seen: list[Any] = []

    async def note(context: Any, input: Reason) -> None:
        seen.append((context, input))

    agent = Agent(name="a")
    made = handoff(agent, on_handoff=note, input_type=Reason)
    assert await made.on_invoke_handoff(CONTEXT, '{"reason": "lost"}') is agent
    assert seen == [(CONTEXT, Reason(reason="lost"))]


async def test_a_callback_without_input_type_gets_the_context_only() -> None:
    seen: list[Any] = []
    agent = Agent(name="a")
    made = handoff(agent, on_handoff=seen.append)
    assert await made.on_invoke_handoff(CONTEXT, "{}") is agent
    assert seen == [CONTEXT]


class Noting:
    """A callable object whose call is async."""

    def __init__(self) -> None:
        self.called = False

    async def __call__(self, context: Any) -> None:
        self.called = True


async def test_a_callable_object_that_is_async_is_awaited() -> None:
    note = Noting()
    await handoff(Agent(name="a"), on_handoff=note).on_invoke_handoff(CONTEXT, "")
    assert note.called


@pytest.mark.parametrize(
    "text",
    ["", "null", "{}", "not json", '{"reason": "private", "urgency": "2"}', '{"reason": 1}'],
)
async def test_input_that_does_not_fit_is_the_models_fault_and_stays_private(text: str) -> None:
    made = handoff(Agent(name="a"), on_handoff=lambda context, x: None, input_type=Reason)
    with pytest.raises(ModelBehaviorError, match="transfer_to_a") as caught:
        await made.on_invoke_handoff(CONTEXT, text)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"input_type": Reason}, UserError, "'a' has an input_type but no on_handoff"),
        ({"on_handoff": lambda c, x: None}, UserError, "must take 1 argument"),
        ({"on_handoff": lambda c: 0, "input_type": Reason}, UserError, "must take 2 argument"),
        ({"on_handoff": 5}, AgentDefinitionError, "on_handoff .* must be callable, not int"),
        (
            {"on_handoff": lambda c, x: None, "input_type": Reason | None},
            UserError,
            "No strict schema for the input_type of the handoff to agent 'a'",
        ),
    ],
)
def test_a_handoff_that_cannot_work_is_refused_when_it_is_made(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        handoff(Agent(name="a"), **settings)


def test_only_agents_and_workflows_can_be_handed_over_to() -> None:
    with pytest.raises(AgentDefinitionError, match="needs an Agent or a Workflow, not str"):
        handoff("a")  # type: ignore[call-overload]
