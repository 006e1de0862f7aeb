"""Cases of the rules about the shape of a workflow: what runs reach, and where they end."""

from __future__ import annotations

from typing import Any

from agentgraph import Agent as Authored
from agentgraph import handoff
from agentgraph_compiler.ir.builder import build
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
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import WorkKind
from tests.compiler.rule_cases.case import Rows
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    asks,
    chart,
    function,
    looping,
    subchart,
    to,
    with_tools,
)

NEVER, SOMETIMES = Enabled.NEVER, Enabled.SOMETIMES

UNREACHABLE = {
    "no handoff leads there": ((Agent("a", "A"), Agent("b", "B")), (), ["B"]),
    "a handoff leads there": ((Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "B")), (), []),
    "a handoff that is sometimes enabled leads there": (
        (Agent("a", "A", handoffs=(to("a", "b", enabled=SOMETIMES),)), Agent("b", "B")),
        (),
        [],
    ),
    "a handoff that is never enabled leads there, which is a finding of its own": (
        (Agent("a", "A", handoffs=(to("a", "b", enabled=NEVER),)), Agent("b", "B")),
        (),
        [],
    ),
    "a handoff that is never enabled leads to an agent that leads there": (
        (
            Agent("a", "A", handoffs=(to("a", "b", enabled=NEVER),)),
            Agent("b", "B", handoffs=(to("b", "c"),)),
            Agent("c", "C"),
        ),
        (),
        [],
    ),
    "a handoff that is never enabled leads there from an agent that no run reaches": (
        (
            Agent("a", "A"),
            Agent("b", "B", handoffs=(to("b", "c", enabled=NEVER),)),
            Agent("c", "C"),
        ),
        (),
        ["B"],
    ),
    "two that only lead to each other": (
        (
            Agent("a", "A"),
            Agent("b", "B", handoffs=(to("b", "c"),)),
            Agent("c", "C", handoffs=(to("c", "b"),)),
        ),
        (),
        ["B"],
    ),
    "two ways lead there, both from agents that no run reaches": (
        (
            Agent("a", "A"),
            Agent("d", "D"),
            Agent("b", "B", handoffs=(to("b", "d"),)),
            Agent("c", "C", handoffs=(to("c", "d"),)),
        ),
        (),
        ["B", "C"],
    ),
    "it is used as a tool": (
        (Agent("a", "A", tools=(agent_tool("a", "ask", "s"),)), Agent("b", "B")),
        (subchart("s", Agent("b", "B")),),
        [],
    ),
    "a tool agent hands off to it": (
        (Agent("a", "A", tools=(agent_tool("a", "ask", "s"),)), Agent("c", "C")),
        (subchart("s", Agent("b", "B", handoffs=(to("b", "c"),)), Agent("c", "C")),),
        [],
    ),
    "it is only the tool of an agent that is unreachable": (
        (Agent("a", "A"), Agent("b", "B", tools=(agent_tool("b", "ask", "s"),)), Agent("c", "C")),
        (subchart("s", Agent("c", "C")),),
        ["B"],
    ),
    "it is the tool of a tool, which is disabled": (
        (Agent("a", "A", tools=(agent_tool("a", "ask", "s", enabled=NEVER),)), Agent("b", "B")),
        (subchart("s", Agent("b", "B")),),
        ["B"],
    ),
}


CYCLES = {
    "an exit by an answer": ((looping("a", "b"), Agent("b", "B", handoffs=(to("b", "a"),))), []),
    "no exit": ((looping("a", "b"), looping("b", "a")), ["'A' → 'B' → 'A'"]),
    "no exit, entered from outside": (
        (Agent("s", "S", handoffs=(to("s", "b"),)), looping("b", "c"), looping("c", "b")),
        ["'B' → 'C' → 'B'"],
    ),
    "a handoff to itself": ((looping("a", "a"),), ["'A' → 'A'"]),
    "no handoff at all": ((looping("a"),), []),
    "a handoff leads out": ((looping("a", "b"), looping("b", "a", "c"), Agent("c", "C")), []),
    "a disabled handoff leads out": (
        (
            looping("a", "b"),
            Agent(
                "b", "B", handoffs=(to("b", "a"), to("b", "c", enabled=NEVER)), choice=ALWAYS_CALLS
            ),
            Agent("c", "C"),
        ),
        ["'A' → 'B' → 'A'"],
    ),
    "it leads into another without exit": (
        (looping("a", "b"), looping("b", "a", "c"), looping("c", "d"), looping("d", "c")),
        ["'C' → 'D' → 'C'"],
    ),
    "two without exit": (
        (
            Agent("s", "S", handoffs=(to("s", "a"), to("s", "c"))),
            looping("a", "b"),
            looping("b", "a"),
            looping("c", "c"),
        ),
        ["'A' → 'B' → 'A'", "'C' → 'C'"],
    ),
    "no run reaches it": ((Agent("s", "S"), looping("a", "b"), looping("b", "a")), []),
    "a tool output ends the run": (
        (
            looping("a", "b"),
            looping("b", "a", tools=(function("b", "x"),), stop=Stop(StopKind.FIRST)),
        ),
        [],
    ),
    "a function decides on tool outputs": (
        (
            looping("a", "b"),
            looping("b", "a", tools=(function("b", "x"),), stop=Stop(StopKind.ASKED, (), "f")),
        ),
        [],
    ),
    "a named tool ends the run": (
        (
            looping("a", "b"),
            looping("b", "a", tools=(function("b", "x"),), stop=Stop(StopKind.NAMED, ("x",))),
        ),
        [],
    ),
    "the named tool does not exist": (
        (
            looping("a", "b"),
            looping("b", "a", tools=(function("b", "x"),), stop=Stop(StopKind.NAMED, ("y",))),
        ),
        ["'A' → 'B' → 'A'"],
    ),
    "the named tool may be one of a server's": (
        (
            looping("a", "b"),
            looping(
                "b",
                "a",
                tools=(function("b", "s", server=True),),
                stop=Stop(StopKind.NAMED, ("y",)),
            ),
        ),
        [],
    ),
    "a reply with a hosted call may be an answer": (
        (looping("a", "b"), looping("b", "a", tools=(Tool("", "x", None),))),
        [],
    ),
    "the output of a hosted tool never ends the run": (
        (
            looping("a", "b"),
            Agent(
                "b",
                "B",
                tools=(Tool("", "x", None),),
                handoffs=(to("b", "a"),),
                choice=Choice(ChoiceKind.NAMED, ("transfer_to_a",), resets=False),
                stop=Stop(StopKind.FIRST),
            ),
        ),
        ["'A' → 'B' → 'A'"],
    ),
    "the tool that could end the run is disabled": (
        (
            looping("a", "b"),
            looping(
                "b", "a", tools=(function("b", "x", enabled=NEVER),), stop=Stop(StopKind.FIRST)
            ),
        ),
        ["'A' → 'B' → 'A'"],
    ),
}


RECURSIONS = {
    "none": ((asks("a", "b"),), (subchart("b", asks("b")),), []),
    "a diamond": (
        (asks("a", "b", "c"),),
        (subchart("b", asks("b", "d")), subchart("c", asks("c", "d")), subchart("d", asks("d"))),
        [],
    ),
    "itself": ((asks("a", "a"),), (subchart("a", asks("a", "a")),), ["'A' → 'A'"]),
    "through another": (
        (asks("s", "a"),),
        (subchart("a", asks("a", "b")), subchart("b", asks("b", "a"))),
        ["'A' → 'B' → 'A'"],
    ),
    "through a handoff inside": (
        (asks("s", "a"),),
        (subchart("a", Agent("a", "A", handoffs=(to("a", "b"),)), asks("b", "a")),),
        ["'A' → 'A'"],
    ),
    "disabled for good": (
        (asks("s", "a"),),
        (subchart("a", asks("a", "a", enabled=NEVER)),),
        [],
    ),
    "by handoffs that return": (
        (asks("s", "a"),),
        (subchart("a", asks("a", "b", handoff=True)), subchart("b", asks("b", "a", handoff=True))),
        [],
    ),
    "allowed on the tool": (
        (asks("s", "a"),),
        (subchart("a", asks("a", "a", allowed=("agent-tool-recursion",))),),
        [],
    ),
    "one of two ways allowed": (
        (asks("s", "a"),),
        (
            subchart("a", asks("a", "b")),
            subchart("b", asks("b", "a", allowed=("AG203",))),
        ),
        [],
    ),
}


X = function("a", "x")


SERVER = Tool("a/mcp/files", "files", WorkKind.FUNCTION, SOMETIMES, server=True)


EXITS: dict[str, tuple[Chart, list[str]]] = {
    "forced to call a tool for ever": (chart(looping("a", tools=(X,))), ["A"]),
    "free to answer": (with_tools(X), []),
    "with an output that is final": (
        chart(looping("a", tools=(X,), stop=Stop(StopKind.FIRST))),
        [],
    ),
    "with the name of another tool as the final one": (
        chart(looping("a", tools=(X,), stop=Stop(StopKind.NAMED, ("y",)))),
        ["A"],
    ),
    "where a function decides what is final": (
        chart(looping("a", tools=(X,), stop=Stop(StopKind.ASKED, symbol="a/f"))),
        [],
    ),
    "with a server whose tools may be the final ones": (
        chart(looping("a", tools=(X, SERVER), stop=Stop(StopKind.NAMED, ("y",)))),
        [],
    ),
    "with a handoff to an agent that answers": (
        chart(looping("a", "b", tools=(X,)), Agent("b", "B")),
        [],
    ),
    "with a handoff whose target is not known, so that no run takes it": (
        chart(looping("a", tools=(X,), handoffs=(to("a", "", "Elsewhere"),))),
        ["A"],
    ),
    "with a handoff that is disabled for good": (
        chart(looping("a", tools=(X,), handoffs=(to("a", "b", enabled=NEVER),)), Agent("b", "B")),
        ["A"],
    ),
    "handed off to": (
        chart(Agent("a", "A", handoffs=(to("a", "b"),)), looping("b", tools=(function("b", "x"),))),
        ["B"],
    ),
    "at the end of a chain of forced handoffs": (
        chart(looping("a", "b"), looping("b", tools=(function("b", "x"),))),
        ["B"],
    ),
    "that no run reaches": (
        chart(Agent("a", "A"), looping("b", tools=(function("b", "x"),)), declared=True),
        [],
    ),
    "in a circle, which is another rule": (chart(looping("a", "a", tools=(X,))), []),
    "with nothing to call": (chart(looping("a")), []),
    "with tools that may all be disabled": (
        chart(looping("a", tools=(function("a", "x", enabled=SOMETIMES),))),
        [],
    ),
    "inside a tool": (
        chart(asks("a", "s"), charts=(subchart("s", looping("s", tools=(function("s", "x"),))),)),
        ["S"],
    ),
}

UNREACHABLE_AGENT: Rows = {
    name: (
        chart(*agents, charts=charts, declared=True),
        [
            f"agent '{one}' is declared in workflow 'Workflow', but no run can reach it"
            for one in names
        ],
    )
    for name, (agents, charts, names) in UNREACHABLE.items()
}
UNREACHABLE_AGENT["no handoff leads there, and none is declared"] = (
    chart(Agent("a", "A"), Agent("b", "B")),
    [],
)

CIRCLE = (looping("a", "b"), looping("b", "a"))
ENTERED = (Agent("s", "S", handoffs=(to("s", "a"),)), *CIRCLE)
AVOIDABLE = ("no exit, entered from outside", "two without exit")
FURTHER: dict[str, tuple[Chart, str, str]] = {
    "another agent must enter it": (chart(looping("s", "a"), *CIRCLE), "AG202", "'A' → 'B' → 'A'"),
    "a run starts in it": (
        build("W", "s", ENTERED, starts=("a",)),
        "AG202",
        "'A' → 'B' → 'A'",
    ),
    "inside a tool": (
        chart(asks("s", "a"), charts=(subchart("a", *CIRCLE),)),
        "AG207",
        "'A' → 'B' → 'A'",
    ),
    # A handler answers when the turns are used up.
    "with a handler": (
        build("W", "a", CIRCLE, policy=Policy(recovers=frozenset({"max_turns"}))),
        "AG207",
        "'A' → 'B' → 'A'",
    ),
    "of twenty agents": (
        chart(*(looping(f"a{n}", f"a{(n + 1) % 20}") for n in range(20))),
        "AG202",
        "'A0' → 'A1' → 'A2' → 'A3' → 'A4' → … 14 more … → 'A19' → 'A0'",
    ),
}


def cycles(code: str) -> Rows:
    """The cycles that one of the two rules reports; those of the other are innocent here."""
    rows: Rows = {}
    for name, (agents, names) in CYCLES.items():
        reports = code == ("AG207" if name in AVOIDABLE else "AG202")
        rows[name] = (chart(*agents), [_no_exit(one) for one in names if reports])
    for name, (workflow, reporting, names) in FURTHER.items():
        rows[name] = (workflow, [_no_exit(names)] if reporting == code else [])
    return rows


def _no_exit(cycle: str) -> str:
    return f"the handoff cycle {cycle} has no exit: no run can end in it or leave it"


AGENT_TOOL_RECURSION: Rows = {
    name: (chart(*agents, charts=charts), [f"can run itself as a tool: {one};" for one in routes])
    for name, (agents, charts, routes) in RECURSIONS.items()
}


def leading(enabled: Enabled) -> Chart:
    agent = Agent("a", "A", handoffs=(to("a", "b", "B", enabled=enabled),))
    return chart(agent, Agent("b", "B"))


DISABLED = "the handoff from 'A' to 'B' is disabled for good"
HANDOFF_NEVER_ENABLED: Rows = {
    "the only one": (leading(NEVER), [DISABLED]),
    "one of two": (
        chart(
            Agent("a", "A", handoffs=(to("a", "b", "B", enabled=NEVER), to("a", "c"))),
            Agent("b", "B"),
            Agent("c", "C"),
        ),
        [DISABLED],
    ),
    "back to the start": (
        chart(
            Agent("b", "B", handoffs=(to("b", "a"),)),
            Agent("a", "A", handoffs=(to("a", "b", "B", enabled=NEVER),)),
        ),
        [DISABLED],
    ),
    "inside a tool": (
        chart(
            asks("s", "a"),
            charts=(
                subchart(
                    "a",
                    Agent("a", "A", handoffs=(to("a", "b", "B", enabled=NEVER),)),
                    Agent("b", "B"),
                ),
            ),
        ),
        [DISABLED],
    ),
    "of an agent that no run reaches": (
        chart(
            Agent("s", "S"),
            Agent("a", "A", handoffs=(to("a", "b", "B", enabled=NEVER),)),
            Agent("b", "B"),
            declared=True,
        ),
        [DISABLED],
    ),
    "as a user writes it": (
        Authored(name="A", handoffs=[handoff(Authored[Any](name="B"), is_enabled=False)]),
        [DISABLED],
    ),
    "sometimes enabled": (leading(SOMETIMES), []),
    "always enabled": (leading(Enabled.ALWAYS), []),
    "a function decides": (
        Authored(
            name="A", handoffs=[handoff(Authored[Any](name="B"), is_enabled=lambda *_: False)]
        ),
        [],
    ),
    "a tool that is disabled": (with_tools(function("a", "x", enabled=NEVER)), []),
}

AGENT_WITHOUT_EXIT: Rows = {
    name: (
        workflow,
        [
            f"agent '{one}' can neither end a run nor hand off: it always calls another tool"
            for one in names
        ],
    )
    for name, (workflow, names) in EXITS.items()
}

CASES: dict[str, Rows] = {
    "AG201": UNREACHABLE_AGENT,
    "AG202": cycles("AG202"),
    "AG203": AGENT_TOOL_RECURSION,
    "AG204": HANDOFF_NEVER_ENABLED,
    "AG206": AGENT_WITHOUT_EXIT,
    "AG207": cycles("AG207"),
}
