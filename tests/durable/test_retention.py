"""Old runs are deleted, or lose what was said in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InMemoryJournal,
    JournalStore,
    Runner,
    SQLiteJournal,
    UserError,
    function_tool,
    input_guardrail,
    prune_runs,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call

NOW = timedelta(0)


@function_tool
def order(sweets: str) -> dict[str, str]:
    """Order praline."""
    return {"nougat": f"{sweets} from the bakery"}


@function_tool(needs_approval=True)
def refund(sweets: str) -> str:
    """Pay back."""
    raise ValueError(f"no {sweets} was ordered: toffee")


@input_guardrail
def harmless(context: Any, agent: Any, items: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info="nothing about fudge", tripwire_triggered=False)


WORDS = (
    *("marzipan", "sultana", "bakery", "nougat", "toffee", "fudge", "caramel"),
    *("brittle", "halva", "gingerbread"),
)


def shop() -> Agent:
    clerk = Agent(
        name="Clerk",
        model=ScriptedModel(
            [
                [function_call("order", {"sweets": "sultana"}, call_id="halva")],
                [function_call("gingerbread", {}, call_id="1")],
                [assistant_message("Your caramel is on its way.")],
            ]
        ),
        tools=[order],
    )
    return Agent(
        name="Shop",
        instructions="Sell no brittle.",
        model=ScriptedModel(
            [
                [function_call("ask_clerk", {"input": "sultana"}, call_id="2")],
                [function_call("refund", {"sweets": "toffee"}, call_id="3")],
                [assistant_message("caramel")],
            ]
        ),
        tools=[clerk.as_tool("ask_clerk", "Ask."), refund],
        input_guardrails=[harmless],
    )


async def sold(journal: JournalStore, run_id: str) -> Any:
    agent = shop()
    result = await Runner.run(agent, "Buy marzipan.", journal=journal, run_id=run_id)
    state = result.to_state()
    state.approve(result.interruptions[0])
    return await Runner.run(agent, state)


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("runs.db*"))


def shape(lines: list[str]) -> list[Any]:
    names = ("kind", "index", "path", "id", "event", "state", "sequence", "turn")
    return [[json.loads(line).get(name) for name in names] for line in lines]


async def test_an_outline_keeps_the_shape_and_no_words(
    journal: JournalStore, tmp_path: Path
) -> None:
    result = await sold(journal, "a")
    before, lines = await journal.find("a"), await journal.read("a")
    assert before is not None
    assert [word for word in WORDS if word not in before.head + "".join(lines)] == []

    assert await prune_runs(journal, older_than=NOW, keep="outline") == ["a"]

    after, outline = await journal.find("a"), await journal.read("a")
    assert after is not None
    assert after._replace(head=before.head) == before
    texts = after.head + after.note + "".join(outline)
    assert [word for word in WORDS if word in texts] == []
    assert shape(outline) == shape(lines)
    usages = [json.loads(line).get("payload", {}).get("usage") for line in outline]
    assert sum(one["requests"] for one in usages if one) == result.context_wrapper.usage.requests
    faults = [json.loads(line).get("payload", {}).get("fault") for line in outline]
    assert {fault for fault in faults if fault} == {"agentgraph.exceptions.ModelBehaviorError"}
    machine = json.loads(before.note)["machine"]
    assert await journal.machine(machine) is None
    await journal.aclose()
    stored = contents(tmp_path)
    assert [word for word in WORDS if word.encode() in stored] == []


async def test_an_erased_run_says_so() -> None:
    journal = InMemoryJournal()
    await sold(journal, "a")
    await prune_runs(journal, older_than=NOW, keep="outline")
    attempts: list[Awaitable[object]] = [
        Runner.run(shop(), "Buy marzipan.", journal=journal, run_id="a"),
        Runner.resume("a", shop(), journal=journal),
        Runner.fork("a", journal=journal),
    ]
    for attempt in attempts:
        with pytest.raises(UserError, match=r"The content of run 'a' was erased on 20\d\d-"):
            await attempt
    (run,) = await journal.runs()
    assert run.status == "done"
    assert await prune_runs(journal, older_than=NOW, keep="outline") == []
    assert await prune_runs(journal, older_than=NOW) == ["a"]
    assert await journal.runs() == []


async def test_only_old_runs_with_the_status_are_pruned(journal: JournalStore) -> None:
    for run, status in (("a", "done"), ("b", "suspended"), ("c", "failed"), ("d", "blocked")):
        await journal.open(run, "{}")
        epoch = await journal.claim(run, "me", 60)
        await journal.append(run, epoch, 0, ["{}"])
        await journal.finish(run, epoch, status, "{}")  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
    assert await prune_runs(journal, older_than=timedelta(hours=1)) == []
    seen: list[str] = []
    assert await prune_runs(journal, older_than=NOW, on_run=seen.append) == ["d", "a"]
    assert seen == ["d", "a"]
    assert await prune_runs(journal, older_than=NOW, statuses=["failed"]) == ["c"]
    assert [run.run_id for run in await journal.runs()] == ["b"]


async def test_a_run_that_is_claimed_stays(journal: JournalStore) -> None:
    for run in ("a", "b"):
        await journal.open(run, "{}")
        epoch = await journal.claim(run, "me", 60)
        await journal.finish(run, epoch, "done", "{}")
    await journal.claim("a", "other", 60)
    assert await prune_runs(journal, older_than=NOW) == ["b"]
    assert await journal.find("a") is not None


async def test_a_run_that_changes_meanwhile_stays() -> None:
    class Busy(InMemoryJournal):
        async def runs(self, *arguments: Any, **options: Any) -> Any:
            page = await super().runs(*arguments, **options)
            epoch = await self.claim("a", "other", 60)
            await self.finish("a", epoch, "done", f'{{"n": {epoch}}}')
            return page

    journal = Busy()
    await journal.open("a", "{}")
    assert await prune_runs(journal, older_than=NOW, statuses=["running", "done"]) == []
    assert await journal.find("a") is not None


async def test_more_runs_than_a_page_are_pruned(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path / "runs.db", durability="async")
    names = [f"{number:03}" for number in range(450)]
    for name in names:
        await journal.open(name, "{}")
    pruned = await prune_runs(journal, older_than=NOW, statuses=["running"])
    assert sorted(pruned) == names
    assert await journal.runs() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"older_than": timedelta(days=-1)}, "older_than must not be negative"),
        ({"keep": "words"}, "keep is 'nothing' or 'outline'"),
        ({"keep": "outline", "statuses": ["failed", "done"]}, "these may go on: failed"),
    ],
)
async def test_settings_that_cannot_work_are_refused(options: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        await prune_runs(InMemoryJournal(), **{"older_than": NOW, **options})
