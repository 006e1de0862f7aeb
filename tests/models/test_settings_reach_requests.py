"""Every model setting changes the request of each API, or the API has no such parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.shared import Reasoning

from agentgraph import Agent, ModelSettings, handoff
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_responses import OpenAIResponsesModel

VALUES: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.5,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "truncation": "auto",
    "max_tokens": 10,
    "reasoning": Reasoning(effort="low"),
    "verbosity": "low",
    "metadata": {"a": "b"},
    "store": False,
    "prompt_cache_retention": "24h",
    "include_usage": False,
    "response_include": ["reasoning.encrypted_content"],
    "top_logprobs": 2,
    "extra_query": {"a": "b"},
    "extra_body": {"a": "b"},
    "extra_headers": {"a": "b"},
    "extra_args": {"a": "b"},
    "context_management": [{"type": "compaction"}],
    "prompt_cache_options": {"a": "b"},
}
OF_THE_RUN = {"retry", "timeout", "preserve_raw_usage", "truncated_text"}
"""Settings that the run or the reply obeys, so that no request has them."""
NOT_IN_RESPONSES = {"frequency_penalty", "presence_penalty", "include_usage"}
NOT_IN_CHAT = {"truncation", "response_include", "context_management"}


def responses_request(settings: ModelSettings) -> dict[str, Any]:
    model = OpenAIResponsesModel("m", AsyncOpenAI(api_key="none"))
    there = [handoff(Agent(name="B"))]
    return model._request(None, "go", settings, [], None, there, None, None, None)


def chat_request(settings: ModelSettings) -> dict[str, Any]:
    model = OpenAIChatCompletionsModel("m", AsyncOpenAI(api_key="none"))
    there = [handoff(Agent(name="B"))]
    return model._request(None, "go", settings, [], None, there, stream=True)


def test_every_setting_has_a_value_here() -> None:
    assert {field.name for field in fields(ModelSettings)} == VALUES.keys() | OF_THE_RUN


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(
    ("request_of", "unknown"),
    [(responses_request, NOT_IN_RESPONSES), (chat_request, NOT_IN_CHAT)],
    ids=["responses", "chat"],
)
def test_a_setting_reaches_the_request_of_each_api_that_has_it(
    request_of: Callable[[ModelSettings], dict[str, Any]], unknown: set[str], name: str
) -> None:
    changed = request_of(ModelSettings(**{name: VALUES[name]})) != request_of(ModelSettings())
    assert changed is (name not in unknown)
