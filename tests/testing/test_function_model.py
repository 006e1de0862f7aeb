"""`FunctionModel`: replies made from requests."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, Runner, UserError, function_tool
from agentgraph.testing import (
    FunctionModel,
    ModelCall,
    ModelStep,
    ScriptedModel,
    assistant_message,
    function_call,
)
from agentgraph.usage import Usage
from tests.models.model_calls import events, get

FORMS: dict[str, Any] = {
    "items": [assistant_message("x")],
    "a step": ModelStep(output=[assistant_message("x")]),
    "a dictionary": {"output": [assistant_message("x")]},
    "a responder": ModelStep.respond(lambda call: [assistant_message("x")]),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_reply_may_have_any_form_of_a_step(form: str) -> None:
    reply = await get(FunctionModel(lambda call: FORMS[form]))

    assert reply.to_input_items()[0]["content"][0]["text"] == "x"  # type: ignore[index]


async def test_an_async_function_is_awaited_and_an_exception_raised() -> None:
    async def fail(call: ModelCall) -> Any:
        return ConnectionError("lost")

    with pytest.raises(ConnectionError):
        await get(FunctionModel(fail))
    with pytest.raises(ConnectionError):
        await events(FunctionModel(fail))


async def test_the_function_sees_each_request_and_answers_any_number_of_them() -> None:
    @function_tool
    def add(a: int, b: int) -> int:
        return a + b

    def respond(call: ModelCall) -> Any:
        results = [item for item in call.input if item.get("type") == "function_call_output"]
        if len(results) < 2:
            return [function_call("add", {"a": 1, "b": len(results)}, call_id=f"c{len(results)}")]
        return [assistant_message(" and ".join(item["output"] for item in results))]

    model = FunctionModel(respond)
    result = await Runner.run(Agent(name="A", model=model, tools=[add]), "go")

    assert (result.final_output, len(model.calls)) == ("1 and 2", 3)


async def test_a_request_that_the_function_changes_stays_as_it_was_recorded() -> None:
    def spoil(call: ModelCall) -> Any:
        call.input.clear()
        return []

    model = FunctionModel(spoil)
    await get(model, input=[{"role": "user", "content": "x"}])

    assert model.last_call is not None
    assert model.last_call.input == [{"role": "user", "content": "x"}]


async def test_replies_without_usage_have_the_default_one() -> None:
    model = FunctionModel(lambda call: [], default_usage=Usage(requests=1, total_tokens=4))

    assert (await get(model)).usage.total_tokens == 4


async def test_a_scripted_model_of_a_function_uses_what_is_enqueued_first() -> None:
    model = ScriptedModel(lambda call: [assistant_message("after")])
    model.enqueue([assistant_message("first")])
    replies = [await get(model) for _ in range(3)]
    texts: list[Any] = [reply.output[0] for reply in replies]

    assert [message.content[0].text for message in texts] == ["first", "after", "after"]


def test_a_list_is_refused_with_the_name_of_the_model_that_takes_it() -> None:
    script: Any = [[assistant_message("x")]]
    with pytest.raises(UserError, match="ScriptedModel"):
        FunctionModel(script)
