"""`draw_graph` as in the published SDK, with guardrails and true ends
(docs/design/behaviour.md, section 13)."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import graphviz  # type: ignore[import-untyped]
import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    UserError,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agentgraph.extensions.visualization import (
    draw_graph,
    get_all_edges,
    get_all_nodes,
    get_main_graph,
)


@function_tool
def lookup(key: str) -> str:
    """Look something up."""
    return key


@input_guardrail
def on_topic(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


FORCED = ModelSettings(tool_choice="required")


def desk() -> Agent[Any]:
    billing = Agent[Any](name="Billing", tools=[lookup], output_guardrails=[polite])
    legal = Agent[Any](name="Legal")
    return Agent[Any](
        name="Triage", handoffs=[billing, handoff(legal)], input_guardrails=[on_topic]
    )


TERMINAL = "shape=ellipse, style=filled, fillcolor=lightblue, width=0.5, height=0.3"
FIRST = "shape=box, style=filled, fillcolor=lightyellow, width=1.5, height=0.8"
LATER = 'shape=box, style="filled,rounded", fillcolor=lightyellow, width=1.5, height=0.8'
TOOL = "shape=ellipse, style=filled, fillcolor=lightgreen, width=0.5, height=0.3"


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("__start__", TERMINAL),
        ("__end__", TERMINAL),
        ("Triage", FIRST),
        ("Billing", LATER),
        ("Legal", LATER),
        ("lookup", TOOL),
    ],
)
def test_every_thing_is_one_node_that_looks_as_in_the_sdk(name: str, look: str) -> None:
    assert get_all_nodes(desk()).count(f'"{name}" [label="{name}", {look}];') == 1


def test_edges_lead_from_the_start_over_handoffs_and_to_tools_and_back() -> None:
    edges = get_all_edges(desk())
    for expected in (
        '"__start__" -> "Triage";',
        '"Triage" -> "Billing";',
        '"Triage" -> "Legal";',
        '"Billing" -> "lookup" [style=dotted, penwidth=1.5];',
        '"lookup" -> "Billing" [style=dotted, penwidth=1.5];',
    ):
        assert edges.count(expected) == 1


def test_guardrails_are_shown() -> None:
    graph = get_main_graph(desk())
    assert '"on_topic" -> "Triage" [style=dotted' in graph
    assert '"Billing" -> "polite" [style=dotted' in graph
    assert '"polite" [label="polite", shape=octagon' in graph


def test_mcp_servers_are_boxes_with_dashed_edges() -> None:
    agent = Agent[Any](name="A")
    agent.mcp_servers = [SimpleNamespace(name="files")]
    graph = get_main_graph(agent)
    assert '"files" [label="files", shape=box, style=filled, fillcolor=lightgrey' in graph
    assert '"A" -> "files" [style=dashed, penwidth=1.5];' in graph
    assert '"files" -> "A" [style=dashed, penwidth=1.5];' in graph


def test_the_end_is_reached_from_every_agent_that_can_end_a_run() -> None:
    router = Agent[Any](
        name="Router",
        handoffs=[Agent[Any](name="Clerk")],
        model_settings=FORCED,
        reset_tool_choice=False,
    )
    edges = get_all_edges(router)
    assert '"Clerk" -> "__end__";' in edges
    assert '"Router" -> "__end__";' not in edges
    router.tool_use_behavior = "stop_on_first_tool"
    assert '"Router" -> "__end__";' not in get_all_edges(router), "it has no tool to stop on"
    router.tools = [lookup]
    assert '"Router" -> "__end__";' in get_all_edges(router)


def test_a_guardrail_that_can_never_run_says_so() -> None:
    clerk = Agent[Any](name="Clerk", input_guardrails=[on_topic])
    graph = get_main_graph(Agent[Any](name="Router", handoffs=[clerk], input_guardrails=[on_topic]))
    assert '"on_topic" -> "Router"' in graph
    assert '"on_topic (never runs)" -> "Clerk"' in graph


def test_a_tool_that_agents_share_is_one_node_and_a_tool_named_like_an_agent_another() -> None:
    clerk = Agent[Any](name="lookup", tools=[lookup])
    graph = get_main_graph(Agent[Any](name="Router", tools=[lookup], handoffs=[clerk]))
    assert graph.count("fillcolor=lightgreen") == 1
    assert '"Router" -> "lookup (2)" [style=dotted' in graph
    assert '"lookup" -> "lookup (2)" [style=dotted' in graph


def test_a_handoff_disabled_for_good_is_drawn_in_grey() -> None:
    router = Agent[Any](name="Router", handoffs=[handoff(Agent[Any](name="B"), is_enabled=False)])
    assert '"Router" -> "B" [color=lightgrey];' in get_all_edges(router)


def test_cycles_end_and_a_long_chain_needs_no_recursion() -> None:
    first = Agent[Any](name="a0")
    last = first
    for number in range(1, 3_000):
        following = Agent[Any](name=f"a{number}")
        last.handoffs.append(following)
        last = following
    last.handoffs.append(first)
    graph = get_main_graph(first)
    assert graph.count('"a2999" -> "a0";') == 1
    assert graph.count("fillcolor=lightyellow") == 3_000


def test_agents_of_one_name_are_two_nodes() -> None:
    other = Agent[Any](name="A", handoffs=[Agent[Any](name="A", handoffs=[])])
    graph = get_main_graph(other)
    assert '"A" -> "A (2)";' in graph
    assert '"A (2)" [label="A",' in graph


def test_an_agent_called_like_a_terminal_is_not_the_terminal() -> None:
    edges = get_all_edges(Agent[Any](name="__end__"))
    assert '"__start__" -> "__end__ (2)";' in edges


def test_names_given_as_visited_are_left_out_and_those_written_are_added() -> None:
    visited = {"Billing"}
    nodes = get_all_nodes(desk(), parent=Agent[Any](name="X"), visited=visited)
    assert "__start__" not in nodes
    assert '"Billing"' not in nodes
    assert visited == {"Billing", "Triage", "Legal"}


def test_what_only_a_visited_agent_leads_to_is_left_out() -> None:
    last = Agent[Any](name="Last")
    first = Agent[Any](name="First", handoffs=[Agent[Any](name="Middle", handoffs=[last])])
    assert get_all_edges(first, visited={"Middle"}) == (
        '"__start__" -> "First";\n"First" -> "Middle";\n"First" -> "__end__";'
    )


def test_the_parts_of_a_graph_go_into_the_graph_of_another_agent() -> None:
    nodes = get_all_nodes(desk(), parent=Agent[Any](name="X"))
    assert '"Triage" [' not in nodes, "the parent has drawn it"
    assert '"Billing" [' in nodes
    assert "__start__" not in get_all_edges(desk(), parent=Agent[Any](name="X"))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_names_cannot_break_out_and_the_file_is_a_png(tmp_path: Path) -> None:
    agent = Agent[Any](name='a "quoted" \\N\nname\x00', handoffs=[Agent[Any](name="plain")])
    drawing = draw_graph(agent, str(tmp_path / "graph"))
    assert isinstance(drawing, graphviz.Source)
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert '"a \\"quoted\\" \\\\N\\nname " -> "plain";' in drawing.source


def test_without_a_file_name_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "digraph G" in draw_graph(desk()).source
    assert list(tmp_path.iterdir()) == []


def test_a_missing_graphviz_is_a_user_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="Graphviz"):
        draw_graph(desk(), str(tmp_path / "graph"))
