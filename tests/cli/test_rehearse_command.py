"""`agentgraph rehearse`: the person plays the model, in every call of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentgraph.run import get_default_agent_runner
from tests.cli.command import EXAMPLES, SEATS, agentgraph, written

HOMEWORK = EXAMPLES / "homework.py"
VERDICT = '{"is_homework": true, "reason": "sums"}'
TOOL = """
from agentgraph import Agent, function_tool

@function_tool
def add(left: int, right: int) -> str:
    "Add two numbers."
    return str(left + right)

a = Agent(name="Adder", instructions="Add up.", tools=[add])
"""


def lines(*typed: str) -> str:
    return "".join(f"{line}\n" for line in typed)


def test_the_person_takes_the_way_and_writes_the_answer() -> None:
    ended = agentgraph(
        "rehearse", HOMEWORK, "what is 3 times 4?", typed=lines(VERDICT, "1", "Ask the maths tutor")
    )
    assert ended.status == 0
    assert "→ Triage hands off to History Tutor" in ended.out
    assert ended.out.splitlines()[-2:] == [
        "  Ask the maths tutor",
        "✓ done: History Tutor, 2 turns",
    ]


def test_calls_inside_guardrails_are_put_to_the_person_too() -> None:
    verdict = '{"is_homework": false, "reason": "no sums"}'
    ended = agentgraph("rehearse", HOMEWORK, "hello", typed=lines(verdict, "3", "Hello"))
    assert ended.status == 1
    assert "Decide whether the message asks for help with homework." in ended.out
    assert "no sums" in ended.out.splitlines()[-2]


def test_the_message_is_asked_for_if_none_is_given() -> None:
    ended = agentgraph("rehearse", HOMEWORK, typed=lines("hello", VERDICT, "3", "Hello"))
    assert ended.out.startswith("message: ")
    assert "last  hello" in ended.out


def test_each_move_shows_what_it_takes(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", TOOL)
    out = agentgraph("rehearse", file, "3 and 4", typed=lines("2", "7")).out
    assert "told  Add up." in out
    assert "1  tool     add(left: integer, right: integer)  Add two numbers." in out
    assert "2  answer" in out


@pytest.mark.parametrize(
    ("typed", "output"),
    [
        pytest.param(["1", '{"left": 3, "right": 4}', "7"], "7", id="by number"),
        pytest.param(["add", '{"left": 30, "right": 4}', "34"], "34", id="by name"),
        pytest.param(["ad", '{"left": 1, "right": 4}', "5"], "5", id="by the start of a name"),
        pytest.param(["1", "", "7"], "7", id="arguments made up from the message"),
        pytest.param(["1", "{", "[]", '{"left": 3, "right": 4}', "7"], "7", id="not JSON first"),
        pytest.param(["9", "0", "nothing", "add", "", "7"], "7", id="no such move first"),
    ],
)
def test_moves_are_taken_by_number_or_name_and_mistakes_are_asked_again(
    tmp_path: Path, typed: list[str], output: str
) -> None:
    file = written(tmp_path, "flow.py", TOOL)
    ended = agentgraph("rehearse", file, "3 and 4", typed=lines(*typed[:-1], "answer", typed[-1]))
    assert ended.status == 0
    assert f"↳ add → {output}" in ended.out
    assert ended.out.splitlines()[-2] == f"  {output}"
    mistakes = ended.out.count("no such move") + ended.out.count("not JSON")
    assert mistakes + ended.out.count("an object is needed") == len(typed) - 3


def test_a_value_that_cannot_be_made_up_is_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", SEATS)
    ended = agentgraph(
        "rehearse", file, "a seat", typed=lines("1", "", '{"seat": "12A"}', "answer", "bye")
    )
    assert ended.status == 0
    assert "nothing can be made up: seat: no value was found for {" in ended.out
    assert "↳ book → 12A" in ended.out


def test_an_input_that_ends_early_ends_the_rehearsal(tmp_path: Path) -> None:
    ended = agentgraph("rehearse", written(tmp_path, "flow.py", TOOL), "3 and 4", typed="1\n")
    assert ended.status == 1
    assert ended.err == "error: the standard input ended before the rehearsal did\n"


def test_nobody_is_asked_again_after_the_input_ended(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "flow.py",
        """
        from agentgraph import Agent

        inner = Agent(name="Inner")
        a = Agent(name="A", tools=[inner.as_tool("ask", "Ask an expert.")])
        """,
    )
    ended = agentgraph("rehearse", file, "hello", typed=lines("1", '{"input": "x"}'))
    assert ended.status == 1
    assert ended.out.count("model call") == 2


def test_a_rehearsal_leaves_the_runner_as_it_was(tmp_path: Path) -> None:
    before = get_default_agent_runner()
    agentgraph("rehearse", written(tmp_path, "flow.py", TOOL), "3 and 4", typed="")
    assert get_default_agent_runner() is before


def test_the_limits_of_loading_hold_before_a_rehearsal(tmp_path: Path) -> None:
    endless = written(tmp_path, "endless.py", f"{TOOL}\nwhile True:\n    pass\n")
    ended = agentgraph("rehearse", endless, "hello", "--load-timeout", "0.2")
    assert ended.status == 2
    assert "TimeUp: not ready after 0.2 seconds" in ended.err


def test_a_file_opens_connections_in_a_rehearsal_and_not_while_it_is_loaded(
    tmp_path: Path,
) -> None:
    connecting = """
import socket

from agentgraph import Agent, function_tool

def connect() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"port of {one.getsockname()[0]}"

@function_tool
def ask() -> str:
    "Ask a server."
    return connect()

a = Agent(name="Asker", tools=[ask])
"""
    file = written(tmp_path, "asking.py", connecting)
    assert "port of 127.0.0.1" in agentgraph("rehearse", file, "?", typed=lines("1", "2", "x")).out

    at_once = written(tmp_path, "at_once.py", f"{connecting}\nconnect()\n")
    refused = agentgraph("rehearse", at_once, "?")
    assert refused.status == 2
    assert "listening on 127.0.0.1:0 is refused while the file is loaded" in refused.err
    allowed = agentgraph("rehearse", at_once, "?", "--allow-network", typed=lines("2", "x"))
    assert allowed.status == 0
