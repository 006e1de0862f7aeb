"""The analyses against plain definitions: where a run can be, and what holds it there."""

from __future__ import annotations

import networkx as nx
from hypothesis import given

from agentgraph_compiler.analysis.exits import can_end, trapped
from agentgraph_compiler.analysis.graph import (
    agent_graph,
    cycles_without_way_out,
    reachable_agents,
)
from agentgraph_compiler.ir.chart import Chart
from tests.compiler.test_machine_checks import workflows
from tests.compiler.workflows import support_desk


@given(workflows())
def test_an_agent_is_trapped_exactly_if_no_end_can_be_reached_from_it(workflow: Chart) -> None:
    graph = agent_graph(workflow)
    ends = {agent.id for agent in workflow.agents if can_end(agent)}
    reached = {workflow.start, *nx.descendants(graph, workflow.start)}
    caught = {agent for agent in reached if not ends & {agent, *nx.descendants(graph, agent)}}
    assert trapped(workflow) == caught


@given(workflows())
def test_a_cycle_without_way_out_is_a_cycle_that_nothing_leaves(workflow: Chart) -> None:
    graph = agent_graph(workflow)
    caught = trapped(workflow)
    for cycle in cycles_without_way_out(workflow, caught):
        assert all(
            graph.has_edge(here, there)
            for here, there in zip(cycle, (*cycle[1:], cycle[0]), strict=True)
        )
        assert len(set(cycle)) == len(cycle)
        knot = {cycle[0], *nx.descendants(graph, cycle[0])}
        assert all(cycle[0] in nx.descendants(graph, agent) | {agent} for agent in knot)


@given(workflows())
def test_every_trapped_cycle_leads_to_one_that_is_named(workflow: Chart) -> None:
    graph = agent_graph(workflow)
    caught = trapped(workflow)
    named = {agent for cycle in cycles_without_way_out(workflow, caught) for agent in cycle}
    for agent in caught:
        onward = {agent, *nx.descendants(graph, agent)}
        stuck_alone = any(not graph.out_degree(other) for other in onward)
        assert onward & named or stuck_alone


@given(workflows())
def test_reachable_agents_of_the_root_are_those_that_handoffs_reach(workflow: Chart) -> None:
    graph = agent_graph(workflow)
    reached = {agent.id for part, agent in reachable_agents(workflow) if part is workflow}
    assert reached == {workflow.start, *nx.descendants(graph, workflow.start)}


def test_agents_used_as_tools_are_reached_in_their_own_chart() -> None:
    workflow = support_desk()
    places = {(part.name, agent.name) for part, agent in reachable_agents(workflow)}
    assert ("fraud_desk", "Fraud desk") in places
    assert ("Support desk", "Human") in places
