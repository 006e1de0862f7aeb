"""Guardrails on function tools: before a call, after it, in order, and what each verdict does."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    RunHooks,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.testing import ScriptedModel
from agentgraph.tool_guardrails import ToolInputGuardrailData, ToolOutputGuardrailData
from tests.api.calls import agent_with, call, script, told
from tests.api.conftest import Play


def _verdict(kind: str) -> ToolGuardrailFunctionOutput:
    match kind:
        case "allow":
            return ToolGuardrailFunctionOutput.allow({"seen": kind})
        case "reject":
            return ToolGuardrailFunctionOutput.reject_content("not that", {"seen": kind})
        case _:
            return ToolGuardrailFunctionOutput.raise_exception({"seen": kind})


def guarded(made: list[str], *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Any:
    """A tool with one guardrail for each verdict."""

    def judge_call(kind: str) -> Any:
        @tool_input_guardrail(name=f"before {kind}")
        async def judge(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
            made.append(f"{kind} {data.context.tool_arguments} {data.agent.name}")
            return _verdict(kind)

        return judge

    def judge_result(kind: str) -> Any:
        @tool_output_guardrail
        def judge(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
            made.append(f"{kind} {data.output}")
            return _verdict(kind)

        return judge

    @function_tool(
        tool_input_guardrails=[judge_call(kind) for kind in before],
        tool_output_guardrails=[judge_result(kind) for kind in after],
    )
    async def pay(amount: int) -> str:
        made.append(f"pay {amount}")
        return f"paid {amount}"

    return pay


async def test_what_is_allowed_is_called_between_its_guardrails(play: Play) -> None:
    made: list[str] = []
    model = script([call("pay", amount=5)])
    tool = guarded(made, before=("allow", "allow"), after=("allow",))
    played = await play(agent_with(model, tool))
    assert made == [
        'allow {"amount":5} Clerk',
        'allow {"amount":5} Clerk',
        "pay 5",
        "allow paid 5",
    ]
    assert told(model) == {"c1": "paid 5"}
    results = played.result.tool_input_guardrail_results
    assert [result.guardrail.get_name() for result in results] == ["before allow"] * 2
    assert [r.output.output_info for r in played.result.tool_output_guardrail_results] == [
        {"seen": "allow"}
    ]


async def test_a_rejected_call_is_not_made_and_the_message_stands_in_for_its_output(
    play: Play,
) -> None:
    made: list[str] = []
    model = script([call("pay", amount=5)])
    hooks = _Hooks()
    tool = guarded(made, before=("allow", "reject", "allow"), after=("raise",))
    played = await play(agent_with(model, tool), hooks=hooks)
    assert made == ['allow {"amount":5} Clerk', 'reject {"amount":5} Clerk']
    assert told(model) == {"c1": "not that"}
    assert played.outputs == ["not that"]
    assert hooks.heard == []
    assert len(played.result.tool_input_guardrail_results) == 2


async def test_a_rejected_output_is_replaced(play: Play) -> None:
    made: list[str] = []
    model = script([call("pay", amount=5)])
    played = await play(agent_with(model, guarded(made, after=("allow", "reject", "raise"))))
    assert made == ["pay 5", "allow paid 5", "reject paid 5"]
    assert played.outputs == ["not that"]


async def test_a_guardrail_before_the_call_can_end_the_run(play: Play) -> None:
    made: list[str] = []
    agent = agent_with(ScriptedModel([[call("pay", amount=5)]]), guarded(made, before=("raise",)))
    with pytest.raises(ToolInputGuardrailTripwireTriggered) as caught:
        await play(agent)
    assert made == ['raise {"amount":5} Clerk']
    assert caught.value.guardrail.get_name() == "before raise"
    assert caught.value.output.output_info == {"seen": "raise"}
    assert caught.value.run_data is not None
    assert len(caught.value.run_data.tool_input_guardrail_results) == 1


async def test_a_guardrail_after_the_call_can_end_the_run(play: Play) -> None:
    made: list[str] = []
    agent = agent_with(ScriptedModel([[call("pay", amount=5)]]), guarded(made, after=("raise",)))
    with pytest.raises(ToolOutputGuardrailTripwireTriggered):
        await play(agent)
    assert made == ["pay 5", "raise paid 5"]


async def test_verdicts_of_all_turns_are_listed(play: Play) -> None:
    model = script(
        [call("pay", "c1", amount=1), call("pay", "c2", amount=2)], [call("pay", "c3", amount=3)]
    )
    played = await play(agent_with(model, guarded([], before=("allow",), after=("allow",))))
    assert len(played.result.tool_input_guardrail_results) == 3
    assert len(played.result.tool_output_guardrail_results) == 3


def raises(data: ToolInputGuardrailData) -> Any:
    """Break."""
    raise ZeroDivisionError("oops")


def answers_otherwise(data: ToolInputGuardrailData) -> Any:
    """Give something that is no verdict."""
    return "fine"


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            raises,
            "Error running guardrail 'raises' of tool pay of agent Clerk: ZeroDivisionError: oops",
        ),
        (
            answers_otherwise,
            "The guardrail 'answers_otherwise' of tool pay of agent Clerk must return"
            " ToolGuardrailFunctionOutput, not str.",
        ),
    ],
)
async def test_a_guardrail_that_breaks_ends_the_run_and_names_tool_and_agent(
    play: Play, broken: Any, message: str, before: bool
) -> None:
    async def pay() -> str:
        return "paid"

    guards: Any = (
        {"tool_input_guardrails": [tool_input_guardrail(broken)]}
        if before
        else {"tool_output_guardrails": [tool_output_guardrail(broken)]}
    )
    with pytest.raises(UserError) as raised:
        await play(agent_with(ScriptedModel([[call("pay")]]), function_tool(pay, **guards)))
    assert str(raised.value) == message


async def test_each_agent_guards_its_own_calls(play: Play) -> None:
    made: list[str] = []
    model = script([call("transfer_to_second", "h1")], [call("pay", "c1", amount=5)])
    second = Agent(name="Second", model=model, tools=[guarded(made, before=("reject",))])
    await play(agent_with(model, handoffs=[second]))
    assert made == ['reject {"amount":5} Second']


class _Hooks(RunHooks[Any]):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        self.heard.append(tool.name)
