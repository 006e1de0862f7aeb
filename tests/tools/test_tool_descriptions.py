"""Hosted tools, computers and shells: what they are called and what they refuse."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from agentgraph import tool as tools
from agentgraph.computer import AsyncComputer, Computer
from agentgraph.exceptions import AgentDefinitionError, UserError


class Screen(Computer):
    def screenshot(self) -> str:
        return "png"

    def click(self, x: int, y: int, button: Any) -> None: ...
    def double_click(self, x: int, y: int) -> None: ...
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None: ...
    def type(self, text: str) -> None: ...
    def wait(self) -> None: ...
    def move(self, x: int, y: int) -> None: ...
    def keypress(self, keys: list[str]) -> None: ...
    def drag(self, path: list[tuple[int, int]]) -> None: ...


def run_command(request: tools.LocalShellCommandRequest) -> str:
    return "done"


def run_commands(request: tools.ShellCommandRequest) -> str:
    return "done"


MCP: Any = {"type": "mcp", "server_label": "docs", "server_url": "http://localhost"}


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        (tools.WebSearchTool(), "web_search"),
        (tools.FileSearchTool(vector_store_ids=["vs"]), "file_search"),
        (
            tools.CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": "c"}),
            "code_interpreter",
        ),
        (tools.ImageGenerationTool(tool_config={"type": "image_generation"}), "image_generation"),
        (tools.HostedMCPTool(tool_config=MCP), "hosted_mcp"),
        (tools.LocalShellTool(executor=run_command), "local_shell"),
        (tools.ShellTool(executor=run_commands), "shell"),
        (tools.ComputerTool(computer=Screen()), "computer_use_preview"),
    ],
)
def test_each_tool_has_the_name_of_the_sdk(tool: tools.Tool, name: str) -> None:
    assert tool.name == name
    assert tool._origin is not None
    assert tool._origin[0] == __file__


def test_a_web_search_reads_a_medium_amount_unless_told_otherwise() -> None:
    assert tools.WebSearchTool().search_context_size == "medium"


def test_a_computer_must_offer_every_action() -> None:
    class Half(AsyncComputer):
        async def screenshot(self) -> str:
            return "png"

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]
    assert (Screen().environment, Screen().dimensions) == (None, None)


def test_the_two_kinds_of_computer_offer_the_same_actions() -> None:
    assert Computer.__abstractmethods__ == AsyncComputer.__abstractmethods__
    for action in Computer.__abstractmethods__:
        blocking, waiting = getattr(Computer, action), getattr(AsyncComputer, action)
        assert inspect.signature(blocking) == inspect.signature(waiting)
        assert inspect.iscoroutinefunction(waiting)


def test_a_computer_tool_needs_a_computer() -> None:
    with pytest.raises(AgentDefinitionError, match="or a ComputerProvider, not str"):
        tools.ComputerTool(computer="my laptop")  # type: ignore[type-var]


def test_a_shell_on_this_side_needs_an_executor_and_one_elsewhere_has_none() -> None:
    assert tools.ShellTool(executor=run_commands).environment == {"type": "local"}
    assert tools.ShellTool(environment={"type": "container_auto"}).executor is None
    with pytest.raises(UserError, match="needs an executor"):
        tools.ShellTool()
    with pytest.raises(UserError, match="cannot have an executor"):
        tools.ShellTool(executor=run_commands, environment={"type": "container_auto"})


@pytest.mark.parametrize(
    ("outcome", "status", "exit_code"),
    [
        (tools.ShellCallOutcome("exit", 3), "completed", 3),
        (tools.ShellCallOutcome("timeout"), "timeout", None),
    ],
)
def test_the_output_of_a_command_says_how_it_ended(
    outcome: tools.ShellCallOutcome, status: str, exit_code: int | None
) -> None:
    output = tools.ShellCommandOutput(stdout="a", outcome=outcome)
    assert (output.status, output.exit_code) == (status, exit_code)


@pytest.mark.parametrize("name", tools.__all__)
def test_every_name_of_the_module_is_there(name: str) -> None:
    assert getattr(tools, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_tool"):
        tools.no_such_tool  # noqa: B018
