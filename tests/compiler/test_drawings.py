"""Drawings of a chart: what they show, how safely, and that a layout never hangs."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Inner, Stop, StopKind, Tool
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import BACK, State
from agentgraph_compiler.render import LEVELS, RenderError, View, render
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.layout import lay_out
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.picture import Box, Frame, Mark, Role, Row, Stroke, Tone
from agentgraph_compiler.render.states import states_picture
from agentgraph_compiler.render.tree import to_tree
from agentgraph_compiler.render.view import picture_of
from agentgraph_compiler.types import Type
from tests.compiler.goldens import assert_golden
from tests.compiler.test_machine_checks import workflows
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    at,
    chart,
    function,
    guardrail,
    subchart,
    support_desk,
    to,
)

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
NASTY = 'a "b" <b>&amp;</b> \\N \\" ]]--> | `x` #quot; {y} %% ;\n\x00end'


def titles(picture_frame: Frame) -> dict[str, Box]:
    return {box.id: box for box in picture_frame.walk()}


def box_of(workflow: Chart, title: str) -> Box:
    (box,) = (one for one in agents_picture(workflow).root.walk() if one.title == title)
    return box


def moves(workflow: Chart) -> set[tuple[str, str, Stroke, tuple[str, ...], bool]]:
    """The arrows of the drawing of agents, between titles."""
    picture = agents_picture(workflow)
    boxes = titles(picture.root)
    return {
        (boxes[a.source].title, boxes[a.target].title, a.stroke, a.label, a.both)
        for a in picture.arrows
    }


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ending", ["dot", "mmd", "txt"])
def test_the_source_of_a_drawing_is_as_reviewed(level: str, ending: str, tmp_path: Path) -> None:
    small = chart(
        Agent(
            "triage",
            "Triage",
            tools=(function("triage", "lookup"), agent_tool("triage", "ask", "expert")),
            handoffs=(to("triage", "human", "Human", enabled=Enabled.SOMETIMES),),
            input_guardrails=(guardrail("triage", "on_topic"),),
            inner=(Inner("triage/on_topic", "Reviewer", at(7)),),
        ),
        Agent("human", "Human", output=Type("app.Ticket")),
        charts=(subchart("expert", Agent("expert", "Expert")),),
    )
    path = tmp_path / f"drawing.{ending}"
    source = render(small, path, View(level))
    assert path.read_text(encoding="utf-8") == source
    assert_golden(source, f"{level}.{ending}")


def test_handoffs_in_both_directions_are_one_arrow_with_two_heads() -> None:
    agents = (Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "B", handoffs=(to("b", "a"),)))
    assert ("A", "B", Stroke.SOLID, (), True) in moves(chart(*agents))


def test_a_handoff_says_whether_it_is_always_sometimes_or_never_enabled() -> None:
    first = Agent(
        "a",
        "A",
        handoffs=(
            to("a", "b", enabled=Enabled.ALWAYS),
            to("a", "c", enabled=Enabled.SOMETIMES),
            to("a", "d", enabled=Enabled.NEVER),
        ),
    )
    drawn = {(to_, stroke) for from_, to_, stroke, _, _ in moves(
        chart(first, Agent("b", "B"), Agent("c", "C"), Agent("d", "D"))
    ) if from_ == "A"}  # fmt: skip
    assert drawn == {("B", Stroke.SOLID), ("C", Stroke.DASHED), ("D", Stroke.OFF)}


@pytest.mark.parametrize(
    ("name", "label"),
    [("transfer_to_billing_desk", ()), ("escalate", ("escalate",)), ("to billing desk", ())],
)
def test_a_handoff_is_named_where_its_name_says_more_than_its_target(
    name: str, label: tuple[str, ...]
) -> None:
    handoff = dataclasses.replace(to("a", "b", "Billing desk"), name=name)
    workflow = chart(Agent("a", "A", handoffs=(handoff,)), Agent("b", "Billing desk"))
    assert ("A", "Billing desk", Stroke.SOLID, label, False) in moves(workflow)


def test_two_handoffs_to_one_agent_are_told_apart_by_name() -> None:
    calm, angry = to("a", "b", "B"), dataclasses.replace(to("a", "b", "B"), symbol="x", name="x_b")
    drawn = moves(chart(Agent("a", "A", handoffs=(calm, angry)), Agent("b", "B")))
    assert {label for _, target, _, label, _ in drawn if target == "B"} == {
        ("transfer_to_b",),
        ("x_b",),
    }


def test_handoffs_that_differ_stay_two_arrows() -> None:
    for field in ("filters", "acts"):
        back = dataclasses.replace(to("b", "a"), **{field: True})
        agents = Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "B", handoffs=(back,))
        drawn = [move for move in moves(chart(*agents)) if move[0] != "start"]
        word = {"filters": "input filter", "acts": "on_handoff"}[field]
        assert sorted(drawn) == [
            ("A", "B", Stroke.SOLID, (), False),
            ("B", "A", Stroke.SOLID, (word,), False),
        ]


def test_two_filters_are_not_taken_for_one() -> None:
    there, back = (
        dataclasses.replace(to(*ends), filters=True) for ends in (("a", "b"), ("b", "a"))
    )
    agents = Agent("a", "A", handoffs=(there,)), Agent("b", "B", handoffs=(back,))
    assert not any(both for *_, both in moves(chart(*agents)))


MARKS = {
    "an agent that answers ends the run": (Agent("a", "A"), Mark.ENDS, Mark.NONE),
    "an agent that only hands off does not": (
        Agent("a", "A", handoffs=(to("a", "b"),), choice=ALWAYS_CALLS),
        Mark.NONE,
        Mark.NONE,
    ),
    "an agent that can neither answer nor hand off runs into the limit": (
        Agent("a", "A", tools=(function("a", "x"),), choice=ALWAYS_CALLS),
        Mark.STUCK,
        Mark.NONE,
    ),
    "the first tool output is final": (
        Agent(
            "a", "A", tools=(function("a", "x"),), choice=ALWAYS_CALLS, stop=Stop(StopKind.FIRST)
        ),
        Mark.NONE,
        Mark.ENDS,
    ),
    "the output of a named tool is final": (
        Agent("a", "A", tools=(function("a", "x"),), stop=Stop(StopKind.NAMED, ("x",))),
        Mark.ENDS,
        Mark.ENDS,
    ),
    "the output of a tool that is not named is not": (
        Agent("a", "A", tools=(function("a", "x"),), stop=Stop(StopKind.NAMED, ("y",))),
        Mark.ENDS,
        Mark.NONE,
    ),
    "a function decides whether a tool output is final": (
        Agent("a", "A", tools=(function("a", "x"),), stop=Stop(StopKind.ASKED, symbol="f")),
        Mark.ENDS,
        Mark.MAY_END,
    ),
    "a tool output of an agent that a hosted tool serves is not final": (
        Agent("a", "A", tools=(Tool("", "web_search", None),), stop=Stop(StopKind.FIRST)),
        Mark.ENDS,
        Mark.NONE,
    ),
}


@pytest.mark.parametrize("case", MARKS)
def test_an_end_is_a_mark_on_the_agent_or_on_the_tool(case: str) -> None:
    agent, of_agent, of_tool = MARKS[case]
    workflow = chart(agent, Agent("b", "B"))
    box = box_of(workflow, "A")
    assert box.mark is of_agent
    assert {row.mark for row in box.rows} <= {of_tool}
    assert {role for role in Role if role in ("done", "blocked", "exhausted", "failed")}.isdisjoint(
        one.role for one in agents_picture(workflow).root.walk()
    )


def test_guardrails_are_rows_of_their_agent_and_say_when_they_work() -> None:
    agent = Agent(
        "a",
        "A",
        input_guardrails=(guardrail("a", "beside"), guardrail("a", "first", parallel=False)),
        output_guardrails=(guardrail("a", "after"),),
    )
    assert box_of(chart(agent), "A").rows == (
        Row("beside", "checks input", Tone.GUARDRAIL),
        Row("first", "checks input first", Tone.GUARDRAIL),
        Row("after", "checks output", Tone.GUARDRAIL),
    )


def test_guardrails_that_never_run_are_crossed_out() -> None:
    second = Agent("b", "B", input_guardrails=(guardrail("b", "late"),))
    workflow = chart(Agent("a", "A", handoffs=(to("a", "b"),)), second)
    assert box_of(workflow, "B").rows == (Row("late", "guardrail, never runs", Tone.OFF),)


def test_every_agent_that_runs_start_with_is_drawn_as_such() -> None:
    agents = (
        Agent("a", "A", handoffs=(to("a", "b"),)),
        Agent("b", "B", input_guardrails=(guardrail("b", "late"),), handoffs=(to("b", "c"),)),
        Agent("c", "C", input_guardrails=(guardrail("c", "late"),)),
    )
    workflow = build("W", "a", agents, starts=("b",))
    assert [box_of(workflow, name).role for name in "ABC"] == [Role.ENTRY, Role.ENTRY, Role.AGENT]
    assert {target for source, target, *_ in moves(workflow) if source == "start"} == {"A", "B"}
    runs, late = Row("late", "checks input", Tone.GUARDRAIL), "guardrail, never runs"
    assert box_of(workflow, "B").rows == (runs,)
    assert box_of(workflow, "C").rows == (Row("late", late, Tone.OFF),)
    chat = build("W", "a", agents, multi_turn=True)
    assert [box_of(chat, name).rows for name in "BC"] == [(runs,), (runs,)]
    assert box_of(chat, "C").role is Role.AGENT


def test_disabled_tools_and_handoffs_have_a_look_of_their_own() -> None:
    first = Agent(
        "a",
        "A",
        tools=(function("a", "x", enabled=Enabled.NEVER),),
        handoffs=(to("a", "b", enabled=Enabled.NEVER),),
    )
    workflow = chart(first, Agent("b", "B"))
    assert box_of(workflow, "A").rows == (Row("x()", "disabled", Tone.OFF),)
    assert ("A", "B", Stroke.OFF, (), False) in moves(workflow)


def test_an_agent_used_as_a_tool_is_one_box_and_named_once() -> None:
    first = Agent("a", "A", tools=(agent_tool("a", "ask_expert", "s"),))
    workflow = chart(first, charts=(subchart("s", Agent("b", "Expert")),))
    assert ("A", "Expert", Stroke.CALL, (), False) in moves(workflow)
    assert agents_picture(workflow).root.frames == []
    assert box_of(workflow, "A").rows == ()
    assert to_tree(agents_picture(workflow)).count("Expert") == 1


def test_a_tool_whose_name_says_more_than_its_agent_is_named_on_the_arrow() -> None:
    first = Agent("a", "A", tools=(agent_tool("a", "review", "s"),))
    workflow = chart(first, charts=(subchart("s", Agent("b", "Expert")),))
    assert ("A", "Expert", Stroke.CALL, ("review",), False) in moves(workflow)


def test_a_handoff_that_returns_is_an_arrow_of_its_own() -> None:
    asked = dataclasses.replace(agent_tool("a", "transfer_to_expert", "s"), handoff=True)
    expert = Agent("b", "Expert", input_guardrails=(guardrail("b", "g"),))
    inner = build("s", "b", [expert], policy=Policy(handed=True))
    workflow = chart(Agent("a", "A", tools=(asked,)), charts=(inner,))
    assert ("A", "Expert", Stroke.RETURNING, ("returns",), False) in moves(workflow)
    assert box_of(workflow, "Expert").role is Role.AGENT
    assert box_of(workflow, "Expert").rows == (Row("g", "guardrail, never runs", Tone.OFF),)
    assert "handoff that returns to its caller" in to_mermaid(agents_picture(workflow))


def test_two_agents_that_ask_each_other_back_are_two_boxes() -> None:
    one = Agent(
        "a",
        "A",
        tools=(dataclasses.replace(agent_tool("a", "b", "b"), handoff=True),),
        origin=at(1),
    )
    two = Agent(
        "b",
        "B",
        tools=(dataclasses.replace(agent_tool("b", "a", "a"), handoff=True),),
        origin=at(2),
    )
    inner = (
        build("b", "b", [two], policy=Policy(handed=True)),
        build("a", "a", [one], policy=Policy(handed=True)),
    )
    workflow = chart(one, charts=inner)
    assert [box.title for box in agents_picture(workflow).root.boxes] == ["start", "A", "B"]
    assert {move[:3] for move in moves(workflow)} == {
        ("start", "A", Stroke.SOLID),
        ("A", "B", Stroke.RETURNING),
        ("B", "A", Stroke.RETURNING),
    }


def test_several_agents_that_a_tool_runs_have_a_frame() -> None:
    first = Agent("a", "A", tools=(agent_tool("a", "ask", "s"),))
    inner = subchart("s", Agent("b", "B", handoffs=(to("b", "c"),)), Agent("c", "C"))
    (frame,) = agents_picture(chart(first, charts=(inner,))).root.frames
    assert (frame.title, [box.title for box in frame.boxes]) == (
        "the run of B as a tool",
        ["B", "C"],
    )


def test_an_agent_that_is_tool_and_target_is_drawn_once() -> None:
    expert = Agent("expert", "Expert", input_guardrails=(guardrail("expert", "g"),), origin=at(5))
    first = Agent(
        "a", "A", tools=(agent_tool("a", "ask", "s"),), handoffs=(to("a", "expert", "Expert"),)
    )
    workflow = chart(first, expert, charts=(subchart("s", expert),))
    drawn = [move for move in moves(workflow) if move[1] == "Expert"]
    assert {stroke for _, _, stroke, _, _ in drawn} == {Stroke.SOLID, Stroke.CALL}
    # As a target its input guardrail never runs, as a tool it does.
    assert box_of(workflow, "Expert").rows == (Row("g", "checks input", Tone.GUARDRAIL),)


def test_two_agents_of_one_name_are_two_boxes() -> None:
    agents = (
        Agent("a", "A", handoffs=(to("a", "b", "Twin"), to("a", "c", "Twin")), origin=at(1)),
        Agent("b", "Twin", origin=at(2)),
        Agent("c", "Twin", origin=at(2)),
    )
    boxes = agents_picture(chart(*agents)).root.boxes
    assert [box.title for box in boxes].count("Twin") == 2


def test_an_agent_that_code_runs_is_dashed() -> None:
    first = Agent(
        "a",
        "A",
        tools=(function("a", "review"),),
        inner=(Inner("a/tool/review", "Reviewer", at(9)), Inner("a/tool/other", "Reviewer", at(9))),
    )
    workflow = chart(first)
    assert box_of(workflow, "Reviewer").role is Role.CODE
    assert {move[3] for move in moves(workflow) if move[1] == "Reviewer"} == {
        ("review",),
        ("other",),
    }
    assert "run by code, unchecked" in to_tree(agents_picture(workflow))
    assert 'style="rounded,filled,dashed"' in render(workflow)


def test_code_that_runs_an_agent_of_the_workflow_points_to_it() -> None:
    first = Agent(
        "a", "A", handoffs=(to("a", "b"),), inner=(Inner("a/tool/x", "B", at(2)),), origin=at(1)
    )
    workflow = chart(first, Agent("b", "B", origin=at(2)))
    assert ("A", "B", Stroke.CODE, ("x",), False) in moves(workflow)
    assert len([box for box in agents_picture(workflow).root.walk() if box.title == "B"]) == 1


def test_an_agent_outside_the_workflow_is_drawn_once() -> None:
    first = Agent("a", "A", handoffs=(to("a", "", "Legal"), to("a", "b")))
    second = Agent("b", "B", handoffs=(to("b", "", "Legal"),))
    boxes = agents_picture(chart(first, second)).root.boxes
    assert [box.title for box in boxes if box.role is Role.OUTSIDE] == ["Legal"]


def test_many_tools_are_cut_short() -> None:
    tools = tuple(function("a", f"tool_{n}") for n in range(40))
    box = box_of(chart(Agent("a", "A", tools=tools)), "A")
    assert len(box.rows) == 12
    assert box.rows[-1] == Row("… 29 more tools")


@pytest.mark.parametrize(("length", "across"), [(4, True), (9, False)])
def test_a_long_chain_reads_downwards(length: int, across: bool) -> None:
    agents = [Agent(f"a{n}", f"A{n}", handoffs=(to(f"a{n}", f"a{n + 1}"),)) for n in range(length)]
    assert agents_picture(chart(*agents, Agent(f"a{length}", "Last"))).across is across


def test_every_transition_of_the_machine_has_an_arrow_at_the_level_of_states() -> None:
    workflow = support_desk()
    picture = states_picture(workflow)
    drawn = sum(arrow.stroke is not Stroke.CALL for arrow in picture.arrows)
    # What holds in every state leads out of one box, and the way back has no place of its own;
    # neither has a rest from where the state before is only tried again.
    pairs = {
        (part.name, source, row.target)
        for part in workflow.walk()
        for source, rows in (
            ("every state", part.rows),
            *((state.id, state.transitions) for state in part.states if entered(part, state)),
        )
        for row in rows
        if row.target != BACK and not row.target.startswith("unsaved")
    }
    assert drawn == len(pairs)
    boxes = [state.id for part in workflow.walk() for state in part.states if entered(part, state)]
    assert len(titles(picture.root)) == len(boxes) + len(list(workflow.walk()))
    # An agent without tools never acts, so its state for calls is left out.
    assert "triage.acting" not in boxes
    assert "orders.acting" in boxes


def entered(part: Chart, state: State) -> bool:
    """Whether anything leads to a state, and it is none that is left out."""
    rows = [*part.rows, *(row for other in part.states for row in other.transitions)]
    targets = {part.initial, *(row.target for row in rows)}
    return state.id in targets and not state.id.startswith("unsaved")


def nasty() -> Chart:
    """A workflow whose every name tries to break out of its label."""
    first = Agent(
        "a",
        NASTY,
        tools=(function("a", NASTY), agent_tool("a", NASTY + "2", NASTY)),
        handoffs=(dataclasses.replace(to("a", "b", NASTY), name=NASTY + "!"),),
        input_guardrails=(guardrail("a", NASTY),),
    )
    workflow = chart(first, Agent("b", NASTY), charts=(subchart(NASTY, Agent("c", NASTY)),))
    return dataclasses.replace(workflow, name=NASTY)


@needs_dot
@pytest.mark.parametrize("level", LEVELS)
def test_names_cannot_break_out_of_dot_and_reach_the_drawing_as_they_are(
    level: str, tmp_path: Path
) -> None:
    path = tmp_path / "drawing.svg"
    render(nasty(), path, View(level))
    texts = [
        "".join(text.itertext())
        for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]
    drawn_text = re.sub(r"\s+", " ", "".join(texts).replace("\xa0", " "))
    assert 'a "b" <b>&amp;</b> \\N \\" ]]--> | `x` #quot; {y} %% ;' in drawn_text


@pytest.mark.parametrize("level", LEVELS)
def test_names_cannot_break_out_of_mermaid(level: str) -> None:
    statements = to_mermaid(picture_of(nasty(), View(level))).split("\n")
    for statement in statements:
        outside = re.sub(r'"[^"]*"', "", statement)
        assert not re.search(r'["<>`]', re.sub(r"<?(-->|-\.->|-\.-x|o--o)", "", outside))
        for label in re.findall(r'"([^"]*)"', statement):
            assert not re.search(r"[`{}\\;]", re.sub(r"#\d+;", "", label))
            assert re.fullmatch(r"[^<>]*", re.sub(r"</?[bi]>|<br/>", "", label))


@given(workflows(), st.sampled_from(LEVELS))
@settings(max_examples=20)
def test_a_drawing_is_the_same_every_time(workflow: Chart, level: str) -> None:
    assert render(workflow, view=View(level)) == render(workflow, view=View(level))
    picture = picture_of(workflow, View(level))
    boxes = set(titles(picture.root))
    assert all({arrow.source, arrow.target} <= boxes for arrow in picture.arrows)


@needs_dot
@pytest.mark.parametrize(
    ("ending", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_the_ending_of_the_file_says_what_is_drawn(
    ending: str, magic: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"drawing.{ending}"
    render(support_desk(), path)
    assert path.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("name", "level", "message"),
    [
        ("drawing.bmp", "agents", "use one of .svg, .png, .pdf, .html, .mmd, .dot, .txt"),
        ("drawing", "agents", "selects no format; use one of"),
        ("drawing.svg", "tools", "there is no level 'tools'; levels are agents and states"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused_and_nothing_is_written(
    name: str, level: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RenderError, match=re.escape(message)):
        render(support_desk(), tmp_path / name, View(level))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_graphviz_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match=r"'dot' of Graphviz, which is not installed.*apt-get"):
        render(support_desk(), tmp_path / "drawing.svg")


def program(folder: Path, script: str) -> None:
    """Put a program called ``dot`` into a folder."""
    dot = folder / "dot"
    dot.write_text(f"#!/bin/sh\n{script}\n")
    dot.chmod(0o755)


def test_a_layout_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "while :; do :; done")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match=r"stopped after 0\.1 seconds"):
        render(support_desk(), tmp_path / "drawing.png", timeout=0.1)
    assert not (tmp_path / "drawing.png").exists()


def test_what_dot_complains_about_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "echo 'syntax error in line 1' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match="'dot' could not draw this: syntax error in line 1"):
        lay_out("digraph {", "svg")
