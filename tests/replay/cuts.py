"""Runs that are cut, runs that are not, and what both must have in common."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from agentgraph import QuestionItem, RunState, Usage
from agentgraph.drivers.journal import MemoryJournal
from agentgraph.drivers.workbench import Watcher
from agentgraph.record.payloads import Request
from agentgraph.running.ending import carry_out, input_list, output_of
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.launch import Launch, launch, live_state
from agentgraph.running.watching import watcher_of
from agentgraph.runtime.commands import Rest
from agentgraph.stored.faults import RecordedError
from agentgraph.stored.value_types import class_path
from agentgraph.user_code.cancellation import in_own_task
from agentgraph_compiler.machine import StateKind
from tests.api.scenarios import Scenario
from tests.replay.digest import difference, plain, shared
from tests.replay.world import AT_WORK, Killed, MortalJournal, World

Through = Callable[[World, RunState[Any]], Awaitable[RunState[Any]]]
"""What the state of a cut run goes through before the run goes on."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended.

    Args:
        launched: Its last leg.
        rest: Where it came to rest; ``None`` if it raised before it could.
        error: What it raised.
        events: The events of all of its legs, without those of the model.
    """

    launched: Launch
    rest: Rest | None
    error: BaseException | None
    events: list[Any]


async def play(world: World, journal: MemoryJournal, *, streamed: bool) -> End:
    """Run a workflow from its beginning to its end, and decide on what waits on the way.

    Raises:
        Killed: The journal ended before.
    """
    AT_WORK.set(world)
    watcher, queue = _watcher(streamed)
    return await _to_the_end(world, world.launch(journal, watcher), queue, streamed)


async def go_on(world: World, state: RunState[Any], *, streamed: bool) -> End:
    """Go on with a run of which a state is left."""
    AT_WORK.set(world)
    watcher, queue = _watcher(streamed)
    resumed = launch(world.case.agent, state, world.options, watcher)
    return await _to_the_end(world, resumed, queue, streamed)


def _watcher(streamed: bool) -> tuple[Watcher, EventQueue | None]:
    queue = EventQueue() if streamed else None
    return (Watcher() if queue is None else watcher_of(queue)), queue


async def _to_the_end(
    world: World, launched: Launch, queue: EventQueue | None, streamed: bool
) -> End:
    events: list[Any] = []
    while True:
        try:
            rest = await _carried_out(launched, queue, events)
        except Exception as error:  # noqa: BLE001 - how a run ends is what is compared
            return End(launched, None, error, events)
        if rest.kind is not StateKind.SUSPENDED:
            return End(launched, rest, None, events)
        state = live_state(launched)
        for item in state.get_interruptions():
            if isinstance(item, QuestionItem):
                state.answer(item, _answer(item))
            elif _approves(item):
                state.approve(item)
            else:
                state.reject(item, rejection_message=f"not {item.name}")
        watcher, queue = _watcher(streamed)
        launched = launch(world.case.agent, state, world.options, watcher)


async def _carried_out(launched: Launch, queue: EventQueue | None, events: list[Any]) -> Rest:
    work = in_own_task(carry_out(launched.run), "The run")
    if queue is None:
        return await work
    seen = asyncio.create_task(_drain(queue, events))
    try:
        return await work
    finally:
        queue.close()
        await seen


async def _drain(queue: EventQueue, events: list[Any]) -> None:
    events += [one async for one in queue.events() if one.type != "raw_response_event"]


def _answer(item: QuestionItem) -> Any:
    """The answer of the person: a draft is good from the second on."""
    fields = {"ok": "2" in item.received, "note": f"about {item.received}"}
    return {name: fields[name] for name in item.schema["properties"]}


def _approves(item: Any) -> bool:
    """The answer of the person, the same whenever the question is asked."""
    digest = hashlib.sha256(f"{item.name} {item.call_id}".encode()).digest()
    return digest[0] % 3 != 0


async def seen_of(world: World, end: End) -> dict[str, Any]:
    """Everything that can be seen of a run that is over."""
    run = end.launched.run
    record = run.record
    # An exception of the program comes back as one of ours, which carries the data of the run.
    ours = end.error is None or type(end.error).__module__.startswith("agentgraph.")
    ours = ours and not isinstance(end.error, RecordedError)
    data = getattr(end.error, "run_data", None) if ours else None
    sessions = [*getattr(world.case, "sessions", ())]
    if world.case.session is not None:
        sessions.append(world.case.session)
    return {
        "items": [seen_of_item(item) for item in record.transcript.new_items],
        "asked": asked_in(world, end.launched.journal),
        "requests": [_request(request) for request in record.requests],
        "usage": _usage(run.spent()),
        "spent": _usage(run.bench.context.usage.total()),  # type: ignore[attr-defined]
        "input_guardrails": _in_any_order(record.input_guardrail_results),
        "output_guardrails": _in_any_order(record.output_guardrail_results),
        "tool_input_guardrails": _in_any_order(record.tool_input_guardrail_results),
        "tool_output_guardrails": _in_any_order(record.tool_output_guardrail_results),
        "responses": record.raw_responses,
        "conversation": record.conversation,
        "agent": run.agent,
        "turn": record.turn,
        "output": None if end.rest is None else output_of(run, end.rest),
        "rest": None if end.rest is None else end.rest.kind,
        "raised": end.error and _raised(end.error),
        "data": data and [[seen_of_item(item) for item in data.new_items], data.raw_responses],
        "input_list": input_list(record.transcript, run.facts.config, ""),
        "normalized": input_list(record.transcript, run.facts.config, "normalized"),
        "sessions": [await session.get_items() for session in sessions],
    }


def _usage(usage: Usage) -> list[Any]:
    """The entries of runs that go on side by side stand in the order in which they end."""
    entries = sorted(map(plain, usage.request_usage_entries), key=repr)
    return [replace(usage, request_usage_entries=[]), entries]


def _in_any_order(verdicts: list[Any]) -> list[Any]:
    """Verdicts stand in the order in which the guardrails were done, and that is chance."""
    return sorted(map(plain, verdicts), key=repr)


def asked_in(world: World, journal: MemoryJournal) -> list[Any]:
    """What models were asked by work whose outcome a journal holds, by the work; the other work was
    cancelled."""
    asked: dict[Any, list[Any]] = {}
    answered = world.recorded(journal)
    for one in world.asked:
        if one.key in answered:
            asked.setdefault(one.key[1:], []).append(_question(one.call))
    return sorted(map(plain, asked.items()), key=repr)


def _raised(error: BaseException) -> tuple[str, str]:
    if isinstance(error, RecordedError):
        return error.class_path, error.message
    return class_path(type(error)), str(error)


def seen_of_item(item: Any) -> Any:
    """Everything that can be seen of an item."""
    agent = item.source_agent if item.type == "handoff_output_item" else item.agent
    output = getattr(item, "output", None)
    return [item.type, agent, item.raw_item, output]


def _request(request: Request) -> Any:
    # The policy of retries is code, which no text holds.
    return [request._replace(settings=None), request.settings.to_json_dict()]


def _question(call: Any) -> Any:
    return [
        call.system_instructions,
        call.input,
        [tool.name for tool in call.tools],
        [entry.tool_name for entry in call.handoffs],
        call.model_settings,
        call.previous_response_id,
        call.conversation_id,
    ]


async def same(world: World, state: RunState[Any]) -> RunState[Any]:
    """The path of a state that never leaves the process."""
    return state


async def text(world: World, state: RunState[Any]) -> RunState[Any]:
    """The path of a state that is written as a journal file and read back: the second half of the
    run has the text alone, and shares no recorded object with the first."""
    context = world.options.get("context")
    written = state.to_journal()
    read = await RunState.from_journal(world.case.agent, written, context_override=context)
    both = shared((state.journal.all(), state.facts.input), (read.journal.all(), read.facts.input))
    assert not both, f"objects of both halves: {both!r}"
    return read


async def uncut(make: Scenario, *, streamed: bool) -> tuple[World, End]:
    """A run that nothing cuts short."""
    world = World.of(make)
    return world, await play(world, MortalJournal(), streamed=streamed)


async def check_every_cut(
    make: Scenario,
    *,
    streamed: bool,
    twice: bool = True,
    through: Through = same,
    most: int | None = None,
) -> int:
    """Cut the run of a workflow after each of its rows and hold what comes of it against the run
    that was not cut.

    Args:
        make: The workflow.
        streamed: Whether the runs are streamed.
        twice: Whether work may be done again of which no outcome was written.
        through: What the state goes through before the run goes on.
        most: How many cuts are made, drawn from all; ``None`` for all.

    Returns:
        How many rows the run has.
    """
    world, end = await uncut(make, streamed=streamed)
    expected = {name: plain(value) for name, value in (await seen_of(world, end)).items()}
    hooks = list(world.case.hooks)
    for cut in cuts_of(end, twice=twice, most=most):
        hooks_of_cut = await check_cut(make, cut, expected, streamed=streamed, through=through)
        if hooks_of_cut is not None:
            assert hooks_of_cut == hooks, cut
    return len(end.launched.journal)


async def check_cut(
    make: Scenario,
    cut: tuple[int, bool],
    expected: Mapping[str, Any],
    *,
    streamed: bool,
    through: Through,
) -> list[str] | None:
    """Cut a run and hold what comes of it against what is expected of it.

    Returns:
        The hooks that were called; ``None`` if work is done again, and so hooks are.
    """
    (count, before), world = cut, World.of(make)
    what = f"cut {'before' if before else 'after'} row {count + before}"
    left = await left_of(world, count, before=before, streamed=streamed)
    idle = set(world.begun) <= (recorded := world.recorded(left.journal))
    world.begun.clear()
    state = await through(world, left)
    resumed = await go_on(world, state, streamed=streamed)
    assert not recorded & set(world.begun), f"{what}: work with an outcome is done again"
    seen = await seen_of(world, resumed)
    if world.torn:
        # What guardrails spend stands in the first row of an append that holds their outcomes.
        del seen["usage"], seen["spent"]
    check_seen(seen, expected, what)
    return world.case.hooks if idle else None


def check_seen(seen: Mapping[str, Any], expected: Mapping[str, Any], what: str) -> None:
    """Hold what can be seen of a run against what is expected of it."""
    for name, value in seen.items():
        assert not (here := difference(expected[name], plain(value), name)), f"{what}: {here}"


def cuts_of(end: End, *, twice: bool, most: int | None) -> list[tuple[int, bool]]:
    """Where a run is cut: after how many rows, and whether the work of the next one is done."""
    rows = len(end.launched.journal)
    # After its last row a failed run is over, and to go on is to try again.
    cuts = [
        *((count, True) for count in range(rows if twice else 0)),
        *((count, False) for count in range(1, rows + (end.rest is not None))),
    ]
    return cuts if most is None or most >= len(cuts) else Random(rows).sample(cuts, most)


async def left_of(world: World, count: int, *, before: bool, streamed: bool) -> RunState[Any]:
    """The state of a run that is cut; the world has taken back what no row tells of."""
    journal = MortalJournal(count, before=before)
    AT_WORK.set(world)
    try:
        await play(world, journal, streamed=streamed)
    except Killed:
        pass
    else:
        raise AssertionError(f"the run ended before row {count}")
    assert len(journal) == count
    assert world.launched is not None
    world.torn = journal.torn
    world.forget(world.recorded(journal))
    return world.state(world.launched, journal.prefix(count))
