"""What each rule finds and what it leaves alone: one row, one workflow.

A row reads: these agents, the first of which a run starts with, give these findings.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agentgraph_compiler import pipeline
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.diagnostics import Severity
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Choice,
    ChoiceKind,
    Enabled,
    Guardrail,
    Handoff,
    Reader,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import Type
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    at,
    chart,
    function,
    guardrail,
    subchart,
    support_desk,
    to,
)

NEVER, SOMETIMES = Enabled.NEVER, Enabled.SOMETIMES


def messages(workflow: Chart, code: str) -> list[str]:
    return [
        diagnostic.message
        for diagnostic in pipeline.check(workflow)
        if diagnostic.rule.code == code
    ]


def codes(workflow: Chart) -> list[str]:
    return [diagnostic.rule.code for diagnostic in pipeline.check(workflow)]


def with_tools(*tools: Tool, **fields: object) -> Chart:
    return chart(Agent("a", "A", tools=tools, **fields))  # type: ignore[arg-type]


def looping(id: str, *targets: str, **fields: object) -> Agent:
    """An agent whose model must always call something."""
    fields.setdefault("handoffs", tuple(to(id, target) for target in targets))
    return Agent(id, id.upper(), choice=ALWAYS_CALLS, **fields)  # type: ignore[arg-type]


def guarded(id: str, *targets: str, kind: str = "input", **fields: object) -> Agent:
    """An agent with a guardrail of one kind."""
    return Agent(
        id,
        id.upper(),
        handoffs=tuple(to(id, target) for target in targets),
        **{f"{kind}_guardrails": (guardrail(id, "careful"),)},  # type: ignore[arg-type]
        **fields,  # type: ignore[arg-type]
    )


def test_a_realistic_workflow_gets_no_warning() -> None:
    desk = support_desk()
    agents = [
        dataclasses.replace(agent, output_guardrails=(guardrail(agent.id, "polite"),))
        for agent in desk.agents
    ]
    guarded_desk = build(desk.name, desk.start, agents, declared=True, charts=desk.charts)
    assert codes(guarded_desk) == ["AG401", "AG506"]
    assert codes(desk) == ["AG503", "AG401", "AG506"]


@pytest.mark.parametrize(
    ("tools", "handoffs", "names"),
    [
        ((function("a", "x"), function("a", "y")), (), []),
        ((function("a", "x"), function("a", "x")), (), ["x"]),
        (tuple(function("a", "x", line=n) for n in range(3)), (), ["x", "x"]),
        # Hosted tools are the provider's, and a tool with a kind of call of its own is never asked
        # for by a function call.
        ((function("a", "x"), Tool("", "x", None), Tool("", "x", None)), (), []),
        ((function("a", "x"), Tool("", "x", WorkKind.ACTION)), (), []),
        ((Tool("", "x", WorkKind.ACTION), Tool("", "x", None)), (), []),
        ((Tool("", "x", WorkKind.ACTION), Tool("", "x", WorkKind.ACTION)), (), ["x"]),
        ((function("a", "transfer_to_a"),), (to("a", "a"),), ["transfer_to_a"]),
        ((), (to("a", "a"), to("a", "a")), ["transfer_to_a"]),
        ((function("a", "x"), function("a", "x", enabled=NEVER)), (), []),
        ((function("a", "x"), function("a", "x", enabled=SOMETIMES)), (), []),
        ((function("a", "x", enabled=SOMETIMES),) * 2, (), []),
    ],
)
def test_duplicate_tool_name(
    tools: tuple[Tool, ...], handoffs: tuple[object, ...], names: list[str]
) -> None:
    agent = Agent("a", "A", tools=tools, handoffs=handoffs)  # type: ignore[arg-type]
    # Only the declarations matter here, so the states are those of an agent without tools.
    workflow = dataclasses.replace(chart(Agent("a", "A")), agents=(agent,))
    findings = messages(workflow, "AG101")
    assert len(findings) == len(names)
    for message, name in zip(findings, names, strict=True):
        assert message.startswith(f"agent 'A' offers two tools named '{name}':")


def test_the_same_name_on_two_agents_is_no_duplicate() -> None:
    first = Agent("a", "A", tools=(function("a", "x"),), handoffs=(to("a", "b"),))
    assert codes(chart(first, Agent("b", "B", tools=(function("b", "x"),)))) == []


@pytest.mark.parametrize(("declared", "count"), [(True, 1), (False, 0)])
def test_duplicate_agent_identity(declared: bool, count: int) -> None:
    agents = (Agent("a", "Clerk", handoffs=(to("a", "a_2"),)), Agent("a_2", "Clerk"))
    findings = messages(chart(*agents, declared=declared), "AG102")
    assert findings == ["workflow 'Workflow' declares two agents named 'Clerk'"][:count]


@pytest.mark.parametrize(
    ("declared", "enabled", "count"),
    [
        (True, Enabled.ALWAYS, 1),
        (True, SOMETIMES, 1),
        (True, NEVER, 0),
        (False, Enabled.ALWAYS, 0),
    ],
)
def test_unknown_handoff_target(declared: bool, enabled: Enabled, count: int) -> None:
    agent = Agent("a", "A", handoffs=(to("a", "", "Elsewhere", enabled=enabled),))
    findings = messages(chart(agent, declared=declared), "AG103")
    expected = "agent 'A' hands off to 'Elsewhere', which workflow 'Workflow' does not declare"
    assert findings == [expected][:count]


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


@pytest.mark.parametrize("case", UNREACHABLE)
def test_unreachable_agent(case: str) -> None:
    agents, charts, names = UNREACHABLE[case]
    declared = chart(*agents, charts=charts, declared=True)
    expected = [
        f"agent '{name}' is declared in workflow 'Workflow', but no run can reach it"
        for name in names
    ]
    assert messages(declared, "AG201") == expected
    assert messages(dataclasses.replace(declared, declared=False), "AG201") == []


def test_agents_behind_one_that_no_run_reaches_stand_in_its_finding() -> None:
    agents = (
        Agent("a", "A"),
        Agent("c", "C"),
        Agent("b", "B", handoffs=(to("b", "c"), to("b", "d", enabled=NEVER))),
        Agent("d", "D"),
    )
    (finding,) = [
        one for one in pipeline.check(chart(*agents, declared=True)) if one.rule.code == "AG201"
    ]
    assert [note.message for note in finding.notes] == [
        "runs of the workflow start with 'A'",
        "so no run can reach 'C' either",
        "so no run can reach 'D' either",
    ]


AT_FAULT = {
    "AG101": Agent("b", "B", tools=(function("b", "x"), function("b", "x_2"))),
    "AG103": Agent("b", "B", handoffs=(to("b", "", "Elsewhere"),)),
    "AG501": guarded("b"),
    "AG502": guarded("b", "b", kind="output", choice=ALWAYS_CALLS),
}


@pytest.mark.parametrize("code", AT_FAULT)
def test_an_agent_that_no_run_reaches_has_one_cause_and_one_finding(code: str) -> None:
    def codes_if(*handoffs: Handoff) -> list[str]:
        start = Agent("a", "A", handoffs=handoffs)
        return codes(with_one_name(chart(start, AT_FAULT[code], declared=True)))

    assert code in codes_if(to("a", "b"))
    assert codes_if() == ["AG201"]
    assert codes_if(to("a", "b", enabled=NEVER)) == ["AG204"]


def with_one_name(workflow: Chart) -> Chart:
    """The same workflow with one name for the tools of an agent, which no builder accepts."""
    start, agent = workflow.agents
    tools = tuple(dataclasses.replace(tool, name="x") for tool in agent.tools)
    return dataclasses.replace(workflow, agents=(start, dataclasses.replace(agent, tools=tools)))


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


@pytest.mark.parametrize("case", CYCLES)
def test_handoff_cycle_without_exit(case: str) -> None:
    agents, cycles = CYCLES[case]
    expected = [
        f"the handoff cycle {cycle} has no exit: no run can end in it or leave it"
        for cycle in cycles
    ]
    findings = messages(chart(*agents), "AG202") + messages(chart(*agents), "AG207")
    assert findings == expected


def test_a_circle_without_exit_is_an_error_only_where_no_run_goes_well() -> None:
    circle = (looping("a", "b"), looping("b", "a"))
    entered = chart(Agent("s", "S", handoffs=(to("s", "a"),)), *circle)
    assert codes(chart(*circle)) == ["AG202"]
    assert codes(chart(looping("s", "a"), *circle)) == ["AG202"]
    assert codes(entered) == ["AG207"]
    assert codes(chart(asks("s", "a"), charts=(subchart("a", *circle),))) == ["AG207"]
    # A run that starts with A cannot go well.
    started = build("W", "s", entered.agents, starts=("a",))
    assert codes(started) == ["AG202"]
    # A handler answers when the turns are used up.
    handled = build("W", "a", circle, policy=Policy(recovers=frozenset({"max_turns"})))
    assert codes(handled) == ["AG207"]


def test_a_long_cycle_is_named_in_short() -> None:
    ring = [looping(f"a{n}", f"a{(n + 1) % 20}") for n in range(20)]
    (message,) = messages(chart(*ring), "AG202")
    assert "'A0' → 'A1' → 'A2' → 'A3' → 'A4' → … 14 more … → 'A19' → 'A0'" in message


def asks(id: str, *machines: str, **fields: Any) -> Agent:
    """An agent that runs other agents as its tools."""
    tools = tuple(agent_tool(id, f"ask_{machine}", machine, **fields) for machine in machines)
    return Agent(id, id.upper(), tools=tools)


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


@pytest.mark.parametrize("case", RECURSIONS)
def test_agent_tool_recursion(case: str) -> None:
    agents, charts, routes = RECURSIONS[case]
    findings = messages(chart(*agents, charts=charts), "AG203")
    assert len(findings) == len(routes)
    for message, route in zip(findings, routes, strict=True):
        assert f"can run itself as a tool: {route};" in message


@pytest.mark.parametrize(("enabled", "count"), [(NEVER, 1), (SOMETIMES, 0), (Enabled.ALWAYS, 0)])
def test_handoff_never_enabled(enabled: Enabled, count: int) -> None:
    agents = (Agent("a", "A", handoffs=(to("a", "b", "B", enabled=enabled),)), Agent("b", "B"))
    expected = ["the handoff from 'A' to 'B' is disabled for good"][:count]
    assert messages(chart(*agents), "AG204") == expected


@pytest.mark.parametrize(
    ("unseen", "how_many"), [((), ""), (("x",), "one thing"), (("x", "y"), "2 things")]
)
def test_unseen_by_the_compiler(unseen: tuple[str, ...], how_many: str) -> None:
    faults = [
        f for f in pipeline.check(chart(Agent("a", "A", unseen=unseen))) if f.rule.code == "AG401"
    ]
    expected = [f"{how_many} about agent 'A' will only be known at run time"] if unseen else []
    assert [diagnostic.message for diagnostic in faults] == expected
    assert [note.message for diagnostic in faults for note in diagnostic.notes] == list(unseen)
    assert {diagnostic.severity for diagnostic in faults} <= {Severity.NOTE}


def used(*agents: Agent) -> tuple[Chart, ...]:
    return (subchart("s", *agents),)


INPUT_GUARDRAILS = {
    "on the first agent": ((guarded("a"),), (), []),
    "on an agent entered by handoff": (
        (Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b")),
        (),
        ["B"],
    ),
    "on an agent entered first and again later": (
        (guarded("a", "b"), Agent("b", "B", handoffs=(to("b", "a"),))),
        (),
        [],
    ),
    "on an agent used as a tool": ((asks("a", "s"),), used(guarded("b")), []),
    "on an agent that is handed to and used as a tool": (
        (dataclasses.replace(asks("a", "s"), handoffs=(to("a", "b"),)), guarded("b")),
        used(guarded("b")),
        [],
    ),
    "inside a tool, on an agent entered by handoff": (
        (asks("a", "s"),),
        used(Agent("b", "B", handoffs=(to("b", "c"),)), guarded("c")),
        ["C"],
    ),
}


@pytest.mark.parametrize("case", INPUT_GUARDRAILS)
def test_input_guardrail_never_runs(case: str) -> None:
    agents, charts, names = INPUT_GUARDRAILS[case]
    expected = [
        f"input guardrail 'careful' of agent '{name}' never runs: no run starts with '{name}'"
        for name in names
    ]
    assert messages(chart(*agents, charts=charts), "AG501") == expected


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


@pytest.mark.parametrize("case", EXITS)
def test_agent_without_exit(case: str) -> None:
    workflow, names = EXITS[case]
    expected = [
        f"agent '{name}' can neither end a run nor hand off: it always calls another tool"
        for name in names
    ]
    assert messages(workflow, "AG206") == expected


OUTPUT_GUARDRAILS = {
    "on an agent that answers": ((guarded("a", kind="output"),), ""),
    "on an agent entered by handoff": (
        (Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b", kind="output")),
        "",
    ),
    "on an agent that only hands off": (
        (guarded("a", "b", kind="output", choice=ALWAYS_CALLS), Agent("b", "B")),
        "agent 'A' never gives the final output",
    ),
    "on an agent that no run reaches": ((Agent("a", "A"), guarded("b", kind="output")), ""),
    "on an agent whose tools end the run": (
        (
            guarded(
                "a",
                kind="output",
                choice=ALWAYS_CALLS,
                tools=(function("a", "x"),),
                stop=Stop(StopKind.FIRST),
            ),
        ),
        "",
    ),
}


@pytest.mark.parametrize("case", OUTPUT_GUARDRAILS)
def test_output_guardrail_never_runs(case: str) -> None:
    agents, reason = OUTPUT_GUARDRAILS[case]
    expected = [f"output guardrail 'careful' never runs: {reason}"] if reason else []
    assert messages(chart(*agents), "AG502") == expected


@pytest.mark.parametrize("name", [" ", "größe", "a b", "a..b", "a" * 65, "line\n"])
def test_unfit_tool_name(name: str) -> None:
    offered = f"agent 'A' offers '{name}', a name that model APIs refuse"
    assert messages(with_tools(function("a", name)), "AG104") == [offered]
    handed = Agent("a", "A", handoffs=(dataclasses.replace(to("a", "b"), name=name),))
    assert messages(chart(handed, Agent("b", "B")), "AG104") == [offered]


@pytest.mark.parametrize("name", ["a", "a-b_C9", "crm.look", "a" * 64])
def test_a_name_that_fits(name: str) -> None:
    assert messages(with_tools(function("a", name)), "AG104") == []


SUPPRESSIBLE = {
    "AG101": with_tools(function("a", "x"), dataclasses.replace(function("a", "x"), symbol="a/2")),
    "AG102": chart(Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "A"), declared=True),
    "AG103": chart(Agent("a", "A", handoffs=(to("a", "", "X"),)), declared=True),
    "AG104": with_tools(function("a", "größe")),
    "AG105": chart(
        Agent(
            "a",
            "A",
            handoffs=tuple(
                dataclasses.replace(to("a", id, name), name="transfer_to__", derived=True)
                for id, name in (("b", "é"), ("c", "ü"))
            ),
        ),
        Agent("b", "é"),
        Agent("c", "ü"),
    ),
    "AG201": chart(Agent("a", "A"), Agent("b", "B"), declared=True),
    "AG202": chart(looping("a", "a")),
    "AG203": chart(asks("a", "a"), charts=(subchart("a", asks("a", "a")),)),
    "AG204": chart(Agent("a", "A", handoffs=(to("a", "b", enabled=NEVER),)), Agent("b", "B")),
    "AG206": chart(looping("a", tools=(function("a", "x"),))),
    "AG210": chart(Agent("a", "A", instructions="Transfer back to the triage agent.")),
    "AG211": chart(Agent("a", "A", instructions="Call look_up first.")),
    "AG212": chart(
        Agent("a", "A", handoffs=tuple(to("a", id, description="") for id in "bc")),
        Agent("b", "B"),
        Agent("c", "C"),
    ),
    "AG213": with_tools(*(function("a", name, description="Search.") for name in "xy")),
    "AG214": with_tools(function("a", "x", description="")),
    "AG215": dataclasses.replace(
        chart(Agent("a", "A", handoffs=(to("a", "b"),)), Agent("b", "B")), multi_turn=True
    ),
    "AG216": chart(Agent("a", "A", handoffs=(to("a", "a"),))),
    "AG207": chart(Agent("s", "S", handoffs=(to("s", "a"),)), looping("a", "a")),
    "AG301": chart(
        Agent("a", "A", Type("Customer"), readers=(Reader("instructions", Type("Stock")),))
    ),
    "AG302": chart(
        Agent("a", "A", handoffs=(to("a", "b", input=Type("X"), takes=Type("Y")),)), Agent("b", "B")
    ),
    "AG303": chart(Agent("a", "A", schema="false")),
    "AG304": chart(Agent("a", "A", not_strict="free keys")),
    "AG305": with_tools(
        function("a", "x", returns=Type("str")), output=Type("m.X"), stop=Stop(StopKind.FIRST)
    ),
    "AG602": chart(asks("a", "s", turns=0), charts=used(Agent("b", "B"))),
    "AG401": chart(Agent("a", "A", unseen=("x",))),
    "AG501": chart(Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b")),
    "AG217": with_tools(function("a", "x"), stop=Stop(StopKind.NAMED, ("y",))),
    "AG218": chart(Agent("a", "A", choice=ALWAYS_CALLS)),
    "AG219": with_tools(function("a", "x"), choice=Choice(ChoiceKind.NONE)),
    "AG503": chart(guarded("a", "b", kind="output"), Agent("b", "B")),
    "AG504": chart(looping("a", "b", "c"), guarded("b", kind="output"), Agent("c", "C")),
    "AG505": chart(
        asks("a", "b", extracts=True), charts=(subchart("b", guarded("b", kind="output")),)
    ),
    "AG506": chart(
        dataclasses.replace(asks("a", "b"), input_guardrails=(guardrail("a", "careful"),)),
        charts=(subchart("b", Agent("b", "B", tools=(function("b", "x"),))),),
    ),
    "AG507": with_tools(
        Tool("", "code_interpreter", None, acts=True), input_guardrails=(guardrail("a", "careful"),)
    ),
    "AG508": chart(Agent("a", "A", input_guardrails=(guardrail("a", "careful", passes=True),))),
    "AG502": chart(guarded("a", "b", kind="output", choice=ALWAYS_CALLS), Agent("b", "B")),
}


def test_every_rule_but_that_of_the_machine_itself_can_be_allowed() -> None:
    assert set(SUPPRESSIBLE) == {part.RULE.code for part in CHECKS} - {"AG205"}


@pytest.mark.parametrize("by", ["name", "code"])
@pytest.mark.parametrize("code", SUPPRESSIBLE)
def test_a_rule_allowed_on_an_agent_is_quiet_about_it(code: str, by: str) -> None:
    (rule,) = (part.RULE for part in CHECKS if part.RULE.code == code)
    workflow = SUPPRESSIBLE[code]
    assert code in codes(workflow)
    assert code not in codes(allowing(workflow, getattr(rule, by)))


def allowing(workflow: Chart, rule: str) -> Chart:
    agents = tuple(dataclasses.replace(agent, allowed=(rule,)) for agent in workflow.agents)
    charts = tuple(allowing(part, rule) for part in workflow.charts)
    return dataclasses.replace(workflow, agents=agents, charts=charts)


def test_a_rule_allowed_on_one_guardrail_still_speaks_of_the_others() -> None:
    loud = guardrail("b", "loud")
    quiet = Guardrail("b/quiet", "quiet", allowed=("input-guardrail-never-runs",))
    second = Agent("b", "B", input_guardrails=(loud, quiet))
    (message,) = messages(chart(Agent("a", "A", handoffs=(to("a", "b"),)), second), "AG501")
    assert "'loud'" in message


def test_what_is_wrong_with_an_agent_in_two_charts_is_said_once() -> None:
    twice = Agent(
        "b",
        "B",
        tools=(function("b", "x"), dataclasses.replace(function("b", "x"), symbol="b/2")),
        origin=at(7),
    )
    first = dataclasses.replace(asks("a", "s"), handoffs=(to("a", "b"),))
    assert len(messages(chart(first, twice, charts=used(twice)), "AG101")) == 1


def test_only_errors_are_looked_for_before_a_run() -> None:
    workflow = chart(
        Agent("a", "A", handoffs=(to("a", "", "X"),), unseen=("x",)),
        Agent("b", "B"),
        declared=True,
    )
    assert {diagnostic.rule.code for diagnostic in pipeline.check(workflow)} == {
        "AG103",
        "AG201",
        "AG401",
    }
    assert {diagnostic.rule.code for diagnostic in pipeline.check(workflow, deep=False)} == {
        "AG103"
    }
    assert pipeline.compile_chart(workflow).machine is None


def test_warnings_and_notes_do_not_stop_compilation() -> None:
    workflow = chart(Agent("a", "A", unseen=("x",)), Agent("b", "B"), declared=True)
    compiled = pipeline.compile_chart(workflow)
    assert compiled.machine is not None
    assert len(compiled.diagnostics) == 2
