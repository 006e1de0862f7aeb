"""Cases of the rules about tool choices and stops."""

from __future__ import annotations

import dataclasses

from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Choice,
    ChoiceKind,
    Enabled,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.machine import WorkKind
from tests.compiler.rule_cases.case import Rows
from tests.compiler.workflows import ALWAYS_CALLS, chart, function, to

NEVER, SOMETIMES = Enabled.NEVER, Enabled.SOMETIMES


X, Y = function("a", "x"), function("a", "y")


SERVER = Tool("a/mcp/files", "files", WorkKind.FUNCTION, SOMETIMES, server=True)


SEARCH = Tool("", "web_search", None)


def stopping(*names: str, tools: tuple[Tool, ...] = (X, Y), **fields: object) -> Chart:
    agent = Agent("a", "A", tools=tools, stop=Stop(StopKind.NAMED, names), **fields)  # type: ignore[arg-type]
    return chart(agent, Agent("b", "B"))


STOPS = {
    "a name that nothing has": (stopping("z"), ["it has no tool of that name"]),
    "a misspelt name beside a right one": (stopping("xx", "y"), ["it has no tool of that name"]),
    "a tool that is disabled for good": (
        stopping("x", tools=(function("a", "x", enabled=NEVER), Y)),
        ["that tool is disabled for good"],
    ),
    "a handoff": (
        stopping("transfer_to_b", handoffs=(to("a", "b"),)),
        ["that is a handoff, which gives no output"],
    ),
    "a tool that the provider runs": (
        stopping("web_search", tools=(X, SEARCH)),
        ["that tool runs at the provider's side"],
    ),
    "a computer": (
        stopping("screen", tools=(X, Tool("a/tool/screen", "screen", WorkKind.ACTION))),
        ["that is no function tool"],
    ),
    "two names": (stopping("v", "w"), ["it has no tool of that name"] * 2),
    "a tool of the agent": (stopping("x"), []),
    "a tool that a function may disable": (
        stopping("x", tools=(function("a", "x", enabled=SOMETIMES), Y)),
        [],
    ),
    "a name that a server's tool may have": (stopping("z", tools=(X, SERVER)), []),
    "an agent used as a tool": (
        stopping("ask", tools=(dataclasses.replace(X, name="ask", symbol="a/tool/ask"), Y)),
        [],
    ),
    "a tool inside a namespace": (
        stopping("look", tools=(dataclasses.replace(X, name="crm.look"), Y)),
        [],
    ),
    "no names": (chart(Agent("a", "A", tools=(X,), stop=Stop(StopKind.FIRST))), []),
}


def choosing(
    *names: str, tools: tuple[Tool, ...] = (X, Y), resets: bool = True, **fields: object
) -> Chart:
    choice = Choice(ChoiceKind.NAMED if names else ChoiceKind.SOME, names, resets=resets)
    return chart(Agent("a", "A", tools=tools, choice=choice, **fields), Agent("b", "B"))  # type: ignore[arg-type]


CHOICES = {
    "a name that nothing has": (choosing("z"), ["and has no tool of that name"]),
    "a tool that is disabled for good": (
        choosing("x", tools=(function("a", "x", enabled=NEVER), Y)),
        ["which is disabled for good"],
    ),
    "a handoff that is disabled for good": (
        choosing("transfer_to_b", handoffs=(to("a", "b", enabled=NEVER),)),
        ["which is disabled for good"],
    ),
    "some call, with nothing to call": (choosing(tools=()), ["but it offers none"]),
    "some call, with only a disabled tool": (
        choosing(tools=(function("a", "x", enabled=NEVER),)),
        ["but it offers none"],
    ),
    "a tool": (choosing("x"), []),
    "a handoff": (choosing("transfer_to_b", handoffs=(to("a", "b"),)), []),
    "a tool that a function may disable": (
        choosing("x", tools=(function("a", "x", enabled=SOMETIMES),)),
        [],
    ),
    "a kind of hosted tool": (choosing("web_search", tools=(SEARCH,)), []),
    "a name that a server's tool may have": (choosing("z", tools=(SERVER,)), []),
    "some call, of a server's tools": (choosing(tools=(SERVER,)), []),
    "some call, of a stored prompt's tools": (
        chart(Agent("a", "A", choice=Choice(ChoiceKind.SOME, hosted=True))),
        [],
    ),
    "the name of a tool of a stored prompt": (
        chart(Agent("a", "A", choice=Choice(ChoiceKind.NAMED, ("z",), hosted=True))),
        [],
    ),
    "no call": (chart(Agent("a", "A", choice=Choice(ChoiceKind.NONE))), []),
}


KEPT_NONE = Choice(ChoiceKind.NONE, resets=False)


DEAD = {
    "another tool is chosen on every turn": (choosing("y", resets=False), ["x"]),
    "a handoff is chosen on every turn": (
        choosing("transfer_to_b", resets=False, handoffs=(to("a", "b"),)),
        ["x", "y"],
    ),
    "no call is allowed": (chart(Agent("a", "A", tools=(X,), choice=KEPT_NONE)), ["x"]),
    "no call is allowed at first, and so none ever happens": (
        chart(Agent("a", "A", tools=(X,), choice=Choice(ChoiceKind.NONE))),
        ["x"],
    ),
    # The only way goes to B, and nothing leads back to A, which has then acted.
    "a handoff is chosen at first, and nothing leads back": (
        choosing("transfer_to_b", handoffs=(to("a", "b"),)),
        ["x", "y"],
    ),
    "a handoff is chosen at first, and one leads back": (
        chart(
            Agent(
                "a",
                "A",
                tools=(X,),
                handoffs=(to("a", "b"),),
                choice=Choice(ChoiceKind.NAMED, ("transfer_to_b",)),
            ),
            Agent("b", "B", handoffs=(to("b", "a"),)),
        ),
        [],
    ),
    "another tool is chosen at first": (choosing("y"), []),
    "any call is asked for": (chart(Agent("a", "A", tools=(X, Y), choice=ALWAYS_CALLS)), []),
    "the choice names nothing on offer": (choosing("z", resets=False), []),
    "the tool is disabled for good, which is clear by itself": (
        choosing("y", tools=(function("a", "x", enabled=NEVER), Y), resets=False),
        [],
    ),
    "no run reaches the agent": (
        chart(Agent("s", "S"), Agent("a", "A", tools=(X,), choice=KEPT_NONE), declared=True),
        [],
    ),
}


STOP_NAMES_NO_TOOL: Rows = {
    name: (workflow, [f", but {reason}" for reason in reasons])
    for name, (workflow, reasons) in STOPS.items()
}
TOOL_CHOICE_WITHOUT_TOOL: Rows = {
    name: (workflow, [f", {reason}" for reason in reasons])
    for name, (workflow, reasons) in CHOICES.items()
}
TOOL_NEVER_CALLED: Rows = {
    name: (workflow, [f"'{tool}'" for tool in tools]) for name, (workflow, tools) in DEAD.items()
}

CASES: dict[str, Rows] = {
    "AG217": STOP_NAMES_NO_TOOL,
    "AG218": TOOL_CHOICE_WITHOUT_TOOL,
    "AG219": TOOL_NEVER_CALLED,
}
