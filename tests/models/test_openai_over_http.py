"""`OpenAIResponsesModel` against a server of the API that is not ours (`@copilotkit/aimock`)."""

from __future__ import annotations

import json
import socket

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.models.openai_responses import OpenAIResponsesModel
from tests.models.model_calls import events, finished, function_tool, get


class Trip(BaseModel):
    city: str
    days: int


@pytest.fixture
def model(aimock_client: AsyncOpenAI) -> OpenAIResponsesModel:
    return OpenAIResponsesModel("gpt-5.6-luna", aimock_client)


async def test_a_text_comes_back_with_its_usage_and_ids(model: OpenAIResponsesModel) -> None:
    reply = await get(model, input="hello")

    (message,) = reply.output
    assert message.type == "message"
    assert message.content[0].text == "Good day to you, and welcome to the loopback."
    assert (reply.usage.requests, reply.usage.total_tokens) == (1, 18)
    assert reply.response_id is not None
    assert reply.request_id is not None


async def test_streamed_and_whole_replies_say_the_same(model: OpenAIResponsesModel) -> None:
    seen = await events(model, input="hello")
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    streamed, whole = finished(seen), await get(model, input="hello")

    assert len(deltas) > 1
    assert "".join(deltas) == streamed.output[0].content[0].text == whole.output[0].content[0].text
    assert streamed.usage == whole.usage
    assert streamed.request_id is not None


async def test_function_calls_come_and_their_results_go_back(model: OpenAIResponsesModel) -> None:
    tools = [function_tool("get_weather", "The weather of a city.")]
    conversation = [{"role": "user", "content": "weather"}]

    first = await get(model, input=conversation, tools=tools)
    calls = [(call.name, json.loads(call.arguments), call.call_id) for call in first.output]
    results = [
        {"type": "function_call_output", "call_id": call_id, "output": "sunny"}
        for _, _, call_id in calls
    ]
    second = await get(model, input=[*conversation, *first.to_input_items(), *results], tools=tools)

    assert calls == [
        ("get_weather", {"city": "Oslo"}, "call_oslo"),
        ("get_weather", {"city": "Rome"}, "call_rome"),
    ]
    assert second.output[0].content[0].text == "Sunny in both."


async def test_streamed_function_calls_arrive_whole(model: OpenAIResponsesModel) -> None:
    reply = finished(await events(model, input="weather", tools=[function_tool("get_weather")]))

    assert [call.arguments for call in reply.output] == [
        '{"city":"Oslo"}',
        '{"city":"Rome"}',
    ]


async def test_a_structured_output_validates_as_the_type_that_was_asked_for(
    model: OpenAIResponsesModel,
) -> None:
    schema = AgentOutputSchema(Trip)
    reply = await get(model, input="structured", output_schema=schema)

    assert schema.validate_json(reply.output[0].content[0].text) == Trip(city="Oslo", days=3)


async def test_reasoning_comes_before_the_message(model: OpenAIResponsesModel) -> None:
    reply = await get(model, input="think")

    assert [item.type for item in reply.output] == ["reasoning", "message"]
    assert reply.output[0].summary[0].text == "Six by nine, roughly."


async def test_a_wrong_key_is_an_authentication_error(aimock: str) -> None:
    async with AsyncOpenAI(api_key="wrong", base_url=aimock) as client:
        with pytest.raises(openai.AuthenticationError):
            await get(OpenAIResponsesModel("m", client))


async def test_the_client_waits_and_repeats_a_refused_call(model: OpenAIResponsesModel) -> None:
    reply = await get(model, input="slow down")

    assert reply.output[0].content[0].text == "At last."


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("always too fast", openai.RateLimitError),
        ("break", openai.InternalServerError),
        ("nobody expects this", openai.NotFoundError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_http_error_is_the_clients_own_exception(
    aimock_client: AsyncOpenAI, said: str, error: type[Exception], streamed: bool
) -> None:
    model = OpenAIResponsesModel("m", aimock_client.with_options(max_retries=0))
    with pytest.raises(error):
        await (events if streamed else get)(model, input=said)


async def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        async with AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            with pytest.raises(openai.APIConnectionError):
                await get(OpenAIResponsesModel("m", client))
