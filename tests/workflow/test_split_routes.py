"""`route(...).cases({...})`, and lambdas that name the field that decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentDefinitionError,
    CompileError,
    End,
    Runner,
    UserError,
    Workflow,
    at_least,
    below,
    check,
    compile,
    output_of,
)
from agentgraph.testing import ScriptedModel, assistant_message


class Person(BaseModel):
    country: Literal["at", "de"] = "at"


class Ticket(BaseModel):
    kind: Literal["refund", "order"]
    euros: int = 0
    person: Person = Person()


def triage(text: str = '{"kind": "refund", "euros": 7}') -> Agent[Any, Ticket]:
    model = ScriptedModel([[assistant_message(text)]])
    return Agent(name="Triage", output_type=Ticket, model=model)


def end_of(flow: Workflow) -> Any:
    return Runner.run_sync(flow, "go").final_output


def test_a_route_takes_its_cases_in_a_second_call() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.kind).cases({"refund": End("a"), "order": End("b")})
    assert end_of(flow) == "a"


def test_both_forms_compile_to_one_machine() -> None:
    def made(split: bool) -> str:
        start, cases = triage(), {"refund": End("a"), "order": End("b")}
        flow = Workflow("Support", start=start)
        if split:
            flow.route(start, on=lambda ticket: ticket.kind).cases(cases)  # type: ignore[arg-type]
        else:
            flow.route(start, on="kind", cases=cases)  # type: ignore[arg-type]
        return compile(flow).machine.fingerprint

    assert made(True) == made(False)


def test_a_lambda_names_a_field_of_a_field_or_of_an_earlier_output() -> None:
    start = triage()

    def same(ticket: Ticket) -> Ticket:
        return ticket

    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.person.country).cases({"at": same}, default=End())
    flow.route(same, on=lambda _: output_of(start).euros).cases(
        {below(5): End("little"), at_least(5): End("much")}
    )
    assert end_of(flow) == "much"
    assert check(flow) == ()


def test_a_lambda_that_returns_the_output_routes_on_its_value() -> None:
    def size(ticket: Ticket) -> Literal["big", "small"]:
        return "small"

    start = triage()
    flow = Workflow("Support", start=start)
    flow.then(start, size)
    flow.route(size, on=lambda it: it).cases({"big": End(1), "small": End(2)})
    assert end_of(flow) == 2
    assert check(flow) == ()


def test_options_stand_beside_the_cases() -> None:
    texts = ['{"kind": "order"}'] * 3
    start: Agent[Any, Ticket] = Agent(
        name="Triage",
        output_type=Ticket,
        model=ScriptedModel([[assistant_message(text)] for text in texts]),
    )
    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.kind).cases(
        {"order": start}, default=End("a"), at_most={"order": 2}, exhausted=End("enough")
    )
    assert end_of(flow) == "enough"


def test_the_compiler_knows_the_values_of_a_lambda() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.kind).cases({"refund": End("a")})
    assert [finding.rule.code for finding in check(flow)] == ["AG220"]


LAMBDAS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a comparison": (lambda ticket: ticket.euros > 10, "It raises"),
    "an equality": (lambda ticket: ticket.kind == "refund", "It returns False"),
    "a method": (lambda ticket: ticket.kind.upper(), "It raises"),
    "a choice": (lambda ticket: "a" if ticket.kind else "b", "has no value before a run"),
    "a constant": (lambda ticket: "a", "It returns 'a'"),
    "an index": (lambda ticket: ticket.kind[0], "It raises"),
}


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_lambda_that_does_more_is_refused(name: str) -> None:
    does_more, said = LAMBDAS[name]
    start = triage()
    flow = Workflow("Support", start=start)
    with pytest.raises(AgentDefinitionError, match="Cases are data") as caught:
        flow.route(start, on=does_more)
    assert said in str(caught.value)
    assert flow._edges == []


def test_a_route_without_cases_does_not_compile_and_the_error_names_its_line() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.kind)
    with pytest.raises(CompileError) as caught:
        Runner.run_sync(flow, "go")
    [finding] = caught.value.diagnostics
    assert (finding.rule.code, (finding.origin.file, finding.origin.line)) == (
        "AG239",
        flow._edges[0].origin,
    )
    assert finding.origin.file == __file__


def test_a_route_gets_its_cases_once() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    route = flow.route(start, on=lambda ticket: ticket.kind)
    route.cases({"refund": End("a")}, default=End("b"))
    with pytest.raises(AgentDefinitionError, match="has cases already"):
        route.cases({"refund": End("a")})
    with pytest.raises(AgentDefinitionError, match=r"one then\(...\) or one route\(...\)"):
        flow.route(start, on="kind")


def test_faulty_cases_leave_the_route_open() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    route = flow.route(start, on=lambda ticket: ticket.kind)
    with pytest.raises(AgentDefinitionError, match="with one at least"):
        route.cases({})
    route.cases({"refund": End("a")}, default=End("b"))
    assert end_of(flow) == "a"


def test_options_without_cases_are_refused() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    with pytest.raises(AgentDefinitionError, match="a route has cases"):
        flow.route(start, on="kind", default=End())  # type: ignore[call-overload]


def test_a_workflow_that_has_run_takes_no_cases() -> None:
    start = triage()
    flow = Workflow("Support", start=start)
    route = flow.route(start, on=lambda ticket: ticket.kind)
    with pytest.raises(CompileError):
        Runner.run_sync(flow, "go")
    with pytest.raises(UserError, match="has run"):
        route.cases({"refund": End("a")})
