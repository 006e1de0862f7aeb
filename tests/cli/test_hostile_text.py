"""Text that a stranger wrote, such as a model's or a tool's, cannot control the terminal, and an
output that takes nothing more ends a command in one line."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentgraph import SQLiteSession
from tests.cli.command import EXAMPLES, agentgraph, environment, written
from tests.cli.pseudo_terminal import on_a_terminal

EVIL = "e\x1b[31m\x07\x9b2J\u202ex\u2066y\u2028z\x7f\x00\"'`<|>{}\\]\nnext\r"
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
"""What the command itself sends to a terminal."""

FLOW = f"""
from agentgraph import *
from agentgraph.testing import ScriptedModel, assistant_message, function_call

EVIL = {EVIL!r}


async def answer(context, arguments):
    return "out" + EVIL


@input_guardrail(name="guardrail" + EVIL)
def check(context, agent, text):
    return GuardrailFunctionOutput(output_info=EVIL, tripwire_triggered=False)


tool = FunctionTool(
    name="tool" + EVIL,
    description="description" + EVIL,
    params_json_schema={{"type": "object", "properties": {{"p" + EVIL: {{"type": "string"}}}}}},
    on_invoke_tool=answer,
    strict_json_schema=False,
    needs_approval=True,
)
other = Agent(name="Other" + EVIL, handoff_description="description" + EVIL)
a = Agent(
    name="Agent" + EVIL,
    instructions="instructions" + EVIL,
    tools=[tool],
    handoffs=[handoff(other, tool_name_override="go")],
    input_guardrails=[check],
    model=ScriptedModel([
        [function_call("tool" + EVIL, '{{"p":"\u202e\x9b"}}', call_id="call" + EVIL)],
        [assistant_message("answer" + EVIL)],
    ]),
)
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    return written(tmp_path, "flow.py", FLOW)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "FAULTY"],
        ["check", "FAULTY", "--format", "json"],
        ["check", "FAULTY", "--format", "sarif"],
        ["draw", "FILE"],
        ["draw", "FILE", "--level", "states"],
        ["ir", "FILE"],
        ["run", "FILE", EVIL],
        ["run", "FILE", EVIL, "--json"],
        ["rehearse", "FILE", EVIL],
        ["check", f"no{EVIL.replace(chr(0), '')}file.py"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_no_output_holds_what_a_terminal_obeys(flow: Path, arguments: list[str]) -> None:
    faulty = written(flow.parent, "faulty.py", FLOW.replace("[tool]", "[tool, tool]"))
    files = {"FILE": str(flow), "FAULTY": str(faulty)}
    ended = agentgraph(*(files.get(word, word) for word in arguments), typed="1\n")
    assert ended.out or ended.err
    assert _OBEYED.findall(ended.out + ended.err) == []


def test_no_stored_conversation_holds_what_a_terminal_obeys(tmp_path: Path) -> None:
    session_id = EVIL.replace("\x00", "")
    item = {"role": "user", "content": EVIL}

    async def store() -> None:
        session = SQLiteSession(session_id, tmp_path / "s.db")
        await session.add_items([item])
        session.close()

    asyncio.run(store())
    for command in (["list"], ["show", session_id], ["export", session_id]):
        ended = agentgraph("sessions", *command, "--db", tmp_path / "s.db")
        assert ended.status == 0
        assert _OBEYED.findall(ended.out + ended.err) == []
    assert json.loads(ended.out) == [item]


def test_a_reader_of_json_lines_gets_the_text_unchanged(flow: Path) -> None:
    out = agentgraph("run", flow, EVIL, "--json").out
    lines = out.splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["input"] == EVIL
    assert events[-1]["approvals"][0]["tool"] == "tool" + EVIL


def test_half_a_surrogate_pair_reaches_a_reader_of_json_lines(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", FLOW.replace(f"EVIL = {EVIL!r}", r"EVIL = '\ud800'"))
    events = [json.loads(line) for line in agentgraph("run", file, "hi", "--json").out.splitlines()]
    assert events[1]["agent"] == "Agent\ud800"


def test_a_name_stays_on_its_line(flow: Path) -> None:
    shown = agentgraph("run", flow, "hello").out.splitlines()
    assert [line.split()[0] for line in shown] == ["●", "✓", "⚙", "‖"]


def test_a_terminal_gets_only_the_codes_of_the_command_itself(flow: Path) -> None:
    with on_a_terminal("run", flow, "hello") as screen:
        screen.answer("[a/r/q]: ", "a")
        assert screen.status() == 0
    assert _OBEYED.findall(screen.shown) == []
    assert "Agente\\x1b[31m" in screen.shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["check", "homework.py"],
        ["check", "homework.py", "--format", "json"],
        ["draw", "homework.py"],
        ["ir", "homework.py"],
        ["explain", "AG202"],
        ["run", "homework.py", "hello"],
        ["run", "homework.py", "hello", "--json"],
        ["rehearse", "homework.py", "hello"],
    ],
    ids=" ".join,
)
def test_a_full_disk_ends_a_command_in_one_line(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    ended = _onto_a_full_disk(arguments, stderr=subprocess.PIPE)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "error: the output cannot be written: No space left on device"
    )
    assert "Traceback" not in ended.stderr


def test_a_standard_error_that_cannot_be_written_leaves_the_status() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        assert _onto_a_full_disk(["check", "missing.py"], stderr=full).returncode == 2


def _onto_a_full_disk(arguments: list[str], *, stderr: object) -> subprocess.CompletedProcess[str]:
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "agentgraph", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=stderr,  # type: ignore[arg-type]
            text=True,
            cwd=EXAMPLES,
            env=environment(),
            check=False,
        )


def test_a_folder_that_takes_no_file_ends_drawing_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "x.svg"
    file = written(tmp_path, "one.py", 'from agentgraph import Agent\n\na = Agent(name="A")\n')
    ended = agentgraph("draw", file, "-o", place)
    assert ended.status == 2
    assert ended.err == f"error: {place} cannot be written: Not a directory\n"
