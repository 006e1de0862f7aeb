"""What `OpenAIResponsesModel` makes of what the API answers, faults and half answers included."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from agentgraph import Agent, Runner
from agentgraph.exceptions import ModelBehaviorError
from agentgraph.model_settings import ModelSettings
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.retry import ModelRetryAdviceRequest, ModelRetrySettings, retry_policies
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import events, finished, get, stream
from tests.models.wire import CREATED, MESSAGE, USAGE, event, response


@pytest.fixture
def model(client: AsyncOpenAI) -> OpenAIResponsesModel:
    return OpenAIResponsesModel("gpt-x", client)


async def test_all_counts_of_the_usage_are_kept(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(response()))
    usage = (await get(model)).usage

    assert (usage.requests, usage.input_tokens, usage.output_tokens) == (1, 30, 20)
    assert usage.total_tokens == 50
    assert usage.input_tokens_details.cached_tokens == 10
    assert usage.output_tokens_details.reasoning_tokens == 5


async def test_a_response_without_usage_counts_one_request(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(response(usage=None)))
    usage = (await get(model)).usage

    assert (usage.requests, usage.total_tokens) == (1, 0)


async def test_the_providers_usage_is_kept_as_it_came_when_asked_for(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(response()), Answer(response()))
    kept = await get(model, model_settings=ModelSettings(preserve_raw_usage=True))
    not_kept = await get(model)

    assert kept.raw_usage == USAGE
    assert not_kept.raw_usage is None


@pytest.mark.parametrize(
    ("usage", "kept"),
    [
        ({"prompt_tokens": 1, "own": None}, {"prompt_tokens": 1, "own": None}),
        ([1], None),
        ("1", None),
        (None, None),
    ],
)
async def test_only_a_usage_with_fields_is_kept_by_either_api(
    client: AsyncOpenAI, server: LoopbackServer, usage: Any, kept: Any
) -> None:
    completion = {"choices": [{"message": {"role": "assistant", "content": "hi"}}]}
    server.answer(Answer({**response(), "usage": usage}), Answer({**completion, "usage": usage}))
    settings = ModelSettings(preserve_raw_usage=True)
    responses = await get(OpenAIResponsesModel("m", client), model_settings=settings)
    chat = await get(OpenAIChatCompletionsModel("m", client), model_settings=settings)

    assert responses.raw_usage == chat.raw_usage == kept


async def test_the_id_of_the_request_is_kept(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(response(), headers={"x-request-id": "req_7"}))

    assert (await get(model)).request_id == "req_7"


async def test_a_refusal_is_a_part_of_the_message(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    refused = {**MESSAGE, "content": [{"type": "refusal", "refusal": "I had rather not."}]}
    server.answer(Answer(response(output=[refused])))

    (message,) = (await get(model)).output
    assert message.content[0].refusal == "I had rather not."


async def test_reasoning_goes_back_with_the_fields_that_came_and_no_more(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "xyz",
    }
    server.answer(Answer(response(output=[reasoning, MESSAGE])))

    assert (await get(model)).to_input_items() == [reasoning, MESSAGE]


async def test_an_empty_output_is_an_empty_reply(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(response(output=[])))

    assert (await get(model)).output == []


GIVEN_UP = [
    (
        {"status": "failed", "error": {"code": "server_error", "message": "oops"}},
        "response.failed",
        r"oops \(server_error\)",
    ),
    (
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        "response.incomplete",
        "max_output_tokens.*ModelSettings.max_tokens",
    ),
]


@pytest.mark.parametrize(("fields", "kind", "message"), GIVEN_UP)
async def test_a_response_that_was_given_up_is_an_error(
    model: OpenAIResponsesModel,
    server: LoopbackServer,
    fields: dict[str, Any],
    kind: str,
    message: str,
) -> None:
    server.answer(Answer(response(**fields)))

    with pytest.raises(ModelBehaviorError, match=message):
        await get(model)


@pytest.mark.parametrize(("fields", "kind", "message"), GIVEN_UP)
async def test_a_stream_that_was_given_up_shows_its_last_event_and_raises(
    model: OpenAIResponsesModel,
    server: LoopbackServer,
    fields: dict[str, Any],
    kind: str,
    message: str,
) -> None:
    server.answer(Answer([CREATED, event(kind, response=response(**fields))], stream=True))
    received = stream(model)
    seen = [(await anext(received)).type, (await anext(received)).type]

    assert seen == ["response.created", kind]
    with pytest.raises(ModelBehaviorError, match=message):
        await anext(received)


async def test_an_error_event_ends_the_stream_with_an_error(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    broken = event("error", code="server_error", message="oops", param=None)
    server.answer(Answer([CREATED, broken], stream=True))

    with pytest.raises(ModelBehaviorError, match="oops"):
        await events(model)


async def test_a_reply_that_the_filter_withheld_is_a_refusal(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    withheld = response(
        status="incomplete", incomplete_details={"reason": "content_filter"}, output=[]
    )
    server.answer(
        Answer(withheld),
        Answer([CREATED, event("response.incomplete", response=withheld)], stream=True),
    )

    for reply in (await get(model), finished(await events(model))):
        assert "filter" in reply.output[0].content[0].refusal


async def test_a_stream_without_an_end_is_an_error(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer([CREATED], stream=True))

    with pytest.raises(ModelBehaviorError, match="broke off its stream"):
        await events(model)


async def test_items_that_the_last_event_leaves_out_are_taken_from_those_before(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    second = {**MESSAGE, "id": "msg_2"}
    server.answer(
        Answer(
            [
                CREATED,
                event("response.output_item.done", output_index=1, item=second),
                event("response.output_item.done", output_index=0, item=MESSAGE),
                event("response.completed", response=response(output=[])),
            ],
            stream=True,
        )
    )
    seen = await events(model)

    assert [item.id for item in finished(seen).output] == ["msg_1", "msg_2"]


async def test_leaving_a_stream_early_leaves_the_client_usable(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    done = event("response.completed", response=response())
    server.answer(Answer([CREATED, done], stream=True), Answer(response()))
    early: Any = stream(model)
    first = await anext(early)
    await early.aclose()

    assert first.type == "response.created"
    assert (await get(model)).response_id == "resp_1"


async def test_cancelling_a_call_ends_it_at_once(
    model: OpenAIResponsesModel, server: LoopbackServer
) -> None:
    server.answer(Answer(hold=True))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await get(model)


async def test_a_timeout_of_the_client_is_the_clients_exception(
    client: AsyncOpenAI, server: LoopbackServer
) -> None:
    server.answer(Answer(hold=True))
    model = OpenAIResponsesModel("gpt-x", client.with_options(timeout=0.1))

    with pytest.raises(openai.APITimeoutError):
        await get(model)


async def test_the_clients_retries_are_its_own(client: AsyncOpenAI, server: LoopbackServer) -> None:
    overloaded = Answer({"error": {"message": "x"}}, status=503, headers={"retry-after-ms": "1"})
    server.answer(overloaded, overloaded, Answer(response()))
    model = OpenAIResponsesModel("gpt-x", client.with_options(max_retries=2))

    assert (await get(model)).response_id == "resp_1"
    assert len(server.requests) == 3


ADVICE = [
    (Answer({"error": {"message": "x"}}, status=429, headers={"retry-after": "3"}), True, 3.0),
    (Answer({"error": {"message": "x"}}, status=500, headers={"retry-after-ms": "5"}), True, 0.005),
    (Answer({"error": {"message": "x"}}, status=409), True, None),
    (Answer({"error": {"message": "x"}}, status=400), False, None),
    (
        Answer({"error": {"message": "x"}}, status=500, headers={"x-should-retry": "false"}),
        False,
        None,
    ),
]


@pytest.mark.parametrize(("answer", "suggested", "after"), ADVICE)
async def test_what_the_client_would_repeat_is_advised_to_be_repeated(
    model: OpenAIResponsesModel,
    server: LoopbackServer,
    answer: Answer,
    suggested: bool,
    after: float | None,
) -> None:
    server.answer(answer)
    with pytest.raises(openai.APIStatusError) as raised:
        await get(model)
    advice = model.get_retry_advice(ModelRetryAdviceRequest(raised.value, attempt=1, stream=False))

    assert advice is not None
    assert (advice.suggested, advice.retry_after) == (suggested, after)
    assert advice.normalized is not None
    assert advice.normalized.status_code == answer.status


async def test_repeating_a_lost_call_of_a_stored_conversation_is_unsafe(
    client: AsyncOpenAI, server: LoopbackServer
) -> None:
    server.answer(Answer(hold=True))
    model = OpenAIResponsesModel("gpt-x", client.with_options(timeout=0.1))
    with pytest.raises(openai.APITimeoutError) as raised:
        await get(model)
    alone = ModelRetryAdviceRequest(raised.value, attempt=1, stream=False)
    stored = ModelRetryAdviceRequest(raised.value, attempt=1, stream=False, conversation_id="c")
    advice = [model.get_retry_advice(request) for request in (alone, stored)]

    assert [given and given.replay_safety for given in advice] == ["safe", "unsafe"]


def test_there_is_no_advice_on_errors_of_others() -> None:
    client = AsyncOpenAI(api_key="k")
    request = ModelRetryAdviceRequest(ValueError("x"), attempt=1, stream=False)

    assert OpenAIResponsesModel("m", client).get_retry_advice(request) is None


async def test_a_run_has_a_failed_call_made_again_as_its_settings_say(
    client: AsyncOpenAI, server: LoopbackServer
) -> None:
    overloaded = Answer({"error": {"message": "x"}}, status=503, headers={"retry-after-ms": "1"})
    server.answer(overloaded, overloaded, Answer(response()))
    policy = retry_policies.any(retry_policies.retry_after(), retry_policies.network_error())
    agent = Agent(
        name="A",
        model=OpenAIResponsesModel("gpt-x", client),
        model_settings=ModelSettings(retry=ModelRetrySettings(max_retries=2, policy=policy)),
    )
    result = await Runner.run(agent, "go")
    assert len(server.requests) == 3
    assert result.context_wrapper.usage.requests == 3
