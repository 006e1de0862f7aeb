"""A server that misbehaves: each answer of `faults` ends the run in the documented way.

The error names the agent, the model and its server and carries the run's data. No connection stays
open, and the session works afterwards.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from agentgraph import Agent, ModelSettings, Runner, SQLiteSession, function_tool
from agentgraph.exceptions import AgentsException, ModelBehaviorError, ModelTimeoutError
from agentgraph.models.interface import Model
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from tests.models.faults import (
    ANY,
    CHAT,
    RESPONSES,
    SOUND_CHAT,
    SOUND_RESPONSE,
    STREAMED_CHAT,
    STREAMED_RESPONSES,
    Fault,
)
from tests.models.misbehaving_server import MisbehavingServer, Wire, misbehaving_server

CASES = [
    *(("chat", False, fault) for fault in [*ANY, *CHAT]),
    *(("responses", False, fault) for fault in [*ANY, *RESPONSES]),
    *(("chat", True, fault) for fault in [*ANY, *STREAMED_CHAT]),
    *(("responses", True, fault) for fault in [*ANY, *STREAMED_RESPONSES]),
]


def name_of(value: Any) -> str:
    if isinstance(value, Fault):
        return value.name
    return {True: "streamed", False: "whole"}.get(value, str(value))


@pytest.fixture
async def server() -> AsyncIterator[MisbehavingServer]:
    async with misbehaving_server() as server:
        yield server


def client_of(server: MisbehavingServer) -> AsyncOpenAI:
    # To load the certificates of the system costs more than all the rest of a test.
    http = DefaultAsyncHttpxClient(verify=False)
    return AsyncOpenAI(api_key="secret", base_url=server.url, max_retries=0, http_client=http)


def model_of(api: str, client: AsyncOpenAI) -> Model:
    model = OpenAIChatCompletionsModel if api == "chat" else OpenAIResponsesModel
    return model("model-x", client)


async def run(agent: Agent[Any], session: SQLiteSession, streamed: bool) -> Any:
    if not streamed:
        return (await Runner.run(agent, "q", session=session)).final_output
    result = Runner.run_streamed(agent, "q", session=session)
    async for _ in result.stream_events():
        pass
    return result.final_output


def agent_of(model: Model, **settings: Any) -> tuple[Agent[Any], list[str]]:
    pings: list[str] = []

    @function_tool
    def ping() -> str:
        pings.append("ping")
        return "pong"

    settings = ModelSettings(**settings)
    return Agent(name="Desk", model=model, tools=[ping], model_settings=settings), pings


@pytest.mark.parametrize(("api", "streamed", "fault"), CASES, ids=name_of)
async def test_a_fault_of_a_server_ends_as_documented(
    server: MisbehavingServer, api: str, streamed: bool, fault: Fault
) -> None:
    sound = SOUND_CHAT if api == "chat" else SOUND_RESPONSE
    server.answers.extend([fault.wire, Wire(sound.encode())])
    session = SQLiteSession("s")
    async with client_of(server) as client:
        agent, pings = agent_of(model_of(api, client))
        if isinstance(fault.outcome, str):
            assert await run(agent, session, streamed) == fault.outcome
        else:
            with pytest.raises(fault.outcome) as caught:
                await run(agent, session, streamed)
            check_error(caught.value, server.url)
        assert await run(agent, session, streamed=False) == "sound"
    assert pings == []
    await server.all_closed()


def check_error(error: Exception, url: str) -> None:
    if isinstance(error, AgentsException):
        assert error.run_data is not None
        assert error.run_data.last_agent.name == "Desk"
    if isinstance(error, ModelBehaviorError):
        assert "Desk" in str(error) or "pong" in str(error)
        if error.source is not None:
            assert f"'model-x' at {url}" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("streamed", [False, True], ids=name_of)
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_a_server_that_stops_answering_meets_the_time_limit(
    server: MisbehavingServer, api: str, streamed: bool, kind: str
) -> None:
    server.answers.append(Wire(b" ", kind=kind, hold=True))
    async with client_of(server) as client:
        agent, _ = agent_of(model_of(api, client), timeout=0.2)
        with pytest.raises(ModelTimeoutError) as caught:
            await run(agent, SQLiteSession("s"), streamed)
    assert caught.value.run_data is not None
    await asyncio.wait_for(server.all_closed(), 60)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("streamed", [False, True], ids=name_of)
@pytest.mark.parametrize("status", [200, 401])
async def test_no_message_repeats_the_key_that_a_server_repeats(
    server: MisbehavingServer, api: str, streamed: bool, status: int
) -> None:
    key = "key-0123456789"
    body = {"error": {"message": f"Incorrect API key: {key}", "code": f"no {key}"}}
    server.answers.append(Wire(json.dumps(body).encode(), status=status))
    http = DefaultAsyncHttpxClient(verify=False)
    async with AsyncOpenAI(
        api_key=key, base_url=server.url, max_retries=0, http_client=http
    ) as client:
        agent, _ = agent_of(model_of(api, client))
        with pytest.raises(Exception, match="Incorrect API key: …") as caught:
            await run(agent, SQLiteSession("s"), streamed)
    assert key not in f"{caught.value} {getattr(caught.value, 'body', None)}"


def test_the_table_has_sixty_faults_for_each_way() -> None:
    ways = {(api, streamed) for api, streamed, _ in CASES}
    counts = [sum(case[:2] == way for case in CASES) for way in ways]

    assert len(ways) == 4
    assert min(counts) >= 60
