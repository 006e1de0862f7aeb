"""Cases of the rules about names (AG1)."""

from __future__ import annotations

import dataclasses
from typing import Any

from agentgraph import Agent as Authored
from agentgraph import Workflow, function_tool, handoff
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool
from agentgraph_compiler.machine import WorkKind
from tests.compiler.rule_cases.case import Rows
from tests.compiler.workflows import agent_tool, at, chart, function, subchart, to, with_tools

NEVER, SOMETIMES = Enabled.NEVER, Enabled.SOMETIMES
X, HOSTED, SCREEN = function("a", "x"), Tool("", "x", None), Tool("", "x", WorkKind.ACTION)


def offering(*tools: Tool, handoffs: tuple[Handoff, ...] = ()) -> Chart:
    """A workflow whose builder did not see that names repeat."""
    agent = Agent("a", "A", tools=tools, handoffs=handoffs)
    return dataclasses.replace(chart(Agent("a", "A")), agents=(agent,))


def named(*names: str) -> list[Authored[Any]]:
    return [Authored(name=name) for name in names]


MERGED_NAMES = Authored[Any](name="A", handoffs=named("注文", "返金"))
TWICE_THE_SAME = Authored[Any](name="A", handoffs=named("注文") * 2)
ONE_CHOSEN_NAME = Authored[Any](
    name="A", handoffs=[handoff(one, tool_name_override="go") for one in named("注文", "返金")]
)
SAME_NAME = "agent 'A' offers two tools named 'x':"
DUPLICATE_TOOL_NAME: Rows = {
    "two functions": (offering(X, function("a", "x")), [SAME_NAME]),
    "three functions": (
        offering(*(function("a", "x", line=line) for line in range(3))),
        [SAME_NAME, SAME_NAME],
    ),
    "two screens": (offering(SCREEN, Tool("", "x", WorkKind.ACTION)), [SAME_NAME]),
    "a function and a handoff": (
        offering(function("a", "transfer_to_a"), handoffs=(to("a", "a"),)),
        ["named 'transfer_to_a': a function tool and the handoff to 'a'"],
    ),
    "two handoffs": (
        offering(handoffs=(to("a", "a"), to("a", "a"))),
        ["named 'transfer_to_a': the handoff to 'a' and the handoff to 'a'"],
    ),
    "a function and an agent": (
        dataclasses.replace(
            offering(X, agent_tool("a", "x", "s")), charts=(subchart("s", Agent("b", "B")),)
        ),
        ["a function tool and an agent used as a tool"],
    ),
    "handoffs to one agent with a Japanese name": (TWICE_THE_SAME, ["'transfer_to___'"]),
    "one chosen name": (ONE_CHOSEN_NAME, ["agent 'A' offers two tools named 'go'"]),
    "two names": (offering(X, function("a", "y")), []),
    "hosted tools, which are the provider's": (offering(X, HOSTED, HOSTED), []),
    # A tool with a kind of call of its own is never asked for by a function call.
    "a function and a screen": (offering(X, SCREEN), []),
    "a screen and a hosted tool": (offering(SCREEN, HOSTED), []),
    "one is never enabled": (offering(X, function("a", "x", enabled=NEVER)), []),
    "one is sometimes enabled": (offering(X, function("a", "x", enabled=SOMETIMES)), []),
    "both are sometimes enabled": (offering(*(function("a", "x", enabled=SOMETIMES),) * 2), []),
    "of two agents": (
        chart(
            Agent("a", "A", tools=(X,), handoffs=(to("a", "b"),)),
            Agent("b", "B", tools=(function("b", "x"),)),
        ),
        [],
    ),
    "no run reaches the agent": (
        dataclasses.replace(
            chart(Agent("s", "S"), Agent("a", "A"), declared=True),
            agents=(Agent("s", "S"), Agent("a", "A", tools=(X, function("a", "x")))),
        ),
        [],
    ),
    "merged names of agents, which are AG105": (MERGED_NAMES, []),
}


def clerks(*names: str, **options: Any) -> Workflow:
    desk, *others = named(*names)
    desk.handoffs = [handoff(one, tool_name_override=f"to_{n}") for n, one in enumerate(others)]
    return Workflow("W", start=desk, agents=[desk, *others], **options)


CLERKS = (Agent("a", "Clerk", handoffs=(to("a", "a_2"),)), Agent("a_2", "Clerk"))
TWO_CLERKS = "workflow 'Workflow' declares two agents named 'Clerk'"
DUPLICATE_AGENT_IDENTITY: Rows = {
    "a handoff to a namesake": (chart(*CLERKS, declared=True), [TWO_CLERKS]),
    "two specialists": (clerks("Desk", "Clerk", "Clerk"), ["two agents named 'Clerk'"]),
    "three": (
        chart(
            Agent("a", "Clerk", handoffs=(to("a", "b"), to("a", "c", enabled=SOMETIMES))),
            Agent("b", "Clerk", origin=at(2)),
            Agent("c", "Clerk", origin=at(3)),
            declared=True,
        ),
        [TWO_CLERKS, TWO_CLERKS],
    ),
    "not declared": (chart(*CLERKS), []),
    "another case": (clerks("Desk", "Clerk", "clerk"), []),
    "no run reaches the other": (
        chart(Agent("a", "Clerk", origin=at(2)), Agent("b", "Clerk", origin=at(3)), declared=True),
        [],
    ),
    "the other is used as a tool": (
        chart(
            Agent("a", "Clerk", tools=(agent_tool("a", "ask", "s"),)),
            charts=(subchart("s", Agent("b", "Clerk")),),
            declared=True,
        ),
        [],
    ),
}

ELSEWHERE = "agent 'A' hands off to 'Elsewhere', which workflow 'Workflow' does not declare"


def leading_out(declared: bool = True, **fields: Any) -> Chart:
    agent = Agent("a", "A", handoffs=(to("a", "", "Elsewhere", **fields),))
    return chart(agent, declared=declared)


UNKNOWN_HANDOFF_TARGET: Rows = {
    "an agent outside": (leading_out(), [ELSEWHERE]),
    "enabled at times": (leading_out(enabled=SOMETIMES), [ELSEWHERE]),
    "of a specialist": (
        chart(
            Agent("s", "S", handoffs=(to("s", "a"),)),
            Agent("a", "A", handoffs=(to("a", "", "Elsewhere"), to("a", "s"))),
            declared=True,
        ),
        [ELSEWHERE],
    ),
    "a namesake of a declared agent": (
        Workflow("W", start=(one := Authored[Any](name="A", handoffs=named("A"))), agents=[one]),
        ["agent 'A' hands off to 'A', which workflow 'W' does not declare"],
    ),
    "never enabled": (leading_out(enabled=NEVER), []),
    "not declared": (leading_out(declared=False), []),
    "a declared agent": (
        chart(Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "B"), declared=True),
        [],
    ),
    "of an agent that no run reaches": (
        chart(
            Agent("a", "A"),
            Agent("b", "B", handoffs=(to("b", "", "Elsewhere"),)),
            declared=True,
        ),
        [],
    ),
}


def called(name: str) -> Chart:
    handed = dataclasses.replace(to("a", "b"), name=name)
    return chart(Agent("a", "A", handoffs=(handed,)), Agent("b", "B"))


UNFIT_TOOL_NAME: Rows = {
    f"{kind} {name!r}": (make(name), [f"agent 'A' offers '{name}', a name that model APIs refuse"])
    for kind, make in (("tool", lambda name: with_tools(function("a", name))), ("handoff", called))
    for name in (" ", "größe", "a b", "a..b", "a" * 65, "line\n")
} | {
    f"{kind} {name!r}": (make(name), [])
    for kind, make in (("tool", lambda name: with_tools(function("a", name))), ("handoff", called))
    for name in ("a", "a-b_C9", "crm.look", "a" * 64)
}
UNFIT_TOOL_NAME |= {
    "a hosted tool, which is called by its type": (with_tools(Tool("", "web search", None)), []),
    "a tool that is never enabled": (with_tools(function("a", "größe", enabled=NEVER)), []),
}


def asking(*tools: Any) -> Authored[Any]:
    return Authored(name="A", tools=list(tools))


MERGED_AGENT_NAMES: Rows = {
    "two Japanese names": (MERGED_NAMES, ["'transfer_to___'"]),
    "as tools": (
        asking(*(one.as_tool(None, "It.") for one in named("注文", "返金"))),
        ["'__'"],
    ),
    "a dash and a space": (
        Authored(name="A", handoffs=named("Tier-1 desk", "Tier 1 desk")),
        ["'transfer_to_tier_1_desk'"],
    ),
    "one in lower case": (
        Authored(name="A", handoffs=[*named("Refunds"), handoff(named("refunds")[0])]),
        ["'transfer_to_refunds'"],
    ),
    "Japanese names of different lengths": (
        Authored(name="A", handoffs=named("注文", "返金係")),
        [],
    ),
    "with a name of its own": (
        Authored(
            name="A",
            handoffs=[
                *named("注文"),
                handoff(named("返金")[0], tool_name_override="transfer_to_refunds"),
            ],
        ),
        [],
    ),
    "twice the same agent, which is AG101": (TWICE_THE_SAME, []),
    "one name chosen twice, which is AG101": (ONE_CHOSEN_NAME, []),
    "a function of the name, which is AG101": (
        asking(
            named("Ask")[0].as_tool(None, "It."),
            function_tool(lambda: "", name_override="ask", description_override="It."),
        ),
        [],
    ),
}

CASES: dict[str, Rows] = {
    "AG101": DUPLICATE_TOOL_NAME,
    "AG102": DUPLICATE_AGENT_IDENTITY,
    "AG103": UNKNOWN_HANDOFF_TARGET,
    "AG104": UNFIT_TOOL_NAME,
    "AG105": MERGED_AGENT_NAMES,
}
