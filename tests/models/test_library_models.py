"""`LitellmModel` and `AnyLLMModel`: requests, replies, and faults in place of replies.

This file is collected only where the libraries are installed (`test_libraries.py`).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import openai
import pytest
from openai.types.shared import Reasoning

from agentgraph import Agent, ModelSettings, Runner, SQLiteSession
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.extensions.models.any_llm_model import AnyLLMModel
from agentgraph.extensions.models.any_llm_provider import AnyLLMProvider
from agentgraph.extensions.models.litellm_model import LitellmModel
from agentgraph.models.interface import Model
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
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.misbehaving_server import Wire, misbehaving_server
from tests.models.model_calls import events, get
from tests.models.paths import PATHS, Path, get_weather
from tests.models.test_chat_completions import completion
from tests.models.test_fallback import chunks
from tests.models.test_misbehaving_servers import agent_of, name_of, run
from tests.models.wire import RESPONSE

FAULTS = {
    ("chat", False): [*ANY, *CHAT],
    ("chat", True): [*ANY, *STREAMED_CHAT],
    ("responses", False): [*ANY, *RESPONSES],
    ("responses", True): [*ANY, *STREAMED_RESPONSES],
}
# LiteLLM gives such a call a unique id, and leaves other damaged calls out of a stream.
MENDED = {
    ("litellm", False): {"a call without id"},
    ("litellm", True): {
        "calls that are null",
        "a call with a number as id",
        "a call of another type",
        "a call without function",
        "a call of a text",
        "arguments a number",
    },
}
BEHIND_LIBRARIES = [
    (path, streamed, fault)
    for path in PATHS
    if "llm" in path.name
    for streamed in (False, True)
    for fault in FAULTS[path.api, streamed]
    if fault.name not in MENDED.get((path.name, streamed), ())
]


@pytest.fixture(autouse=True)
def _retries_without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of the libraries try again after a second; the tests count tries, not seconds."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


def case_name(value: Any) -> str:
    return value.name if isinstance(value, Path) else name_of(value)


@pytest.mark.parametrize(("path", "streamed", "fault"), BEHIND_LIBRARIES, ids=case_name)
async def test_a_broken_reply_behind_a_library_never_becomes_an_answer(
    path: Path, streamed: bool, fault: Fault
) -> None:
    sound = SOUND_CHAT if path.api == "chat" else SOUND_RESPONSE
    session = SQLiteSession("s")
    async with misbehaving_server() as server:
        async with path.model(server.url, "secret-of-test") as model:
            server.answers.extend([fault.wire] * 3)
            agent, pings = agent_of(model, **path.settings)
            try:
                answer: Any = await run(agent, session, streamed)
            except (AgentsException, openai.OpenAIError) as error:
                answer = error
            # A library may refuse more than the gate.
            assert answer == fault.outcome or isinstance(answer, Exception)
            assert "secret-of-test" not in str(answer)
            server.answers.clear()
            server.answers.append(Wire(sound.encode()))
            assert await run(agent, session, streamed=False) == "sound"
        assert pings == []


def test_importing_litellm_opens_no_connection() -> None:
    program = (
        "import socket\n"
        "def connect(*args): raise SystemExit(f'connects to {args}')\n"
        "socket.socket.connect = connect\n"
        "socket.getaddrinfo = connect\n"
        "from agentgraph.extensions.models.litellm_model import _litellm\n"
        "_litellm()\n"
    )
    environment = {name: v for name, v in os.environ.items() if not name.startswith("LITELLM")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, b"")


async def test_any_llm_refuses_a_call_without_key_vendor_or_the_api_that_it_needs() -> None:
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        await get(AnyLLMModel("openai/m"))
    with pytest.raises(UserError, match="unlisted"):
        await get(AnyLLMModel("unlisted/m", api_key="k"))
    with pytest.raises(UserError, match="no stored prompts"):
        await get(AnyLLMModel("openai/m", api_key="k"), prompt={"id": "p"})
    with pytest.raises(UserError, match="anthropic has no Responses API"):
        await get(AnyLLMModel("anthropic/m", api_key="k", api="responses"))


ANTHROPIC: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Ask for Oslo.", "signature": "signed"},
    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}},
]


def anthropic_reply(content: list[dict[str, Any]], reason: str) -> Answer:
    usage = {"input_tokens": 5, "output_tokens": 3}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
    return Answer({**whole, "content": content, "stop_reason": reason, "usage": usage})


@pytest.mark.parametrize("kind", [LitellmModel, AnyLLMModel])
async def test_anthropic_receives_its_signed_thinking_back_with_the_tool_output(
    server: LoopbackServer, kind: Any
) -> None:
    server.answer(anthropic_reply(ANTHROPIC, "tool_use"))
    server.answer(anthropic_reply([{"type": "text", "text": "Sunny."}], "end_turn"))
    url = server.url.removesuffix("/v1")
    model: Model = kind("anthropic/claude-sonnet-4-5", base_url=url, api_key="k")
    settings = ModelSettings(reasoning=Reasoning(effort="low"), max_tokens=4000)
    agent = Agent(name="A", model=model, tools=[get_weather], model_settings=settings)
    result = await Runner.run(agent, "weather?")
    await model.close()
    _, second = server.requests
    (thoughts,) = [message for message in second.json["messages"] if message["role"] == "assistant"]

    assert result.final_output == "Sunny."
    assert [item.type for item in result.new_items] == [
        "reasoning_item",
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    assert {key: thoughts["content"][0][key] for key in ANTHROPIC[0]} == ANTHROPIC[0]
    assert second.path == "/v1/messages"


async def test_gemini_receives_its_thought_signature_back_with_the_call(
    server: LoopbackServer,
) -> None:
    part = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2lnbmVk"}
    content = {"role": "model", "parts": [part]}
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidates = [{"content": content, "finishReason": "STOP"}]
    server.answer(*[Answer({"candidates": candidates, "usageMetadata": counts})] * 2)
    model = LitellmModel("gemini/gemini-3-pro-preview", base_url=server.url, api_key="k")
    (call,) = (await get(model)).output
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "o"}
    user = {"role": "user", "content": "q"}
    await get(model, input=[user, call.model_dump(exclude_unset=True), output])

    assert "__thought__" not in call.call_id
    assert "c2lnbmVk" in json.dumps(server.requests[-1].json)


CLOSING = [
    lambda url: LitellmModel("openai/m", base_url=url, api_key="k"),
    lambda url: AnyLLMModel("openai/m", base_url=url, api_key="k", api="chat_completions"),
]


@pytest.mark.parametrize("make", CLOSING)
async def test_a_cancelled_stream_closes_its_connection(make: Any) -> None:
    async with misbehaving_server() as server:
        server.answers.append(Wire(chunks("word"), kind="text/event-stream", hold=True))
        model = make(server.url)
        task = asyncio.create_task(events(model))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.all_closed(), 60)
        await model.close()


async def test_the_any_llm_provider_reuses_models_and_closes_their_connections(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    provider = AnyLLMProvider(api="chat_completions")
    model: Any = provider.get_model("openai/m")
    server.answer(Answer(completion(content="hi")))
    reply = await get(model)
    client = (await model._vendor.client()).client
    await provider.aclose()

    assert reply.output[0].content[0].text == "hi"
    assert str(model.server) == "The model 'openai/m'"
    assert provider.get_model("openai/m") is model
    assert client.is_closed()


async def test_settings_that_any_llm_lacks_reach_the_responses_api(
    server: LoopbackServer,
) -> None:
    server.answer(Answer(RESPONSE))
    settings = ModelSettings(
        reasoning=Reasoning(effort="low"),
        extra_args={"prompt_cache_options": {"mode": "x"}, "service_tier": "flex"},
        extra_headers={"x-test": "1"},
        extra_body={"own": 1},
    )
    model = AnyLLMModel("openai/m", base_url=server.url, api_key="k")
    await get(model, model_settings=settings)
    await model.close()
    (request,) = server.requests

    assert request.path == "/v1/responses"
    assert request.headers["x-test"] == "1"
    assert request.json | {"input": None} == {
        "model": "m",
        "input": None,
        "reasoning": {"effort": "low"},
        "service_tier": "flex",
        "prompt_cache_options": {"mode": "x"},
        "own": 1,
    }


@pytest.mark.filterwarnings("ignore:Provider-specific exceptions:DeprecationWarning")
@pytest.mark.parametrize("api", ["chat_completions", "responses"])
async def test_an_error_of_the_vendors_client_keeps_its_cause(api: Any) -> None:
    model = AnyLLMModel("openai/m", api_key="k", base_url="http://127.0.0.1:9/v1", api=api)
    with pytest.raises(openai.APIConnectionError) as raised:
        await get(model)
    assert type(raised.value.__cause__).__name__ == "ConnectError"
