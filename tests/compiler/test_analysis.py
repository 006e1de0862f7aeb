"""The analysis of states against plain definitions: where a run can be, and what holds it there."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.analysis.graph import circles_without_way_out, trapped_agents
from agentgraph_compiler.analysis.knots import knots
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Choice,
    ChoiceKind,
    Enabled,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.machine import Premise, WorkKind
from tests.compiler.test_machine_checks import workflows
from tests.compiler.workflows import ALWAYS_CALLS, chart, function, guardrail, support_desk, to

FIRST_CALLS = Choice(ChoiceKind.SOME)


def graph_of(flow: Flow) -> nx.MultiDiGraph[int]:
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(flow.places)))
    graph.add_edges_from((place, to) for place, rows in enumerate(flow.rows) for _, to in rows)
    return graph


GRAPHS = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, n - 1)), min_size=n, max_size=n)
)


@given(GRAPHS)
def test_two_places_are_in_one_knot_exactly_if_each_leads_to_the_other(
    targets: list[list[int]],
) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(targets)))
    graph.add_edges_from((place, to) for place, row in enumerate(targets) for to in row)
    knot_of = knots(targets)
    expected = {frozenset(part) for part in nx.strongly_connected_components(graph)}
    parts: dict[int, set[int]] = {}
    for place, knot in enumerate(knot_of):
        parts.setdefault(knot, set()).add(place)
    assert {frozenset(part) for part in parts.values()} == expected
    assert all(knot_of[place] >= knot_of[to] for place, row in enumerate(targets) for to in row)


@given(GRAPHS)
def test_a_search_follows_what_the_circles_that_it_closes_add(targets: list[list[int]]) -> None:
    """A handoff on a circle comes back to an agent that has acted: here the place after it."""
    expected = [list(row) for row in targets]
    waiting = [(place, to) for place, row in enumerate(targets) for to in row if to % 2 == 0]
    while True:
        knot_of = knots(expected)
        closed = [(place, to) for place, to in waiting if knot_of[place] == knot_of[to]]
        if not closed:
            break
        waiting = [one for one in waiting if one not in closed]
        for place, target in closed:
            expected[place].append((target + 1) % len(targets))

    def arrive(place: int, at: int) -> None:
        if at < numbers[place] and targets[place][at] % 2 == 0:
            targets[place].append((targets[place][at] + 1) % len(targets))

    numbers = [len(row) for row in targets]
    knot_of = knots(targets, arrive)
    assert list(map(sorted, targets)) == list(map(sorted, expected))
    others = knots(expected)
    pairs = set(zip(knot_of, others, strict=True))
    assert len(pairs) == len(set(knot_of)) == len(set(others))


@given(workflows())
def test_a_place_is_trapped_exactly_if_a_run_reaches_it_and_no_end_from_it(
    workflow: Chart,
) -> None:
    flow = Flow(workflow)
    graph = graph_of(flow)
    done = flow.at("done")
    for place in range(len(flow.places)):
        is_reached = any(nx.has_path(graph, root, place) for root in flow.roots)
        assert (place in flow.reached) is is_reached
        assert (place in flow.trapped) is (is_reached and not nx.has_path(graph, place, done))


@given(workflows())
def test_a_circle_without_way_out_is_a_circle_of_trapped_agents_that_nothing_leaves(
    workflow: Chart,
) -> None:
    flow = Flow(workflow)
    trapped, handoffs = trapped_agents(flow), set(flow.handoffs())
    graph = nx.DiGraph(pair for pair in handoffs if trapped.issuperset(pair))
    for circle in circles_without_way_out(flow):
        assert set(zip(circle, (*circle[1:], circle[0]), strict=True)) <= handoffs
        assert len(set(circle)) == len(circle)
        knot = {circle[0], *nx.descendants(graph, circle[0])}
        assert all(circle[0] in nx.descendants(graph, agent) | {agent} for agent in knot)


@given(workflows())
def test_every_trapped_circle_leads_to_one_that_is_named(workflow: Chart) -> None:
    flow = Flow(workflow)
    trapped = trapped_agents(flow)
    graph = nx.DiGraph()
    graph.add_nodes_from(trapped)
    graph.add_edges_from(pair for pair in flow.handoffs() if trapped.issuperset(pair))
    named = {agent for circle in circles_without_way_out(flow) for agent in circle}
    for agent in trapped:
        onward = {agent, *nx.descendants(graph, agent)}
        stuck_alone = any(not graph.out_degree(other) for other in onward)
        assert onward & named or stuck_alone


def test_agents_used_as_tools_are_reached_in_their_own_chart() -> None:
    agents = {(part.name, agent.name) for part, agent in Analysis(support_desk()).agents()}
    assert ("fraud_desk", "Fraud desk") in agents
    assert ("Support desk", "Human") in agents


def test_an_agent_with_a_first_tool_choice_answers_once_it_has_acted() -> None:
    flow = Flow(chart(Agent("a", "A", tools=(function("a", "x"),), choice=FIRST_CALLS)))
    fresh, acted = flow.at("a.thinking"), flow.at("a.thinking", acted=True)
    assert fresh != acted
    ending = flow.at("a.ending", acted=True)
    assert [to for _, to in flow.rows[fresh]] == [flow.at("a.acting")]
    assert {to for _, to in flow.rows[acted]} >= {ending, flow.at("a.acting", acted=True)}
    assert not flow.trapped & {fresh, acted}


def test_an_agent_comes_back_as_acted_only_over_a_circle_of_handoffs() -> None:
    """A must hand off at first, so only a handoff back lets it answer."""
    one_way = chart(
        Agent("s", "S", handoffs=(to("s", "a"),)),
        Agent("a", "A", handoffs=(to("a", "b"),), choice=FIRST_CALLS),
        Agent("b", "B", tools=(function("b", "x"),), choice=ALWAYS_CALLS),
    )
    assert trapped_agents(Flow(one_way)) == {"a", "b"}
    circle = chart(
        Agent("a", "A", handoffs=(to("a", "b"),), choice=FIRST_CALLS),
        Agent("b", "B", handoffs=(to("b", "a"),), choice=ALWAYS_CALLS),
    )
    assert not trapped_agents(Flow(circle))


CHOICES = {
    # The choice, and what an obedient model does on its first turn and on later ones.
    "free": (Choice(), "answers x y hands", "answers x y hands"),
    "no call": (Choice(ChoiceKind.NONE), "answers", "answers"),
    "some call": (FIRST_CALLS, "x y hands", "answers x y hands"),
    "some call, kept": (ALWAYS_CALLS, "x y hands", "x y hands"),
    "a tool": (Choice(ChoiceKind.NAMED, ("x",)), "x", "answers x y hands"),
    "a tool, kept": (Choice(ChoiceKind.NAMED, ("x",), resets=False), "x", "x"),
    "a handoff": (Choice(ChoiceKind.NAMED, ("transfer_to_b",)), "hands", ""),
    "a tool that is not on every turn": (
        Choice(ChoiceKind.NAMED, ("y",), resets=False),
        "answers x y hands",
        "answers x y hands",
    ),
    "nothing on offer": (Choice(ChoiceKind.NAMED, ("z",)), *["answers x y hands"] * 2),
}


def moves_at(flow: Flow, *, acted: bool) -> str:
    place = flow.at("a.thinking", acted=acted)
    if place not in flow.reached:
        return ""
    targets = {flow.places[to].state.id for _, to in flow.rows[place]}
    words = ["answers"] if "a.ending" in targets else []
    if "a.acting" in targets:
        acting = flow.places[flow.at("a.acting", acted=acted)]
        words += [lane.symbol.rpartition("/")[2] for lane in flow.lanes_of(acting)]
    words += ["hands"] if any(id.startswith("a.handoff.") for id in targets) else []
    return " ".join(words)


@pytest.mark.parametrize("case", CHOICES)
def test_the_tool_choice_says_what_an_obedient_model_does(case: str) -> None:
    choice, first, later = CHOICES[case]
    tools = (function("a", "x"), function("a", "y", enabled=Enabled.SOMETIMES))
    flow = Flow(
        chart(
            Agent("a", "A", tools=tools, handoffs=(to("a", "b"),), choice=choice),
            Agent("b", "B"),
        )
    )
    assert moves_at(flow, acted=False) == first
    assert moves_at(flow, acted=True) == later


def test_hosted_tools_beside_a_required_call_leave_the_answer_open() -> None:
    tools = (function("a", "x"), Tool("", "web_search", None))
    flow = Flow(chart(Agent("a", "A", tools=tools, choice=ALWAYS_CALLS)))
    assert moves_at(flow, acted=False) == "answers x"
    prompt = Choice(ChoiceKind.SOME, resets=False, hosted=True)
    flow = Flow(chart(Agent("a", "A", tools=tools[:1], choice=prompt)))
    assert moves_at(flow, acted=False) == "answers x"


def after_calls(stop: Stop, *tools: Tool, choice: Choice = ALWAYS_CALLS) -> set[str]:
    flow = Flow(chart(Agent("a", "A", tools=tools, stop=stop, choice=choice)))
    targets = (flow.places[to].state.id for _, to in flow.rows[flow.at("a.acting")])
    return {id.removeprefix("a.") for id in targets if id.startswith("a.")}


def test_calls_lead_only_where_the_tools_on_offer_can_lead() -> None:
    x, y = function("a", "x"), function("a", "y")
    server = function("a", "docs", server=True, enabled=Enabled.SOMETIMES)
    action = Tool("a/tool/screen", "screen", WorkKind.ACTION)
    first, named = Stop(StopKind.FIRST), Stop(StopKind.NAMED, ("x",))
    assert after_calls(Stop(), x) == {"thinking"}
    assert after_calls(first, x) == {"ending"}
    assert after_calls(first, x, action) == {"ending", "thinking"}
    assert after_calls(first, action) == {"thinking"}
    assert after_calls(named, x) == {"ending"}
    assert after_calls(named, x, y) == {"ending", "thinking"}
    assert after_calls(named, y) == {"thinking"}
    assert after_calls(named, y, server) == {"ending", "thinking"}
    only_y = Choice(ChoiceKind.NAMED, ("y",), resets=False)
    assert after_calls(named, x, y, choice=only_y) == {"thinking"}
    only_x = Choice(ChoiceKind.NAMED, ("x",), resets=False)
    assert after_calls(named, x, y, choice=only_x) == {"ending"}


def test_each_start_runs_its_input_guardrails() -> None:
    agents = (
        Agent("a", "A", handoffs=(to("a", "b"), to("a", "c"))),
        Agent("b", "B", input_guardrails=(guardrail("b", "careful"),)),
        Agent(
            "c",
            "C",
            handoffs=(to("c", "a"),),
            choice=ALWAYS_CALLS,
            input_guardrails=(guardrail("c", "careful", parallel=False),),
        ),
    )

    def running(**fields: object) -> set[str]:
        analysis = Analysis(build("W", "a", agents, **fields))  # type: ignore[arg-type]
        return {
            agent.id
            for agent in agents
            for row in agent.input_guardrails
            if analysis.runs(agent, row)
        }

    assert running() == set()
    assert running(starts=("c",)) == {"c"}
    # A chat goes on with B, which can be last, and never with C, which cannot.
    assert running(multi_turn=True) == {"b"}
    assert running(multi_turn=True, starts=("c",)) == {"b", "c"}


def test_two_agents_of_one_factory_are_two_agents() -> None:
    twins = [
        Agent(id, "Twin", identity=number, output_guardrails=(guardrail(id, "polite"),))
        for number, id in enumerate(("t", "t_2"), 1)
    ]
    workflow = chart(Agent("a", "A", handoffs=(to("a", "t"),)), *twins, declared=True)
    analysis = Analysis(workflow)
    assert [analysis.runs(twin, twin.output_guardrails[0]) for twin in twins] == [True, False]


def test_a_row_that_rests_on_obedience_names_the_premise() -> None:
    flow = chart(Agent("a", "A", tools=(function("a", "x"),), choice=ALWAYS_CALLS))
    rows = flow.state["a.thinking"].transitions
    assert {row.against for row in rows if row.target == "a.ending"} == {Premise.CHOICE}
    assert {row.against for row in rows if row.target == "a.acting"} == {Premise.NONE}
