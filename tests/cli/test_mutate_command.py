"""`agentgraph mutate`: tests of a workflow run once for each fault; the score and the survivors say
what they would not notice."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from select import select
from textwrap import dedent
from typing import Any

import pytest

from tests.cli.command import EXAMPLES, REPOSITORY, Ended, agentgraph, environment, written
from tests.cli.pseudo_terminal import on_a_terminal

DESK = """
    from agentgraph import Agent, Workflow, function_tool, handoff

    @function_tool(needs_approval=True)
    def refund(order: str) -> str:
        "Pay an order back."
        return "paid"

    @function_tool(is_enabled=False, needs_approval=True)
    def charge(order: str) -> str:
        "Charge an order again."
        return "charged"

    refunds = Agent(name="Refunds", tools=[refund, charge])
    triage = Agent(name="Triage", handoffs=[refunds])
    desk = Workflow("Desk", start=triage, agents=[triage, refunds])
"""

PLAY = """
    from agentgraph import RunConfig, Runner
    from agentgraph.testing import ScriptedModel, assistant_message, function_call

    def call(name, **arguments):
        return [function_call(name, arguments, call_id=f"call_{name}")]

    def says(text):
        return [assistant_message(text)]

    def play(agent, *replies):
        config = RunConfig(model=ScriptedModel(list(replies)))
        return Runner.run_sync(agent, "Hello", run_config=config)
"""

PATIENCE = 120.0

TESTS = """
    from desk import desk
    from play import call, play, says

    def test_refunds_answers():
        result = play(desk, call("transfer_to_refunds"), says("Here."))
        assert result.last_agent.name == "Refunds"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workflow and a test that sees little of it."""
    written(tmp_path, "desk.py", DESK)
    written(tmp_path, "play.py", PLAY)
    written(tmp_path, "test_desk.py", TESTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    # Plugins are slow to load, and none is needed.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


def mutate(*arguments: object, tests: str = "test_desk.py") -> Ended:
    return agentgraph(
        "mutate", *arguments, "--", sys.executable, "-m", "pytest", "-q", "-c", "/dev/null",
        "--rootdir", ".", tests,
    )  # fmt: skip


def report(*arguments: object, tests: str = "test_desk.py") -> Any:
    ended = mutate(*arguments, "--json", tests=tests)
    assert ended.status == 0, ended.err
    return json.loads(ended.out)


def outcomes(document: Any) -> dict[str, str]:
    return {
        f"{one['operator']} {one['object']} {one['part']}": one["outcome"]
        for one in document["mutants"]
    }


def test_the_score_counts_what_the_tests_notice_and_the_survivors_come_with_a_run(
    project: Path,
) -> None:
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    ended = mutate("desk.py", "--fail-under", "50")
    assert ended.status == 1
    assert ended.out == dedent("""\
        survived[drop-tool] 'Refunds' does not have refund
          --> desk.py:13
        13 | refunds = Agent(name="Refunds", tools=[refund, charge])
           = a test of this run would notice it:
             1. 'Triage' hands over to 'Refunds'
             2. 'Refunds' calls refund

        survived[enable-tool] charge of 'Refunds' ignores its is_enabled
         --> desk.py:8
        8 | @function_tool(is_enabled=False, needs_approval=True)
          = a test of this run would notice it:
            1. 'Triage' hands over to 'Refunds'
            2. is_enabled of charge says no
            3. charge is not among the tools of the model call of 'Refunds'

        survived[drop-approval] refund runs without approval
         --> desk.py:3
        3 | @function_tool(needs_approval=True)
          = a test of this run would notice it:
            1. 'Triage' hands over to 'Refunds'
            2. 'Refunds' calls refund
            3. the run waits, a person rejects the call, and refund does not run

        survived[stop-at-first-tool] 'Refunds' ends with the output of its first tool
          --> desk.py:13
        13 | refunds = Agent(name="Refunds", tools=[refund, charge])
           = a test of this run would notice it:
             1. 'Triage' hands over to 'Refunds'
             2. 'Refunds' calls a tool
             3. the model of 'Refunds' reads the output and answers

        score 20.0 %: 1 killed, 4 survived; not counted: 2 equivalent
        """)
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before
    assert not [*Path(tempfile.gettempdir()).glob(f"agentgraph-mutate-*/{project.name}")]


def test_the_json_report_says_which_test_noticed_a_fault_and_why(project: Path) -> None:
    document = report("desk.py", "--only", "drop-handoff", "--only", "drop-approval", "-j", "2")
    assert document["counts"] == {
        "killed": 1,
        "survived": 1,
        "timeout": 0,
        "error": 0,
        "equivalent": 1,
        "refused": 0,
    }
    assert document["score"] == 50.0
    killed = document["mutants"][0]
    assert killed["test"] == "test_desk.py::test_refunds_answers"
    assert "transfer_to_refunds not found" in killed["reason"]
    assert (killed["file"], killed["line"]) == (str(project / "desk.py"), 14)
    assert outcomes(document) == {
        "drop-handoff Triage transfer_to_refunds": "killed",
        "drop-approval refund refund": "survived",
        "drop-approval charge charge": "equivalent",
    }


def test_agents_are_changed_wherever_the_tests_get_them_from(project: Path) -> None:
    """Under another name, by a path, from factories async and not, and from a function that needs
    an argument."""
    written(
        project,
        "desk.py",
        """
        from agentgraph import Agent, compile

        def desk_of(text):
            orders = Agent(name="Orders")
            return Agent(name="By argument", instructions=text, handoffs=[orders])

        class Team:
            def desk(self):
                return Agent(name="By method", handoffs=[Agent(name="Orders")])

        def build():
            return Agent(name="Built", handoffs=[Agent(name="Orders")])

        async def build_later():
            return {"desk": Agent(name="Built later", handoffs=[Agent(name="Orders")])}

        desk = Agent(name="Made", handoffs=[Agent(name="Orders")])
        program = compile(Agent(name="Compiled", handoffs=[Agent(name="Orders")]))
        """,
    )
    written(
        project,
        "test_desk.py",
        """
        import asyncio
        import importlib
        import importlib.util
        import pytest
        from agentgraph import compile
        from play import call, play, says

        def by_path():
            spec = importlib.util.spec_from_file_location("another", "desk.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module

        def reaches(machine):
            return [agent.name for agent in machine.agents][1:] == ["Orders"]

        def test_made():
            assert reaches(compile(by_path().desk).machine)
            assert reaches(compile(importlib.import_module("desk").desk).machine)

        def test_built():
            assert reaches(compile(by_path().build()).machine)

        def test_built_later():
            assert reaches(compile(asyncio.run(by_path().build_later())["desk"]).machine)

        def test_compiled():
            assert reaches(by_path().program.machine)

        def test_by_argument_and_by_method():
            for agent in (by_path().desk_of("Help."), by_path().Team().desk()):
                result = play(agent, call("transfer_to_orders"), says("Here."))
                assert result.last_agent.name == "Orders"
        """,
    )
    document = report("desk.py", "--only", "drop-handoff")
    kinds = {
        one["object"]: (one["outcome"], (one["test"] or "").rpartition("::")[2])
        for one in document["mutants"]
    }
    assert kinds == {
        "Made": ("killed", "test_made"),
        "Built": ("killed", "test_built"),
        "Built later": ("killed", "test_built_later"),
        "Compiled": ("killed", "test_compiled"),
        "By argument": ("killed", "test_by_argument_and_by_method"),
        "By method": ("killed", "test_by_argument_and_by_method"),
    }


def test_a_survivor_that_no_test_comes_to_says_so(project: Path) -> None:
    written(
        project,
        "desk.py",
        """
        from agentgraph import Agent

        def build():
            return Agent(name="Triage", handoffs=[Agent(name="Orders")])
        """,
    )
    written(project, "test_desk.py", "import desk\n\ndef test_nothing(): pass\n")
    ended = mutate("desk.py")
    assert ended.status == 0
    assert " = no test comes to this object\n" in ended.out
    assert ended.out.endswith("\nscore 0.0 %: 0 killed, 1 survived\n")


def test_a_fault_is_planted_once_although_simulated_runs_copy_the_workflow(project: Path) -> None:
    written(
        project,
        "desk.py",
        """
        from agentgraph import Agent, End, Workflow

        def is_large(text: str) -> bool:
            return True

        orders, refunds = Agent(name="Orders"), Agent(name="Refunds")
        triage = Agent(name="Triage", handoffs=[orders, refunds])
        flow = Workflow("Sizes", start=triage)
        flow.then(triage, is_large)
        flow.then(is_large, End("large"))
        """,
    )
    written(
        project,
        "test_desk.py",
        """
        from desk import flow, triage
        from agentgraph.testing import play
        from agentgraph.testing.script import model

        def test_orders():
            script = [model("Triage").hands_off("transfer_to_orders"), model("Orders").answers("x")]
            assert play(flow, script).final_output == "large"
        """,
    )
    swapped = [row for row in outcomes(report("desk.py")).items() if row[0].startswith("swap")]
    assert swapped == [("swap-handoffs Triage transfer_to_orders, transfer_to_refunds", "killed")]


def test_swapped_cases_are_noticed_by_a_test_that_plays(project: Path) -> None:
    written(
        project,
        "desk.py",
        """
        from agentgraph import Agent, End, Workflow, output_of

        def is_large(text: str) -> bool:
            return True

        triage = Agent(name="Triage")
        flow = Workflow("Sizes", start=triage)
        flow.then(triage, is_large)
        cases = {True: End("large"), False: End("small")}
        flow.route(is_large, on=output_of(is_large), cases=cases)
        """,
    )
    written(
        project,
        "test_desk.py",
        """
        from desk import flow
        from agentgraph.testing import play
        from agentgraph.testing.script import function, model

        def test_large():
            script = [model("Triage").answers("x"), function("is_large").returns(True)]
            assert play(flow, script).final_output == "large"
        """,
    )
    assert outcomes(report("desk.py")) == {
        "drop-case Sizes is_large true": "killed",
        "drop-case Sizes is_large false": "survived",
        "swap-cases Sizes is_large true, false": "killed",
    }


@pytest.mark.nightly
def test_tests_that_hang_or_crash_or_cannot_be_collected_are_told_apart(project: Path) -> None:
    written(
        project,
        "desk.py",
        """
        from agentgraph import Agent

        triage = Agent(name="Triage", handoffs=[Agent(name="A"), Agent(name="B"), Agent(name="C")])
        """,
    )
    written(
        project,
        "test_desk.py",
        """
        import os
        import threading
        from desk import triage

        names = [agent.name for agent in triage.handoffs]
        assert "C" in names, "C cannot be reached"

        def test_ends():
            if "A" not in names:
                threading.Event().wait()
            if "B" not in names:
                os._exit(3)
        """,
    )
    ended = mutate("desk.py", "--only", "drop-handoff", "--timeout", "20", "-j", "3", "-v")
    assert ended.out == dedent("""\
        timeout[drop-handoff] 'Triage' cannot hand over to 'A'
         = the tests did not end within 20 s

        error[drop-handoff] 'Triage' cannot hand over to 'B'
         = the tests ended with status 3 and no result

        killed[drop-handoff] 'Triage' cannot hand over to 'C'
         = test_desk.py: AssertionError: C cannot be reached

        score 100 %: 1 killed, 1 timed out, 0 survived; not counted: 1 ended in an error
        """)


@pytest.mark.nightly
def test_a_process_that_has_threads_is_not_forked_and_the_score_is_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        project,
        "threads.py",
        """
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        """,
    )
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p threads")
    document = report("desk.py", "--only", "drop-handoff", "--only", "drop-approval")
    assert document["score"] == 50.0
    assert outcomes(document)["drop-handoff Triage transfer_to_refunds"] == "killed"


@pytest.mark.nightly
def test_workers_of_xdist_change_the_agents_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p xdist -n 2")
    document = report("desk.py", "--only", "drop-handoff", "--only", "drop-approval")
    assert document["counts"]["killed"] == 1
    assert document["counts"]["survived"] == 1


@pytest.mark.parametrize(
    ("tests", "message", "help"),
    [
        (
            "def test_fails(): assert 0",
            "error: the tests fail without a mutant: test_desk.py::test_fails",
            "help: mend them first; a mutant is noticed only by tests that pass without it",
        ),
        (
            "def test_passes(): pass",
            "error: no test imports desk.py, so no test can notice a change of its agents",
            "help: import it in the tests; what they start in other processes stays unchanged",
        ),
        ("", "error: the tests fail without a mutant (status 5)", "help: mend them first; "),
    ],
)
def test_tests_that_cannot_judge_a_mutant_are_refused(
    project: Path, tests: str, message: str, help: str
) -> None:
    written(project, "test_desk.py", tests)
    ended = mutate("desk.py")
    assert ended.status == 2
    assert f"{message}\n" in ended.err
    assert f"\n{help}" in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("desk.py", "--only", "drop-agent"), "error: there is no operator 'drop-agent'"),
        (("play.py",), "error: play.py has nothing to change"),
        (("nowhere.py",), "error: there is no file nowhere.py"),
        (("desk.py", "--", "no-such-command"), "error: the command 'no-such-command' cannot be"),
        (("desk.py", "--", sys.executable, "-c", "print(1)"), "error: the command ran no pytest"),
    ],
)
def test_what_cannot_be_used_is_named(
    project: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = agentgraph("mutate", *arguments)
    assert ended.status == 2
    assert message in ended.err


def test_a_file_that_cannot_be_imported_is_refused_with_its_error(project: Path) -> None:
    written(project, "desk.py", "from agentgraph import Agent\na = Agent(name='A')\n1 / 0\n")
    ended = agentgraph("mutate", "desk.py")
    assert ended.status == 2
    assert "error: desk.py cannot be imported: ZeroDivisionError: division by zero" in ended.err


def test_progress_shows_on_a_terminal_and_ctrl_c_leaves_nothing_behind(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, alive = project / "temporary", project / "alive"
    temporary.mkdir()
    os.mkfifo(alive)
    written(
        project,
        "test_desk.py",
        f"""
        import threading
        from desk import triage

        def test_waits():
            if not triage.handoffs:
                with open({str(alive)!r}, "w") as file:
                    file.write("waits")
                    file.flush()
                    threading.Event().wait()
        """,
    )
    monkeypatch.setenv("TMPDIR", str(temporary))
    command = ("mutate", project / "desk.py", "--", sys.executable, "-m", "pytest", "-q")
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with on_a_terminal(*command, project / "test_desk.py") as screen:
            assert select([reader], [], [], PATIENCE)[0]
            assert os.read(reader, 100) == b"waits"
            screen.press("mutants", b"\x03")
            assert screen.status() == 130
        assert select([reader], [], [], PATIENCE)[0]
        assert os.read(reader, 100) == b""  # the test that waited is gone
    finally:
        os.close(reader)
    assert [*temporary.iterdir()] == []


@pytest.mark.nightly
def test_the_tests_of_the_support_desk_notice_every_fault_of_it() -> None:
    ended = agentgraph(
        "mutate", EXAMPLES / "support_desk.py", "-j", "0", "--fail-under", "100", "--",
        sys.executable, "-m", "pytest", "-q", "-c", REPOSITORY / "pyproject.toml",
        REPOSITORY / "tests/examples/test_support_desk.py",
    )  # fmt: skip
    assert (ended.status, ended.out) == (0, "score 100 %: 31 killed, 0 survived\n"), ended.err
