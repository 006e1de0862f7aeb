"""Drawings of every ordinary shape: none fails, none hangs, and none hides an agent."""

from __future__ import annotations

import dataclasses
import resource
import shutil
from collections.abc import Callable

import networkx as nx
import pytest
from hypothesis import given, settings

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.layout import draw
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.order import order_of
from agentgraph_compiler.render.picture import Picture
from agentgraph_compiler.render.tree import to_tree
from agentgraph_compiler.render.view import View, picture_of
from tests.compiler.drawn_shapes import SHAPES, ring, star, tree
from tests.compiler.test_machine_checks import workflows

SECONDS = 10.0
VIEWS = {
    "agents": View(),
    "states": View("states"),
    "every state": View("states", fold=False),
}
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def seconds_of_children() -> float:
    """The processor time of the finished processes that this one started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drawn_edges(picture: Picture) -> nx.DiGraph:
    """The edges that Graphviz ranks, read back from the DOT."""
    graph = nx.DiGraph()
    for line in to_dot(picture).splitlines():
        source, arrow, rest = line.strip().partition(" -> ")
        if arrow:
            graph.add_edge(source, rest.split(" ")[0])
    return graph


@needs_dot
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [7, 25, 50])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_shape_is_laid_out_in_time(
    shape: Callable[[int], Chart], size: int, view: str
) -> None:
    picture, before = picture_of(shape(size), VIEWS[view]), seconds_of_children()
    # The limit of the clock is only for a machine that does other work as well.
    svg = draw(picture, "svg", timeout=12 * SECONDS).decode()
    assert seconds_of_children() - before < SECONDS
    names = {f"Agent {number}" for number in range(size)}
    assert all(f">{name}<" in svg for name in names)


@needs_dot
def test_a_graph_that_graphviz_cannot_rank_is_laid_out_in_another_form() -> None:
    """Graphviz 2.43 cannot rank the first form of this one."""
    svg = draw(picture_of(ring(16), VIEWS["every state"]), "svg").decode()
    assert all(f">Agent {number}<" in svg for number in range(16))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [9, 25])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_graphviz_gets_no_cycles(shape: Callable[[int], Chart], size: int, view: str) -> None:
    graph = drawn_edges(picture_of(shape(size), VIEWS[view]))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    assert nx.is_directed_acyclic_graph(graph)


@given(workflows())
@settings(max_examples=25)
def test_boxes_of_a_frame_stand_together_in_the_order(workflow: Chart) -> None:
    for view in VIEWS.values():
        picture = picture_of(workflow, view)
        place = order_of(picture)
        assert sorted(place.values()) == list(range(len(place)))
        for frame in picture.root.frames:
            inside = [place[box.id] for box in frame.walk()]
            assert max(inside) - min(inside) == len(inside) - 1


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_formats_of_text_show_every_agent(shape: Callable[[int], Chart]) -> None:
    picture = picture_of(shape(50))
    for text in (to_tree(picture), to_mermaid(picture)):
        assert all(f"Agent {number}" in text for number in range(50))


def test_like_arrows_of_a_large_picture_become_one_to_a_frame() -> None:
    few, many = (to_dot(picture_of(star(size))) for size in (7, 25))
    assert few.count("lhead") == 0
    assert few.count(" -> ") == 7
    assert many.count("lhead=cluster_all_agent_a1") == 1
    assert many.count("style=invis") == many.count(" -> ") - 2
    assert "one to each agent in the frame" in many


def test_arrows_that_differ_are_not_bundled() -> None:
    """Teams behind a leader: only the leaves have one arrow, not the leaders."""
    picture = picture_of(tree(50))
    source = to_dot(picture)
    assert source.count("lhead") == 6
    for leader in range(1, 7):
        assert f"agent_a0 -> agent_a{leader} [" in source


def test_teams_that_a_run_reaches_through_one_agent_have_a_frame() -> None:
    frames = picture_of(tree(50)).root.frames
    assert [frame.title for frame in frames] == [
        f"reached only through Agent {number}" for number in range(1, 7)
    ]
    assert {len(frame.boxes) for frame in frames} == {8}
    assert picture_of(tree(8)).root.frames == []
    assert picture_of(star(25)).root.frames == []


def test_a_team_has_no_frame_if_runs_also_start_inside_it() -> None:
    workflow = dataclasses.replace(tree(50), starts=("a7", "a14"))
    titles = [frame.title for frame in picture_of(workflow).root.frames]
    inside = {workflow.agent[id].name for id in workflow.starts}
    boxes = {box.title for frame in picture_of(workflow).root.frames for box in frame.boxes}
    assert titles
    assert not inside & boxes
