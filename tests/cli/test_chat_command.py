"""`agentgraph chat`: a conversation at the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import EXAMPLES, agentgraph, written
from tests.cli.pseudo_terminal import on_a_terminal

DESK = """
import asyncio

from agentgraph import Agent, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@function_tool
async def wait() -> str:
    "Wait."
    await asyncio.Event().wait()


@function_tool(needs_approval=True)
def pay(euros: int) -> str:
    "Pay."
    return f"paid {euros}"


def reply(call):
    said = [item["content"] for item in call.input if item.get("role") == "user"]
    last = call.input[-1]
    if last.get("type") == "function_call_output":
        return [assistant_message(f"result: {last['output']}")]
    match said[-1]:
        case "wait":
            return [function_call("wait", "{}", call_id="c1")]
        case "pay" | "pay again":
            return [function_call("pay", '{"euros": 5}', call_id="c2")]
        case "transfer":
            return [function_call("transfer_to_second", "{}", call_id="c3")]
        case "fail":
            raise RuntimeError("the model broke")
    return [assistant_message(f"heard {', '.join(said)}")]


model = ScriptedModel(reply)
echo = ScriptedModel(lambda call: [assistant_message("second speaks")])
second = Agent(name="Second", model=echo)
a = Agent(name="First", tools=[wait, pay], handoffs=[second], model=model)
"""
PROMPT = "› "


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return written(tmp_path, "desk.py", DESK)


def test_each_line_goes_on_with_the_conversation_until_the_input_ends(desk: Path) -> None:
    ended = agentgraph("chat", desk, typed="one\n\ntwo\n")
    assert ended.status == 0
    assert "  heard one" in ended.out.splitlines()
    assert "  heard one, two" in ended.out.splitlines()


def test_the_agent_that_took_over_answers_the_next_line(desk: Path) -> None:
    ended = agentgraph("chat", desk, typed="transfer\nhello\n/agent\n")
    after = ended.out.partition("› hello\n")[2].splitlines()
    assert after[:2] == ["● Second", "  second speaks"]
    assert after[-2:] == ["  Second", "› "]


def test_ctrl_c_stops_a_turn_and_keeps_the_history(desk: Path) -> None:
    with on_a_terminal("chat", desk) as screen:
        screen.answer(PROMPT, "one")
        screen.answer(PROMPT, "wait")
        screen.press("wait()", b"\x03")
        screen.answer("the history is kept", "two")
        screen.answer("heard one, wait, two", "/quit")
        assert screen.status() == 0


@pytest.mark.parametrize(("key", "status"), [(b"\x04", 0), (b"\x03", 130)])
def test_a_key_at_the_prompt_ends_the_conversation(desk: Path, key: bytes, status: int) -> None:
    with on_a_terminal("chat", desk) as screen:
        screen.press(PROMPT, key)
        assert screen.status() == status
    assert "Traceback" not in screen.shown


def test_the_person_decides_on_calls_that_wait_for_approval(desk: Path) -> None:
    with on_a_terminal("chat", desk) as screen:
        screen.answer(PROMPT, "pay")
        screen.answer("[a/r/q]: ", "a")
        screen.answer("result: paid 5", "pay")
        screen.press("[a/r/q]: ", b"\x03")
        screen.answer("the history is kept", "pay again")
        screen.answer("[a/r/q]: ", "q")
        screen.answer(PROMPT, "two")
        screen.answer("heard pay, pay, pay again, two", "/quit")
        assert screen.status() == 0


def test_a_turn_that_fails_leaves_the_conversation_open(desk: Path) -> None:
    ended = agentgraph("chat", desk, typed="one\nfail\ntwo\n")
    assert ended.status == 0
    assert "the model broke" in ended.err
    assert "heard one, fail, two" in ended.out


def test_a_session_goes_on_with_a_stored_conversation(tmp_path: Path, desk: Path) -> None:
    session = f"{tmp_path / 'talks.db'}:ann"
    agentgraph("chat", desk, "--session", session, typed="one\n")
    ended = agentgraph("chat", desk, "--session", session, typed="/history\ntwo\n")
    assert "user: one\nassistant: heard one\n" in ended.out
    assert "heard one, two" in ended.out


def test_help_lists_the_commands_and_an_unknown_one_is_no_message(desk: Path) -> None:
    out = agentgraph("chat", desk, typed="/help\n/helq\n").out
    for command in ("/help", "/history", "/agent", "/quit", "Ctrl-C"):
        assert command in out
    assert "there is no such command" in out
    assert "●" not in out


def test_a_workflow_with_errors_or_without_its_context_begins_no_conversation() -> None:
    assert agentgraph("chat", EXAMPLES / "broken_workflow.py", typed="hi\n").status == 1
    ended = agentgraph("chat", EXAMPLES / "support_desk.py", typed="hi\n")
    assert ended.status == 2
    assert "--context sample_customer" in ended.err
