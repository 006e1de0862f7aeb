"""`witnesses` finds a run for every obligation, and the generated tests pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, function_tool
from agentgraph.exceptions import UserError
from agentgraph.guardrail import GuardrailFunctionOutput, input_guardrail, output_guardrail
from agentgraph.handoffs import Handoff
from agentgraph.testing.doubles.exported import ProgramPlace
from agentgraph.testing.generating import generated_tests
from agentgraph.testing.witnessing import Witness, witnesses
from agentgraph.tool import WebSearchTool
from agentgraph_compiler.analysis.owed import Subject
from tests.cli.command import EXAMPLES, agentgraph, written


@function_tool(needs_approval=True)
def refund(euros: int) -> str:
    """Pay back."""
    raise AssertionError


@function_tool
def look(order: str) -> str:
    """Look."""
    raise AssertionError


@input_guardrail
def careful(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    raise AssertionError


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError


def desk() -> Agent[Any]:
    refunds = Agent(name="Refunds", tools=[refund, look], output_guardrails=[polite])
    return Agent(name="Triage", handoffs=[refunds], tools=[look], input_guardrails=[careful])


def test_every_obligation_has_a_run() -> None:
    result = witnesses(desk())
    assert result.missing == ()
    met = [f"{one.title} {one.key.outcome}" for run in result.runs for one in run.meets]
    assert len(set(met)) == len(met) - 1  # `look` is a tool of two agents
    for expected in (
        "Triage → Refunds taken",
        "refund approved",
        "refund rejected",
        "careful tripped",
        "polite passed",
        "polite tripped",
    ):
        assert expected in met


def met(run: Witness) -> list[str]:
    """What a witness meets, in words."""
    return [f"{one.title} {one.key.outcome}" for one in run.meets]


def test_what_no_run_can_meet_is_said_with_the_reason() -> None:
    forced = ModelSettings(tool_choice="look")
    start = Agent(
        name="A",
        tools=[look, WebSearchTool()],
        model_settings=forced,
        reset_tool_choice=False,
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[],
        handoffs=[Agent(name="B")],
    )
    result = witnesses(start)
    reasons = {(one.title, one.key.outcome): one.excuse for one in result.excused}
    assert reasons["B", "visited"] == "no run can get there"
    assert reasons["web_search", "called"] == "it runs at the model's side"


def test_a_limit_of_an_agent_tool_is_reached_by_a_short_run() -> None:
    clerk = Agent(name="Clerk", tools=[look])
    start = Agent(name="A", tools=[clerk.as_tool("ask", "Ask.", max_turns=2)])
    result = witnesses(start)
    assert not result.missing
    [run] = [one for one in result.runs if "max_turns=2 reached" in met(one)]
    assert [one.what for one in run.route.decisions if one.by == "model"] == [
        "ask",
        "look",
        "look",
        "answer",
    ]
    [outer] = [one for one in result.runs if "max_turns reached" in met(one)]
    assert (outer.route.end, outer.route.agents.count("A")) == ("cut", 6)
    source = generated_tests(result, ProgramPlace(Path("a.py"), "a", "a.start"), Path("test_a.py"))
    assert "max_turns=6" in source
    assert len(run_tests(source, start)) == len(result.runs)


def test_runs_without_a_loop_reach_no_limit() -> None:
    last = Agent(name="Last")
    first = Agent(name="First", handoffs=[last], tools=[last.as_tool("ask", "Ask.")])
    first.tool_use_behavior = "stop_on_first_tool"
    excuses = [
        (one.title, one.excuse)
        for one in witnesses(first).excused
        if one.key.subject is Subject.LIMIT
    ]
    assert excuses == [
        ("max_turns", "no run makes so many turns"),
        ("max_turns=10", "no run makes so many turns"),
    ]


def test_the_same_workflow_gives_the_same_runs() -> None:
    first, second = witnesses(desk()), witnesses(desk())
    assert [run.route for run in first.runs] == [run.route for run in second.runs]


def test_a_run_comes_to_an_end_unless_it_cannot() -> None:
    endless = ModelSettings(tool_choice="required")
    looking = Agent(name="A", tools=[look], model_settings=endless, reset_tool_choice=False)
    ends = {tuple(met(run)): run.route.end for run in witnesses(desk()).runs}
    assert {end for rows, end in ends.items() if "max_turns reached" not in rows} == {
        "answered",
        "blocked",
    }
    assert {run.route.end for run in witnesses(looking, 3).runs} == {"cut"}


def test_every_run_meets_something_that_no_run_before_it_does() -> None:
    runs = witnesses(desk()).runs
    assert all(run.meets for run in runs)
    subjects = {one.key.subject for run in runs for one in run.meets}
    assert subjects == set(Subject) - {Subject.EDGE, Subject.FUNCTION, Subject.QUESTION}  # no edges


def test_a_handoff_without_a_target_is_named() -> None:
    async def invoked(context: object, arguments: str) -> Any:
        raise AssertionError

    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    entry = Handoff[Any, Any]("go", "Go.", schema, invoked, "Somewhere")
    with pytest.raises(UserError, match="the handoff 'go' does not say"):
        witnesses(Agent(name="A", handoffs=[entry]))


def run_tests(source: str, workflow: Agent[Any]) -> list[str]:
    """Run the tests of a generated file with a workflow in place of that of the file."""
    body = source.partition("workflow = ")[2].partition("\n")[2]
    imports = "\n".join(line for line in source.splitlines() if line.startswith("from agentgraph"))
    names: dict[str, Any] = {"workflow": workflow}
    exec(imports + "\n" + body, names)
    tests = [name for name in names if name.startswith("test_")]
    for name in tests:
        names[name]()
    return tests


def test_generated_tests_pass_and_fail_on_a_planted_fault() -> None:
    place = ProgramPlace(Path("desk.py"), "desk", "desk.triage")
    source = generated_tests(witnesses(desk()), place, Path("test_desk.py"))
    assert len(run_tests(source, desk())) == len(set(run_tests(source, desk()))) > 5
    faulty = desk()
    faulty.handoffs = []
    with pytest.raises(AssertionError, match="not on offer to Triage"):
        run_tests(source, faulty)
    unguarded = desk()
    unguarded.input_guardrails = []
    with pytest.raises(AssertionError):
        run_tests(source, unguarded)


def test_the_command_writes_a_file_that_pytest_runs(tmp_path: Path) -> None:
    file = tmp_path / "test_desk.py"
    ended = agentgraph("testgen", EXAMPLES / "support_desk.py", "--to", file)
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == f"wrote {file}\n23 tests meet 150 of 150 obligations\n"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "23 passed" in done.stdout


def test_the_command_overwrites_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "test_desk.py", "kept = 1\n")
    ended = agentgraph("testgen", EXAMPLES / "homework.py", "--to", file)
    assert ended.status == 2
    assert f"{file} exists already" in ended.err
    assert file.read_text(encoding="utf-8") == "kept = 1\n"


def test_the_command_says_what_it_has_no_run_for(tmp_path: Path) -> None:
    ended = agentgraph("testgen", EXAMPLES / "computer_use.py", "--to", tmp_path / "test_it.py")
    assert ended.status == 1
    assert "no run was found for: computer_use_preview called" in ended.err


def test_a_workflow_with_errors_gets_no_tests(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    ended = agentgraph("testgen", EXAMPLES / "broken_workflow.py", "--to", file)
    assert ended.status == 2
    assert "error[AG101]" in ended.err
    assert not file.exists()
