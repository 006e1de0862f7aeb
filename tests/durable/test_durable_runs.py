"""Runs with a journal: their ids, what goes on, what is given again, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    InMemoryJournal,
    JournalError,
    JournalStore,
    RunConfig,
    RunInProgress,
    Runner,
    RunState,
    UnknownRun,
    UserError,
    function_tool,
)
from agentgraph.testing import (
    ScriptedModel,
    UnexpectedModelCall,
    assistant_message,
    function_call,
)


class Payments:
    """An agent that pays, and how often it did."""

    def __init__(self, *, approval: bool = False) -> None:
        self.paid: list[int] = []

        @function_tool(needs_approval=approval)
        def pay(euros: int) -> str:
            """Pay."""
            self.paid.append(euros)
            return f"paid {euros}"

        self.tool = pay

    def agent(self, *, answered: bool = False) -> Agent:
        """The agent, as another process makes it; its model goes on after the first reply."""
        replies: list[Any] = [
            [function_call("pay", {"euros": 1}, call_id="a")],
            [assistant_message("done")],
        ]
        return Agent(name="Pay", model=ScriptedModel(replies[answered:]), tools=[self.tool])


async def test_a_finished_run_gives_its_result_again(journal: JournalStore) -> None:
    payments = Payments()
    first = await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="order-17")
    idle = Agent(name="Pay", model=ScriptedModel([]), tools=[payments.tool])
    again = await Runner.run(idle, "Pay.", journal=journal, run_id="order-17")
    assert again.final_output == first.final_output == "done"
    assert again.to_input_list() == first.to_input_list()
    assert payments.paid == [1]
    streamed = Runner.run_streamed(idle, "Pay.", journal=journal, run_id="order-17")
    assert [event async for event in streamed.stream_events()] == []
    assert streamed.final_output == "done"


async def test_events_of_the_past_are_shown_on_request(journal: JournalStore) -> None:
    payments = Payments()
    await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    streamed = Runner.run_streamed(
        payments.agent(), "Pay.", journal=journal, run_id="a", replay_events=True
    )
    names = [getattr(one, "name", one.type) async for one in streamed.stream_events()]
    assert names == [
        "agent_updated_stream_event",
        "tool_called",
        "tool_output",
        "message_output_created",
    ]


async def test_another_input_under_the_id_is_refused(journal: JournalStore) -> None:
    await Runner.run(Payments().agent(), "Pay.", journal=journal, run_id="a")
    with pytest.raises(UserError, match=r"Run 'a' .* began with another input"):
        await Runner.run(Payments().agent(), "Pay twice.", journal=journal, run_id="a")


async def test_a_suspended_run_goes_on_with_a_decision(journal: JournalStore) -> None:
    payments = Payments(approval=True)
    waiting = await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    stored = await journal.find("a")
    assert stored is not None
    assert (stored.status, '"tool": "pay"' in stored.note) == ("suspended", True)
    later = await Runner.resume("a", payments.agent(answered=True), journal=journal)
    state = later.to_state()
    state.approve(later.interruptions[0])
    done = await Runner.run(payments.agent(answered=True), state)
    assert (done.final_output, payments.paid) == ("done", [1])
    # Another state of the run returns the result, too.
    stale = waiting.to_state()
    stale.approve(waiting.interruptions[0])
    again = await Runner.run(payments.agent(), stale)
    assert (again.final_output, payments.paid) == ("done", [1])
    stored = await journal.find("a")
    assert stored is not None
    assert stored.status == "done"


async def test_a_state_from_a_text_goes_on_in_the_journal(journal: JournalStore) -> None:
    payments = Payments(approval=True)
    waiting = await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    text = waiting.to_state().to_string()
    state = await RunState.from_string(payments.agent(answered=True), text)
    state.approve(state.get_interruptions()[0])
    done = await Runner.run(payments.agent(answered=True), state, journal=journal)
    assert done.final_output == "done"
    assert (await Runner.resume("a", payments.agent(), journal=journal)).final_output == "done"


async def test_a_state_without_a_journal_is_taken_into_one(journal: JournalStore) -> None:
    payments = Payments(approval=True)
    waiting = await Runner.run(payments.agent(), "Pay.")
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])
    run_id = state.to_json()["run"]
    read = await RunState.from_json(payments.agent(answered=True), state.to_json())
    done = await Runner.run(payments.agent(answered=True), read, journal=journal)
    assert done.final_output == "done"
    idle = Agent(name="Pay", model=ScriptedModel([]), tools=[payments.tool])
    assert (await Runner.resume(run_id, idle, journal=journal)).final_output == "done"
    assert payments.paid == [1]


async def test_a_web_handler_that_is_called_twice_does_the_work_once() -> None:
    payments, journal = Payments(), InMemoryJournal()
    runs = (Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a") for _ in range(5))
    results = await asyncio.gather(*runs)
    assert [result.final_output for result in results] == ["done"] * 5
    assert payments.paid == [1]


async def test_a_run_that_is_alive_is_refused_on_request() -> None:
    journal, begun, go_on = InMemoryJournal(), asyncio.Event(), asyncio.Event()

    @function_tool
    async def pay(euros: int) -> str:
        """Pay."""
        begun.set()
        await go_on.wait()
        return "paid"

    replies = [[function_call("pay", {"euros": 1}, call_id="a")], [assistant_message("done")]]
    agent = Agent(name="Pay", model=ScriptedModel(replies), tools=[pay])
    task = asyncio.create_task(Runner.run(agent, "Pay.", journal=journal, run_id="a"))
    await begun.wait()
    with pytest.raises(RunInProgress, match="Run 'a' is in progress"):
        await Runner.run(agent, "Pay.", journal=journal, run_id="a", if_running="raise")
    go_on.set()
    assert (await task).final_output == "done"


async def test_a_fork_goes_on_by_itself(journal: JournalStore) -> None:
    payments = Payments(approval=True)
    await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    assert await Runner.fork("a", journal=journal, new_run_id="b") == "b"
    result = await Runner.resume("b", payments.agent(answered=True), journal=journal)
    state = result.to_state()
    state.reject(result.interruptions[0])
    done = await Runner.run(payments.agent(answered=True), state)
    assert (done.final_output, payments.paid) == ("done", [])
    first = await Runner.resume("a", payments.agent(answered=True), journal=journal)
    assert len(first.interruptions) == 1
    again = await Runner.fork("b", journal=journal, at=1)
    anew = await Runner.resume(again, payments.agent(answered=True), journal=journal)
    assert len(anew.interruptions) == 1
    with pytest.raises(UserError, match="no point 99"):
        await Runner.fork("a", journal=journal, at=99)
    with pytest.raises(UserError, match="There is a run 'b'"):
        await Runner.fork("a", journal=journal, new_run_id="b")
    with pytest.raises(UnknownRun, match="no run 'none'"):
        await Runner.fork("none", journal=journal)


async def test_a_journal_of_the_configuration_is_the_default(journal: JournalStore) -> None:
    config = RunConfig(journal=journal)
    result = await Runner.run(Payments().agent(), "Pay.", run_config=config)
    (run,) = await journal.runs()
    assert (run.status, result.final_output) == ("done", "done")


async def test_a_failed_run_goes_on(journal: JournalStore) -> None:
    payments = Payments()
    short = Agent(
        name="Pay",
        model=ScriptedModel([[function_call("pay", {"euros": 1}, call_id="a")]]),
        tools=[payments.tool],
    )
    with pytest.raises(UnexpectedModelCall):
        await Runner.run(short, "Pay.", journal=journal, run_id="a")
    stored = await journal.find("a")
    assert stored is not None
    assert stored.status == "failed"
    done = await Runner.resume("a", payments.agent(answered=True), journal=journal)
    assert (done.final_output, payments.paid) == ("done", [1])


class FullDisk(InMemoryJournal):
    """A journal that has room for some appends only."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    async def append(self, run_id: str, epoch: int, first: int, lines: Any) -> None:
        if not self.room:
            raise JournalError("The disk is full.")
        self.room -= 1
        await super().append(run_id, epoch, first, lines)


@pytest.mark.parametrize("room", range(4))
async def test_a_full_disk_ends_the_run_and_loses_nothing(room: int) -> None:
    payments, journal = Payments(), FullDisk(room)
    with pytest.raises(JournalError, match="disk is full"):
        await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    journal.room = 100
    answered = bool(len(await journal.read("a")))
    done = await Runner.resume("a", payments.agent(answered=answered), journal=journal)
    if done.interruptions:  # the process may have died while it paid
        state = done.to_state()
        state.reject(done.interruptions[0])
        done = await Runner.run(payments.agent(answered=True), state)
    assert done.final_output == "done"
    assert len(payments.paid) <= 1


async def test_a_damaged_line_is_named() -> None:
    payments, journal = Payments(), InMemoryJournal()
    await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    journal._lines["a"][2] = '{"index": 1}'
    with pytest.raises(JournalError, match=r"at line 3 of run 'a' in memory: .*'id' is missing"):
        await Runner.resume("a", payments.agent(), journal=journal)


async def test_a_damaged_run_is_not_held() -> None:
    payments, journal = Payments(), InMemoryJournal()
    await Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a")
    note = (await journal.runs())[0].note
    journal._lines["a"][2] = "{}"
    for _ in range(2):
        with pytest.raises(JournalError, match="at line 3 of run 'a'"):
            await Runner.resume("a", payments.agent(), journal=journal, if_running="raise")
    (run,) = await journal.runs()
    assert (run.holder, run.status, run.note) == ("", "done", note)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"journal": "runs.db"}, "journal must be a journal such as SQLiteJournal, got str"),
        ({"run_id": ""}, "run_id must be a text"),
        ({"run_id": "\ud800"}, "run_id must be a text"),
        ({"if_running": "ask"}, "if_running is 'wait' or 'raise'"),
    ],
)
async def test_options_that_cannot_work_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        await Runner.run(Payments().agent(), "Pay.", **{"journal": InMemoryJournal(), **options})


async def test_an_option_that_does_not_exist_is_refused_as_by_python() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_turn'"):
        await Runner.run(Payments().agent(), "Pay.", max_turn=3)  # type: ignore[call-arg]


async def test_a_claim_is_given_back_if_the_wait_for_it_is_cancelled() -> None:
    claiming, go_on = asyncio.Event(), asyncio.Event()

    class Slow(InMemoryJournal):
        async def claim(self, run_id: str, holder: str, seconds: float) -> int:
            epoch = await super().claim(run_id, holder, seconds)
            claiming.set()
            await go_on.wait()
            return epoch

    journal, payments = Slow(), Payments()
    task = asyncio.create_task(
        Runner.run(payments.agent(), "Pay.", journal=journal, run_id="a", if_running="raise")
    )
    await claiming.wait()
    task.cancel()
    asyncio.get_running_loop().call_later(0.01, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    result = await Runner.run(
        payments.agent(), "Pay.", journal=journal, run_id="a", if_running="raise"
    )
    assert result.final_output == "done"
