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

from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Stop, StopKind
from agentgraph_compiler.machine import BACK, State
from agentgraph_compiler.render import LEVELS, RenderError, render
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.layout import lay_out
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.picture import Box, Frame, Role, Stroke
from agentgraph_compiler.types import Type
from tests.compiler.goldens import assert_golden
from tests.compiler.test_machine_checks import workflows
from tests.compiler.workflows import (
    agent_tool,
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
    boxes = {box.id: box for box in picture_frame.boxes}
    for frame in picture_frame.frames:
        boxes |= titles(frame)
    return boxes


def moves(workflow: Chart) -> set[tuple[str, str, Stroke, tuple[str, ...], bool]]:
    """The arrows of the drawing of agents, between titles."""
    picture = agents_picture(workflow)
    boxes = titles(picture.root)
    return {
        (boxes[a.source].title, boxes[a.target].title, a.stroke, a.label, a.both)
        for a in picture.arrows
    }


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ending", ["dot", "mmd"])
def test_the_source_of_a_drawing_is_as_reviewed(level: str, ending: str, tmp_path: Path) -> None:
    small = chart(
        Agent(
            "triage",
            "Triage",
            tools=(function("triage", "lookup"), agent_tool("triage", "ask", "expert")),
            handoffs=(to("triage", "human", "Human", enabled=Enabled.SOMETIMES),),
            input_guardrails=(guardrail("triage", "on_topic"),),
        ),
        Agent("human", "Human", output=Type("app.Ticket")),
        charts=(subchart("expert", Agent("expert", "Expert")),),
    )
    path = tmp_path / f"drawing.{ending}"
    source = render(small, path, level=level)
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
    ) if from_ == "A" and to_ != "done"}  # fmt: skip
    assert drawn == {("B", Stroke.SOLID), ("C", Stroke.DASHED), ("D", Stroke.FAINT)}


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


ENDS = {
    "an agent that answers ends the run": ((Agent("a", "A"),), {("A", "done")}),
    "an agent that only hands off does not": (
        (Agent("a", "A", handoffs=(to("a", "b"),), final=False), Agent("b", "B")),
        {("B", "done")},
    ),
    "an agent that can neither answer nor hand off runs into the limit": (
        (Agent("a", "A", tools=(function("a", "x"),), final=False),),
        {("A", "turn limit")},
    ),
    "a tool output that is final ends the run": (
        (Agent("a", "A", tools=(function("a", "x"),), final=False, stop=Stop(StopKind.FIRST)),),
        {("A", "done")},
    ),
    "guardrails stand before the end": (
        (Agent("a", "A", output_guardrails=(guardrail("a", "g"),)),),
        {("output guardrails", "done"), ("output guardrails", "blocked")},
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_only_real_ends_are_drawn(case: str) -> None:
    agents, ends = ENDS[case]
    drawn = {(source, target) for source, target, *_ in moves(chart(*agents))}
    assert {pair for pair in drawn if pair[1] in ("done", "blocked", "turn limit")} == ends


def test_guardrails_that_never_run_are_drawn_in_their_agent() -> None:
    second = Agent("b", "B", input_guardrails=(guardrail("b", "late"),))
    picture = agents_picture(chart(Agent("a", "A", handoffs=(to("a", "b"),)), second))
    (box,) = (box for box in picture.root.boxes if box.title == "B")
    assert box.rows == (("late", "guardrail, never runs"),)


def test_an_agent_used_as_a_tool_has_a_frame_and_is_called() -> None:
    first = Agent("a", "A", tools=(agent_tool("a", "ask", "s"),))
    workflow = chart(first, charts=(subchart("s", Agent("b", "B")),))
    (frame,) = agents_picture(workflow).root.frames
    assert frame.title == "B as a tool"
    assert ("A", "B", Stroke.CALL, ("ask",), False) in moves(workflow)


def test_an_agent_outside_the_workflow_is_drawn_once() -> None:
    first = Agent("a", "A", handoffs=(to("a", "", "Legal"), to("a", "b")))
    second = Agent("b", "B", handoffs=(to("b", "", "Legal"),))
    boxes = agents_picture(chart(first, second)).root.boxes
    assert [box.title for box in boxes if box.role is Role.OUTSIDE] == ["Legal"]


def test_many_tools_are_cut_short() -> None:
    tools = tuple(function("a", f"tool_{n}") for n in range(40))
    (box,) = (b for b in agents_picture(chart(Agent("a", "A", tools=tools))).root.boxes if b.rows)
    assert len(box.rows) == 12
    assert box.rows[-1] == ("… 29 more tools", "")


@pytest.mark.parametrize(("length", "across"), [(4, True), (9, False)])
def test_a_long_chain_reads_downwards(length: int, across: bool) -> None:
    agents = [Agent(f"a{n}", f"A{n}", handoffs=(to(f"a{n}", f"a{n + 1}"),)) for n in range(length)]
    assert agents_picture(chart(*agents, Agent(f"a{length}", "Last"))).across is across


def test_every_transition_of_the_machine_has_an_arrow_at_the_level_of_states() -> None:
    workflow = support_desk()
    picture = LEVELS["states"](workflow)
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
    render(nasty(), path, level=level)
    texts = [
        "".join(text.itertext())
        for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]
    shown = re.sub(r"\s+", " ", "".join(texts).replace("\xa0", " "))
    assert 'a "b" <b>&amp;</b> \\N \\" ]]--> | `x` #quot; {y} %% ;' in shown


@pytest.mark.parametrize("level", LEVELS)
def test_names_cannot_break_out_of_mermaid(level: str) -> None:
    statements = to_mermaid(LEVELS[level](nasty())).split("\n")
    for statement in statements:
        outside = re.sub(r'"[^"]*"', "", statement)
        assert not re.search(
            r'["<>`]', outside.replace("-->", "").replace("-.->", "").replace("<", "")
        )
        for label in re.findall(r'"([^"]*)"', statement):
            assert not re.search(r"[`{}\\;]", re.sub(r"#\d+;", "", label))
            assert re.fullmatch(r"[^<>]*", re.sub(r"</?[bi]>|<br/>", "", label))


@given(workflows(), st.sampled_from(sorted(LEVELS)))
@settings(max_examples=20)
def test_a_drawing_is_the_same_every_time(workflow: Chart, level: str) -> None:
    assert render(workflow, level=level) == render(workflow, level=level)
    picture = LEVELS[level](workflow)
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
        ("drawing.bmp", "agents", "use one of .svg, .png, .pdf, .dot, .mmd"),
        ("drawing", "agents", "selects no format; use one of"),
        ("drawing.svg", "tools", "there is no level 'tools'; levels are agents and states"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused_and_nothing_is_written(
    name: str, level: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RenderError, match=re.escape(message)):
        render(support_desk(), tmp_path / name, level=level)
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
