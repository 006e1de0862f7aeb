"""`agentgraph run` and `rehearse` on a terminal: calls that wait are put to the person."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.command import EXAMPLES, agentgraph, written

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from tests.cli.pseudo_terminal import Screen, on_a_terminal

CASHIER = """
from agentgraph import *
from agentgraph.testing import ScriptedModel, assistant_message, function_call

@function_tool(needs_approval=True)
def pay(euros: int) -> str:
    "Pay."
    return f"paid {euros}"

@input_guardrail
def on_topic(context, agent, text):
    return GuardrailFunctionOutput(None, False)

def pays(number, euros):
    return function_call("pay", {"euros": euros}, call_id=f"call_{number}")

cashier = Agent(
    name="Cashier",
    tools=[pay],
    input_guardrails=[on_topic],
    model=ScriptedModel([
        [pays(1, 5), pays(2, 500)], [pays(3, 7)], [assistant_message("That is all.")]
    ]),
)
"""
QUESTION = "approve, reject or quit [a/r/q]: "
REASON = "reason, for the model [Enter = none]: "


@pytest.fixture
def cashier(tmp_path: Path) -> Path:
    return written(tmp_path, "cashier.py", CASHIER)


def lines(screen: Screen) -> list[str]:
    """What stays on the screen: a spinner, of dots, is overwritten."""
    text = (line.rstrip() for line in screen.shown.splitlines())
    return [line for line in text if not "\u2800" <= line[:1] <= "\u28ff"]


def test_each_call_is_decided_on_and_the_run_goes_on(cashier: Path) -> None:
    with on_a_terminal("run", cashier, "pay the bills") as screen:
        screen.answer(QUESTION, "a")
        screen.answer(QUESTION, "Reject")
        screen.answer(REASON, "too much")
        screen.answer(QUESTION, "yes")
        assert screen.status() == 0
    assert lines(screen) == [
        "● Cashier",
        "  ✓ input guardrail on_topic passed",
        "  ⚙ pay(euros=5)",
        "  ⚙ pay(euros=500)",
        "‖ waits for approval: pay(euros=5), pay(euros=500)",
        "  ? pay(euros=5)",
        f"    {QUESTION}a",
        "  ? pay(euros=500)",
        f"    {QUESTION}Reject",
        f"    {REASON}too much",
        "  ↳ pay → paid 5",
        "  ↳ pay → too much",
        "  ⚙ pay(euros=7)",
        "‖ waits for approval: pay(euros=7)",
        "  ? pay(euros=7)",
        f"    {QUESTION}yes",
        "  ↳ pay → paid 7",
        "  That is all.",
        "✓ done: Cashier, 3 turns",
    ]


def test_without_a_reason_the_model_is_told_that_the_call_was_not_approved(cashier: Path) -> None:
    with on_a_terminal("run", cashier, "pay the bills") as screen:
        screen.answer(QUESTION, "r")
        screen.answer(REASON, "")
        screen.answer(QUESTION, "q")
        assert screen.status() == 1, "quitting decides nothing, not even what was answered"
    assert "paid" not in screen.shown


def test_a_long_call_is_shown_to_its_end_to_whoever_decides_on_it(tmp_path: Path) -> None:
    text = CASHIER.replace("euros: int", "euros: str").replace("pays(1, 5)", "pays(1, LONG)")
    file = written(tmp_path, "cashier.py", "LONG = 'x ' * 500 + 'and your house'\n" + text)
    with on_a_terminal("run", file, "pay the bills") as screen:
        screen.answer(QUESTION, "q")
        assert screen.status() == 1
    told, asked = screen.shown.split("‖ waits for approval")
    assert "and your house" not in told
    assert "and your house" in " ".join(asked.split())


@pytest.mark.parametrize("unclear", ["", "x", "approved"])
def test_an_unclear_answer_approves_nothing(cashier: Path, unclear: str) -> None:
    with on_a_terminal("run", cashier, "pay the bills") as screen:
        screen.answer(QUESTION, unclear)
        screen.answer("answer a, r or q", "q")
        assert screen.status() == 1
    assert "paid" not in screen.shown


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        pytest.param(b"\x03", 130, "interrupted", id="Ctrl-C"),
        pytest.param(b"\x04", 1, "the standard input ended before all", id="Ctrl-D"),
    ],
)
def test_whoever_leaves_approves_nothing(cashier: Path, key: bytes, status: int, said: str) -> None:
    with on_a_terminal("run", cashier, "pay the bills") as screen:
        screen.answer(QUESTION, "a")
        screen.press(QUESTION, key)
        assert screen.status() == status
    assert "paid" not in screen.shown
    assert said in screen.shown


def test_json_on_a_terminal_asks_nobody(cashier: Path) -> None:
    with on_a_terminal("run", cashier, "pay the bills", "--json") as screen:
        assert screen.status() == 1
    last = json.loads(lines(screen)[-1])
    assert [call["call_id"] for call in last["approvals"]] == ["call_1", "call_2"]


def test_without_a_terminal_the_calls_are_listed(cashier: Path) -> None:
    ended = agentgraph("run", cashier, "pay the bills", typed="a\na\n")
    assert ended.status == 1
    assert ended.out.splitlines()[-1] == "‖ waits for approval: pay(euros=5), pay(euros=500)"


def test_in_a_rehearsal_whoever_plays_the_model_decides_too(cashier: Path) -> None:
    typed = '1\n{"euros": 5}\na\nanswer\nThank you\n'
    ended = agentgraph("rehearse", cashier, "pay 5", typed=typed)
    assert ended.status == 0
    assert "↳ pay → paid 5" in ended.out
    assert "✓ done: Cashier, 2 turns" in ended.out


def test_a_rehearsal_names_the_agent_before_it_asks_for_its_move() -> None:
    with on_a_terminal("rehearse", EXAMPLES / "streaming.py", "hello") as screen:
        screen.press("move [", b"\x03")
        screen.status()
    text = lines(screen)
    header = next(n for n, line in enumerate(text) if line.startswith("● "))
    assert header < text.index("  model call 1")
