"""Answers, inputs and effects that no guardrail covers: one row, one workflow."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agentgraph import Agent as Authored
from agentgraph import (
    CodeInterpreterTool,
    GuardrailFunctionOutput,
    HostedMCPTool,
    ShellTool,
    WebSearchTool,
    check,
    function_tool,
    input_guardrail,
)
from agentgraph.testing import assert_clean
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Guardrail, Tool
from agentgraph_compiler.machine import WorkKind
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    chart,
    function,
    guardrail,
    subchart,
    to,
)

NEVER = Enabled.NEVER


def findings(workflow: Chart, code: str) -> list[str]:
    return [one.message for one in pipeline.check(workflow) if one.rule.code == code]


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


@pytest.mark.parametrize("case", BYPASSES)
def test_output_guardrail_bypassed(case: str) -> None:
    workflow, routes = BYPASSES[case]
    messages = findings(workflow, "AG503")
    assert [message.split(": ")[1].split(", and ")[0] for message in messages] == routes


def test_a_long_way_past_a_guardrail_is_named_in_short() -> None:
    chain = [judged(f"a{n}", f"a{n + 1}") for n in range(9)]
    first = findings(chart(*chain, open_("a9")), "AG503")[0]
    assert "'A0' → 'A1' → 'A2' → 'A3' → 'A4' → … → 'A9', and 'A9' has none" in first


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


@pytest.mark.parametrize("case", MIXED)
def test_mixed_exits(case: str) -> None:
    workflow, names = MIXED[case]
    messages = findings(workflow, "AG504")
    assert [one.split("end with ")[1].split(" without")[0] for one in messages] == [names][
        : bool(names)
    ]


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


@pytest.mark.parametrize("case", EXTRACTORS)
def test_extractor_bypasses_guardrail(case: str) -> None:
    workflow, count = EXTRACTORS[case]
    assert len(findings(workflow, "AG505")) == count


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


@pytest.mark.parametrize("case", INPUTS)
def test_unscreened_agent_tool(case: str) -> None:
    workflow, count = INPUTS[case]
    assert len(findings(workflow, "AG506")) == count


MCP = Tool("a/tool/crm", "hosted_mcp crm", WorkKind.ACTION, remote=True, acts=True)
CODE = Tool("", "code_interpreter", None, acts=True)
SEARCH = Tool("", "web_search", None)
BESIDE = (guardrail("a", "careful"),)
FIRST = (guardrail("a", "careful", parallel=False),)


def guarded(*tools: Tool, by: tuple[Guardrail, ...] = BESIDE, **fields: Any) -> Agent:
    return Agent("a", "A", tools=tools, input_guardrails=by, **fields)


HOSTED = {
    "a hosted server": (chart(guarded(MCP)), 1),
    "a code interpreter": (chart(guarded(CODE)), 1),
    "both, which are one cause": (chart(guarded(MCP, CODE, SEARCH)), 1),
    "one guardrail first and one beside": (
        chart(guarded(CODE, by=(*FIRST, guardrail("a", "late")))),
        1,
    ),
    "an agent with which a chat goes on": (
        build("W", "s", (open_("s", "a"), guarded(CODE)), multi_turn=True),
        1,
    ),
    "the guardrail runs first": (chart(guarded(MCP, by=FIRST)), 0),
    "a tool that only reads": (chart(guarded(SEARCH)), 0),
    "a tool of ours, which the run holds back": (chart(guarded(function("a", "pay"))), 0),
    "no guardrail": (chart(guarded(MCP, by=())), 0),
    "an agent that no run starts with": (chart(open_("s", "a"), guarded(CODE)), 0),
    "the tool is disabled for good": (
        chart(guarded(dataclasses.replace(CODE, enabled=NEVER))),
        0,
    ),
}


@pytest.mark.parametrize("case", HOSTED)
def test_hosted_tool_beside_guardrail(case: str) -> None:
    workflow, count = HOSTED[case]
    assert len(findings(workflow, "AG507")) == count


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


@pytest.mark.parametrize("case", HOSTED_KINDS)
def test_what_acts_at_the_provider_is_a_property_of_the_kind_of_tool(case: str) -> None:
    tool, acts = HOSTED_KINDS[case]
    agent = Authored(name="Desk", tools=[tool], input_guardrails=[depends])
    assert ("AG507" in {one.rule.code for one in check(agent)}) is acts


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


@pytest.mark.parametrize(
    "constant", [by_keyword, by_position, two_ways], ids=lambda g: g.get_name()
)
def test_guardrail_never_trips(constant: Any) -> None:
    (finding,) = check(Authored(name="A", input_guardrails=[constant]))
    assert finding.rule.code == "AG508"
    assert f"guardrail '{constant.get_name()}' of agent 'A' can never trip" in finding.message


@pytest.mark.parametrize("guardrail", [depends, one_way_trips, raises, asks_another])
def test_a_guardrail_that_may_trip_is_no_finding(guardrail: Any) -> None:
    assert_clean(Authored(name="A", input_guardrails=[guardrail]))
