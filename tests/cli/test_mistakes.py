"""Mistakes in definitions: an error with a rule when the object is made, findings under `check`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from agentgraph import Agent, UserError
from agentgraph.authoring import mistakes
from agentgraph.authoring.mistakes import MISTAKES, mistake_pages
from agentgraph.cli.rules import rule_options
from agentgraph.cli.source_rules import source_rule_pages
from agentgraph_compiler.checks import pages
from agentgraph_compiler.diagnostics import Rule
from tests.cli.command import agentgraph, written

PAGES = {**mistake_pages(), **source_rule_pages()}
RULES = list(PAGES)
SEVERAL = """
from agents import Agent, Runner, function_tool

def search(query: str) -> str: ...

@function_tool
def book(details: dict[str, str]) -> str:
    "Book."
    return str(details)

def polite(context, agent, text): ...

billing = Agent(name="Billing", instruction="Bill.", tools=[search, book, 3])
triage = Agent(name="Triage", handoffs=["Billing", billing], input_guardrails=[polite])
odd = Agent(name="Odd", instructions=["x"])
Runner.run_sync(triage, "hi", max_turn=3)
"""


def section(rule: Rule, title: str) -> str:
    text = PAGES[rule].split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    (code,) = re.findall(r"```python[^\n]*\n(.*?)```", text, flags=re.DOTALL)
    return str(code)


def findings(path: Path, *options: str) -> list[tuple[str, int]]:
    report = json.loads(agentgraph("check", path, "--output-format", "json", *options).out)
    return [(one["code"], one["line"]) for one in report["diagnostics"]]


def test_names_of_the_library_in_a_module_agents_of_the_user_are_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = "class Agent:\n    def __init__(self, role): ...\n\ndef handoff(to): return to\n"
    written(tmp_path, "agents/__init__.py", package)
    source = (
        "from agents import Agent, handoff\nwriter = Agent(role='writer')\nhandoff(to=writer)\n"
    )
    file = written(tmp_path, "flow.py", source)
    monkeypatch.chdir(tmp_path)
    assert findings(file) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_page_breaks_its_rule_and_the_remedy_none(
    tmp_path: Path, rule: Rule
) -> None:
    broken = written(tmp_path, "broken.py", section(rule, "Example"))
    mended = written(tmp_path, "mended.py", section(rule, "Use instead"))
    assert [code for code, _ in findings(broken)] == [rule.code]
    assert findings(mended) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_begins_with_the_summary_and_has_the_four_sections(rule: Rule) -> None:
    page = PAGES[rule]
    assert page.split("\n")[0] == rule.summary
    titles = ["What it does", "Why is this bad?", "Example", "Use instead"]
    titles += ["Options"] if any(option.rule == rule for option in rule_options()) else []
    assert re.findall(r"^## (.*)$", page, flags=re.MULTILINE) == titles


def test_codes_are_of_the_families_of_the_source_and_of_types_and_used_once() -> None:
    assert all(re.fullmatch(r"AG[39]\d\d", rule.code) for rule in RULES)
    rules = [*RULES, *pages()]
    assert len({rule.code for rule in rules}) == len({rule.name for rule in rules}) == len(rules)


def test_the_list_has_every_file_and_the_file_is_called_like_its_rule() -> None:
    folder = Path(mistakes.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {part.RULE.name.replace("-", "_") for part in MISTAKES} == files


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.code in ("AG902", "AG903", "AG904", "AG905", "AG907")]
)
def test_a_program_gets_an_error_that_names_the_rule(rule: Rule) -> None:
    with pytest.raises(UserError) as raised:
        exec(section(rule, "Example"), ModuleType("example").__dict__)
    assert raised.value.rule == rule


def test_several_mistakes_are_collected_each_with_its_line(tmp_path: Path) -> None:
    assert findings(written(tmp_path, "flow.py", SEVERAL)) == [
        ("AG905", 5),
        ("AG902", 12),
        ("AG902", 12),
        ("AG906", 12),
        ("AG903", 13),
        ("AG904", 13),
        ("AG907", 14),
        ("AG917", 14),
        ("AG906", 15),
    ]


def test_a_file_that_cannot_be_imported_has_its_mistakes_found_in_the_source(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "flow.py", "import a_package_that_is_not_there" + SEVERAL)
    faults = findings(file)
    assert ("AG901", 1) in faults
    assert {("AG902", 13), ("AG906", 13), ("AG903", 14), ("AG904", 14)} <= {*faults}


SANDBOXED = "from agents import Agent, RunConfig\nconfig = RunConfig(sandbox=None)\n"
IMPORTS: dict[str, tuple[str, list[tuple[str, int]]]] = {
    "a module": ("import agents.realtime", [("AG919", 1)]),
    "a name in a module that is not here": (
        "from agents.sandbox import Manifest\nfrom agents.sandbox import SandboxAgent",
        [("AG919", 1)],
    ),
    "a name in a module that is here": (
        "from agentgraph.run_config import SandboxRunConfig",
        [("AG919", 1)],
    ),
    "two parts": (
        "from agents import Agent, voice\nfrom agents.sandbox import Manifest",
        [("AG919", 1), ("AG919", 2)],
    ),
    "a part with its keyword": (
        f"from agents.sandbox import Manifest\n{SANDBOXED}",
        [("AG919", 1)],
    ),
    "the keyword alone": (SANDBOXED, [("AG906", 2)]),
    "under try": (
        "try:\n    from agents import realtime\nexcept ImportError:\n    realtime = None",
        [],
    ),
    "for a type checker": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from agents import realtime",
        [],
    ),
    "in a function": ("def talk():\n    from agents.voice import VoicePipeline", []),
    "a name that neither has": ("from agents import Agnet", [("AG901", 1)]),
    "a package that is not installed": ("import a_package_that_is_not_there", [("AG901", 1)]),
    "a module of the project with such a name": ("from .realtime import x", [("AG901", 1)]),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_what_only_the_published_sdk_has_is_reported_once(tmp_path: Path, case: str) -> None:
    source, expected = IMPORTS[case]
    made = "\nfrom agentgraph import Agent\nagent = Agent(name='A')\n"
    assert findings(written(tmp_path, "flow.py", source + made)) == expected


def test_a_handoff_that_is_read_has_its_name_and_its_line(tmp_path: Path) -> None:
    source = """import a_package_that_is_not_there
from agents import Agent, handoff
b = Agent(name="B", handoff_description="b")
a = Agent(
    name="A",
    handoffs=[
        handoff(b, tool_name_override="ask_b"),
        handoff(b),
        handoff(b, tool_name_override="tell_b", is_enabled=False),
    ],
)
"""
    assert findings(written(tmp_path, "flow.py", source)) == [("AG901", 1), ("AG204", 9)]


def test_a_mistake_after_the_construction_is_found_at_the_agent(tmp_path: Path) -> None:
    source = "from agentgraph import Agent\na = Agent(name='A')\na.handoffs.append('B')\n"
    assert findings(written(tmp_path, "flow.py", source)) == [("AG903", 2)]


def test_the_part_is_left_out_and_the_rest_is_checked(tmp_path: Path) -> None:
    source = """
from agentgraph import Agent, handoff
b = Agent(name="B")
a = Agent(name="A", handoffs=["C", handoff(b, is_enabled=False)])
"""
    assert findings(written(tmp_path, "flow.py", source)) == [("AG204", 3), ("AG903", 3)]


@pytest.mark.parametrize(
    "source",
    [
        "Agent(name='A', **{'instructions': 'x'})",
        "class Desk(Agent): ...\nDesk(name='A')",
        "def Runner(**anything): ...\nRunner(whatever=1)",
        "Agent(name='A').clone(name='B')",
    ],
)
def test_a_keyword_that_may_be_right_is_none_of_ours(tmp_path: Path, source: str) -> None:
    assert findings(written(tmp_path, "flow.py", f"from agentgraph import Agent\n{source}")) == []


def test_without_a_recorder_nothing_is_collected() -> None:
    with pytest.raises(TypeError):
        Agent(name="A", instruction="x")  # type: ignore[call-arg]
