"""What a run makes of the settings that are its own business, not the model's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, Runner, UserError
from agentgraph.exceptions import ModelTimeoutError
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message


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
    agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=60))
    with pytest.raises(TimeoutError, match="of the client"):
        await _consume(agent, streamed=streamed)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
async def test_a_model_call_within_its_time_is_not_disturbed(streamed: bool) -> None:
    model = ScriptedModel([[assistant_message("in time")]])
    agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=60))
    assert await _consume(agent, streamed=streamed) == "in time"


async def test_retry_settings_are_refused_rather_than_ignored() -> None:
    settings = ModelSettings(retry={"max_retries": 2})  # type: ignore[arg-type]
    agent = Agent(name="Asker", model=ScriptedModel([]), model_settings=settings)
    with pytest.raises(UserError, match=r"ModelSettings\.retry of agent 'Asker'"):
        await Runner.run(agent, "go")
