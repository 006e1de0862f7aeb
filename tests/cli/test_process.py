"""The command as a process: entry points, signals, closed pipes, colours."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentgraph.models.rehearsal import REHEARSAL_NOTICE
from tests.cli.command import EXAMPLES, agentgraph, environment, started, written

HOMEWORK = EXAMPLES / "homework.py"
ESCAPE = "\x1b["
SLOW = """
import asyncio

from agentgraph import Agent, function_tool


@function_tool
async def wait() -> str:
    "Wait."
    print("waiting", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("stopped", flush=True)
    return ""


a = Agent(name="A", instructions="Wait.", tools=[wait])
"""


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"agentgraph \S+\n", agentgraph("--version").out)


@pytest.mark.parametrize("arguments", [(), ("check", "--output"), ("run", HOMEWORK), ("nonsense",)])
def test_a_wrong_command_line_ends_with_status_2(arguments: tuple[object, ...]) -> None:
    assert agentgraph(*arguments).status == 2


@pytest.mark.parametrize("command", ["run", "check", "draw", "explain", "ir", "rehearse"])
def test_every_command_explains_itself(command: str) -> None:
    ended = agentgraph(command, "--help")
    assert ended.status == 0
    assert "Usage:" in ended.out


def test_without_a_key_a_run_fails_and_names_the_ways() -> None:
    process = started("run", HOMEWORK, "what is 3 times 4?")
    out, _ = process.communicate()
    assert process.returncode == 1
    printed = " ".join(out.split())
    for way in (
        "Set OPENAI_API_KEY",
        "AGENTGRAPH_MODEL=rehearsal",
        "RunConfig(model=RehearsalModel())",
        "`agentgraph run --rehearse`",
    ):
        assert way in printed


@pytest.mark.parametrize("asked", [{"AGENTGRAPH_MODEL": "rehearsal"}, {}])
def test_a_rehearsal_answers_where_it_is_asked_for(asked: dict[str, str]) -> None:
    options = [] if asked else ["--rehearse"]
    process = started("run", *options, HOMEWORK, "what is 3 times 4?", **asked)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert REHEARSAL_NOTICE in " ".join(out.split())


def test_an_interrupted_run_stops_its_tools_and_ends_with_130(tmp_path: Path) -> None:
    process = started("run", "--rehearse", written(tmp_path, "flow.py", SLOW), "wait")
    assert process.stdout is not None
    while "waiting" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped" in out
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", HOMEWORK, "what is 3 times 4?"),
        ("run", "--rehearse", HOMEWORK, "what is 3 times 4?", "--json"),
        ("check", EXAMPLES / "broken_workflow.py"),
        ("check", EXAMPLES / "broken_workflow.py", "--format", "sarif"),
        ("draw", HOMEWORK),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[::2])),
)
def test_a_reader_that_goes_away_ends_the_command_quietly(arguments: tuple[object, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "agentgraph", *map(str, arguments)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(OPENAI_API_KEY=""),
        check=False,
    )
    os.close(writing)
    assert process.returncode == 141
    assert "Error" not in process.stderr
    assert "Exception" not in process.stderr


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_and_never_against_the_users_wish(
    variables: dict[str, str], coloured: bool
) -> None:
    process = started("check", HOMEWORK, TERM="xterm-256color", **variables)
    out, err = process.communicate()
    assert process.returncode == 0
    assert (f"{ESCAPE}32m" in out + err) is coloured
    if not variables:
        assert ESCAPE not in out + err


def test_an_output_that_cannot_show_a_character_shows_another() -> None:
    process = started("check", EXAMPLES / "streaming.py", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    out, _ = process.communicate()
    assert (process.returncode, out) == (0, "? 1 file checked: nothing to report\n")
