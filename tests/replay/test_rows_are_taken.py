"""What the table says is tried: some run takes every row of the machines of the recorded workflows,
or the row stands in `NOT_TAKEN` with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from openai.types.responses import ResponseFunctionWebSearch
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    Runner,
    RunState,
    ToolsToFinalOutputResult,
    function_tool,
)
from agentgraph.memory import SessionABC
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.scenarios import SCENARIOS
from tests.api.test_runs import refusal
from tests.replay.cuts import uncut
from tests.replay.rows import Taken, rows_of
from tests.replay.test_cut_anywhere import NO_RUN

NOT_TAKEN = {
    **dict.fromkeys(
        ["* expired -> saving", "loading expired -> exhausted", "saving expired -> unsaved"],
        "no driver lets a run expire yet",
    ),
    **dict.fromkeys(
        ["checking stopped -> saving", "saving stopped -> unsaved"],
        "the driver stops a run between two turns only",
    ),
}
DONE = [assistant_message("done")]
SEARCH = ResponseFunctionWebSearch.model_validate(
    {
        "id": "w",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
)
CALL = function_call("echo", {"text": "a"}, call_id="c1")


class Answer(BaseModel):
    text: str


@function_tool
async def echo(text: str) -> str:
    """Give back a text."""
    return text


def spoken(text: str) -> str:
    """Say a text."""
    return text


class Memory(SessionABC):
    """A session that fails or waits on the way.

    Args:
        load: Awaited before a read.
        save: Awaited before a write, with the number of the write.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Any]] | None = None,
        save: Callable[[int], Awaitable[Any]] | None = None,
    ) -> None:
        self.session_id, self.items, self.writes = "memory", list[Any](), 0
        self.session_settings = None
        self.load, self.save = load, save

    async def get_items(self, limit: int | None = None) -> list[Any]:
        if self.load is not None:
            await self.load()
        return list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        self.writes += 1
        if self.save is not None:
            await self.save(self.writes)
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


def passing(*_: Any) -> Any:
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


def agent(*replies: Any, **settings: Any) -> Agent[Any]:
    settings.setdefault("tools", [echo])
    return Agent(name="A", model=ScriptedModel([*replies, DONE]), **settings)


def guarded(*replies: Any, parallel: bool = True, **settings: Any) -> Agent[Any]:
    guardrail = InputGuardrail[Any](passing, run_in_parallel=parallel)
    return agent(*replies, input_guardrails=[guardrail], **settings)


async def ends(made: Agent[Any], **options: Any) -> None:
    """A run that ends, well or not."""
    with suppress(AgentsException):
        await Runner.run(made, "go", **options)


async def cancelled(
    made: Agent[Any],
    started: asyncio.Event,
    then: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """A run that is cancelled once something has started; `then` is called after that."""
    run = asyncio.create_task(Runner.run(made, "go", **options))
    await started.wait()
    run.cancel()
    then()
    with pytest.raises(asyncio.CancelledError):
        await run


async def state_of(made: Agent[Any], *, stop: bool = False, **options: Any) -> RunState[Any]:
    """The state of a run that is stopped after its first turn, or fails."""
    result = Runner.run_streamed(made, "go", **options)
    if stop:
        result.cancel(mode="after_turn")
    with suppress(AgentsException):
        async for _ in result.stream_events():
            pass
    return result.to_state()


def blocking() -> tuple[asyncio.Event, Callable[..., Awaitable[Any]]]:
    started = asyncio.Event()

    async def wait(*_: Any) -> Any:
        started.set()
        await asyncio.Event().wait()

    return started, wait


async def stops() -> None:
    made = agent([CALL])
    await Runner.run(made, await state_of(made, stop=True))
    await state_of(agent(), stop=True, session=Memory())
    made = agent([CALL])
    result = Runner.run_streamed(made, "go", session=Memory())
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            result.cancel(mode="after_turn")


async def fails_and_goes_on() -> None:
    async def broken(*_: Any) -> Any:
        raise OSError("no disk")

    tries: list[None] = []

    async def last_write(write: int) -> None:
        if write > 1 and not tries:
            tries.append(None)
            raise OSError("no disk")

    made = agent([CALL], [CALL])
    await ends(made, session=Memory(load=broken))
    session = Memory(save=last_write)
    made = agent()
    await ends(made, session=session)
    tries.clear()
    made = agent()
    state = await state_of(made, session=session)
    await Runner.run(made, state, session=session)

    @function_tool(failure_error_function=None)
    async def fails() -> str:
        """Fail once."""
        tries.append(None)
        if len(tries) == 2:
            raise OSError("once")
        return "fine"

    made = agent([function_call("fails", {}, call_id="f")], tools=[fails])
    await Runner.run(made, await state_of(made))


async def is_cancelled() -> None:
    started, wait = blocking()
    await cancelled(agent([function_call("wait", {}, call_id="w")], tools=[waiting(wait)]), started)
    started, wait = blocking()
    await cancelled(agent(), started, session=Memory(load=wait))
    started, wait = blocking()
    guardrail = OutputGuardrail[Any](wait)
    await cancelled(agent(output_guardrails=[guardrail]), started)
    started, stored = asyncio.Event(), asyncio.Event()

    async def last_write(write: int) -> None:
        if write > 1:
            started.set()
            await stored.wait()

    await cancelled(agent(), started, stored.set, session=Memory(save=last_write))


def waiting(wait: Callable[..., Awaitable[Any]]) -> Any:
    async def call() -> str:
        return str(await wait())

    return function_tool(call, name_override="wait")


async def is_out_of_turns() -> None:
    declines = {"max_turns": lambda _: None}
    for made, turns in (
        (agent([SEARCH]), 1),
        (agent(), 0),
        (agent([CALL], tool_use_behavior=lambda *_: ToolsToFinalOutputResult(False)), 1),
        (agent([function_call("transfer_to_b", {}, call_id="h")], handoffs=[Agent(name="B")]), 1),
        (guarded([SEARCH]), 1),
    ):
        await ends(made, max_turns=turns)
    for turns in (0, 1):
        await ends(agent([SEARCH]), max_turns=turns, error_handlers=declines)
    await ends(agent(), max_turns=0, error_handlers=declines, session=Memory())


async def replies_otherwise() -> None:
    await ends(guarded([SEARCH]))
    await ends(guarded([refusal()]))
    await ends(guarded([assistant_message("no json")], output_type=Answer))
    await ends(guarded([function_call("unknown", {}, call_id="u")]))
    await ends(guarded(parallel=False))
    await ends(agent([refusal()]))
    declines = {"invalid_final_output": lambda _: None}
    for turns in (1, 2):
        await ends(agent([], output_type=Answer), error_handlers=declines, max_turns=turns)


async def waits_for_a_person() -> None:
    asking = function_tool(spoken, needs_approval=True)
    await ends(
        agent([function_call("spoken", {"text": "x"}, call_id="a")], tools=[asking]),
        session=Memory(),
    )


OTHERWISE: list[Callable[[], Awaitable[None]]] = [
    stops,
    fails_and_goes_on,
    is_cancelled,
    is_out_of_turns,
    replies_otherwise,
    waits_for_a_person,
]
"""Runs that no recorded workflow is, because of what happens to them from outside."""


async def test_every_row_of_the_recorded_workflows_is_taken_or_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, printed = Taken(monkeypatch), set[str]()
    for name in sorted(SCENARIOS.keys() - NO_RUN):
        _, end = await uncut(SCENARIOS[name], streamed=False)
        printed.update(rows_of(end.launched.program.machine))
    for run in OTHERWISE:
        await run()
    assert printed - taken.rows == NOT_TAKEN.keys()
