"""Which agents cannot answer because a tool call is forced on every turn of theirs."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    RunConfig,
    Runner,
    WebSearchTool,
    check,
    function_tool,
    output_guardrail,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.scope import RunScope
from agentgraph.model_settings import MCPToolChoice
from agentgraph.program import CompileError, compile, program_for
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph_compiler.ir.obedience import Obedience


@function_tool
def look_up() -> str:
    """Look something up."""
    return "found"


def forced(choice: Any = "required", **fields: Any) -> Agent[Any]:
    """An agent whose tool choice stays as it is."""
    settings = ModelSettings(tool_choice=choice)
    return Agent(name="A", model_settings=settings, reset_tool_choice=False, **fields)


def circle(choice: Any = "required") -> Agent[Any]:
    first, second = forced(choice), forced(choice)
    second.name = "B"
    first.handoffs, second.handoffs = [second], [first]
    return first


@pytest.mark.parametrize(
    ("agent", "final"),
    [
        (forced(tools=[look_up]), False),
        # Nothing is on offer, so no model can obey.
        (forced(), True),
        (forced("look_up", tools=[look_up]), False),
        (forced("transfer_to_b", handoffs=[Agent(name="B")]), False),
        (forced(tools=[look_up, WebSearchTool()]), True),
        (forced("web_search", tools=[look_up, WebSearchTool()]), True),
        (forced("look_up", tools=[look_up, WebSearchTool()]), False),
        (forced(tools=[look_up], prompt={"id": "with hosted tools"}), True),
        (forced(MCPToolChoice(server_label="docs", name="search")), True),
        (forced("auto", tools=[look_up]), True),
        (forced("none", tools=[look_up]), True),
        (forced(None, tools=[look_up]), True),
    ],
)
def test_an_agent_can_answer_unless_each_reply_holds_a_call_of_ours(
    agent: Agent[Any], final: bool
) -> None:
    assert Obedience(lower(agent)[0].agents[0]).can_answer is final


def test_the_tool_choice_of_a_run_stands_in_place_of_those_of_its_agents() -> None:
    at_ease = RunConfig(model_settings=ModelSettings(tool_choice="auto"))
    assert program_for(circle(), RunScope.of(at_ease))
    pressing = RunConfig(model_settings=ModelSettings(tool_choice="required"))
    relaxed = circle(None)
    assert program_for(relaxed)
    with pytest.raises(CompileError, match="AG202"):
        program_for(relaxed, RunScope.of(pressing))


def test_a_tool_choice_that_cannot_be_hashed_is_one_of_a_run_as_well() -> None:
    choice = MCPToolChoice(server_label="docs", name="search")
    run = RunScope.of(RunConfig(model_settings=ModelSettings(tool_choice=choice)))
    assert program_for(circle(), run) is not None


async def test_a_circle_of_forced_agents_runs_where_the_run_lets_them_answer() -> None:
    start = circle()
    model = ScriptedModel([[assistant_message("done")]])
    config = RunConfig(model=model, model_settings=ModelSettings(tool_choice="auto"))
    result = await Runner.run(start, "go", run_config=config)
    assert result.final_output == "done"


def test_the_tool_choice_of_the_run_of_an_agent_tool_is_noticed_when_it_changes() -> None:
    config = RunConfig(model_settings=ModelSettings(tool_choice="auto"))
    tool = circle().as_tool("ask", "Ask.", run_config=config)
    program = compile(Agent(name="Outer", tools=[tool]))
    config.model_settings.tool_choice = "required"  # type: ignore[union-attr]
    assert not program.current


def test_a_guardrail_on_what_is_said_beside_a_hosted_tool_can_run() -> None:
    @output_guardrail
    def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, "stupid" in str(output))

    searching = forced(tools=[WebSearchTool()], output_guardrails=[polite])
    assert not check(searching)
    diagnostics = check(forced(tools=[look_up], output_guardrails=[polite]))
    assert {diagnostic.rule.code for diagnostic in diagnostics} == {"AG206", "AG502"}
