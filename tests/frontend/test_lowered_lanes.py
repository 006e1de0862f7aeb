"""What stands around a call and a model, as declared: approval, guardrails, retries, hooks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    CustomTool,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    ShellTool,
    ToolExecutionConfig,
    ToolGuardrailFunctionOutput,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.scope import RunScope
from agentgraph.program import program_for
from agentgraph_compiler.ir.chart import Approval
from agentgraph_compiler.machine import Invoke, Machine


@tool_input_guardrail
def looks_at_arguments(data: Any) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow()


@tool_output_guardrail
def looks_at_output(data: Any) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow()


async def noted(context: Any, text: str) -> str:
    return text


def work(word: str) -> str:
    """Work."""
    return word


def asks(*arguments: Any) -> bool:
    return True


def lanes(agent: Any, config: RunConfig | None = None) -> dict[str, Invoke]:
    """The lanes of calls of an agent, by the name of the tool."""
    machine: Machine = program_for(agent, RunScope.of(config)).machine
    offers = machine.state[f"{machine.agents[0].id}.acting"].offers
    return {offer.symbol.rpartition("/")[2]: offer for offer in offers}


def phases(agent: Any, config: RunConfig | None = None) -> list[str]:
    """The phases of a call of the first tool of an agent."""
    return [phase.name for phase in next(iter(lanes(agent, config).values())).phases]


@pytest.mark.parametrize(
    ("needs_approval", "approval", "walked"),
    [
        (False, Approval.NEVER, ["call", "tell"]),
        (True, Approval.ALWAYS, ["hold", "call", "tell"]),
        (asks, Approval.ASKED, ["ask", "hold", "call", "tell"]),
    ],
)
def test_an_approval_is_asked_for_as_far_as_it_is_declared(
    needs_approval: Any, approval: Approval, walked: list[str]
) -> None:
    agent = Agent[Any](name="A", tools=[function_tool(work, needs_approval=needs_approval)])
    assert lower(agent)[0].agents[0].tools[0].approval is approval
    assert phases(agent) == walked


def test_guardrails_of_a_tool_stand_around_its_call() -> None:
    tool = function_tool(
        work,
        needs_approval=asks,
        tool_input_guardrails=[looks_at_arguments],
        tool_output_guardrails=[looks_at_output],
    )
    agent = Agent[Any](name="A", tools=[tool])
    before = RunConfig(tool_execution=ToolExecutionConfig(pre_approval_tool_input_guardrails=True))
    assert phases(agent) == ["ask", "hold", "screen", "call", "judge", "tell"]
    assert phases(agent, before) == ["ask", "prescreen", "hold", "screen", "call", "judge", "tell"]


def test_an_agent_used_as_a_tool_walks_the_phases_of_a_function() -> None:
    inner = Agent[Any](name="Inner").as_tool("ask_inner", "Asks.", needs_approval=True)
    assert phases(Agent[Any](name="A", tools=[inner])) == ["hold", "call", "tell"]


def test_other_actions_are_held_and_at_work_one_at_a_time() -> None:
    agent = Agent[Any](
        name="A",
        tools=[
            ShellTool(executor=lambda request: "", needs_approval=True),
            CustomTool(name="write", description="", on_invoke_tool=noted, needs_approval=asks),
        ],
    )
    shell, custom = (lanes(agent)[name] for name in ("shell", "write"))
    assert [phase.name for phase in shell.phases] == ["hold", "call", "tell"]
    assert [phase.name for phase in custom.phases] == ["ask", "hold", "call", "tell"]
    assert (shell.places, custom.places) == (1, 1)
    assert shell.group != custom.group


def test_tools_of_a_server_are_asked_about_since_only_a_run_lists_them() -> None:
    server = SimpleNamespace(name="files", tool_input_guardrails=[looks_at_arguments])
    agent = Agent[Any](name="A", mcp_servers=[server])
    assert phases(agent) == ["ask", "hold", "screen", "call", "tell"]


def test_places_of_function_tools_are_those_of_the_run() -> None:
    agent = Agent[Any](
        name="A",
        tools=[function_tool(work), Agent[Any](name="B").as_tool("b", "Asks.")],
    )
    few = RunConfig(tool_execution=ToolExecutionConfig(max_function_tool_concurrency=2))
    shared = {(lane.group, lane.places) for lane in lanes(agent, few).values() if lane.stops}
    assert shared == {("functions", 2)}
    assert {lane.places for lane in lanes(agent).values()} == {0}


def retrying(times: int | None) -> ModelSettings:
    return ModelSettings(retry=ModelRetrySettings(max_retries=times))


@pytest.mark.parametrize(
    ("of_agent", "of_run", "tries"),
    [(None, None, 3), (2, None, 5), (2, 5, 8), (2, 0, 0), (None, 1, 4)],
)
def test_a_model_is_tried_as_often_as_the_run_or_its_agent_says_and_three_times_for_a_lock(
    of_agent: int | None, of_run: int | None, tries: int
) -> None:
    agent = Agent[Any](name="A", model_settings=retrying(of_agent))
    config = RunConfig(model_settings=retrying(of_run))
    machine = program_for(agent, RunScope.of(config)).machine
    (model,) = machine.state["a.thinking"].invokes
    assert model.tries == tries
    assert ("wait" in [phase.name for phase in model.phases]) is (tries > 0)


def test_hooks_of_any_agent_count_and_a_change_of_them_is_seen() -> None:
    agent = Agent[Any](name="A", handoffs=[Agent(name="B")])
    program = program_for(agent)
    assert not program.bindings.hooked
    agent.hooks = AgentHooks[Any]()
    assert not program.current
    assert program_for(agent).bindings.hooked
