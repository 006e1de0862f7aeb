"""A guardrail judges, under a name, whether its function is sync, async or an object."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from agentgraph import (
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunContextWrapper,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolInputGuardrailData,
    ToolOutputGuardrail,
    ToolOutputGuardrailData,
    UserError,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.tool_context import ToolContext

CONTEXT: RunContextWrapper[Any] = RunContextWrapper("ctx")
CALL: ToolContext[Any] = ToolContext(None, tool_name="t", tool_call_id="1", tool_arguments="{}")


def judge(context: RunContextWrapper[Any], agent: Any, judged: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput((context.context, agent, judged), tripwire_triggered=True)


async def judge_later(
    context: RunContextWrapper[Any], agent: Any, judged: Any
) -> GuardrailFunctionOutput:
    return judge(context, agent, judged)


class Judge:
    async def __call__(self, context: Any, agent: Any, judged: Any) -> GuardrailFunctionOutput:
        return judge(context, agent, judged)


NAMED = [
    (judge, "judge"),
    (judge_later, "judge_later"),
    (Judge(), "Judge"),
    (functools.partial(judge), "partial"),
]


@pytest.mark.parametrize(("function", "name"), NAMED)
async def test_an_input_guardrail_judges_the_input(function: Any, name: str) -> None:
    guardrail: InputGuardrail[Any] = InputGuardrail(guardrail_function=function)
    result = await guardrail.run("agent", "input", CONTEXT)
    assert result.guardrail is guardrail
    assert result.output.output_info == ("ctx", "agent", "input")
    assert guardrail.get_name() == name
    assert guardrail.run_in_parallel


@pytest.mark.parametrize(("function", "name"), NAMED)
async def test_an_output_guardrail_judges_the_output(function: Any, name: str) -> None:
    guardrail: OutputGuardrail[Any] = OutputGuardrail(guardrail_function=function)
    result = await guardrail.run(CONTEXT, "agent", "output")
    assert (result.agent, result.agent_output) == ("agent", "output")
    assert result.output.tripwire_triggered
    assert guardrail.get_name() == name


def test_a_guardrail_whose_function_cannot_be_called_is_refused_when_it_is_made() -> None:
    wrong: Any = 5
    with pytest.raises(UserError, match="'g': guardrail_function must be callable, not int"):
        InputGuardrail(guardrail_function=wrong, name="g")
    with pytest.raises(UserError, match=r"OutputGuardrail 'int': .* must be callable, not int"):
        OutputGuardrail(guardrail_function=wrong)
    with pytest.raises(UserError, match=r"ToolInputGuardrail 't': .* must be callable"):
        ToolInputGuardrail(guardrail_function=wrong, name="t")


def test_the_decorators_work_bare_and_with_arguments() -> None:
    assert input_guardrail(judge).name == "judge"
    assert input_guardrail(judge_later).run_in_parallel
    named = input_guardrail(name="other", run_in_parallel=False)(judge)
    assert (named.name, named.run_in_parallel) == ("other", False)
    assert output_guardrail(judge_later).name == "judge_later"
    assert output_guardrail(name="other")(judge).name == "other"
    assert output_guardrail()(judge).name == "judge"


def allow(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow(output_info=data.context.tool_name)


async def reject(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.reject_content(f"not {data.output}", output_info="why")


async def test_tool_guardrails_judge_calls_and_results() -> None:
    before = tool_input_guardrail(allow)
    verdict = await before.run(ToolInputGuardrailData(context=CALL, agent=None))
    assert (before.get_name(), verdict.output_info, verdict.behavior) == (
        "allow",
        "t",
        {"type": "allow"},
    )
    after = tool_output_guardrail(name="named")(reject)
    verdict = await after.run(ToolOutputGuardrailData(context=CALL, agent=None, output="this"))
    assert after.get_name() == "named"
    assert verdict.behavior == {"type": "reject_content", "message": "not this"}
    assert isinstance(after, ToolOutputGuardrail)


def test_a_verdict_allows_unless_it_says_otherwise() -> None:
    assert ToolGuardrailFunctionOutput(output_info=None).behavior == {"type": "allow"}
    assert ToolGuardrailFunctionOutput.raise_exception().behavior == {"type": "raise_exception"}
