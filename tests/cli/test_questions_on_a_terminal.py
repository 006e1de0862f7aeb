"""`agentgraph run` and `rehearse` put questions of a workflow to the person, by a fitting form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import agentgraph, environment, written

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from tests.cli.pseudo_terminal import on_a_terminal

LETTERS = """
from typing import Literal

from pydantic import BaseModel, Field

from agentgraph import Agent, End, Workflow, output_of
from agentgraph.testing import ScriptedModel, assistant_message


class Place(BaseModel):
    town: str


class Verdict(BaseModel):
    ok: bool
    tone: Literal["soft", "hard"] = "soft"
    places: list[Place] = []
    note: str = Field(max_length=5)


def says(*texts):
    return ScriptedModel([[assistant_message(text)] for text in texts])


draft = Agent(name="Draft", model=says("Dear you", "Dear you, again"))
flow = Workflow("Letters", start=draft)
person = flow.ask("person", "May we send it?", answer=ANSWER)
flow.then(draft, person)
"""


def letters(tmp_path: Path, answer: str) -> Path:
    return written(tmp_path, "letters.py", LETTERS.replace("ANSWER", answer))


def test_a_model_is_asked_for_field_by_field_until_it_fits(tmp_path: Path) -> None:
    with on_a_terminal("run", letters(tmp_path, "Verdict"), "Write.") as screen:
        screen.answer("ok [y/n]: ", "perhaps")
        screen.answer("answer y or n", "y")
        screen.answer("tone [Enter = soft]: ", "hard")
        screen.answer("places [Enter = []]: ", '[{"town": "Ulm"}]')
        screen.answer("note: ", "far too long")
        screen.answer("at most 5 characters", "Y")
        screen.answer("tone [Enter = soft]: ", "")
        screen.answer("places [Enter = []]: ", "")
        screen.answer("note: ", "fine")
        assert screen.status() == 0
    text = screen.shown
    assert "‖ waits for an answer: person: May we send it?" in text
    assert "  ? person: May we send it?" in text
    assert "    got  Dear you" in text
    assert '{"ok":true,"tone":"soft","places":[],"note":"fine"}' in text
    assert "✓ done: Draft, 1 turn" in text


@pytest.mark.parametrize(
    ("answer", "typed", "output"),
    [
        ("str", ["as it is"], "as it is"),
        ("bool", ["", "n"], "False"),
        ('Literal["send", "stop", "steer"]', ["st", "4", "2"], "stop"),
        ('Literal["send", "stop"]', ["se"], "send"),
        ("int", ["many", "12"], "12"),
        ("list[int]", ["[1, 2"], ""),
        ("bool | None", ["null"], "None"),
        ("dict[str, int]", ['{"a": 1}'], '{"a": 1}'),
    ],
)
def test_simple_types_have_forms_of_their_own(
    tmp_path: Path, answer: str, typed: list[str], output: str
) -> None:
    lines = "".join(f"{line}\n" for line in typed)
    file = letters(tmp_path, answer)
    ended = agentgraph("rehearse", file, "Write.", typed=f"Dear me\n{lines}")
    assert "    got  Dear me" in ended.out
    if output:
        assert ended.status == 0, ended
    else:
        assert "that is no JSON" in ended.out
        assert ended.status == 1
        assert "the standard input ended before all was decided" in ended.err
    if answer.startswith("Literal"):
        assert "    1  send" in ended.out


def test_the_person_may_leave_the_question_open(tmp_path: Path) -> None:
    with on_a_terminal("run", letters(tmp_path, "bool"), "Write.") as screen:
        screen.answer("answer [y/n]: ", "/quit")
        assert screen.status() == 1
    assert "done" not in screen.shown


def test_without_a_terminal_the_question_is_said_plainly(tmp_path: Path) -> None:
    ended = agentgraph("run", letters(tmp_path, "bool"), "Write.", typed="y\n")
    assert ended.status == 1
    last = ended.out.splitlines()[-1]
    assert last == "‖ waits for an answer: person: May we send it?"


def test_the_json_lines_hold_the_question_and_the_schema_of_its_answer(tmp_path: Path) -> None:
    ended = agentgraph("run", "--json", letters(tmp_path, "bool"), "Write.")
    assert ended.status == 1
    last = json.loads(ended.out.splitlines()[-1])
    [question] = last["questions"]
    assert (last["event"], last["approvals"], last["agent"]) == ("run_suspended", [], "Draft")
    assert question.pop("id").startswith("person.")
    assert question == {
        "name": "person",
        "question": "May we send it?",
        "received": "Dear you",
        "schema": {"type": "boolean"},
    }


def test_a_saved_rehearsal_gives_the_answers_again(tmp_path: Path) -> None:
    file, saved = letters(tmp_path, "Verdict"), tmp_path / "test_letters.py"
    typed = f"/save {saved}\nDear me\ny\nhard\n\nfine\n"
    ended = agentgraph("rehearse", file, "Write.", typed=typed)
    assert ended.status == 0, ended
    text = saved.read_text(encoding="utf-8")
    assert "state.answer(call_1, {'ok': True, 'tone': 'hard', 'note': 'fine'})" in text
    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(saved)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert passed.returncode == 0, passed.stdout


def test_a_saved_rehearsal_that_left_the_question_open_waits_for_it(tmp_path: Path) -> None:
    file, saved = letters(tmp_path, "bool"), tmp_path / "test_letters.py"
    ended = agentgraph("rehearse", file, "Write.", typed=f"/save {saved}\nDear me\n/quit\n")
    assert ended.status == 1, ended
    text = saved.read_text(encoding="utf-8")
    assert "assert sorted(one.name for one in result.interruptions) == ['person']" in text
