"""`agentgraph export`: a journal becomes a test that passes and that a person can read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agentgraph import Agent, Runner
from agentgraph.running.thread_loop import wait_for
from agentgraph.testing import ScriptedModel, assistant_message
from tests.cli.command import agentgraph, written
from tests.testing.recorded_runs import KEY, recorded

PROGRAM = """
from tests.testing.recorded_runs import Desk

desk = Desk()
triage = desk.triage
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "production.jsonl"
    wait_for(recorded(path, "Refund me, please"))
    return path


def passes(test: Path) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test.name],
        cwd=test.parent,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 and "1 passed" in done.stdout


def test_a_run_from_production_becomes_a_test_that_passes(tmp_path: Path, journal: Path) -> None:
    program, test = written(tmp_path, "shop.py", PROGRAM), tmp_path / "test_refund.py"
    ended = agentgraph(
        "export", journal, "--as-test", "--program", f"{program}:triage", "--to", test
    )

    assert ended.status == 0, ended.err
    assert "wrote" in ended.err
    source = test.read_text()
    assert "def test_refund_me_please() -> None:" in source
    assert "# 2. Triage: transfer_to_refunds({})" in source
    assert "replay_sync(shop.triage, RECORDING)" in source
    assert "assert result.final_output == 'It is paid.'" in source
    assert "assert result.last_agent.name == 'Refunds'" in source
    assert passes(test)


def test_without_a_program_the_test_asks_for_a_fixture(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = agentgraph("export", journal, "--as-test", "--run-tool", "pay")

    assert ended.status == 0, ended.err
    assert "fixture" in ended.err
    test = tmp_path / "test_refund_me_please.py"
    assert "def test_refund_me_please(workflow) -> None:" in test.read_text()
    assert "run_tools=['pay']" in test.read_text()
    fixture = "import pytest\n" + PROGRAM
    fixture += "\n@pytest.fixture\ndef workflow():\n    return triage\n"
    written(tmp_path, "conftest.py", fixture)
    assert passes(test)


def test_the_exported_recording_holds_no_secrets(tmp_path: Path) -> None:
    agent = Agent(name="A", model=ScriptedModel([[assistant_message("Code ORD-77")]]))
    state = Runner.run_sync(agent, f"use {KEY}").to_state()
    path = tmp_path / "state.json"
    path.write_text(state.to_string())
    test = tmp_path / "test_a.py"
    ended = agentgraph("export", path, "--as-test", "--to", test, "--scrub", r"ORD-\d+")

    assert ended.status == 0, ended.err
    text = test.read_text() + test.with_suffix(".jsonl").read_text()
    assert KEY not in text
    assert "ORD-77" not in text


def test_nothing_is_overwritten(tmp_path: Path, journal: Path) -> None:
    test = tmp_path / "test_a.py"
    assert agentgraph("export", journal, "--as-test", "--to", test).status == 0
    ended = agentgraph("export", journal, "--as-test", "--to", test)

    assert ended.status == 2
    assert "exists already" in ended.err
    assert "--to" in ended.err


def test_a_test_that_exists_keeps_the_recording_from_being_written(
    tmp_path: Path, journal: Path
) -> None:
    test = written(tmp_path, "test_a.py", "# mine\n")
    ended = agentgraph("export", journal, "--as-test", "--to", test)

    assert ended.status == 2
    assert "test_a.py exists already" in ended.err
    assert not test.with_suffix(".jsonl").exists()
    assert test.read_text() == "# mine\n"


def test_the_file_of_the_test_ends_in_py(tmp_path: Path, journal: Path) -> None:
    ended = agentgraph("export", journal, "--as-test", "--to", tmp_path / "a.jsonl")

    assert ended.status == 2
    assert "a.jsonl is no Python file" in ended.err
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("print('hello')\n", "is no journal"),
        ('{"$schemaVersion": "x/9", "kind": "journal"}\n', "version 'x/9'"),
        ('{"$schemaVersion": "agentgraph/1", "kind": "journal", "run": "r"}\n', "holds no run"),
    ],
)
def test_a_file_that_holds_no_run_is_refused_by_name(
    tmp_path: Path, text: str, message: str
) -> None:
    path = written(tmp_path, "wrong.jsonl", text)
    ended = agentgraph("export", path, "--as-test")

    assert ended.status == 2
    assert message in ended.err
    assert "wrong.jsonl" in ended.err


def test_what_is_missing_on_the_command_line_is_told(tmp_path: Path, journal: Path) -> None:
    assert "there is no file" in agentgraph("export", tmp_path / "none", "--as-test").err
    assert "is a folder" in agentgraph("export", tmp_path, "--as-test").err
    assert "--as-test" in agentgraph("export", journal).err
