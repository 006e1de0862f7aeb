"""Runs as a whole: turns and their limit, error handlers, usage, and that a plain run is the fold
of a streamed one (docs/design/behaviour.md, sections 1 and 10)."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agentgraph import (
    Agent,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelRefusalError,
    RunHooks,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
)
from agentgraph.lifecycle import RunHooksBase
from agentgraph.run_error_handlers import RunErrorHandlerInput, RunErrorHandlerResult
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agentgraph.usage import Usage
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


def endless() -> tuple[Agent[Any], ScriptedModel]:
    """An agent that calls a tool for ever."""
    ids = count(1)
    model = ScriptedModel(lambda _: [call("echo", f"c{next(ids)}", text="x")])
    return Agent(name="A", model=model, tools=[echo]), model


@pytest.mark.parametrize("limit", [0, 1, 3])
async def test_a_run_makes_as_many_model_calls_as_it_may(play: Play, limit: int) -> None:
    agent, model = endless()
    with pytest.raises(MaxTurnsExceeded, match=rf"Max turns \({limit}\) exceeded") as caught:
        await play(agent, max_turns=limit)
    assert len(model.calls) == limit
    data = caught.value.run_data
    assert data is not None
    assert len(data.raw_responses) == limit
    assert len(data.new_items) == 2 * limit
    assert data.context_wrapper.usage.requests == limit


async def test_without_a_limit_a_run_goes_on(play: Play) -> None:
    replies = [[call("echo", f"c{turn}", text="x")] for turn in range(40)]
    agent = Agent(name="A", model=script(*replies), tools=[echo])
    assert (await play(agent, max_turns=None)).final == "done"


async def test_ten_turns_are_the_usual_limit(play: Play) -> None:
    agent, model = endless()
    with pytest.raises(MaxTurnsExceeded):
        await play(agent)
    assert len(model.calls) == 10


class Answer(BaseModel):
    """A structured final output."""

    number: int


def refusal() -> Any:
    from openai.types.responses import ResponseOutputMessage, ResponseOutputRefusal

    part = ResponseOutputRefusal(type="refusal", refusal="I will not")
    return ResponseOutputMessage(
        id="m1", type="message", role="assistant", status="completed", content=[part]
    )


def faulty(kind: str) -> tuple[Agent[Any], dict[str, Any], type[Exception]]:
    """An agent whose run comes to a fault of a kind, and the exception without a handler."""
    match kind:
        case "max_turns":
            return endless()[0], {"max_turns": 1}, MaxTurnsExceeded
        case "model_refusal":
            return Agent(name="A", model=ScriptedModel([[refusal()]])), {}, ModelRefusalError
        case _:
            model = ScriptedModel([[assistant_message('{"number": "many"}')]])
            return Agent(name="A", model=model, output_type=Answer), {}, ModelBehaviorError


KINDS = ["max_turns", "model_refusal", "invalid_final_output"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_handler_gives_an_output_in_place_of_a_fault(play: Play, kind: str) -> None:
    asked: list[RunErrorHandlerInput[Any]] = []
    ended: list[Any] = []
    agent, options, error = faulty(kind)
    answer: Any = Answer(number=0) if agent.output_type else "instead"

    class Hooks(RunHooks[Any]):
        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            ended.append(output)

    async def handle(fault: RunErrorHandlerInput[Any]) -> Any:
        asked.append(fault)
        return answer

    session = SQLiteSession("s")
    played = await play(
        agent,
        error_handlers={kind: handle},
        context="mine",
        session=session,
        hooks=Hooks(),
        **options,
    )
    assert played.final == answer
    assert ended == [answer]
    (fault,) = asked
    assert isinstance(fault.error, error)
    assert fault.context.context == "mine"
    assert fault.run_data.last_agent is agent
    assert len(fault.run_data.raw_responses) == 1
    assert played.kinds[-1] == "message_output_item"
    assert (await session.get_items())[-1]["role"] == "assistant"  # type: ignore[typeddict-item]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_handler_that_declines_leaves_the_fault_as_it_was(play: Play, kind: str) -> None:
    agent, options, error = faulty(kind)
    with pytest.raises(error) as caught:
        await play(agent, error_handlers={kind: lambda _: None}, **options)
    assert caught.value.run_data is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_handler_that_raises_ends_the_run_with_its_error(play: Play, kind: str) -> None:
    def fail(_: Any) -> Any:
        raise ReferenceError("handler")

    agent, options, _ = faulty(kind)
    with pytest.raises(ReferenceError, match="handler"):
        await play(agent, error_handlers={kind: fail}, **options)


async def test_an_answer_may_be_kept_out_of_the_history(play: Play) -> None:
    agent, options, _ = faulty("max_turns")
    answer = RunErrorHandlerResult("instead", include_in_history=False)
    played = await play(agent, error_handlers={"max_turns": lambda _: answer}, **options)
    assert played.final == "instead"
    assert played.kinds == ["tool_call_item", "tool_call_output_item"]


async def test_an_answer_that_is_not_of_the_output_type_is_refused(play: Play) -> None:
    agent, options, _ = faulty("invalid_final_output")
    with pytest.raises(UserError, match="does not fit Answer, the output type of agent 'A'"):
        await play(agent, error_handlers={"invalid_final_output": lambda _: "text"}, **options)


async def test_the_output_of_a_handler_passes_the_output_guardrails(play: Play) -> None:
    from agentgraph import (
        GuardrailFunctionOutput,
        OutputGuardrail,
        OutputGuardrailTripwireTriggered,
    )

    async def trip(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output, output == "instead")

    agent, options, _ = faulty("max_turns")
    agent.output_guardrails = [OutputGuardrail(trip)]
    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(agent, error_handlers={"max_turns": lambda _: "instead"}, **options)


def spent(requests: int, tokens: int) -> Usage:
    return Usage(
        requests=requests, input_tokens=tokens, output_tokens=tokens, total_tokens=2 * tokens
    )


async def test_usage_is_summed_over_turns_handoffs_and_agents_inside(play: Play) -> None:
    def step(output: list[Any], tokens: int) -> ModelStep:
        return ModelStep(output=output, usage=spent(1, tokens))

    inner_model = ScriptedModel([step([assistant_message("inside")], 100)])
    inner = Agent(name="Inner", model=inner_model)
    second = Agent(name="B", model=ScriptedModel([step([assistant_message("end")], 1000)]))
    model = ScriptedModel(
        [
            step([call("ask", input="?")], 1),
            step([function_call("transfer_to_b", {}, call_id="h1")], 10),
        ]
    )
    agent = Agent(name="A", model=model, tools=[inner.as_tool("ask", "Ask.")], handoffs=[second])
    usage = (await play(agent)).result.context_wrapper.usage
    assert (usage.requests, usage.input_tokens, usage.total_tokens) == (4, 1111, 2222)
    assert sorted(entry.input_tokens for entry in usage.request_usage_entries) == [
        1,
        10,
        100,
        1000,
    ]


async def test_what_a_failed_run_spent_is_on_the_exception(play: Play) -> None:
    first = ModelStep(output=[call("echo", text="x")], usage=spent(1, 5))
    second = ModelStep(output=[call("absent", "c2")], usage=spent(1, 7))
    agent = Agent(name="A", model=ScriptedModel([first, second]), tools=[echo])
    with pytest.raises(ModelBehaviorError) as caught:
        await play(agent)
    assert caught.value.run_data is not None
    assert caught.value.run_data.context_wrapper.usage.input_tokens == 12


async def test_an_error_from_a_run_inside_carries_the_data_of_the_run_outside(play: Play) -> None:
    inner = Agent(name="Inner", model=ScriptedModel([[call("absent")]]))

    @function_tool(failure_error_function=None)
    async def ask() -> str:
        result = await Runner.run(inner, "?")
        return str(result.final_output)

    agent = Agent(name="Outer", model=script([call("ask")]), tools=[ask])
    with pytest.raises(ModelBehaviorError, match="absent") as caught:
        await play(agent)
    assert caught.value.run_data is not None
    assert caught.value.run_data.last_agent is agent


# A reply in letters: a message, a call of a tool, of one that fails, of an agent, a handoff.
replies = st.lists(
    st.text("mtfah", min_size=1, max_size=4).filter(lambda letters: set(letters) - {"m"}),
    max_size=5,
)


def workflow(turns: list[str], hooked: list[str]) -> tuple[Agent[Any], Any]:
    """Two agents that share a script, with every kind of call; and hooks that note what is told."""
    ids = count(1)
    target = "b"
    steps: list[Any] = []
    for letters in turns:
        output: list[Any] = []
        for letter in letters:
            id = f"c{next(ids)}"
            match letter:
                case "m":
                    output.append(assistant_message(id, item_id=id))
                case "t":
                    output.append(call("echo", id, text=id))
                case "f":
                    output.append(call("fail", id))
                case "a":
                    output.append(call("ask", id, input=id))
                case _:
                    output.append(function_call(f"transfer_to_{target}", {}, call_id=id))
        if "h" in letters:
            target = "a" if target == "b" else "b"
        steps.append(ModelStep(output=output, usage=spent(1, len(letters))))
    steps.append([assistant_message("the end")])
    model = ScriptedModel(steps)

    @function_tool
    async def fail() -> str:
        raise ValueError("failed")

    inner = Agent(name="Inner", model=ScriptedModel(lambda _: [assistant_message("inside")]))
    tools: list[Any] = [echo, fail, inner.as_tool("ask", "Ask.")]
    first: Agent[Any] = Agent(name="a", model=model, tools=tools)
    second: Agent[Any] = Agent(name="b", model=model, tools=tools, handoffs=[first])
    first.handoffs.append(second)
    return first, _noting(hooked)


def _noting(log: list[str]) -> Any:
    def hook(name: str) -> Any:
        async def noted(self: Any, context: Any, *rest: Any, **named: Any) -> None:
            who = [str(getattr(one, "name", "")) for one in (*rest, *named.values())]
            log.append(" ".join([name, *who]))

        return noted

    names = [name for name in dir(RunHooksBase) if name.startswith("on_")]
    return type("Noting", (RunHooksBase,), {name: hook(name) for name in names})()


async def observed(turns: list[str], *, streamed: bool) -> dict[str, Any]:
    log: list[str] = []
    agent, hooks = workflow(turns, log)
    session = SQLiteSession("s")
    result: Any
    if streamed:
        result = Runner.run_streamed(agent, "go", session=session, hooks=hooks)
        items = [
            event.item
            async for event in result.stream_events()
            if event.type == "run_item_stream_event"
        ]
        assert [id(item) for item in items] == [id(item) for item in result.new_items]
    else:
        result = await Runner.run(agent, "go", session=session, hooks=hooks)
    return {
        "items": [(item.type, item.agent.name, str(item.raw_item)) for item in result.new_items],
        "final": result.final_output,
        "last": result.last_agent.name,
        "input": result.to_input_list(),
        "session": await session.get_items(),
        "usage": result.context_wrapper.usage,
        "hooks": sorted(log),  # those of parallel calls may change places
        "order": [entry for entry in log if "tool" not in entry],
        "calls": [asked.input for asked in agent.model.calls],  # type: ignore[union-attr]
    }


@given(replies)
async def test_a_plain_run_is_the_fold_of_a_streamed_one(turns: list[str]) -> None:
    plain = await observed(turns, streamed=False)
    assert await observed(turns, streamed=True) == plain
    assert plain["final"] == "the end"
    assert plain["session"] == plain["input"]
