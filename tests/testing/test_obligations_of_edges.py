"""Edges, functions and the ends of loops are obligations; each has a witness, and coverage counts
them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import agentgraph
from agentgraph import Agent, End, Workflow, at_least, below
from agentgraph.testing import play
from agentgraph.testing.coverage import collect
from agentgraph.testing.doubles.exported import ProgramPlace
from agentgraph.testing.generating import generated_tests
from agentgraph.testing.script import function, model
from agentgraph.testing.witnessing import witnesses
from agentgraph_compiler.analysis.obligations import obligations
from agentgraph_compiler.analysis.owed import Obligation, Subject
from tests.testing.test_simulated_edges import ask_a_person, desk, pay
from tests.workflow.flows import Review, Ticket

OF_EDGES = (Subject.EDGE, Subject.FUNCTION)


def of_edges(rows: Any) -> list[Obligation]:
    return [row for row in rows if row.key.subject in OF_EDGES]


def rows_of(flow: Workflow) -> dict[str, str]:
    """The obligations of the edges, and why tests do not owe them."""
    rows = of_edges(obligations(agentgraph.compile(flow).chart))
    return {f"{row.title} {row.key.outcome}": row.excuse for row in rows}


def test_each_case_each_last_round_and_each_function_is_an_obligation() -> None:
    rows = rows_of(desk())
    assert [row for row, excuse in rows.items() if not excuse] == [
        "Triage [order] → Orders taken",
        "Triage [refund] → Draft taken",
        "Triage [other] → end: Call us. taken",
        "Draft → Review taken",
        "Review [true] → ask_a_person taken",
        "Review [false] → Draft taken",
        "Review [false] → ask_a_person exhausted",
        "ask_a_person [<=999] → pay taken",
        "ask_a_person [1000..1009] → end: Wait. taken",
        "ask_a_person [>=1010] → end: No. taken",
        "ask_a_person called",
        "pay called",
    ]
    assert rows["pay failed"] == "a failure is noted, not owed"


def test_every_obligation_of_edges_has_a_witness() -> None:
    for at_most in (2, 9):
        search = witnesses(desk(at_most=at_most))
        assert search.missing == ()
        owed = of_edges(obligations(agentgraph.compile(desk()).chart))
        met = {row.title for run in search.runs for row in of_edges(run.meets)}
        assert met == {row.title for row in owed}
        exhausted = next(
            run for run in search.runs if any(row.key.outcome == "exhausted" for row in run.meets)
        )
        assert exhausted.route.agents.count("Draft") == at_most + 1


def test_what_no_value_takes_and_what_nothing_enters_is_excused() -> None:
    triage = Agent(name="Triage", output_type=Ticket)
    flow = Workflow("Dead", start=triage)
    flow.route(
        triage,
        on="amount",
        cases={below(10): End("-"), at_least(0): End("+"), 5: pay, 200_000: End("much")},
        default=ask_a_person,
    )
    excused = {row: excuse for row, excuse in rows_of(flow).items() if excuse}
    assert excused == {
        "Triage [5] → pay taken": "earlier cases take it",
        "Triage [200000] → end: much taken": "the value is never that",
        "Triage [others] → ask_a_person taken": "the other cases take every value",
        "pay called": "no run can get there",
        "pay failed": "no run can get there",
        "ask_a_person called": "no run can get there",
        "ask_a_person failed": "no run can get there",
    }
    assert witnesses(flow).missing == ()


def test_turns_of_a_loop_do_not_count_together() -> None:
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
    flow = Workflow("Loop", start=draft)
    flow.then(draft, pay)
    flow.route(pay, on=kind_of, cases={"again": draft, "done": review})
    rows = {row.title: row.excuse for row in obligations(agentgraph.compile(flow).chart)}
    assert rows["max_turns"] == ""  # the reviewer must give a structured output, and may not
    assert witnesses(flow).missing == ()
    flow = Workflow("Loop", start=draft)
    flow.then(draft, pay)
    flow.route(pay, on=kind_of, cases={"again": draft, "done": End()})
    rows = {row.title: row.excuse for row in obligations(agentgraph.compile(flow).chart)}
    assert rows["max_turns"] == "no run makes so many turns"


def kind_of(output: object) -> Any:
    return "done"


def test_coverage_has_edges_and_functions_as_subjects() -> None:
    flow = desk()
    script = [
        model("Triage").answers({"kind": "refund", "amount": 3}),
        model("Draft").answers("A draft."),
        model("Review").answers({"ok": True}),
        function("ask_a_person").returns("no"),
    ]
    with collect(flow) as coverage:
        play(flow, script)
    (workflow,) = coverage.workflows
    tallies = dict(workflow.subjects())
    assert (tallies["edge"].covered, tallies["edge"].owed) == (4, 10)
    assert (tallies["function"].covered, tallies["function"].owed) == (2, 2)
    text = coverage.report(missing=True)
    assert "Edges  Functions" in text
    assert "missing edge: Review [false] → ask_a_person exhausted" in text
    assert coverage.document()["workflows"][0]["subjects"]["edge"]["covered"] == 4
    with collect() as plain:
        play(Agent(name="Alone"), [model("Alone").answers("Hi.")])
    assert "Edges" not in plain.report()


def test_generated_tests_play_the_functions(tmp_path: Path) -> None:
    place = ProgramPlace(tmp_path / "desk.py", "desk", "desk.flow")
    source = generated_tests(witnesses(desk()), place, tmp_path / "test_desk.py")
    assert "def test_triage_draft_review_answers() -> None:" in source
    assert "- pay called" in source
    assert "- Review [false] → ask_a_person exhausted" in source


def test_the_last_round_of_a_loop_with_hundreds_of_rounds_has_a_witness() -> None:
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=bool)
    flow = Workflow("Long", start=draft)
    flow.then(draft, review)
    flow.then(review, draft, at_most=200, exhausted=End("enough"))
    assert witnesses(flow).missing == ()


class Declined(Exception):
    pass


def call(order: object) -> str:
    return "We call you."


def shop() -> Workflow:
    """A function and an agent with edges after exceptions, and functions in branches."""
    clerk, legal = Agent(name="Clerk"), Agent(name="Legal", output_type=Review)
    flow = Workflow("Shop", start=clerk)
    board = flow.parallel("board", [legal, ask_a_person, kind_of])
    flow.then(clerk, board)
    flow.then(board, call)
    flow.on_error(clerk, clerk, errors=TimeoutError, at_most=3, exhausted=End("Closed."))
    flow.on_error(clerk, End("Declined."), errors=Declined)
    flow.on_error(board, call, errors=Declined)
    flow.on_error(call, End("No call."))
    return flow


def test_each_edge_after_an_exception_and_each_function_in_a_branch_is_an_obligation() -> None:
    assert rows_of(shop()) == {
        "Clerk → board taken": "",
        "Clerk fails [TimeoutError] → Clerk taken": "",
        "Clerk fails [TimeoutError] → end: Closed. exhausted": "",
        "Clerk fails [Declined] → end: Declined. taken": "",
        "board → call taken": "",
        "board fails [Declined] → call taken": "",
        "call fails [Exception] → end: No call. taken": "",
        "board: ask_a_person called": "",
        "board: ask_a_person failed": "a failure is noted, not owed",
        "board: kind_of called": "",
        "board: kind_of failed": "a failure is noted, not owed",
        "call called": "",
        "call failed": "a failure is noted, not owed",
    }


def test_edges_after_exceptions_have_witnesses_and_are_covered() -> None:
    search = witnesses(shop())
    assert search.missing == ()
    met = {(row.title, row.key.outcome) for run in search.runs for row in of_edges(run.meets)}
    assert met == {tuple(row.rsplit(" ", 1)) for row, why in rows_of(shop()).items() if not why}
    script = [
        model("Clerk").answers("Bees"),
        model("Legal").answers({"ok": True}),
        function("call").fails(),
    ]
    with collect(flow := shop()) as coverage:
        play(flow, script)
    tallies = dict(coverage.workflows[0].subjects())
    assert (tallies["edge"].covered, tallies["edge"].owed) == (3, 7)
    assert (tallies["function"].covered, tallies["function"].owed) == (3, 3)


def test_what_comes_after_a_spent_budget_is_not_owed() -> None:
    start, later = Agent(name="Start"), Agent(name="Later")
    flow = Workflow("Small", start=start)
    flow.then(start, pay)
    flow.then(later, call)
    flow.budget(seconds=10, on_exhausted=later)
    excuse = "only a run that spends its budget gets there"
    rows = rows_of(flow)
    assert {row for row, why in rows.items() if why == excuse} == {
        "Later → call taken",
        "budget is spent → Later taken",
        "call called",
        "call failed",
    }
    assert witnesses(flow).missing == ()
