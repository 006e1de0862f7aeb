"""What the errors of the client tell about a repetition, and how policies combine."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import openai
import pytest

from agentgraph.model_settings import ModelSettings
from agentgraph.models.openai_responses import OpenAIResponsesModel
from agentgraph.models.openai_retry import normalized_error
from agentgraph.retry import (
    ModelRetryNormalizedError,
    ModelRetrySettings,
    RetryDecision,
    RetryPolicy,
    RetryPolicyContext,
    retry_policies,
)
from tests.models.loopback_server import Answer, LoopbackServer
from tests.models.model_calls import get

CONTEXT = RetryPolicyContext(
    error=RuntimeError(),
    attempt=1,
    max_retries=3,
    stream=False,
    normalized=ModelRetryNormalizedError(retry_after=7.0, is_network_error=True),
)

NO_RETRIES = ModelSettings(retry=ModelRetrySettings(max_retries=0))


def deciding(retry: bool, **fields: Any) -> RetryPolicy:
    return lambda context: RetryDecision(retry, **fields)


async def decision(policy: RetryPolicy) -> Any:
    return await policy(CONTEXT)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("policies", "delay"),
    [
        ([retry_policies.network_error(), retry_policies.retry_after()], 7.0),
        ([retry_policies.retry_after(), retry_policies.network_error()], 7.0),
        ([deciding(True, delay=1.0), deciding(True, delay=2.0)], 2.0),
        ([deciding(True, delay=1.0), deciding(False, delay=2.0)], 1.0),
        ([retry_policies.network_error()], None),
    ],
)
async def test_any_takes_the_wait_of_the_last_policy_that_names_one(
    policies: list[RetryPolicy], delay: float | None
) -> None:
    answer = await decision(retry_policies.any(*policies))

    assert (answer.retry, answer.delay) == (True, delay)


async def test_all_repeats_only_what_each_policy_repeats() -> None:
    both = retry_policies.all(deciding(True, delay=1.0), deciding(True, approve_unsafe_replay=True))
    one = retry_policies.all(deciding(True), deciding(False, reason="no"))
    merged, refused = await decision(both), await decision(one)

    assert (merged.retry, merged.delay, merged.approve_unsafe_replay) == (True, 1.0, True)
    assert (refused.retry, refused.reason) == (False, "no")


@pytest.mark.parametrize("combined", [retry_policies.any(), retry_policies.all()])
async def test_no_policy_repeats_nothing(combined: RetryPolicy) -> None:
    assert not (await decision(combined)).retry


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "no", "code": "conversation_locked"}}, "conversation_locked"),
        ({"error": {"error": {"code": "inner"}}}, "inner"),
        ({"error": {"code": 7}}, "7"),
        ([], None),
    ],
)
async def test_the_code_of_an_error_is_told(
    client: openai.AsyncOpenAI, server: LoopbackServer, body: Any, code: str | None
) -> None:
    server.answer(Answer(body, status=400))
    with pytest.raises(openai.BadRequestError) as caught:
        await get(OpenAIResponsesModel("m", client), model_settings=NO_RETRIES)

    assert normalized_error(caught.value).error_code == code


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "3"}, 3, 3),
        ({"retry-after-ms": "1500"}, 1.5, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3, 3),
        ({"retry-after": formatdate(time.time() + 86_400, usegmt=True)}, 3_600, 86_400),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0, 0),
    ],
)
async def test_the_wait_that_a_server_asks_for_is_read(
    client: openai.AsyncOpenAI,
    server: LoopbackServer,
    headers: dict[str, str],
    least: float,
    most: float,
) -> None:
    server.answer(Answer({}, status=429, headers=headers))
    with pytest.raises(openai.RateLimitError) as caught:
        await get(OpenAIResponsesModel("m", client))
    wait = normalized_error(caught.value).retry_after

    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon", ""])
async def test_a_wait_of_nonsense_is_none(
    client: openai.AsyncOpenAI, server: LoopbackServer, wait: str
) -> None:
    server.answer(Answer({}, status=429, headers={"retry-after": wait}))
    with pytest.raises(openai.RateLimitError) as caught:
        await get(OpenAIResponsesModel("m", client))

    assert normalized_error(caught.value).retry_after is None
