"""Cases of the rules about routing: descriptions of tools and handoffs, and ways back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from agentgraph import Agent, function_tool, handoff, tool_namespace
from agentgraph.frontend.followed import Root
from tests.compiler.rule_cases.case import Rows
from tests.compiler.rule_cases.names import named


def tool(name: str, description: str = "", **options: Any) -> Any:
    def work(text: str) -> str:
        return text

    work.__name__ = name
    return function_tool(work, description_override=description or None, **options)


def sometimes(context: Any, agent: Any) -> bool:
    return context.context is not None


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
    "described perhaps in a stored prompt": (
        Agent(name="Triage", handoffs=[ORDERS, REFUNDS], prompt={"id": "pmpt_1"}),
        [],
    ),
    "described perhaps in instructions from elsewhere": (
        router(ORDERS, REFUNDS, instructions=lambda context, agent: str(context.context)),
        [],
    ),
    "described in the instructions": (
        router(ORDERS, REFUNDS, instructions="Send returns to the refund desk."),
        [],
    ),
}


SEARCH = "Search the web."


EQUAL: dict[str, tuple[Agent[Any], list[str]]] = {
    "two tools": (
        Agent(name="A", tools=[tool("x", SEARCH), tool("y", SEARCH)]),
        ["tool 'x' and tool 'y'"],
    ),
    "but for capitals and spaces": (
        Agent(name="A", tools=[tool("x", SEARCH), tool("y", "search  the web")]),
        ["tool 'x' and tool 'y'"],
    ),
    "two handoffs": (
        Agent(name="A", handoffs=[Agent(name=name, handoff_description="Help") for name in "BC"]),
        ["the handoff to 'B' and the handoff to 'C'"],
    ),
    "a tool and a handoff": (
        Agent(
            name="A",
            tools=[tool("x", "Money back")],
            handoffs=[Agent(name="B", handoff_description="Money back")],
        ),
        ["tool 'x' and the handoff to 'B'"],
    ),
    "two tools without any": (Agent(name="A", tools=[tool("x"), tool("y")]), []),
    "a word apart": (Agent(name="A", tools=[tool("x", SEARCH), tool("y", "Search the mail.")]), []),
    "one disabled for good": (
        Agent(name="A", tools=[tool("x", SEARCH), tool("y", SEARCH, is_enabled=False)]),
        [],
    ),
    "alternatives": (
        Agent(name="A", tools=[tool(name, SEARCH, is_enabled=sometimes) for name in "xy"]),
        [],
    ),
    "of two namespaces": (
        Agent(
            name="A",
            tools=[
                *tool_namespace(name="web", description="The web", tools=[tool("x", SEARCH)]),
                *tool_namespace(name="mail", description="Letters", tools=[tool("x", SEARCH)]),
            ],
        ),
        [],
    ),
    "of two agents": (
        Agent(
            name="A",
            tools=[tool("x", SEARCH)],
            handoffs=[Agent(name="B", tools=[tool("y", SEARCH)])],
        ),
        [],
    ),
    "one agent as tool and target": (
        Agent(name="A", tools=[ORDERS.as_tool("ask", "Where an order is")], handoffs=[ORDERS]),
        [],
    ),
}


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


def to_itself(**options: Any) -> Agent[Any]:
    agent: Agent[Any] = Agent(name="A")
    agent.handoffs = [handoff(agent, **options)]
    return agent


def among_others(*others: Agent[Any]) -> Agent[Any]:
    agent = to_itself()
    agent.handoffs = [*agent.handoffs, *others]
    return agent


def twice_to_itself() -> Agent[Any]:
    agent = to_itself()
    agent.handoffs = [*agent.handoffs, handoff(agent, tool_name_override="again")]
    return agent


SELVES: dict[str, tuple[Agent[Any], int]] = {
    "by handoff()": (to_itself(), 1),
    "twice": (twice_to_itself(), 1),
    "enabled at times": (to_itself(is_enabled=sometimes), 1),
    "of a specialist": (router(to_itself()), 1),
    "among others": (among_others(ORDERS), 0),
    "with a filter": (to_itself(input_filter=lambda data: data), 0),
    "with a function": (to_itself(on_handoff=lambda context: None), 0),
    "to a namesake": (router(Agent(name="Triage")), 0),
    "disabled for good": (to_itself(is_enabled=False), 0),
}


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


MISSING_HANDOFF_DESCRIPTION: Rows = {
    name: (agent, [f"agent '{one}' has no handoff_description" for one in names])
    for name, (agent, names) in BARE.items()
}
EQUAL_DESCRIPTIONS: Rows = {
    name: (agent, [f"agent 'A' offers {pair} with the same description" for pair in pairs])
    for name, (agent, pairs) in EQUAL.items()
}
MISSING_TOOL_DESCRIPTION: Rows = {
    name: (agent, [f"tool '{one}' has no description" for one in names])
    for name, (agent, names) in UNDESCRIBED.items()
}
HANDOFF_ONLY_TO_ITSELF: Rows = {
    name: (agent, ["agent 'A'"] * number) for name, (agent, number) in SELVES.items()
}
NO_WAY_BACK: Rows = {
    name: (
        Root(agent, multi_turn=True),
        [f"a chat that comes to agent '{one}' stays there" for one in names],
    )
    for name, (agent, names) in CHATS.items()
}


def instructed(instructions: str) -> Root:
    """A chat with a specialist without a way back, who has instructions."""
    billing = Agent(name="Billing", handoff_description="Bills", instructions=instructions)
    return Root(Agent(name="Triage", handoffs=[billing]), multi_turn=True)


NO_WAY_BACK |= {
    "instructions promise the way back, which AG210 reports": (
        instructed("For anything else, transfer back to the triage agent."),
        [],
    ),
    "instructions promise another way": (
        instructed("Escalate refunds to the refund desk."),
        ["a chat that comes to agent 'Billing' stays there"],
    ),
    "no chat": (router(*named("B")), []),
    "runs start with the specialist": (
        Root(router(*(second := named("B"))), tuple(second), multi_turn=True),
        [],
    ),
}

CASES: dict[str, Rows] = {
    "AG212": MISSING_HANDOFF_DESCRIPTION,
    "AG213": EQUAL_DESCRIPTIONS,
    "AG214": MISSING_TOOL_DESCRIPTION,
    "AG215": NO_WAY_BACK,
    "AG216": HANDOFF_ONLY_TO_ITSELF,
}
