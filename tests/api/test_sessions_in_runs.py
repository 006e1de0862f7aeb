"""Sessions of a run: when what is stored, and what a model is shown of it
(docs/design/behaviour.md, section 9)."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseReasoningItem

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelBehaviorError,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    SQLiteSession,
    ToolsToFinalOutputResult,
    UserError,
    function_tool,
)
from agentgraph.memory import SessionABC, SessionSettings
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


def kinds(items: list[Any]) -> list[str]:
    return [item.get("role") or item["type"] for item in items]


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def reasoning(item_id: str) -> Any:
    return ResponseReasoningItem(id=item_id, summary=[], type="reasoning")


class Listed(SessionABC):
    """A store that notes what is written when; it may fail, and gives nothing until it has some.

    As in the guide: `get_items` returns None where nothing is stored yet.
    """

    def __init__(self, *stored: Any, fails_at: int = -1) -> None:
        self.session_id = "listed"
        self.writes: list[list[Any]] = []
        self.stored: list[Any] = list(stored)
        self.fails_at = fails_at

    async def get_items(self, limit: int | None = None) -> Any:
        return list(self.stored) or None

    async def add_items(self, items: list[Any]) -> None:
        if len(self.writes) == self.fails_at:
            raise OSError("disk full")
        self.writes.append(kinds(items))
        self.stored += items

    async def pop_item(self) -> Any:
        return self.stored.pop() if self.stored else None

    async def clear_session(self) -> None:
        self.stored.clear()


def working() -> Agent[Any]:
    """An agent with a tool turn, a handoff turn and an answer."""
    second = Agent(name="B", model=script(answer="from b"))
    model = script([call("echo", text="x")], [function_call("transfer_to_b", {}, call_id="h1")])
    return Agent(name="A", model=model, tools=[echo], handoffs=[second])


async def test_input_is_stored_before_the_first_call_and_each_turn_at_its_end(play: Play) -> None:
    session = Listed()
    written: list[int] = []

    def reply(asked: Any) -> Any:
        written.append(len(session.writes))
        return replies.pop(0)

    replies: list[Any] = [
        [call("echo", text="x")],
        [function_call("transfer_to_b", {}, call_id="h1")],
        [assistant_message("from b")],
    ]
    model = ScriptedModel(reply)
    second = Agent(name="B", model=model)
    await play(Agent(name="A", model=model, tools=[echo], handoffs=[second]), session=session)
    assert written == [1, 2, 3]
    assert session.writes == [
        ["user"],
        ["function_call", "function_call_output"],
        ["function_call", "function_call_output"],
        ["assistant"],
    ]


async def test_the_next_run_is_shown_what_the_last_one_stored(play: Play) -> None:
    session = SQLiteSession("s")
    await play(working(), "first", session=session)
    model = script()
    await play(Agent(name="A", model=model), ["second", user("third")], session=session)
    items: Any = model.calls[0].input
    assert kinds(items) == [
        *("user", "function_call", "function_call_output"),
        *("function_call", "function_call_output", "assistant"),
        *("user", "user"),
    ]
    assert len(await session.get_items()) == 9


async def test_the_input_is_stored_whatever_becomes_of_the_run(play: Play) -> None:
    async def trip(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, True)

    for parallel in (True, False):
        guardrail = InputGuardrail(trip, run_in_parallel=parallel)
        for agent, error in (
            (Agent(name="A", model=ScriptedModel([OSError("down")])), OSError),
            (
                Agent(name="A", model=script(), input_guardrails=[guardrail]),
                InputGuardrailTripwireTriggered,
            ),
            (Agent(name="A", model=ScriptedModel([[call("absent")]])), ModelBehaviorError),
        ):
            session = Listed()
            with pytest.raises(error):
                await play(agent, session=session)
            assert session.writes == [["user"]]


async def test_answers_of_error_handlers_can_stand_in_one_history(play: Play) -> None:
    session = SQLiteSession("s")

    for turn in "12":
        agent = Agent(name="A", model=script([call("echo", turn, text="x")]), tools=[echo])
        handlers: Any = {"max_turns": lambda _: "Sorry."}
        await play(agent, turn, session=session, max_turns=1, error_handlers=handlers)

    items = await session.get_items()
    assert kinds(items)[3::4] == ["assistant"] * 2
    assert legal(items)


async def test_of_a_turn_that_a_tool_ends_the_answered_calls_are_kept_and_not_what_was_said(
    play: Play,
) -> None:
    async def fail() -> str:
        raise ZeroDivisionError

    session = SQLiteSession("s")
    reply = [reasoning("r1"), assistant_message("One moment."), call("echo", text="x")]
    thought = [reasoning("r2"), call("echo", "c2", text="y"), call("fail", "c3")]
    tools = [echo, function_tool(fail, failure_error_function=None)]
    agent = Agent(name="A", model=ScriptedModel([[*reply, *thought]]), tools=tools)

    with pytest.raises(UserError):
        await play(agent, "hi", session=session)

    items: list[Any] = await session.get_items()
    assert legal(items)
    assert kinds(items) == [
        "user",
        "function_call",
        "reasoning",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert items[2]["id"] == "r2"


async def test_the_reasoning_of_a_blocked_message_does_not_go_to_the_call_after_it(
    play: Play,
) -> None:
    async def trip(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    session = SQLiteSession("s")
    reply = [reasoning("r1"), assistant_message("One moment."), call("echo", text="x")]
    agent = Agent(
        name="A",
        model=ScriptedModel([reply]),
        tools=[echo],
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[OutputGuardrail(trip)],
    )

    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(agent, "hi", session=session)

    assert kinds(await session.get_items()) == ["user", "function_call", "function_call_output"]


async def test_a_tool_output_that_a_guardrail_blocked_is_shown_to_no_later_run(play: Play) -> None:
    async def trip(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    session = SQLiteSession("s")
    calls = [call("echo", "c1", text="secret"), call("echo", "c2", text="secret, too")]
    agent = Agent(
        name="A",
        model=ScriptedModel([[call("echo", "c0", text="fine")], [assistant_message("x"), *calls]]),
        tools=[echo],
        tool_use_behavior=lambda _, results: ToolsToFinalOutputResult(
            is_final_output=len(results) == 2, final_output=results[0].output
        ),
        output_guardrails=[OutputGuardrail(trip)],
    )

    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(agent, "hi", session=session)

    items: list[Any] = await session.get_items()
    assert legal(items)
    assert kinds(items)[3:] == ["function_call"] * 2 + ["function_call_output"] * 2
    assert [item["output"] for item in items if "output" in item] == [
        "fine",
        "Output withheld by an output guardrail.",
        "Output withheld by an output guardrail.",
    ]


def _on_guard(message: Any) -> RunConfig:
    async def guard(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info="secret", tripwire_triggered=True)

    return RunConfig(
        output_guardrails=[OutputGuardrail(guard)], output_guardrail_blocked_message=message
    )


def _raises(_: Any) -> str:
    raise ValueError("secret")


@pytest.mark.parametrize(
    ("message", "kept", "warned"),
    [
        ("gone", "gone", False),
        (lambda args: f"{args.agent.name}: {args.guardrail_name}", "A: guard", False),
        (lambda args: args.run_context.context, "of the context", False),
        (lambda args: None, "Output withheld by an output guardrail.", False),
        (lambda args: "", "Output withheld by an output guardrail.", True),
        (_raises, "Output withheld by an output guardrail.", True),
    ],
)
async def test_what_stands_in_the_place_of_a_blocked_tool_output_is_for_the_run_to_say(
    play: Play, message: Any, kept: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    session = SQLiteSession("s")
    agent = Agent(
        name="A",
        model=ScriptedModel([[call("echo", "c1", text="secret")]]),
        tools=[echo],
        tool_use_behavior="stop_on_first_tool",
    )

    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(
            agent, "hi", session=session, run_config=_on_guard(message), context="of the context"
        )

    items: list[Any] = await session.get_items()
    assert items[-1]["output"] == kept
    assert "secret" not in caplog.text
    assert ("gave no text" in caplog.text) == warned


async def test_a_blocked_message_asks_for_no_words_in_its_place(play: Play) -> None:
    session = SQLiteSession("s")
    agent = Agent(name="A", model=ScriptedModel([[assistant_message("secret")]]))

    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(agent, "hi", session=session, run_config=_on_guard(pytest.fail))

    assert kinds(await session.get_items()) == ["user"]


@pytest.mark.parametrize("message", ["", 3])
def test_words_for_a_blocked_output_that_are_none_are_refused(message: Any) -> None:
    with pytest.raises(UserError, match="output_guardrail_blocked_message must be"):
        RunConfig(output_guardrail_blocked_message=message)


async def test_a_run_out_of_turns_has_stored_its_turns(play: Play) -> None:
    session = Listed()
    with pytest.raises(MaxTurnsExceeded):
        await play(working(), session=session, max_turns=2)
    assert kinds(session.stored) == [
        "user",
        *("function_call", "function_call_output"),
        *("function_call", "function_call_output"),
    ]


async def test_of_a_turn_cut_short_what_a_tool_did_is_kept(play: Play) -> None:
    @function_tool(failure_error_function=None)
    async def fail() -> str:
        raise ValueError("no")

    session = Listed()
    agent = Agent(
        name="A",
        model=script([call("echo", "c1", text="x"), call("fail", "c2")]),
        tools=[echo, fail],
    )
    with pytest.raises(UserError):
        await play(agent, session=session)
    assert kinds(session.stored) == ["user", "function_call", "function_call_output"]
    assert legal(session.stored)


WRITES = [
    ["user"],
    ["function_call", "function_call_output"],
    ["assistant"],
]


@pytest.mark.parametrize("write", [0, 1, 2])
async def test_a_store_that_fails_ends_the_run(play: Play, write: int) -> None:
    session, model = Listed(fails_at=write), script([call("echo", text="x")])
    with pytest.raises(SessionError, match=r"'listed' could not store .*: OSError") as raised:
        await play(Agent(name="A", model=model, tools=[echo]), session=session)
    assert str(raised.value.__cause__) == "disk full"
    assert "disk full" not in str(raised.value)
    data = raised.value.run_data
    assert data is not None
    assert [item.type for item in data.new_items] == [
        *["tool_call_item", "tool_call_output_item"][: 2 * write],
        *["message_output_item"][: write - 1],
    ]
    assert len(data.raw_responses) == len(model.calls) == write
    assert session.writes == WRITES[:write]


@pytest.mark.parametrize("write", [0, 1, 2])
@pytest.mark.parametrize("fails_again", [0, 1])
async def test_a_run_whose_store_failed_saves_when_it_goes_on_and_asks_no_model_again(
    play: Play, write: int, fails_again: int
) -> None:
    echoed: list[str] = []

    @function_tool
    async def note(text: str) -> str:
        echoed.append(text)
        return text

    session, model = Listed(fails_at=write), script([call("note", text="x")])
    agent = Agent(name="A", model=model, tools=[note])
    result = Runner.run_streamed(agent, "go", session=session)
    with pytest.raises(SessionError):
        [event async for event in result.stream_events()]
    state = result.to_state()
    for _ in range(fails_again):
        with pytest.raises(SessionError):
            await play(agent, state, session=session)
    session.fails_at = -1
    played = await play(agent, state, session=session)
    assert played.final == "done"
    assert (len(model.calls), echoed) == (2, ["x"])
    assert session.writes == WRITES
    assert legal(session.stored)


async def test_a_waiting_run_whose_store_failed_is_saved_and_goes_on_with_the_decision(
    play: Play,
) -> None:
    paid: list[int] = []

    @function_tool(needs_approval=True)
    async def pay() -> str:
        paid.append(5)
        return "paid"

    session, model = Listed(fails_at=1), script([call("echo", text="x"), call("pay", "c2")])
    agent = Agent(name="A", model=model, tools=[echo, pay])
    result = Runner.run_streamed(agent, "go", session=session)
    with pytest.raises(SessionError):
        [event async for event in result.stream_events()]
    state = result.to_state()
    state.approve(state.get_interruptions()[0])
    with pytest.raises(SessionError):
        await play(agent, state, session=session)
    assert paid == []
    session.fails_at = -1
    assert (await play(agent, state, session=session)).final == "done"
    assert (paid, len(model.calls)) == ([5], 2)
    assert session.writes == [*WRITES[:2], *WRITES[1:]]
    assert legal(session.stored)


async def test_a_store_that_fails_beside_a_fault_hides_neither(play: Play) -> None:
    @function_tool(failure_error_function=None)
    async def fail() -> str:
        raise LookupError("tool is down")

    session, model = (
        Listed(fails_at=1),
        ScriptedModel([[call("echo", text="x"), call("fail", "c2")]]),
    )
    agent = Agent(name="A", model=model, tools=[echo, fail])
    with pytest.raises(SessionError) as raised:
        await play(agent, session=session)
    assert str(raised.value.__cause__) == "disk full"
    assert isinstance(raised.value.__context__, UserError)
    assert "tool is down" in str(raised.value.__context__)


async def test_a_store_that_cannot_be_read_ends_the_run_before_any_call(play: Play) -> None:
    class Unreadable(Listed):
        async def get_items(self, limit: int | None = None) -> Any:
            raise OSError("no disk")

    model = script()
    with pytest.raises(SessionError, match="'listed' could not be read: OSError") as raised:
        await play(Agent(name="A", model=model), session=Unreadable())
    assert str(raised.value.__cause__) == "no disk"
    assert raised.value.run_data is not None
    assert raised.value.run_data.input == "go"
    assert model.calls == ()


async def test_calls_without_outputs_in_the_history_are_left_out_but_not_those_of_the_caller(
    play: Play,
) -> None:
    orphan: Any = {"type": "function_call", "call_id": "o1", "name": "f", "arguments": "{}"}
    fresh: Any = {**orphan, "call_id": "o2"}
    session, model = Listed(user("before"), orphan), script()
    await play(Agent(name="A", model=model), [fresh, "now"], session=session)
    items: Any = model.calls[0].input
    assert [item.get("call_id") or item["content"] for item in items] == ["before", "o2", "now"]
    # The store itself is not rewritten.
    assert session.stored[1] == orphan


@pytest.mark.parametrize("limit", [0, 1, 2, None])
async def test_a_limit_says_how_much_of_the_history_is_shown(play: Play, limit: int | None) -> None:
    session, model = SQLiteSession("s"), script()
    await session.add_items([user("one"), user("two"), user("three")])
    config = RunConfig(session_settings=SessionSettings(limit=limit))
    await play(Agent(name="A", model=model), "now", session=session, run_config=config)
    items: Any = model.calls[0].input
    said = [item["content"] for item in items]
    assert said == [*["one", "two", "three"][3 if limit == 0 else -(limit or 3) :], "now"]


async def test_the_callback_decides_what_is_shown_and_only_what_is_new_is_stored(
    play: Play,
) -> None:
    def last_and_new(history: list[Any], new: list[Any]) -> list[Any]:
        return [history[-1], {**user("added")}, *new]

    async def last_and_new_later(history: list[Any], new: list[Any]) -> list[Any]:
        return last_and_new(history, new)

    for callback in (last_and_new, last_and_new_later):
        session, model = Listed(user("one"), user("two")), script()
        config = RunConfig(session_input_callback=callback)
        await play(Agent(name="A", model=model), "now", session=session, run_config=config)
        items: Any = model.calls[0].input
        assert [item["content"] for item in items] == ["two", "added", "now"]
        assert session.writes[0] == ["user", "user"]
        assert [item["content"] for item in session.stored[2:4]] == ["added", "now"]


async def test_a_question_that_was_asked_before_is_stored_again(play: Play) -> None:
    session = Listed(user("hi"), {"role": "assistant", "content": "hello"})
    config = RunConfig(session_input_callback=lambda history, new: new)
    await play(Agent(name="A", model=script()), "hi", session=session, run_config=config)
    assert kinds(session.stored) == ["user", "assistant", "user", "assistant"]


async def test_a_callback_changes_copies_and_never_what_is_stored(play: Play) -> None:
    def deface(history: list[Any], new: list[Any]) -> list[Any]:
        history[0]["content"] = "defaced"
        history.clear()
        return new

    session = Listed(user("one"))
    config = RunConfig(session_input_callback=deface)
    await play(Agent(name="A", model=script()), "now", session=session, run_config=config)
    assert session.stored[0] == user("one")


@pytest.mark.parametrize("wrong", [None, "text", 3])
async def test_a_callback_that_gives_no_list_is_refused(play: Play, wrong: Any) -> None:
    model = script()
    config = RunConfig(session_input_callback=lambda history, new: wrong)
    with pytest.raises(UserError, match="session_input_callback must return a list"):
        await play(Agent(name="A", model=model), session=Listed(), run_config=config)
    assert model.calls == ()


async def test_what_is_stored_is_plain_input(play: Play) -> None:
    import json

    session = Listed()
    await play(working(), session=session)
    assert json.loads(json.dumps(session.stored)) == session.stored
    again = script()
    await play(Agent(name="A", model=again), session.stored)
    items: Any = again.calls[0].input
    assert items == session.stored[: len(items)]


async def test_runs_one_after_the_other_in_one_session_keep_a_legal_history(play: Play) -> None:
    session = SQLiteSession("s")
    for number in range(3):
        model = ScriptedModel(
            [
                [call("echo", f"{number}.c", text="x")],
                ModelStep(output=[assistant_message("ok", item_id=f"m{number}")]),
            ]
        )
        await play(Agent(name="A", model=model, tools=[echo]), f"q{number}", session=session)
    stored = await session.get_items()
    assert legal(stored)
    assert len(stored) == 12


async def test_a_session_of_an_agent_tool_is_its_own() -> None:
    outer, inside = Listed(), Listed()
    inner = Agent(name="Inner", model=script(answer="inside"))
    tool = inner.as_tool("ask", "Ask.", session=inside)
    agent = Agent(name="A", model=script([call("ask", input="?")]), tools=[tool])
    await Runner.run(agent, "go", session=outer)
    assert kinds(inside.stored) == ["user", "assistant"]
    assert kinds(outer.stored) == ["user", "function_call", "function_call_output", "assistant"]
