"""Classes of one's own: what a run asks of an agent, and how it calls a model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentgraph import Agent, Runner
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.models.interface import Model
from agentgraph.run_context import RunContextWrapper
from agentgraph.testing import ScriptedModel, assistant_message


class Polite(Agent[Any]):
    async def get_system_prompt(self, run_context: RunContextWrapper[Any]) -> str | None:
        return f"{await super().get_system_prompt(run_context) or 'Help'}, please."

    async def get_prompt(self, run_context: RunContextWrapper[Any]) -> Any:
        return {"id": "manners", "version": None, "variables": None}


@pytest.mark.parametrize("instructions", [None, "Answer"])
async def test_an_agent_of_ones_own_class_decides_what_its_model_is_told(
    instructions: str | None,
) -> None:
    model = ScriptedModel([[assistant_message("yes")]])
    await Runner.run(Polite(name="P", instructions=instructions, model=model), "?")
    (call,) = model.calls
    assert call.system_instructions == f"{instructions or 'Help'}, please."
    assert call.prompt == {"id": "manners", "version": None, "variables": None}


async def test_tools_that_no_run_would_ask_for_are_refused_and_not_left_out() -> None:
    class WithTools(Agent[Any]):
        async def get_all_tools(self, run_context: RunContextWrapper[Any]) -> list[Any]:
            return []

    with pytest.raises(AgentDefinitionError, match="'W': WithTools overrides get_all_tools"):
        await Runner.run(WithTools(name="W", model=ScriptedModel([])), "?")


class OtherNames(Model):
    """A model whose streaming method has names of its own for what comes by position."""

    def __init__(self) -> None:
        self.inner = ScriptedModel([[assistant_message("streamed")]])
        self.heard: list[Any] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def stream_response(  # type: ignore[override]
        self,
        told: Any,
        said: Any,
        how: Any,
        with_: Any,
        shape: Any,
        to: Any,
        trace: Any,
        **more: Any,
    ) -> AsyncIterator[Any]:
        self.heard += [told, sorted(more)]
        async for event in self.inner.stream_response(
            told, said, how, with_, shape, to, trace, **more
        ):
            yield event


async def test_a_streaming_model_is_called_by_position_as_the_published_sdk_calls_it() -> None:
    model = OtherNames()
    result = Runner.run_streamed(Agent(name="A", instructions="Be.", model=model), "?")
    async for _ in result.stream_events():
        pass
    assert result.final_output == "streamed"
    assert model.heard == ["Be.", ["conversation_id", "previous_response_id", "prompt"]]
