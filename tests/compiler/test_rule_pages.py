"""Every rule has a page with true examples: the fault gives the code, the remedy gives none."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentgraph import Agent, Workflow, check
from agentgraph.cli.rules import rule_pages
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.frontend.targets import target_of
from agentgraph_compiler import checks, pipeline
from agentgraph_compiler.checks import CHECKS, OPTIONS, UnknownRuleError, explain, pages
from agentgraph_compiler.diagnostics import Diagnostic, Rule
from agentgraph_compiler.ir.text import parse_chart
from tests.compiler.goldens import assert_golden

RULES = list(pages())
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "checks.md"
SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead")


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def found_in(text: str) -> tuple[Diagnostic, ...]:
    """What the compiler says about the one block of code in a section."""
    ((language, code),) = re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)
    if language == "ir":
        return pipeline.check(parse_chart(code))
    assert language == "python"
    program = ModuleType("example")
    # Checks that read the source of a function find it there.
    linecache.cache["example.py"] = (len(code), None, code.splitlines(keepends=True), "example.py")
    exec(compile(code, "example.py", "exec", dont_inherit=True), program.__dict__)
    goes_on = "result.last_agent" in code
    return check(start_of(vars(program)), multi_turn=goes_on)


def start_of(names: dict[str, Any]) -> Any:
    """The workflow of an example, or the one agent that no other agent leads to."""
    if "workflow" in names:
        assert isinstance(names["workflow"], Workflow)
        return names["workflow"]
    agents = [value for value in names.values() if isinstance(value, Agent)]
    led_to = {
        id(other)
        for agent in agents
        for other in (*map(target_of, agent.handoffs), *map(agent_of, agent.tools))
    }
    # In a ring of agents, the first one is called triage.
    (start,) = [one for one in agents if id(one) not in led_to] or [names["triage"]]
    return start


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_page_breaks_its_rule_and_no_other(rule: Rule) -> None:
    diagnostics = found_in(section(pages()[rule], "Example"))
    assert {diagnostic.rule for diagnostic in diagnostics} == {rule}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_a_page_says_to_use_instead_is_clean(rule: Rule) -> None:
    assert found_in(section(pages()[rule], "Use instead")) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_begins_with_the_summary_and_has_the_four_sections(rule: Rule) -> None:
    page = pages()[rule]
    assert page.split("\n")[0] == rule.summary
    has_options = any(option.rule == rule for option in OPTIONS)
    sections = (*SECTIONS, "Options") if has_options else SECTIONS
    assert tuple(re.findall(r"^## (.*)$", page, flags=re.MULTILINE)) == sections


def test_checks_lists_every_file_and_the_file_is_called_like_its_rule() -> None:
    files = {
        path.stem for path in Path(checks.__file__).parent.glob("*.py") if path.stem != "__init__"
    }
    assert {part.RULE.name.replace("-", "_") for part in CHECKS} == files


def test_codes_and_names_are_well_formed_and_used_once() -> None:
    assert all(re.fullmatch(r"AG[1-8]\d\d", rule.code) for rule in RULES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name) for rule in RULES)
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("asked", ["AG201", "ag201", "unreachable-agent", " Unreachable-Agent "])
def test_explain_takes_a_code_or_a_name(asked: str) -> None:
    page = explain(asked)
    assert page.startswith("# AG201 unreachable-agent (warning)\n\nAn agent that the workflow")
    assert "## Use instead" in page


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("AG209", "did you mean AG2"),
        ("unreachable", "did you mean unreachable-agent"),
        ("nonsense!", "rules are AG101, AG102"),
    ],
)
def test_explain_names_what_is_close_to_an_unknown_rule(asked: str, hint: str) -> None:
    with pytest.raises(UnknownRuleError, match=re.escape(hint)):
        explain(asked)


def test_the_documentation_lists_every_rule_as_its_page_says() -> None:
    assert_golden(documentation(), DOCUMENTATION)


# The rules that are as they were before the first entry of the changelog.
UNCHANGED = {
    *("AG101", "AG102", "AG103", "AG200", "AG201", "AG204", "AG205", "AG206"),
    *("AG301", "AG401", "AG501", "AG502"),
}


def test_the_changelog_has_each_rule_that_changed_with_its_severity() -> None:
    table = CHANGELOG.read_text(encoding="utf-8").split("### Rules\n", 1)[1].split("\n### ")[0]
    rows = re.findall(r"^\| (AG\d+) \| ([a-z-]+) \| (\w+) \|", table, flags=re.MULTILINE)
    assert rows == [
        (rule.code, rule.name, rule.severity.value)
        for rule in rule_pages()
        if rule.code not in UNCHANGED
    ]


def documentation() -> str:
    """docs/checks.md, made from the pages."""
    lines = [
        "# What the compiler checks",
        "",
        "Errors stop a run before its first model call; warnings and notes never do.",
        "`agentgraph explain CODE` shows one page. A rule can be allowed on one object:",
        '`allow(agent, "unreachable-agent")`, on an agent, a tool, a handoff or a guardrail.',
        "A check can leave rules out (`agentgraph check --ignore`); a run cannot.",
        "",
        "This page is made from the checks themselves; `UPDATE_GOLDENS=1 pytest tests/compiler`"
        " writes it.",
        "",
        "| code | name | severity | |",
        "|---|---|---|---|",
    ]
    for rule in rule_pages():
        link = f"[{rule.code}](#{rule.code.lower()}-{rule.name})"
        lines.append(f"| {link} | {rule.name} | {rule.severity.value} | {rule.summary} |")
    for rule, page in rule_pages().items():
        body = page.strip().replace("\n## ", "\n### ")
        lines += ["", f"## {rule.code} {rule.name}", "", body]
    return "\n".join(lines) + "\n"
