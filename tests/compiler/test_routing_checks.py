"""What the rules about routing find and what they leave alone: names, descriptions, ways back.

A row reads: this workflow gives these findings. What is innocent stands beside what it is close to.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import pytest

from agentgraph import Agent, check, function_tool, handoff, tool_namespace
from agentgraph.program import program_for
from agentgraph_compiler.emit import emit


def messages(agent: Agent[Any], code: str) -> list[str]:
    return [one.message for one in check(agent) if one.rule.code == code]


def tool(name: str, description: str = "", **options: Any) -> Any:
    def work(text: str) -> str:
        return text

    work.__name__ = name
    return function_tool(work, description_override=description or None, **options)


def sometimes(context: Any, agent: Any) -> bool:
    return context.context is not None


def named(*names: str) -> list[Agent[Any]]:
    return [Agent(name=name) for name in names]


MERGED: dict[str, tuple[Agent[Any], list[str]]] = {
    "two Japanese names": (Agent(name="A", handoffs=named("注文", "返金")), ["transfer_to___"]),
    "as tools": (
        Agent(name="A", tools=[one.as_tool(None, "It.") for one in named("注文", "返金")]),
        ["__"],
    ),
    "a dash and a space": (
        Agent(name="A", handoffs=named("Tier-1 desk", "Tier 1 desk")),
        ["transfer_to_tier_1_desk"],
    ),
    "one in lower case": (
        Agent(name="A", handoffs=[*named("Refunds"), handoff(named("refunds")[0])]),
        ["transfer_to_refunds"],
    ),
    "Japanese names of different lengths": (Agent(name="A", handoffs=named("注文", "返金係")), []),
    "with a name of its own": (
        Agent(
            name="A",
            handoffs=[
                *named("注文"),
                handoff(named("返金")[0], tool_name_override="transfer_to_refunds"),
            ],
        ),
        [],
    ),
    "twice the same agent, which is AG101": (Agent(name="A", handoffs=named("注文") * 2), []),
    "one name chosen twice, which is AG101": (
        Agent(
            name="A",
            handoffs=[handoff(one, tool_name_override="go") for one in named("注文", "返金")],
        ),
        [],
    ),
}


@pytest.mark.parametrize("case", MERGED)
def test_merged_agent_names(case: str) -> None:
    agent, names = MERGED[case]
    findings = messages(agent, "AG105")
    assert [message.split("'")[3] for message in findings] == names
    assert bool(messages(agent, "AG101")) is ("AG101" in case)


def test_merged_names_stop_a_run_and_the_error_says_why() -> None:
    agent = Agent(name="A", handoffs=named("注文", "返金"))
    with pytest.raises(Exception, match="AG105"):
        program_for(agent)


def router(*targets: Agent[Any], instructions: Any = None) -> Agent[Any]:
    return Agent(name="Triage", handoffs=list(targets), instructions=instructions)


ORDERS = Agent(name="Orders", handoff_description="Where an order is")
REFUNDS = Agent(name="Refund desk")
BARE: dict[str, tuple[Agent[Any], list[str]]] = {
    "one of two": (router(ORDERS, REFUNDS), ["Refund desk"]),
    "each of two": (router(REFUNDS, Agent(name="Legal")), ["Refund desk", "Legal"]),
    "an empty description": (
        router(ORDERS, Agent(name="Legal", handoff_description=" ")),
        ["Legal"],
    ),
    "by handoff()": (router(ORDERS, handoff(REFUNDS)), ["Refund desk"]),  # type: ignore[arg-type]
    "the only one": (router(REFUNDS), []),
    "beside one that is disabled for good": (
        router(REFUNDS, handoff(ORDERS, is_enabled=False)),  # type: ignore[arg-type]
        [],
    ),
    "described in the handoff": (
        router(ORDERS, handoff(REFUNDS, tool_description_override="Money back")),  # type: ignore[arg-type]
        [],
    ),
    "described in the instructions": (
        router(ORDERS, REFUNDS, instructions="Send returns to the refund desk."),
        [],
    ),
}


@pytest.mark.parametrize("case", BARE)
def test_missing_handoff_description(case: str) -> None:
    agent, names = BARE[case]
    findings = messages(agent, "AG212")
    assert sorted(message.split("'")[1] for message in findings) == sorted(names)


def test_a_target_of_two_routers_is_reported_once_for_each_line() -> None:
    inner = Agent(name="Second", handoffs=[ORDERS, REFUNDS], handoff_description="More")
    assert len(messages(router(inner, REFUNDS), "AG212")) == 1


SEARCH = "Search the web."
EQUAL: dict[str, tuple[Agent[Any], int]] = {
    "two tools": (Agent(name="A", tools=[tool("x", SEARCH), tool("y", SEARCH)]), 1),
    "but for capitals and spaces": (
        Agent(name="A", tools=[tool("x", SEARCH), tool("y", "search  the web")]),
        1,
    ),
    "two handoffs": (
        Agent(name="A", handoffs=[Agent(name=name, handoff_description="Help") for name in "BC"]),
        1,
    ),
    "a tool and a handoff": (
        Agent(
            name="A",
            tools=[tool("x", "Money back")],
            handoffs=[Agent(name="B", handoff_description="Money back")],
        ),
        1,
    ),
    "two tools without any": (Agent(name="A", tools=[tool("x"), tool("y")]), 0),
    "a word apart": (Agent(name="A", tools=[tool("x", SEARCH), tool("y", "Search the mail.")]), 0),
    "one disabled for good": (
        Agent(name="A", tools=[tool("x", SEARCH), tool("y", SEARCH, is_enabled=False)]),
        0,
    ),
    "alternatives": (
        Agent(name="A", tools=[tool(name, SEARCH, is_enabled=sometimes) for name in "xy"]),
        0,
    ),
    "of two namespaces": (
        Agent(
            name="A",
            tools=[
                *tool_namespace(name="web", description="The web", tools=[tool("x", SEARCH)]),
                *tool_namespace(name="mail", description="Letters", tools=[tool("x", SEARCH)]),
            ],
        ),
        0,
    ),
    "of two agents": (
        Agent(
            name="A",
            tools=[tool("x", SEARCH)],
            handoffs=[Agent(name="B", tools=[tool("y", SEARCH)])],
        ),
        0,
    ),
    "one agent as tool and target": (
        Agent(name="A", tools=[ORDERS.as_tool("ask", "Where an order is")], handoffs=[ORDERS]),
        0,
    ),
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal_descriptions(case: str) -> None:
    agent, number = EQUAL[case]
    assert len(messages(agent, "AG213")) == number


UNDESCRIBED: dict[str, tuple[Agent[Any], list[str]]] = {
    "a function": (Agent(name="A", tools=[tool("x")]), ["x"]),
    "a blank description": (Agent(name="A", tools=[tool("x", " ")]), ["x"]),
    "an agent as a tool": (Agent(name="A", tools=[ORDERS.as_tool("ask", None)]), ["ask"]),
    "of two agents, once": (
        Agent(name="A", tools=[SILENT := tool("x")], handoffs=[Agent(name="B", tools=[SILENT])]),
        ["x"],
    ),
    "a described function": (Agent(name="A", tools=[tool("x", SEARCH)]), []),
    "a described agent": (Agent(name="A", tools=[ORDERS.as_tool("ask", "Orders")]), []),
    "disabled for good": (Agent(name="A", tools=[tool("x", is_enabled=False)]), []),
}


@pytest.mark.parametrize("case", UNDESCRIBED)
def test_missing_tool_description(case: str) -> None:
    agent, names = UNDESCRIBED[case]
    assert messages(agent, "AG214") == [f"tool '{name}' has no description" for name in names]


def to_itself(**options: Any) -> Agent[Any]:
    agent: Agent[Any] = Agent(name="A")
    agent.handoffs = [handoff(agent, **options)]
    return agent


def among_others(*others: Agent[Any]) -> Agent[Any]:
    agent = to_itself()
    agent.handoffs = [*agent.handoffs, *others]
    return agent


SELVES: dict[str, tuple[Agent[Any], int]] = {
    "by handoff()": (to_itself(), 1),
    "twice": (among_others(*to_itself(tool_name_override="again").handoffs[:0]), 1),
    "enabled at times": (to_itself(is_enabled=sometimes), 1),
    "of a specialist": (router(to_itself()), 1),
    "among others": (among_others(ORDERS), 0),
    "with a filter": (to_itself(input_filter=lambda data: data), 0),
    "with a function": (to_itself(on_handoff=lambda context: None), 0),
    "to a namesake": (router(Agent(name="Triage")), 0),
    "disabled for good": (to_itself(is_enabled=False), 0),
}


@pytest.mark.parametrize("case", SELVES)
def test_handoff_only_to_itself(case: str) -> None:
    agent, number = SELVES[case]
    assert len(messages(agent, "AG216")) == number


def back_to(router: Agent[Any], *specialists: Agent[Any], **options: Any) -> Agent[Any]:
    for specialist in specialists:
        specialist.handoffs = [handoff(router, **options)]
    return router


def chain(*names: str, closed: bool) -> Agent[Any]:
    agents = named(*names)
    for one, following in pairwise(agents):
        one.handoffs = [following]
    agents[-1].handoffs = agents[:1] if closed else []
    return agents[0]


CHATS: dict[str, tuple[Agent[Any], list[str]]] = {
    "no way back": (router(*named("B")), ["B"]),
    "from one of two": (back_to(router(*(two := named("B", "C"))), two[0]), ["C"]),
    "disabled for good": (
        back_to(router(*(one := named("B"))), *one, is_enabled=False),
        ["B"],
    ),
    "to each other only": (
        router(*(pair := named("B", "C")), back_to(pair[0], pair[1])),
        ["B", "C"],
    ),
    "a chain": (chain("A", "B", "C", closed=False), ["B", "C"]),
    "a ring": (chain("A", "B", "C", closed=True), []),
    "a way back": (back_to(router(*(one := named("B"))), *one), []),
    "a way back at times": (
        back_to(router(*(one := named("B"))), *one, is_enabled=sometimes),
        [],
    ),
    "no handoff": (Agent(name="A"), []),
    "an agent as a tool": (Agent(name="A", tools=[ORDERS.as_tool("ask", "Ask.")]), []),
}


@pytest.mark.parametrize("case", CHATS)
def test_no_way_back(case: str) -> None:
    agent, names = CHATS[case]
    findings = [one.message for one in check(agent, multi_turn=True) if one.rule.code == "AG215"]
    assert [message.split("'")[1] for message in findings] == names
    assert messages(agent, "AG215") == []


def test_a_specialist_with_which_runs_start_needs_no_way_back() -> None:
    agent = router(*(specialists := named("B")))
    findings = check(agent, multi_turn=True, starts=specialists)
    assert "AG215" not in {one.rule.code for one in findings}


def test_words_are_no_part_of_a_fingerprint() -> None:
    agent = Agent(name="A", instructions="Help.", tools=[tool("x", SEARCH)], handoffs=[ORDERS])
    program = program_for(agent)
    agents = tuple(dataclasses.replace(one, instructions=None) for one in program.chart.agents)
    wordless = dataclasses.replace(program.chart, agents=agents)
    assert emit(wordless).fingerprint == program.machine.fingerprint
