"""Our classes as fields of a user's pydantic model, as in the published SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from openai import Omit
from openai.types.shared import Reasoning
from pydantic import BaseModel, ValidationError, create_model

from agentgraph import (
    Agent,
    CodeInterpreterTool,
    FileSearchTool,
    FunctionToolResult,
    GuardrailFunctionOutput,
    HandoffInputData,
    HostedMCPTool,
    InputGuardrail,
    InputGuardrailResult,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunResult,
    RunResultStreaming,
    RunState,
    Usage,
    WebSearchTool,
    handoff,
)
from agentgraph.model_settings import MCPToolChoice
from agentgraph.run_config import ModelInputData
from agentgraph.tool_context import ToolContext
from tests.api.calls import call, echo, script


class Conf(BaseModel):
    settings: ModelSettings


class Holder(BaseModel):
    context: RunContextWrapper[dict[str, int]]


class Steered(BaseModel):
    config: RunConfig


SETTINGS = [
    {},
    {"temperature": 0.5, "max_tokens": 7, "metadata": {"a": "b"}, "response_include": ["own"]},
    {"tool_choice": "required", "parallel_tool_calls": False, "truncation": "auto"},
    {"tool_choice": MCPToolChoice("server", "tool")},
    {"reasoning": Reasoning(effort="low"), "verbosity": "low", "timeout": 1.5},
    {"extra_headers": {"a": "b"}, "extra_body": {"c": [1]}, "extra_args": {"d": None}},
    {"retry": ModelRetrySettings(max_retries=2, backoff={"initial_delay": 1})},
    {"context_management": [{"type": "compaction", "compact_threshold": 3}]},
]


@pytest.mark.parametrize("given", SETTINGS)
def test_settings_of_a_model_are_kept_and_written_and_read_back(given: dict[str, Any]) -> None:
    conf = Conf(settings=ModelSettings(**given))
    assert Conf.model_validate_json(conf.model_dump_json()) == conf
    assert Conf.model_validate(conf.model_dump()) == conf


def test_the_policy_of_retries_is_kept_and_not_written() -> None:
    retry = ModelRetrySettings(max_retries=1, policy=lambda context: True)
    conf = Conf(settings=ModelSettings(retry=retry))
    assert conf.settings.retry is retry
    again = Conf.model_validate_json(conf.model_dump_json()).settings.retry
    assert again == ModelRetrySettings(max_retries=1)


def test_a_dictionary_of_settings_becomes_settings() -> None:
    conf = Conf.model_validate(
        {"settings": {"reasoning": {"effort": "low"}, "retry": {"max_retries": 1}}}
    )
    assert conf.settings.reasoning == Reasoning(effort="low")
    assert isinstance(conf.settings.retry, ModelRetrySettings)
    assert Agent(name="A", model_settings=conf.settings).model_settings is conf.settings


def test_a_header_that_is_taken_away_is_written_as_null() -> None:
    conf = Conf(settings=ModelSettings(extra_headers={"a": Omit(), "b": "c"}))
    written = conf.model_dump_json()
    assert json.loads(written)["settings"]["extra_headers"] == {"a": None, "b": "c"}
    headers: Any = Conf.model_validate_json(written).settings.extra_headers
    assert isinstance(headers["a"], Omit)


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": "hot"},
        {"timeout": -1},
        {"timeout": "nan"},
        {"verbosity": "loud"},
        {"retry": {"max_retries": "many"}},
        {"extra_headers": {"a": 1.5}},
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=f"settings.{next(iter(given))}"):
        Conf.model_validate({"settings": given})


def test_a_configuration_of_runs_is_read_like_by_the_runner() -> None:
    config = RunConfig(workflow_name="w")
    assert Steered(config=config).config is config
    read = Steered.model_validate({"config": {"model_settings": {"top_p": 1}}})
    assert read.config == RunConfig(model_settings=ModelSettings(top_p=1))
    with pytest.raises(ValidationError, match="RunConfig has no setting 'nonsense'"):
        Steered.model_validate({"config": {"nonsense": 1}})


def test_a_context_is_kept_and_written_without_decisions() -> None:
    context = RunContextWrapper({"a": 1}, Usage(requests=2))
    holder = Holder(context=context)
    assert holder.context is context
    again = Holder.model_validate_json(holder.model_dump_json())
    assert (again.context.context, again.context.usage.requests) == ({"a": 1}, 2)
    assert "context" in Holder.model_json_schema()["properties"]


async def test_what_a_run_gives_is_kept_as_it_is() -> None:
    agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo])
    result = Runner.run_streamed(agent, "go")
    events = [event async for event in result.stream_events()]
    agent.model = script([call("echo", text="x")])
    plain = await Runner.run(agent, "go")
    context = ToolContext({}, tool_name="t", tool_call_id="c", tool_arguments="{}")
    guardrail: InputGuardrail[Any] = InputGuardrail(lambda *_: GuardrailFunctionOutput(None, False))
    verdict = InputGuardrailResult(guardrail, GuardrailFunctionOutput(None, False))
    values: list[Any] = [result, plain, plain.to_state(), context, agent, echo, handoff(agent)]
    values += [plain.context_wrapper, plain.context_wrapper.usage, guardrail, verdict]
    values += [*events, *plain.new_items, *plain.raw_responses]
    values += [FunctionToolResult(echo, "x", plain.new_items[1])]
    values += [HandoffInputData("x", (), tuple(plain.new_items)), ModelInputData([], None)]
    values += [WebSearchTool(), FileSearchTool(vector_store_ids=["v"])]
    values += [HostedMCPTool({"type": "mcp", "server_label": "s", "server_url": "http://x"})]
    values += [CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}})]
    kinds = {type(value) for value in values}
    assert {RunResult, RunResultStreaming, RunState} <= kinds
    for value in values:
        holder: Any = create_model("Holder", value=(type(value), ...))(value=value)
        assert holder.value is value
        assert isinstance(holder.model_dump(), dict)


async def test_a_reply_of_a_model_is_written_and_read_back() -> None:
    result = await Runner.run(Agent(name="A", model=script()), "go")
    holder: Any = create_model("Holder", reply=(type(result.raw_responses[0]), ...))
    reply = holder(reply=result.raw_responses[0])
    assert holder.model_validate_json(reply.model_dump_json()) == reply


def test_something_else_is_no_result() -> None:
    holder: Any = create_model("Holder", result=(RunResult, ...))
    with pytest.raises(ValidationError, match="instance of RunResult"):
        holder(result={"final_output": "x"})


def test_settings_cost_no_client_until_pydantic_asks() -> None:
    script = (
        "import sys; from agentgraph import Agent, ModelSettings, RunConfig;"
        " Agent(name='A', model_settings=ModelSettings(timeout=1)); RunConfig();"
        " print('openai' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
