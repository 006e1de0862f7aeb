"""Times and counts that cannot be meant are refused where they are set."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agentgraph import (
    Agent,
    ModelRetryBackoffSettings,
    ModelRetrySettings,
    ModelSettings,
    Runner,
    ToolExecutionConfig,
    UserError,
    function_tool,
)
from agentgraph.mcp import (
    MCPServerManager,
    MCPServerSse,
    MCPServerStdio,
    MCPServerStreamableHttp,
)
from agentgraph.testing import ScriptedModel

NEVER_MEANT = (-1, -math.inf, math.nan, math.inf, True, "5", [5])
AGENT = Agent[Any](name="A", model=ScriptedModel([]))


async def nothing() -> None:
    """Do nothing."""


def stdio(name: str) -> Callable[[Any], object]:
    return lambda value: MCPServerStdio({"command": "x"}, **{name: value})


def over_http(kind: Any, name: str) -> Callable[[Any], object]:
    return lambda value: kind({"url": "http://x", name: value})


SECONDS: dict[str, Callable[[Any], object]] = {
    "client_session_timeout_seconds": stdio("client_session_timeout_seconds"),
    "retry_backoff_seconds_base": stdio("retry_backoff_seconds_base"),
    "retry_backoff_seconds_max": stdio("retry_backoff_seconds_max"),
    "timeout of sse": over_http(MCPServerSse, "timeout"),
    "timeout of http": over_http(MCPServerStreamableHttp, "timeout"),
    "sse_read_timeout of sse": over_http(MCPServerSse, "sse_read_timeout"),
    "sse_read_timeout of http": over_http(MCPServerStreamableHttp, "sse_read_timeout"),
    "connect_timeout_seconds": lambda value: MCPServerManager([], connect_timeout_seconds=value),
    "cleanup_timeout_seconds": lambda value: MCPServerManager([], cleanup_timeout_seconds=value),
    "ModelSettings.timeout": lambda value: ModelSettings(timeout=value),
    "initial_delay": lambda value: ModelRetryBackoffSettings(initial_delay=value),
    "max_delay": lambda value: ModelRetryBackoffSettings(max_delay=value),
    "multiplier": lambda value: ModelRetryBackoffSettings(multiplier=value),
    "timeout_seconds": lambda value: function_tool(nothing, timeout=value),
}
COUNTS: dict[str, Callable[[Any], object]] = {
    "max_list_pages": stdio("max_list_pages"),
    "max_function_tool_concurrency": lambda value: ToolExecutionConfig(value),
    "on_stream_max_pending_events": lambda value: AGENT.as_tool(
        "ask", "", on_stream=print, on_stream_max_pending_events=value
    ),
    "max_turns of an agent tool": lambda value: AGENT.as_tool("ask", "", max_turns=value),
    "max_retries": lambda value: ModelRetrySettings(max_retries=value),
}
MAY_BE_NONE = [name for name in (*SECONDS, *COUNTS) if name != "retry_backoff_seconds_base"]
SETTERS = {**SECONDS, **COUNTS}


@pytest.mark.parametrize("value", NEVER_MEANT)
@pytest.mark.parametrize("setting", SETTERS)
def test_what_cannot_be_meant_is_refused_by_name(setting: str, value: Any) -> None:
    with pytest.raises((UserError, ValueError), match=setting.partition(" ")[0]):
        SETTERS[setting](value)


@pytest.mark.parametrize("setting", SETTERS)
def test_what_can_be_meant_is_taken(setting: str) -> None:
    SETTERS[setting](5)


@pytest.mark.parametrize("setting", SECONDS)
def test_a_part_of_a_second_is_a_time(setting: str) -> None:
    SECONDS[setting](0.5)


@pytest.mark.parametrize("setting", MAY_BE_NONE)
def test_none_stands_for_no_limit(setting: str) -> None:
    SETTERS[setting](None)


@pytest.mark.parametrize(
    "setting", ["max_list_pages", "max_function_tool_concurrency", "on_stream_max_pending_events"]
)
def test_there_is_at_least_one_where_nothing_would_go_on_without(setting: str) -> None:
    with pytest.raises(UserError, match=setting):
        SETTERS[setting](0)


def test_a_time_over_http_may_be_a_timedelta() -> None:
    SECONDS["timeout of http"](timedelta(seconds=2))
    with pytest.raises(UserError, match="timeout"):
        SECONDS["timeout of http"](timedelta(seconds=-2))


@pytest.mark.parametrize("value", [True, False, -math.inf, math.nan, "5"])
async def test_the_turns_of_a_run_are_a_whole_number(value: Any) -> None:
    with pytest.raises(UserError, match="max_turns must be a whole number"):
        await Runner.run(AGENT, "go", max_turns=value)
