"""What bounds count, how far they go, and why: one workflow for each rule of the reckoning."""

from __future__ import annotations

from typing import Any

import pytest

import agentgraph
from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    ModelRetrySettings,
    ModelSettings,
    Runner,
    WebSearchTool,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph.run_config import DEFAULT_MAX_TURNS
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import RunBounds, bounds
from agentgraph_compiler.analysis.turns import fewest_turns
from agentgraph_compiler.analysis.walks import in_words
from agentgraph_compiler.ir.chart import USUAL_TURNS

ONE_CALL = ModelSettings(parallel_tool_calls=False)
MUST_CALL = ModelSettings(parallel_tool_calls=False, tool_choice="required")


@function_tool
def look(text: str) -> str:
    """Look it up."""
    return text


def of(agent: Agent[Any], **options: Any) -> RunBounds:
    return agentgraph.compile(agent).bounds(**options)


def words(result: RunBounds) -> list[str]:
    return [str(bound) for _, bound in result.rows()]


def clerk(name: str = "Clerk", settings: ModelSettings = ONE_CALL, **fields: Any) -> Agent[Any]:
    return Agent(name=name, tools=[look], model_settings=settings, **fields)


def test_the_usual_number_of_turns_is_that_of_a_run() -> None:
    assert USUAL_TURNS == DEFAULT_MAX_TURNS


def test_an_agent_alone_is_asked_once() -> None:
    result = of(Agent(name="A"))
    assert words(result)[0] == "1 to 1"
    assert (result.model_calls.least_path, result.model_calls.why) == (("A",), "")


def test_turns_bound_an_agent_with_a_tool() -> None:
    result = of(clerk(), max_turns=3)
    # The third turn may call the tool as well: the run then has no turn left.
    assert words(result) == ["1 to 3", "1 to 12", "0 to 3", "0 to 0"]
    assert result.model_calls.why == "max_turns=3"
    assert result.model_calls.most_path == ("Clerk",) * 3
    assert result.requests.why == "max_turns=3, up to 4 tries of a call"


def test_the_tries_of_a_call_count_as_requests() -> None:
    settings = ModelSettings(retry=ModelRetrySettings(max_retries=0))
    assert words(of(Agent(name="A", model_settings=settings)))[1] == "1 to 1"


def test_without_a_limit_a_circle_has_no_bound_and_a_line_has_one() -> None:
    result = of(clerk(), max_turns=None)
    assert result.model_calls.most is None
    assert result.model_calls.why == "nothing limits the turns of the run"
    line = Agent(name="A", handoffs=[Agent(name="B")])
    assert words(of(line, max_turns=None)) == ["1 to 2", "1 to 8", "0 to 0", "0 to 1"]


def test_calls_in_one_reply_have_no_bound_unless_the_request_has_one() -> None:
    free = of(Agent(name="A", tools=[look]))
    assert free.model_calls.most == 10
    assert free.tool_calls.most is None
    assert free.tool_calls.why == "a reply may call 'look' any number of times"
    assert "parallel_tool_calls=False" in of(clerk()).notes[0]


def test_an_agent_tool_multiplies_its_turns() -> None:
    tool = clerk("B").as_tool("ask", "Ask.", max_turns=3)
    result = of(Agent(name="A", tools=[tool], model_settings=MUST_CALL), max_turns=2)
    assert words(result) == ["3 to 8", "3 to 32", "1 to 8", "0 to 0"]
    assert result.model_calls.least_path == ("A", "B", "A")
    assert result.model_calls.most_path == ("A", "B", "B", "B", "A", "B", "B", "B")
    free = of(Agent(name="A", tools=[tool]))
    assert free.model_calls.most is None
    assert free.model_calls.why == "a reply may call 'ask' any number of times"


def test_the_cheaper_of_two_forced_calls_counts_and_a_refusal_costs_nothing() -> None:
    dear = clerk("Dear", MUST_CALL).as_tool("dear", "Dear.")
    cheap = Agent(name="Cheap").as_tool("cheap", "Cheap.")
    both = of(Agent(name="A", tools=[dear, cheap], model_settings=MUST_CALL))
    assert both.model_calls.least_path == ("A", "Cheap", "A")
    asked = Agent(name="Cheap").as_tool("cheap", "Cheap.", needs_approval=True)
    assert of(Agent(name="A", tools=[asked], model_settings=MUST_CALL)).model_calls.least == 2


def test_no_run_ends_if_the_turns_do_not_suffice() -> None:
    result = of(clerk(settings=MUST_CALL), max_turns=1)
    assert words(result)[0] == "none to 1"
    inside = clerk("B", MUST_CALL).as_tool("ask", "Ask.", max_turns=1)
    assert of(Agent(name="A", tools=[inside], model_settings=MUST_CALL)).model_calls.least is None


def test_a_dear_way_with_few_turns_wins_where_turns_are_short() -> None:
    costly = Agent(name="Costly").as_tool("ask", "Ask.")
    last = Agent(
        name="Last",
        tools=[costly],
        model_settings=MUST_CALL,
        tool_use_behavior="stop_on_first_tool",
    )
    way: Agent[Any] = Agent(name="End")
    for name in ("Z", "Y"):
        way = Agent(name=name, handoffs=[way], model_settings=MUST_CALL)
    start = Agent(name="A", handoffs=[last, way], model_settings=MUST_CALL)
    assert of(start, max_turns=10).tool_calls.least_path == ("A", "Y", "Z", "End")
    assert of(start, max_turns=3).tool_calls.least_path == ("A", "Last", "Costly")


def test_an_agent_that_comes_back_must_have_acted_to_answer() -> None:
    forced = ModelSettings(tool_choice="required")
    first, second = Agent(name="First", model_settings=forced), Agent(name="Second")
    third = Agent(name="Third", handoffs=[first], model_settings=forced)
    first.handoffs, second.handoffs = [second], [third]
    second.model_settings = ModelSettings(tool_choice="required")
    result = of(first)
    assert result.model_calls.least_path == ("First", "Second", "Third", "First")


def test_hosted_tools_let_a_reply_say_nothing() -> None:
    assert of(Agent(name="A", tools=[WebSearchTool()])).model_calls.most == 10


def test_what_is_disabled_for_good_costs_nothing() -> None:
    other = handoff(clerk(), is_enabled=False)
    assert words(of(Agent(name="A", handoffs=[other])))[0] == "1 to 1"


judge = Agent(name="Judge")


@input_guardrail
async def always_judged(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, result.final_output == "no")


@output_guardrail
async def sometimes_judged(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    if len(text) < 10:
        return GuardrailFunctionOutput(None, tripwire_triggered=False)
    result = await Runner.run(judge, text)
    return GuardrailFunctionOutput(None, result.final_output == "no")


@function_tool
async def research(text: str) -> str:
    """Research."""
    return str((await Runner.run(judge, text)).final_output)


@function_tool
async def again(text: str) -> str:
    """Do it again."""
    return str((await Runner.run(endless, text)).final_output)


endless = Agent(name="Endless", tools=[again], model_settings=ONE_CALL)


def test_a_guardrail_that_is_certain_to_run_an_agent_counts_at_both_ends() -> None:
    result = of(Agent(name="A", input_guardrails=[always_judged]))
    assert words(result)[0] == "2 to 2"
    assert result.model_calls.least_path == ("Judge", "A")
    assert result.notes == ("code of 'A' runs agent 'Judge': counted once",)


def test_a_guardrail_that_may_run_an_agent_counts_at_the_upper_end() -> None:
    assert words(of(Agent(name="A", output_guardrails=[sometimes_judged])))[0] == "1 to 2"


def test_the_code_of_a_tool_counts_with_its_calls() -> None:
    agent = Agent(name="A", tools=[research], model_settings=MUST_CALL)
    assert words(of(agent, max_turns=2))[0] == "3 to 4"


def test_an_agent_that_was_not_seen_is_named() -> None:
    agent = Agent(name="A", input_guardrails=[always_judged])
    [result] = bounds(Analysis(lower(agent)[0]))
    assert words(result)[0] == "1 to 1"
    assert result.notes == ("code of 'A' runs agent 'Judge': not counted",)


def test_a_run_that_starts_itself_again_has_no_bound() -> None:
    result = of(endless)
    assert words(result) == ["1 to no bound", "1 to no bound", "0 to no bound", "0 to 0"]
    assert result.model_calls.why == "a run of 'Endless' may start another one of 'Endless'"


def test_each_start_has_bounds_of_its_own() -> None:
    specialist = Agent(name="B")
    start = Agent(name="A", handoffs=[specialist])
    chart = lower(start, starts=[specialist])[0]
    result = bounds(Analysis(chart), turns_of={chart.start: 1})
    assert [(one.start, *words(one)[:1]) for one in result] == [("A", "1 to 1"), ("B", "1 to 1")]
    chat = lower(start, multi_turn=True)[0]
    assert [one.start for one in bounds(Analysis(chat))] == ["A", "B"]


def test_a_search_that_would_take_too_long_says_that_it_is_not_exact() -> None:
    forced = ModelSettings(tool_choice="required")
    agents = [Agent(name=f"A{number}", model_settings=forced) for number in range(12)]
    for agent in agents:
        agent.handoffs = [other for other in agents if other is not agent]
    chart = lower(agents[0])[0]
    flow = Analysis(chart).flow(chart)
    exact, rough = fewest_turns(flow, flow.roots[0]), fewest_turns(flow, flow.roots[0], 0)
    assert exact is not None
    assert rough is not None
    assert (exact.amount, exact.exact) == (3, True)
    assert (rough.amount, rough.exact) == (2, False)
    [result] = bounds(Analysis(chart), turns=4)
    assert (result.model_calls.most, result.model_calls.exact) == (4, False)
    assert "note: the true ends may lie inside: agents that have acted and rounds" in str(result)
    tool = agents[0].as_tool("ask", "Ask.", max_turns=4)
    outer = of(Agent(name="Outer", tools=[tool], model_settings=MUST_CALL), max_turns=1)
    assert (outer.model_calls.most, outer.model_calls.exact) == (5, False)


def test_the_table_can_be_read() -> None:
    first = Agent(name="First", handoffs=[clerk()])
    assert str(of(first, max_turns=5)) == TABLE
    assert in_words(("A", "A", "B")) == "A ×2 → B"
    assert in_words(tuple("ABCDEFGHIJKLMN")).endswith("L → …")


TABLE = """\
runs from First  least  most
  model calls        1  5     max_turns=5
  requests           1  20    max_turns=5, up to 4 tries of a call
  tool calls         0  4     max_turns=5
  handoffs           0  1
  fewest model calls: First
  most model calls: First → Clerk ×4
  note: the model of 'Clerk' obeys parallel_tool_calls=False: one call in a reply"""


@pytest.mark.parametrize("limit", [1_000, 10_000_000])
def test_a_large_limit_takes_no_longer(limit: int) -> None:
    result = of(clerk(), max_turns=limit)
    assert result.model_calls.most == limit
