"""What the checks of edges say holds in every run: on small random workflows, exploring agrees with
them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any, Literal

from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import Field, create_model

from agentgraph import Agent, End, Workflow, at_least, below, between
from agentgraph.exceptions import RoutingError
from agentgraph.frontend.lower_workflow import lower
from agentgraph.program import check
from agentgraph.runtime.state import Edges
from agentgraph.testing import Route, explore
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import StepKind
from agentgraph_compiler.machine import INTERRUPTING, RESERVED, Event, GuardKind

DEPTH, MOST_ROUTES, LOW, HIGH = 8, 150, 0, 9

WORDS: Any = Literal["a", "b", "c"]
NUMBERS: Any = Annotated[int, Field(ge=LOW, le=HIGH)]
KINDS: dict[str, tuple[Any, list[Any]]] = {
    "word": (WORDS, ["a", "b", "c", "d"]),
    "flag": (bool, [True, False]),
    "maybe": (bool | None, [True, False, None]),
    "number": (
        NUMBERS,
        [below(4), below(0), between(4, 5), between(2, 7), at_least(6), at_least(12), 3, 9, 10],
    ),
}
"""The types of what a route decides on, each with keys, among them some that no value takes."""


@dataclass(frozen=True, repr=False)
class Flow:
    """A workflow.

    Attributes:
        workflow: The workflow.
        steps: Its agents and functions; the first is the start.
        words: The calls that made it.
    """

    workflow: Workflow
    steps: list[Any]
    words: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return "\n".join(self.words)

    def findings(self, code: str) -> list[str]:
        return [one.message for one in check(self.workflow) if one.rule.code == code]


def step_of(name: str, kind: str, is_agent: bool) -> Any:
    """An agent or a function whose output has one field, of one of the kinds."""
    output: Any = create_model("Output", field=(KINDS[kind][0], ...))
    if is_agent:
        return Agent(name=name, output_type=output)

    def function(value):  # type: ignore[no-untyped-def]
        raise AssertionError("functions are simulated")

    function.__name__ = name
    function.__annotations__ = {"value": object, "return": output}
    return function


@st.composite
def flows(draw: st.DrawFn, *, to_steps: bool = False) -> Flow:
    """A workflow; with ``to_steps``, any way may have a limit, and any step may come after that."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    steps = [
        step_of(f"s{number}", kind, number == 0 or draw(st.booleans()))
        for number, kind in enumerate(kinds)
    ]
    flow = Flow(Workflow("Flow", start=steps[0]), steps)
    for number, kind in enumerate(kinds):
        edges = draw(st.sampled_from(["route", "route", "route", "then", "none"]))
        target = st.sampled_from([None, *range(len(steps))])
        if edges == "route":
            keys = draw(
                st.lists(st.sampled_from(KINDS[kind][1]), min_size=1, max_size=4, unique_by=repr)
            )
            targets = {key: draw(target) for key in keys}
            default = draw(st.sampled_from([..., ..., None, 0, len(steps) - 1]))
            last_back = len(steps) if to_steps else number
            back = [key for key, to in targets.items() if to is not None and to <= last_back]
            limited = {key: draw(st.integers(1, 2)) for key in back if draw(st.integers(0, 3))}
            named: dict[str, Any] = {"cases": {key: part(flow, to) for key, to in targets.items()}}
            if default is not ...:
                named["default"] = part(flow, default)
            if limited:
                to = draw(target) if to_steps else None
                last = End("enough") if to is None else part(flow, to)
                named |= {"at_most": limited, "exhausted": last}
            flow.workflow.route(steps[number], on="field", **named)
            flow.words.append(f"s{number}: {kind} → {named}")
        elif edges == "then":
            to = draw(target)
            flow.workflow.then(steps[number], part(flow, to))
            flow.words.append(f"s{number}: {kind} → {to}")
    return flow


def part(flow: Flow, target: int | None) -> Any:
    return End("end") if target is None else flow.steps[target]


def routes_of(flow: Flow) -> list[Route]:
    return list(islice(explore(flow.workflow, DEPTH), MOST_ROUTES))


def names_in(route: Route) -> Iterator[str]:
    """The steps that a run entered, each as often."""
    for one in route.decisions:
        yield one.agent if one.by == "model" else one.name


@given(flows())
@settings(max_examples=40)
def test_exploring_agrees_with_the_checks_of_edges(flow: Flow) -> None:
    routes = routes_of(flow)
    is_complete = len(routes) < MOST_ROUTES and all(route.end != "cut" for route in routes)
    event(f"complete: {is_complete}")
    assert {type(route.error) for route in routes} <= {type(None), RoutingError}
    entered = {name for route in routes for name in names_in(route)}

    # A run that goes round for ever does so in a loop that the compiler names.
    if any(route.end == "cut" for route in routes):
        assert flow.findings("AG226"), flow

    # AG227: what no way leads to, no run enters.
    unentered = {
        message.rpartition("'")[0].rpartition("'")[2] for message in flow.findings("AG227")
    }
    assert not unentered & entered

    # AG220: a run ends without a case only where the compiler names the gap.
    gaps = {_step(message) for message in flow.findings("AG220")}
    failed = {last(route) for route in routes if route.error is not None}
    assert failed <= gaps

    # AG222: a value that comes takes no dead case.
    dead = {(one.split("'")[1], _step(one)) for one in flow.findings("AG222")}
    taken = set(cases_of(flow, routes))
    assert not dead & taken

    if not is_complete:
        return
    assert gaps & entered <= failed, flow
    declared = {
        (case.label, name)
        for edges in flow.workflow._edges
        for case in edges.cases
        if case.keys and (name := _name(edges.step)) in entered
    }
    assert declared - taken == {(label, name) for label, name in dead if name in entered}, flow
    loops = flow.findings("AG226")
    assert not [one for one in loops if set(one.split("'")[1::2]) <= entered], flow


@given(flows(to_steps=True))
@settings(max_examples=200)
def test_a_step_is_named_as_never_entered_exactly_if_no_row_of_the_table_leads_there(
    flow: Flow,
) -> None:
    chart, _ = lower(flow.workflow)
    entered = {state.removesuffix(".working") for state in entered_states(chart)}
    entered |= {chart.state[state].agent for state in entered_states(chart)}
    unentered = {message.split("'")[1] for message in flow.findings("AG227")}
    steps = {step.name for step in chart.steps if step.kind is not StepKind.END}
    event(f"some steps are never entered: {bool(unentered)}")
    assert unentered == steps - {chart.step[id].name for id in entered & chart.step.keys()}, flow


def entered_states(chart: Chart) -> set[str]:
    """The states to which rows lead, whatever the values, with the counters of a run."""
    seen = {(chart.initial, Edges())}
    waiting = [*seen]
    while waiting:
        id, edges = waiting.pop()
        state, decided = chart.state[id], set[Event]()
        for row in state.transitions:
            guard = row.guard
            if row.event in decided or row.event in INTERRUPTING or row.event in RESERVED:
                continue
            if guard.kind is GuardKind.ROUNDS:
                if dict(edges.taken).get(guard.names[0], 0) >= int(guard.names[1]):
                    continue
                decided.add(row.event)
            after = row.target, Edges(taken=tuple(sorted(edges.after(row, 0).taken)))
            if row.target in chart.state and after not in seen:
                seen.add(after)
                waiting.append(after)
    return {id for id, _ in seen}


def _step(message: str) -> str:
    return message.split("after step '")[1].split("'")[0]


def _name(step: Any) -> str:
    return getattr(step, "name", None) or step.__name__


def last(route: Route) -> str:
    return list(names_in(route))[-1]


def cases_of(flow: Flow, routes: list[Route]) -> Iterator[tuple[str, str]]:
    """The cases that runs took, each with its step, read from the values that the steps gave."""
    routed = {_name(edges.step): edges for edges in flow.workflow._edges if edges.on is not None}
    for route in routes:
        for one in route.decisions:
            name = one.agent if one.by == "model" else one.name
            if name in routed and isinstance(one.value, dict):
                for case in routed[name].cases:
                    if case.takes(one.value["field"]):
                        if case.keys:
                            yield case.label, name
                        break


def test_a_loop_behind_a_case_that_no_value_takes_is_no_loop() -> None:
    steps = [step_of("s0", "flag", is_agent=True)]
    flow = Flow(Workflow("Flow", start=steps[0]), steps)
    ends = {True: End("yes"), False: End("no")}
    flow.workflow.route(steps[0], on="field", cases=ends, default=steps[0])
    assert flow.findings("AG223")
    assert not flow.findings("AG226")
