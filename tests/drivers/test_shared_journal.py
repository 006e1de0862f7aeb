"""All states of one run share its journal: what was done is done for each of them, and
`state.fork()` is how to do it again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import Agent, RunHooks, Runner, SQLiteSession, UserError, function_tool
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, told
from tests.api.conftest import Play


class Till:
    """A tool that must be approved, with a book of what it did."""

    def __init__(self, needs_approval: Any = True, **settings: Any) -> None:
        self.paid: list[int] = []

        async def pay(amount: int) -> str:
            self.paid.append(amount)
            return f"paid {amount}"

        self.tool = function_tool(pay, needs_approval=needs_approval, **settings)


def counting(*replies: Any) -> ScriptedModel:
    """A model that gives these replies and then an answer with its own number."""
    model: ScriptedModel

    def answer(request: Any) -> Any:
        return [assistant_message(f"answer {len(model.calls)}")]

    responder = ModelStep.respond(answer)
    model = ScriptedModel([*replies, *[responder] * 5])
    return model


async def waiting(play: Play, agent: Agent[Any], **options: Any) -> Any:
    return (await play(agent, **options)).result.to_state()


def approved(state: Any) -> Any:
    for item in state.get_interruptions():
        state.approve(item)
    return state


async def test_a_state_that_is_run_again_gives_the_recorded_result(play: Play) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    state = approved(await waiting(play, agent))
    first = await play(agent, state)
    second = await play(agent, state)
    assert (first.final, second.final) == ("answer 2", "answer 2")
    assert (till.paid, len(model.calls)) == ([5], 2)
    assert first.kinds == second.kinds
    assert first.result.to_input_list() == second.result.to_input_list()
    usages = [played.result.context_wrapper.usage for played in (first, second)]
    assert usages[0] == usages[1]
    assert usages[0].requests == 2


async def test_another_state_of_the_result_gives_what_the_first_brought(play: Play) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    result = (await play(agent)).result
    one, other = approved(result.to_state()), approved(result.to_state())
    assert (await play(agent, one)).final == (await play(agent, other)).final == "answer 2"
    # One that says nothing about the call, too: it was decided on.
    assert (await play(agent, result.to_state())).final == "answer 2"
    assert (till.paid, len(model.calls)) == ([5], 2)


@pytest.mark.parametrize("yes_first", [True, False])
@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("nested", [True, False])
async def test_a_call_is_not_decided_on_otherwise_once_the_run_went_on(
    play: Play, yes_first: bool, lasting: bool, nested: bool
) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    if nested:
        agent = agent_with(counting([call("ask", "a1", input="x")]), agent.as_tool("ask", "Ask."))
    result = (await play(agent)).result
    (item,) = result.interruptions
    yes, no = result.to_state(), result.to_state()
    yes.approve(item, always_approve=lasting)
    no.reject(item, always_reject=lasting)
    first, then = (yes, no) if yes_first else (no, yes)
    assert (await play(agent, first)).final == "answer 2"
    for _ in range(2):
        with pytest.raises(UserError, match=r"'c1' of tool 'pay' was decided already.*fork"):
            await play(agent, then)
    assert till.paid == ([5] if yes_first else [])
    assert len(model.calls) == 2
    assert (await play(agent, first)).final == "answer 2"


@pytest.mark.parametrize("gone_on", [True, False])
async def test_a_fork_does_it_all_again_whatever_the_run_has_done(
    play: Play, gone_on: bool
) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    state = approved(await waiting(play, agent))
    fork = None if gone_on else state.fork()
    assert (await play(agent, state)).final == "answer 2"
    fork = state.fork() if fork is None else fork
    assert (await play(agent, fork)).final == "answer 3"
    assert (await play(agent, fork)).final == "answer 3"
    assert (await play(agent, state)).final == "answer 2"
    assert till.paid == [5, 5]


async def test_a_fork_can_be_decided_on_otherwise(play: Play) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    result = (await play(agent)).result
    rejected, fork = result.to_state(), result.to_state().fork()
    rejected.reject(rejected.get_interruptions()[0], rejection_message="No.")
    await play(agent, rejected)
    assert (till.paid, told(model)) == ([], {"c1": "No."})
    await play(agent, approved(fork))
    assert (till.paid, told(model)) == ([5], {"c1": "paid 5"})


async def test_a_fork_of_a_state_starts_at_that_state_and_not_where_the_run_is(
    play: Play,
) -> None:
    till = Till()
    model = counting([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
    agent = agent_with(model, till.tool)
    first = await waiting(play, agent)
    second = approved((await play(agent, approved(first))).result.to_state())
    await play(agent, second)
    assert till.paid == [1, 2]
    fork = first.fork()
    assert [item.call_id for item in fork.get_interruptions()] == ["c1"]
    await play(agent, fork)
    assert till.paid == [1, 2, 1]
    await play(agent, second.fork())
    assert till.paid == [1, 2, 1, 2]


async def test_a_state_that_is_made_late_is_that_of_its_result(play: Play) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    result = (await play(agent)).result
    assert (await play(agent, approved(result.to_state()))).final == "answer 2"
    late = result.to_state()
    assert [item.call_id for item in late.get_interruptions()] == ["c1"]
    assert (await play(agent, late.fork())).result.interruptions != []
    assert (await play(agent, approved(late.fork()))).final == "answer 3"
    assert (await play(agent, late)).final == "answer 2"
    assert till.paid == [5, 5]


@pytest.mark.parametrize("streamed", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("nested", [False, True])
async def test_a_double_click_has_each_effect_once_and_gives_both_the_result(
    streamed: tuple[bool, bool], nested: bool
) -> None:
    till, model = Till(), counting([call("pay", amount=5)])
    agent = agent_with(model, till.tool)
    if nested:
        agent = agent_with(counting([call("ask", "a1", input="x")]), agent.as_tool("ask", "Ask."))
    state = approved((await Runner.run(agent, "go")).to_state())
    first, second = await asyncio.gather(*(Play(one)(agent, state) for one in streamed))
    assert first.final == second.final == "answer 2"
    assert first.kinds == second.kinds
    assert first.result.context_wrapper.usage == second.result.context_wrapper.usage
    assert till.paid == [5]


async def test_the_second_click_waits_for_the_first_and_outlives_its_cancellation() -> None:
    reached, go_on, paid = asyncio.Event(), asyncio.Event(), []

    @function_tool(needs_approval=True)
    async def pay() -> str:
        reached.set()
        await go_on.wait()
        paid.append(5)
        return "paid"

    model = counting([call("pay")])
    agent = agent_with(model, pay)
    state = approved((await Runner.run(agent, "go")).to_state())
    first = asyncio.create_task(Runner.run(agent, state))
    await reached.wait()
    second = asyncio.create_task(Runner.run(agent, state))
    reached.clear()
    first.cancel()
    await reached.wait()
    go_on.set()
    assert (await second).final_output == "answer 2"
    assert paid == [5]
    with pytest.raises(asyncio.CancelledError):
        await first


class TestAfterAFault:
    """A run that a fault ended goes on when its state is run again."""

    async def test_of_a_hook_that_raised_after_the_effect(self, play: Play) -> None:
        class Broken(RunHooks[Any]):
            async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
                raise OSError("metrics are down")

        till, model = Till(), counting([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent))
        with pytest.raises(UserError, match="metrics are down"):
            await play(agent, state, hooks=Broken())
        played = await play(agent, state)
        assert (till.paid, told(model)) == ([5], {"c1": "paid 5"})
        assert played.final == "answer 2"

    @pytest.mark.parametrize("asked", [True, False])
    async def test_of_a_tool_that_raised_beside_others(self, play: Play, asked: bool) -> None:
        till, tries = Till(needs_approval=asked), list[int]()

        @function_tool(failure_error_function=None, needs_approval=True)
        async def flaky() -> str:
            tries.append(1)
            if len(tries) == 1:
                raise LookupError("down")
            return "up"

        model = counting([call("pay", "c1", amount=5), call("flaky", "c2")])
        agent = agent_with(model, till.tool, flaky)
        state = approved(await waiting(play, agent))
        with pytest.raises(UserError, match="down"):
            await play(agent, state)
        played = await play(agent, state)
        assert (till.paid, len(tries)) == ([5], 2)
        assert told(model) == {"c1": "paid 5", "c2": "up"}
        assert list(told(model)) == ["c1", "c2"]
        assert played.final == "answer 2"

    async def test_of_a_tool_inside_an_agent_tool(self, play: Play) -> None:
        till, tries = Till(), list[int]()

        @function_tool(failure_error_function=None, needs_approval=True)
        async def flaky() -> str:
            tries.append(1)
            if len(tries) == 1:
                raise LookupError("down")
            return "up"

        inner_model = counting([call("pay", "c1", amount=5), call("flaky", "c2")])
        inner = Agent(name="Expert", model=inner_model, tools=[till.tool, flaky])
        agent = agent_with(
            counting([call("ask", "a1", input="x")]),
            inner.as_tool("ask", "Ask.", failure_error_function=None),
        )
        state = approved(await waiting(play, agent))
        with pytest.raises(UserError, match="down"):
            await play(agent, state)
        played = await play(agent, state)
        assert (till.paid, len(tries)) == ([5], 2)
        assert told(inner_model) == {"c1": "paid 5", "c2": "up"}
        assert (played.outputs, played.final) == (["answer 2"], "answer 2")

    async def test_of_a_model_that_was_down(self, play: Play) -> None:
        till = Till()
        model = ScriptedModel(
            [[call("pay", amount=5)], OSError("down"), [assistant_message("done")]]
        )
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent))
        with pytest.raises(OSError, match="down"):
            await play(agent, state)
        assert (await play(agent, state)).final == "done"
        assert till.paid == [5]

    async def test_of_a_cancellation_beside_a_finished_sibling(self, play: Play) -> None:
        till, reached, stuck = Till(), asyncio.Event(), list[int]()

        @function_tool(needs_approval=True)
        async def slow() -> str:
            stuck.append(1)
            if len(stuck) == 1:
                reached.set()
                await asyncio.Event().wait()
            return "at last"

        model = counting([call("pay", "c1", amount=5), call("slow", "c2")])
        agent = agent_with(model, till.tool, slow)
        state = approved(await waiting(play, agent))
        task = asyncio.create_task(play(agent, state))
        await reached.wait()
        assert till.paid == [5]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        played = await play(agent, state)
        assert (till.paid, len(stuck)) == ([5], 2)
        assert told(model) == {"c1": "paid 5", "c2": "at last"}
        assert played.final == "answer 2"

    async def test_a_refused_reply_gives_the_recorded_fault_again(self, play: Play) -> None:
        till = Till()
        model = counting([call("pay", amount=5)], [call("sing", "c2")])
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent))
        said = []
        for _ in range(2):
            with pytest.raises(Exception, match="sing") as raised:
                await play(agent, state)
            said.append((type(raised.value), str(raised.value)))
        assert said[0] == said[1]
        assert (till.paid, len(model.calls)) == ([5], 2)


class TestStatesOfRunsThatWaitForNothing:
    async def test_a_finished_run_gives_its_result_again(self, play: Play) -> None:
        model = counting()
        agent = agent_with(model)
        result = (await play(agent)).result
        state = result.to_state()
        assert state.get_interruptions() == []
        again = await play(agent, state)
        assert (again.final, len(model.calls)) == ("answer 1", 1)
        assert again.result.to_input_list() == result.to_input_list()

    @pytest.mark.parametrize("then", [Play(False), Play(True)])
    async def test_a_stopped_run_goes_on_with_its_next_turn(self, then: Play) -> None:
        till = Till(needs_approval=False)
        model = counting([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        result = Runner.run_streamed(agent, "go")
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                result.cancel(mode="after_turn")
        assert (till.paid, result.final_output, len(model.calls)) == ([5], None, 1)
        played = await then(agent, result.to_state())
        assert (played.final, till.paid) == ("answer 2", [5])
        assert told(model) == {"c1": "paid 5"}

    async def test_a_run_that_goes_on_has_no_state_yet(self) -> None:
        agent = agent_with(counting())
        result = Runner.run_streamed(agent, "go")
        with pytest.raises(UserError, match="still going"):
            result.to_state()
        async for _ in result.stream_events():
            pass
        assert result.to_state().current_agent is agent


class TestOptionsAreThoseOfEachRun:
    """Hooks, session and limit are no part of a state: a run goes on with those it is passed."""

    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize("after", [True, False])
    async def test_hooks_hear_of_what_is_done_while_they_are_set(
        self, play: Play, before: bool, after: bool
    ) -> None:
        heard: list[str] = []

        class Hooks(RunHooks[Any]):
            async def on_agent_start(self, context: Any, agent: Any) -> None:
                heard.append("agent start")

            async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
                heard.append("model end")

            async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
                heard.append("tool end")

            async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
                heard.append("agent end")

        till, model = Till(), counting([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent, hooks=Hooks() if before else None))
        assert heard == (["agent start", "model end"] if before else [])
        heard.clear()
        for _ in range(2):  # the second time finds everything recorded
            played = await play(agent, state, hooks=Hooks() if after else None)
            assert played.final == "answer 2"
        assert heard == (["tool end", "model end", "agent end"] if after else [])
        assert till.paid == [5]

    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize("after", [True, False])
    async def test_a_session_has_what_was_done_while_it_was_set(
        self, play: Play, before: bool, after: bool
    ) -> None:
        session = SQLiteSession("s")
        till, model = Till(), counting([call("pay", amount=5)])
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent, session=session if before else None))
        for _ in range(2):
            played = await play(agent, state, session=session if after else None)
            assert played.final == "answer 2"
        stored: list[Any] = await session.get_items()
        kinds = [item.get("type") or item["role"] for item in stored]
        done = ["function_call", "function_call_output", "message"]
        assert kinds == (["user"] if before else []) + (done if after else [])
        assert till.paid == [5]
        session.close()

    async def test_more_turns_can_be_allowed(self, play: Play) -> None:
        till = Till()
        model = counting([call("pay", "c1", amount=1)], [call("pay", "c2", amount=2)])
        agent = agent_with(model, till.tool)
        state = approved(await waiting(play, agent, max_turns=1))
        state.max_turns = 3
        for _ in range(2):
            played = await play(agent, state)
            assert [item.call_id for item in played.result.interruptions] == ["c2"]
        assert (till.paid, len(model.calls)) == ([1], 2)
