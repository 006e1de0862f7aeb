"""`agentgraph rehearse`: every reply that a model can give, undo, and the rehearsal as a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import EXAMPLES, Ended, agentgraph, environment, written

DESK = """
from pathlib import Path

from agentgraph import Agent, GuardrailFunctionOutput, function_tool, input_guardrail

LOG = Path(__file__).with_name("calls.txt")


@function_tool
def add(left: int, right: int) -> str:
    "Add two numbers."
    with LOG.open("a") as log:
        log.write(f"{left}+{right}\\n")
    return str(left + right)


@input_guardrail(run_in_parallel=False)
def before(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


@input_guardrail
def beside(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


other = Agent(name="Other", instructions="Do something else.")
a = Agent(
    name="Adder",
    instructions="Add up." + " Be exact." * 100,
    tools=[add],
    handoffs=[other],
    input_guardrails=[beside, before],
)
"""
ONE, TWO = '{"left": 1, "right": 2}', '{"left": 5, "right": 2}'


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return written(tmp_path, "desk.py", DESK)


def rehearsed(desk: Path, *typed: str) -> Ended:
    return agentgraph("rehearse", desk, "hi there", typed="".join(f"{line}\n" for line in typed))


def calls(desk: Path) -> list[str]:
    return desk.with_name("calls.txt").read_text().split()


def test_a_reply_may_call_a_tool_twice_and_again_later(desk: Path) -> None:
    ended = rehearsed(desk, "1 1", ONE, TWO, "add", ONE, "answer", "done")
    assert ended.status == 0
    assert sorted(calls(desk)) == ["1+2", "1+2", "5+2"]
    assert "✓ done: Adder, 3 turns" in ended.out


def test_a_reply_may_hand_off_beside_a_call(desk: Path) -> None:
    ended = rehearsed(desk, "add transfer", ONE, "done")
    assert ended.status == 0
    assert "↳ add → 3" in ended.out
    assert "→ Adder hands off to Other" in ended.out


def test_arguments_may_be_malformed(desk: Path) -> None:
    ended = rehearsed(desk, "add", '!{"left', "answer", "done")
    assert ended.status == 0
    assert '⚙ add {"left' in ended.out
    assert not desk.with_name("calls.txt").exists()


def test_a_reply_may_call_a_tool_that_is_not_there(desk: Path) -> None:
    ended = rehearsed(desk, "/call subtract", "")
    assert ended.status == 1
    assert ended.out.splitlines()[-1] == (
        "✗ ModelBehaviorError: Tool subtract not found in agent Adder"
    )


def test_a_reply_may_be_a_refusal_whatever_is_asked_for(desk: Path) -> None:
    for typed in (["/refuse not that"], ["add", "/refuse not that"]):
        ended = rehearsed(desk, *typed)
        assert ended.status == 1
        assert ended.out.splitlines()[-1].startswith("✗ ModelRefusalError")
        assert "not that" in ended.out.splitlines()[-1]


def test_help_instructions_and_history_are_shown_and_the_question_comes_again(desk: Path) -> None:
    ended = rehearsed(desk, "?", "/instructions", "/helq", "add", ONE, "/history", "answer", "done")
    assert ended.status == 0
    assert ended.out.count("/undo ") == 1
    assert ended.out.count(" Be exact." * 100) == 1
    assert "there is no such command; ? lists them" in ended.out
    assert "user: hi there\n  ⚙ add(left=1, right=2)\n  ↳ add → 3\n" in ended.out


def test_undo_takes_a_reply_back_and_repeats_nothing_before_it(desk: Path) -> None:
    ended = rehearsed(desk, "/undo", "add", ONE, "add", TWO, "/undo", "answer", "done")
    assert ended.status == 0
    assert "there is nothing to take back" in ended.out
    assert "the last reply is taken back" in ended.out
    assert calls(desk) == ["1+2", "5+2"]
    assert "✓ done: Adder, 2 turns" in ended.out


def test_undo_goes_back_to_the_first_reply_and_past_a_handoff(desk: Path) -> None:
    ended = rehearsed(desk, "transfer", "/undo", "add", ONE, "/undo", "answer", "done")
    assert ended.status == 0
    assert ended.out.count("the last reply is taken back") == 2
    assert "✓ done: Adder, 1 turn" in ended.out


def test_undo_inside_a_guardrails_own_run_asks_again_only_what_it_must() -> None:
    verdict = '{"is_homework": true, "reason": "sums"}'
    typed = [verdict, "1", "/undo", "2", "Ask me"]
    ended = agentgraph(
        "rehearse", EXAMPLES / "homework.py", "3 times 4?", typed="".join(f"{x}\n" for x in typed)
    )
    assert ended.status == 0
    assert ended.out.count("JSON [Enter = made up]: ") == 1
    assert "✓ done: Math Tutor, 2 turns" in ended.out


def test_verdicts_are_shown_in_the_order_in_which_guardrails_run(desk: Path) -> None:
    lines = rehearsed(desk, "answer", "done").out.splitlines()
    assert lines[:4] == [
        "● Adder",
        "  ✓ input guardrail before passed",
        "  ✓ input guardrail beside passed",
        "  model call 1",
    ]


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(["1 1", ONE, '!{"left', "answer", 'say "done"'], id="an answer"),
        pytest.param(["add", ONE, "add", TWO, "/undo", "transfer", "done"], id="after an undo"),
        pytest.param(["/refuse no"], id="a refusal"),
        pytest.param(["/call subtract", ""], id="a failure"),
    ],
)
def test_a_saved_rehearsal_is_a_test_that_passes_and_can_fail(desk: Path, typed: list[str]) -> None:
    test = desk.parent / "tests" / "test_saved.py"
    test.parent.mkdir()
    ended = rehearsed(desk, f"/save {test}", *typed)
    assert f"wrote {test}" in ended.err
    assert passes(test)
    first = "    model = ScriptedModel(\n        [\n"
    silent = "            [],\n"  # a first reply that the person never gave
    test.write_text(test.read_text().replace(first, first + silent))
    assert not passes(test)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        pytest.param(["add", ONE, "a", "answer", "done"], "state.approve(call_1)", id="approved"),
        pytest.param(
            ["1 1", ONE, TWO, "a", "r", "too much", "answer", "done"],
            "state.reject(call_2, rejection_message='too much')",
            id="two, one of them rejected",
        ),
        pytest.param(
            ["add", ONE, "a", "/undo", "add", TWO, "r", "", "answer", "done"],
            "state.reject(call_1)",
            id="decided anew after an undo",
        ),
        pytest.param(["add", ONE, "q"], "== ['add']", id="never decided"),
    ],
)
def test_decisions_on_calls_are_part_of_a_saved_rehearsal(
    desk: Path, typed: list[str], line: str
) -> None:
    desk.write_text(DESK.replace("@function_tool", "@function_tool(needs_approval=True)"))
    test = desk.parent / "test_saved.py"
    ended = rehearsed(desk, f"/save {test}", *typed)
    assert f"wrote {test}" in ended.err
    text = test.read_text()
    assert line in text
    assert passes(test)


def passes(test: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(
        command, cwd=test.parent, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout
    return done.returncode == 0


def test_a_rehearsal_that_cannot_be_saved_says_so_in_one_line(desk: Path) -> None:
    place = desk.parent / "missing" / "test_saved.py"
    ended = rehearsed(desk, f"/save {place}", "answer", "done")
    assert ended.status == 2
    assert ended.err == f"error: {place} cannot be written: No such file or directory\n"
