"""Cases of the rules about guardrails (AG5)."""

from __future__ import annotations

import dataclasses
from typing import Any

from agentgraph import Agent as Authored
from agentgraph import (
    CodeInterpreterTool,
    GuardrailFunctionOutput,
    HostedMCPTool,
    ShellTool,
    WebSearchTool,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Guardrail, Stop, StopKind, Tool
from agentgraph_compiler.machine import WorkKind
from tests.compiler.rule_cases.case import Rows
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    asks,
    chart,
    function,
    guarded,
    guardrail,
    subchart,
    to,
    used,
)

NEVER = Enabled.NEVER

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


INPUT_GUARDRAIL_NEVER_RUNS: Rows = {
    name: (
        chart(*agents, charts=charts),
        [
            f"input guardrail 'careful' of agent '{one}' never runs: no run starts with '{one}'"
            for one in names
        ],
    )
    for name, (agents, charts, names) in INPUT_GUARDRAILS.items()
}
INPUT_GUARDRAIL_NEVER_RUNS |= {
    "on each of two specialists": (
        chart(Agent("a", "A", handoffs=(to("a", "b"), to("a", "c"))), guarded("b"), guarded("c")),
        ["of agent 'B' never runs", "of agent 'C' never runs"],
    ),
    "on an agent with which other runs start": (
        build("W", "a", (Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b")), starts=("b",)),
        [],
    ),
    "on an agent with which a chat goes on": (
        build("W", "a", (Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b")), multi_turn=True),
        [],
    ),
}
OUTPUT_GUARDRAIL_NEVER_RUNS: Rows = {
    name: (
        chart(*agents),
        [f"output guardrail 'careful' never runs: {reason}"] if reason else [],
    )
    for name, (agents, reason) in OUTPUT_GUARDRAILS.items()
}
OUTPUT_GUARDRAIL_NEVER_RUNS |= {
    "on a specialist that must hand back": (
        chart(
            Agent("a", "A", handoffs=(to("a", "b"),)),
            guarded("b", "a", kind="output", choice=ALWAYS_CALLS),
        ),
        ["agent 'B' never gives the final output"],
    ),
    "inside a tool, on an agent that only hands off": (
        chart(
            asks("a", "s"),
            charts=used(guarded("b", "c", kind="output", choice=ALWAYS_CALLS), Agent("c", "C")),
        ),
        ["agent 'B' never gives the final output"],
    ),
    "on an agent whose stop names no tool": (
        chart(
            guarded(
                "a",
                "b",
                kind="output",
                choice=ALWAYS_CALLS,
                tools=(function("a", "x"),),
                stop=Stop(StopKind.NAMED, ("y",)),
            ),
            Agent("b", "B"),
        ),
        ["agent 'A' never gives the final output"],
    ),
}


def judged(id: str, *targets: str, **fields: object) -> Agent:
    """An agent with an output guardrail."""
    return Agent(
        id,
        id.upper(),
        handoffs=tuple(to(id, target) for target in targets),
        output_guardrails=(guardrail(id, "polite"),),
        **fields,  # type: ignore[arg-type]
    )


def open_(id: str, *targets: str, **fields: object) -> Agent:
    """An agent without guardrails."""
    return Agent(id, id.upper(), handoffs=tuple(to(id, x) for x in targets), **fields)  # type: ignore[arg-type]


FORCED = {"choice": ALWAYS_CALLS}


BYPASSES = {
    "a triage hands to an agent without": (chart(judged("a", "b"), open_("b")), ["'A' → 'B'"]),
    "a specialist hands back": (
        chart(open_("a", "b"), judged("b", "a")),
        ["'B' → 'A'"],
    ),
    "over another guarded agent": (
        chart(judged("a", "b"), judged("b", "c"), open_("c")),
        ["'A' → 'B' → 'C'", "'B' → 'C'"],
    ),
    "inside an agent used as a tool": (
        chart(
            open_("s", tools=(agent_tool("s", "ask", "a"),)),
            charts=(subchart("a", judged("a", "b"), open_("b")),),
        ),
        ["'A' → 'B'"],
    ),
    "all are guarded": (chart(judged("a", "b"), judged("b", "a")), []),
    "nothing leads on from the guarded": (chart(open_("a", "b"), judged("b")), []),
    "the other one never answers": (
        chart(judged("a", "b"), open_("b", "a", **FORCED)),
        [],
    ),
    "the handoff is disabled for good": (
        chart(
            Agent(
                "a",
                "A",
                handoffs=(to("a", "b", enabled=NEVER),),
                output_guardrails=(guardrail("a", "polite"),),
            ),
            open_("b"),
        ),
        [],
    ),
    "the guardrail never runs, which is another rule": (
        chart(judged("a", "b", **FORCED), open_("b")),
        [],
    ),
    "no agent has any": (chart(open_("a", "b"), open_("b")), []),
}


MIXED = {
    "one specialist is guarded and one is not": (
        chart(open_("a", "b", "c", **FORCED), judged("b"), open_("c")),
        "'C'",
    ),
    "the triage answers, too": (
        chart(open_("a", "b", "c"), judged("b"), open_("c")),
        "'A', 'C'",
    ),
    "many are not guarded": (
        chart(open_("a", *"bcdef", **FORCED), judged("b"), *map(open_, "cdef")),
        "'C', 'D', 'E' and 1 more",
    ),
    "all are guarded": (chart(open_("a", "b", "c", **FORCED), judged("b"), judged("c")), ""),
    "none is": (chart(open_("a", "b"), open_("b")), ""),
    "the other one is behind the guarded one": (chart(judged("a", "b"), open_("b")), ""),
    "the other one never answers": (
        chart(open_("a", "b", **FORCED), judged("b")),
        "",
    ),
}


def with_tool(
    inner: Agent, *others: Agent, start: dict[str, Any] | None = None, **tool: Any
) -> Chart:
    ask = dataclasses.replace(agent_tool("s", "ask", "inner"), **tool)
    outer = Agent("s", "S", tools=(ask,), **(start or {}))
    return chart(outer, charts=(subchart("inner", inner, *others),))


EXTRACTORS = {
    "an extractor past a guardrail": (with_tool(judged("a"), extracts=True), 1),
    "an extractor past the guardrail of a later agent": (
        with_tool(open_("a", "b"), judged("b"), extracts=True),
        1,
    ),
    "an extractor past one of two": (
        with_tool(judged("a", "b"), judged("b"), extracts=True),
        1,
    ),
    "no extractor": (with_tool(judged("a")), 0),
    "no guardrail": (with_tool(open_("a"), extracts=True), 0),
    "the output of the tool is checked": (with_tool(judged("a"), extracts=True, judged=True), 0),
    "the tool is disabled for good": (
        with_tool(judged("a"), extracts=True, enabled=NEVER),
        0,
    ),
    "the guardrail never runs": (
        with_tool(judged("a", "b", **FORCED), open_("b"), extracts=True),
        0,
    ),
}


GUARDED_START = {"input_guardrails": (guardrail("s", "careful"),)}


ACTS = {"tools": (function("a", "execute"),)}


INPUTS = {
    "an agent that acts on a model's text": (with_tool(open_("a", **ACTS), start=GUARDED_START), 1),
    "the inner agent checks only what it answers": (
        with_tool(judged("a", **ACTS), start=GUARDED_START),
        1,
    ),
    "a later agent is guarded, and its guardrail never runs": (
        with_tool(
            open_("a", "b", **ACTS),
            Agent("b", "B", input_guardrails=(guardrail("b", "careful"),)),
            start=GUARDED_START,
        ),
        1,
    ),
    "the inner agent screens its input": (
        with_tool(
            Agent("a", "A", tools=ACTS["tools"], input_guardrails=(guardrail("a", "careful"),)),
            start=GUARDED_START,
        ),
        0,
    ),
    "the call is screened": (
        with_tool(open_("a", **ACTS), start=GUARDED_START, screened=True),
        0,
    ),
    "the inner agent only answers": (with_tool(open_("a"), start=GUARDED_START), 0),
    "nothing is screened anywhere": (with_tool(open_("a", **ACTS)), 0),
}


MCP = Tool("a/tool/crm", "hosted_mcp crm", WorkKind.ACTION, remote=True, acts=True)


CODE = Tool("", "code_interpreter", None, acts=True)


SEARCH = Tool("", "web_search", None)


BESIDE = (guardrail("a", "careful"),)


FIRST = (guardrail("a", "careful", parallel=False),)


def screening(*tools: Tool, by: tuple[Guardrail, ...] = BESIDE, **fields: Any) -> Agent:
    return Agent("a", "A", tools=tools, input_guardrails=by, **fields)


HOSTED = {
    "a hosted server": (chart(screening(MCP)), 1),
    "a code interpreter": (chart(screening(CODE)), 1),
    "both, which are one cause": (chart(screening(MCP, CODE, SEARCH)), 1),
    "one guardrail first and one beside": (
        chart(screening(CODE, by=(*FIRST, guardrail("a", "late")))),
        1,
    ),
    "an agent with which a chat goes on": (
        build("W", "s", (open_("s", "a"), screening(CODE)), multi_turn=True),
        1,
    ),
    "the guardrail runs first": (chart(screening(MCP, by=FIRST)), 0),
    "a tool that only reads": (chart(screening(SEARCH)), 0),
    "a tool of ours, which the run holds back": (chart(screening(function("a", "pay"))), 0),
    "no guardrail": (chart(screening(MCP, by=())), 0),
    "an agent that no run starts with": (chart(open_("s", "a"), screening(CODE)), 0),
    "the tool is disabled for good": (
        chart(screening(dataclasses.replace(CODE, enabled=NEVER))),
        0,
    ),
}


SERVER: dict[str, Any] = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.test"}


HOSTED_KINDS: dict[str, tuple[Any, bool]] = {
    "a server without approval": (HostedMCPTool({**SERVER, "require_approval": "never"}), True),
    "a server that asks for some calls": (
        HostedMCPTool({**SERVER, "require_approval": {"never": {"tool_names": ["read"]}}}),
        True,
    ),
    "a server that asks for every call": (
        HostedMCPTool({**SERVER, "require_approval": "always"}),
        False,
    ),
    "a server that asks for every call by default": (HostedMCPTool({**SERVER}), False),
    "a server that only reads": (
        HostedMCPTool(
            {**SERVER, "require_approval": "never", "allowed_tools": {"read_only": True}}
        ),
        False,
    ),
    "code at the provider": (
        CodeInterpreterTool({"type": "code_interpreter", "container": {"type": "auto"}}),
        True,
    ),
    "a shell at the provider": (ShellTool(environment={"type": "container_auto"}), True),
    "a shell of ours": (ShellTool(lambda request: ""), False),
    "a search": (WebSearchTool(), False),
    "a function that is called like a hosted tool": (
        function_tool(lambda: "", name_override="code_interpreter"),
        False,
    ),
}


@input_guardrail
def by_keyword(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=str(text), tripwire_triggered=False)


@input_guardrail
async def by_position(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


@input_guardrail(name="two ways", run_in_parallel=False)
def two_ways(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    if "4111" in str(text):
        return GuardrailFunctionOutput("a card number", False)
    return GuardrailFunctionOutput("nothing", tripwire_triggered=False)


@input_guardrail
def depends(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered="4111" in str(text))


@input_guardrail
def one_way_trips(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    if "4111" in str(text):
        return GuardrailFunctionOutput("a card number", True)
    return GuardrailFunctionOutput("nothing", False)


@input_guardrail
def raises(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    if "4111" in str(text):
        raise ValueError("a card number")
    return GuardrailFunctionOutput("nothing", False)


@input_guardrail
def asks_another(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    def verdict() -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, False)

    return verdict()


OUTPUT_GUARDRAIL_BYPASSED: Rows = {
    name: (workflow, [f": {route}, and " for route in routes])
    for name, (workflow, routes) in BYPASSES.items()
}
LONG_WAY = [judged(f"a{n}", f"a{n + 1}") for n in range(9)]
OUTPUT_GUARDRAIL_BYPASSED["a long way"] = (
    chart(*LONG_WAY, open_("a9")),
    [
        "'A0' → 'A1' → 'A2' → 'A3' → 'A4' → … → 'A9', and 'A9' has none",
        *(f": 'A{n}' → " for n in range(1, 9)),
    ],
)
MIXED_EXITS: Rows = {
    name: (workflow, [f"end with {names} without"] if names else [])
    for name, (workflow, names) in MIXED.items()
}
EXTRACTOR_BYPASSES_GUARDRAIL: Rows = {
    name: (
        workflow,
        ["the output of tool 'ask' of agent 'S' bypasses the output guardrail"] * count,
    )
    for name, (workflow, count) in EXTRACTORS.items()
}
UNSCREENED_AGENT_TOOL: Rows = {
    name: (workflow, ["nothing screens the input of 'A', which 'S' runs as its tool 'ask'"] * count)
    for name, (workflow, count) in INPUTS.items()
}
HOSTED_TOOL_BESIDE_GUARDRAIL: Rows = {
    name: (workflow, ["of agent 'A' can act before input guardrail"] * count)
    for name, (workflow, count) in HOSTED.items()
}
HOSTED_TOOL_BESIDE_GUARDRAIL |= {
    name: (
        Authored(name="Desk", tools=[tool], input_guardrails=[depends]),
        ["of agent 'Desk' can act before input guardrail 'depends' has passed"] * acts,
    )
    for name, (tool, acts) in HOSTED_KINDS.items()
}


@output_guardrail
def judges_nothing(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


def constant(name: str) -> str:
    return f"guardrail '{name}' of agent 'A' can never trip"


GUARDRAIL_NEVER_TRIPS: Rows = {
    "a constant by keyword": (
        Authored(name="A", input_guardrails=[by_keyword]),
        [constant("by_keyword")],
    ),
    "a constant by position": (
        Authored(name="A", input_guardrails=[by_position]),
        [constant("by_position")],
    ),
    "the same on two ways": (
        Authored(name="A", input_guardrails=[two_ways]),
        [constant("two ways")],
    ),
    "of an output": (
        Authored(name="A", output_guardrails=[judges_nothing]),
        [constant("judges_nothing")],
    ),
    "it depends on the text": (Authored(name="A", input_guardrails=[depends]), []),
    "one way trips": (Authored(name="A", input_guardrails=[one_way_trips]), []),
    "one way raises an error": (Authored(name="A", input_guardrails=[raises]), []),
    "another function decides": (Authored(name="A", input_guardrails=[asks_another]), []),
}

CASES: dict[str, Rows] = {
    "AG501": INPUT_GUARDRAIL_NEVER_RUNS,
    "AG502": OUTPUT_GUARDRAIL_NEVER_RUNS,
    "AG503": OUTPUT_GUARDRAIL_BYPASSED,
    "AG504": MIXED_EXITS,
    "AG505": EXTRACTOR_BYPASSES_GUARDRAIL,
    "AG506": UNSCREENED_AGENT_TOOL,
    "AG507": HOSTED_TOOL_BESIDE_GUARDRAIL,
    "AG508": GUARDRAIL_NEVER_TRIPS,
}
