"""`agentgraph run`: what is told of a run, for people and as lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentgraph.models.rehearsal import REHEARSAL_NOTICE
from tests.cli.command import EXAMPLES, SEATS, Ended, agentgraph, written

HOMEWORK = EXAMPLES / "homework.py"
DESK = EXAMPLES / "support_desk.py"

SCRIPTED = """
import os
from agentgraph import *
from agentgraph.testing import ScriptedModel, assistant_message, function_call


def scripted(*replies):
    return ScriptedModel([[reply] for reply in replies])


def call(name, arguments, number=1):
    return function_call(name, arguments, call_id=f"call_{number}")
"""


def script(folder: Path, source: str) -> Path:
    return written(folder, "flow.py", SCRIPTED + source)


def events(ended: Ended) -> list[dict[str, Any]]:
    """The lines of `--json`; each must be an object that begins with its event."""
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert all(next(iter(event)) == "event" for event in lines)
    return lines


def names(told: list[dict[str, Any]]) -> list[str]:
    """The events in order, a text in pieces counting once."""
    found = [event["event"] for event in told]
    return [name for n, name in enumerate(found) if n == 0 or name != found[n - 1]]


def test_a_run_is_told_from_the_first_agent_to_the_answer() -> None:
    ended = agentgraph(
        "run", "--rehearse", HOMEWORK, "who was the first president of the united states?"
    )
    assert ended.status == 0
    assert ended.out.splitlines() == [
        "● Triage",
        "  ✓ input guardrail only_homework passed",
        "  ⇢ transfer_to_history_tutor()",
        "  → Triage hands off to History Tutor",
        "● History Tutor",
        f"  {REHEARSAL_NOTICE} A model would now answer: “who was the first president of the"
        " united states?”.",
        "✓ done: History Tutor, 2 turns",
    ]


def test_a_guardrail_that_stops_the_run_is_named_and_fails_the_command() -> None:
    ended = agentgraph("run", "--rehearse", HOMEWORK, "What is the meaning of life?")
    assert ended.status == 1
    assert "✗ input guardrail only_homework stopped the run: {" in ended.out
    assert ended.out.splitlines()[-1] == (
        "✗ InputGuardrailTripwireTriggered: Input guardrail 'only_homework' triggered its tripwire"
    )


def test_a_value_that_cannot_be_made_up_is_taken_from_the_message_or_asked_for(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "flow.py", SEATS)
    assert (
        "↳ book → 12A" in agentgraph("run", "--rehearse", file, "Please book me the seat 12A.").out
    )
    ended = agentgraph("run", "--rehearse", file, "Book me a seat")
    assert ended.status == 1
    last = ended.out.splitlines()[-1]
    assert last.startswith(
        "✗ UserError: A rehearsal cannot make up arguments of 'book': seat: no value was found for"
    )
    assert "write it with `agentgraph rehearse`" in last


def test_the_same_run_as_json_has_an_event_a_line() -> None:
    lines = events(agentgraph("run", "--rehearse", HOMEWORK, "what is 3 times 4?", "--json"))
    assert [name for name in names(lines) if name != "warning"] == [
        "run_started",
        "agent_updated",
        "guardrail_completed",
        "handoff_called",
        "handoff_output_created",
        "agent_updated",
        "text_delta",
        "message_output_created",
        "run_completed",
    ]
    text = "".join(event["delta"] for event in lines if event["event"] == "text_delta")
    assert lines[-1] == {
        "event": "run_completed",
        "agent": "Math Tutor",
        "output": text,
        "turns": 2,
        "input_tokens": 0,
        "output_tokens": 0,
    }
    verdict = next(event for event in lines if event["event"] == "guardrail_completed")
    assert (verdict["kind"], verdict["verdict"]) == ("input", "passed")
    assert verdict["info"]["is_homework"] is True


def test_the_context_of_a_run_is_made_by_a_name_of_the_file() -> None:
    ended = agentgraph(
        "run", "--rehearse", DESK, "Where is my order 1042?", "--context", "sample_customer"
    )
    assert '⚙ order_status(order_id="1042")' in ended.out
    assert "↳ order_status → Order 1042: left the warehouse this morning." in ended.out
    assert "✓ output guardrail no_promises passed" in ended.out
    unknown = agentgraph("run", "--rehearse", DESK, "hello", "--context", "absent")
    assert unknown.status == 2
    assert "has no name 'absent'" in unknown.err


def test_what_tools_print_does_not_get_between_the_lines_of_json(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
        @function_tool
        def noisy() -> str:
            "Print."
            print("printed by the tool")
            return "done"

        a = Agent(name="A", tools=[noisy], tool_use_behavior="stop_on_first_tool",
                  model=scripted(call("noisy", {})))
        """.replace("\n        ", "\n"),
    )
    ended = agentgraph("run", file, "hello", "--json")
    assert events(ended)[-1]["output"] == "done"
    assert "printed by the tool" in ended.err
    assert agentgraph("run", file, "hello").out.splitlines()[-2:] == [
        "  = done",
        "✓ done: A, 1 turn",
    ]


def test_a_text_that_was_not_streamed_is_shown_all_the_same(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        '\na = Agent(name="A", model=scripted(assistant_message("one\\n\\ntwo")))',
    )
    assert agentgraph("run", file, "hello").out.splitlines() == [
        "● A",
        "  one",
        "",
        "  two",
        "✓ done: A, 1 turn",
    ]


def test_a_structured_output_is_not_shown_twice(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
from pydantic import BaseModel

class Sum(BaseModel):
    total: int

a = Agent(name="A", output_type=Sum, model=scripted(assistant_message('{"total":12}')))
""",
    )
    assert agentgraph("run", file, "hello").out.count("12") == 1
    assert events(agentgraph("run", file, "hello", "--json"))[-1]["output"] == {"total": 12}


def test_control_characters_of_a_model_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        '\na = Agent(name="A\\x1b[2J", model=scripted(assistant_message("x\\x1b]0;title\\x07y")))',
    )
    ended = agentgraph("run", file, "hello")
    assert "\x1b" not in ended.out
    assert "x\\x1b]0;title\\x07y" in ended.out


def test_turns_that_run_out_end_the_run_with_the_reason(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@function_tool
def again() -> str:
    "Again."
    return "again"

a = Agent(name="A", tools=[again],
          model=scripted(*(call("again", {}, number) for number in range(9))))
""",
    )
    ended = agentgraph("run", file, "hello", "--max-turns", 2)
    assert ended.status == 1
    assert ended.out.count("⚙ again()") == 2
    assert ended.out.splitlines()[-1] == "✗ MaxTurnsExceeded: Max turns (2) exceeded"


def test_a_tool_that_fails_shows_the_users_own_frames(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@function_tool(failure_error_function=None)
def explode() -> str:
    "Explode."
    raise ValueError("bang")

a = Agent(name="A", tools=[explode], model=scripted(call("explode", {})))
""",
    )
    ended = agentgraph("run", file, "hello")
    assert ended.status == 1
    assert ended.err.count("  File ") == 1
    assert f'File "{file}"' in ended.err
    assert "ValueError: bang" in ended.err
    failed = events(agentgraph("run", file, "hello", "--json"))[-1]
    assert (failed["event"], failed["error"]) == ("run_failed", "UserError")
    assert "ValueError: bang" in failed["traceback"]


def test_a_tool_whose_failure_the_model_is_told_shows_the_users_own_frames(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@function_tool
def explode() -> str:
    "Explode."
    raise ValueError("bang")

a = Agent(name="A", tools=[explode],
          model=scripted(call("explode", {}), assistant_message("It failed.")))
""",
    )
    ended = agentgraph("run", file, "hello")
    line = file.read_text(encoding="utf-8").splitlines().index('    raise ValueError("bang")') + 1
    assert ended.status == 0
    assert f'File "{file}", line {line}, in explode' in ended.err
    assert "ValueError: bang" in ended.err
    assert "Tool explode of agent A failed with ValueError" in " ".join(ended.err.split())
    assert "bang" not in ended.out
    told = events(agentgraph("run", file, "hello", "--json"))
    [warning] = [event for event in told if event["event"] == "warning"]
    assert f"{file}:{line}" in warning["message"]
    assert "ValueError: bang" in warning["traceback"]


def test_a_guardrail_that_fails_shows_the_users_own_frames(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@input_guardrail
def broken(context, agent, message):
    raise LookupError("no list of words")

a = Agent(name="A", input_guardrails=[broken], model=scripted(assistant_message("hello")))
""",
    )
    ended = agentgraph("run", file, "hello")
    assert ended.status == 1
    assert ended.err.count("  File ") == 1
    assert ended.err.splitlines()[-2:] == [
        "LookupError: no list of words",
        f"error: the run of {file} failed",
    ]


def test_a_workflow_with_errors_is_not_run() -> None:
    ended = agentgraph("run", EXAMPLES / "broken_workflow.py", "A week in Rome, please", "--json")
    assert ended.status == 1
    assert names(events(ended)) == ["run_failed"]
    assert events(ended)[0]["message"] == "workflow 'Travel Desk' has 2 errors"
    assert "error[AG103] unknown-handoff-target" in ended.err


def test_a_run_that_waits_for_approval_says_for_what(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@function_tool(needs_approval=True)
def pay(euros: int) -> str:
    "Pay."
    return "paid"

a = Agent(name="A", tools=[pay], model=scripted(call("pay", {"euros": 5})))
""",
    )
    ended = agentgraph("run", file, "hello")
    assert ended.status == 1
    assert ended.out.splitlines()[-1] == "‖ waits for approval: pay(euros=5)"
    lines = events(agentgraph("run", file, "hello", "--json"))[-1]
    assert lines["event"] == "run_suspended"
    assert [(call["tool"], json.loads(call["arguments"])) for call in lines["approvals"]] == [
        ("pay", {"euros": 5})
    ]


def test_verdicts_on_tool_calls_are_told(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
@tool_input_guardrail
def no_secrets(data):
    return ToolGuardrailFunctionOutput.reject_content("not that", output_info="a secret")

@function_tool(tool_input_guardrails=[no_secrets])
def look_up(word: str) -> str:
    "Look up."
    return word

a = Agent(name="A", tools=[look_up],
          model=scripted(call("look_up", {"word": "x"}), assistant_message("sorry")))
""",
    )
    ended = agentgraph("run", file, "hello")
    assert ended.status == 0
    verdict = "  ✗ tool input guardrail no_secrets put a message in place of the result: a secret"
    lines = ended.out.splitlines()
    assert lines.index(verdict) < lines.index("  ↳ look_up → not that")
