"""What a drawing shows of a workflow: findings, a part of it, folded states, the legend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.chart import Agent, Chart
from agentgraph_compiler.pipeline import check
from agentgraph_compiler.render import RenderError
from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.fonts import without_font
from agentgraph_compiler.render.picture import Mark, Picture, Role, Row, Stroke, Tone
from agentgraph_compiler.render.tree import to_tree
from agentgraph_compiler.render.view import View, picture_of, picture_of_machine
from tests.compiler.drawn_shapes import chain, nested, ring, star
from tests.compiler.workflows import agent_tool, at, chart, function, subchart, support_desk, to

RULE = Rule("AG999", "made-up", Severity.WARNING, "A rule for tests.")


def names(picture: Picture) -> list[str]:
    return [box.title for box in picture.root.walk() if box.role is not Role.START]


def rows(picture: Picture, title: str) -> tuple[Row, ...]:
    (box,) = (one for one in picture.root.walk() if one.title == title)
    return box.rows


def test_a_finding_stands_at_the_agent_that_it_is_about() -> None:
    tool = function("a", "x", line=3)
    workflow = chart(
        Agent("a", "A", tools=(tool,), handoffs=(to("a", "b", "B", line=4),), origin=at(2)),
        Agent("b", "B", origin=at(5)),
    )
    found = [Diagnostic(RULE, "about something", at(line)) for line in (2, 3, 4, 5)]
    picture = picture_of(workflow, View(findings=tuple(found)))
    finding = Row("AG999 made-up", tone=Tone.WARNING)
    assert rows(picture, "A") == (Row("x()"), finding)
    assert rows(picture, "B") == (finding,)
    assert Tone.WARNING in {row.tone for box in picture.root.walk() for row in box.rows}
    assert "▲ AG999 made-up" in to_tree(picture)


def test_agents_from_one_line_are_told_apart_by_name() -> None:
    agents = (
        Agent("a", "A", handoffs=(to("a", "b", "B"),), origin=at(2)),
        Agent("b", "B", origin=at(2)),
    )
    found = (Diagnostic(RULE, "agent 'B' is wrong", at(2)),)
    picture = picture_of(chart(*agents), View(findings=found))
    assert (rows(picture, "A"), len(rows(picture, "B"))) == ((), 1)


def test_a_finding_about_no_agent_stands_below_the_title() -> None:
    picture = picture_of(chart(Agent("a", "A")), View(findings=(Diagnostic(RULE, "odd", at(99)),)))
    assert picture.root.rows == (Row("AG999 made-up", tone=Tone.WARNING),)
    assert "AG999 made-up" in to_dot(picture)
    assert "AG999 made-up" in to_tree(picture)


@pytest.mark.parametrize("level", ["agents", "states"])
def test_the_findings_of_the_compiler_reach_both_levels(level: str) -> None:
    desk = support_desk()
    found = check(desk)
    assert found
    for fold in (True, False):
        source = to_dot(picture_of(desk, View(level, found, fold=fold)))
        assert all(one.rule.code in source for one in found)


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, ["Agent 5"]),
        (1, ["Agent 4", "Agent 5", "Agent 6"]),
        (2, ["Agent 3", "Agent 4", "Agent 5", "Agent 6", "Agent 7"]),
    ],
)
def test_a_focus_shows_an_agent_and_those_around_it(depth: int, expected: list[str]) -> None:
    picture = picture_of(chain(10), View(focus="Agent 5", depth=depth))
    assert names(picture) == expected
    inside = {box.id for box in picture.root.walk()}
    assert all({arrow.source, arrow.target} <= inside for arrow in picture.arrows)


def test_a_focus_says_how_many_neighbours_it_leaves_out() -> None:
    picture = picture_of(star(7), View(focus="agent 3"))
    assert names(picture) == ["Agent 0", "Agent 3"]
    assert rows(picture, "Agent 0")[-1] == Row("… 5 more neighbours")
    assert rows(picture, "Agent 3") == (Row("look_up()"),)


def test_a_focus_follows_calls_of_agents_as_tools() -> None:
    assert names(picture_of(nested(7), View(focus="Agent 3"))) == ["Agent 2", "Agent 3", "Agent 4"]


@pytest.mark.parametrize("level", ["agents", "states"])
def test_a_focus_that_does_not_exist_is_answered_with_one_that_does(level: str) -> None:
    with pytest.raises(RenderError, match="there is no agent 'Agnt 3'; did you mean 'Agent 3'"):
        picture_of(star(7), View(level, focus="Agnt 3"))
    with pytest.raises(RenderError, match=re.escape("the agents are A")):
        picture_of(chart(Agent("a", "A")), View(level, focus="something else"))


def test_the_states_of_many_agents_are_folded_and_those_of_few_are_not() -> None:
    assert "Agent 3" in names(picture_of(ring(7), View("states")))
    assert "thinking" in names(picture_of(ring(3), View("states")))
    assert "Agent 3" not in names(picture_of(ring(7), View("states", fold=False)))
    assert "thinking" not in names(picture_of(ring(3), View("states", fold=True)))


def test_a_folded_agent_lists_its_states_and_whether_it_can_end_the_run() -> None:
    picture = picture_of(star(7), View("states"))
    assert rows(picture, "Agent 0") == (
        Row("thinking"),
        Row("acting"),
        Row("handoff", "× 6"),
        Row("ending"),
        Row("over"),
    )
    (box,) = (one for one in picture.root.walk() if one.title == "Agent 0")
    assert box.mark is Mark.ENDS
    both = [arrow for arrow in picture.arrows if arrow.both]
    assert len(both) == 6, "handoffs there and back are one arrow"


def test_a_focus_unfolds_its_agent() -> None:
    picture = picture_of(star(7), View("states", focus="Agent 3"))
    assert "thinking" in names(picture)
    assert {name for name in names(picture) if name.startswith("Agent")} == {"Agent 0"}
    assert [frame.title for frame in picture.root.frames] == ["Agent 3"]


def test_a_folded_machine_that_a_tool_runs_shows_its_agent_alone() -> None:
    picture = picture_of(nested(7), View("states"))
    assert sum(arrow.stroke is Stroke.CALL for arrow in picture.arrows) == 6
    assert names(picture).count("done") == 1


def test_a_machine_is_drawn_without_its_chart() -> None:
    for workflow in (support_desk(), ring(3), nested(3)):
        drawn = to_dot(picture_of_machine(emit(workflow)))
        assert drawn == to_dot(picture_of(workflow, View("states")))


def test_the_legend_explains_what_is_there_and_nothing_else() -> None:
    def legend(workflow: Chart) -> set[str]:
        return {words for _, words in picture_of(workflow).legend()}

    plain = legend(chart(Agent("a", "A")))
    assert plain == {"agent that a run starts with", "can end the run"}
    first = Agent("a", "A", tools=(agent_tool("a", "ask", "s"),))
    added = legend(chart(first, charts=(subchart("s", Agent("b", "B")),))) - plain
    assert added == {"agent used as a tool", "calls an agent as a tool"}


def test_every_meaning_that_a_drawing_uses_is_explained() -> None:
    found = check(support_desk())
    for view in (View(findings=found), View("states", found), View("states", found, fold=False)):
        picture = picture_of(support_desk(), view)
        explained = {meaning for meaning, _ in picture.legend()}
        assert {arrow.stroke for arrow in picture.arrows} <= explained
        marks = {box.mark for box in picture.root.walk()} - {Mark.NONE}
        tones = {row.tone for box in picture.root.walk() for row in box.rows} - {Tone.PLAIN}
        assert marks | tones <= explained


def test_the_legend_can_be_left_out() -> None:
    picture = picture_of(support_desk(), View(legend=False))
    assert picture.legend() == []
    assert "can end the run" not in to_dot(picture)


def test_the_agents_of_a_run_are_emphasised() -> None:
    picture = picture_of(star(4), View(visited={"Agent 0", "Agent 2"}))
    assert [box.title for box in picture.root.walk() if box.lit] == ["Agent 0", "Agent 2"]
    assert to_dot(picture).count("penwidth=3") == 2


def test_letters_without_a_font_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a list of fonts that has Cyrillic and no Chinese."""
    lists = tmp_path / "fc-list"
    lists.write_text("#!/bin/sh\ncase $1 in :charset=4*) echo Sans;; esac\n")
    lists.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert without_font(["Billing é", "Отдел", "客服", "客户"]) == "客"


def test_a_machine_that_cannot_list_its_fonts_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert without_font(["客服"]) == ""
