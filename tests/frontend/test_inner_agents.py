"""Agents that the code of a tool or a guardrail runs: read from the source, never run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import agentgraph
from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    Runner,
    ToolGuardrailFunctionOutput,
    Workflow,
    check,
    function_tool,
    input_guardrail,
    tool_input_guardrail,
)
from agentgraph.frontend.inner_agents import inner_runs
from agentgraph.program import compile

reviewer = Agent[Any](name="Reviewer")
team = SimpleNamespace(lead=Agent[Any](name="Lead"))
Run = Runner


class Crew:
    """Functions of a class, and agents that its objects hold."""

    def __init__(self) -> None:
        self.member = Agent[Any](name="Member")

    async def ask(self, text: str) -> str:
        return str(await Runner.run(self.member, text))


async def by_name(text: str) -> object:
    return await Runner.run(reviewer, text)


async def by_keyword(text: str) -> object:
    return Runner.run_streamed(input=text, starting_agent=reviewer)


def through_a_module(text: str) -> object:
    return agentgraph.Runner.run_sync(reviewer, text)


def under_another_name(text: str) -> object:
    return Run.run_sync(reviewer, text)


def of_an_attribute(text: str) -> object:
    return Runner.run_sync(team.lead, text)


async def by_another_function(text: str) -> object:
    return await by_name(text)


def in_an_inner_function(text: str) -> object:
    return (lambda: Runner.run_sync(reviewer, text))()


def made_by_the_call(text: str) -> object:
    reviewer = Agent[Any](name="Local")
    return Runner.run_sync(reviewer, text)


def not_a_runner(text: str) -> object:
    return SimpleNamespace(run=str).run(reviewer, text)


def calls_itself(text: str) -> object:
    return calls_itself(text) if text else Runner.run_sync(reviewer, text)


def closure() -> Any:
    held = Agent[Any](name="Held")

    async def ask(text: str) -> object:
        return await Runner.run(held, text)

    return ask


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (by_name, "Reviewer"),
        (by_keyword, "Reviewer"),
        (through_a_module, "Reviewer"),
        (under_another_name, "Reviewer"),
        (of_an_attribute, "Lead"),
        (by_another_function, "Reviewer"),
        (in_an_inner_function, "Reviewer"),
        (calls_itself, "Reviewer"),
        (closure(), "Held"),
        (Crew().ask, "Member"),
    ],
)
def test_the_source_says_which_agent_a_function_runs(function: Any, name: str) -> None:
    [run] = inner_runs(function)
    assert run.agent.name == name


def test_an_agent_that_the_call_makes_is_known_by_its_expression_alone() -> None:
    [run] = inner_runs(made_by_the_call)
    assert (run.text, run.agent) == ("reviewer", None)


@pytest.mark.parametrize("function", [not_a_runner, print, None, "text", reviewer])
def test_what_runs_no_agent_has_no_runs(function: Any) -> None:
    assert inner_runs(function) == ()


@function_tool
async def review(text: str) -> str:
    """Review a text."""
    return str(await by_name(text))


@function_tool
def improvise(text: str) -> str:
    """Ask an agent of the moment."""
    return str(made_by_the_call(text))


@input_guardrail
def on_topic(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    verdict = Runner.run_sync(team.lead, text)
    return GuardrailFunctionOutput(output_info=verdict, tripwire_triggered="off" in str(verdict))


@tool_input_guardrail
async def checked(data: Any) -> ToolGuardrailFunctionOutput:
    await by_name("x")
    return ToolGuardrailFunctionOutput.allow()


def test_the_chart_names_them_with_the_tool_or_guardrail_and_where_they_were_made() -> None:
    agent = Agent[Any](name="A", tools=[review], input_guardrails=[on_topic])
    [drawn] = compile(agent).chart.agents
    assert [(one.symbol, one.name) for one in drawn.inner] == [
        ("a/tool/review", "Reviewer"),
        ("a/input/on_topic", "Lead"),
    ]
    assert all(one.origin.file == __file__ for one in drawn.inner)


def test_guardrails_of_a_tool_count_as_its_code() -> None:
    tool = function_tool(lambda: "x", name_override="plain")
    tool.tool_input_guardrails = [checked]
    [drawn] = compile(Agent[Any](name="A", tools=[tool])).chart.agents
    assert [one.name for one in drawn.inner] == ["Reviewer"]


def test_compilation_says_that_it_does_not_check_those_runs() -> None:
    agent = Agent[Any](name="A", tools=[review, improvise], input_guardrails=[on_topic])
    [note] = [one for one in compile(agent).diagnostics if one.rule.code == "AG401"]
    assert [fact.message for fact in note.notes] == [
        "the code of tool 'review' runs agent 'Reviewer', and no check covers that run",
        "the code of tool 'improvise' runs an agent that only the call knows:"
        " Runner.run(reviewer, …)",
        "the code of guardrail 'on_topic' runs agent 'Lead', and no check covers that run",
    ]


def test_a_check_follows_those_runs_and_only_says_what_it_cannot_follow() -> None:
    agent = Agent[Any](name="A", tools=[review, improvise], input_guardrails=[on_topic])
    [note] = check(agent)
    assert [fact.message for fact in note.notes] == [
        "the code of tool 'improvise' runs an agent that only the call knows:"
        " Runner.run(reviewer, …)"
    ]
    tools = [function_tool(lambda: "x", name_override="twin") for _ in range(2)]
    faulty = Agent[Any](name="Faulty", tools=[*tools])

    @function_tool
    async def ask_faulty(text: str) -> str:
        """Ask."""
        return str(await Runner.run(faulty, text))

    outer = Agent[Any](name="Outer", tools=[ask_faulty])
    used = Agent[Any](name="Used", tools=[outer.as_tool("ask_outer", "Ask.")])
    assert "AG101" in [one.rule.code for one in check(used)]


def test_a_guardrail_of_an_agent_that_the_code_of_a_tool_runs_is_not_idle() -> None:
    guarded = Agent[Any](name="Guarded", input_guardrails=[on_topic], handoff_description="It.")

    @function_tool
    async def ask_guarded(text: str) -> str:
        """Ask."""
        return str(await Runner.run(guarded, text))

    entry = Agent[Any](name="Entry", handoffs=[guarded])
    assert [one.rule.code for one in check(entry)] == ["AG501"]
    entry.tools.append(ask_guarded)
    assert check(entry) == ()


def test_an_agent_that_the_code_of_a_tool_runs_is_reached_and_so_is_where_it_hands_over() -> None:
    w = Workflow("W", start=_asking, agents=[_asking, _judge, _expert, _forgotten])
    unreached = [one.message for one in check(w) if one.rule.code == "AG201"]
    assert unreached == ["agent 'Forgotten' is declared in workflow 'W', but no run can reach it"]


_expert = Agent[Any](name="Expert", handoff_description="Knows more.")
_forgotten = Agent[Any](name="Forgotten")
_judge = Agent[Any](name="Judge", handoffs=[_expert])


@function_tool
async def ask_judge(text: str) -> str:
    """Ask."""
    return str(await Runner.run(_judge, text))


_asking = Agent[Any](name="Asking", tools=[ask_judge])
