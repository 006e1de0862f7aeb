"""The servers that models are tested against, and clients for them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec

import pytest
from openai import AsyncOpenAI

from tests.models.aimock_server import KEY, running_aimock
from tests.models.install_aimock import install
from tests.models.loopback_server import LoopbackServer

# Where they are not installed, `test_libraries.py` runs the files in an environment that has them.
LIBRARIES = ("any_llm", "litellm", "websockets")
collect_ignore = (
    [] if all(map(find_spec, LIBRARIES)) else ["test_library_models.py", "test_websocket.py"]
)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server of our own that records requests."""
    server = LoopbackServer()
    yield server
    server.close()


@pytest.fixture
async def client(server: LoopbackServer) -> AsyncIterator[AsyncOpenAI]:
    """A client of the recording server that retries nothing."""
    async with AsyncOpenAI(api_key="k", base_url=server.url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the OpenAI API that is not ours."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed; the system package `nodejs` provides it")
    install()
    with running_aimock(tmp_path_factory.mktemp("aimock")) as url:
        yield url


@pytest.fixture
async def aimock_client(aimock: str) -> AsyncIterator[AsyncOpenAI]:
    """A client of that server, with its own retries."""
    async with AsyncOpenAI(api_key=KEY, base_url=aimock) as client:
        yield client
