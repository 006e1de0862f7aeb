"""`DaprSession` against a server on Dapr's own stubs; no `daprd` is needed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from tests.memory.servers import DaprStateStore
from tests.memory.stores import call, output, user

pytest.importorskip("dapr", reason="pip install dapr brings Dapr's stubs")

from agentgraph.extensions.memory import (
    DAPR_CONSISTENCY_STRONG,
    DaprSession,
)


def opened(server: DaprStateStore, **arguments: Any) -> DaprSession:
    return DaprSession.from_address(
        "s", state_store_name="state", dapr_address=f"127.0.0.1:{server.port}", **arguments
    )


async def test_a_session_is_one_list_under_the_key_of_the_sdk(dapr: DaprStateStore) -> None:
    session = opened(dapr)

    await session.add_items([user("x")])

    texts = json.loads(dapr.values["s:messages"][0])
    assert [json.loads(text) for text in texts] == [user("x")]
    assert json.loads(dapr.values["s:metadata"][0])["session_id"] == "s"
    await session.clear_session()
    assert dapr.values == {}
    await session.close()


async def test_texts_that_an_older_version_has_marked_lose_their_marks_with_the_next_write(
    dapr: DaprStateStore,
) -> None:
    session = opened(dapr)
    await session.add_items([user("x")])
    marked = json.dumps([json.dumps(user(text)) + " \t\n\r" * 6 for text in ("x", "y")])
    _, etag = dapr.values["s:messages"]
    dapr.values["s:messages"] = (marked.encode(), etag)
    assert await session.get_items() == [user("x"), user("y")]
    assert dapr.values["s:messages"][0] == marked.encode()

    await session.add_items([user("z")])

    texts = json.loads(dapr.values["s:messages"][0])
    assert texts == [json.dumps(user(text)) for text in ("x", "y", "z")]
    await session.close()


async def test_writers_that_race_all_succeed_in_the_end(dapr: DaprStateStore) -> None:
    sessions = [opened(dapr) for _ in range(6)]
    turns = [[call(f"{n}"), output(f"{n}")] for n in range(18)]

    await asyncio.gather(*(sessions[n % 6].add_items(turn) for n, turn in enumerate(turns)))

    stored = await sessions[0].get_items()
    blocks = [stored[start : start + 2] for start in range(0, len(stored), 2)]
    assert sorted(blocks, key=turns.index) == turns
    for session in sessions:
        await session.close()


async def test_a_write_is_tried_again_after_conflicts_and_given_up_in_the_end(
    dapr: DaprStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentgraph.extensions.memory.dapr_session._LONGEST_PAUSE", 0.0)
    session = opened(dapr)
    dapr.conflicts_to_fake = 5
    await session.add_items([user("x")])
    assert await session.get_items() == [user("x")]

    dapr.conflicts_to_fake = 1_000
    with pytest.raises(SessionError, match="other writers were faster"):
        await session.add_items([user("y")])

    assert await session.get_items() == [user("x")]
    await session.close()


async def test_a_write_that_was_done_though_it_was_called_a_conflict_is_not_done_twice(
    dapr: DaprStateStore,
) -> None:
    session = opened(dapr)
    for _ in range(2):
        dapr.answers_to_lose = 1
        await session.add_items([user("same")])
    dapr.answers_to_lose = 1
    block = await session.append_to_block([user("asked")])
    await session.add_items([user("other")])
    dapr.answers_to_lose = 1
    await session.append_to_block([call("1"), output("1")], block)

    turn = [user("asked"), call("1"), output("1")]
    assert await session.get_items() == [user("same"), user("same"), user("other"), *turn]
    await session.close()


async def test_a_write_that_fails_has_stored_nothing_also_where_its_times_are_noted(
    dapr: DaprStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(dapr)
    current = dapr._current

    def failing(key: str) -> tuple[bytes, str]:
        if key.endswith(":metadata"):
            raise ConnectionError("lost")
        return current(key)

    with monkeypatch.context() as broken:
        broken.setattr(dapr, "_current", failing)
        for write in (session.add_items, session.append_to_block):
            with pytest.raises(SessionError, match="did not confirm"):
                await write([user("x")])

    assert await session.get_items() == []
    await session.close()


async def test_an_error_that_speaks_of_etags_is_no_conflict(
    dapr: DaprStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(dapr)

    current = dapr._current

    def failing(key: str) -> tuple[bytes, str]:
        if key.endswith(":messages"):
            raise ConnectionError("no such ETag store")
        return current(key)

    monkeypatch.setattr(session, "_read", lambda: _answer(([], "")))
    monkeypatch.setattr(dapr, "_current", failing)
    with pytest.raises(SessionError, match="no such ETag store"):
        await session.add_items([user("x")])
    await session.close()


async def _answer(value: Any) -> Any:
    return value


@pytest.mark.parametrize("damaged", [b"{broken", b'{"an": "object"}', b"3"])
async def test_damaged_state_is_an_error_and_is_not_overwritten(
    dapr: DaprStateStore, damaged: bytes
) -> None:
    dapr.values["s:messages"] = (damaged, "1")
    session = opened(dapr)

    for use in (session.get_items(), session.add_items([user("x")]), session.pop_item()):
        with pytest.raises(SessionError, match="holds no list of items"):
            await use

    assert dapr.values["s:messages"] == (damaged, "1")
    await session.clear_session()
    assert await session.get_items() == []
    await session.close()


async def test_damaged_texts_in_the_list_are_left_out(dapr: DaprStateStore) -> None:
    texts = json.dumps([json.dumps(user("1")), json.dumps(user("2")), "broken", "[]"])
    dapr.values["s:messages"] = (texts.encode(), "1")
    session = opened(dapr)

    assert await session.get_items() == [user("1"), user("2")]
    assert await session.get_items(1) == [user("2")]
    assert await session.pop_item() == user("2")
    assert await session.get_items() == [user("1")]
    await session.close()


async def test_the_store_forgets_a_session_after_its_time(dapr: DaprStateStore) -> None:
    session = opened(dapr, ttl=60, consistency=DAPR_CONSISTENCY_STRONG)
    await session.add_items([user("x")])

    dapr.now = 59
    assert await session.get_items() == [user("x")]
    dapr.now = 60
    assert await session.get_items() == []
    await session.close()


async def test_a_sidecar_that_is_gone_is_an_error_that_names_the_session(
    dapr: DaprStateStore,
) -> None:
    session = opened(dapr)
    assert await session.ping()
    missing = DaprSession.from_address("s", state_store_name="state", dapr_address="127.0.0.1:1")

    assert not await missing.ping()
    with pytest.raises(SessionError, match="'s' in the state store 'state': Dapr did not confirm"):
        await missing.add_items([user("x")])
    await missing.close()
    await session.close()
    with pytest.raises(SessionClosedError, match="'s' is closed"):
        await session.get_items()


@pytest.mark.parametrize("address", ["ftp://host:1", "127.0.0.1:port"])
async def test_an_address_of_no_sidecar_is_an_error_that_names_it(
    sidecar_health: None, address: str
) -> None:
    with pytest.raises(SessionError, match=f"'s': no Dapr sidecar answers at {address}"):
        DaprSession.from_address("s", state_store_name="state", dapr_address=address)


def test_a_session_made_where_no_event_loop_runs_says_so(
    sidecar_health: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loopless(**_: Any) -> None:
        # So it is after `asyncio.run`, or in a thread.
        raise RuntimeError("There is no current event loop in thread 'MainThread'.")

    monkeypatch.setattr("agentgraph.extensions.memory.dapr_session.DaprClient", loopless)
    with pytest.raises(SessionError, match="'s': its connections belong to one event loop"):
        DaprSession.from_address("s", state_store_name="state")


def test_what_cannot_work_is_refused() -> None:
    client: Any = object()
    with pytest.raises(InvalidSessionInput, match="name of a state store"):
        DaprSession("s", state_store_name="", dapr_client=client)
    with pytest.raises(InvalidSessionInput, match="'eventual' or 'strong', got 'bogus'"):
        DaprSession("s", state_store_name="x", dapr_client=client, consistency="bogus")  # type: ignore[arg-type]
    for ttl in (0, 1.5):
        with pytest.raises(InvalidSessionInput, match="whole number that is more than 0"):
            DaprSession("s", state_store_name="state", dapr_client=client, ttl=ttl)  # type: ignore[arg-type]
