"""Well-formedness (AG200) and unhandled outcomes (AG205): what the interpreter relies on."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from agentgraph_compiler import pipeline
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
from agentgraph_compiler.ir.text import parse_chart
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.verify import verify
from tests.compiler.rule_cases.machines import HEAD, MODEL
from tests.compiler.workflows import agent_tool, function, guardrail, subchart, support_desk, to


def test_sub_charts_have_names_of_their_own_and_are_flat() -> None:
    part = subchart("s", Agent("a", "A"))
    twice = dataclasses.replace(support_desk(), charts=(part, part))
    assert any(
        "two sub-charts have the same name" in diagnostic.message for diagnostic in verify(twice)
    )
    nested = dataclasses.replace(
        support_desk(), charts=(*support_desk().charts, dataclasses.replace(part, charts=(part,)))
    )
    assert any("they are flat" in diagnostic.message for diagnostic in verify(nested))


def test_a_malformed_chart_is_checked_no_further() -> None:
    diagnostics = pipeline.check(parse_chart(HEAD + "state s thinking of b\n  invoke m model"))
    assert {diagnostic.rule.code for diagnostic in diagnostics} == {"AG200"}


def test_an_unhandled_outcome_in_a_sub_chart_is_found() -> None:
    chart = support_desk()
    (nested,) = chart.charts
    states = tuple(
        dataclasses.replace(state, transitions=()) if state.id.endswith("ending") else state
        for state in nested.states
    )
    broken = dataclasses.replace(chart, charts=(dataclasses.replace(nested, states=states),))
    assert "AG205" in {diagnostic.rule.code for diagnostic in pipeline.check(broken)}


def test_the_message_names_the_guards_that_are_there() -> None:
    text = HEAD + MODEL + "  on replied when verdict final -> s\n  on replied when calls -> s"
    (diagnostic,) = pipeline.check(parse_chart(text))
    assert diagnostic.message == (
        "state 's' has no transition that always holds on 'replied', so a run could get stuck in it"
    )
    assert [note.message for note in diagnostic.notes] == [
        "model 'm' can end so",
        "it has transitions on 'replied' only when: verdict final, calls",
    ]


@st.composite
def workflows(draw: st.DrawFn) -> Chart:
    """Any workflow that a front end could lower."""
    ids = [f"a{number}" for number in range(draw(st.integers(1, 5)))]
    parts = [subchart(f"s{number}", Agent(f"s{number}", "S")) for number in range(2)]
    agents = [draw(agents_of(id, ids, [part.name for part in parts])) for id in ids]
    faults = ("max_turns", "model_refusal", "invalid_final_output")
    policy = Policy(draw(st.frozensets(st.sampled_from(faults))), draw(st.booleans()))
    return build("w", ids[0], agents, policy=policy, charts=tuple(parts))


@st.composite
def agents_of(draw: st.DrawFn, id: str, ids: list[str], machines: list[str]) -> Agent:
    enabled = st.sampled_from(Enabled)
    tools = [function(id, f"f{n}", enabled=draw(enabled)) for n in range(draw(st.integers(0, 2)))]
    tools += [agent_tool(id, name, name) for name in machines if draw(st.booleans())]
    tools += [Tool("", "hosted", None)] * draw(st.integers(0, 1))
    tools += [Tool(f"{id}/screen", "screen", WorkKind.ACTION)] * draw(st.integers(0, 1))
    targets = draw(st.lists(st.sampled_from(ids), max_size=3, unique=True))
    guardrails = [guardrail(id, f"g{n}", parallel=draw(st.booleans())) for n in range(2)]
    return Agent(
        id,
        id.upper(),
        tools=tuple(tools),
        handoffs=tuple(to(id, target, enabled=draw(enabled)) for target in targets),
        input_guardrails=tuple(guardrails[: draw(st.integers(0, 2))]),
        output_guardrails=tuple(guardrails[: draw(st.integers(0, 2))]),
        stop=Stop(draw(st.sampled_from(StopKind)), ("f0",), f"{id}/decide"),
        choice=Choice(
            draw(st.sampled_from(ChoiceKind)), ("f0", "transfer_to_b"), resets=draw(st.booleans())
        ),
    )


@given(workflows())
def test_whatever_the_builder_builds_is_well_formed_and_handles_every_outcome(
    workflow: Chart,
) -> None:
    assert {diagnostic.rule.code for diagnostic in pipeline.check(workflow)} & {
        "AG200",
        "AG205",
    } == set()
