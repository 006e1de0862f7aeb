"""What programs for the published SDK import and call, and what an import costs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.machinery import PathFinder
from typing import Any

import pytest

import agentgraph.mcp as exported
from agentgraph.mcp import (
    MCPServer,
    MCPServerManager,
    MCPServerSse,
    MCPServerStdio,
    MCPServerStreamableHttp,
    MCPUtil,
)
from agentgraph.mcp.transports import _public

# Read off SDK 0.24.
_SETTINGS = (
    "params, cache_tools_list=False, name=None, client_session_timeout_seconds=5, "
    "tool_filter=None, use_structured_content=False, max_retry_attempts=0, "
    "retry_backoff_seconds_base=1.0, message_handler=None, require_approval=None, "
    "failure_error_function=*, tool_meta_resolver=None, custom_data_extractor=None, "
    "retry_backoff_seconds_max=None, "
    "tool_input_guardrails=None, tool_output_guardrails=None, max_list_pages=None"
)
_TELL = "=*, include_server_in_tool_names=False, "
SIGNATURES: list[tuple[Any, str]] = [
    (MCPServerStdio, _SETTINGS),
    (MCPServerSse, _SETTINGS),
    (MCPServerStreamableHttp, _SETTINGS),
    (MCPServer.list_tools, "self, run_context=None, agent=None"),
    (MCPServer.call_tool, "self, tool_name, arguments, meta=None"),
    (MCPServer.get_prompt, "self, name, arguments=None"),
    (MCPServer.list_resources, "self, cursor=None"),
    (MCPServer.read_resource, "self, uri"),
    (
        MCPServerManager,
        "servers, connect_timeout_seconds=10.0, cleanup_timeout_seconds=10.0, "
        "drop_failed_servers=True, strict=False, suppress_cancelled_error=True, "
        "connect_in_parallel=False",
    ),
    (
        MCPUtil.get_all_function_tools,
        "servers, convert_schemas_to_strict, run_context, agent, failure_error_function"
        f"{_TELL}reserved_tool_names=None",
    ),
    (
        MCPUtil.get_function_tools,
        "server, convert_schemas_to_strict, run_context, agent, failure_error_function"
        f"{_TELL}tool_name_override=None, reserved_tool_names=None, server_index=0",
    ),
    (
        MCPUtil.to_function_tool,
        "tool, server, convert_schemas_to_strict, agent=None, failure_error_function=*, "
        "tool_name_override=None",
    ),
    (
        MCPUtil.invoke_mcp_tool,
        "server, tool, context, input_json, meta=None, tool_display_name=None",
    ),
]


def described(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if default is inspect.Parameter.empty:
        return parameter.name
    plain = default is None or isinstance(default, (bool, int, float))
    return f"{parameter.name}={default if plain else '*'}"


@pytest.mark.parametrize(("called", "expected"), SIGNATURES)
def test_what_is_called_has_the_parameters_of_the_sdk(called: Any, expected: str) -> None:
    parameters = inspect.signature(called).parameters.values()
    assert ", ".join(map(described, parameters)) == expected


def test_every_exported_name_is_there() -> None:
    assert [name for name in exported.__all__ if not hasattr(exported, name)] == []
    assert set(exported.__all__) <= set(dir(exported))
    with pytest.raises(AttributeError, match="no_such_name"):
        exported.no_such_name  # noqa: B018 - the access is what is tested


def test_naming_a_server_loads_neither_mcp_nor_anyio() -> None:
    code = (
        "import sys; from agentgraph.mcp import MCPServerStdio, MCPUtil; "
        "MCPServerStdio({'command': 'x'}); "
        "print({'mcp', 'anyio', 'openai'}.intersection(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_without_the_package_a_server_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = PathFinder.find_spec

    def without_mcp(name: str, *rest: Any) -> Any:
        return None if name == "mcp" else find(name, *rest)

    monkeypatch.setattr(PathFinder, "find_spec", without_mcp)
    monkeypatch.delitem(sys.modules, "mcp")
    with pytest.raises(ImportError, match=r'pip install "agentgraph-workflows\[mcp\]"') as caught:
        MCPServerStdio({"command": "x"})
    assert "MCPServerStdio" in str(caught.value)


@pytest.mark.parametrize(
    ("server", "name"),
    [
        (MCPServerStdio({"command": "npx", "args": ["--token", "s3cret"]}), "stdio: npx"),
        (
            MCPServerSse({"url": "https://me:s3cret@host:1/sse?key=s3cret#s3cret"}),
            "sse: https://host:1/sse",
        ),
        (MCPServerStreamableHttp({"url": "http://h/mcp"}), "streamable_http: http://h/mcp"),
        (MCPServerStreamableHttp({"url": "http://h/mcp"}, name="mine"), "mine"),
    ],
)
def test_a_server_is_named_after_its_address_without_secrets(server: MCPServer, name: str) -> None:
    assert server.name == name


@pytest.mark.parametrize("url", ["", "not a url", "http://"])
def test_an_address_that_is_none_has_a_name_all_the_same(url: str) -> None:
    assert isinstance(_public(url), str)
