"""What a model is sent: conversations that the server keeps, filters on the input, the model and
the settings of a call (docs/design/behaviour.md, sections 1, 10 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    ModelSettings,
    RunConfig,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
)
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


def kept(model: ScriptedModel) -> tuple[list[Any], list[list[str]]]:
    """Which response each call continues, and the kinds of the items that it sends."""
    sent = []
    for asked in model.calls:
        assert isinstance(asked.input, list)
        sent.append([item.get("call_id") or item["content"] for item in _dicts(asked.input)])
    return [asked.previous_response_id for asked in model.calls], sent


def _dicts(items: list[Any]) -> list[dict[str, Any]]:
    return items


def four_turns() -> tuple[Agent[Any], ScriptedModel]:
    """A tool turn, a handoff, a tool turn of the other agent, and the answer."""
    outputs: list[Any] = [
        [call("echo", "c1", text="x")],
        [function_call("transfer_to_b", {}, call_id="h1")],
        [call("echo", "c2", text="y"), call("echo", "c3", text="z")],
        [assistant_message("done")],
    ]
    model = ScriptedModel(
        [ModelStep(output=output, response_id=f"r{n}") for n, output in enumerate(outputs, 1)]
    )
    second = Agent(name="B", model=model, tools=[echo])
    return Agent(name="A", model=model, tools=[echo], handoffs=[second]), model


NEW_ONLY = [["go"], ["c1"], ["h1"], ["c2", "c3"]]


@pytest.mark.parametrize(
    ("options", "chain"),
    [
        ({"previous_response_id": "r0"}, ["r0", "r1", "r2", "r3"]),
        ({"auto_previous_response_id": True}, [None, "r1", "r2", "r3"]),
        ({"conversation_id": "v1"}, [None] * 4),
        ({"conversation_id": "v1", "auto_previous_response_id": True}, [None] * 4),
    ],
)
async def test_only_what_is_new_goes_to_a_server_that_keeps_the_conversation(
    play: Play, options: dict[str, Any], chain: list[Any]
) -> None:
    agent, model = four_turns()
    played = await play(agent, **options)
    assert kept(model) == (chain, NEW_ONLY)
    assert {asked.conversation_id for asked in model.calls} == {options.get("conversation_id")}
    assert played.result.last_response_id == "r4"
    # The result has everything all the same.
    assert len(played.result.to_input_list()) == 10


async def test_without_a_server_everything_is_sent_every_time(play: Play) -> None:
    agent, model = four_turns()
    await play(agent)
    assert [len(asked.input) for asked in model.calls] == [1, 3, 5, 9]
    assert {asked.previous_response_id for asked in model.calls} == {None}


@pytest.mark.parametrize(
    "option",
    [
        {"conversation_id": "v1"},
        {"previous_response_id": "r0"},
        {"auto_previous_response_id": True},
    ],
)
async def test_a_session_and_a_server_do_not_both_keep_a_conversation(
    play: Play, option: dict[str, Any]
) -> None:
    model = script()
    with pytest.raises(UserError, match="session cannot be combined"):
        await play(Agent(name="A", model=model), session=SQLiteSession("s"), **option)
    assert model.calls == ()


def longer(data: CallModelData[Any]) -> ModelInputData:
    more: Any = {"role": "user", "content": f"for {data.agent.name} with {data.context}"}
    return ModelInputData([*data.model_data.input, more], "filtered")


async def longer_later(data: CallModelData[Any]) -> ModelInputData:
    return longer(data)


@pytest.mark.parametrize("filter_input", [longer, longer_later])
async def test_a_filter_changes_what_the_model_is_sent_and_nothing_else(
    play: Play, filter_input: Callable[..., Any]
) -> None:
    model, session = script([call("echo", text="x")]), SQLiteSession("s")
    agent = Agent(name="A", model=model, tools=[echo], instructions="plain")
    config = RunConfig(call_model_input_filter=filter_input)
    played = await play(agent, context="mine", run_config=config, session=session)
    assert [asked.system_instructions for asked in model.calls] == ["filtered", "filtered"]
    assert [len(asked.input) for asked in model.calls] == [2, 4]
    assert "for A with mine" in str(model.calls[0].input)
    assert "for A with mine" not in str(played.result.to_input_list())
    assert "for A with mine" not in str(await session.get_items())


@pytest.mark.parametrize("wrong", [None, "text", {"input": []}])
async def test_a_filter_that_gives_something_else_is_refused(play: Play, wrong: Any) -> None:
    model = script()
    config = RunConfig(call_model_input_filter=lambda _: wrong)
    with pytest.raises(UserError, match="call_model_input_filter must return") as caught:
        await play(Agent(name="A", model=model), run_config=config)
    assert model.calls == ()
    assert caught.value.run_data is not None


async def test_an_error_in_a_filter_leaves_the_run_as_it_is(play: Play) -> None:
    def broken(_: Any) -> Any:
        raise ArithmeticError("filter")

    config = RunConfig(call_model_input_filter=broken)
    with pytest.raises(ArithmeticError, match="filter"):
        await play(Agent(name="A", model=script()), run_config=config)


class Models(ModelProvider):
    """A provider that notes which names it is asked for."""

    def __init__(self, model: Model) -> None:
        self.model, self.asked = model, list[Any]()

    def get_model(self, model_name: str | None) -> Model:
        self.asked.append(model_name)
        return self.model


async def test_agents_name_their_models_and_the_provider_of_the_run_finds_them(play: Play) -> None:
    agent, model = four_turns()
    provider = Models(model)
    agent.model, agent.handoffs[0].model = "fast", None  # type: ignore[union-attr]
    await play(agent, run_config=RunConfig(model_provider=provider))
    assert provider.asked == ["fast", None]  # each once, however many turns follow


async def test_the_model_of_the_run_comes_before_those_of_the_agents(play: Play) -> None:
    agent, model = four_turns()
    other = ScriptedModel(lambda _: [assistant_message("from the run's model")])
    played = await play(agent, run_config=RunConfig(model=other))
    assert played.final == "from the run's model"
    assert model.calls == ()
    provider = Models(model)
    await play(agent, run_config=RunConfig(model="slow", model_provider=provider))
    assert set(provider.asked) == {"slow"}


@pytest.mark.parametrize("source", ["agent", "run"])
async def test_a_model_that_is_none_is_refused_by_name(play: Play, source: str) -> None:
    agent = Agent(name="A")
    config = RunConfig()
    wrong: Any = 3
    if source == "agent":
        agent.model = wrong
    else:
        config.model = wrong
    with pytest.raises(UserError, match=r"gent 'A'.* must be a.* Model"):
        await play(agent, run_config=config)


async def test_settings_of_the_run_are_laid_over_those_of_the_agent(play: Play) -> None:
    model = script()
    own = ModelSettings(temperature=0.1, top_p=0.2, extra_args={"a": 1})
    agent = Agent(name="A", model=model, model_settings=own)
    over = ModelSettings(temperature=0.9, extra_args={"b": 2})
    await play(agent, run_config=RunConfig(model_settings=over))
    sent = model.calls[0].model_settings
    assert (sent.temperature, sent.top_p, sent.extra_args) == (0.9, 0.2, {"a": 1, "b": 2})
    assert own == ModelSettings(temperature=0.1, top_p=0.2, extra_args={"a": 1})


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_instructions_are_worked_out_for_every_turn(play: Play, asynchronous: bool) -> None:
    turns: list[int] = []

    def instructions(context: Any, agent: Any) -> str:
        turns.append(len(turns))
        return f"{agent.name} {context.context} {len(turns)}"

    async def instructions_later(context: Any, agent: Any) -> str:
        return instructions(context, agent)

    model = script([call("echo", text="x")])
    instructions_source = instructions_later if asynchronous else instructions
    agent = Agent(name="A", model=model, tools=[echo], instructions=instructions_source)
    await play(agent, context="mine")
    assert [asked.system_instructions for asked in model.calls] == ["A mine 1", "A mine 2"]


async def test_an_error_in_instructions_leaves_the_run_as_it_is(play: Play) -> None:
    def broken(*_: Any) -> str:
        raise KeyError("name")

    with pytest.raises(KeyError, match="name"):
        await play(Agent(name="A", model=script(), instructions=broken))


@pytest.mark.parametrize("manner", ["value", "sync", "async"])
async def test_a_prompt_goes_with_every_call(play: Play, manner: str) -> None:
    prompt: Any = {"id": "pmpt_1", "variables": {"who": "you"}}

    def made(_: Any) -> Any:
        return prompt

    async def made_later(_: Any) -> Any:
        return prompt

    model = script()
    prompt_source: Any = {"value": prompt, "sync": made, "async": made_later}[manner]
    await play(Agent(name="A", model=model, prompt=prompt_source))
    sent = model.calls[0].prompt
    assert sent is not None
    assert sent["id"] == "pmpt_1"


async def test_a_run_inside_a_tool_is_a_run_of_its_own(play: Play) -> None:
    inner = Agent(name="Inner", model=ScriptedModel(lambda _: [assistant_message("inside")]))

    @function_tool
    async def ask(question: str) -> str:
        plain = await Runner.run(inner, question)
        streamed = Runner.run_streamed(inner, question)
        names = [
            event.name
            async for event in streamed.stream_events()
            if event.type == "run_item_stream_event"
        ]
        assert names == ["message_output_created"]
        assert plain.context_wrapper.usage.requests == 1
        return f"{plain.final_output} {streamed.final_output}"

    agent = Agent(name="A", model=script([call("ask", question="?")]), tools=[ask])
    played = await play(agent)
    assert played.outputs == ["inside inside"]
    assert played.result.context_wrapper.usage.requests == 2
