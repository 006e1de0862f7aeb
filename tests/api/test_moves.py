"""What observers see of runs: the transitions that each outcome took, as the table has them."""

from __future__ import annotations

import asyncio
import sys
import threading
from itertools import pairwise
from typing import Any

import pytest

from agentgraph import Agent, InputGuardrailTripwireTriggered, Runner, RunState, function_tool
from agentgraph.run import Moved, RunMoves, observing_runs
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph_compiler.machine import BACK
from tests.testing.desk import ANSWER, ASK, LOOK, PAY, TO_REFUNDS, desk


class Seen:
    """An observer that keeps what it sees."""

    def __init__(self) -> None:
        self.runs: list[list[Moved]] = []

    def __call__(self, moves: RunMoves) -> None:
        self.runs.append(list(moves))

    @property
    def last(self) -> list[Moved]:
        return self.runs[-1]


def path_of(moves: list[Moved], part: str = "") -> list[str]:
    """The states that the transitions of a part left, and the last one."""
    own = [one for one in moves if one.part == part]
    assert_connected(own)
    return [*(state.id for one in own for state, _ in one.taken), own[-1].state]


def assert_connected(moves: list[Moved]) -> None:
    """Each transition begins where the one before it ended."""
    rows = [pair for one in moves for pair in one.taken]
    for (_, row), (state, _) in pairwise(rows):
        if row.target != BACK:
            assert row.target == state.id
    for one in moves:
        if one.taken and one.taken[-1][1].target != BACK:
            assert one.taken[-1][1].target == one.state


async def test_an_observer_sees_every_state_that_a_run_passes_and_those_of_its_agent_tools() -> (
    None
):
    seen = Seen()
    with observing_runs(seen):
        await Runner.run(desk([ASK, ANSWER], expert=[LOOK, ANSWER]), "hello")

    assert path_of(seen.last) == [
        "initial",
        "triage.guarding",
        "triage.acting",
        "triage.thinking",
        "triage.ending",
        "triage.over",
        "saving.done",
        "done",
    ]
    assert path_of(seen.last, "expert")[1:4] == [
        "expert.thinking",
        "expert.acting",
        "expert.thinking",
    ]
    [call] = [one for one in seen.last if one.command and one.command.phase.kind == "agent"]
    assert call.part == ""
    assert call.command is not None
    assert call.command.invoke.symbol == "triage/tool/ask"


@pytest.mark.parametrize("as_text", [False, True])
async def test_a_resumed_run_shows_what_it_does_and_not_what_it_did_before(as_text: bool) -> None:
    seen = Seen()
    first = desk([TO_REFUNDS], [PAY, ANSWER])
    with observing_runs(seen):
        result = await Runner.run(first, "hello")
        state: RunState[Any] = result.to_state()
        if as_text:
            state = await RunState.from_string(first, state.to_string())
        state.approve(state.get_interruptions()[0])
        await Runner.run(first, state)

    before, after = seen.runs
    assert before[-1].state == "suspended"
    assert after[0].taken[0][0].id == "suspended"
    assert after[-1].state == "done"
    assert [verdict for one in after for verdict in one.verdicts] == [("small", False, True)]


async def test_a_run_that_fails_or_trips_or_is_cancelled_is_seen_too() -> None:
    seen, started = Seen(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        """Wait."""
        started.set()
        await asyncio.Event().wait()
        return ""

    waits = [function_call("wait", {}, call_id="w")]
    with observing_runs(seen):
        with pytest.raises(InputGuardrailTripwireTriggered):
            await Runner.run(desk([ANSWER]), "the weather?")
        assert seen.last[-1].state == "blocked"
        with pytest.raises(OSError, match="no network"):
            await Runner.run(desk([OSError("no network")]), "hello")
        assert seen.last[-1].state == "failed"
        run = asyncio.create_task(
            Runner.run(Agent(name="A", model=ScriptedModel([waits]), tools=[wait]), "hello")
        )
        await started.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert seen.last[-1].state == "stopped"
    assert "a.acting" in path_of(seen.last)


def test_a_run_in_another_thread_is_seen() -> None:
    seen = Seen()

    def work() -> None:
        asyncio.run(Runner.run(Agent(name="A", model=ScriptedModel([ANSWER])), "hello"))

    with observing_runs(seen):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert [one.workflow.name for one in seen.last if one.workflow] == ["A"] * len(seen.last)


async def test_a_run_in_a_migrated_machine_goes_on_in_that_of_the_changed_agent() -> None:
    seen = Seen()
    agent = Agent[Any](name="A")

    @function_tool
    def grow() -> str:
        """Give the agent another tool."""
        agent.tools.append(second)
        return "grown"

    @function_tool
    def second() -> str:
        """Do nothing."""
        return ""

    agent.tools = [grow]
    calls = [[function_call(name, {}, call_id=name)] for name in ("grow", "second")]
    agent.model = ScriptedModel([*calls, [assistant_message("Done.")]])
    with observing_runs(seen):
        await Runner.run(agent, "hello")
    machines = {one.workflow.fingerprint for one in seen.last if one.workflow is not None}
    assert len(machines) == 2
    assert [one.command.invoke.symbol for one in seen.last if one.command][-2] == "a/tool/second"


async def test_no_observer_is_left_when_its_context_ends() -> None:
    outer, inner = Seen(), Seen()
    with observing_runs(outer):
        with observing_runs(inner):
            await Runner.run(desk([ANSWER]), "hello")
        await Runner.run(desk([ANSWER]), "hello")
    await Runner.run(desk([ANSWER]), "hello")
    assert (len(outer.runs), len(inner.runs)) == (2, 1)


def test_threads_that_observe_at_once_do_not_lose_each_others_observers() -> None:
    interval, faults = sys.getswitchinterval(), list[Exception]()

    def observe() -> None:
        observer = Seen()
        try:
            for _ in range(20_000):
                with observing_runs(observer):
                    pass
        except Exception as fault:  # noqa: BLE001 - reported below, in the thread of the test
            faults.append(fault)

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=observe) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert faults == []
