"""The options of `agentgraph run`: the session, the model, the context, the standard input, and the
place of an exception; MCP servers are connected for the time of the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import EXAMPLES, agentgraph, written
from tests.cli.pseudo_terminal import on_a_terminal

ECHO = """
from agentgraph import Agent
from agentgraph.testing import ScriptedModel, assistant_message


def reply(call):
    said = call.input if isinstance(call.input, str) else [item["content"] for item in call.input]
    return [assistant_message(f"heard {said!r}")]


a = Agent(name="Echo", model=ScriptedModel(reply))
"""
CUSTOMER = """
from dataclasses import dataclass

from agentgraph import Agent, RunContextWrapper, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@dataclass
class Customer:
    name: str


@function_tool
def greet(context: RunContextWrapper[Customer]) -> str:
    "Greet."
    return f"Hello {context.context.name}"


MAKER

a = Agent(
    name="A",
    tools=[greet],
    model=ScriptedModel([[function_call("greet", "{}", call_id="c")], [assistant_message("Bye")]]),
)
"""
RAISES = """
from agentgraph import Agent, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


def on_error(context, error):
    return "try later"


@function_tool(failure_error_function=on_error)
def broken() -> str:
    "Break."
    raise LookupError("no such row")


a = Agent(
    name="A",
    tools=[broken],
    model=ScriptedModel([[function_call("broken", "{}", call_id="c")], [assistant_message("Bye")]]),
)
"""


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    return written(tmp_path, "echo.py", ECHO)


def test_the_message_may_come_from_the_standard_input(echo: Path) -> None:
    for arguments in ([], ["-"]):
        ended = agentgraph("run", echo, *arguments, typed="two\nlines\n")
        assert "  heard ['two\\nlines']" in ended.out.splitlines()


def test_an_empty_standard_input_is_no_message(echo: Path) -> None:
    ended = agentgraph("run", echo, typed="\n")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "error: the standard input holds no message\n"


def test_at_a_terminal_a_run_without_a_message_says_how_to_give_one(echo: Path) -> None:
    with on_a_terminal("run", echo) as screen:
        assert screen.status() == 2
    assert "error: there is no message" in screen.shown
    assert "`agentgraph chat`" in screen.shown


def test_a_session_carries_the_conversation_from_run_to_run(tmp_path: Path, echo: Path) -> None:
    file = tmp_path / "talks.db"
    agentgraph("run", echo, "one", "--session", f"{file}:ann")
    assert "heard ['other']" in agentgraph("run", echo, "other", "--session", file).out
    second = agentgraph("run", echo, "two", "--session", f"{file}:ann").out
    assert "heard ['one', [" in second
    stored = json.loads(agentgraph("sessions", "export", "ann", "--db", file).out)
    assert [item["role"] for item in stored] == ["user", "assistant"] * 2
    assert "default" in agentgraph("sessions", "list", "--db", file).out


def test_a_session_may_be_in_a_database_with_a_url(tmp_path: Path, echo: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/talks.db"
    for message in ("one", "two"):
        ended = agentgraph("run", echo, message, "--session", f"{url}:ann")
    assert "heard ['one', [" in ended.out
    assert agentgraph("sessions", "show", "ann", "--db", url).status == 0


@pytest.mark.parametrize("place", ["missing/talks.db", "echo.py:ann", "."])
def test_a_session_that_cannot_be_opened_ends_in_one_line_before_a_model_is_called(
    tmp_path: Path, echo: Path, place: str
) -> None:
    ended = agentgraph("run", echo, "hi", "--session", tmp_path / place)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1


def test_a_model_takes_the_place_of_every_agents_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ended = agentgraph("run", EXAMPLES / "homework.py", "hi", "--model", "other/model-of-mine")
    assert ended.status == 1
    assert "other" in ended.out.splitlines()[-1]


def test_a_workflow_that_needs_a_context_names_it_and_what_makes_it(tmp_path: Path) -> None:
    maker = "def sample() -> Customer:\n    return Customer('Ann')\n\n\nbob = Customer('Bob')"
    file = written(tmp_path, "flow.py", CUSTOMER.replace("MAKER", maker))
    ended = agentgraph("run", file, "hi")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "error: tool 'greet' of agent 'A' needs a context of type Customer",
        "help: the file makes one: give --context sample or --context bob",
    ]
    for name, person in (("sample", "Ann"), ("bob", "Bob")):
        assert f"greet → Hello {person}" in agentgraph("run", file, "hi", "--context", name).out


def test_where_the_file_makes_no_context_the_command_says_what_to_write(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", CUSTOMER.replace("MAKER", ""))
    ended = agentgraph("run", file, "hi")
    assert ended.err.splitlines()[-1] == (
        f"help: write a function in {file} that returns a Customer, such as `def make_context()`, "
        "and give --context make_context"
    )


def test_verbose_shows_the_file_and_line_of_a_tool_that_raises(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", RAISES)
    line = RAISES.lstrip("\n").splitlines().index('    raise LookupError("no such row")') + 1
    quiet = agentgraph("run", file, "hi")
    ended = agentgraph("run", file, "hi", "-v")
    assert "↳ broken → try later" in quiet.out
    assert quiet.out == ended.out
    assert quiet.err == ""
    assert f'File "{file}", line {line}, in broken' in ended.err
    assert "LookupError: no such row" in ended.err
    records = [
        json.loads(row)
        for row in agentgraph("run", file, "hi", "-v", "--json").out.split("\n")[:-1]
    ]
    (warning,) = [event for event in records if event["event"] == "warning"]
    assert f'File "{file}", line {line}, in broken' in warning["traceback"]


LIBRARY = """
import os
import sys

from agentgraph import Agent
from agentgraph.mcp import MCPServerStdio
from agentgraph.testing import ScriptedModel, assistant_message, function_call

server = MCPServerStdio(
    {
        "command": COMMAND,
        "args": [EXAMPLE, "serve"],
        "env": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
    },
    name="Catalogue",
    client_session_timeout_seconds=60,
)
call = function_call("find_book", '{"title": "Dune"}', call_id="c")
inner = Agent(
    name="Inner",
    mcp_servers=[server],
    model=ScriptedModel([[call], [assistant_message("Found")]]),
)
a = Agent(
    name="Librarian",
    tools=[inner.as_tool("look", "Look.")],
    mcp_servers=[server],
    model=ScriptedModel([[call], [assistant_message("Shelf B4")]]),
)
"""


def library(folder: Path, command: str) -> Path:
    source = LIBRARY.replace("COMMAND", command).replace(
        "EXAMPLE", repr(str(EXAMPLES / "mcp_tools.py"))
    )
    return written(folder, "library.py", source)


def test_the_mcp_servers_of_a_workflow_are_connected_for_the_command(tmp_path: Path) -> None:
    ended = agentgraph("run", library(tmp_path, "sys.executable"), "Where is Dune?")
    assert ended.status == 0
    assert "It stands on shelf B4." in ended.out


def test_an_mcp_server_that_cannot_be_connected_ends_the_command_in_one_line(
    tmp_path: Path,
) -> None:
    ended = agentgraph("run", library(tmp_path, "'/no/such/program'"), "Where is Dune?")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: MCP server 'Catalogue' could not be connected: ")
    assert ended.err.count("\n") == 1
