"""Well-formedness (AG200) and unhandled outcomes (AG205): what the interpreter relies on."""

from __future__ import annotations

import dataclasses

import pytest
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
from tests.compiler.workflows import agent_tool, function, guardrail, subchart, support_desk, to

HEAD = """\
chart "c" start a initial initial
agent a "A"
state initial initial
  on started -> s
state done done end
state failed failed end
state blocked blocked end
"""


def lane(phases: str, clauses: str = "") -> str:
    """A state with one lane that walks some phases."""
    return f"phases p\n{phases}\nstate s ending of a\n  invoke x walks p {clauses}"


def faults(text: str) -> list[str]:
    return [diagnostic.message for diagnostic in verify(parse_chart(text))]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD, "state 'initial' has a transition to 's', which does not exist"),
        (HEAD + "state s done\nstate s done", "state 's' is defined twice"),
        (HEAD + 'state s done\nagent a "B"', "agent 'a' is defined twice"),
        (HEAD + "state s done of b", "state 's' belongs to agent 'b', which does not exist"),
        (
            HEAD + "state s ending of a\n  invoke x end\n  invoke x end",
            "invoke in state 's' 'x' is defined twice",
        ),
        (
            HEAD + "state s acting of a\n  offer x agent",
            "invoke 'x' must name a sub-chart if it is of kind 'agent', and only then",
        ),
        (
            HEAD + "state s acting of a\n  offer x function runs c",
            "invoke 'x' must name a sub-chart if it is of kind 'agent', and only then",
        ),
        (
            HEAD + "state s acting of a\n  offer x agent runs d",
            "invoke 'x' runs the sub-chart 'd', which does not exist",
        ),
        (
            HEAD + 'state s done\nagent b "B"\n  tool x "x" agent runs d',
            "tool 'x' of agent 'b' runs the sub-chart 'd', which does not exist",
        ),
        (
            HEAD + 'state s done\nagent b "B"\n  handoff h "h" -> z "Z"',
            "handoff 'h' of agent 'b' leads to agent 'z', which does not exist",
        ),
        (
            HEAD + "state s handoff of a\n  on replied when requests -> done",
            "state 's' has a guard 'requests' that does not name one handoff",
        ),
        (
            'chart "c" start b initial i\nagent a "A"\nstate i done',
            "the start agent 'b' does not exist",
        ),
        (
            'chart "c" start a initial i starts a, b\nagent a "A"\nstate i done',
            "the start agent 'b' does not exist",
        ),
        (
            'chart "c" start a initial j\nagent a "A"\nstate i done',
            "the initial state 'j' does not exist",
        ),
    ],
)
def test_a_malformed_chart_is_refused(text: str, fault: str) -> None:
    assert f"chart 'c': {fault}" in faults(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            HEAD + "state s over\n  on done -> t\nstate t over\n  on done -> s",
            "a step could go round forever among s, t: none of them has to do any work",
        ),
        (
            HEAD + "state s done\nrows\n  on failed -> lost",
            "the machine has a transition to 'lost', which does",
        ),
        (HEAD + "state s done\n  on done -> done arrives b", "to agent 'b', which does not exist"),
        (
            HEAD + lane("  phase a model\n  on replied to b"),
            "moves to 'b', but the lane has no such",
        ),
        (HEAD + lane("  phase a model\n  on done"), "moves on 'done', but cannot end with"),
        (HEAD + lane("  phase a model\n  on failed"), "moves on 'failed', but that event leaves"),
        (
            HEAD + lane("  phase a hold\n  on awaiting"),
            "moves on 'awaiting', but that event leaves",
        ),
        (HEAD + lane("  phase a model\n  on replied ends failed"), "ends the lane with 'failed'"),
        (HEAD + lane("  phase a end\n  phase a end"), "has two phases with the same name"),
        (HEAD + lane(""), "invoke 'x' has no phases"),
        (HEAD + lane("  phase a save"), "must have 'keep' if it is of kind 'save', and only then"),
        (
            HEAD + lane("  phase a end keep all"),
            "must have 'keep' if it is of kind 'save', and only",
        ),
        (HEAD + lane("  phase a missing when hooked"), "makes a call, so it cannot have a guard"),
        (HEAD + lane("  phase a model", "tries 1"), "has tries, but none of its phases has a move"),
        (HEAD + lane("  phase a model", "places 1"), "has places, but no group that shares them"),
        (
            HEAD + "state s acting\n  offer x missing group g places 1\n"
            "  offer y missing group g places 2",
            "state 's' gives group 'g' two different numbers of places",
        ),
        (
            HEAD
            + lane("  phase a model\n  on retry to a", "tries 1")
            + "\n  invoke y walks p tries 1",
            "state 's' has two lanes with tries; only one lane of a state may have them",
        ),
    ],
)
def test_what_no_run_could_walk_is_refused(text: str, fault: str) -> None:
    (diagnostic,) = faults(text)
    assert fault in diagnostic


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


MODEL = "state s thinking of a\n  invoke m model\n  on failed -> failed\n"
GUARDING = "state s guarding of a\n  invoke g input_guardrail\n  invoke m model\n"
PHASES = """\
phases p
  phase save save keep all when session
  on done to end
  phase end end when hooked
  on done ends passed
state s ending
  invoke e walks p idle passed
"""
ALL_VERDICTS = "final, again, empty, refused, invalid, unknown"


@pytest.mark.parametrize(
    ("state", "events"),
    [
        (MODEL, ["replied"]),
        (MODEL + "  on replied -> s", []),
        (MODEL + "  on replied when calls -> s\n  on replied when spent -> s", ["replied"]),
        (MODEL + "  on replied when verdict final -> s", ["replied"]),
        (MODEL + f"  on replied when verdict {ALL_VERDICTS} -> s", []),
        (
            MODEL + "  on replied when verdict final -> s\n"
            "  on replied when verdict again, empty, refused, invalid, unknown -> done",
            [],
        ),
        # The guardrail's outcome waits for the reply, and with it the state sees the reply.
        (GUARDING + "  on replied -> done\n  on tripped -> blocked\n  on failed -> failed", []),
        (GUARDING + "  on replied -> done\n  on failed -> failed", ["tripped"]),
        ("state s screening of a\n  invoke g input_guardrail", ["passed", "tripped", "failed"]),
        ("state s ending of a\n  invoke e end\n  on done -> done", ["failed"]),
        (
            "state s deciding of a\n  invoke d decide\n  on accepted -> s\n  on failed -> s",
            ["declined"],
        ),
        ("state s acting of a\n  offer f function", ["returned", "awaiting", "failed"]),
        (
            "state s acting of a\n  offer f function\n  on returned when stops -> s\n"
            "  on awaiting -> s\n  on failed -> s",
            ["returned"],
        ),
        ("state s suspended wait", ["resumed"]),
        ("state s suspended wait\n  on resumed -> s", []),
        ("state s suspended wait\n  on resumed -> back", []),
        ("state s done end", []),
        ("state s over of a", ["done"]),
        ("state s over of a\n  on done -> done", []),
        # What holds in every state is handled in each.
        ("rows\n  on failed -> failed\nstate s ending\n  invoke e end\n  on done -> done", []),
        (PHASES + "  on done -> done\n  on failed -> failed", ["passed"]),
        (PHASES + "  on done -> done\n  on failed -> failed\n  on passed -> done", []),
    ],
)
def test_unhandled_outcome(state: str, events: list[str]) -> None:
    findings = [
        diagnostic
        for diagnostic in pipeline.check(parse_chart(HEAD + state))
        if diagnostic.rule.code == "AG205"
    ]
    assert len(findings) == len(events)
    for event in events:
        assert any(f" on '{event}'" in diagnostic.message for diagnostic in findings)


@pytest.mark.parametrize(("guard", "handled"), [("", True), (" when spent", False)])
def test_a_run_can_always_start(guard: str, handled: bool) -> None:
    text = HEAD.replace("on started", f"on started{guard}") + "state s done end"
    assert (pipeline.check(parse_chart(text)) == ()) is handled


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
