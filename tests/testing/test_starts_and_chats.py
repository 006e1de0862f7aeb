"""What the compiler claims for several starts and for chats holds in every run of a project.

A project begins runs with some agents of a workflow. In a chat, the next run begins with the agent
that was last: `Runner.run(result.last_agent, …)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from agentgraph import Agent, ModelSettings, Workflow
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.targets import target_of
from agentgraph.program import check
from agentgraph.testing import Route
from agentgraph.testing.choices import Planned
from agentgraph.testing.conditions import Conditions
from agentgraph.testing.decisions import Exhaustive
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.weights import ROUTING, Weights
from agentgraph_compiler import pipeline
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import bounds
from agentgraph_compiler.analysis.graph import trapped_agents
from agentgraph_compiler.ir.text import print_chart
from tests.testing.test_bounds_of_runs import with_single_calls
from tests.testing.test_exploring import calls_of, on_topic, teams

DEPTH, MOST_ROUTES = 5, 150


@dataclass(frozen=True, repr=False)
class Project:
    """A workflow, and how its project begins runs.

    Attributes:
        agents: All of them; the workflow declares them and starts with the first.
        starts: The further agents that runs start with.
        is_chat: Whether runs go on with the agent that was last.
    """

    agents: Sequence[Agent[Any]]
    starts: Sequence[Agent[Any]]
    is_chat: bool

    def __repr__(self) -> str:
        return print_chart(self.analysis.chart, origins=False)

    @property
    def workflow(self) -> Workflow:
        return Workflow("Project", start=self.agents[0], agents=list(self.agents))

    @cached_property
    def analysis(self) -> Analysis:
        chart, _ = lower(self.workflow, starts=self.starts, multi_turn=self.is_chat)
        return Analysis(chart)

    @cached_property
    def routes(self) -> dict[str, list[Route]]:
        """Every route of every run, by the name of the agent that the run starts with."""
        routes: dict[str, list[Route]] = {}
        for first in (self.agents[0], *self.starts):
            simulation = Simulation(first, Conditions(depth=DEPTH, filters=False))
            waiting: list[tuple[Any, Any]] = [(simulation.start, "Go on.")]
            while waiting:
                start, said = waiting.pop()
                if start.name in routes:
                    continue
                routes[start.name] = list(every_route(simulation, start, said))
                for route in routes[start.name] if self.is_chat else ():
                    if route.end == "answered" and route.result is not None:
                        more = {"role": "user", "content": "And then?"}
                        history = [*route.result.to_input_list(), more]
                        waiting.append((route.result.last_agent, history))
        return routes

    @cached_property
    def all_routes(self) -> list[Route]:
        return [route for routes in self.routes.values() for route in routes]

    @property
    def is_complete(self) -> bool:
        """Whether the routes are all that there are, each to its end."""
        few = all(len(routes) < MOST_ROUTES for routes in self.routes.values())
        return few and all(route.end != "cut" for route in self.all_routes)


def every_route(simulation: Simulation, start: Any, said: Any) -> Iterator[Route]:
    weights = Weights(None, ROUTING)
    for choices in islice(Planned.every(), MOST_ROUTES):
        decisions = Exhaustive(choices, weights)
        yield simulation.in_loop(simulation.play(decisions, start, said))


@st.composite
def projects(draw: st.DrawFn) -> Project:
    agents = draw(teams())
    is_chat = len(agents) > 1 and draw(st.booleans())
    if not is_chat:
        starts = draw(st.lists(st.sampled_from(agents[1:] or agents), max_size=2, unique_by=id))
        return Project(agents, [agent for agent in starts if agent is not agents[0]], is_chat)
    # Most chats come to a specialist, and some specialists have what only a start has.
    for agent, onward in pairwise(agents):
        if onward not in map(target_of, agent.handoffs) and draw(st.integers(0, 3)):
            agent.handoffs.append(onward)
        if draw(st.booleans()):
            onward.input_guardrails = [on_topic]
            onward.model_settings = ModelSettings()
    return Project(agents, draw(st.sampled_from([[], [], agents[1:2]])), is_chat)


def assume_that_runs_begin(project: Project) -> None:
    """Leave out projects in which a run is refused."""
    sources = (project.workflow, *project.agents)
    assume(not any(one.severity == "error" for source in sources for one in check(source)))


@given(projects())
@settings(max_examples=20)
def test_what_holds_for_a_set_of_starts_and_for_chats_holds_in_every_run(project: Project) -> None:
    assume_that_runs_begin(project)
    analysis, routes = project.analysis, project.all_routes
    flow = analysis.flow(analysis.chart)
    event(f"complete: {project.is_complete}, chat: {project.is_chat}")
    inner = {agent.name for part, agent in analysis.agents() if part is not analysis.chart}
    worked = {name for route in routes for name in route.agents}
    reached = {agent.name for _, agent in analysis.agents()}
    judged = {
        (decision.agent, decision.name)
        for route in routes
        for decision in route.decisions
        if decision.by == "guardrail"
    }
    can_run = {
        (agent.name, row.name)
        for _, agent in analysis.agents()
        for row in (*agent.input_guardrails, *agent.output_guardrails)
        if analysis.runs(agent, row)
    }
    called = {call for route in routes for call in calls_of(route)}
    callable_names = {
        (part.agent[state.agent].name, names[lane.symbol])
        for part in analysis.parts
        for names in [{one.symbol: one.name for agent in part.agents for one in agent.tools}]
        for state, lane in analysis.flow(part).lanes
        if lane.symbol in names
    }
    answered = [route for route in routes if route.end == "answered"]
    ended = {str(route.last_agent) for route in answered}
    last = {analysis.chart.agent[id].name for id in flow.last_agents}
    trapped = {analysis.chart.agent[id].name for id in trapped_agents(flow)} - inner
    assert worked <= reached
    assert judged <= can_run
    assert called <= callable_names
    assert ended <= last
    assert not any(trapped & set(route.agents) for route in answered)
    if project.is_complete:
        assert worked == reached
        assert judged == can_run
        assert called == callable_names
        assert ended == last


@given(projects())
@settings(max_examples=20)
def test_the_rules_about_reach_and_guardrails_speak_of_what_no_run_does(project: Project) -> None:
    assume_that_runs_begin(project)
    findings = pipeline.check(project.analysis.chart)
    messages = {
        code: " ".join(one.message for one in findings if one.rule.code == code) for code in CODES
    }
    worked = {name for route in project.all_routes for name in route.agents}
    judged = {
        (decision.agent, decision.name)
        for route in project.all_routes
        for decision in route.decisions
        if decision.by == "guardrail"
    }
    event(f"complete: {project.is_complete}, chat: {project.is_chat}")
    reported = {agent.name for agent in project.agents if f"'{agent.name}'" in messages["AG201"]}
    assert not reported & worked
    for code, name in (("AG501", "on_topic"), ("AG502", "polite")):
        silent = {
            agent.name
            for agent in project.agents
            if f"of agent '{agent.name}'" in messages[code]
            or f"agent '{agent.name}' never" in messages[code]
        }
        assert not {agent for agent, guardrail in judged if guardrail == name} & silent
        if project.is_complete:
            guarded = {
                agent.name
                for agent in project.agents
                if (agent.input_guardrails if code == "AG501" else agent.output_guardrails)
            }
            ran = {agent for agent, guardrail in judged if guardrail == name}
            assert (guarded & worked) - ran == silent
    bypassing = {
        agent.name
        for agent in project.agents
        if f"answer of agent '{agent.name}'" in messages["AG503"]
    }
    if project.is_complete:
        bypassed = {
            name
            for route in project.all_routes
            if route.end == "answered" and route.last_agent not in guarded_of(project)
            for name in route.agents
        }
        assert bypassing <= bypassed


CODES = ("AG201", "AG501", "AG502", "AG503")


def guarded_of(project: Project) -> set[str]:
    return {agent.name for agent in project.agents if agent.output_guardrails}


@given(projects())
@settings(max_examples=12)
def test_the_bounds_of_each_start_are_those_of_its_runs(project: Project) -> None:
    assume_that_runs_begin(project)
    for agent in project.agents:
        with_single_calls(agent)
    of_starts = {one.start: one.model_calls for one in bounds(project.analysis)}
    assert project.routes.keys() <= of_starts.keys()
    for start, routes in project.routes.items():
        counts = [len(route.agents) for route in routes]
        least, most = of_starts[start].least, of_starts[start].most
        assert most is None or max(counts) <= most
        good = [len(route.agents) for route in routes if route.end == "answered"]
        assert not good or (least is not None and least <= min(good))
        if len(routes) < MOST_ROUTES and least is not None and least <= DEPTH:
            assert least == min(good)
        if len(routes) < MOST_ROUTES and all(route.end != "cut" for route in routes):
            assert most == max(counts)
    if project.is_complete:
        assert project.routes.keys() == of_starts.keys()
