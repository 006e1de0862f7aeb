"""The rules about the source: programs at fault, and innocent ones that are close to them.

The pages of the rules are tested in `test_mistakes.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentgraph.authoring.mistakes import mistake_pages
from agentgraph.cli import source_rules
from agentgraph.cli.source_rules import SOURCE_RULES
from tests.cli import mistaken_programs, programs_at_fault
from tests.cli.command import agentgraph, written
from tests.cli.programs_at_fault import PRELUDE
from tests.rule_cases import assert_three_of_each

RULES = [part.RULE for part in SOURCE_RULES]
FAULTY = programs_at_fault.FAULTY | mistaken_programs.FAULTY
INNOCENT = programs_at_fault.INNOCENT | mistaken_programs.INNOCENT


def findings(*arguments: str | Path) -> list[tuple[str, int]]:
    report = json.loads(agentgraph("check", *arguments, "--output-format", "json").out)
    return [(one["code"], one["line"]) for one in report["diagnostics"]]


def cases(table: dict[str, dict[str, str]]) -> list[object]:
    return [
        pytest.param(code, source, id=f"{code}: {name}")
        for code, programs in table.items()
        for name, source in programs.items()
    ]


@pytest.mark.parametrize(("code", "source"), cases(FAULTY))
def test_a_faulty_program_is_reported_at_the_line_at_fault(
    tmp_path: Path, code: str, source: str
) -> None:
    text = PRELUDE + source
    faulty = [number for number, line in enumerate(text.splitlines(), 1) if "# fault" in line]
    assert faulty
    reported = findings(written(tmp_path, "flow.py", text), "--select", code)
    assert reported == [(code, line) for line in faulty]


@pytest.mark.parametrize(("code", "source"), cases(INNOCENT))
def test_an_innocent_program_is_not_reported(tmp_path: Path, code: str, source: str) -> None:
    assert findings(written(tmp_path, "flow.py", PRELUDE + source), "--select", code) == []


def test_each_rule_has_programs_at_fault_and_innocent_ones() -> None:
    assert FAULTY.keys() == INNOCENT.keys()
    cases = {code: [True] * len(FAULTY[code]) + [False] * len(INNOCENT[code]) for code in FAULTY}
    assert_three_of_each([*RULES, *mistake_pages()], cases)


def test_the_list_has_every_file_and_the_file_is_called_like_its_rule() -> None:
    folder = Path(source_rules.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "project"}
    assert {rule.name.replace("-", "_") for rule in RULES} == files


def test_a_project_declines_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "flow.py", PRELUDE + FAULTY["AG917"]["a specialist left out"])
    written(tmp_path, "pyproject.toml", '[tool.agentgraph]\nignore = ["unused-agent"]\n')
    monkeypatch.chdir(tmp_path)
    assert findings(file) == []


@pytest.mark.parametrize(
    ("made", "code", "source"),
    [
        (
            'allow(Agent(name="Writer", tools=[write]), "AG914")',
            "AG914",
            """
@function_tool
async def write(text: str) -> str:
    return str(await Runner.run(writer, text))
""",
        ),
        ('allow(Agent(name="Writer"), "unused-agent")', "AG917", "Runner.run_sync(desk, 'x')\n"),
        (
            'allow(Agent(name="Writer", input_guardrails=[polite]), "uncaught-tripwire")',
            "AG918",
            "def ask(): Runner.run_sync(writer, 'x')\n",
        ),
    ],
)
def test_a_rule_is_allowed_on_one_agent(tmp_path: Path, made: str, code: str, source: str) -> None:
    text = f"{PRELUDE}from agents import allow\n{source}\nwriter = {made}\n"
    file = written(tmp_path, "flow.py", text.replace("from agents import allow", _ALLOW))
    assert findings(file, "--select", code) == []
    kept = made.partition("(")[2].rpartition(",")[0]
    reported = written(tmp_path, "kept.py", f"{PRELUDE}{source}\nwriter = {kept}\n")
    assert [found for found, _ in findings(reported, "--select", code)] == [code]


_ALLOW = "from agentgraph import allow"


def test_an_agent_that_another_file_uses_is_not_unused(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", PRELUDE + FAULTY["AG917"]["a clone"])
    assert [code for code, _ in findings(file)] == ["AG917"]
    written(tmp_path, "other.py", "from agents import Runner\nfrom desk import brief\n")
    assert findings(tmp_path) == []


def test_a_tripwire_that_another_file_handles_is_handled(tmp_path: Path) -> None:
    file = written(tmp_path, "desk.py", PRELUDE + FAULTY["AG918"]["no try at all"])
    assert [code for code, _ in findings(file)] == ["AG918"]
    handler = """
from agents import InputGuardrailTripwireTriggered
from desk import ask

def answer(text):
    try:
        return ask(text)
    except InputGuardrailTripwireTriggered:
        return "No."
"""
    written(tmp_path, "server.py", handler)
    assert findings(tmp_path) == []
