"""User code gets copies of recorded values: a change in place does not change the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    handoff,
)
from agentgraph.drivers.work import copies, think
from agentgraph.drivers.workbench import Watcher
from agentgraph.lifecycle import AgentHooksBase
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.running.ending import carry_out
from agentgraph.running.launch import launch
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo
from tests.api.conftest import Play

SECRET = "4111"
GONE = "****"


def redact(items: Any) -> None:
    """Change every item in place, as deep as it goes."""
    for item in items:
        for name in ("content", "arguments", "output"):
            if SECRET in str(item.get(name)):
                item[name] = str(item[name]).replace(SECRET, GONE)


def two_turns(**settings: Any) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel([[call("echo", text=SECRET)], [assistant_message("done")]])
    return Agent(name="A", model=model, tools=[echo], **settings), model


def inputs(model: ScriptedModel) -> list[str]:
    return [str(asked.input) for asked in model.calls]


def redacts_once() -> Callable[[CallModelData[Any]], ModelInputData]:
    seen: list[None] = []

    def filter_input(asked: CallModelData[Any]) -> ModelInputData:
        if len(seen) == 0:
            redact(asked.model_data.input)
        seen.append(None)
        return asked.model_data

    return filter_input


async def test_a_filter_that_changes_an_item_in_place_changes_one_call_only(play: Play) -> None:
    agent, model = two_turns()
    session = SQLiteSession("s")
    config = RunConfig(call_model_input_filter=redacts_once())
    user_input: Any = [{"role": "user", "content": f"my card is {SECRET}"}]
    played = await play(agent, user_input, run_config=config, session=session)
    first, second = inputs(model)
    assert (SECRET in first, GONE in first) == (False, True)
    assert (second.count(SECRET), GONE in second) == (3, False)
    for kept in (user_input, played.result.to_input_list(), await session.get_items()):
        assert GONE not in str(kept)
    assert str(played.result.to_input_list()).count(SECRET) == 3


async def test_what_a_filter_sent_stays_recorded_when_the_filter_changes_it_later() -> None:
    agent, model = two_turns()
    kept: Any = {"role": "user", "content": "note 0"}

    def filter_input(asked: CallModelData[Any]) -> ModelInputData:
        kept["content"] = f"note {len(asked.model_data.input)}"
        return ModelInputData([*asked.model_data.input, kept], None)

    config = RunConfig(call_model_input_filter=filter_input)
    launched = launch(agent, "go", {"run_config": config}, Watcher())
    await carry_out(launched.run)
    view = launched.run.bench.view
    recorded = [str(view.input_of(request)[-1]) for request in view.requests]
    assert [name in text for name, text in zip(("note 1", "note 3"), recorded, strict=True)] == [
        True,
        True,
    ]
    assert [view.input_of(request) for request in view.requests] == [
        asked.input for asked in model.calls
    ]


class Redacting(RunHooks[Any]):
    async def on_llm_start(self, context: Any, agent: Any, prompt: Any, items: Any) -> None:
        redact(items)
        items.append({"role": "user", "content": "from a hook"})


class OwnRedacting(AgentHooks[Any]):
    async def on_llm_start(self, context: Any, agent: Any, prompt: Any, items: Any) -> None:
        redact(items)
        items.clear()


@pytest.mark.parametrize("place", ["run", "agent", "both"])
async def test_a_hook_on_a_model_call_sees_the_input_and_cannot_change_it(
    play: Play, place: str
) -> None:
    agent, model = two_turns(hooks=None if place == "run" else OwnRedacting())
    hooks = None if place == "agent" else Redacting()
    played = await play(agent, f"my card is {SECRET}", hooks=hooks)
    plain, plain_model = two_turns()
    expected = await play(plain, f"my card is {SECRET}")
    assert inputs(model) == inputs(plain_model)
    assert played.result.to_input_list() == expected.result.to_input_list()


@pytest.mark.parametrize("hooks", [None, RunHooks(), AgentHooks()], ids=["none", "run", "agent"])
async def test_a_run_without_such_code_copies_no_item(
    hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[Any] = []

    def counting(value: Any) -> Any:
        copied.append(value)
        return copies.copy_of(value)

    monkeypatch.setattr(think, "copy_of", counting)
    of_agent = isinstance(hooks, AgentHooksBase)
    agent, _ = two_turns(hooks=hooks if of_agent else None)
    await Runner.run(agent, "go", hooks=None if of_agent else hooks)
    assert not [value for value in copied if isinstance(value, list)]


class Careless(ScriptedModel):
    """A model of another party, which changes what it gets."""

    asked: list[Any]

    async def get_response(self, *rest: Any, **arguments: Any) -> Any:
        response = await super().get_response(*rest, **arguments)
        settings = arguments["model_settings"]
        self.asked.append(settings.to_json_dict())
        settings.temperature, settings.extra_args["seed"] = 2.0, 7
        settings.reasoning.effort = "high"
        settings.retry.max_retries = 9
        arguments["tools"].clear()
        arguments["handoffs"].clear()
        return response


async def test_a_model_that_changes_its_settings_and_tools_changes_no_other_call() -> None:
    from openai.types.shared import Reasoning

    replies = [
        [call("echo", text="a")],
        [call("echo", "c2", text="b")],
        [assistant_message("done")],
    ]
    model = Careless(replies)
    model.asked = []
    settings = ModelSettings(
        temperature=0.1,
        extra_args={"seed": 1},
        reasoning=Reasoning(effort="low"),
        retry=ModelRetrySettings(max_retries=0),
    )
    agent = Agent(
        name="A", model=model, tools=[echo], handoffs=[Agent(name="B")], model_settings=settings
    )
    expected = settings.to_json_dict()
    launched = launch(agent, "go", {}, Watcher())
    await carry_out(launched.run)
    recorded = [request.settings.to_json_dict() for request in launched.run.record.requests]
    assert model.asked == recorded == [expected] * 3
    assert [(len(one.tools), len(one.handoffs)) for one in model.calls] == [(1, 1)] * 3
    assert settings.to_json_dict() == expected


async def test_settings_that_a_hook_changes_in_place_count_from_the_next_call_on() -> None:
    class Warmer(RunHooks[Any]):
        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            agent.model_settings.temperature += 0.5
            agent.model_settings.extra_args["seed"] += 1

    agent, model = two_turns(model_settings=ModelSettings(temperature=0.0, extra_args={"seed": 1}))
    launched = launch(agent, "go", {"hooks": Warmer()}, Watcher())
    await carry_out(launched.run)
    recorded = [request.settings for request in launched.run.record.requests]
    for seen in (recorded, [asked.model_settings for asked in model.calls]):
        assert [one.temperature for one in seen] == [0.0, 0.5]
        assert [one.extra_args["seed"] for one in seen] == [1, 2]


def handing_over(**settings: Any) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel(
        [
            [call("echo", text=SECRET)],
            [function_call("transfer_to_b", {}, call_id="h")],
            [assistant_message("done")],
        ]
    )
    second = Agent[Any](name="B", model=model)
    return Agent(name="A", model=model, tools=[echo], handoffs=[handoff(second, **settings)]), model


def redacts_items(data: Any) -> Any:
    redact(data.input_history)
    for item in (*data.pre_handoff_items, *data.new_items):
        if item.type == "tool_call_output_item":
            redact([item.raw_item])
            item.output = item.raw_item["output"]
        if item.type == "tool_call_item":
            item.raw_item.arguments = item.raw_item.arguments.replace(SECRET, GONE)
    return data


async def test_a_handoff_filter_that_changes_items_in_place_changes_what_the_target_sees(
    play: Play,
) -> None:
    agent, model = handing_over(input_filter=redacts_items)
    session = SQLiteSession("s")
    played = await play(agent, SECRET, session=session)
    assert (inputs(model)[-1].count(SECRET), inputs(model)[-1].count(GONE)) == (0, 3)
    assert GONE not in str(await session.get_items())
    assert played.outputs[0] == SECRET
    assert GONE not in str([item.raw_item for item in played.items])


async def test_a_history_mapper_that_changes_its_items_changes_no_record(play: Play) -> None:
    def mapper(transcript: Any) -> Any:
        redact(transcript)
        return [{"role": "user", "content": str(transcript)}]

    agent, model = handing_over()
    config = RunConfig(nest_handoff_history=True, handoff_history_mapper=mapper)
    played = await play(agent, run_config=config)
    assert GONE in inputs(model)[-1]
    assert GONE not in str([item.raw_item for item in played.items])


@pytest.mark.parametrize("parallel", [False, True])
async def test_an_input_guardrail_cannot_change_what_it_judges(play: Play, parallel: bool) -> None:
    async def judge(context: Any, agent: Any, output_seen: Any) -> GuardrailFunctionOutput:
        redact(output_seen)
        output_seen.append({"role": "user", "content": "from a guardrail"})
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    guardrail = InputGuardrail[Any](judge, run_in_parallel=parallel)
    agent, model = two_turns(input_guardrails=[guardrail])
    user_input: Any = [{"role": "user", "content": SECRET}, {"role": "user", "content": "go"}]
    await play(agent, user_input)
    assert all(GONE not in text and "from a guardrail" not in text for text in inputs(model))
    assert inputs(model)[0].count(SECRET) == 1


async def test_an_error_handler_cannot_change_the_items_of_the_run(play: Play) -> None:
    def answer(handled: Any) -> Any:
        data = handled.run_data
        redact([*data.input, *data.history, *data.output])
        for item in data.new_items:
            if item.type == "tool_call_output_item":
                item.raw_item["output"] = GONE
        return "handled"

    agent, _ = two_turns()
    user_input: Any = [{"role": "user", "content": SECRET}]
    played = await play(agent, user_input, max_turns=1, error_handlers={"max_turns": answer})
    assert played.final == "handled"
    assert GONE not in str(played.result.to_input_list())
    assert str(played.result.to_input_list()).count(SECRET) == 3
