"""The conformance of journals: what every store of durable runs must keep."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from agentgraph.memory.journals import ClaimLost, IndexTaken, RunInProgress, UnknownRun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentgraph.memory.journals import JournalStore

__all__ = ["JournalFactory", "assert_journal_conformance"]

JournalFactory: TypeAlias = "Callable[[], JournalStore | Awaitable[JournalStore]]"
"""Opens the journal under test. Each call opens the same stored runs, as another process would."""

_HOUR: Final = 3600.0
_WORDS: Final = ('{"text": "é 漢 🎈 \\u2028"}', '{"text": "\\\\ud800"}', '{"n": 1e300}', "{}")


async def assert_journal_conformance(factory: JournalFactory) -> None:
    """Check a journal against the protocol `JournalStore`.

    Args:
        factory: Opens the journal; it is called several times, for the same place. It may hold
            other runs; this check deletes its own.

    Raises:
        AssertionError: The journal differs; the message says in what.
    """
    for check in (
        _runs_begin_once,
        _lines_come_back,
        _indexes_are_taken_once,
        _one_holder_at_a_time,
        _later_claims_fence_earlier_ones,
        _runs_are_listed,
        _runs_are_rewritten,
        _machines_go_with_their_runs,
        _one_of_many_appends_wins,
    ):
        async with AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(_opened(factory)) for _ in range(2)]
            await _cleared(stores[0])
            try:
                await check(*stores)
            except AssertionError as error:
                rule = check.__name__.strip("_").replace("_", " ")
                raise AssertionError(f"{type(stores[0]).__name__}: {rule}: {error}") from error
            finally:
                await _cleared(stores[0])


_RUNS: Final = tuple(f"conformance {number} é" for number in range(4))


@asynccontextmanager
async def _opened(factory: JournalFactory) -> AsyncIterator[JournalStore]:
    opened = factory()
    store: JournalStore = await opened if inspect.isawaitable(opened) else opened
    try:
        yield store
    finally:
        await store.aclose()


async def _cleared(store: JournalStore) -> None:
    for run in _RUNS:
        stored = await store.find(run)
        if stored is not None:
            if stored.holder:
                await store.finish(run, stored.epoch, "stopped", "")
            await store.delete(run)


def _equal(what: str, is_value: object, should: object) -> None:
    if is_value != should:
        raise AssertionError(f"{what}: {is_value!r}, expected {should!r}")


async def _refused(what: str, error: type[Exception], work: Awaitable[object]) -> None:
    try:
        result = await work
    except error:
        return
    raise AssertionError(f"{what} must raise {error.__name__}, but returned {result!r}")


async def _runs_begin_once(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    _equal("find before open", await one.find(run), None)
    await _refused("read of an unknown run", UnknownRun, one.read(run))
    await _refused("claim of an unknown run", UnknownRun, one.claim(run, "a", _HOUR))
    await _refused("delete of an unknown run", UnknownRun, one.delete(run))
    first = await one.open(run, _WORDS[0])
    again = await other.open(run, _WORDS[1])
    _equal("the head after a second open", again.head, _WORDS[0])
    _equal("the second open", again, first)
    _equal("epoch and lines of a new run", (first.epoch, first.lines, first.holder), (0, 0, ""))
    _equal("find", await other.find(run), first)


async def _lines_come_back(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await one.open(run, "{}")
    epoch = await one.claim(run, "a", _HOUR)
    await one.append(run, epoch, 0, _WORDS[:1])
    await one.append(run, epoch, 1, _WORDS[1:])
    _equal("the lines", await other.read(run), list(_WORDS))
    _equal("the lines from 2 on", await other.read(run, 2), list(_WORDS[2:]))
    _equal("the lines after the last", await other.read(run, 4), [])
    stored = await other.find(run)
    _equal("the number of lines", stored and stored.lines, 4)
    many = [f'{{"n": {number}}}' for number in range(3000)]
    await one.append(run, epoch, 4, many)
    _equal("3,000 lines at once", (await other.read(run))[4:], many)


async def _indexes_are_taken_once(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await one.open(run, "{}")
    epoch = await one.claim(run, "a", _HOUR)
    await one.append(run, epoch, 0, ['{"a": 1}', '{"a": 2}'])
    await other.append(run, epoch, 0, ['{"a": 1}', '{"a": 2}'])  # its answer was lost
    for first, lines in ((0, ['{"b": 1}']), (1, ['{"a": 2}', '{"a": 3}']), (3, ['{"a": 4}'])):
        await _refused(f"append at {first}", IndexTaken, other.append(run, epoch, first, lines))
    _equal("the lines", await one.read(run), ['{"a": 1}', '{"a": 2}'])


async def _one_holder_at_a_time(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await one.open(run, "{}")
    epoch = await one.claim(run, "a", _HOUR)
    await _refused("a second claim", RunInProgress, other.claim(run, "b", _HOUR))
    _equal("the epoch of the same claim again", await other.claim(run, "a", _HOUR), epoch)
    await _refused("delete of a held run", RunInProgress, other.delete(run))
    await one.renew(run, epoch, _HOUR)
    await one.finish(run, epoch, "suspended", '{"a": 1}')
    stored = await other.find(run)
    _equal("the status", stored and (stored.status, stored.note), ("suspended", '{"a": 1}'))
    _equal("the next epoch", await other.claim(run, "b", _HOUR), epoch + 1)
    stored = await one.find(run)
    _equal("a claimed run", stored and (stored.status, stored.holder), ("running", "b"))
    await other.finish(run, epoch + 1, "done", '{"a": 1}')
    await one.claim(run, "a", _HOUR)
    stored = await other.find(run)
    _equal("the status of a claimed run that is over", stored and stored.status, "done")


async def _later_claims_fence_earlier_ones(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await one.open(run, "{}")
    epoch = await one.claim(run, "a", 0.001)
    await asyncio.sleep(0.05)
    later = await other.claim(run, "b", _HOUR)
    _equal("the epoch of the second claim", later, epoch + 1)
    await _refused("an append after it", ClaimLost, one.append(run, epoch, 0, ["{}"]))
    await _refused("a renewal after it", ClaimLost, one.renew(run, epoch, _HOUR))
    await _refused("an end after it", ClaimLost, one.finish(run, epoch, "done", ""))
    _equal("the lines", await one.read(run), [])
    await other.append(run, later, 0, ["{}"])


async def _runs_are_listed(one: JournalStore, other: JournalStore) -> None:
    for number, run in enumerate(_RUNS):
        await one.open(run, "{}")
        epoch = await one.claim(run, "a", _HOUR)
        await one.finish(run, epoch, "done" if number % 2 else "failed", "")
        await asyncio.sleep(0.01)
    names = [one.run_id for one in await other.runs(limit=1_000_000)]
    own = [name for name in names if name in _RUNS]
    _equal("the runs, the latest first", own, list(reversed(_RUNS)))
    done = [one.run_id for one in await other.runs(["done"], limit=1_000_000)]
    _equal("the runs that are done", [n for n in done if n in _RUNS], [_RUNS[3], _RUNS[1]])
    both = await other.runs(["done", "failed"], limit=1_000_000)
    _equal("of two statuses", [one.run_id for one in both if one.run_id in _RUNS], own)
    paged, last = [], ""
    while page := await other.runs(limit=2, after=last):
        last = page[-1].run_id
        paged += [one.run_id for one in page]
    _equal("the runs in pages of two", paged, names)


async def _runs_are_rewritten(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await _refused("a rewrite of an unknown run", UnknownRun, one.rewrite(run, "{}", []))
    await one.open(run, _WORDS[0])
    epoch = await one.claim(run, "a", _HOUR)
    await one.append(run, epoch, 0, _WORDS)
    await one.keep_machine(run, "conformance-0", "{}")
    await _refused("a rewrite of a held run", RunInProgress, other.rewrite(run, "{}", []))
    await one.finish(run, epoch, "done", "{}")
    before = await one.find(run)
    await other.rewrite(run, _WORDS[1], _WORDS[1:])
    _equal("the lines after a rewrite", await one.read(run), list(_WORDS[1:]))
    expected = before and before._replace(head=_WORDS[1], lines=len(_WORDS) - 1)
    _equal("the run after a rewrite", await one.find(run), expected)
    _equal("its machine", await one.machine("conformance-0"), None)
    epoch = await one.claim(run, "a", _HOUR)
    await one.append(run, epoch, len(_WORDS) - 1, _WORDS[:1])
    _equal("the lines after an append", await other.read(run), [*_WORDS[1:], _WORDS[0]])
    await one.finish(run, epoch, "done", "{}")
    await one.rewrite(run, "{}", [])
    _equal("no lines", await other.read(run), [])


async def _machines_go_with_their_runs(one: JournalStore, other: JournalStore) -> None:
    keys = [f"conformance-{number}" for number in range(2)]
    for run in _RUNS[:2]:
        await one.open(run, "{}")
        await one.keep_machine(run, keys[0], _WORDS[0])
    await one.keep_machine(_RUNS[0], keys[1], _WORDS[1])
    await one.keep_machine(_RUNS[0], keys[1], _WORDS[1])
    _equal("a machine", await other.machine(keys[0]), _WORDS[0])
    await one.delete(_RUNS[0])
    _equal("the machine of a deleted run", await other.machine(keys[1]), None)
    _equal("a machine that another run uses", await other.machine(keys[0]), _WORDS[0])
    _equal("a deleted run", await other.find(_RUNS[0]), None)


async def _one_of_many_appends_wins(one: JournalStore, other: JournalStore) -> None:
    run = _RUNS[0]
    await one.open(run, "{}")
    claims = await asyncio.gather(
        *(store.claim(run, str(place), _HOUR) for place, store in enumerate((one, other) * 5)),
        return_exceptions=True,
    )
    epochs = [claim for claim in claims if not isinstance(claim, BaseException)]
    _equal("the number of claims at once that succeed", len(epochs), 1)
    appends = await asyncio.gather(
        *(
            store.append(run, epochs[0], 0, [f'{{"n": {place}}}'])
            for place, store in enumerate((one, other) * 5)
        ),
        return_exceptions=True,
    )
    _equal("the appends at once that succeed", appends.count(None), 1)
    _equal("the number of lines", len(await one.read(run)), 1)
