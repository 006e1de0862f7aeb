"""The large parts of a request, which are plain data, pass the client without a comparison with the
types of the API."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from openai import AsyncOpenAI

from agentgraph.model_settings import ModelSettings
from agentgraph.models.interface import Model
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import function_tool, get
from tests.models.wire import RESPONSE

COMPLETION = {"choices": [{"message": {"role": "assistant", "content": "hi"}}]}
APIS = [
    (OpenAIResponsesModel, RESPONSE, "input"),
    (OpenAIChatCompletionsModel, COMPLETION, "messages"),
]


@pytest.mark.parametrize(("api", "reply", "name"), APIS)
async def test_the_client_compares_as_many_parts_for_a_long_conversation_as_for_a_short_one(
    server: LoopbackServer,
    client: AsyncOpenAI,
    monkeypatch: pytest.MonkeyPatch,
    api: Any,
    reply: Any,
    name: str,
) -> None:
    from openai._utils import _transform

    compared: list[int] = []
    compare = _transform._async_transform_recursive

    async def counted(*args: Any, **named: Any) -> Any:
        compared[-1] += 1
        return await compare(*args, **named)

    monkeypatch.setattr(_transform, "_async_transform_recursive", counted)
    model: Model = api("m", client)
    for length in (1, 100):
        compared.append(0)
        server.answer(Answer(reply))
        turns = [{"role": "user", "content": "go"}] * length
        await get(model, input=turns, tools=[function_tool("a")] * length)

    assert compared[0] == compared[1] > 0
    assert [len(request.json[name]) for request in server.requests] == [1, 100]


@pytest.mark.parametrize(("api", "reply", "name"), APIS)
async def test_a_field_of_extra_body_takes_the_place_of_the_calls_own(
    server: LoopbackServer, client: AsyncOpenAI, api: Any, reply: Any, name: str
) -> None:
    server.answer(Answer(reply))
    await get(api("m", client), model_settings=ModelSettings(extra_body={name: ["mine"]}))

    assert server.requests[0].json[name] == ["mine"]


@pytest.mark.parametrize(("api", "reply", "name"), APIS)
async def test_a_client_of_another_class_receives_all_arguments(
    api: Any, reply: Any, name: str
) -> None:
    calls: list[dict[str, Any]] = []

    async def create(**arguments: Any) -> Any:
        calls.append(arguments)
        raise ConnectionError("no route")

    create_only = SimpleNamespace(create=create)
    client = SimpleNamespace(
        base_url="http://x/v1",
        api_key="k",
        responses=create_only,
        chat=SimpleNamespace(completions=create_only),
    )
    with pytest.raises(ConnectionError):
        await get(api("m", client), input="go")

    assert calls[0][name] == [{"role": "user", "content": "go"}]
