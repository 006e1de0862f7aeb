"""The Responses API over a web socket, against a server on loopback.

This file is collected only where the package `websockets` is installed (`test_libraries.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from websockets.asyncio.server import ServerConnection, serve

from agentgraph import (
    Agent,
    OpenAIProvider,
    OpenAIResponsesWSModel,
    RunConfig,
    responses_websocket_session,
    set_default_openai_responses_transport,
)
from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.models import responses_websocket
from agentgraph.models.openai_responses import OpenAIResponsesModel, ResponsesWebSocketError
from agentgraph.openai_defaults import openai_defaults
from tests.models.model_calls import events, finished, get, stream
from tests.models.wire import CREATED, RESPONSE, event, response

DONE = event("response.completed", response=RESPONSE)
HANG_UP: dict[str, Any] = {"type": "the server hangs up"}
REFUSAL = {"type": "error", "status": 400, "error": {"code": "no", "message": "not like this"}}


class SocketServer:
    """Answers each request with the next list of events.

    Attributes:
        answers: What it will answer.
        requests: The requests by the connection on which they came.
        headers: The headers of each connection.
    """

    def __init__(self) -> None:
        self.answers: list[list[dict[str, Any]]] = []
        self.requests: list[list[Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def answer(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        assert connection.request is not None
        self.headers.append({name.lower(): v for name, v in connection.request.headers.items()})
        self.requests.append(own := [])
        async for message in connection:
            own.append(json.loads(message))
            for answer in self.answers.pop(0):
                if answer is HANG_UP:
                    await connection.close()
                    return
                await connection.send(json.dumps(answer))


@pytest.fixture
async def server() -> AsyncIterator[SocketServer]:
    server = SocketServer()
    async with serve(server.answer, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        yield server


@asynccontextmanager
async def model_of(server: SocketServer) -> AsyncIterator[OpenAIResponsesWSModel]:
    http = DefaultAsyncHttpxClient(verify=False)
    async with AsyncOpenAI(api_key="key", base_url=server.url, http_client=http) as client:
        model = OpenAIResponsesWSModel("gpt-x", client)
        yield model
        await model.close()


async def test_requests_follow_each_other_on_one_connection(server: SocketServer) -> None:
    server.answers += [[CREATED, DONE]] * 3
    async with model_of(server) as model:
        whole = await get(model, input="one")
        streamed = finished(await events(model, input="two"))
        third = await get(model)

    ((first, second, _),) = server.requests
    assert first == {
        "type": "response.create",
        "model": "gpt-x",
        "input": [{"role": "user", "content": "one"}],
    }
    assert second["input"] == [{"role": "user", "content": "two"}]
    assert whole == streamed == third
    assert whole.output[0].content[0].text == "hi"
    assert server.headers[0]["authorization"] == "Bearer key"


async def test_two_requests_at_once_do_not_mix(server: SocketServer) -> None:
    texts = ["a", "b"]
    for text in texts:
        message = {**RESPONSE["output"][0]}
        message["content"] = [{"type": "output_text", "text": text, "annotations": []}]
        server.answers.append([event("response.completed", response=response(output=[message]))])
    async with model_of(server) as model:
        replies = await asyncio.gather(get(model), get(model))

    assert [reply.output[0].content[0].text for reply in replies] == texts
    assert len(server.requests) == 1


async def test_a_stream_that_is_left_early_does_not_run_into_the_next(server: SocketServer) -> None:
    server.answers += [[CREATED, DONE], [CREATED, DONE]]
    async with model_of(server) as model:
        left: Any = stream(model)
        assert (await anext(left)).type == "response.created"
        await left.aclose()
        assert (await get(model)).output[0].content[0].text == "hi"

    assert [len(requests) for requests in server.requests] == [1, 1]


async def test_an_idle_connection_that_the_server_closed_is_replaced(server: SocketServer) -> None:
    server.answers += [[DONE, HANG_UP], [DONE]]
    async with model_of(server) as model:
        await get(model)
        connection = model._lines.here()["line"]._connection
        await connection._connection.wait_closed()
        await get(model)

    assert [len(requests) for requests in server.requests] == [1, 1]


async def test_a_request_that_may_have_arrived_is_not_sent_again(server: SocketServer) -> None:
    server.answers += [[CREATED, HANG_UP], [DONE]]
    async with model_of(server) as model:
        with pytest.raises(openai.APIConnectionError):
            await get(model)
        assert [len(requests) for requests in server.requests] == [1]
        await get(model)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_refusal_and_a_failure_are_errors(server: SocketServer, streamed: bool) -> None:
    failed = response(status="failed", error={"code": "server_error", "message": "broken"})
    server.answers += [[REFUSAL], [event("response.failed", response=failed)], [DONE]]
    call = events if streamed else get
    async with model_of(server) as model:
        with pytest.raises(ResponsesWebSocketError, match=r"not like this \(no\)") as caught:
            await call(model)
        assert (caught.value.status_code, caught.value.code) == (400, "no")
        with pytest.raises(ModelBehaviorError, match="broken"):
            await call(model)
        await call(model)

    assert len(server.requests) == 1


async def test_a_session_shares_the_connection_between_its_runs(server: SocketServer) -> None:
    server.answers += [[CREATED, DONE]] * 2
    agent = Agent(name="A", model="openai/gpt-x")
    async with responses_websocket_session(api_key="key", base_url=server.url) as session:
        first = await session.run(agent, "one")
        second = session.run_streamed(agent, "two")
        async for _ in second.stream_events():
            pass
        with pytest.raises(ValueError, match="run_config"):
            await session.run(agent, "three", run_config=RunConfig())

    assert first.final_output == second.final_output == "hi"
    assert [len(requests) for requests in server.requests] == [2]


async def test_the_process_may_call_over_web_sockets_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openai_defaults, "responses_transport", "http")
    provider = OpenAIProvider(api_key="k")
    assert type(provider.get_model("m")) is OpenAIResponsesModel
    set_default_openai_responses_transport("websocket")
    assert type(provider.get_model("m")) is OpenAIResponsesWSModel
    assert provider.get_model("m") is provider.get_model("m")
    plain = OpenAIProvider(api_key="k", use_responses_websocket=False)
    assert type(plain.get_model("m")) is OpenAIResponsesModel
    with pytest.raises(UserError, match="no transport 'pigeon'"):
        set_default_openai_responses_transport("pigeon")  # type: ignore[arg-type]
    await provider.aclose()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    old: Any = type("Client", (), {"responses": object()})()
    with pytest.raises(UserError, match=f"openai {openai.__version__} has no web socket"):
        OpenAIResponsesWSModel("m", old)
    monkeypatch.setattr(responses_websocket, "find_spec", lambda package: None)
    with pytest.raises(UserError, match=r"agentgraph-workflows\[websocket\]"):
        OpenAIResponsesWSModel("m", AsyncOpenAI(api_key="k"))
