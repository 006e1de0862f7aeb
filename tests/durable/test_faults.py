"""Faults around a durable run: a full disk, a clock that jumps, a lost claim, damage, logs."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    InMemoryJournal,
    JournalError,
    JournalStore,
    RunContextWrapper,
    Runner,
    SQLiteJournal,
    function_tool,
)
from agentgraph.memory.journals import ClaimLost
from agentgraph.memory.journals.holders import new_holder
from agentgraph.testing import FunctionModel, ModelCall, assistant_message, function_call
from tests.memory.test_sqlite_session import use_connections

HOUR = 3600.0


class Desk:
    """An agent that pays once, however often its process begins again.

    Args:
        size: The length of what the payment returns.
        is_slow: Whether a payment waits for `go_on`.
    """

    def __init__(self, size: int = 1, *, is_slow: bool = False) -> None:
        self.paid = 0
        self.began, self.go_on = asyncio.Event(), asyncio.Event()
        if not is_slow:
            self.go_on.set()

        @function_tool
        async def pay(context: RunContextWrapper[Any], card: str) -> str:
            """Pay."""
            self.paid += 1
            self.began.set()
            await self.go_on.wait()
            return "x" * size

        def reply(call: ModelCall) -> list[Any]:
            if any(item.get("type") == "function_call_output" for item in call.input):  # type: ignore[union-attr]
                return [assistant_message("done with SECRET-REPLY")]
            return [function_call("pay", {"card": "SECRET-CARD"}, call_id="a")]

        self.agent = Agent[Any](name="Desk", model=FunctionModel(reply), tools=[pay])


async def decided(desk: Desk, journal: JournalStore) -> Any:
    """Go on with a run; a payment that was interrupted is not made again."""
    result = await Runner.resume("a", desk.agent, journal=journal)
    while result.interruptions:
        state = result.to_state()
        state.reject(result.interruptions[0])
        result = await Runner.run(desk.agent, state)
    return result


async def test_a_full_disk_loses_nothing_that_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, path = Desk(size=400_000), tmp_path / "runs.db"
    with monkeypatch.context() as full:
        use_connections(full, lambda connection: connection.execute("PRAGMA max_page_count=60"))
        journal = SQLiteJournal(path)
        with pytest.raises(JournalError, match="disk or a quota is full"):
            await Runner.run(desk.agent, "Pay.", journal=journal, run_id="a")
        stored = await journal.read("a")
        await journal.aclose()
    assert [json.loads(line).get("event") for line in stored] == [None, "replied", None]
    roomy = SQLiteJournal(path)
    assert (await decided(desk, roomy)).final_output == "done with SECRET-REPLY"
    assert (await roomy.read("a"))[: len(stored)] == stored
    assert desk.paid == 1


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_costs_a_claim_and_no_effect_is_repeated(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the machine jumps while a payment is at work, and another process tries."""
    desk, journal, clock = Desk(is_slow=True), InMemoryJournal(), time.time
    first = asyncio.create_task(Runner.run(desk.agent, "Pay.", journal=journal, run_id="a"))
    await desk.began.wait()
    monkeypatch.setattr(time, "time", lambda: clock() + hours * HOUR)
    second = asyncio.create_task(Runner.run(desk.agent, "Pay.", journal=journal, run_id="a"))
    if hours > 0:  # the claim looks expired, so the second one takes the run over and asks
        taken_over = await second
        desk.go_on.set()
        with pytest.raises(ClaimLost, match="Run 'a' was taken over"):
            await first
        state = taken_over.to_state()
        state.reject(taken_over.interruptions[0])
        result = await Runner.run(desk.agent, state)
    else:  # the claim holds, so the second one waits for the end of the first
        desk.go_on.set()
        await first
        result = await second
    assert (result.final_output, desk.paid) == ("done with SECRET-REPLY", 1)


async def test_a_clock_that_jumps_back_keeps_no_run_from_a_process_that_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, clock = SQLiteJournal(tmp_path / "runs.db"), time.time
    machine, process, random = new_holder().split(" ")
    await journal.open("a", "{}")
    await journal.claim("a", f"{machine} {process.partition('-')[0]}-1 {random}", 30)
    monkeypatch.setattr(time, "time", lambda: clock() - HOUR)
    assert await journal.claim("a", new_holder(), 30) == 2


class Renewed(InMemoryJournal):
    """A journal that tells when a claim was renewed for the fourth time."""

    def __init__(self) -> None:
        super().__init__(claim_seconds=0.3)
        self.times, self.is_renewed = 0, asyncio.Event()

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        await super().renew(run_id, epoch, seconds)
        self.times += 1
        if self.times == 4:
            self.is_renewed.set()


async def test_a_claim_that_is_renewed_holds_for_longer_than_it_was_made() -> None:
    desk, journal = Desk(is_slow=True), Renewed()
    first = asyncio.create_task(Runner.run(desk.agent, "Pay.", journal=journal, run_id="a"))
    await journal.is_renewed.wait()
    second = asyncio.create_task(Runner.run(desk.agent, "Pay.", journal=journal, run_id="a"))
    desk.go_on.set()
    results = await asyncio.gather(first, second)
    assert ({one.final_output for one in results}, desk.paid) == ({"done with SECRET-REPLY"}, 1)
    stored = await journal.find("a")
    assert stored is not None
    assert stored.epoch == 2, "the second process waited for the end of the first"


async def test_logs_lists_and_messages_hold_no_words_and_no_context(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk, journal = Desk(), SQLiteJournal(tmp_path / "runs.db")
    await Runner.run(
        desk.agent, "SECRET-INPUT", journal=journal, run_id="a", context={"key": "SECRET-CONTEXT"}
    )
    await Runner.resume("a", desk.agent, journal=journal)
    messages = [str(await _error(Runner.run(desk.agent, "Pay.", journal=journal, run_id="a")))]
    epoch = await journal.claim("a", "me", 30)
    await journal.append("a", epoch, 5, ['{"index": "SECRET-LINE", "id": 1}'])
    await journal.finish("a", epoch, "done", "")
    messages.append(str(await _error(Runner.resume("a", desk.agent, journal=journal))))
    stored = await journal.find("a")
    assert stored is not None
    assert [one.partition("'a'")[0] for one in messages] == [
        "Run ",
        "The run cannot go on at line 6 of run ",
    ]
    for text in (caplog.text, stored.note, *messages):
        assert "SECRET" not in text, text
    lines = "".join(await journal.read("a")) + stored.head
    assert "SECRET-INPUT" in lines, "the run itself is stored"
    assert "SECRET-CONTEXT" not in lines


async def _error(work: Any) -> Exception | None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the test reads its message
        return error
    return None
