"""What a run makes of the settings that are its own business, not the model's."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from openai.types.responses import ResponseReasoningItem

from agentgraph import Agent, AgentHooks, ModelSettings, RunConfig, Runner, function_tool
from agentgraph.exceptions import ModelTimeoutError
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call


async def _never(call: Any) -> Any:
    await asyncio.Event().wait()


async def _consume(agent: Agent[Any], *, streamed: bool) -> Any:
    if not streamed:
        return (await Runner.run(agent, "go")).final_output
    result = Runner.run_streamed(agent, "go")
    async for _ in result.stream_events():
        pass
    return result.final_output


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_a_model_call_that_takes_too_long_ends_the_run(streamed: bool) -> None:
    model = ScriptedModel([ModelStep.respond(_never)])
    agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=0.01))
    with pytest.raises(ModelTimeoutError) as raised:
        await _consume(agent, streamed=streamed)
    assert raised.value.timeout_seconds == 0.01
    assert raised.value.run_data is not None


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_a_timeout_that_the_model_itself_raises_is_passed_on(streamed: bool) -> None:
    model = ScriptedModel([TimeoutError("of the client")])
    agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=600))
    with pytest.raises(TimeoutError, match="of the client"):
        await _consume(agent, streamed=streamed)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_a_model_call_within_its_time_is_not_disturbed(streamed: bool) -> None:
    model = ScriptedModel([[assistant_message("in time")]])
    agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=600))
    assert await _consume(agent, streamed=streamed) == "in time"


class _Named(ModelProvider):
    """Gives one model for every name."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model

    def get_model(self, model_name: str | None) -> Model:
        return self.model


@pytest.mark.parametrize(
    ("name", "own", "effort"),
    [
        ("gpt-5", None, "low"),
        ("gpt-4.1", None, None),
        ("gpt-5", ModelSettings(), None),
        ("gpt-5", ModelSettings(temperature=0.5), None),
    ],
)
async def test_an_agent_that_says_nothing_gets_the_settings_its_model_goes_best_with(
    name: str, own: ModelSettings | None, effort: str | None
) -> None:
    model = ScriptedModel([[assistant_message("ok")]])
    config = RunConfig(model_provider=_Named(model))
    agent = Agent[Any](name="A", model=name)
    if own is not None:
        agent.model_settings = own
    await Runner.run(agent, "go", run_config=config)
    assert model.first_call is not None
    reasoning = model.first_call.model_settings.reasoning
    assert (None if reasoning is None else reasoning.effort) == effort


async def test_a_run_gets_the_settings_of_the_default_model_that_the_environment_names_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent, efforts = Agent[Any](name="A"), []
    for name in ("gpt-4.1", "gpt-4.1", "gpt-5", "gpt-5", "gpt-4.1"):
        monkeypatch.setenv("OPENAI_DEFAULT_MODEL", name)
        model = ScriptedModel([[assistant_message("ok")]])
        await Runner.run(agent, "go", run_config=RunConfig(model_provider=_Named(model)))
        assert model.first_call is not None
        reasoning = model.first_call.model_settings.reasoning
        efforts.append(None if reasoning is None else reasoning.effort)
    assert efforts == [None, None, "low", "low", None]


class _Models(AgentHooks[Any]):
    """Changes the model before each call."""

    def __init__(self, *names: str) -> None:
        self.names = iter(names)

    async def on_llm_start(self, context: Any, agent: Any, *rest: Any) -> None:
        agent.model = next(self.names)


async def test_a_model_that_a_hook_chooses_gets_its_own_default_settings() -> None:
    model = ScriptedModel([[function_call("nothing", {}, call_id="c1")], [assistant_message("ok")]])

    @function_tool
    async def nothing() -> str:
        return "nothing"

    hooks = _Models("gpt-4.1", "gpt-5")
    agent = Agent[Any](name="A", model="gpt-4.1", tools=[nothing], hooks=hooks)
    await Runner.run(agent, "go", run_config=RunConfig(model_provider=_Named(model)))
    assert [call.model_settings.verbosity for call in model.calls] == [None, "low"]


@pytest.mark.parametrize(("policy", "kept"), [(None, True), ("preserve", True), ("omit", False)])
async def test_reasoning_goes_back_to_the_model_with_or_without_its_id(
    policy: Literal["preserve", "omit"] | None, kept: bool
) -> None:
    reasoning = ResponseReasoningItem(id="rs_1", type="reasoning", summary=[])
    model = ScriptedModel(
        [[reasoning, function_call("nothing", {}, call_id="c1")], [assistant_message("ok")]]
    )

    @function_tool
    async def nothing() -> str:
        return "nothing"

    config = RunConfig(reasoning_item_id_policy=policy)
    agent = Agent(name="A", model=model, tools=[nothing])
    result = await Runner.run(agent, "go", run_config=config)
    assert model.last_call is not None
    sent = [item for item in model.last_call.input if item.get("type") == "reasoning"]
    assert [("id" in item) for item in sent] == [kept]
    for mode in ("preserve_all", "normalized"):
        again = result.to_input_list(mode=mode)  # type: ignore[arg-type]
        assert ("id" in again[1]) == kept
