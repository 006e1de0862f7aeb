"""Drawings of workflows with edges: functions, ends, and arrows with cases."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from agentgraph import (
    Agent,
    End,
    GuardrailFunctionOutput,
    Workflow,
    at_least,
    below,
    between,
    function_tool,
    input_guardrail,
    output_of,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.render import View, render
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.picture import Box, Mark, Picture, Role, Stroke, Tone
from agentgraph_compiler.render.view import picture_of
from tests.compiler.goldens import assert_golden


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]
    euros: Annotated[int, Field(ge=0, le=100_000)]


class Review(BaseModel):
    ok: bool
    notes: str = ""


def pay(ticket: Ticket) -> str:
    return f"Paid {ticket.euros} euros."


def ask_a_person(output: object) -> str:
    return "A person calls you."


def support() -> Chart:
    """A route, a loop with a limit, functions and ends."""
    triage, orders = Agent(name="Triage", output_type=Ticket), Agent(name="Orders")
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
    flow = Workflow("Support", start=triage)
    flow.route(triage, on="kind", cases={"refund": draft, "order": orders, "other": End("Call us")})
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: ask_a_person, False: draft},
        at_most={False: 3},
        exhausted=ask_a_person,
    )
    flow.route(
        ask_a_person,
        on=output_of(triage).euros,
        cases={below(10): pay, between(10, 99): draft, at_least(100): End()},
        give={pay: output_of(triage)},
        at_most={between(10, 99): 1},
        exhausted=pay,
    )
    return lower(flow)[0]


def two_regions() -> Chart:
    """Two steps that both hand over to an agent that is no step."""
    billing = Agent(name="Billing")
    first, second = (Agent(name=name, handoffs=[billing]) for name in ("First", "Second"))
    flow = Workflow("Two", start=first)
    flow.then(first, second)
    flow.then(second, End("both"))
    return lower(flow)[0]


def boxes(picture: Picture) -> dict[str, Box]:
    titles = [box.title for box in picture.root.walk() if box.role is not Role.END]
    assert len(titles) == len(set(titles))
    return {box.title: box for box in picture.root.walk()}


def edges(picture: Picture) -> set[tuple[str, str, tuple[str, ...]]]:
    """The arrows for edges, between titles."""
    title = {box.id: box.title for box in picture.root.walk()}
    return {
        (title[arrow.source], title[arrow.target], arrow.label)
        for arrow in picture.arrows
        if arrow.stroke is Stroke.EDGE
    }


@pytest.mark.parametrize("level", ["agents", "states"])
@pytest.mark.parametrize("ending", ["dot", "mmd", "txt"])
def test_the_drawing_of_a_workflow_with_edges_is_as_reviewed(
    level: str, ending: str, tmp_path: Path
) -> None:
    source = render(support(), tmp_path / f"drawing.{ending}", View(level, fold=False))
    assert_golden(source, f"edges-{level}.{ending}")


def letters(question: str = "May we send it?") -> Chart:
    """A loop through a question, and one with which the run ends."""
    draft = Agent(name="Draft")
    flow = Workflow("Letters", start=draft)
    person, last = flow.ask("person", question, answer=Review), flow.ask("last", "Well?")
    flow.then(draft, person)
    flow.route(person, on="ok", cases={True: last, False: draft})
    return lower(flow)[0]


def test_a_question_has_a_box_of_its_own_that_says_what_it_asks() -> None:
    picture = agents_picture(letters())
    person, last = boxes(picture)["person"], boxes(picture)["last"]
    assert (person.role, person.mark, last.role, last.mark) == (
        Role.QUESTION, Mark.NONE, Role.QUESTION, Mark.ENDS,
    )  # fmt: skip
    assert [(row.name, row.remark) for row in person.rows] == [
        ("asks", "May we send it?"),
        ("decides on", "ok"),
    ]
    assert edges(picture) == {
        ("Draft", "person", ()),
        ("person", "last", ("true",)),
        ("person", "Draft", ("false",)),
    }
    long = boxes(agents_picture(letters("x" * 200)))["person"].rows[0].remark
    assert long == f"{'x' * 59}…"


def test_the_states_of_a_question_can_be_folded() -> None:
    folded = picture_of(letters(), View("states", fold=True))
    person = boxes(folded)["person"]
    assert (person.role, [row.name for row in person.rows]) == (
        Role.QUESTION, ["asking", "leaving"],
    )  # fmt: skip
    unfolded = picture_of(letters(), View("states", fold=False))
    [asking] = [box for box in unfolded.root.walk() if ("", "person.asking") in box.about]
    assert asking.title == "asking"


@pytest.mark.parametrize(
    ("ending", "sign"), [("dot", "shape=octagon"), ("mmd", '[\\"<b>person</b>'), ("txt", "person")]
)
def test_each_back_end_draws_a_question(ending: str, sign: str, tmp_path: Path) -> None:
    assert sign in render(letters(), tmp_path / f"drawing.{ending}", View("agents"))


def test_an_arrow_says_which_cases_lead_to_a_step_and_how_often() -> None:
    assert edges(agents_picture(support())) == {
        ("Triage", "Draft", ("refund",)),
        ("Triage", "Orders", ("order",)),
        ("Triage", "end: Call us", ("other",)),
        ("Draft", "Review", ()),
        ("Review", "ask_a_person()", ("true", "false (after 3 times)")),
        ("Review", "Draft", ("false (at most 3 times)",)),
        ("ask_a_person()", "pay()", ("up to 9", "10 to 99 (after 1 time)")),
        ("ask_a_person()", "Draft", ("10 to 99 (at most once)",)),
        ("ask_a_person()", "end", ("100 and above",)),
    }


def test_a_default_takes_every_other_value_and_a_conversation_is_named() -> None:
    plan, write = Agent(name="Plan", output_type=Ticket), Agent(name="Write")
    other = Agent(name="Other")
    flow = Workflow("Writing", start=plan)
    flow.route(plan, on="kind", cases={"order": other}, default=write)
    flow.then(write, other, carry="conversation")
    assert edges(agents_picture(lower(flow)[0])) == {
        ("Plan", "Write", ("otherwise",)),
        ("Plan", "Other", ("order",)),
        ("Write", "Other", ("with the conversation",)),
    }


def test_many_cases_of_one_step_are_counted() -> None:
    start, other = Agent(name="Start", output_type=Ticket), Agent(name="Other")
    flow = Workflow("Many", start=start)
    flow.route(start, on="euros", cases=dict.fromkeys(range(20), other), default=End())
    [label] = [label for _, to, label in edges(agents_picture(lower(flow)[0])) if to == "Other"]
    assert label == ("0", "1", "2", "3", "4", "… 15 more")


def test_a_step_that_decides_says_on_what() -> None:
    drawn = boxes(agents_picture(support()))
    rows = {title: [(row.name, row.remark) for row in box.rows] for title, box in drawn.items()}
    assert ("decides on", "kind") in rows["Triage"]
    assert rows["ask_a_person()"] == [("decides on", "Triage.euros")]
    assert rows["Draft"] == rows["pay()"] == []


def test_only_steps_without_a_way_out_can_end_the_run() -> None:
    marks = {title: box.mark for title, box in boxes(agents_picture(support())).items()}
    assert {title for title, mark in marks.items() if mark is Mark.ENDS} == {"Orders", "pay()"}
    assert Mark.STUCK not in marks.values()


def test_a_tool_whose_output_is_that_of_a_step_with_a_way_out_does_not_end_the_run() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return "seen"

    def agent(name: str, **more: Any) -> Agent[Any]:
        return Agent(name=name, tools=[look], tool_use_behavior="stop_on_first_tool", **more)

    first, second = agent("First"), agent("Second")
    flow = Workflow("Tools", start=first)
    flow.then(first, second)
    drawn = boxes(agents_picture(lower(flow)[0]))
    assert [row.mark for row in drawn["First"].rows] == [Mark.NONE]
    assert [row.mark for row in drawn["Second"].rows] == [Mark.ENDS]


def test_an_agent_of_two_steps_is_one_box_that_names_them() -> None:
    picture = agents_picture(two_regions())
    drawn = boxes(picture)
    assert [(row.name, row.remark) for row in drawn["Billing"].rows] == [
        ("answers for", "First, Second")
    ]
    assert {box.mark for box in drawn.values()} == {Mark.NONE}
    assert edges(picture) == {("First", "Second", ()), ("Second", "end: both", ())}


def test_an_agent_ends_the_run_if_it_does_in_one_of_its_steps() -> None:
    billing = Agent(name="Billing")
    first, second = (Agent(name=name, handoffs=[billing]) for name in ("First", "Second"))
    flow = Workflow("Two", start=first)
    flow.then(first, second)
    drawn = boxes(agents_picture(lower(flow)[0]))
    assert {title for title, box in drawn.items() if box.mark is Mark.ENDS} == {"Billing", "Second"}


def test_input_guardrails_of_an_agent_that_an_edge_enters_run() -> None:
    @input_guardrail
    def screen(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    first = Agent(name="First")
    second = Agent(name="Second", input_guardrails=[screen])
    flow = Workflow("Guarded", start=first)
    flow.then(first, second)
    [row] = boxes(agents_picture(lower(flow)[0]))["Second"].rows
    assert (row.name, row.tone) == ("screen", Tone.GUARDRAIL)


def test_a_focus_on_a_function_keeps_the_steps_around_it() -> None:
    picture = picture_of(support(), View(focus="pay"))
    assert set(boxes(picture)) == {"ask_a_person()", "pay()", "end"}
    [more] = [row.name for row in boxes(picture)["ask_a_person()"].rows if "…" in row.name]
    assert more == "… 2 more neighbours"


def test_findings_stand_at_their_steps() -> None:
    def hand_out(number: int) -> Literal["a", "b"]:
        return "a"

    def by_itself(label: Literal["a", "b"]) -> Literal["a", "b"]:
        return label

    triage = Agent(name="Triage", output_type=Ticket)
    flow = Workflow("Wrong", start=triage)
    flow.route(triage, on="kind", cases={"refund": End()})
    flow.route(hand_out, on=by_itself, cases={"a": End()})
    chart = lower(flow)[0]
    findings = pipeline.check(chart)
    drawn = boxes(picture_of(chart, View(findings=findings)))
    codes = {
        title: [row.name for row in box.rows if row.tone is not Tone.PLAIN]
        for title, box in drawn.items()
    }
    assert codes["Triage"] == ["AG220 route-gap"]
    assert "AG227 step-never-entered" in codes["hand_out()"]


def test_a_long_chain_of_steps_reads_downwards() -> None:
    agents = [Agent(name=f"Step {number}") for number in range(8)]
    flow = Workflow("Chain", start=agents[0])
    for one, other in pairwise(agents[:5]):
        flow.then(one, other)
    assert agents_picture(lower(flow)[0]).across
    for one, other in pairwise(agents[4:]):
        flow.then(one, other)
    assert not agents_picture(lower(flow)[0]).across


def folded(chart: Chart) -> Picture:
    return picture_of(chart, View("states", fold=True))


def test_folded_states_keep_the_cases_and_fold_functions_too() -> None:
    picture = folded(support())
    title = {box.id: box.title for box in picture.root.walk()}
    drawn = {(title[a.source], title[a.target], a.label) for a in picture.arrows if not a.both}
    assert {
        ("Triage", "Draft", ("refund",)),
        ("Review", "ask_a_person", ("true", "false (after 3 times)")),
        ("Review", "Draft", ("false (at most 3 times)",)),
        ("ask_a_person", "pay", ("up to 9", "10 to 99 (after 1 time)")),
    } <= drawn
    roles = {box.title: box.role for box in picture.root.walk()}
    assert roles["Review"] is Role.AGENT
    assert roles["pay"] is Role.FUNCTION
    ends = {box.title for box in picture.root.walk() if box.mark is Mark.ENDS}
    assert {"Orders", "pay"} <= ends
    assert "Draft" not in ends


def test_a_case_with_a_slash_keeps_its_name_in_the_drawing_of_states() -> None:
    def label(text: str) -> Literal["a/b", "b"]:
        return "b"

    start = Agent(name="Start")
    flow = Workflow("Slash", start=start)
    flow.route(start, on=label, cases={"a/b": End(1), "b": End(2)})
    labels = {arrow.label for arrow in picture_of(lower(flow)[0], View("states")).arrows}
    assert {("chosen [a/b]",), ("chosen [b]",)} <= labels


@pytest.mark.parametrize(
    ("end", "title"),
    [
        (End(), "end"),
        (End("Please call us."), "end: Please call us."),
        (End("x" * 50), f"end: {'x' * 39}…"),
        (End(None), "end: None"),
        (End(3), "end: 3"),
        (End(Review(ok=True)), "end: Review"),
    ],
)
def test_an_end_says_its_output(end: End, title: str) -> None:
    start = Agent(name="Start")
    flow = Workflow("Ends", start=start)
    flow.then(start, end)
    [box] = [box for box in agents_picture(lower(flow)[0]).root.walk() if box.role is Role.END]
    assert box.title == title


def test_an_agent_that_a_function_leads_to_is_in_no_team_of_another_agent() -> None:
    def by_hand(output: object) -> str:
        return "done"

    teams = [[Agent(name=f"{lead}{number}") for number in range(6)] for lead in "AB"]
    for lead, *members in teams:
        lead.handoffs = [*members]
    start = Agent(name="Start", output_type=Ticket)
    flow = Workflow("Teams", start=start)
    (first, *_), (second, shared, *_) = teams
    flow.route(start, on="kind", cases={"refund": first, "order": second, "other": by_hand})
    flow.then(by_hand, shared)
    frames = agents_picture(lower(flow)[0]).root.frames
    assert {frame.title: {box.title for box in frame.boxes} for frame in frames} == {
        "reached only through A0": {f"A{number}" for number in range(6)},
        "reached only through B0": {"B0", "B2", "B3", "B4", "B5"},
    }


def test_an_edge_after_an_exception_is_a_dashed_arrow_with_the_names_of_its_classes() -> None:
    write, person = Agent(name="Write"), Agent(name="Person")
    flow = Workflow("Writing", start=write)
    flow.on_error(write, person, errors=(TimeoutError, ValueError))
    picture = agents_picture(lower(flow)[0])
    [arrow] = [one for one in picture.arrows if one.stroke is Stroke.CATCH]
    assert arrow.label == ("TimeoutError, ValueError",)
