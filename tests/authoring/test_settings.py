"""Settings are laid over each other; what is not set changes nothing."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.shared import Reasoning

from agentgraph import (
    Agent,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    ToolExecutionConfig,
    UserError,
)
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.model_settings import MCPToolChoice
from agentgraph.models import get_default_model_settings
from agentgraph.retry import (
    ModelRetryAdvice,
    ModelRetryBackoffSettings,
    ModelRetryNormalizedError,
    RetryDecision,
    RetryPolicyContext,
    retry_policies,
)
from agentgraph.run_config import coerce_run_config

SETTINGS = st.builds(
    ModelSettings,
    temperature=st.none() | st.floats(0, 2),
    tool_choice=st.none() | st.sampled_from(["auto", "required", "a_tool"]),
    store=st.none() | st.booleans(),
    max_tokens=st.none() | st.integers(0, 100),
    extra_args=st.none() | st.dictionaries(st.text(), st.integers()),
)


@given(SETTINGS, SETTINGS, SETTINGS)
def test_laying_settings_over_each_other_is_associative(
    first: ModelSettings, second: ModelSettings, third: ModelSettings
) -> None:
    assert first.resolve(second).resolve(third) == first.resolve(second.resolve(third))


@given(SETTINGS)
def test_empty_settings_change_nothing_on_either_side(some: ModelSettings) -> None:
    assert some.resolve(None) is some
    assert some.resolve(ModelSettings()) == some
    assert ModelSettings().resolve(some) == some


@given(SETTINGS, SETTINGS)
def test_neither_side_is_changed(below: ModelSettings, above: ModelSettings) -> None:
    before = json.dumps([below.to_json_dict(), above.to_json_dict()])
    below.resolve(above)
    assert json.dumps([below.to_json_dict(), above.to_json_dict()]) == before


def test_a_value_that_is_false_still_wins() -> None:
    below = ModelSettings(store=True, temperature=1.0, parallel_tool_calls=True)
    above = ModelSettings(store=False, temperature=0.0, parallel_tool_calls=False)
    assert below.resolve(above) == above


def test_extra_args_are_merged_key_by_key() -> None:
    below = ModelSettings(extra_args={"a": 1, "b": 1})
    assert below.resolve({"extra_args": {"b": 2}}).extra_args == {"a": 1, "b": 2}


def test_retry_settings_are_merged_field_by_field() -> None:
    policy = retry_policies.never()
    below = ModelSettings(
        retry=ModelRetrySettings(max_retries=2, backoff={"initial_delay": 1.0}, policy=policy)
    )
    above = ModelSettings(retry=ModelRetrySettings(backoff={"multiplier": 2.0}))
    resolved = below.resolve(above).retry
    assert resolved == ModelRetrySettings(
        max_retries=2, backoff={"initial_delay": 1.0, "multiplier": 2.0}, policy=policy
    )


def test_a_setting_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="no setting 'temprature'"):
        ModelSettings().resolve({"temprature": 1})
    with pytest.raises(UserError, match="retry has no setting 'max_retry'"):
        ModelSettings(retry={"max_retry": 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_timeout_is_a_positive_number(timeout: float) -> None:
    with pytest.raises(UserError, match="timeout must be a positive number of seconds"):
        ModelSettings(timeout=timeout)


def test_settings_become_plain_json_values() -> None:
    settings = ModelSettings(
        tool_choice=MCPToolChoice(server_label="s", name="n"),
        reasoning=Reasoning(effort="low"),
        retry=ModelRetrySettings(max_retries=1, policy=retry_policies.never()),
    )
    written = json.loads(json.dumps(settings.to_json_dict()))
    assert written["tool_choice"] == {"server_label": "s", "name": "n"}
    assert written["reasoning"]["effort"] == "low"
    assert written["retry"] == {"max_retries": 1, "backoff": None}
    assert written["temperature"] is None


def test_a_trace_shows_no_headers_and_nothing_unset() -> None:
    settings = ModelSettings(temperature=1.0, extra_headers={"authorization": "secret"})
    assert settings.to_traceable_dict() == {"temperature": 1.0}


@pytest.mark.parametrize(
    "made",
    [
        lambda: ModelRetrySettings(max_retries=-1),
        lambda: ModelRetrySettings(backoff={"initial": 1}),
        lambda: ModelRetryBackoffSettings(multiplier=-0.5),
    ],
)
def test_retry_settings_that_cannot_be_are_refused(made: Any) -> None:
    with pytest.raises(UserError):
        made()


def failed(
    status: int | None = None, retry_after: float | None = None, suggested: bool | None = None
) -> RetryPolicyContext:
    return RetryPolicyContext(
        error=RuntimeError(),
        attempt=1,
        max_retries=3,
        stream=False,
        normalized=ModelRetryNormalizedError(
            status_code=status, retry_after=retry_after, is_network_error=status is None
        ),
        provider_advice=ModelRetryAdvice(suggested=suggested, retry_after=9.0),
    )


POLICIES: list[tuple[Any, RetryPolicyContext, bool, float | None]] = [
    (retry_policies.never(), failed(500), False, None),
    (retry_policies.http_status([500, 503]), failed(503), True, None),
    (retry_policies.http_status([500]), failed(400), False, None),
    (retry_policies.network_error(), failed(), True, None),
    (retry_policies.network_error(), failed(500), False, None),
    (retry_policies.retry_after(), failed(429, retry_after=2.0), True, 2.0),
    (retry_policies.retry_after(), failed(429), False, None),
    (retry_policies.provider_suggested(), failed(500, suggested=True), True, 9.0),
    (retry_policies.provider_suggested(), failed(500, suggested=False), False, None),
    (retry_policies.any(), failed(500), False, None),
    (retry_policies.all(), failed(500), False, None),
    (
        retry_policies.any(retry_policies.never(), retry_policies.retry_after()),
        failed(429, retry_after=2.0),
        True,
        2.0,
    ),
    (
        retry_policies.all(retry_policies.http_status([429]), retry_policies.retry_after()),
        failed(429, retry_after=2.0),
        True,
        2.0,
    ),
    (
        retry_policies.all(retry_policies.http_status([500]), retry_policies.retry_after()),
        failed(429, retry_after=2.0),
        False,
        None,
    ),
]


@pytest.mark.parametrize(("policy", "context", "retries", "delay"), POLICIES)
async def test_policies_decide_and_combine(
    policy: Any, context: RetryPolicyContext, retries: bool, delay: float | None
) -> None:
    decision = policy(context)
    if hasattr(decision, "__await__"):
        decision = await decision
    if not isinstance(decision, RetryDecision):
        decision = RetryDecision(retry=decision)
    assert (decision.retry, decision.delay) == (retries, delay)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"model_settings": {"top_p": 0.5}}, "model_settings", ModelSettings(top_p=0.5)),
        (
            {"tool_execution": {"max_function_tool_concurrency": 2}},
            "tool_execution",
            ToolExecutionConfig(max_function_tool_concurrency=2),
        ),
        ({"workflow_name": "w"}, "workflow_name", "w"),
    ],
)
def test_a_run_configuration_may_be_given_as_dictionaries(
    fields: dict[str, Any], name: str, value: Any
) -> None:
    assert getattr(coerce_run_config(fields), name) == value


def test_a_run_configuration_is_taken_as_it_is() -> None:
    config = RunConfig()
    assert coerce_run_config(config) is config
    assert coerce_run_config(None) == config


@pytest.mark.parametrize(
    ("given_config", "error", "message"),
    [
        ({"modell": "x"}, UserError, "no setting 'modell'"),
        (5, AgentDefinitionError, "run_config must be a RunConfig or a dict, not int"),
        ({"tool_not_found_behavior": "x"}, UserError, "must be one of 'raise_error'"),
        ({"tool_name_collision_policy": "x"}, UserError, "must be one of 'warn', 'error'"),
        ({"tool_execution": {"limit": 1}}, UserError, "tool_execution has no setting 'limit'"),
        ({"tool_execution": 5}, AgentDefinitionError, "tool_execution must be"),
        ({"tool_execution": {"max_function_tool_concurrency": 0}}, UserError, "must be 1 or more"),
    ],
)
def test_a_run_configuration_that_cannot_be_is_refused(
    given_config: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        coerce_run_config(given_config)


@pytest.mark.parametrize(("value", "shown"), [(None, True), ("0", False), ("false", False)])
def test_the_environment_decides_what_traces_show(
    value: str | None, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA"
    monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(name, value)
    assert RunConfig().trace_include_sensitive_data is shown


@pytest.mark.parametrize(
    ("model", "effort", "verbosity"),
    [
        (None, "none", "low"),
        ("gpt-5", "low", "low"),
        ("gpt-5-mini", None, "low"),
        ("gpt-5-chat-latest", None, None),
        ("gpt-4.1", None, None),
    ],
)
def test_an_agent_shows_the_settings_that_suit_its_model(
    model: str | None, effort: str | None, verbosity: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_DEFAULT_MODEL", raising=False)
    settings = Agent[Any](name="A", model=model).model_settings
    assert (settings.reasoning and settings.reasoning.effort, settings.verbosity) == (
        effort,
        verbosity,
    )
    assert settings == get_default_model_settings(model)
    assert replace(settings, temperature=0.5).verbosity == verbosity
    assert deepcopy(settings) == pickle.loads(pickle.dumps(settings)) == settings


def test_the_settings_that_a_program_passes_count_as_they_are() -> None:
    passed = Agent[Any](name="A", model="gpt-5", model_settings=ModelSettings())
    assert passed.model_settings.reasoning is None


def test_a_clone_with_another_model_shows_what_suits_that_one() -> None:
    original = Agent[Any](name="A", model="gpt-5")
    original.model_settings.temperature = 0.5
    clone = original.clone(model="gpt-4.1")
    assert (clone.model_settings.verbosity, clone.model_settings.temperature) == (None, 0.5)
    assert (original.model_settings.verbosity, original.model_settings.temperature) == ("low", 0.5)
