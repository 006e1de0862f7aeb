"""Results: what they list, what moves while a run goes on, and what they hold
(docs/design/behaviour.md, sections 2 and 3)."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import weakref
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    RunConfig,
    Runner,
    function_tool,
    handoff,
    output_guardrail,
)
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.conftest import Play
from tests.api.leaks import nothing_is_left

__all__ = ["nothing_is_left"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")


def handing_over() -> Agent[Any]:
    second = Agent(name="B", model=script(answer="from b"))
    model = script([call("echo", text="x")], [function_call("transfer_to_b", {}, call_id="h1")])
    return Agent(name="A", model=model, tools=[echo], handoffs=[second])


async def test_a_result_prints_as_a_few_lines_and_still_does_once_its_agents_are_gone() -> None:
    agent = Agent[Any](
        name="A", model=script([call("echo", text="x")], answer="Done."), tools=[echo]
    )
    result = await Runner.run(agent, "go")
    lines = ["RunResult of agent 'A'", "  str: Done.", "  3 run items, 2 model responses"]
    assert str(result).splitlines() == lines
    result.release_agents()
    del agent
    gc.collect()
    assert str(result).splitlines() == ["RunResult of an agent that was released", *lines[1:]]


async def test_a_streamed_result_prints_before_its_end() -> None:
    result = Runner.run_streamed(Agent(name="A", model=script(answer="Done.")), "go")
    assert "no final output" in str(result)
    async for _ in result.stream_events():
        pass
    assert "str: Done." in str(result)


async def test_a_result_that_nobody_reads_finishes_all_the_same() -> None:
    result: Any = Runner.run_streamed(handing_over(), "go")
    assert not result.is_complete
    await result.run_loop_task
    assert result.is_complete
    assert result.final_output == "from b"
    names = [event.type async for event in result.stream_events()]
    assert names.count("agent_updated_stream_event") == 2


async def test_a_failure_that_nobody_reads_stands_on_the_result() -> None:
    error = ConnectionError("down")
    result = Runner.run_streamed(Agent(name="A", model=ScriptedModel([error])), "go")
    assert result.run_loop_task is not None
    await result.run_loop_task
    assert result.run_loop_exception is error
    assert result.is_complete
    with pytest.raises(ConnectionError):
        async for _ in result.stream_events():
            pass
    assert [event async for event in result.stream_events()] == []


class Falsy(Exception):
    """An error that is false to `if`."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize("place", ["model", "tool"])
async def test_an_error_that_is_false_surfaces_like_any_other(play: Play, place: str) -> None:
    class FalsyOfOurs(AgentsException, Falsy):
        pass

    @function_tool(failure_error_function=None)
    async def fail() -> str:
        raise FalsyOfOurs("tool")

    reply: Any = Falsy("model") if place == "model" else [call("fail")]
    with pytest.raises(Falsy, match=place):
        await play(Agent(name="A", model=ScriptedModel([reply]), tools=[fail]))


async def test_events_come_once_and_a_second_reader_after_the_end_gets_none() -> None:
    result = Runner.run_streamed(handing_over(), "go")
    first = [event async for event in result.stream_events()]
    assert first
    assert [event async for event in result.stream_events()] == []


async def test_two_readers_share_the_events_and_both_come_to_an_end() -> None:
    result = Runner.run_streamed(handing_over(), "go")

    async def read() -> list[Any]:
        return [event async for event in result.stream_events()]

    async with asyncio.timeout(120):
        one, other = await asyncio.gather(read(), read())
    items = [event.item for event in (*one, *other) if event.type == "run_item_stream_event"]
    assert {id(item) for item in items} == {id(item) for item in result.new_items}


async def test_what_happened_before_a_failure_is_told_before_it() -> None:
    model = ScriptedModel([[call("echo", text="x")], ConnectionError("down")])
    result = Runner.run_streamed(Agent(name="A", model=model, tools=[echo]), "go")
    event_names: list[str] = []

    async def read() -> None:
        nonlocal event_names
        async for event in result.stream_events():
            event_names += [getattr(event, "name", "")]

    with pytest.raises(ConnectionError):
        await read()
    assert [name for name in event_names if name] == ["tool_called", "tool_output_created"]


async def test_agent_and_turn_move_with_the_run_and_the_output_comes_last() -> None:
    result = Runner.run_streamed(handing_over(), "go")
    assert (result.current_agent.name, result.current_turn) == ("A", 0)
    seen = []
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            seen.append((event.name, result.current_turn))
            assert result.is_complete or result.final_output is None
        elif event.type == "agent_updated_stream_event":
            assert result.current_agent is event.new_agent
    assert seen == [
        ("tool_called", 1),
        ("tool_output_created", 1),
        ("handoff_called", 2),
        ("handoff_output_created", 2),
        ("message_output_created", 3),
    ]
    assert (result.current_agent.name, result.current_turn) == ("B", 3)
    assert result.last_agent is result.current_agent


async def test_final_output_as_checks_only_when_asked(play: Play) -> None:
    result = (await play(Agent(name="A", model=script()))).result
    assert result.final_output_as(str, raise_if_incorrect_type=True) == "done"
    assert result.final_output_as(int) == "done"
    with pytest.raises(TypeError, match="not of type int, but str"):
        result.final_output_as(int, raise_if_incorrect_type=True)


async def test_the_input_list_is_input_for_the_next_run(play: Play) -> None:
    model = ScriptedModel([[call("echo", text="x")], [assistant_message("one")]])
    first = await play(Agent(name="A", model=model, tools=[echo]), "first")
    after = script(answer="two")
    second = await play(
        Agent(name="A", model=after), [*first.result.to_input_list(), "How are you?"]
    )
    assert [item.get("role") or item["type"] for item in second.result.to_input_list()] == [
        *("user", "function_call", "function_call_output", "assistant"),
        *("user", "assistant"),
    ]


async def test_the_callers_list_and_the_results_are_not_one(play: Play) -> None:
    items: list[Any] = ["hello", {"role": "user", "content": "there"}]
    result = (await play(Agent(name="A", model=script()), items)).result
    items.append("and now?")
    items[1]["content"] = "elsewhere"
    produced = result.to_input_list()
    assert [item["role"] for item in produced] == ["user", "user", "assistant"]
    assert produced[1]["content"] == "there"
    produced[0]["content"] = "changed"
    assert result.to_input_list()[0]["content"] == "hello"


async def test_the_last_response_id_is_that_of_the_last_call(play: Play) -> None:
    steps = [
        ModelStep(output=[call("echo", text="x")], response_id="r1"),
        ModelStep(output=[assistant_message("done")], response_id="r2"),
    ]
    played = await play(Agent(name="A", model=ScriptedModel(steps), tools=[echo]))
    assert played.result.last_response_id == "r2"
    assert [response.response_id for response in played.result.raw_responses] == ["r1", "r2"]


async def test_the_normalized_list_is_what_the_model_saw_after_a_filter(play: Play) -> None:
    second = Agent(name="B", model=script(answer="from b"))
    entry = handoff(
        second,
        input_filter=lambda data: data.clone(input_history="summary", new_items=()),
    )
    model = script([function_call("transfer_to_b", {}, call_id="h1")])
    played = await play(Agent(name="A", model=model, handoffs=[entry]))
    normalized = played.result.to_input_list(mode="normalized")
    assert [item.get("content") for item in normalized[:1]] == ["summary"]
    assert len(normalized) == 2
    assert len(played.result.to_input_list()) == 4
    assert played.result.input == "summary"


async def test_results_and_items_can_be_copied_and_shown_before_and_after_a_release(
    play: Play,
) -> None:
    result = (await play(handing_over())).result
    for _ in range(2):
        assert dataclasses.asdict(result)["final_output"] == "from b"
        assert [dataclasses.asdict(item)["type"] for item in result.new_items]
        assert "from b" in repr(result)
        assert all(map(repr, result.new_items))
        result.release_agents()


async def test_released_agents_can_be_collected_and_are_asked_for_in_vain(play: Play) -> None:
    agent = handing_over()
    result = (await play(agent)).result
    refs: list[Any] = [weakref.ref(agent), weakref.ref(agent.handoffs[0])]
    del agent
    gc.collect()
    assert [ref() is not None for ref in refs] == [True, True]
    assert result.last_agent.name == "B"
    result.release_agents()
    gc.collect()
    assert [ref() for ref in refs] == [None, None]
    with pytest.raises(AgentsException, match="released"):
        _ = result.last_agent
    assert result.final_output == "from b"
    assert len(result.to_input_list()) == 6
    assert repr(result)


async def test_verdicts_on_the_output_let_go_of_the_agent_as_well(play: Play) -> None:
    @output_guardrail
    def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    agent = Agent[Any](name="A", model=script(answer="hello"), output_guardrails=[polite])
    result = (await play(agent)).result
    (verdict,) = result.output_guardrail_results
    assert verdict.agent is agent
    result.release_agents()
    assert verdict.agent is agent, "the test still refers to it"
    ref = weakref.ref(agent)
    del agent
    gc.collect()
    assert ref() is None
    assert verdict.agent is None
    assert verdict.agent_output == "hello"
    assert "hello" in repr(verdict)


async def test_a_released_agent_that_somebody_holds_is_still_there(play: Play) -> None:
    agent = handing_over()
    result = (await play(agent)).result
    result.release_agents()
    assert result.last_agent is agent.handoffs[0]
    assert result.new_items[0].agent is agent


async def test_a_live_result_released_early_lets_go_when_the_run_is_over() -> None:
    agent = handing_over()
    ref = weakref.ref(agent.handoffs[0])
    result = Runner.run_streamed(agent, "go")
    del agent
    result.release_agents()
    assert result.current_agent.name == "A"
    async for event in result.stream_events():
        del event
    assert result.final_output == "from b"
    result.release_agents()
    gc.collect()
    assert ref() is None


async def test_nothing_of_a_run_stays_with_its_agent(play: Play) -> None:
    """Not its context, not its items, not its guardrails; a few programs for the next run do."""

    class Context:
        pass

    agent = Agent(name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    refs = []
    for _ in range(30):
        context = Context()
        played = await play(agent, context=context)
        refs += [weakref.ref(context), weakref.ref(played.result.new_items[0])]
        del context, played
    await asyncio.sleep(0)  # the loop lets go of a finished task in its next round
    gc.collect()
    assert [ref() for ref in refs] == [None] * 60


async def test_guardrails_made_anew_for_every_run_do_not_pile_up(play: Play) -> None:
    from agentgraph import GuardrailFunctionOutput, OutputGuardrail

    agent = Agent(name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    refs = []
    for _ in range(30):

        async def check(*_: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(None, False)

        guardrail = OutputGuardrail(check)
        refs.append(weakref.ref(guardrail))
        await play(agent, run_config=RunConfig(output_guardrails=[guardrail]))
        del guardrail, check
    gc.collect()
    assert sum(ref() is not None for ref in refs) <= 8


async def test_the_number_of_objects_does_not_grow_with_the_number_of_runs() -> None:
    agent = handing_over()

    async def ten_runs() -> int:
        for _ in range(10):
            agent.model = script([call("echo", text="x")])
            await Runner.run(agent, "go")
            result = Runner.run_streamed(agent.clone(model=script()), "go")
            async for _ in result.stream_events():
                pass
        gc.collect()
        return len(gc.get_objects())

    await ten_runs()
    before = await ten_runs()
    after = await ten_runs()
    assert after - before < 50
