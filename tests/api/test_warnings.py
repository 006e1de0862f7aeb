"""A warning about a thing that stays as it is comes once, however often a run looks at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

from agentgraph import Agent, RunConfig, Runner, check, function_tool, handoff
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.testing import ScriptedModel, assistant_message, function_call


class Desk:
    """A context without a stored form of its own."""

    __slots__ = ()


def answer() -> str:
    return "here"


async def a_name_that_fits_no_function() -> None:
    target = Agent[Any](name="Größe!", model=ScriptedModel([[assistant_message("B")]]))
    calls = [[function_call("transfer_to_gr__e_", {}, call_id="1")]]
    agent = Agent[Any](name="A", handoffs=[target], model=ScriptedModel(calls))
    check(agent)
    await Runner.run(agent, "go")


async def a_name_that_apis_refuse() -> None:
    tool = function_tool(answer, name_override="größe prüfen")
    agent = Agent[Any](name="A", tools=[tool], model=ScriptedModel([[assistant_message("B")]]))
    await Runner.run(agent, "go")


async def a_name_that_is_too_long() -> None:
    handoff(Agent[Any](name="B"), tool_name_override="b" * 65)


async def a_clash_of_names() -> None:
    twins = [function_tool(answer, name_override="twin") for _ in range(2)]
    model = ScriptedModel(
        [[function_call("twin", {}, call_id=str(turn))] for turn in range(3)]
        + [[assistant_message("done")]]
    )
    enabled: Any = lambda context, agent: True  # noqa: E731
    twins[1].is_enabled = enabled
    await Runner.run(Agent[Any](name="A", tools=twins, model=model), "go")


async def a_context_that_cannot_be_stored() -> None:
    agent = Agent[Any](name="A", model=ScriptedModel([[assistant_message("done")]]))
    state = (await Runner.run(agent, "go", context=Desk())).to_state()
    state.to_json()
    state.to_json()


async def an_api_without_stored_prompts() -> None:
    model = OpenAIChatCompletionsModel("m", AsyncOpenAI(api_key="none"))
    model._require_stateless("resp_1")
    model._require_stateless("resp_2")


async def history_that_the_server_keeps() -> None:
    target = Agent[Any](name="B", model=ScriptedModel([[assistant_message("B")]]))
    model = ScriptedModel([[function_call("transfer_to_b", {}, call_id="1")]])
    agent = Agent[Any](name="A", handoffs=[target], model=model)
    config = RunConfig(nest_handoff_history=True)
    await Runner.run(agent, "go", run_config=config, conversation_id="c")


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (a_name_that_fits_no_function, "'Größe!' does not fit into a function name"),
        (a_name_that_apis_refuse, "FunctionTool 'größe prüfen': model APIs refuse this name"),
        (a_name_that_is_too_long, f"Handoff '{'b' * 65}': model APIs refuse this name"),
        (a_clash_of_names, "offers more than one tool or handoff called 'twin'"),
        (a_context_that_cannot_be_stored, "Desk, which has no stored form"),
        (an_api_without_stored_prompts, "They are left out"),
        (history_that_the_server_keeps, "handoff 'transfer_to_b' of agent 'A'"),
    ],
)
async def test_a_warning_comes_once_in_two_looks(
    look: Callable[[], Awaitable[None]], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    await look()
    await look()
    assert [words in record.getMessage() for record in caplog.records] == [True]


async def test_two_things_have_a_warning_each(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("Größe!", "Länge!"):
        Agent[Any](name=name).as_tool(None, "Measures.")
    assert len(caplog.records) == 2
