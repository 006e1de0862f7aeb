"""Every file of `examples/` runs offline as a script, is clean, and says what it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentgraph.cli.target import Target
from agentgraph.cli.workload import loaded
from agentgraph.models.rehearsal import REHEARSAL_NOTICE
from agentgraph.program import check
from tests.cli.command import EXAMPLES, agentgraph, environment

CLEAN = [
    "approval_service.py",
    "computer_use.py",
    "durable_service.py",
    "homework.py",
    "mcp_tools.py",
    "streaming.py",
    "support_desk.py",
]
FILES = sorted(path.name for path in EXAMPLES.glob("*.py"))


def script(name: str, *arguments: str) -> str:
    """Run an example as a script, without a key and without a network, and return its output."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(AGENTGRAPH_MODEL="rehearsal"),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested_here() -> None:
    assert sorted([*CLEAN, "broken_workflow.py"]) == FILES


@pytest.mark.parametrize("name", CLEAN)
def test_the_checker_has_nothing_to_say_about_an_example_that_is_right(name: str) -> None:
    ended = agentgraph("check", EXAMPLES / name, "--strict")
    assert (ended.status, ended.out) == (0, "✓ 1 file checked: nothing to report\n")


@pytest.mark.parametrize("name", FILES)
def test_the_first_paragraph_of_an_example_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert f"examples/{name}" in text.split('"""')[1]


def test_homework_reaches_a_tutor_and_keeps_other_questions_out() -> None:
    lines = script("homework.py").splitlines()
    assert lines[0] == "? who was the first president of the united states?"
    assert lines[1].startswith(f"= History Tutor: {REHEARSAL_NOTICE}")
    assert lines[2] == "? What is the meaning of life?"
    assert lines[3] == "! Input guardrail 'only_homework' triggered its tripwire"


@pytest.mark.parametrize(
    ("question", "tutor"),
    [
        ("who was the first president of the united states?", "History Tutor"),
        ("How do I solve the equation 3 + x = 7?", "Math Tutor"),
        ("In which year did the war end?", "History Tutor"),
    ],
)
def test_homework_is_routed_by_the_command_too(question: str, tutor: str) -> None:
    ended = agentgraph("run", "--rehearse", EXAMPLES / "homework.py", question)
    assert ended.status == 0
    assert f"Triage hands off to {tutor}" in ended.out


def test_streaming_tells_everything_in_order() -> None:
    output = script("streaming.py")
    order = [
        "[Concierge]",
        "handoff_call_item",
        "handoff_output_item",
        "[Museum Guide]",
        "calls opening_hours",
        "got: Rietberg is open from 10 to 18",
        REHEARSAL_NOTICE,
        "letters",
        "3 turns, last agent: Museum Guide",
    ]
    places = [output.index(text) for text in order]
    assert places == sorted(places)


def test_the_librarian_asks_the_server_and_a_person_before_reserving() -> None:
    lines = script("mcp_tools.py", "Reserve the book Dune for Ada").splitlines()
    assert lines[:2] == ["approved: reserve_book", "calls reserve_book"]
    assert {"got: Dune is put aside for Ada.", "got: It stands on shelf B4."} <= set(lines)


@pytest.mark.parametrize(
    ("message", "agent"),
    [
        ("Where is my order 1042?", "Orders"),
        ("I want my money back for order 1042", "Refunds"),
        ("My router is broken", "Technical Support"),
        ("I want to cancel my subscription", "Contracts"),
        ("I have a complaint", "Escalation"),
    ],
)
def test_the_support_desk_sends_each_message_to_the_right_colleague(
    message: str, agent: str
) -> None:
    assert script("support_desk.py", message).startswith(f"{agent}: ")


def test_the_support_desk_writes_down_what_happened_in_its_context() -> None:
    assert "note: escalated" in script("support_desk.py", "I have a complaint")


def test_the_support_desk_refuses_card_numbers_before_a_model_sees_them() -> None:
    message = "My card 4111 1111 1111 1111 was charged twice"
    assert script("support_desk.py", message) == ("not accepted: the message holds a card number\n")
    ended = agentgraph(
        "run", "--rehearse", EXAMPLES / "support_desk.py", message, "--context", "sample_customer"
    )
    assert ended.status == 1
    assert REHEARSAL_NOTICE not in ended.out


def test_the_support_desk_has_six_agents_and_one_that_is_a_tool() -> None:
    with loaded(Target(EXAMPLES / "support_desk.py")) as workload:
        desk = workload.source
        back = [agent.name for agent in desk.agents if desk.start in agent.handoffs]
    assert len(desk.agents) == 6
    assert back == ["Orders", "Refunds", "Technical Support", "Contracts"]
    assert "agent translator" in agentgraph("ir", EXAMPLES / "support_desk.py").out


def test_the_broken_workflow_breaks_different_rules_and_is_not_run() -> None:
    with loaded(Target(EXAMPLES / "broken_workflow.py")) as workload:
        diagnostics = check(workload.source)
    assert sorted(diagnostic.rule.code for diagnostic in diagnostics) == [
        "AG101",
        "AG103",
        "AG201",
        "AG203",
        "AG204",
        "AG207",
        "AG501",
    ]
    assert script("broken_workflow.py").startswith("workflow 'Travel Desk' has 2 errors:\n")
