"""`replay`: a recorded run as a test, in which tools return what they returned and do nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
)
from agentgraph.testing import (
    ModelCall,
    RecordedModel,
    RecordingMismatch,
    ScriptedModel,
    assistant_message,
    function_call,
    replay,
    replay_sync,
    save_recording,
)
from tests.testing.recorded_runs import KEY, Desk, recorded


async def test_the_whole_run_goes_again_and_no_tool_does_anything(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = await recorded(path)
    assert first.paid == [5, -1]

    desk = Desk()
    result = await replay(desk.triage, path)

    assert (result.final_output, result.last_agent.name) == ("It is paid.", "Refunds")
    assert desk.paid == []
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs == ["Yes, you may.", "paid 5", "closed"]
    assert KEY not in path.read_text()


async def test_a_tool_runs_if_it_is_asked_for_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    await recorded(path)
    desk = Desk()
    await replay(desk.triage, path, run_tools=["pay"])

    assert desk.paid == [5]
    with pytest.raises(UserError, match=r"no tool 'refund' to run.*ask_expert, close, pay"):
        await replay(Desk().triage, path, run_tools=["refund"])


async def test_a_tool_that_runs_and_returns_something_else_shows_in_the_difference(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.jsonl"
    await recorded(path)
    desk = Desk()

    @function_tool
    def pay(euros: int) -> str:
        """Pay an amount."""
        return "refused"

    desk.refunds.tools[0] = pay
    assert (await replay(desk.triage, path)).final_output == "It is paid."
    with pytest.raises(RecordingMismatch) as raised:
        await replay(desk.triage, path, run_tools=["pay"])
    assert '-    "output": "paid 5",' in str(raised.value)
    assert '+    "output": "refused",' in str(raised.value)


async def test_a_changed_program_fails_with_what_the_model_is_now_asked(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    await recorded(path)
    desk = Desk()
    desk.triage.handoffs.clear()
    with pytest.raises(RecordingMismatch, match="call 1 of agent 'Triage' has other tools"):
        await replay(desk.triage, path)


async def test_hooks_and_guardrails_of_the_program_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    await recorded(path)
    seen: list[str] = []

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            seen.append(f"start {tool.name}")

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            seen.append(f"end {tool.name}: {result}")

    def judged(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        seen.append("guardrail")
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    desk = Desk()
    desk.triage.input_guardrails.append(InputGuardrail(judged))
    await replay(desk.triage, path, hooks=Hooks())

    assert {"guardrail", "start pay", "end pay: paid 5", "end close: closed"} <= set(seen)


async def test_a_call_that_the_recording_lacks_names_tool_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    await recorded(path)
    desk = Desk()
    desk.refunds.instructions = "Pay more."
    more: list[Any] = [[function_call("pay", {"euros": 7}, call_id="c9")]]
    with pytest.raises(UserError, match=r"tool 'pay'.*\"euros\":7.*run_tools=\['pay'\]"):
        await replay(desk.triage, path, extend=ScriptedModel(more))
    assert desk.paid == []


async def test_a_tool_that_failed_fails_again_without_running(tmp_path: Path) -> None:
    ran: list[int] = []

    @function_tool(failure_error_function=None)
    def fail() -> str:
        """Fail."""
        ran.append(1)
        raise ValueError("broken")

    model = ScriptedModel([[function_call("fail", {}, call_id="c")]])
    agent = Agent[Any](name="A", tools=[fail], model=model)
    stream = Runner.run_streamed(agent, "go")
    with pytest.raises(Exception, match="broken"):
        async for _ in stream.stream_events():
            pass
    with pytest.raises(Exception, match="broken"):
        await replay(agent, stream.to_state())
    assert len(ran) == 1


async def test_a_tripped_guardrail_trips_again(tmp_path: Path) -> None:
    def judged(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    agent = Agent[Any](
        name="A",
        model=ScriptedModel([[assistant_message("never")]]),
        input_guardrails=[InputGuardrail(judged)],
    )
    stream = Runner.run_streamed(agent, "go")
    with pytest.raises(InputGuardrailTripwireTriggered):
        async for _ in stream.stream_events():
            pass
    save_recording(stream, tmp_path / "run.jsonl")
    with pytest.raises(InputGuardrailTripwireTriggered):
        await replay(agent, tmp_path / "run.jsonl")


async def test_a_guardrail_beside_the_model_trips_again_although_there_is_no_reply() -> None:
    class Silent(ScriptedModel):
        async def reply(self, call: ModelCall) -> Any:
            await asyncio.Event().wait()

        async def events(self, call: ModelCall) -> AsyncIterator[Any]:
            await asyncio.Event().wait()
            yield

    async def judged(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        await asyncio.sleep(0)
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    agent = Agent[Any](name="A", model=Silent(), input_guardrails=[InputGuardrail(judged)])
    stream = Runner.run_streamed(agent, "go")
    with pytest.raises(InputGuardrailTripwireTriggered):
        async for _ in stream.stream_events():
            pass
    async with asyncio.timeout(10):
        with pytest.raises(InputGuardrailTripwireTriggered):
            await replay(agent, stream.to_state())


async def test_values_of_the_classes_of_the_program_come_back_as_such() -> None:
    @dataclass
    class Price:
        euros: int

    @function_tool
    def price() -> Price:
        """Look up a price."""
        return Price(5)

    script: list[Any] = [[function_call("price", {}, call_id="c")], [assistant_message("ok")]]
    agent = Agent[Any](name="A", tools=[price], model=ScriptedModel(script))
    result = await Runner.run(agent, "go")
    again = await replay(agent, result.to_state())
    outputs = [item.output for item in again.new_items if item.type == "tool_call_output_item"]

    assert outputs == [Price(5)]


async def test_the_history_of_the_session_is_the_recorded_one(tmp_path: Path) -> None:
    session = SQLiteSession("s")
    agent = Agent[Any](name="A")
    for number in range(2):
        model = ScriptedModel([[assistant_message(f"reply {number}")]])
        result = await Runner.run(
            agent, f"turn {number}", session=session, run_config=RunConfig(model=model)
        )
    session.close()
    again = await replay(agent, result.to_state())

    assert again.final_output == "reply 1"
    assert "turn 0" in str(again.input)


async def test_a_context_that_is_a_mapping_comes_back(tmp_path: Path) -> None:
    def instructions(context: Any, agent: Any) -> str:
        return f"Serve {context.context['name']}."

    model = ScriptedModel([[assistant_message("ok")]])
    agent = Agent[Any](name="A", instructions=instructions, model=model)
    result = await Runner.run(agent, "go", context={"name": "Ada"})

    assert (await replay(agent, result.to_state())).final_output == "ok"
    with pytest.raises(RecordingMismatch, match="other instructions"):
        await replay(agent, result.to_state(), context={"name": "Bob"})


def test_it_replays_in_code_that_is_not_async(tmp_path: Path) -> None:
    model = ScriptedModel([[assistant_message("ok")]])
    agent = Agent[Any](name="A", model=model)
    state = Runner.run_sync(agent, "go").to_state()

    assert replay_sync(agent, state).final_output == "ok"
    assert len(model.calls) == 1


async def test_single_calls_are_no_run_to_replay(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    agent = Agent[Any](name="A")
    agent.model = RecordedModel(path, extend=lambda call: [assistant_message("x")], append=True)
    await Runner.run(agent, "go")
    with pytest.raises(UserError, match=r"calls\.jsonl holds no run"):
        await replay(agent, path)
