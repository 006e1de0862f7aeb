"""Calls that wait for a person: what a suspended run says, and how it goes on
(docs/design/behaviour.md, section 11). The state of a run is not stored here, only run again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph import (
    Agent,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    ToolExecutionConfig,
    ToolGuardrailFunctionOutput,
    UserError,
    function_tool,
    tool_input_guardrail,
)
from agentgraph.exceptions import MaxTurnsExceeded
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agentgraph.tool_guardrails import ToolInputGuardrailData
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play


class Till:
    """A tool that must be approved, with a book of what it did."""

    def __init__(self, needs_approval: Any = True, **settings: Any) -> None:
        self.paid: list[int] = []

        async def pay(amount: int) -> str:
            self.paid.append(amount)
            return f"paid {amount}"

        self.tool = function_tool(pay, needs_approval=needs_approval, **settings)


async def test_a_call_that_must_be_approved_suspends_the_run(play: Play) -> None:
    till = Till()
    model = script([call("pay", amount=5)])
    played = await play(agent_with(model, till.tool))
    assert till.paid == []
    assert played.final is None
    assert played.kinds == ["tool_call_item", "tool_approval_item"]
    (pending,) = played.result.interruptions
    assert pending is played.items[1]
    assert (pending.name, pending.call_id, pending.arguments) == ("pay", "c1", '{"amount":5}')
    assert played.result.last_agent.name == "Clerk"
    assert len(model.calls) == 1


async def test_a_decision_on_one_state_of_a_run_is_none_on_another(play: Play) -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    played = await play(agent)
    first, second = played.result.to_state(), played.result.to_state()
    fork = first.fork()
    first.approve(first.get_interruptions()[0])

    assert fork.context.get_approval_status("pay", "c1") is None
    assert first.context.get_approval_status("pay", "c1") is True
    assert second.context.get_approval_status("pay", "c1") is None
    assert [item.call_id for item in (await play(agent, second)).result.interruptions] == ["c1"]
    assert till.paid == []


async def test_an_approved_call_is_made_and_the_run_goes_on(play: Play) -> None:
    till = Till()
    model = script([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    (pending,) = state.get_interruptions()
    state.approve(pending)
    played = await play(agent, state)
    assert till.paid == [5]
    assert told(model) == {"c1": "paid 5"}
    assert played.final == "done"
    assert played.result.interruptions == []
    assert played.kinds == [
        "tool_call_item",
        "tool_approval_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    assert [item.get("type") for item in played.result.to_input_list()] == [
        None,
        "function_call",
        "function_call_output",
        "message",
    ]


@pytest.mark.parametrize(
    ("message", "formatted", "expected"),
    [
        (None, False, "Tool execution was not approved."),
        ("Too much.", False, "Too much."),
        (None, True, "approval_rejected function pay c1"),
        ("Too much.", True, "Too much."),
    ],
)
async def test_of_a_rejected_call_the_model_is_told(
    play: Play, message: str | None, formatted: bool, expected: str
) -> None:
    def words(args: Any) -> str:
        return f"{args.kind} {args.tool_type} {args.tool_name} {args.call_id}"

    till = Till()
    model = script([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    state.reject(state.get_interruptions()[0], rejection_message=message)
    config = RunConfig(tool_error_formatter=words if formatted else None)
    await play(agent, state, run_config=config)
    assert till.paid == []
    assert told(model) == {"c1": expected}


async def test_other_calls_of_the_reply_are_made_and_not_repeated(play: Play) -> None:
    till, other = Till(), Till(needs_approval=False)
    note = function_tool(other.tool._function, name_override="note")
    names = ["note", "pay", "note"]
    calls = [call(name, f"c{number}", amount=number) for number, name in enumerate(names, 1)]
    model = script(calls)
    agent = agent_with(model, till.tool, note)
    waiting = await play(agent)
    assert (till.paid, other.paid) == ([], [1, 3])
    assert waiting.outputs == ["paid 1", "paid 3"]
    state = waiting.result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await play(agent, state)
    assert (till.paid, other.paid) == ([2], [1, 3])
    assert told(model) == {"c1": "paid 1", "c2": "paid 2", "c3": "paid 3"}
    assert played.final == "done"


async def test_no_turn_is_charged_for_waiting(play: Play) -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await play(agent, max_turns=2)).result.to_state()
    state.approve(state.get_interruptions()[0])
    assert (await play(agent, state)).final == "done"


async def test_turns_of_before_count(play: Play) -> None:
    till = Till()
    model = ScriptedModel([[call("pay", f"c{turn}", amount=turn)] for turn in range(3)])
    agent = agent_with(model, till.tool)
    state = (await play(agent, max_turns=2)).result.to_state()
    state.approve(state.get_interruptions()[0], always_approve=True)
    with pytest.raises(MaxTurnsExceeded):
        await play(agent, state)
    assert till.paid == [0, 1]


class TestWhatTheCallerHandlesWhenTheRunGoesOn:
    """Handlers are no part of a state: those given with it count, as in the published SDK."""

    async def waiting(self, play: Play, replies: ScriptedModel, **options: Any) -> Any:
        played = await play(agent_with(replies, Till().tool), **options)
        state = played.result.to_state()
        state.approve(state.get_interruptions()[0])
        return state

    async def test_a_handler_that_is_not_given_again_is_not_asked(self, play: Play) -> None:
        state = await self.waiting(
            play,
            script([call("pay", amount=5)]),
            max_turns=1,
            error_handlers={"max_turns": lambda failure: "late"},
        )
        with pytest.raises(MaxTurnsExceeded):
            await play(state.current_agent, state)

    async def test_a_handler_that_is_only_given_now_is_asked(self, play: Play) -> None:
        state = await self.waiting(play, script([call("pay", amount=5)]), max_turns=1)
        handlers = {"max_turns": lambda failure: "late"}
        played = await play(state.current_agent, state, error_handlers=handlers)
        assert played.final == "late"

    async def test_a_missing_tool_is_answered_as_the_configuration_now_says(
        self, play: Play
    ) -> None:
        model = script([call("pay", amount=5)], [call("sing", "c2")])
        state = await self.waiting(play, model)
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        await play(state.current_agent, state, run_config=config)
        assert "not found" in told(model)["c2"]

    @pytest.mark.parametrize("which", ["the agent at work", "another"])
    async def test_an_agent_that_was_changed_meanwhile_is_no_hindrance(
        self, play: Play, which: str
    ) -> None:
        model = script([call("pay", amount=5)], [call("sing", "c2")])
        friend = Agent(name="Friend")
        clerk = agent_with(model, Till().tool, handoffs=[friend])
        state = (await play(clerk)).result.to_state()
        state.approve(state.get_interruptions()[0])
        (clerk if which == "the agent at work" else friend).handoff_description = "Sings"
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        await play(clerk, state, run_config=config)
        assert "not found" in told(model)["c2"]


async def test_several_calls_wait_at_once_and_those_undecided_wait_on(play: Play) -> None:
    till = Till()
    calls = [call("pay", f"c{amount}", amount=amount) for amount in range(3)]
    model = script(calls)
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    first, second, third = state.get_interruptions()
    state.approve(second)
    waiting = await play(agent, state)
    assert till.paid == [1]
    assert [item.call_id for item in waiting.result.interruptions] == ["c0", "c2"]
    approvals = [item for item in waiting.items if item.type == "tool_approval_item"]
    assert [item.call_id for item in approvals] == ["c0", "c1", "c2"]
    state = waiting.result.to_state()
    one, two = state.get_interruptions()
    state.approve(one)
    state.reject(two)
    await play(agent, state)
    assert till.paid == [1, 0]
    assert list(told(model)) == ["c0", "c1", "c2"]
    assert (first.call_id, third.call_id) == ("c0", "c2")


@given(
    waits=st.lists(st.booleans(), min_size=1, max_size=6),
    rounds=st.lists(st.frozensets(st.integers(0, 5)), max_size=4),
    rejected=st.frozensets(st.integers(0, 5)),
    streamed=st.booleans(),
)
async def test_outputs_stand_in_call_order_whenever_each_call_was_decided_on(
    waits: list[bool], rounds: list[frozenset[int]], rejected: frozenset[int], streamed: bool
) -> None:
    till, note = Till(), Till(needs_approval=False)
    free = function_tool(note.tool._function, name_override="note")
    calls = [call("pay" if wait else "note", f"c{n}", amount=n) for n, wait in enumerate(waits)]
    model = script(calls)
    session = SQLiteSession("order")
    agent = agent_with(model, till.tool, free)
    played = await Play(streamed)(agent, session=session)
    announced = _outputs_announced(played.events)
    for decided in [*rounds, frozenset(range(6))]:
        answered = [item.call_id for item in played.items if item.type == "tool_call_output_item"]
        assert answered == sorted(answered)
        stored = await session.get_items()
        assert legal(stored)
        assert sorted(_answered_in(stored)) == answered
        if not played.result.interruptions:
            break
        state = played.result.to_state()
        for item in state.get_interruptions():
            number = int(item.call_id[1:])
            if number in decided:
                (state.reject if number in rejected else state.approve)(item)
        played = await Play(streamed)(agent, state, session=session)
        announced += _outputs_announced(played.events)
    ids = [f"c{number}" for number in range(len(waits))]
    assert list(told(model)) == ids
    assert played.final == "done"
    assert _answered_in(played.result.to_input_list()) == ids
    # A session is append-only: what was answered while another call waited stands before that.
    stored = await session.get_items()
    assert legal(stored)
    assert sorted(_answered_in(stored)) == ids
    assert not streamed or sorted(announced) == ids
    session.close()


def _answered_in(items: list[Any]) -> list[str]:
    return [item["call_id"] for item in items if item.get("type") == "function_call_output"]


def _outputs_announced(events: list[Any]) -> list[str]:
    named = [event for event in events if getattr(event, "name", "") == "tool_output_created"]
    return [event.item.call_id for event in named]


@pytest.mark.parametrize("approve", [True, False])
async def test_a_lasting_decision_answers_for_later_calls(play: Play, approve: bool) -> None:
    till = Till()
    model = script([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    if approve:
        state.approve(state.get_interruptions()[0], always_approve=True)
    else:
        state.reject(state.get_interruptions()[0], always_reject=True, rejection_message="Never.")
    played = await play(agent, state)
    assert till.paid == ([1, 2] if approve else [])
    assert told(model) == (
        {"c1": "paid 1", "c2": "paid 2"} if approve else dict.fromkeys(["c1", "c2"], "Never.")
    )
    assert played.final == "done"


async def test_a_decision_about_one_call_beats_a_lasting_one(play: Play) -> None:
    till = Till()
    model = script([call("pay", "c1", amount=1), call("pay", "c2", amount=2)])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    one, two = state.get_interruptions()
    state.reject(two)
    state.approve(one, always_approve=True)
    await play(agent, state)
    assert till.paid == [1]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_function_can_say_which_calls_must_be_approved(
    play: Play, asynchronous: bool
) -> None:
    asked: list[Any] = []

    def risky(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        asked.append((context.context, arguments, call_id))
        return bool(arguments["amount"] > 10)

    async def risky_later(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        return risky(context, arguments, call_id)

    till = Till(risky_later if asynchronous else risky)
    model = script([call("pay", "c1", amount=5), call("pay", "c2", amount=50)])
    agent = agent_with(model, till.tool)
    state = (await play(agent, context="shop")).result.to_state()
    assert till.paid == [5]
    assert asked == [("shop", {"amount": 5}, "c1"), ("shop", {"amount": 50}, "c2")]
    state.approve(state.get_interruptions()[0])
    await play(agent, state)
    assert till.paid == [5, 50]
    # Who was asked once is not asked again about a call that was decided.
    assert len(asked) == 2


@pytest.mark.parametrize("written", ["{not json", "[5]", "[" * 100_000])
async def test_a_person_decides_where_the_function_cannot_because_arguments_are_no_object(
    play: Play, written: str
) -> None:
    till = Till(lambda context, arguments, call_id: False)
    model = script([function_call("pay", written, call_id="c1")])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await play(agent, state)
    # Approved or not, the tool's own setting says what follows on such arguments.
    assert "Invalid JSON input for tool pay" in told(model)["c1"]
    assert (till.paid, played.final) == ([], "done")


async def test_who_is_undecided_still_waits_whatever_the_function_says_by_then(play: Play) -> None:
    answers = iter([True, True, False])
    till = Till(lambda context, arguments, call_id: next(answers))
    model = script([call("pay", "c1", amount=1), call("pay", "c2", amount=2)])
    agent = agent_with(model, till.tool)
    state = (await play(agent)).result.to_state()
    first, second = state.get_interruptions()
    state.approve(first)
    played = await play(agent, state)
    assert [it.call_id for it in played.result.interruptions] == [second.call_id]
    assert till.paid == [1]
    assert list(answers) == [False]


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), UserError("secret")])
async def test_a_person_decides_where_the_function_breaks(
    play: Play, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        raise error

    till = Till(broken)
    model = script([call("pay", amount=1)])
    agent = agent_with(model, till.tool)
    waiting = await play(agent)
    assert till.paid == []
    (logged,) = [it.getMessage() for it in caplog.records if it.levelname == "ERROR"]
    assert "needs_approval of tool pay of agent Clerk failed" in logged
    assert "secret" not in caplog.text
    state = waiting.result.to_state()
    state.approve(state.get_interruptions()[0])
    assert (await play(agent, state)).final == "done"
    assert till.paid == [1]


@pytest.mark.parametrize("words", [lambda args: None, lambda args: 5, lambda args: 1 / 0])
async def test_a_formatter_without_words_leaves_the_usual_ones(play: Play, words: Any) -> None:
    model = script([call("pay", amount=5)])
    agent = agent_with(model, Till().tool)
    state = (await play(agent)).result.to_state()
    state.reject(state.get_interruptions()[0])
    await play(agent, state, run_config=RunConfig(tool_error_formatter=words))
    assert told(model) == {"c1": "Tool execution was not approved."}


@pytest.mark.parametrize("first_streamed", [False, True])
@pytest.mark.parametrize("then_streamed", [False, True])
async def test_plain_and_streamed_runs_go_on_with_each_others_states(
    first_streamed: bool, then_streamed: bool
) -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await Play(first_streamed)(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    assert (await Play(then_streamed)(agent, state)).final == "done"
    assert till.paid == [5]


async def test_going_on_announces_only_what_is_new() -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await Play(True)(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await Play(True)(agent, state)
    named = [event.name for event in played.events if event.type == "run_item_stream_event"]
    assert named == ["tool_output_created", "message_output_created"]


async def test_hooks_hear_of_a_call_only_when_it_is_made(play: Play) -> None:
    heard: list[str] = []

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            heard.append("agent")

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            heard.append(f"start {context.tool_call_id}")

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
            heard.append(f"end {result}")

    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await play(agent, hooks=Hooks())).result.to_state()
    assert heard == ["agent"]
    state.approve(state.get_interruptions()[0])
    await play(agent, state, hooks=Hooks())
    assert heard == ["agent", "start c1", "end paid 5"]


async def test_the_agent_at_work_is_kept_across_the_wait(play: Play) -> None:
    till = Till()
    model = script([call("transfer_to_second", "h1")], [call("pay", amount=5)])
    second = Agent(name="Second", model=model, tools=[till.tool])
    first = agent_with(model, handoffs=[second])
    waiting = await play(first)
    assert waiting.result.last_agent is second
    state = waiting.result.to_state()
    assert state.current_agent is second
    state.approve(state.get_interruptions()[0])
    played = await play(first, state)
    assert played.result.last_agent is second
    assert till.paid == [5]


async def test_a_handoff_beside_a_waiting_call_is_taken_afterwards(play: Play) -> None:
    till = Till()
    model = script([call("pay", amount=5), call("transfer_to_second", "h1")])
    second = Agent(name="Second", model=model)
    first = agent_with(model, till.tool, handoffs=[second])
    waiting = await play(first)
    assert waiting.result.last_agent is first
    state = waiting.result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await play(first, state)
    assert played.result.last_agent is second
    assert told(model)["c1"] == "paid 5"


async def test_a_session_has_each_item_once(play: Play) -> None:
    session = SQLiteSession("till")
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await play(agent, session=session)).result.to_state()
    state.approve(state.get_interruptions()[0])
    await play(agent, state, session=session)
    kinds = [item.get("type", "message") for item in await session.get_items()]
    assert kinds == ["message", "function_call", "function_call_output", "message"]
    session.close()


async def test_usage_goes_on(play: Play) -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await play(agent)).result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await play(agent, state)
    assert played.result.context_wrapper.usage.requests == 2
    # The state is a snapshot: what a run from it spends is that run's.
    assert state.context.usage.requests == 1


@pytest.mark.parametrize(
    "conversation",
    [
        {"previous_response_id": "r0"},
        {"conversation_id": "c0"},
        {"auto_previous_response_id": True},
    ],
)
async def test_a_server_that_keeps_the_conversation_is_sent_only_what_is_new(
    play: Play, conversation: dict[str, Any]
) -> None:
    till = Till()
    model = ScriptedModel(
        [
            ModelStep([call("echo", "e1", text="a")], response_id="r1"),
            ModelStep([call("pay", amount=5), call("echo", "e2", text="b")], response_id="r2"),
            ModelStep([assistant_message("done")], response_id="r3"),
        ]
    )
    agent = agent_with(model, till.tool, echo)
    state = (await play(agent, **conversation)).result.to_state()
    state.approve(state.get_interruptions()[0])
    await play(agent, state)
    assert told(model, 1) == {"e1": "a"}
    assert told(model, 2) == {"e2": "b", "c1": "paid 5"}
    assert len(model.calls[2].input) == 2
    if "conversation_id" not in conversation:
        assert model.calls[2].previous_response_id == "r2"


class TestGuardrailsOnTheCall:
    def guarded(self, judged: list[str]) -> Till:
        @tool_input_guardrail
        def judge(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
            judged.append(data.context.tool_arguments)
            if '"amount":13' in data.context.tool_arguments:
                return ToolGuardrailFunctionOutput.reject_content("unlucky")
            return ToolGuardrailFunctionOutput.allow()

        return Till(tool_input_guardrails=[judge])

    async def test_run_after_the_approval(self, play: Play) -> None:
        judged: list[str] = []
        till = self.guarded(judged)
        model = script([call("pay", amount=13)])
        agent = agent_with(model, till.tool)
        state = (await play(agent)).result.to_state()
        assert judged == []
        state.approve(state.get_interruptions()[0])
        await play(agent, state)
        assert told(model) == {"c1": "unlucky"}
        assert till.paid == []

    async def test_can_spare_a_person_the_question(self, play: Play) -> None:
        judged: list[str] = []
        till = self.guarded(judged)
        model = script([call("pay", "c1", amount=13)], [call("pay", "c2", amount=5)])
        agent = agent_with(model, till.tool)
        config = RunConfig(
            tool_execution=ToolExecutionConfig(pre_approval_tool_input_guardrails=True)
        )
        waiting = await play(agent, run_config=config)
        assert waiting.outputs == ["unlucky"]
        assert [item.call_id for item in waiting.result.interruptions] == ["c2"]
        state = waiting.result.to_state()
        state.approve(state.get_interruptions()[0])
        await play(agent, state, run_config=config)
        assert till.paid == [5]


class TestInsideAgentTools:
    def nested(self, till: Till, depth: int) -> tuple[Agent[Any], list[ScriptedModel]]:
        model = script([call("echo", "e0", text="once"), call("pay", "p0", amount=5)])
        models = [model]
        agent = Agent(name="Level 0", model=model, tools=[till.tool, echo])
        for level in range(1, depth + 1):
            calls = [call("ask", f"a{level}", input="x"), call("echo", f"e{level}", text="y")]
            model = script(calls)
            models.append(model)
            tools: list[Any] = [agent.as_tool("ask", "Ask."), echo]
            agent = Agent(name=f"Level {level}", model=model, tools=tools)
        return agent, models

    @pytest.mark.parametrize("depth", [1, 3])
    async def test_a_call_suspends_the_whole_and_is_made_in_its_place(
        self, play: Play, depth: int
    ) -> None:
        till = Till()
        agent, models = self.nested(till, depth)
        waiting = await play(agent)
        (pending,) = waiting.result.interruptions
        assert (pending.name, pending.agent.name) == ("pay", "Level 0")
        assert till.paid == []
        assert waiting.outputs == ["y"]
        state = waiting.result.to_state()
        state.approve(pending)
        played = await play(agent, state)
        assert till.paid == [5]
        assert played.final == "done"
        assert [len(model.calls) for model in models] == [2] * (depth + 1)
        assert played.result.context_wrapper.usage.requests == 2 * (depth + 1)

    async def test_a_session_of_the_run_inside_has_each_item_once(self, play: Play) -> None:
        session = SQLiteSession("inside")
        till = Till()
        model = script([call("echo", "e0", text="a")], [call("pay", "p0", amount=5)])
        inner = Agent(name="Expert", model=model, tools=[till.tool, echo])
        outer = agent_with(
            script([call("ask", input="x")]), inner.as_tool("ask", "Ask.", session=session)
        )
        state = (await play(outer)).result.to_state()
        state.approve(state.get_interruptions()[0])
        await play(outer, state)
        kinds = [item.get("type", "message") for item in await session.get_items()]
        called = ["function_call", "function_call_output"]
        assert kinds == ["message", *called, *called, "message"]
        session.close()

    async def test_a_decision_is_about_the_call_of_one_run_whatever_ids_models_give(
        self, play: Play
    ) -> None:
        till = Till()
        replies = [[call("pay", "same", amount=amount)] for amount in (1, 2)]
        done = [[assistant_message("done")]] * 2
        inner = Agent(
            name="Expert", model=ScriptedModel([*replies, *done]), tools=[till.tool]
        ).as_tool("ask", "Ask.")
        asked = [call("ask", "a1", input="x"), call("ask", "a2", input="y")]
        outer = agent_with(script([*asked, call("pay", "same", amount=3)]), inner, till.tool)
        state = (await play(outer)).result.to_state()
        first, second, third = state.get_interruptions()
        state.approve(second)
        state = (await play(outer, state)).result.to_state()
        assert till.paid == [2]
        left = [item.arguments for item in state.get_interruptions()]
        assert left == [first.arguments, third.arguments]
        state.reject(state.get_interruptions()[0])
        state.approve(state.get_interruptions()[1])
        assert (await play(outer, state)).final == "done"
        assert till.paid == [2, 3]

    async def test_a_lasting_decision_lasts_for_the_run_that_asked(self, play: Play) -> None:
        till = Till()
        replies = [[call("pay", f"p{amount}", amount=amount)] for amount in (1, 2)]
        inner = Agent(name="Expert", model=script(*replies), tools=[till.tool])
        outer = agent_with(
            script([call("ask", "a1", input="x")], [call("pay", "c1", amount=3)]),
            inner.as_tool("ask", "Ask."),
            till.tool,
        )
        state = (await play(outer)).result.to_state()
        state.approve(state.get_interruptions()[0], always_approve=True)
        waiting = await play(outer, state)
        assert till.paid == [1, 2]
        assert [item.call_id for item in waiting.result.interruptions] == ["c1"]

    async def test_a_rejection_is_told_to_the_model_inside(self, play: Play) -> None:
        till = Till()
        agent, models = self.nested(till, 1)
        state = (await play(agent)).result.to_state()
        state.reject(state.get_interruptions()[0], rejection_message="No.")
        await play(agent, state)
        assert told(models[0]) == {"e0": "once", "p0": "No."}

    async def test_two_runs_inside_wait_at_once(self, play: Play) -> None:
        tills = Till(), Till()
        inner = [
            Agent(
                name=f"Expert {number}",
                model=script([call("pay", f"p{number}", amount=number)]),
                tools=[till.tool],
            )
            for number, till in enumerate(tills)
        ]
        calls = [call("ask_0", "a0", input="x"), call("ask_1", "a1", input="x")]
        tools = [agent.as_tool(f"ask_{number}", "Ask.") for number, agent in enumerate(inner)]
        outer = agent_with(script(calls), *tools)
        state = (await play(outer)).result.to_state()
        first, second = state.get_interruptions()
        state.approve(second)
        waiting = await play(outer, state)
        assert [till.paid for till in tills] == [[], [1]]
        assert [item.call_id for item in waiting.result.interruptions] == [first.call_id]
        state = waiting.result.to_state()
        state.approve(state.get_interruptions()[0])
        assert (await play(outer, state)).final == "done"
        assert [till.paid for till in tills] == [[0], [1]]

    async def test_the_agent_tool_itself_can_need_approval(self, play: Play) -> None:
        inner = script()
        tool = Agent(name="Expert", model=inner).as_tool("ask", "Ask.", needs_approval=True)
        outer = agent_with(script([call("ask", input="x")]), tool)
        waiting = await play(outer)
        (pending,) = waiting.result.interruptions
        assert pending.name == "ask"
        assert inner.calls == ()
        state = waiting.result.to_state()
        state.approve(pending)
        assert (await play(outer, state)).outputs == ["done"]


async def test_cancelling_a_resumed_run_is_cancelling_a_run() -> None:
    till = Till()
    agent = agent_with(script([call("pay", amount=5)]), till.tool)
    state = (await Runner.run(agent, "go")).to_state()
    state.approve(state.get_interruptions()[0])
    result = Runner.run_streamed(agent, state)
    result.cancel()
    assert [event async for event in result.stream_events()] == []
    assert till.paid == []
