"""`ScriptedModel` and its builders, as people use them in tests of their workflows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    RunConfig,
    Runner,
    SessionSettings,
    SQLiteSession,
    testing,
)
from agentgraph.items.responses import ModelResponse
from agentgraph.memory.transcripts.histories import legal
from agentgraph.model_settings import ModelSettings
from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from agentgraph.testing import (
    InvalidModelStep,
    ModelCall,
    ModelScriptError,
    ModelStep,
    RehearsalModel,
    ScriptedModel,
    UnconsumedModelSteps,
    UnexpectedModelCall,
    assistant_message,
    function_call,
)
from agentgraph.testing import model as model_module
from agentgraph.tool import function_tool as tool
from agentgraph.usage import Usage
from tests.models.model_calls import events, function_tool, get


def said(text: str) -> list[Any]:
    return [assistant_message(text)]


def texts(replies: list[ModelResponse]) -> list[str]:
    messages: list[Any] = [reply.output[0] for reply in replies]
    return [message.content[0].text for message in messages]


def test_the_names_are_those_of_the_published_module() -> None:
    published = {
        "InvalidModelStep",
        "ModelCall",
        "ModelScriptError",
        "ModelStep",
        "ModelStepSpec",
        "ScriptedModel",
        "UnconsumedModelSteps",
        "UnexpectedModelCall",
        "assistant_message",
        "function_call",
    }
    assert published == set(model_module.__all__)
    assert published < set(testing.__all__)


async def test_steps_are_used_in_order_whatever_their_form() -> None:
    model = ScriptedModel(
        [
            said("list"),
            ModelStep(output=said("step")),
            {"output": said("dictionary")},
            ModelResponse(said("response"), Usage(), "r"),
            ModelStep.respond(lambda call: said("responder")),
        ]
    )
    model.enqueue(said("later"))
    model.extend([said("last")])
    assert model.remaining_steps == 7

    replies = [await get(model) for _ in range(7)]

    assert texts(replies) == [
        "list",
        "step",
        "dictionary",
        "response",
        "responder",
        "later",
        "last",
    ]
    model.assert_complete()


async def test_a_function_as_the_script_answers_every_call() -> None:
    model = ScriptedModel(lambda call: said(f"you said {call.input}"))

    assert texts([await get(model, input=word) for word in ("one", "two")]) == [
        "you said one",
        "you said two",
    ]
    model.assert_complete()


async def test_a_responder_may_be_async_and_return_any_form() -> None:
    async def respond(call: ModelCall) -> Any:
        return {"output": said("awaited"), "response_id": "r_1"}

    reply = await get(ScriptedModel([ModelStep.respond(respond)]))

    assert (texts([reply]), reply.response_id) == (["awaited"], "r_1")


async def test_what_a_responder_raises_or_returns_as_an_error_is_raised() -> None:
    def fail(call: ModelCall) -> Any:
        raise KeyError("from the responder")

    with pytest.raises(KeyError):
        await get(ScriptedModel([ModelStep.respond(fail)]))
    with pytest.raises(ZeroDivisionError):
        await get(ScriptedModel([ModelStep.respond(lambda call: ZeroDivisionError())]))


async def test_a_responder_that_returns_itself_is_refused() -> None:
    endless = ModelStep.respond(lambda call: endless)
    with pytest.raises(InvalidModelStep, match="responders in a row"):
        await get(ScriptedModel([endless]))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_call_after_the_last_step_says_which_call_it_was(streamed: bool) -> None:
    model = ScriptedModel([said("only")])
    await get(model)
    with pytest.raises(UnexpectedModelCall, match="#2") as raised:
        await (events if streamed else get)(model, input="too much")

    assert raised.value.call_index == 1
    assert raised.value.call.input == "too much"
    assert raised.value.call.streamed is streamed
    assert isinstance(raised.value, ModelScriptError)


def test_steps_that_are_left_are_counted() -> None:
    with pytest.raises(UnconsumedModelSteps, match="2 scripted") as raised:
        ScriptedModel([said("a"), said("b")]).assert_complete()

    assert raised.value.remaining_steps == 2


BAD_STEPS: list[tuple[Any, str]] = [
    (3, "invalid_input"),
    ("text", "invalid_input"),
    (None, "invalid_input"),
    ([3], "invalid_input"),
    ([{"type": "no_such_type"}], "invalid_input"),
    ({"output": "text"}, "invalid_input"),
    ({"usage": 3}, "invalid_input"),
    ({"response_id": 3}, "invalid_input"),
    ({"answer": []}, "unsupported_field"),
    ({"error": "not an exception"}, "invalid_error"),
    ({"responder": 3}, "invalid_responder"),
    ({"stream_events": 3}, "invalid_stream_events"),
    ({"error": ValueError(), "stream_events": []}, "conflicting_outcomes"),
    ({"retry_advice": ModelRetryAdvice()}, "invalid_retry_advice"),
]


@pytest.mark.parametrize(("step", "reason"), BAD_STEPS, ids=repr)
def test_a_bad_step_is_refused_before_the_run_and_nothing_is_added(step: Any, reason: str) -> None:
    model = ScriptedModel()
    with pytest.raises(InvalidModelStep, match="#2") as raised:
        model.extend([said("good"), step])

    assert (raised.value.reason, raised.value.input_index) == (reason, 1)
    assert model.remaining_steps == 0


def test_a_single_dictionary_is_not_taken_for_a_list_of_steps() -> None:
    single: Any = {"output": []}
    with pytest.raises(InvalidModelStep, match="into a list"):
        ScriptedModel(single)


async def test_items_may_be_dictionaries() -> None:
    item = {
        "type": "function_call",
        "id": "fc",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
    }
    reply = await get(ScriptedModel([[item]]))

    assert reply.to_input_items() == [item]


async def test_a_scripted_error_is_raised_and_its_advice_given_for_that_error_only() -> None:
    advice = ModelRetryAdvice(suggested=True, retry_after=1)
    error = ConnectionError("lost")
    model = ScriptedModel([ModelStep.raise_error(error, retry_advice=advice), ValueError("plain")])
    with pytest.raises(ConnectionError):
        await get(model)
    with pytest.raises(ValueError, match="plain"):
        await events(model)

    asked = [ModelRetryAdviceRequest(e, 1, False) for e in (error, ConnectionError("lost"))]
    assert [model.get_retry_advice(request) for request in asked] == [advice, None]


async def test_usage_comes_from_the_step_then_from_the_model_then_is_one_request() -> None:
    own, default = Usage(requests=1, total_tokens=7), Usage(requests=1, total_tokens=3)
    model = ScriptedModel([{"usage": own}, {}, {}], default_usage=default)
    first, second = await get(model), await get(model)
    model.set_default_usage(None)
    third = await get(model)

    assert [reply.usage.total_tokens for reply in (first, second, third)] == [7, 3, 0]
    assert third.usage.requests == 1


async def test_raw_usage_is_given_only_where_the_settings_ask_for_it() -> None:
    model = ScriptedModel([{"raw_usage": {"x": 1}, "request_id": "q"}] * 2)
    asked = await get(model, model_settings=ModelSettings(preserve_raw_usage=True))
    not_asked = await get(model)

    assert (asked.raw_usage, not_asked.raw_usage) == ({"x": 1}, None)
    assert asked.request_id == "q"


async def test_calls_are_recorded_as_they_were_sent() -> None:
    model = ScriptedModel([said("a"), said("b")])
    conversation: list[Any] = [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]
    tools = [function_tool("f")]
    assert (model.first_call, model.last_call) == (None, None)
    await get(model, input=conversation, tools=tools, system_instructions="s")
    conversation[0]["content"][0]["text"] = "changed"
    tools.clear()
    await events(model, input="again")

    assert model.first_call is not None
    assert model.first_call.input[0]["content"][0]["text"] == "x"
    assert [tool.name for tool in model.first_call.tools] == ["f"]
    assert model.first_call.system_instructions == "s"
    assert [call.streamed for call in model.calls] == [False, True]
    assert model.last_call == model.calls[1]


async def test_without_recording_nothing_is_kept() -> None:
    model = ScriptedModel(lambda call: said("a"), record_calls=False)
    await get(model)

    assert model.calls == ()


async def test_a_stream_delivers_the_reply_in_words() -> None:
    usage = Usage(requests=1, total_tokens=5)
    step: Any = {
        "output": [assistant_message("good day to you"), function_call("f", {"a": 1}, call_id="c")],
        "usage": usage,
        "response_id": "r",
    }
    seen = await events(ScriptedModel([step], words_per_delta=1))
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    last = seen[-1]

    assert deltas == ["good", " day", " to", " you"]
    assert (last.type, last.response.id) == ("response.completed", "r")
    assert last.response.usage.total_tokens == 5
    assert [item.type for item in last.response.output] == ["message", "function_call"]


async def test_deltas_may_hold_several_words_or_the_whole_text() -> None:
    async def deltas(words_per_delta: int | None) -> list[str]:
        model = ScriptedModel([said("one two three")], words_per_delta=words_per_delta)
        return [event.delta for event in await events(model) if event.type.endswith("text.delta")]

    assert await deltas(2) == ["one two", " three"]
    assert await deltas(None) == ["one two three"]


async def test_a_step_may_name_its_exact_events() -> None:
    recorded = await events(ScriptedModel([said("x")]))

    async def factory(call: ModelCall) -> AsyncIterator[Any]:
        for event in recorded[:2]:
            yield event

    model = ScriptedModel(
        [
            ModelStep.stream(recorded),
            ModelStep.stream(factory),
            ModelStep.stream([], output=said("whole")),
        ]
    )
    assert await events(model) == recorded
    assert await events(model) == recorded[:2]
    assert texts([await get(model)]) == ["whole"]


def test_builders_make_the_items_that_the_api_sends() -> None:
    message = assistant_message("x").model_dump(exclude_unset=True)
    call = function_call("f", {"b": 1, "a": "ü"}, call_id="c")

    assert (message["id"], message["role"], message["status"]) == (
        "scripted-message",
        "assistant",
        "completed",
    )
    assert (call.id, call.arguments) == ("c", '{"b":1,"a":"ü"}')
    assert "namespace" not in call.model_dump(exclude_unset=True)
    spaced = function_call("f", "{}", call_id="c", item_id="i", namespace="n")
    assert (spaced.id, spaced.namespace) == ("i", "n")


@pytest.mark.parametrize("rehearsed", [False, True])
async def test_a_session_that_a_test_model_fills_in_several_runs_is_not_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rehearsed: bool
) -> None:
    @tool
    def weather(city: str) -> str:
        return "sunny"

    # One object twice in a script: a reply that is written down once may be given many times.
    again = assistant_message("Take no umbrella.")
    session = SQLiteSession("s", tmp_path / "s.db")
    for _ in range(3):
        calls = [function_call("weather", {"city": "Rome"}, call_id="c")]
        model = RehearsalModel() if rehearsed else ScriptedModel([calls, [again]])
        agent = Agent(name="A", model=model, tools=[weather])
        # A limit hides from the model that it said the same before.
        config = RunConfig(session_settings=SessionSettings(limit=1))
        await Runner.run(agent, "weather in Rome?", session=session, run_config=config)

    await Runner.run(Agent(name="A", model=ScriptedModel([[again]])), "Sure?", session=session)
    stored = await session.get_items()
    session.close()

    assert legal(stored)
    assert len(stored) == 3 * 4 + 2
    assert "damaged" not in caplog.text


async def test_the_cost_of_a_call_does_not_grow_with_the_run() -> None:
    model = ScriptedModel(lambda call: said("x"), record_calls=False)
    short: list[Any] = [{"role": "user", "content": "x"}]

    async def cost(conversation: list[Any]) -> float:
        spent = []
        for _ in range(4):
            start = time.process_time()
            for _ in range(200):
                await get(model, input=conversation)
            spent.append(time.process_time() - start)
        return min(spent)

    assert await cost(short * 9999) < 5 * await cost(short)
