"""`OpenAIConversationsSession` against a server on loopback with the API's own types."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from agentgraph.memory import OpenAIConversationsSession
from agentgraph.memory.errors import InvalidSessionInput, SessionError
from agentgraph.memory.openai_conversations_session import start_openai_conversations_session
from agentgraph.openai_defaults import openai_defaults
from tests.memory.servers import ConversationsServer
from tests.memory.stores import user


@pytest.fixture
async def client(conversations: ConversationsServer) -> AsyncIterator[AsyncOpenAI]:
    address = f"http://127.0.0.1:{conversations.port}/v1"
    async with AsyncOpenAI(api_key="test", base_url=address, max_retries=0) as client:
        yield client


async def test_the_conversation_is_created_once_on_first_use(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    with pytest.raises(InvalidSessionInput, match="has no id yet"):
        _ = session.session_id

    await asyncio.gather(*(session.get_items() for _ in range(5)))

    assert list(conversations.conversations) == [session.session_id]


async def test_making_a_session_or_clearing_an_unused_one_asks_the_api_nothing(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)

    await session.clear_session()
    await session.add_items([])

    assert conversations.requests == []


async def test_clearing_deletes_the_conversation_and_the_next_call_makes_a_new_one(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user("x")])
    first = session.session_id

    await session.clear_session()
    assert await session.get_items() == []

    assert session.session_id != first
    assert list(conversations.conversations) == [session.session_id]


async def test_more_than_one_request_of_items_is_stored_as_a_whole_or_not_at_all(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user("before")])
    conversations.refuse_item_requests_after = 2

    with pytest.raises(SessionError, match="Refused for the test"):
        await session.add_items([user(str(number)) for number in range(45)])

    (stored,) = conversations.conversations.values()
    assert [item["content"][0]["text"] for item in stored] == ["before"]


@pytest.mark.parametrize("count", [3, 45])
@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_write_whose_answer_is_lost_is_not_sent_again_and_leaves_no_part(
    conversations: ConversationsServer, monkeypatch: pytest.MonkeyPatch, lost: int, count: int
) -> None:
    # This client would send it again by itself.
    address = f"http://127.0.0.1:{conversations.port}/v1"
    async with AsyncOpenAI(api_key="test", base_url=address, max_retries=2) as client:
        session = OpenAIConversationsSession(openai_client=client)
        await session.add_items([user("before")])
        add, requests = conversations._add, []

        def losing(name: str, items: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
            requests.append(len(items))
            answer = add(name, items)
            if len(requests) == min(lost, -(-count // 20)):
                return 500, {"error": {"message": "the answer is lost"}}
            return answer

        monkeypatch.setattr(conversations, "_add", losing)
        with pytest.raises(SessionError, match="the answer is lost"):
            await session.add_items([user(str(number)) for number in range(count)])

    (stored,) = conversations.conversations.values()
    texts = [item["content"][0]["text"] for item in stored]
    # One request is stored, as of any store that does not know; of several none is left.
    assert texts == ["before", *(map(str, range(count)) if count <= 20 else ())]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_write_that_the_api_had_no_room_for_is_sent_again(
    conversations: ConversationsServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("agentgraph.memory.openai_conversations_session._FIRST_PAUSE", 0.0)
    add, refused = conversations._add, []

    def refusing(name: str, items: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        if len(refused) < 2:
            refused.append(name)
            return status, {"error": {"message": "too many requests"}}
        return add(name, items)

    monkeypatch.setattr(conversations, "_add", refusing)
    address = f"http://127.0.0.1:{conversations.port}/v1"
    async with AsyncOpenAI(api_key="test", base_url=address, max_retries=2) as client:
        session = OpenAIConversationsSession(openai_client=client)
        await session.add_items([user("x")])
        refused.clear()
        once = client.with_options(max_retries=1)
        with pytest.raises(SessionError, match="too many requests"):
            await OpenAIConversationsSession(
                conversation_id=session.session_id, openai_client=once
            ).add_items([user("y")])

    (stored,) = conversations.conversations.values()
    assert len(stored) == 1


async def test_two_that_pop_at_once_do_not_get_the_same_item(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    texts = [str(number) for number in range(6)]
    await session.add_items([user(text) for text in texts])
    deleted = conversations._handle

    def strict(method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        item = path.rpartition("/")[2]
        known = [entry["id"] for entry in conversations.conversations[session.session_id]]
        if method == "DELETE" and item not in known:
            return 404, {"error": {"message": "No such item"}}
        return deleted(method, path, body)

    conversations._handle = strict  # type: ignore[method-assign]
    popped: list[Any] = await asyncio.gather(*(session.pop_item() for _ in range(8)))

    found = [item["content"][0]["text"] for item in popped if item is not None]
    assert sorted(found) == texts


async def test_a_conversation_that_is_gone_is_cleared(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user("x")])
    first = session.session_id
    del conversations.conversations[first]

    await session.clear_session()
    assert await session.get_items() == []

    assert session.session_id != first


async def test_a_conversation_that_could_not_be_deleted_is_kept(
    conversations: ConversationsServer, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user("x")])
    first = session.session_id
    refusal = (500, {"error": {"message": "not now"}})
    with monkeypatch.context() as failing:
        failing.setattr(conversations, "_handle", lambda *_: refusal)
        with pytest.raises(SessionError, match=rf"'{first}': .*not now"):
            await session.clear_session()

    assert session.session_id == first
    assert len(await session.get_items()) == 1


@pytest.mark.parametrize("answer", [b"<html></html>", b"{broken"])
async def test_a_server_that_is_another_one_is_named(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        kind = b"application/json" if answer.startswith(b"{") else b"text/html"
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: " + kind
        writer.write(head + b"\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/v1"
        async with AsyncOpenAI(api_key="test", base_url=address, max_retries=0) as client:
            for name in (None, "conv_1"):
                session = OpenAIConversationsSession(conversation_id=name, openai_client=client)
                for use in (
                    session.get_items(),
                    session.pop_item(),
                    session.add_items([user("x")]),
                ):
                    with pytest.raises(
                        SessionError,
                        match=r"at http://127\.0\.0\.1 is not the Conversations API.*base_url",
                    ):
                        await use


async def test_a_cancelled_write_of_several_requests_is_done_as_a_whole(
    conversations: ConversationsServer, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user("before")])
    items = [user(str(number)) for number in range(45)]
    task = asyncio.create_task(session.add_items(items))
    add, answering = conversations._add, threading.Event()

    def second(name: str, given: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        answer = add(name, given)
        if len(conversations.conversations[name]) > 21:
            loop.call_soon_threadsafe(task.cancel)
            loop.call_soon_threadsafe(answering.set)
            answering.wait(10)
        return answer

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(conversations, "_add", second)
    with pytest.raises(asyncio.CancelledError):
        await task

    (stored,) = conversations.conversations.values()
    texts = [item["content"][0]["text"] for item in stored]
    assert texts == ["before", *map(str, range(45))]


async def test_what_only_another_provider_knows_is_not_sent(
    conversations: ConversationsServer, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    noted = {"id": "__fake_id__", "provider_data": {"model": "other"}}
    foreign: list[Any] = [
        {"type": "reasoning", "summary": [], **noted},
        {"type": "reasoning", "summary": [], "id": "__fake_id__"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", **noted},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]
    own: list[Any] = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "mcp_call", "id": "mcp_1", "name": "f", "server_label": "s", "arguments": "{}"},
    ]
    sent: list[Any] = []
    add = conversations._add

    def noting(name: str, items: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        sent.extend(items)
        return add(name, items)

    monkeypatch.setattr(conversations, "_add", noting)
    await session.add_items(foreign[:2])
    await session.add_items([*foreign, *own])

    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert sent == [call, foreign[3], *own]
    assert foreign[2]["id"] == "__fake_id__"


async def test_half_a_surrogate_pair_is_refused_before_anything_is_sent(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)

    with pytest.raises(InvalidSessionInput, match="cannot be written as JSON"):
        await session.add_items([user("\ud83d")])

    assert conversations.requests == []


async def test_a_read_with_a_limit_asks_for_that_many(
    conversations: ConversationsServer, client: AsyncOpenAI
) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    await session.add_items([user(str(number)) for number in range(150)])
    conversations.requests.clear()

    assert len(await session.get_items(3)) == 3

    assert len(conversations.requests) == 1


async def test_a_conversation_that_does_not_exist_is_an_error_that_names_it(
    client: AsyncOpenAI,
) -> None:
    session = OpenAIConversationsSession(conversation_id="conv_gone", openai_client=client)

    with pytest.raises(SessionError, match=r"'conv_gone'.*No such conversation"):
        await session.get_items()
    with pytest.raises(InvalidSessionInput, match="non-empty"):
        OpenAIConversationsSession(conversation_id="")


async def test_without_a_client_that_of_the_process_is_used(
    conversations: ConversationsServer, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_defaults, "client", client)

    conversation = await start_openai_conversations_session()
    session = OpenAIConversationsSession(conversation_id=conversation)
    await session.add_items([user("x")])

    assert len(conversations.conversations[conversation]) == 1


async def test_without_any_key_the_error_says_so() -> None:
    with pytest.raises(SessionError, match="OPENAI_API_KEY"):
        await OpenAIConversationsSession().get_items()
