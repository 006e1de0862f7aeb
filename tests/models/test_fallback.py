"""`FallbackModel`: when the next model answers, when it does not, and what the response says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import openai
import pytest

from agentgraph import Agent, FallbackModel, Model, ModelSettings, RunConfig, Runner, SQLiteSession
from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.models.fallback import unavailable
from agentgraph.models.interface import ModelProvider
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.retry import ModelRetrySettings, retry_policies
from agentgraph.stored.items import decode_response, encode_response
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.usage import Usage
from tests.models.faults import SOUND_CHAT, SOUND_RESPONSE
from tests.models.misbehaving_server import MisbehavingServer, Wire, misbehaving_server
from tests.models.model_calls import events, finished, get, stream
from tests.models.test_chat_completions import chunk
from tests.models.test_misbehaving_servers import client_of, name_of

# The client's HTTP library: httpx of openai 2, httpx2 of openai 3.
HTTP: Any = import_module("httpx2" if find_spec("httpx2") else "httpx")
REQUEST = HTTP.Request("POST", "http://x/v1")
WAYS = pytest.mark.parametrize("streamed", [False, True], ids=name_of)


def status(code: int) -> openai.APIStatusError:
    return openai.APIStatusError("no", response=HTTP.Response(code, request=REQUEST), body=None)


def failing(*errors: Exception) -> ScriptedModel:
    return ScriptedModel(list(errors))


def saying(text: str) -> ScriptedModel:
    return ScriptedModel([[assistant_message(text)]])


async def reply_of(model: Model, streamed: bool, **changes: Any) -> Any:
    return finished(await events(model, **changes)) if streamed else await get(model, **changes)


class Wrapped(Exception):
    """An exception of a library that keeps that of the client."""

    def __init__(self, original_exception: Exception) -> None:
        super().__init__("wrapped")
        self.original_exception = original_exception


AFTER = [
    openai.APIConnectionError(request=REQUEST),
    openai.APITimeoutError(REQUEST),
    HTTP.ConnectError("no"),
    ConnectionResetError(),
    TimeoutError(),
    status(429),
    status(500),
    status(503),
    Wrapped(status(502)),
]
NOT_AFTER = [status(400), status(401), ModelBehaviorError("no"), UserError("no"), ValueError("no")]


@WAYS
@pytest.mark.parametrize("error", AFTER, ids=repr)
async def test_the_next_model_answers_where_one_is_not_available(
    error: Exception, streamed: bool
) -> None:
    usage = Usage(requests=1, input_tokens=3, output_tokens=2, total_tokens=5)
    second = ScriptedModel([[assistant_message("hi")]], default_usage=usage)
    reply = await reply_of(FallbackModel([failing(error), second]), streamed)

    assert reply.output[0].content[0].text == "hi"
    assert reply.answered_by == "ScriptedModel"
    assert reply.usage.requests == 2
    assert [entry.total_tokens for entry in reply.usage.request_usage_entries] == [0, 5]


@WAYS
@pytest.mark.parametrize("error", NOT_AFTER, ids=repr)
async def test_any_other_error_ends_the_call(error: Exception, streamed: bool) -> None:
    second = saying("hi")
    with pytest.raises(type(error)) as caught:
        await reply_of(FallbackModel([failing(error), second]), streamed)

    assert caught.value is error
    assert second.calls == ()


@WAYS
@pytest.mark.parametrize(
    "fall_back_on", [(ModelBehaviorError,), lambda error: isinstance(error, ModelBehaviorError)]
)
async def test_the_program_says_after_which_errors(fall_back_on: Any, streamed: bool) -> None:
    first = failing(ModelBehaviorError("no"), status(500))
    model = FallbackModel([first, saying("hi")], fall_back_on=fall_back_on)

    assert (await reply_of(model, streamed)).answered_by == "ScriptedModel"
    with pytest.raises(openai.APIStatusError):
        await reply_of(model, streamed)


@WAYS
async def test_if_no_model_answers_the_last_error_counts(streamed: bool) -> None:
    last = status(500)
    with pytest.raises(openai.APIStatusError) as caught:
        await reply_of(FallbackModel([failing(status(429)), failing(last)]), streamed)

    assert caught.value is last
    assert caught.value.__notes__ == ["Models that failed before: ScriptedModel: APIStatusError."]


@pytest.fixture
async def servers() -> AsyncIterator[tuple[MisbehavingServer, MisbehavingServer]]:
    async with misbehaving_server() as first, misbehaving_server() as second:
        yield first, second


MODELS: list[tuple[Callable[..., Model], str, bytes]] = [
    (OpenAIChatCompletionsModel, "chat", SOUND_CHAT.encode()),
    (OpenAIResponsesModel, "responses", SOUND_RESPONSE.encode()),
]


@pytest.mark.parametrize(("kind", "name", "body"), MODELS, ids=name_of)
@pytest.mark.parametrize("wire", [Wire(status=0), Wire(b"{}", status=429), Wire(b"", status=503)])
async def test_models_of_two_servers(
    servers: tuple[MisbehavingServer, MisbehavingServer],
    kind: Callable[..., Model],
    name: str,
    body: bytes,
    wire: Wire,
) -> None:
    down, up = servers
    down.answers.append(wire)
    up.answers.append(Wire(body))
    async with client_of(down) as broken, client_of(up) as sound:
        reply = await get(FallbackModel([kind("a", broken), kind("b", sound)]))

    assert reply.output[0].content[0].text == "sound"
    assert reply.answered_by == f"b at {up.url}"
    await down.all_closed()


def chunks(*texts: str) -> bytes:
    return b"".join(
        b"data: " + json.dumps(chunk(content=text)).encode() + b"\n\n" for text in texts
    )


async def test_a_stream_that_breaks_before_its_first_word_goes_on_with_the_next_model(
    servers: tuple[MisbehavingServer, MisbehavingServer],
) -> None:
    """The first chunk, without a word, has created a response already; it is not shown."""
    down, up = servers
    down.answers.append(Wire(chunks("") + b" " * 9, kind="text/event-stream", cut=9))
    up.answers.append(Wire(SOUND_CHAT.encode()))
    async with client_of(down) as broken, client_of(up) as sound:
        models = [OpenAIChatCompletionsModel("a", broken), OpenAIChatCompletionsModel("b", sound)]
        seen = await events(FallbackModel(models))

    assert [event.type for event in seen].count("response.created") == 1
    assert {event.response.model for event in seen if hasattr(event, "response")} == {"b"}
    assert finished(seen).answered_by == f"b at {up.url}"


async def test_a_stream_that_breaks_after_a_word_is_never_taken_over(
    servers: tuple[MisbehavingServer, MisbehavingServer],
) -> None:
    down, up = servers
    down.answers.append(Wire(chunks("half") + b" " * 9, kind="text/event-stream", cut=9))
    async with client_of(down) as broken, client_of(up) as sound:
        models = [OpenAIChatCompletionsModel("a", broken), OpenAIChatCompletionsModel("b", sound)]
        seen: list[Any] = []
        with pytest.raises(openai.APIConnectionError):
            await collect(FallbackModel(models), seen)

    assert "response.output_text.delta" in [event.type for event in seen]
    assert up.requests == []


async def collect(model: Model, seen: list[Any]) -> None:
    """Collect the events of a stream, also of one that breaks off."""
    async for event in stream(model):
        seen += [event]


async def test_the_events_before_an_error_that_ends_the_call_are_shown(
    servers: tuple[MisbehavingServer, MisbehavingServer],
) -> None:
    server, _ = servers
    server.answers.append(Wire(chunks(""), kind="text/event-stream"))
    async with client_of(server) as client:
        seen: list[Any] = []
        model = FallbackModel([OpenAIChatCompletionsModel("a", client), saying("hi")])
        with pytest.raises(ModelBehaviorError):
            await collect(model, seen)

    assert [event.type for event in seen] == ["response.created"]


async def test_leaving_the_stream_closes_the_connection(
    servers: tuple[MisbehavingServer, MisbehavingServer],
) -> None:
    server, _ = servers
    server.answers.append(Wire(chunks("word"), kind="text/event-stream", hold=True))
    async with client_of(server) as client:
        model = FallbackModel([OpenAIChatCompletionsModel("a", client)])
        async with aclosing(stream(model)) as events:  # type: ignore[type-var]
            await anext(events)
        await asyncio.wait_for(server.all_closed(), 60)


@WAYS
async def test_a_cancelled_call_asks_no_other_model(
    servers: tuple[MisbehavingServer, MisbehavingServer], streamed: bool
) -> None:
    server, _ = servers
    server.answers.append(Wire(b" ", hold=True))
    second = saying("hi")
    async with client_of(server) as client:
        model = FallbackModel([OpenAIChatCompletionsModel("a", client), second])
        task = asyncio.create_task(reply_of(model, streamed))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.all_closed(), 60)
    assert second.calls == ()


@WAYS
async def test_a_stored_conversation_stays_on_its_server(
    servers: tuple[MisbehavingServer, MisbehavingServer], streamed: bool
) -> None:
    first, other = servers
    calls: list[dict[str, Any]] = [
        {"previous_response_id": "id"},
        {"conversation_id": "id"},
        {"prompt": {"id": "id"}},
    ]
    first.answers += [Wire(b"{}", status=503), Wire(SOUND_RESPONSE.encode())] * len(calls)
    async with client_of(first) as client, client_of(other) as elsewhere:
        same = [OpenAIResponsesModel(name, client) for name in ("a", "b")]
        model = FallbackModel([same[0], OpenAIResponsesModel("c", elsewhere), same[1]])
        for stored in calls:
            if streamed:
                with pytest.raises(ModelBehaviorError, match="in place of a stream"):
                    await events(model, **stored)
            else:
                assert (await get(model, **stored)).answered_by == f"b at {first.url}"
        first.answers.append(Wire(status=0))
        with pytest.raises(openai.APIConnectionError):
            await reply_of(model, streamed, conversation_id="id")
    assert other.requests == []


@pytest.mark.parametrize("of_run", [False, True])
@WAYS
async def test_a_run_works_with_it(of_run: bool, streamed: bool) -> None:
    first, second = (
        failing(status(500), status(500)),
        ScriptedModel([[assistant_message("one")], [assistant_message("two")]]),
    )
    model = FallbackModel([first, second])
    agent = Agent(name="A", model=None if of_run else model)
    config, session = RunConfig(model=model) if of_run else RunConfig(), SQLiteSession("s")
    for text in ("one", "two"):
        result: Any
        if streamed:
            result = Runner.run_streamed(agent, "q", run_config=config, session=session)
            async for _ in result.stream_events():
                pass
        else:
            result = await Runner.run(agent, "q", run_config=config, session=session)
        assert result.final_output == text
        assert result.raw_responses[0].answered_by == "ScriptedModel"
        assert result.context_wrapper.usage.requests == 2


async def test_a_retry_asks_all_models_again() -> None:
    second = ScriptedModel([status(429), [assistant_message("hi")]])
    model = FallbackModel([failing(status(500), status(500)), second])
    retry = ModelRetrySettings(
        max_retries=1,
        policy=retry_policies.http_status([429]),
        backoff={"initial_delay": 0.0},  # type: ignore[arg-type]
    )
    agent = Agent(name="A", model=model, model_settings=ModelSettings(retry=retry))
    result = await Runner.run(agent, "q")

    assert result.final_output == "hi"
    assert result.context_wrapper.usage.requests == 3


class Closing(ScriptedModel):
    closings = 0

    async def close(self) -> None:
        self.closings += 1
        if self.closings > 1:
            raise ConnectionError("stuck")


async def test_close_closes_every_model_once_whatever_happens() -> None:
    one, two = Closing(), Closing()
    await FallbackModel([one, one, "name", two]).close()
    assert (one.closings, two.closings) == (1, 1)
    with pytest.raises(ConnectionError, match="stuck"):
        await FallbackModel([one, two]).close()
    assert (one.closings, two.closings) == (2, 2)


class Named(ModelProvider):
    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def get_model(self, model_name: str | None) -> Model:
        self.asked.append(model_name)
        return saying(str(model_name))


async def test_a_name_is_looked_up_when_its_model_is_needed() -> None:
    provider = Named()
    reply = await get(FallbackModel(["a", "b"], provider=provider))
    assert (reply.output[0].content[0].text, provider.asked) == ("a", ["a"])
    with pytest.raises(UserError, match="set GROQ_API_KEY"):
        await get(FallbackModel([failing(status(500)), "groq/m"]))


@pytest.mark.parametrize("models", [[], "gpt-5", [object()], [None]])
def test_what_is_no_list_of_models_is_refused(models: Any) -> None:
    with pytest.raises(UserError, match="FallbackModel"):
        FallbackModel(models)


async def test_the_name_of_the_model_that_answered_is_stored() -> None:
    reply = await get(FallbackModel([saying("hi")]))

    assert decode_response(encode_response(reply)).answered_by == "ScriptedModel"


def test_a_busy_server_is_unavailable_and_a_missing_model_is_not() -> None:
    assert unavailable(status(429))
    assert not unavailable(status(404))
