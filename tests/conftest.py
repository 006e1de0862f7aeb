"""What holds for every test: the Hypothesis profiles, and no key or address of the user.

Profiles: `ci` is derandomised and bounded, so that a red run is red again; `dev` searches a little;
`thorough` is for a night. Choose with HYPOTHESIS_PROFILE.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from agentgraph.logger import warn_once
from agentgraph.models.chat_servers import CHAT_SERVERS
from tests.memory.servers import postgresql_server

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

_SETTINGS_OF_THE_USER = (
    "AGENTGRAPH_MODEL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_DEFAULT_MODEL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    *(name for server in CHAT_SERVERS.values() for name in server.key_variables),
    *(server.url_variable for server in CHAT_SERVERS.values()),
)


# A shell starts what it puts into the background with interrupts ignored, and so may CI. The tests
# of Ctrl-C, and the processes that they start, need the handler that a terminal gives.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_warning_yet() -> None:
    """A test sees the warnings that a process gives once, also if an earlier test has seen them."""
    warn_once.cache_clear()


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees none of the user's keys or addresses, so it cannot call a paid service."""
    for name in _SETTINGS_OF_THE_USER:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL, which the first test that needs it starts."""
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as socket_folder:
        yield socket_folder


@pytest.fixture(autouse=True)
def _loop_of_run_sync(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the event loop that `Runner.run_sync` keeps for the thread, as a program's end does.

    Left to the collector it would warn in whichever test happens to run then.
    """
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    asyncio.set_event_loop(None)
    yield
    with suppress(RuntimeError):  # no loop was set
        asyncio.get_event_loop_policy().get_event_loop().close()
    asyncio.set_event_loop(None)
