"""Runs of workflows with edges after exceptions: which edge a failure takes, what comes then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    End,
    GuardrailFunctionOutput,
    MaxTurnsExceeded,
    ModelBehaviorError,
    OutputGuardrailTripwireTriggered,
    Runner,
    RunState,
    SQLiteSession,
    Workflow,
    function_tool,
    input_guardrail,
    output_guardrail,
    output_of,
)
from agentgraph.exceptions import InputGuardrailTripwireTriggered, RoutingError
from agentgraph.program import compile
from agentgraph.run_error_handlers import RunErrorHandlerResult
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.runtime.step import start, step
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph_compiler.machine import Event, WorkKind
from tests.workflow.flows import Ticket, agent, read_by


class PaymentError(Exception):
    pass


class CardDeclined(PaymentError):
    pass


def paying(raises: BaseException) -> Any:
    def pay(value: object) -> str:
        raise raises

    return pay


@pytest.mark.parametrize(
    ("raised", "name"),
    [(CardDeclined("no"), "A"), (TimeoutError(), "B"), (ValueError("x"), "C")],
)
async def test_the_first_edge_whose_class_fits_is_taken(raised: Exception, name: str) -> None:
    pay, targets = paying(raised), [agent(one, f"I am {one}") for one in "ABC"]
    start = agent("Start", "seven")
    flow = Workflow("Paying", start=start)
    flow.then(start, pay)
    flow.on_error(pay, targets[0], errors=(PaymentError, KeyError))
    flow.on_error(pay, targets[1], errors=TimeoutError)
    flow.on_error(pay, targets[2])
    result = await Runner.run(flow, "hi")
    assert result.final_output == f"I am {name}"
    assert read_by(targets["ABC".index(name)]) == [["seven"]]
    assert pay not in result.outputs


async def test_what_no_edge_catches_ends_the_run_as_ever() -> None:
    pay, start = paying(ValueError("no money")), agent("Start", "seven")
    flow = Workflow("Paying", start=start)
    flow.then(start, pay)
    flow.on_error(pay, agent("Person", "never"), errors=PaymentError)
    with pytest.raises(ValueError, match="no money"):
        await Runner.run(flow, "hi")


async def test_a_function_gets_the_value_that_the_failed_step_had_got() -> None:
    seen: list[object] = []

    def note(ticket: Ticket) -> str:
        seen.append(ticket)
        return "noted"

    ticket = Ticket(kind="refund", amount=3)
    triage = agent("Triage", ticket, output_type=Ticket)
    pay = paying(PaymentError())
    flow = Workflow("Paying", start=triage)
    flow.then(triage, pay)
    flow.on_error(pay, note)
    assert (await Runner.run(flow, "hi")).final_output == "noted"
    assert seen == [ticket]


async def test_a_chain_of_failures_hands_on_what_the_first_step_had_got() -> None:
    first, second, third = (paying(PaymentError()) for _ in range(3))
    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Paying", start=start)
    flow.then(start, first)
    flow.on_error(first, second)
    flow.on_error(second, third)
    flow.on_error(third, person)
    assert (await Runner.run(flow, "hi")).final_output == "done"
    assert read_by(person) == [["seven"]]


async def test_give_names_what_the_next_step_gets() -> None:
    start, draft, person = agent("Start", "seven"), agent("Draft", "a draft"), agent("Person", "ok")
    pay = paying(PaymentError())
    flow = Workflow("Paying", start=start)
    flow.then(start, draft)
    flow.then(draft, pay)
    flow.on_error(pay, person, give=(output_of(start), output_of(draft)))
    await Runner.run(flow, "hi")
    assert read_by(person) == [['{"Start":"seven","Draft":"a draft"}']]


async def test_a_step_is_tried_again_until_its_rounds_are_over() -> None:
    tries: list[object] = []

    async def pay(value: str) -> str:
        tries.append(value)
        raise PaymentError

    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Paying", start=start)
    flow.then(start, pay)
    flow.on_error(pay, pay, at_most=3, exhausted=person)
    assert (await Runner.run(flow, "hi")).final_output == "done"
    assert tries == ["seven"] * 4
    assert read_by(person) == [["seven"]]


async def test_an_agent_is_tried_again_with_the_same_input() -> None:
    model = ScriptedModel([ConnectionError("down"), [assistant_message("up")]])
    start, write = agent("Start", "seven"), Agent[Any](name="Write", model=model)
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.on_error(write, write, errors=ConnectionError, at_most=1, exhausted=End("down"))
    result = await Runner.run(flow, "hi")
    assert result.final_output == "up"
    assert read_by(write) == [["seven"], ["seven"]]


@pytest.mark.parametrize("input", ["hi", [{"role": "user", "content": "hi"}]], ids=["text", "list"])
async def test_the_input_of_the_run_is_what_the_start_had_got(input: Any) -> None:
    model = ScriptedModel([ConnectionError("down")])
    start, person = Agent[Any](name="Start", model=model), agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.on_error(start, person)
    result = await Runner.run(flow, input)
    assert (result.final_output, result.last_agent) == ("done", person)
    assert read_by(person) == [["hi"]]
    assert result.to_input_list()[0] == {"content": "hi", "role": "user"}


async def test_where_the_conversation_went_on_it_goes_on_to_the_next_step() -> None:
    model = ScriptedModel([ConnectionError("down")])
    start, write = agent("Start", "seven"), Agent[Any](name="Write", model=model)
    person = agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write, carry="conversation")
    flow.on_error(write, person)
    await Runner.run(flow, "hi")
    assert read_by(person) == [["hi", "seven"]]


@function_tool
def look_up() -> str:
    """Look up."""
    return "found"


@function_tool(failure_error_function=None)
async def explode() -> str:
    """Explode, after the other tool."""
    await asyncio.sleep(0)
    raise PaymentError


async def test_a_call_without_an_output_stays_in_no_history_and_in_no_session() -> None:
    turn = [function_call("look_up", {}, call_id="c1"), function_call("explode", {}, call_id="c2")]
    write = Agent[Any](name="Write", tools=[look_up, explode], model=ScriptedModel([turn]))
    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write, carry="conversation")
    flow.on_error(write, person)
    session = SQLiteSession("s")
    result = await Runner.run(flow, "hi", session=session)
    for history in (result.to_input_list(), await session.get_items(), person.model.calls[0].input):
        items: Any = history
        calls = [one["call_id"] for one in items if one.get("type") == "function_call"]
        answers = [one["call_id"] for one in items if one.get("type") == "function_call_output"]
        assert calls == answers == ["c1"]


async def test_used_up_turns_take_the_edge() -> None:
    turns = [[function_call("look_up", {}, call_id=f"c{one}")] for one in range(9)]
    write = Agent[Any](name="Write", tools=[look_up], model=ScriptedModel(turns))
    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.on_error(write, person, errors=MaxTurnsExceeded)
    result = await Runner.run(flow, "hi", max_turns=2)
    assert (result.final_output, read_by(person)) == ("done", [["seven"]])


async def test_a_handler_of_errors_comes_before_the_edge() -> None:
    turns = [[function_call("look_up", {}, call_id=f"c{one}")] for one in range(9)]
    write = Agent[Any](name="Write", tools=[look_up], model=ScriptedModel(turns))
    flow = Workflow("Writing", start=write)
    flow.on_error(write, agent("Person", "done", "done"))
    handled = await Runner.run(
        flow,
        "hi",
        max_turns=1,
        error_handlers={"max_turns": lambda _: RunErrorHandlerResult("handled")},
    )
    assert handled.final_output == "handled"
    declined = await Runner.run(
        flow, "hi", max_turns=1, error_handlers={"max_turns": lambda _: None}
    )
    assert declined.final_output == "done"


async def test_a_tripwire_takes_the_edge_and_the_blocked_output_is_not_shown() -> None:
    @output_guardrail
    async def no_draft(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    write = agent("Write", "a secret", output_guardrails=[no_draft])
    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.on_error(write, person, errors=OutputGuardrailTripwireTriggered)
    session = SQLiteSession("s")
    result = await Runner.run(flow, "hi", session=session)
    assert result.final_output == "done"
    assert "a secret" not in str(result.to_input_list()) + str(await session.get_items())
    assert result.output_guardrail_results[0].output.tripwire_triggered


async def test_a_tripwire_that_no_edge_catches_blocks_the_run() -> None:
    @input_guardrail
    async def never(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    start, write = agent("Start", "seven"), agent("Write", "no", input_guardrails=[never])
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.on_error(write, agent("Person", "no"), errors=(MaxTurnsExceeded, ModelBehaviorError))
    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(flow, "hi")


async def test_a_value_without_a_case_takes_the_edge() -> None:
    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Writing", start=start)

    def label(output: str) -> Any:
        return output

    flow.route(start, on=label, cases={"six": End("six")})
    flow.on_error(start, person, errors=RoutingError)
    result = await Runner.run(flow, "hi")
    assert (result.final_output, read_by(person)) == ("done", [["hi"]])
    assert start not in result.outputs


async def test_a_run_that_fails_after_an_edge_fails_with_its_own_exception() -> None:
    pay, later = paying(PaymentError("first")), paying(ValueError("second"))
    start = agent("Start", "seven")
    flow = Workflow("Paying", start=start)
    flow.then(start, pay)
    flow.on_error(pay, later)
    with pytest.raises(ValueError, match="second"):
        await Runner.run(flow, "hi")


async def test_cancelling_takes_no_edge() -> None:
    begun = asyncio.Event()

    async def wait(value: object) -> str:
        begun.set()
        await asyncio.Event().wait()
        return ""

    start = agent("Start", "seven")
    flow = Workflow("Waiting", start=start)
    flow.then(start, wait)
    flow.on_error(wait, agent("Person", "never"))
    run = asyncio.create_task(Runner.run(flow, "hi"))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_a_failed_run_is_resumed_and_may_take_the_edge_then() -> None:
    raised: list[Exception] = [ValueError("first"), PaymentError("second")]

    def pay(value: object) -> str:
        raise raised.pop(0)

    start, person = agent("Start", "seven"), agent("Person", "done")
    flow = Workflow("Paying", start=start)
    flow.then(start, pay)
    flow.on_error(pay, person, errors=PaymentError)
    streamed = Runner.run_streamed(flow, "hi")
    with pytest.raises(ValueError, match="first"):
        async for _ in streamed.stream_events():
            pass
    text = streamed.to_state().to_json()
    state = await RunState.from_json(flow, text)
    assert (await Runner.run(flow, state)).final_output == "done"
    assert read_by(person) == [["seven"]]


async def test_the_events_of_a_failed_step_come_before_those_of_the_next_one() -> None:
    turn = [function_call("explode", {}, call_id="c1")]
    write = Agent[Any](name="Write", tools=[explode], model=ScriptedModel([turn]))
    person = agent("Person", "done")
    flow = Workflow("Writing", start=write)
    flow.on_error(write, person)
    streamed = Runner.run_streamed(flow, "hi")
    names = [
        getattr(one, "name", getattr(one, "new_agent", one.type))
        async for one in streamed.stream_events()
        if one.type != "raw_response_event"
    ]
    assert names == [write, "tool_called", person, "message_output_created"]


def test_a_run_keeps_no_state_of_the_failures_that_it_has_passed() -> None:
    pay, begin = paying(PaymentError()), agent("Start")
    flow = Workflow("Paying", start=begin)
    flow.then(begin, pay)
    flow.on_error(pay, pay, at_most=99, exhausted=End("never"))
    machine = compile(flow).machine
    state, commands = start(machine)
    answers = {
        WorkKind.MODEL: (Event.REPLIED, Reply()),
        WorkKind.EDGE: (Event.CHOSEN, Reply(case="start/case/always")),
        WorkKind.STEP: (Event.FAILED, None),
        WorkKind.CATCH: (Event.CHOSEN, Reply(case="pay/error/Exception")),
    }
    for _ in range(50):
        command = next(one for one in commands if isinstance(one, Perform))
        event, reply = answers[command.phase.kind]
        state, commands = step(machine, state, Outcome(command.id, event, None, reply))
    assert dict(state.edges.taken) == {"pay/error/Exception": 24}
    assert state.kept is None or state.kept.kept is None
