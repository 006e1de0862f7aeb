"""`agentgraph check`: how findings look, in three formats, and the exit status."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agentgraph.cli.reports import print_report
from agentgraph_compiler.diagnostics import Diagnostic, Note, Origin, Rule, Severity
from tests.cli.command import EXAMPLES, REPOSITORY, agentgraph, written

GOLDENS = Path(__file__).parent / "goldens"
BROKEN = EXAMPLES / "broken_workflow.py"
CLEAN = "from agentgraph import Agent\na = Agent(name='A')\n"
WARNED = """
from agentgraph import Agent, Workflow

a = Agent(name="A")
b = Agent(name="B")
w = Workflow("W", start=a, agents=[a, b])
"""
FAULTY = """
from agentgraph import Agent, Workflow

outside = Agent(name="Outside", handoff_description="Out")
a = Agent(name="A", handoffs=[outside])
w = Workflow("W", start=a, agents=[a])
"""


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are shown relative to the current folder."""
    monkeypatch.chdir(REPOSITORY)


def test_the_report_on_the_broken_example() -> None:
    """What the example says on each line is reviewed by a person; UPDATE_GOLDENS=1 writes it."""
    report, reviewed = agentgraph("check", BROKEN).out, GOLDENS / "broken_workflow.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        reviewed.write_text(report, encoding="utf-8")
    assert report == reviewed.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("sources", "options", "status"),
    [
        ([CLEAN], [], 0),
        ([CLEAN], ["--strict"], 0),
        ([WARNED], [], 0),
        ([WARNED], ["--strict"], 1),
        ([FAULTY], [], 1),
        ([CLEAN, FAULTY], [], 1),
        (["x = 1"], [], 0),
        ([FAULTY, "x = 1"], [], 1),
        ([FAULTY, "x = "], [], 2),
        (["import a_package_that_is_not_there"], [], 0),
        (["import a_package_that_is_not_there"], ["--strict"], 1),
        ([CLEAN, "x = "], ["--strict"], 2),
    ],
)
@pytest.mark.parametrize("report_format", ["text", "json", "sarif"])
def test_the_status_says_whether_something_fails(
    tmp_path: Path, sources: list[str], options: list[str], status: int, report_format: str
) -> None:
    files = [written(tmp_path, f"flow{n}.py", text) for n, text in enumerate(sources)]
    assert agentgraph("check", *files, *options, "--format", report_format).status == status


def test_what_can_be_checked_is_reported_beside_what_cannot(tmp_path: Path) -> None:
    good, bad = written(tmp_path, "good.py", FAULTY), written(tmp_path, "bad.py", "x = ")
    empty = written(tmp_path, "empty.py", "x = 1")
    ended = agentgraph("check", bad, good, empty)
    assert "error[AG103] unknown-handoff-target" in ended.out
    assert ended.out.endswith("✗ 1 file checked, 1 without agents, 1 not loadable: 1 error\n")
    assert f"error: {bad} cannot be read: SyntaxError" in ended.err


def test_a_finding_that_two_targets_share_is_told_once(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", FAULTY)
    assert agentgraph("check", file, f"{file}:w").out.count("error[AG103]") == 1


def test_json_has_every_field_of_every_finding(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", FAULTY)
    report = json.loads(agentgraph("check", file, "--format", "json").out)
    (diagnostic,) = report["diagnostics"]
    assert (report["version"], report["faults"]) == (1, [])
    assert {name: diagnostic[name] for name in ("code", "name", "severity", "file", "line")} == {
        "code": "AG103",
        "name": "unknown-handoff-target",
        "severity": "error",
        "file": str(file),
        "line": 4,
    }
    assert {note["line"] for note in diagnostic["notes"]} <= {None, 3, 5}
    assert diagnostic["message"]
    assert diagnostic["help"]


def sarif(*arguments: object) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(agentgraph("check", *arguments, "--format", "sarif").out)
    return log


def test_sarif_has_the_parts_that_version_2_1_0_asks_for() -> None:
    log = sarif(BROKEN)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    root = run["originalUriBaseIds"]["SRCROOT"]["uri"]
    lines = BROKEN.read_text(encoding="utf-8").splitlines()
    assert log["version"] == "2.1.0"
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"]["name"] == "agentgraph"
    assert root.startswith("file:///")
    assert root.endswith("/")
    assert run["invocations"][0]["executionSuccessful"] is True
    assert len(run["results"]) == 7
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {
            "uri": "examples/broken_workflow.py",
            "uriBaseId": "SRCROOT",
        }
        region = place["region"]
        piece = lines[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1]
        assert piece.startswith(("Agent(", "@", "handoff(", "triage.as_tool("))


def test_the_rules_in_sarif_have_their_page_their_family_and_their_weight() -> None:
    rules = {rule["id"]: rule for rule in sarif(BROKEN)["runs"][0]["tool"]["driver"]["rules"]}
    rule = rules["AG201"]
    assert rule["help"]["markdown"].startswith(rule["shortDescription"]["text"])
    assert "## Use instead" in rule["help"]["markdown"]
    assert rule["fullDescription"]["text"] != rule["shortDescription"]["text"]
    assert rule["properties"] == {"tags": ["routing"], "problem.severity": "warning"}
    assert rule["defaultConfiguration"] == {"level": "warning"}


def test_fingerprints_in_sarif_survive_moved_lines_and_tell_findings_apart(tmp_path: Path) -> None:
    def prints(source: str) -> list[str]:
        file = written(tmp_path, "flow.py", source)
        results = sarif(file)["runs"][0]["results"]
        return [one["partialFingerprints"]["primaryLocationLineHash"] for one in results]

    other = "Agent(name='Other', handoff_description='Others')"
    twice = FAULTY.replace("[outside]", f"[outside, {other}]")
    (first,) = prints(FAULTY)
    assert prints(f"import os\n\n{FAULTY}") == [first]
    more = prints(twice)
    assert first in more
    assert len({*more}) == 2


def test_a_note_in_sarif_has_a_place_or_is_part_of_the_message() -> None:
    for result in sarif(BROKEN)["runs"][0]["results"]:
        related = result.get("relatedLocations", [])
        assert all(one["physicalLocation"]["region"]["startLine"] > 0 for one in related)
        assert [one["id"] for one in related] == list(range(1, len(related) + 1))
    texts = [one["message"]["text"] for one in sarif(BROKEN)["runs"][0]["results"]]
    assert any("\nNote: " in text for text in texts)


def test_statistics_count_the_findings_of_each_rule(tmp_path: Path) -> None:
    wrong = "from agentgraph import Agent\na = Agent(name='A', instruction='x', tool=[])\n"
    files = [written(tmp_path, "a.py", wrong), written(tmp_path, "b.py", FAULTY)]
    ended = agentgraph("check", *files, "--statistics")
    assert ended.out.splitlines() == [
        "code   name                    severity  count  fixable",
        "AG906  unknown-keyword         error         2        2",
        "AG103  unknown-handoff-target  error         1",
        "✗ 2 files checked: 3 errors (2 fixable with --fix)",
    ]
    assert ended.status == 1
    report = json.loads(agentgraph("check", *files, "--statistics", "--format", "json").out)
    assert report["statistics"][1] == {
        "code": "AG103",
        "name": "unknown-handoff-target",
        "severity": "error",
        "count": 1,
        "fixable": 0,
    }
    assert [one["fix"] for one in report["diagnostics"]].count(None) == 1
    refused = agentgraph("check", *files, "--statistics", "--format", "sarif")
    assert (refused.status, refused.out) == (2, "")


def test_statistics_of_nothing_are_the_summary_alone(tmp_path: Path) -> None:
    file = written(tmp_path, "a.py", CLEAN)
    assert agentgraph("check", file, "--statistics").out == "✓ 1 file checked: nothing to report\n"


def test_sarif_tells_what_could_not_be_checked(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", "x = ")
    (invocation,) = sarif(file)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (fault,) = invocation["toolExecutionNotifications"]
    assert "cannot be read: SyntaxError" in fault["message"]["text"]


def test_sarif_names_a_file_elsewhere_by_its_whole_uri(tmp_path: Path) -> None:
    file = written(tmp_path, "with space.py", FAULTY)
    (result,) = sarif(file)["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": file.as_uri()}


RULE = Rule("AG999", "wrong-thing", Severity.ERROR, "A wrong thing.")


def shown(finding: Diagnostic, width: int) -> list[str]:
    """A finding on a terminal without colours."""
    console = Console(width=width, force_terminal=True, no_color=True, color_system=None)
    with console.capture() as capture:
        print_report(console, [finding])
    return capture.get().splitlines()


def test_no_line_is_wider_than_a_narrow_terminal(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", f"a = Agent(name='{'long ' * 40}')  # ")
    diagnostic = Diagnostic(
        RULE, "it is wrong " * 20, Origin(str(file), 1), (Note("because " * 30),), "fix it " * 20
    )
    for width in (30, 40, 80, 120):
        place, lines = f" --> {file}:1", shown(diagnostic, width)
        assert [line for line in lines if len(line) > width and line != place] == []
        assert sum(line.count("because") for line in lines) == 30


@pytest.mark.parametrize(
    ("line", "quoted", "marks"),
    [
        ("a = Agent(name='x')", "a = Agent(name='x')", "    ^^^^^^^^^^^^^^^"),
        ("\ta = Agent()", "    a = Agent()", "        ^^^^^^^"),
        ("名 = Agent()", "名 = Agent()", "     ^^^^^^^"),
        ("a = b", "a = b", "^^^^^"),
        ("a = 'x'; b = f(g(1), h(2))", "a = 'x'; b = f(g(1), h(2))", " " * 13 + "^" * 13),
        ("a = Agent(  # \x1b[31m", "a = Agent(  # \\x1b[31m", "    ^^^^^^^^^^^^^^^^^^"),
    ],
)
def test_the_marks_stand_below_what_they_are_about(
    tmp_path: Path, line: str, quoted: str, marks: str
) -> None:
    source = f"if 1:\n{line}\n" if line.startswith("\t") else f"\n{line}\n"
    file = tmp_path / "flow.py"
    file.write_text(source + (")" if line.startswith("a = Agent(  ") else ""), encoding="utf-8")
    lines = shown(Diagnostic(RULE, "wrong", Origin(str(file), 2)), 80)
    assert lines[3:5] == [f"2 | {quoted}", f"  | {marks}"]


def test_a_finding_without_a_place_is_told_without_one() -> None:
    assert shown(Diagnostic(RULE, "wrong", help="fix it"), 80) == [
        "error[AG999] wrong-thing: wrong",
        "  = help: fix it",
        "",
    ]


def test_a_file_that_is_gone_is_named_without_its_line(tmp_path: Path) -> None:
    lines = shown(Diagnostic(RULE, "wrong", Origin(str(tmp_path / "gone.py"), 3)), 80)
    assert lines[1:] == [f" --> {tmp_path / 'gone.py'}:3", ""]


SOMETIMES = """
from agentgraph import Agent, handoff

async def at_night(context, agent): return True

human = Agent(name="Human")
robot = Agent(name="Robot", handoffs=[handoff(human, is_enabled=at_night)])
triage = Agent(name="Triage", handoffs=[handoff(robot, is_enabled=at_night)])
"""


@pytest.mark.parametrize("form", ["text", "concise"])
def test_what_is_only_known_at_run_time_is_one_line_until_it_is_asked_for(
    tmp_path: Path, form: str
) -> None:
    file = written(tmp_path, "flow.py", SOMETIMES)
    report = agentgraph("check", file, "--format", form).out
    assert report.splitlines() == [
        "✓ 1 file checked: nothing to report",
        "2 things about 2 agents will only be known at run time (--unknowns lists them)",
    ]
    for options in (("--unknowns",), ("--select", "AG401")):
        listed = agentgraph("check", file, "--format", form, *options).out
        assert listed.count("AG401") == 2
        assert "--unknowns" not in listed


def test_programs_always_get_what_is_only_known_at_run_time(tmp_path: Path) -> None:
    file = written(tmp_path, "flow.py", SOMETIMES)
    report = json.loads(agentgraph("check", file, "--format", "json").out)
    assert [one["code"] for one in report["diagnostics"]] == ["AG401", "AG401"]
    assert len(sarif(file)["runs"][0]["results"]) == 2


BOUNDED = """
from agents import Agent, Runner, function_tool

@function_tool
def look(text: str) -> str:
    "Look."
    return text

desk = Agent(name="Desk", tools=[look])
night = Agent(name="Night Desk", tools=[look])

async def answer(text, is_urgent):
    if is_urgent:
        return await Runner.run(desk, text, max_turns=LIMIT)
    await Runner.run(desk, text, max_turns=3)
    return await Runner.run(night, text)

LIMIT = 4
"""


BYPASSED = """from agentgraph import (
    Agent, GuardrailFunctionOutput, RunConfig, Runner, output_guardrail
)

@output_guardrail
def polite(context, agent, output):
    return GuardrailFunctionOutput(None, tripwire_triggered="x" in str(output))

front = Agent(name="Front", handoff_description="Anything")
bank = Agent(name="Bank", output_guardrails=[polite], handoffs=[front])
config = RunConfig(output_guardrails=[polite])
"""
WAYS: dict[str, tuple[str, bool]] = {
    "a run at the top": ("Runner.run_sync(bank, 'x', run_config=config)", False),
    "with a configuration of its own": (
        "Runner.run_sync(bank, 'x', run_config=RunConfig(output_guardrails=[polite]))",
        False,
    ),
    "in a function that nothing calls": (
        "def main(text):\n"
        "    Runner.run_sync(bank, text, run_config=RunConfig(output_guardrails=[polite]))",
        False,
    ),
    "in two functions alike": (
        "def one(text):\n    Runner.run_sync(bank, text, run_config=config)\n"
        "def two(text):\n    Runner.run_sync(bank, text, run_config=config)",
        False,
    ),
    "without guardrails": (
        "Runner.run_sync(bank, 'x', run_config=RunConfig(workflow_name='Bank'))",
        True,
    ),
    "one run with and one without": (
        "def one(text):\n    Runner.run_sync(bank, text, run_config=config)\n"
        "def two(text):\n    Runner.run_sync(bank, text)",
        True,
    ),
    "a configuration that is computed": (
        "def main(text, configs):\n    Runner.run_sync(bank, text, run_config=configs[0])",
        True,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_guardrails_that_all_runs_have_count(tmp_path: Path, way: str) -> None:
    source, is_bypassed = WAYS[way]
    file = written(tmp_path, "bank.py", f"{BYPASSED}\n{source}\n")
    assert ("AG503" in agentgraph("check", file).out) is is_bypassed


CONFIGURED = """from agentgraph import Agent, ModelSettings, RunConfig, Runner, function_tool

look = function_tool(lambda: "", name_override="look", description_override="Look.")
one_call = RunConfig(model_settings=ModelSettings(parallel_tool_calls=False))
handlers = {"max_turns": lambda failure: "Out of turns."}
always = ModelSettings(tool_choice="required")
desk = Agent(name="Desk", tools=[look], model_settings=always, reset_tool_choice=False)

def first():
    Runner.run_sync(desk, "Go on.", run_config=one_call, error_handlers=handlers, max_turns=4)
"""
OTHER = """
def second():
    Runner.run_sync(desk, "Go on.", max_turns=4)
"""


def test_bounds_count_what_all_runs_of_a_start_set(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", CONFIGURED)
    alike = agentgraph("check", "--bounds", file).out
    assert " ".join(line for line in alike.splitlines() if "tool calls" in line).split()[:4] == [
        "tool",
        "calls",
        "4",
        "4",
    ]
    written(tmp_path, "desk.py", CONFIGURED + OTHER)
    assert "none  no bound" in agentgraph("check", "--bounds", file).out


def test_bounds_are_shown_for_each_start_with_the_turns_of_its_runs(tmp_path: Path) -> None:
    ended = agentgraph("check", "--bounds", written(tmp_path, "desk.py", BOUNDED))
    assert ended.status == 0
    rows = [line.split() for line in ended.out.splitlines() if "model calls  " in line]
    assert rows == [
        ["model", "calls", "1", "4", "max_turns=4"],
        ["model", "calls", "1", "10", "max_turns=10"],
    ]
    assert "✓" not in ended.out


def test_coverage_is_shown_for_each_start(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "desk.py",
        """
        from agentgraph import Agent, GuardrailFunctionOutput, Runner, output_guardrail

        @output_guardrail
        def polite(context, agent, output):
            return GuardrailFunctionOutput(None, "stupid" in str(output))

        orders = Agent(name="Orders", output_guardrails=[polite])
        desk = Agent(name="Desk", handoffs=[orders])
        """,
    )
    assert agentgraph("check", "--coverage", file).out.splitlines() == [
        "runs from Desk  checks  guardrail     runs",
        "Desk            input   no guardrail  when a run starts with it",
        "Desk            output  no guardrail  when it gives the final output: Desk",
        "Orders          output  polite        when it gives the final output: Desk → Orders",
    ]
    described = json.loads(agentgraph("check", "--coverage", "--format", "json", file).out)
    (table,) = described["files"][0]["coverage"]
    assert table["rows"][-1]["way"] == ["Desk", "Orders"]


def test_bounds_without_a_limit_of_turns_say_so(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", BOUNDED.replace("max_turns=3", "max_turns=None"))
    ended = agentgraph("check", "--bounds", file)
    assert "no bound  nothing limits the turns of the run" in ended.out


def test_bounds_as_data_and_of_several_files(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", BOUNDED)
    ended = agentgraph("check", "--bounds", "--output-format", "json", file)
    [described] = json.loads(ended.out)["files"]
    assert [one["start"] for one in described["bounds"]] == ["Desk", "Night Desk"]
    assert described["bounds"][0]["model_calls"]["most_path"] == ["Desk"] * 4
    assert described["bounds"][0]["tool_calls"]["most"] is None
    gone = agentgraph("check", "--bounds", file, tmp_path / "gone.py")
    assert gone.status == 2
    assert gone.out.splitlines()[0] == str(file)
    assert "there is no file" in gone.err


def test_bounds_have_no_place_in_a_form_for_findings(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", BOUNDED)
    refused = agentgraph("check", "--bounds", "--output-format", "sarif", file)
    assert refused.status == 2
    assert "--bounds has no place in the form sarif" in refused.err
