"""`agentgraph check` as a linter: files, settings, selection, baseline, formats, watching."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from agentgraph.cli.capture.child import Request
from agentgraph.cli.capture.children import processors
from agentgraph.cli.capture.messages import AgentSeen, Cost
from agentgraph.cli.capture.requests import read_request, written_request
from agentgraph.cli.capture.warming import warm
from agentgraph.cli.check import CheckOptions, watch_files
from agentgraph.cli.linting.baseline import symbol_at
from agentgraph.cli.linting.watching import Stamps, stamps, wait_for_a_change
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal
from agentgraph_compiler.diagnostics import Origin
from tests.cli.captured import captured
from tests.cli.command import agentgraph, written

CLEAN = "from agentgraph import Agent\na = Agent(name='A')\n"
WARNED = """
from agentgraph import Agent, Workflow

a = Agent(name="A")
b = Agent(name="B")
w = Workflow("W", start=a, agents=[a, b])
"""
FAULTY = """
from agentgraph import Agent, Workflow

outside = Agent(name="Outside")
a = Agent(name="A", handoffs=[outside])
w = Workflow("W", start=a, agents=[a])
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "pyproject.toml", "")
    return tmp_path


def summary_of(*arguments: object) -> str:
    return agentgraph("check", *arguments).out.splitlines()[-1]


def codes(*arguments: object) -> list[str]:
    report = json.loads(agentgraph("check", *arguments, "--output-format", "json").out)
    return [one["code"] for one in report["diagnostics"]]


def test_a_folder_is_checked_without_what_is_no_source_of_it(project: Path) -> None:
    written(project, "desk/flow.py", CLEAN)
    written(project, "desk/notes.py", "raise SystemExit('it is not loaded')")
    for folder in (".venv", "build", "node_modules", "__pycache__", "env"):
        written(project, f"{folder}/flow.py", FAULTY)
    written(project, "env/pyvenv.cfg", "")
    written(project, "desk/readme.md", "")
    assert summary_of(".") == "✓ 1 file checked, 1 without agents: nothing to report"
    assert summary_of() == summary_of("desk") == summary_of("**/*.py", "--load-timeout", "9")


def test_a_file_that_two_arguments_name_is_checked_once(project: Path) -> None:
    written(project, "flow.py", CLEAN)
    assert summary_of(".", "flow.py", "*.py") == "✓ 1 file checked: nothing to report"


def test_the_summary_counts_what_could_not_be_loaded_and_says_where(project: Path) -> None:
    written(project, "good.py", CLEAN)
    written(project, "none.py", "x = 1")
    written(project, "key.py", f"{CLEAN}import os\nos.environ['NO_SUCH_KEY']\n")
    lines = agentgraph("check", ".").out.splitlines()
    assert lines[-1] == "✓ 1 file checked, 1 without agents, 1 not loadable: 1 note"
    assert "not loadable: key.py:4: KeyError: 'NO_SUCH_KEY'" in lines
    report = json.loads(agentgraph("check", ".", "--output-format", "json").out)
    files = {one["file"]: one for one in report["files"]}
    assert (files["key.py"]["status"], files["key.py"]["line"]) == ("not_loadable", 4)
    assert files["key.py"]["reason"] == "KeyError: 'NO_SUCH_KEY'"
    assert [start["name"] for start in files["good.py"]["starts"]] == ["A"]
    assert report["summary"] == {
        "checked": 1,
        "without_agents": 1,
        "not_loadable": 1,
        "in_baseline": 0,
        "status": 0,
    }
    log = json.loads(agentgraph("check", ".", "--output-format", "sarif").out)
    (notification,) = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert notification["level"] == "warning"
    place = notification["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("key.py", 4)


def test_the_settings_of_the_project_apply(project: Path) -> None:
    written(project, "src/flow.py", FAULTY)
    written(project, "src/old/flow.py", FAULTY)
    written(project, "tests/flow.py", WARNED)
    toml = """
[tool.agentgraph]
paths = ["src", "tests"]
exclude = ["src/old"]
ignore = ["unknown-handoff-target"]
severity = { AG201 = "error" }
"""
    written(project, "pyproject.toml", toml)
    assert codes() == ["AG201"]
    assert agentgraph("check").status == 1
    assert codes("--select", "AG1", "src") == []
    written(project, "pyproject.toml", f'{toml}\nper-file-ignores = {{ "tests/*" = ["AG2"] }}')
    assert codes() == []


@pytest.mark.parametrize(
    ("setting", "message", "help"),
    [
        ("selct = []", "[tool.agentgraph] has no setting 'selct'", "did you mean select?"),
        ("colour = true", "[tool.agentgraph] has no setting 'colour'", "settings are paths, "),
        (
            "select = 'AG1'",
            "select in [tool.agentgraph] must be a list of texts, not 'AG1'",
            'write select = ["AG2", "unreachable-agent"]',
        ),
        ("ignore = [1]", "ignore in [tool.agentgraph] must be a list", "write ignore = ["),
        ("paths = 3", "paths in [tool.agentgraph] must be a list", 'write paths = ["src"]'),
        ("exclude = 3", "exclude in [tool.agentgraph] must be a list", "write exclude = ["),
        ("baseline = 3", "baseline in [tool.agentgraph] must be a text", "write baseline = "),
        (
            "ignore = ['unreachable-agnt']",
            "ignore in [tool.agentgraph]: there is no rule 'unreachable-agnt'",
            "did you mean unreachable-agent?",
        ),
        (
            "select = ['AG999']",
            "select in [tool.agentgraph]: there is no rule 'AG999'",
            "agentgraph explain --all",
        ),
        (
            "severity = { AG1 = 'fatal' }",
            "severity in [tool.agentgraph]: AG1: there is no severity 'fatal'",
            "severities are error, warning, note",
        ),
        (
            "severity.unreachable-agent = 'Warn'",
            "severity in [tool.agentgraph]: unreachable-agent: there is no severity 'Warn'",
            "did you mean warning?",
        ),
        (
            "severity = { AG1 = 3 }",
            "severity in [tool.agentgraph]: AG1: there is no severity 3",
            "severities are error, warning, note",
        ),
        (
            "severity = { AG999 = 'note' }",
            "severity in [tool.agentgraph]: there is no rule 'AG999'",
            "agentgraph explain --all",
        ),
        (
            "severity = 'note'",
            "severity in [tool.agentgraph] must be a table of severities, not 'note'",
            'write severity = { AG201 = "error" }',
        ),
        (
            "per-file-ignores = ['AG1']",
            "per-file-ignores in [tool.agentgraph] must be a table of lists of texts",
            'write per-file-ignores = { "tests/*" = ["AG5"] }',
        ),
        (
            "per-file-ignores = { 'tests/*' = ['AG999'] }",
            "per-file-ignores in [tool.agentgraph]: 'tests/*': there is no rule 'AG999'",
            "agentgraph explain --all",
        ),
        (
            "options = 3",
            "options in [tool.agentgraph]: the options must be a table",
            "AG212.fewest-handoffs = 3",
        ),
        (
            "options.AG201.x = 1",
            "options in [tool.agentgraph]: no rule 'AG201' has options",
            "AG104, AG210, AG211, AG212",
        ),
        ("options.AG212 = 3", "AG212 must be a table of options, not 3", "fewest-handoffs"),
        (
            "options.AG212.fewest-handofs = 3",
            "AG212 has no option 'fewest-handofs'",
            "did you mean fewest-handoffs?",
        ),
        (
            "options.missing-handoff-description.few = 3",
            "missing-handoff-description has no option 'few'",
            "options are fewest-handoffs",
        ),
        (
            "options.AG212.fewest-handoffs = 'three'",
            "options in [tool.agentgraph]: AG212.fewest-handoffs must be a whole"
            " number of at least 1, not 'three'",
            "How many handoffs an agent has",
        ),
        ("options.AG104.longest = 0", "AG104.longest must be a whole number", "of at least 1"),
        ("options.AG104.longest = true", "AG104.longest must be a whole number", "not True"),
        ("options.AG211.ignore-names = 'x'", "AG211.ignore-names must be a list of texts", ""),
        ("options.AG211.ignore-names = [1]", "AG211.ignore-names must be a list of texts", ""),
        (
            "baseline = 'none.json'",
            "baseline in [tool.agentgraph]: the baseline none.json cannot be read",
            "agentgraph check --write-baseline none.json",
        ),
        (
            "baseline = 'pyproject.toml'",
            "baseline in [tool.agentgraph]: pyproject.toml is no baseline of agentgraph",
            "agentgraph check --write-baseline pyproject.toml",
        ),
        ("paths = [", "cannot be read", "TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_file_its_key_and_the_remedy(
    project: Path, setting: str, message: str, help: str
) -> None:
    file = written(project, "pyproject.toml", f"[tool.agentgraph]\n{setting}\n")
    written(project, "flow.py", CLEAN)
    ended = agentgraph("check", "flow.py")
    assert ended.status == 2
    assert f"{file}: " in ended.err or f"{file} cannot be read: " in ended.err
    assert message in ended.err
    assert help in ended.err


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[tool]\nagentgraph = 3", "[tool.agentgraph] must be a table, not 3"),
        ("[tool.agentgraph]\npaths = ['src', 'gone/*.py']", "there is no 'src'"),
    ],
)
def test_settings_without_a_table_or_without_files_are_refused(
    project: Path, toml: str, message: str
) -> None:
    file = written(project, "pyproject.toml", toml)
    ended = agentgraph("check")
    assert (ended.status, f"{file}: " in ended.err, message in ended.err) == (2, True, True)


def test_a_project_whose_tools_are_no_table_has_no_settings(project: Path) -> None:
    written(project, "pyproject.toml", "tool = 3")
    written(project, "flow.py", CLEAN)
    assert summary_of() == "✓ 1 file checked: nothing to report"


def test_paths_and_patterns_begin_at_the_folder_of_the_settings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(project, "src/flow.py", WARNED)
    written(project, "src/old/flow.py", FAULTY)
    toml = "[tool.agentgraph]\npaths = ['src/*.py', 'src/old']\nexclude = ['src/old']\n"
    written(project, "pyproject.toml", toml)
    assert codes() == ["AG201"]
    monkeypatch.chdir(project / "src")
    assert codes() == ["AG201"]
    written(project, "pyproject.toml", f"{toml}per-file-ignores = {{ 'src/flow.py' = ['AG2'] }}")
    assert codes() == []
    written(project, "pyproject.toml", f"{toml}baseline = 'base.json'")
    assert agentgraph("check", "--write-baseline", "../base.json").status == 0
    assert codes() == []


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_rule_of_the_command_line_is_refused_with_its_option(
    project: Path, option: str
) -> None:
    written(project, "flow.py", CLEAN)
    ended = agentgraph("check", "flow.py", option, "unreachable-agnt")
    assert ended.status == 2
    assert f"{option}: there is no rule 'unreachable-agnt'" in ended.err
    assert "did you mean unreachable-agent?" in ended.err


OPTIONAL = """from agentgraph import Agent, Runner
billing, orders, spare = Agent(name="B"), Agent(name="O"), Agent(name="S")
draft = Agent(name="Draft", instructions="Call order_id_of first. Then kick over to Sales.")
desk = Agent(name="Desk", handoffs=[billing, orders])
if __name__ == "__main__":
    Runner.run_sync(desk, "Hello.")
"""


def test_options_of_rules_reach_the_rules_in_each_child_process(project: Path) -> None:
    written(project, "flow.py", OPTIONAL)
    written(project, "other.py", OPTIONAL)
    selection = "--select", "AG21,AG917"
    assert codes(".", *selection) == ["AG212", "AG212", "AG211", "AG917"] * 2
    toml = """[tool.agentgraph.options]
missing-handoff-description = { fewest-handoffs = 3 }
AG211 = { ignore-names = ["order_id_of"] }
AG210 = { verbs = ["kick"] }
AG917 = { ignore-agents = ["dr*"] }
"""
    written(project, "pyproject.toml", toml)
    assert codes(".", *selection) == ["AG210"] * 2


def test_a_request_to_a_new_interpreter_keeps_the_options() -> None:
    options = {"AG212": {"fewest-handoffs": 3}, "AG211": {"ignore-names": ("order_id",)}}
    request = Request(Target.parse(__file__), options=options)
    assert read_request(written_request(request)) == request


def test_rules_are_selected_and_ignored_by_code_beginning_and_name(project: Path) -> None:
    written(project, "flow.py", WARNED)
    written(project, "other.py", FAULTY)
    assert codes(".") == ["AG201", "AG103"]
    assert codes(".", "--select", "AG1") == ["AG103"]
    assert codes(".", "--select", "unreachable-agent,AG999"[:17]) == ["AG201"]
    assert codes(".", "--ignore", "AG103,unreachable-agent") == []
    assert agentgraph("check", ".", "--ignore", "AG103").status == 0


def test_a_baseline_leaves_out_what_was_there_and_survives_moved_lines(project: Path) -> None:
    file = written(project, "flow.py", WARNED)
    assert agentgraph("check", ".", "--write-baseline", "base.json").status == 0
    entries = json.loads((project / "base.json").read_text())["findings"]
    assert entries == [{"rule": "AG201", "symbol": "flow.py:b", "count": 1}]
    file.write_text("\n\n\n# moved\n" + file.read_text())
    assert codes(".", "--baseline", "base.json") == []
    assert summary_of(".", "--baseline", "base.json").endswith("(1 more in the baseline)")
    renamed = file.read_text().replace("b = Agent", "c = Agent").replace(", b]", ", c]")
    file.write_text(renamed)
    assert codes(".", "--baseline", "base.json") == ["AG201"]
    written(project, "pyproject.toml", '[tool.agentgraph]\nbaseline = "base.json"\n')
    assert codes(".") == ["AG201"]


def test_a_baseline_counts_findings_of_one_symbol(project: Path) -> None:
    source = "from agentgraph import Agent\na = Agent(name='A', handoffs=['x'])\n"
    file = written(project, "flow.py", source)
    agentgraph("check", ".", "--write-baseline", "base.json")
    file.write_text(source.replace("['x']", "['x', 'y']"))
    assert codes(".", "--baseline", "base.json") == ["AG903"]


@pytest.mark.parametrize(
    ("line", "symbol"),
    [(1, "flow.py:x"), (3, "flow.py:Desk.ask"), (4, "flow.py:Desk.ask.inner"), (6, "flow.py")],
)
def test_a_symbol_names_what_stands_around_a_line(project: Path, line: int, symbol: str) -> None:
    source = "x = 1\nclass Desk:\n    def ask(self):\n        inner = 1\n        inner\nprint(x)\n"
    file = written(project, "flow.py", source)
    assert symbol_at(Origin(str(file), line)) == symbol


def test_the_concise_form_is_a_line_for_each_finding(project: Path) -> None:
    written(project, "flow.py", FAULTY)
    lines = agentgraph("check", ".", "--output-format", "concise").out.splitlines()
    assert re.fullmatch(r"flow\.py:4:5: error\[AG103\] unknown-handoff-target: .+", lines[0])
    assert lines[1:] == ["✗ 1 file checked: 1 error"]


def test_the_form_for_github_is_a_command_for_each_finding(project: Path) -> None:
    written(project, "flow.py", FAULTY)
    written(project, "bad,file.py", "x = (")
    out = agentgraph("check", "flow.py", "bad,file.py", "--output-format", "github").out
    first, second = out.splitlines()
    assert first.startswith("::error file=flow.py,line=4,title=AG103 unknown-handoff-target::")
    assert "%0AHelp: " in first
    assert second.startswith("::error title=agentgraph::bad,file.py cannot be read: SyntaxError")


def test_files_are_checked_side_by_side_and_reported_in_their_order(project: Path) -> None:
    for number in range(6):
        written(project, f"flow{number}.py", FAULTY)
    report = json.loads(agentgraph("check", ".", "-j", "3", "--output-format", "json").out)
    assert [one["file"] for one in report["files"]] == [f"flow{number}.py" for number in range(6)]
    assert [one["file"] for one in report["diagnostics"]] == [
        f"flow{number}.py" for number in range(6)
    ]
    assert processors() >= 1


def test_two_files_are_loaded_at_the_same_time(project: Path) -> None:
    """Each file waits for the other, so one after the other they would not end."""
    for name, other in (("one", "two"), ("two", "one")):
        waiting = f"from pathlib import Path\nPath('{name}').touch()\n"
        waiting += f"while not Path('{other}').exists(): pass\n"
        written(project, f"{name}.py", CLEAN + waiting)
    assert summary_of(".", "-j", "2") == "✓ 2 files checked: nothing to report"


EIGHT_AGENTS = """
from agentgraph import Agent, Runner, function_tool

@function_tool
def order_status(order_id: str) -> str:
    "Look up an order."
    return order_id

specialists = [
    Agent(name=f"Specialist {n}", handoff_description=f"Part {n}", tools=[order_status])
    for n in range(7)
]
triage = Agent(name="Triage", handoffs=specialists)
for specialist in specialists:
    specialist.handoffs.append(triage)
Runner.run_sync(triage, "Where is my order?")
"""


def test_a_check_of_eight_agents_costs_little_more_than_their_import(project: Path) -> None:
    """The measure is 50 ms of CPU time above importing the file. A crowded processor does less in
    the same time, so the bound here is five times that."""
    warm([])
    file = written(project, "flow.py", EIGHT_AGENTS)
    results = [captured(file) for _ in range(5)]
    assert {len(result.of(AgentSeen)) for result in results} == {8}
    assert min(cost.checking for result in results for cost in result.of(Cost)) < 0.25


def test_a_file_of_a_folder_costs_less_than_a_second_and_a_half(project: Path) -> None:
    """The measure in CPU time, so that a busy machine does not count."""
    for number in range(10):
        written(project, f"flow{number}.py", EIGHT_AGENTS)
    before = os.times()
    assert summary_of(".") == "✓ 10 files checked: nothing to report"
    after = os.times()
    assert sum(after[:4]) - sum(before[:4]) < 1.5 * 10


def test_a_change_is_waited_for(project: Path) -> None:
    file = written(project, "flow.py", CLEAN)
    other = project / "new.py"
    pauses = iter([lambda: None, lambda: file.write_text(WARNED), lambda: pytest.fail("late")])
    before = stamps([str(file)])
    assert wait_for_a_change(lambda: [str(file)], before, lambda: next(pauses)()) == {str(file)}
    other.touch()
    files = [str(file), str(other)]
    assert wait_for_a_change(lambda: files, stamps([str(file)])) == {str(other)}
    before = stamps(files)
    other.unlink()
    assert wait_for_a_change(lambda: files, before) == {str(other)}


def test_watching_checks_again_when_an_imported_module_changes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(project, "team.py", "from agentgraph import Agent\nb = Agent(name='B')\n")
    written(project, "flow.py", CLEAN + "from team import b\na.handoffs.append(b)\n")
    watched: list[set[str]] = []

    def wait(files: Iterable[str] | object, before: Stamps) -> set[str]:
        watched.append({Path(file).name for file in before})
        if len(watched) == 2:
            raise KeyboardInterrupt
        written(project, "team.py", CLEAN.replace("a = Agent(", "b = Agent(tools=[1], "))
        return {str(project / "team.py")}

    with pytest.raises(KeyboardInterrupt):
        watch_files(Terminal.of_process(), ["flow.py"], CheckOptions(), wait)
    out, err = capsys.readouterr()
    assert watched == [{"flow.py", "team.py"}] * 2
    assert "✓ 1 file checked: nothing to report" in out
    assert "error[AG902]" in out
    assert "changed: team.py" in err
