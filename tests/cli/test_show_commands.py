"""`agentgraph draw`, `ir` and `explain`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agentgraph.authoring.mistakes import MISTAKES
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.ir.text import parse_chart, print_chart
from tests.cli.command import EXAMPLES, agentgraph, written

DESK = EXAMPLES / "support_desk.py"
BEGINNINGS = {
    "svg": b"<?xml",
    "png": b"\x89PNG\r\n",
    "pdf": b"%PDF-",
    "dot": b"digraph",
    "mmd": b"flowchart",
    "txt": b"Support Desk",
}


@pytest.mark.parametrize("level", ["agents", "states"])
@pytest.mark.parametrize("ending", BEGINNINGS)
def test_the_ending_says_what_is_written(tmp_path: Path, ending: str, level: str) -> None:
    if ending in ("svg", "png", "pdf") and shutil.which("dot") is None:
        pytest.skip("the program dot of Graphviz is not installed")
    file = tmp_path / f"desk.{ending}"
    ended = agentgraph("draw", DESK, "-o", file, "--level", level)
    assert (ended.status, ended.out, ended.err) == (0, "", f"wrote {file}\n")
    drawing = file.read_bytes()
    assert BEGINNINGS[ending] in drawing[:400]


def test_without_a_file_a_tree_goes_to_the_output() -> None:
    ended = agentgraph("draw", DESK)
    assert ended.out.startswith("Support Desk\nTriage ◉\n")
    assert "├─ ⇄ Technical Support ◉\n│     search_manual()\n" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize(
    ("format", "beginning"),
    [("tree", "Support Desk"), ("dot", "digraph"), ("mermaid", "flowchart")],
)
def test_the_output_has_the_format_that_is_asked_for(format: str, beginning: str) -> None:
    ended = agentgraph("draw", DESK, "--format", format)
    assert ended.out.startswith(beginning)
    assert "Technical Support" in ended.out


def test_a_workflow_with_errors_can_be_drawn_with_its_findings() -> None:
    broken = EXAMPLES / "broken_workflow.py"
    assert "Insurance" in agentgraph("draw", broken).out
    assert "AG201" not in agentgraph("draw", broken).out
    assert "▲ AG201 unreachable-agent" in agentgraph("draw", broken, "--findings").out


def test_a_focus_draws_the_surroundings_of_an_agent() -> None:
    part = agentgraph("draw", DESK, "--focus", "refunds").out
    assert "Refunds" in part
    assert "Contracts" not in part
    assert "Contracts" in agentgraph("draw", DESK, "--focus", "Refunds", "--depth", "2").out
    missing = agentgraph("draw", DESK, "--focus", "Refnds")
    assert missing.status == 2
    assert missing.err == "error: there is no agent 'Refnds'; did you mean 'Refunds'?\n"


def test_states_are_folded_unless_asked_otherwise() -> None:
    folded, unfolded, one = (
        agentgraph("draw", DESK, "--level", "states", *options).out
        for options in ((), ("--unfold",), ("--focus", "Refunds"))
    )
    assert len(folded.splitlines()) < len(unfolded.splitlines())
    assert "│  order_status  function" in unfolded
    assert "order_status  function" not in folded
    assert "order_status  function" in one


def test_the_legend_can_be_left_out() -> None:
    assert "can end the run" in agentgraph("draw", DESK).out
    assert "can end the run" not in agentgraph("draw", DESK, "--no-legend").out
    assert "can end the run" in agentgraph("draw", DESK, "--format", "mermaid").out
    assert "legend" not in agentgraph("draw", DESK, "--format", "mermaid", "--no-legend").out


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    unknown = agentgraph("draw", DESK, "-o", tmp_path / "desk.gif")
    assert unknown.status == 2
    assert "use one of .svg, .png, .pdf, .html, .mmd, .dot, .txt" in unknown.err
    nowhere = agentgraph("draw", DESK, "-o", tmp_path / "nowhere" / "desk.dot")
    assert nowhere.status == 2
    assert "cannot be written: No such file or directory" in nowhere.err
    assert agentgraph("draw", DESK, "--level", "atoms").status == 2


@pytest.mark.parametrize("options", [(), ("--no-origins",)])
def test_the_printed_ir_is_read_back_to_the_same_text(options: tuple[str, ...]) -> None:
    remark, printed = agentgraph("ir", DESK, *options).out.split("\n", 1)
    assert remark == "# final output: str"
    assert print_chart(parse_chart(printed), origins=not options) == printed
    assert (str(DESK) in printed) is (not options)


CHAT = """from agentgraph import Agent, GuardrailFunctionOutput, Runner, input_guardrail

@input_guardrail
def careful(context, agent, text):
    return GuardrailFunctionOutput(None, tripwire_triggered="4111" in str(text))

orders = Agent(name="Orders", output_type=int)
billing = Agent(name="Billing", handoffs=[orders], input_guardrails=[careful])
triage = Agent(name="Triage", handoffs=[billing])
"""
TALK = """
result = Runner.run_sync(triage, "Hello.")
result = Runner.run_sync(result.last_agent, "And then?")
"""


def test_a_drawing_and_the_ir_know_how_the_project_starts_its_runs(tmp_path: Path) -> None:
    file = written(tmp_path, "chat.py", CHAT)
    alone = agentgraph("draw", f"{file}:triage", "--findings").out
    assert "careful  guardrail, never runs" in alone
    assert "AG501" in alone
    written(tmp_path, "chat.py", CHAT + TALK)
    chat = agentgraph("draw", f"{file}:triage", "--findings").out
    assert "careful  checks input" in chat
    assert "AG501" not in chat
    assert " multi_turn " in agentgraph("ir", f"{file}:triage").out
    written(
        tmp_path, "chat.py", CHAT + "Runner.run_sync(triage, '1'); Runner.run_sync(billing, '2')"
    )
    both = agentgraph("draw", f"{file}:triage").out
    assert "careful  checks input" in both
    printed = agentgraph("ir", f"{file}:triage").out
    assert printed.startswith("# final output: str | int\n")
    assert " starts billing " in printed


def test_a_drawing_has_the_findings_that_count_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "chat.py", CHAT)
    written(tmp_path, "pyproject.toml", '[tool.agentgraph]\nignore = ["AG501"]\n')
    monkeypatch.chdir(tmp_path)
    assert "AG501" not in agentgraph("draw", f"{file}:triage", "--findings").out


@pytest.mark.parametrize("rule", [part.RULE for part in CHECKS], ids=lambda rule: rule.code)
def test_every_rule_is_explained_by_code_and_by_name(rule: object) -> None:
    code, name = getattr(rule, "code", ""), getattr(rule, "name", "")
    page = agentgraph("explain", code.lower()).out
    assert page.startswith(f"# {code} {name} (")
    assert page == agentgraph("explain", name).out


def test_all_pages_are_shown_together_and_no_rule_at_all_is_a_fault() -> None:
    pages = agentgraph("explain", "--all").out
    for rule in (CHECKS[0].RULE, CHECKS[-1].RULE, MISTAKES[0].RULE):
        assert agentgraph("explain", rule.code).out in pages
    ended = agentgraph("explain")
    assert (ended.status, ended.out) == (2, "")
    assert "--all" in ended.err


def test_a_rule_that_does_not_exist_is_answered_with_one_that_does() -> None:
    ended = agentgraph("explain", "unreachable-agnt")
    assert ended.status == 2
    assert ended.err == (
        "error: there is no rule 'unreachable-agnt'; did you mean unreachable-agent or"
        " unused-agent or unscreened-agent-tool?\n"
    )
