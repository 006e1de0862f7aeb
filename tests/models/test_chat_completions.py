"""`OpenAIChatCompletionsModel`: its requests, and its replies in the form of the Responses API."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import ResponseStreamEvent
from openai.types.shared import Reasoning
from pydantic import BaseModel, TypeAdapter

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.model_settings import MCPToolChoice, ModelSettings
from agentgraph.models.chat_messages import chat_messages
from agentgraph.models.chat_parameters import store_parameter, stream_options
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.gate.quirks import quirks_of
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_provider import OpenAIProvider
from agentgraph.openai_defaults import openai_defaults, set_default_openai_api
from agentgraph.tools.hosted import WebSearchTool
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import WEATHER_SCHEMA, events, finished, function_tool, get

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}


NOTE = {
    "type": "text",
    "text": "The images and files of this output are in the next message of the user.",
}


class Trip(BaseModel):
    city: str
    days: int


def completion(**message: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": None, **message},
    }
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [choice],
        "usage": USAGE,
    }


def chunk(usage: Any = None, **delta: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": None}] if delta else []
    return {
        "type": "chunk",
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-x",
        "choices": choices,
        "usage": usage,
    }


def call_delta(index: int, arguments: str, **named: Any) -> dict[str, Any]:
    name = {"name": named.pop("name")} if "name" in named else {}
    return {"index": index, "function": {"arguments": arguments, **name}, **named}


@pytest.fixture
def model(client: AsyncOpenAI) -> OpenAIChatCompletionsModel:
    return OpenAIChatCompletionsModel("gpt-x", client)


@pytest.fixture
def sent(server: LoopbackServer, model: OpenAIChatCompletionsModel) -> Any:
    async def send(**changes: Any) -> Any:
        server.answer(Answer(completion(content="hi")))
        await get(model, **changes)
        return server.requests[-1].json

    return send


async def test_a_conversation_becomes_messages(sent: Any) -> None:
    image = {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"}
    conversation = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "input_text", "text": "look"}, image]},
        {"type": "reasoning", "id": "rs", "summary": []},
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": ""},
        {"type": "function_call_output", "call_id": "a", "output": "text"},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [{"type": "input_text", "text": "t"}, image],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    request = await sent(system_instructions="Be brief.", input=conversation)

    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "text"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "t"}, NOTE]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Output of the call b:"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "x"},
        {"type": "web_search_call", "id": "x"},
        {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]},
    ],
)
def test_what_this_api_cannot_express_is_refused(item: Any) -> None:
    with pytest.raises(UserError, match="Chat Completions"):
        chat_messages([item])


async def test_every_setting_of_this_api_is_sent_under_its_name(
    sent: Any, server: LoopbackServer
) -> None:
    settings = ModelSettings(
        temperature=0.1,
        top_p=0.2,
        frequency_penalty=0.3,
        presence_penalty=0.4,
        tool_choice="f",
        parallel_tool_calls=True,
        max_tokens=9,
        reasoning=Reasoning(effort="low"),
        verbosity="low",
        metadata={"a": "b"},
        store=False,
        prompt_cache_retention="24h",
        top_logprobs=2,
        extra_query={"q": "1"},
        extra_body={"from_the_body": 1},
        extra_headers={"x-trace": "t"},
        extra_args={"service_tier": "flex"},
    )
    request = await sent(
        model_settings=settings,
        tools=[function_tool("f", "Do it.")],
        output_schema=AgentOutputSchema(Trip),
    )
    del request["messages"]
    form = request.pop("response_format")

    assert (form["type"], form["json_schema"]["name"]) == ("json_schema", "final_output")
    assert form["json_schema"]["schema"]["required"] == ["city", "days"]
    assert request == {
        "model": "gpt-x",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "Do it.",
                    "parameters": WEATHER_SCHEMA,
                    "strict": True,
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": True,
        "temperature": 0.1,
        "top_p": 0.2,
        "frequency_penalty": 0.3,
        "presence_penalty": 0.4,
        "max_tokens": 9,
        "reasoning_effort": "low",
        "verbosity": "low",
        "metadata": {"a": "b"},
        "store": False,
        "prompt_cache_retention": "24h",
        "logprobs": True,
        "top_logprobs": 2,
        "from_the_body": 1,
        "service_tier": "flex",
    }
    assert server.requests[-1].path == "/v1/chat/completions?q=1"
    assert server.requests[-1].headers["x-trace"] == "t"


def test_what_only_openai_understands_is_sent_to_openai_only() -> None:
    ours, others = (
        quirks_of(url, "m") for url in (AsyncOpenAI(api_key="k").base_url, "http://x/v1")
    )
    unset, unwanted = ModelSettings(), ModelSettings(store=False, include_usage=False)

    assert [store_parameter(server, unset) for server in (ours, others)] == [True, None]
    assert [stream_options(server, unset) for server in (ours, others)] == [
        {"include_usage": True},
        None,
    ]
    assert store_parameter(ours, unwanted) is False
    assert stream_options(others, unwanted) == {"include_usage": False}


async def test_hosted_tools_and_servers_are_refused(sent: Any) -> None:
    with pytest.raises(UserError, match="'web_search'"):
        await sent(tools=[WebSearchTool()])
    with pytest.raises(UserError, match="hosted MCP"):
        await sent(model_settings=ModelSettings(tool_choice=MCPToolChoice("l", "n")))


async def test_server_side_state_is_left_out_with_a_warning_or_refused(
    sent: Any, client: AsyncOpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    request = await sent(previous_response_id="r")
    strict = OpenAIChatCompletionsModel("gpt-x", client, strict_feature_validation=True)

    assert set(request) == {"model", "messages"}
    assert "left out" in caplog.text
    with pytest.raises(UserError, match="conversation"):
        await get(strict, conversation_id="c")


async def test_a_reply_becomes_output_items(
    model: OpenAIChatCompletionsModel, server: LoopbackServer
) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    server.answer(Answer(completion(content="hi", reasoning_content="hm", tool_calls=[call])))
    reply = await get(model)

    assert [item.type for item in reply.output] == ["reasoning", "message", "function_call"]
    assert {item.id for item in reply.output} == {FAKE_RESPONSES_ID}
    assert reply.output[0].provider_data == {"model": "gpt-x", "response_id": "c1"}
    assert (reply.output[2].call_id, reply.response_id) == ("t1", None)
    assert (reply.usage.total_tokens, reply.usage.input_tokens_details.cached_tokens) == (5, 1)
    assert reply.usage.output_tokens_details.reasoning_tokens == 1


async def test_a_refusal_is_a_part_of_the_message(
    model: OpenAIChatCompletionsModel, server: LoopbackServer
) -> None:
    server.answer(Answer(completion(refusal="no")))

    assert (await get(model)).output[0].content[0].refusal == "no"


async def test_a_reply_without_choices_is_an_error(
    model: OpenAIChatCompletionsModel, server: LoopbackServer
) -> None:
    server.answer(Answer({**completion(), "choices": []}))

    with pytest.raises(ModelBehaviorError, match="without choices"):
        await get(model)


STREAM = [
    chunk(role="assistant", content=""),
    chunk(reasoning_content="th"),
    chunk(reasoning_content="ink"),
    chunk(content="he"),
    chunk(content="llo"),
    chunk(tool_calls=[call_delta(0, "", id="t1", name="f")]),
    chunk(tool_calls=[call_delta(0, '{"a"')]),
    chunk(tool_calls=[call_delta(0, ":1}"), call_delta(1, "{}", id="t2", name="g")]),
    chunk(refusal="but no"),
    chunk(usage=USAGE),
]


@pytest.mark.parametrize("buffered", [False, True])
async def test_chunks_become_the_events_of_the_responses_api(
    client: AsyncOpenAI, server: LoopbackServer, buffered: bool
) -> None:
    server.answer(Answer(STREAM, stream=True))
    model = OpenAIChatCompletionsModel("gpt-x", client, buffer_streamed_tool_calls=buffered)
    seen = await events(model)
    reply = finished(seen)
    deltas: dict[str, str] = {}
    for event in seen:
        if event.type.endswith(".delta"):
            deltas[event.type] = deltas.get(event.type, "") + event.delta
        EVENTS.validate_python(event.model_dump(mode="json", exclude_unset=True))

    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert deltas == {
        "response.reasoning_summary_text.delta": "think",
        "response.output_text.delta": "hello",
        "response.refusal.delta": "but no",
        "response.function_call_arguments.delta": '{"a":1}{}',
    }
    assert [item.type for item in reply.output] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert reply.output[0].summary[0].text == "think"
    assert [part.type for part in reply.output[1].content] == ["output_text", "refusal"]
    assert [(call.call_id, call.arguments) for call in reply.output[2:]] == [
        ("t1", '{"a":1}'),
        ("t2", "{}"),
    ]
    assert (reply.usage.total_tokens, reply.output[1].provider_data["response_id"]) == (5, "c1")
    done = [event.output_index for event in seen if event.type == "response.output_item.done"]
    assert done == [0, 1, 2, 3]


async def test_buffered_calls_are_announced_when_they_are_complete(
    client: AsyncOpenAI, server: LoopbackServer
) -> None:
    server.answer(Answer(STREAM, stream=True))
    model = OpenAIChatCompletionsModel("gpt-x", client, buffer_streamed_tool_calls=True)
    deltas = [event.delta for event in await events(model) if "arguments.delta" in event.type]

    assert deltas == ['{"a":1}', "{}"]


async def test_a_stream_without_chunks_is_an_error(
    model: OpenAIChatCompletionsModel, server: LoopbackServer
) -> None:
    server.answer(Answer([], stream=True))

    with pytest.raises(ModelBehaviorError, match="without a word or a call"):
        await events(model)


async def test_the_other_server_speaks_this_api_too(aimock_client: AsyncOpenAI) -> None:
    model = OpenAIChatCompletionsModel("gpt-x", aimock_client.with_options(max_retries=0))
    tools = [function_tool("get_weather")]
    schema = AgentOutputSchema(Trip)
    whole, streamed = await get(model), finished(await events(model))
    structured = await get(model, input="structured", output_schema=schema)
    calls = finished(await events(model, input="weather", tools=tools))
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        for call in calls.output
    ]
    conversation = [{"role": "user", "content": "weather"}, *calls.to_input_items(), *results]
    after = await get(model, input=conversation, tools=tools)

    assert whole.output[0].content[0].text == streamed.output[0].content[0].text
    assert schema.validate_json(structured.output[0].content[0].text) == Trip(city="Oslo", days=3)
    assert [call.arguments for call in calls.output] == ['{"city":"Oslo"}', '{"city":"Rome"}']
    assert after.output[0].content[0].text == "Sunny in both."
    with pytest.raises(openai.InternalServerError):
        await get(model, input="break")


async def test_the_process_may_choose_this_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_defaults, "api", "responses")
    set_default_openai_api("chat_completions")
    chosen = OpenAIProvider(api_key="k").get_model("gpt-x")
    overruled = OpenAIProvider(api_key="k", use_responses=True).get_model("gpt-x")

    assert isinstance(chosen, OpenAIChatCompletionsModel)
    assert not isinstance(overruled, OpenAIChatCompletionsModel)
