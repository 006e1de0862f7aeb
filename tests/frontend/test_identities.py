"""Which agents a workflow has, in which order, and what they and their parts are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph import (
    Agent,
    Handoff,
    RunContextWrapper,
    UserError,
    Workflow,
    check,
    compile,
    function_tool,
    handoff,
)
from agentgraph.frontend.discover import Names
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import StateKind


def lowered(source: Any) -> Chart:
    return lower(source)[0]


def ids(source: Any) -> list[str]:
    return [agent.id for agent in lowered(source).agents]


def by_hand(name: str, target: Agent[Any]) -> Handoff[Any, Any]:
    """A handoff made without `handoff()`: it knows only the name of its target."""
    target_name = target.name

    async def invoke(context: RunContextWrapper[Any], arguments: str) -> Agent[Any]:
        return Agent(name=target_name)

    return Handoff(name, "Hand over.", {}, invoke, target.name)


def test_agents_are_found_breadth_first_in_the_order_of_their_handoffs() -> None:
    deep = Agent(name="Deep")
    first, second = Agent(name="First", handoffs=[deep]), Agent(name="Second")
    start = Agent(name="Start", handoffs=[first, second])
    deep.handoffs.append(start)
    assert ids(start) == ["start", "first", "second", "deep"]


def test_a_declared_workflow_has_its_agents_in_the_order_of_the_declaration() -> None:
    start, other = Agent(name="Start"), Agent(name="Other")
    assert ids(Workflow("W", start, [other, start])) == ["other", "start"]
    assert ids(Workflow("W", start, [other])) == ["start", "other"]


def test_an_agent_listed_twice_is_one_agent() -> None:
    other = Agent(name="Other")
    assert ids(Agent(name="Start", handoffs=[other, other])) == ["start", "other"]


def test_agents_that_share_a_name_are_numbered_in_the_order_of_discovery() -> None:
    twins = [Agent(name="Twin"), Agent(name="twin"), Agent(name="Twin 2")]
    assert ids(Agent(name="Start", handoffs=[*twins])) == ["start", "twin", "twin_2", "twin_2_2"]


def test_ten_thousand_agents_may_share_a_name() -> None:
    names = Names()
    assert [names.take("Agent") for _ in range(10_000)][-1] == "agent_10000"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Math Tutor", "math_tutor"),
        ("  spaces  ", "spaces"),
        ("a/b.c-d", "a_b_c_d"),
        ("数学家", "数学家"),
        ("Ärztin für Ökologie", "ärztin_für_ökologie"),
        ("!!!", "agent"),
        ("", "agent"),
        ("initial", "initial"),
    ],
)
def test_identities_are_names_in_word_characters_of_any_script(name: str, expected: str) -> None:
    assert ids(Agent(name=name)) == [expected]


@pytest.mark.parametrize("name", ["initial", "done", "failed", "blocked", "!!!", "数学家"])
def test_every_name_gives_a_program(name: str) -> None:
    machine = compile(Agent(name=name, handoffs=[Agent(name=name)])).machine
    assert len({state.id for state in machine.states}) == len(machine.states)


@pytest.mark.parametrize("twice", ["look up", "!!!", "数"])
def test_tools_whose_names_look_alike_keep_symbols_of_their_own(twice: str) -> None:
    tools = [
        function_tool(lambda: "", name_override=name, description_override="")
        for name in (twice, f"{twice}!")
    ]
    (agent,) = lowered(Agent(name="A", tools=[*tools])).agents
    assert len({tool.symbol for tool in agent.tools}) == 2


def test_an_agent_by_itself_is_the_workflow_of_what_it_reaches() -> None:
    chart = lowered(Agent(name="Start", handoffs=[Agent(name="Other")]))
    assert (chart.name, chart.declared, chart.start) == ("Start", False, "start")


def test_an_agent_outside_a_declared_workflow_is_no_target() -> None:
    start = Agent(name="Start", handoffs=[Agent(name="Outside")])
    chart = lowered(Workflow("W", start, [start]))
    assert chart.agents[0].handoffs[0].target == ""
    assert [diagnostic.rule.code for diagnostic in check(Workflow("W", start, [start]))] == [
        "AG103"
    ]


def test_a_handoff_made_by_hand_leads_to_the_only_agent_of_its_name() -> None:
    target = Agent(name="Target")
    start = Agent(name="Start", handoffs=[by_hand("go", target)])
    workflow = Workflow("W", start, [start, target])
    assert lowered(workflow).agents[0].handoffs[0].target == "target"
    assert check(workflow) == ()


def test_a_handoff_made_by_hand_is_not_guessed_where_two_agents_have_the_name() -> None:
    target = Agent(name="Target")
    start = Agent(name="Start", handoffs=[by_hand("go", target)])
    workflow = Workflow("W", start, [start, target, Agent(name="Target")])
    assert lowered(workflow).agents[0].handoffs[0].target == ""


def test_a_handoff_that_names_no_target_is_noted() -> None:
    start = Agent(name="Start", handoffs=[by_hand("go", Agent(name="Target"))])
    (diagnostic,) = check(start)
    assert diagnostic.rule.code == "AG401"
    assert "'go' does not say which agent it leads to" in diagnostic.notes[0].message
    kinds = {state.kind for state in compile(start).machine.states}
    assert StateKind.HANDOFF not in kinds


def test_an_agent_listed_by_itself_is_the_handoff_that_the_function_makes() -> None:
    other = Agent(name="Other", handoff_description="Knows more.")
    bare = compile(Agent(name="Start", handoffs=[other])).machine
    made = compile(Agent(name="Start", handoffs=[handoff(other)])).machine
    assert bare.fingerprint == made.fingerprint


def test_an_object_without_the_attributes_of_a_workflow_is_refused() -> None:
    nameless: Any = SimpleNamespace(start=Agent(name="A"), agents=[])
    with pytest.raises(UserError, match="Expected an Agent or a Workflow, got SimpleNamespace"):
        compile(nameless)
