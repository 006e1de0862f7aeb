"""The stores as fixtures; a server starts when the first test needs it and stops at the end.

PostgreSQL is a fixture of all tests: journals need it, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.memory.servers import (
    ConversationsServer,
    DaprStateStore,
    healthy_sidecar,
    mongodb_server,
    mongodb_uri,
    redis_server,
)
from tests.memory.stores import LOCAL, Store, local_store

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

REMOTE = ("asyncpg", "psycopg", "redis", "dapr", "mongodb", "conversations")


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with redis_server(tmp_path_factory.mktemp("redis")) as socket:
        yield socket


@pytest.fixture(scope="session")
def mongodb_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mongodb_server(tmp_path_factory.mktemp("mongodb")) as port:
        yield port


@pytest.fixture
async def mongodb(mongodb_port: int) -> AsyncIterator[AsyncDatabase[Any]]:
    """A new database."""
    from pymongo import AsyncMongoClient

    client: AsyncMongoClient[Any] = AsyncMongoClient(mongodb_uri(mongodb_port))
    yield client[f"test-{uuid4().hex[:8]}"]
    await client.close()


@pytest.fixture
def sidecar_health(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    conf = pytest.importorskip("dapr.conf", reason="pip install dapr brings Dapr's stubs")
    with healthy_sidecar() as port:
        monkeypatch.setattr(conf.settings, "DAPR_HTTP_PORT", port)
        yield


@pytest.fixture
async def dapr(sidecar_health: None) -> AsyncIterator[DaprStateStore]:
    async with DaprStateStore().running() as server:
        yield server


@pytest.fixture
def conversations() -> Iterator[ConversationsServer]:
    with ConversationsServer().running() as server:
        yield server


def postgresql_url(driver: str, socket_folder: Path) -> str:
    return f"postgresql+{driver}://postgres@/postgres?host={socket_folder}"


@pytest.fixture(params=[*LOCAL, *REMOTE])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with _opened(request, tmp_path) as opened:
        yield opened


@pytest.fixture(params=[*LOCAL, *REMOTE[:-1]])
async def moving_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The stores that can move what they have; the Conversations API can only append."""
    async with _opened(request, tmp_path) as opened:
        yield opened


@pytest.fixture
async def appending_store(conversations: ConversationsServer) -> AsyncIterator[Store]:
    opened = _conversations_store(conversations)
    yield opened
    await opened.close()


@asynccontextmanager
async def _opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    name: str = request.param
    async with AsyncExitStack() as stack:
        opened = (
            local_store(name, tmp_path)
            if name in LOCAL
            else await _remote_store(name, request, stack)
        )
        stack.push_async_callback(opened.close)
        yield opened


async def _remote_store(name: str, request: pytest.FixtureRequest, stack: AsyncExitStack) -> Store:
    from agentgraph.extensions.memory import (
        DaprSession,
        MongoDBSession,
        RedisSession,
        SQLAlchemySession,
    )

    match name:
        case "asyncpg" | "psycopg":
            url = postgresql_url(name, request.getfixturevalue("postgresql"))
            return Store(
                name, lambda key: SQLAlchemySession.from_url(key, url=url, create_tables=True)
            )
        case "redis":
            address = f"unix://{request.getfixturevalue('redis_socket')}"
            return Store(name, lambda key: RedisSession.from_url(key, url=address))
        case "mongodb":
            uri = mongodb_uri(request.getfixturevalue("mongodb_port"))
            return Store(name, lambda key: MongoDBSession.from_uri(key, uri=uri))
        case "dapr":
            request.getfixturevalue("sidecar_health")
            server = await stack.enter_async_context(DaprStateStore().running())
            return Store(
                name,
                lambda key: DaprSession.from_address(
                    key, state_store_name="state", dapr_address=f"127.0.0.1:{server.port}"
                ),
            )
        case _:
            return _conversations_store(request.getfixturevalue("conversations"))


def _conversations_store(server: ConversationsServer) -> Store:
    from openai import AsyncOpenAI

    from agentgraph.memory import OpenAIConversationsSession

    def make(key: str) -> OpenAIConversationsSession:
        server.conversations.setdefault(key, [])
        client = AsyncOpenAI(
            api_key="test", base_url=f"http://127.0.0.1:{server.port}/v1", max_retries=0
        )
        session = OpenAIConversationsSession(conversation_id=key, openai_client=client)
        session.close = client.close  # type: ignore[attr-defined]  # for the fixture to close
        return session

    return Store("conversations", make)
