"""`explore` runs a workflow in every way, and what the compiler claims holds in every run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agentgraph.agent import ToolsToFinalOutputResult
from agentgraph.exceptions import UserError
from agentgraph.frontend.lower_workflow import lower
from agentgraph.handoffs import Handoff
from agentgraph.program import CompileError, check
from agentgraph.testing import Route, explore
from agentgraph.tool import FunctionTool
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.graph import trapped_agents

NO_ARGUMENTS: dict[str, Any] = {
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": False,
}


def tool(name: str, **fields: Any) -> FunctionTool:
    """A tool that fails if anything calls it."""

    async def invoked(context: object, arguments: str) -> str:
        raise AssertionError("exploring must not run the tools of a user")

    return FunctionTool(
        name=name,
        description=f"The tool {name}.",
        params_json_schema=NO_ARGUMENTS,
        on_invoke_tool=invoked,
        **fields,
    )


def never_called(*arguments: object) -> bool:
    raise AssertionError("exploring must not run the functions of a user")


def in_words(routes: list[Route]) -> list[str]:
    return [
        " ".join([*(one.what for one in route.decisions if one.by != "tool"), f"→ {route.end}"])
        for route in routes
    ]


def test_every_route_up_to_the_bound_comes_once() -> None:
    specialist = Agent(name="B", tools=[tool("look")])
    start = Agent(name="A", handoffs=[specialist])
    assert in_words(list(explore(start, 3))) == [
        "transfer_to_b look look → cut",
        "transfer_to_b look answer → answered",
        "transfer_to_b answer → answered",
        "answer → answered",
    ]


def test_guardrails_and_functions_decide_both_ways() -> None:
    @input_guardrail
    def careful(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        raise AssertionError

    agent = Agent(
        name="A",
        tools=[tool("look", is_enabled=lambda context, agent: never_called())],
        input_guardrails=[careful],
    )
    assert in_words(list(explore(agent, 1))) == [
        "careful of A trips: no look is on offer: no answer → answered",
        "careful of A trips: no look is on offer: yes look → cut",
        "careful of A trips: no look is on offer: yes answer → answered",
        "careful of A trips: yes → blocked",
    ]


def test_the_model_obeys_its_tool_choice() -> None:
    settings = ModelSettings(tool_choice="required")
    agent = Agent(name="A", tools=[tool("x"), tool("y")], model_settings=settings)
    assert in_words(list(explore(agent, 2))) == [
        "x x → cut",
        "x y → cut",
        "x answer → answered",
        "y x → cut",
        "y y → cut",
        "y answer → answered",
    ]


def test_agents_used_as_tools_run_on_the_same_bound() -> None:
    inner = Agent(name="B")
    start = Agent(name="A", tools=[inner.as_tool("ask", "Ask B.")])
    routes = list(explore(start, 3))
    assert in_words(routes) == [
        "ask answer ask → cut",
        "ask answer answer → answered",
        "answer → answered",
    ]
    assert routes[1].agents == ("A", "B", "A")


def test_the_workflow_itself_stays_as_it_was() -> None:
    start = Agent(name="A", tools=[tool("x")], handoffs=[handoff(Agent(name="B"))])
    tools, entries = list(start.tools), list(start.handoffs)
    list(explore(start, 2))
    assert start.tools == tools
    assert start.handoffs == entries
    assert start.model is None


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        next(explore(Agent(name="A"), 0))


async def test_coroutines_cannot_explore_in_their_own_thread() -> None:
    routes = explore(Agent(name="A"), 1)
    with pytest.raises(RuntimeError, match="Call it in another thread"):
        next(routes)
    assert len(await asyncio.to_thread(list, explore(Agent(name="A"), 1))) == 1


def test_a_workflow_with_errors_is_not_explored() -> None:
    with pytest.raises(CompileError, match="two tools named 'x'"):
        next(explore(Agent(name="A", tools=[tool("x"), tool("x")])))


def test_a_handoff_that_does_not_say_where_it_leads_is_named() -> None:
    async def invoked(context: object, arguments: str) -> Any:
        raise AssertionError

    entry = Handoff[Any, Any]("go", "Go.", NO_ARGUMENTS, invoked, "Somewhere")
    with pytest.raises(UserError, match="the handoff 'go' does not say"):
        next(explore(Agent(name="A", handoffs=[entry])))


# -- laws: what the compiler claims, against every run ------------------------------------------


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError


@input_guardrail
def on_topic(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    raise AssertionError


STOPS: list[Any] = [
    "run_llm_again",
    "run_llm_again",
    "stop_on_first_tool",
    {"stop_at_tool_names": ["x"]},
    lambda context, results: ToolsToFinalOutputResult(never_called()),
]
ENABLED: list[bool | Callable[..., bool]] = [True, True, True, False, never_called]


def workflows() -> st.SearchStrategy[Agent[Any]]:
    """The agents of ``teams``, as far as the first of them leads to them."""
    return teams().map(lambda agents: agents[0])


@st.composite
def teams(draw: st.DrawFn) -> list[Agent[Any]]:
    """Up to five agents with tools, handoffs, tool choices and stops of every kind."""
    size = draw(st.integers(1, 5))
    agents = [Agent(name=f"A{number}") for number in range(size)]
    for number, agent in enumerate(agents):
        names = draw(st.lists(st.sampled_from("xy"), max_size=2, unique=True))
        agent.tools = [tool(name, is_enabled=draw(st.sampled_from(ENABLED))) for name in names]
        targets = draw(st.lists(st.sampled_from(agents), max_size=2, unique_by=id))
        agent.handoffs = [
            handoff(target, is_enabled=draw(st.sampled_from(ENABLED))) for target in targets
        ]
        if number + 1 < size and draw(st.integers(0, 4)) == 0:
            inner = agents[draw(st.integers(number + 1, size - 1))]
            agent.tools.append(
                inner.as_tool("ask", "Ask.", is_enabled=draw(st.sampled_from(ENABLED)))
            )
        choices = [None, None, "none", "required", "required", "x", "transfer_to_a1", "nothing"]
        agent.model_settings = ModelSettings(tool_choice=draw(st.sampled_from(choices)))
        agent.reset_tool_choice = draw(st.booleans())
        agent.tool_use_behavior = draw(st.sampled_from(STOPS))
        if draw(st.integers(0, 2)) == 0:
            agent.output_guardrails = [polite]
        if draw(st.integers(0, 3)) == 0:
            agent.input_guardrails = [on_topic]
    return agents


DEPTH, MOST_ROUTES = 6, 400


@given(workflows())
@settings(max_examples=60)
def test_what_the_compiler_says_of_states_holds_in_every_run(start: Agent[Any]) -> None:
    assume(not any(one.severity == "error" for one in check(start)))
    analysis = Analysis(lower(start)[0])
    routes = list(islice(explore(start, DEPTH), MOST_ROUTES))
    is_complete = len(routes) < MOST_ROUTES and all(route.end != "cut" for route in routes)
    event(f"complete: {is_complete}")
    worked = {name for route in routes for name in route.agents}
    reached = {agent.name for _, agent in analysis.agents()}
    assert worked <= reached
    trapped = trapped_agents(analysis.flow(analysis.chart))
    trapped_names = {analysis.chart.agent[id].name for id in trapped}
    inner = {agent.name for part, agent in analysis.agents() if part is not analysis.chart}
    for route in routes:
        if route.end == "answered":
            assert not trapped_names - inner & set(route.agents)
    judged = {
        decision.what.split(" trips")[0]
        for route in routes
        for decision in route.decisions
        if decision.by == "guardrail"
    }
    can_run = {
        f"{row.name} of {agent.name}"
        for _, agent in analysis.agents()
        for row in (*agent.input_guardrails, *agent.output_guardrails)
        if analysis.runs(agent, row)
    }
    assert judged <= can_run
    called = {call for route in routes for call in calls_of(route)}
    callable_names = {
        (part.agent[state.agent].name, names[lane.symbol])
        for part in analysis.parts
        for names in [{one.symbol: one.name for agent in part.agents for one in agent.tools}]
        for state, lane in analysis.flow(part).lanes
        if lane.symbol in names
    }
    assert called <= callable_names
    ended = {route.agents[-1] for route in routes if route.end == "answered"}
    flow = analysis.flow(analysis.chart)
    last = {analysis.chart.agent[id].name for id in flow.last_agents}
    if not inner:
        assert ended <= last
    if is_complete:
        assert worked == reached
        assert judged == can_run
        assert called == callable_names
        assert inner or ended == last


def calls_of(route: Route) -> list[tuple[str, str]]:
    """The calls of tools in a route, each with its agent."""
    choices = [decision.what for decision in route.decisions if decision.by == "model"]
    pairs = zip(route.agents, choices, strict=False)
    return [pair for pair in pairs if pair[1] in ("x", "y", "ask")]
