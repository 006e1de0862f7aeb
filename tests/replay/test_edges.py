"""Runs of workflows with edges, cut after any row, go on to the end that they would have had."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    End,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    Workflow,
    all_of,
    at_least,
    below,
    function_tool,
    output_of,
)
from tests.api.scenarios import Case
from tests.replay.cuts import Through, check_every_cut, same, text


class Ticket(BaseModel):
    kind: Literal["refund", "order"]
    euros: int = 0


class PaymentError(Exception):
    pass


class CardDeclined(PaymentError):
    pass


class Review(BaseModel):
    ok: bool


class Verdict(BaseModel):
    ok: bool
    note: str


def counted(verdicts: list[Verdict]) -> str:
    return ", ".join(f"{one.note}: {one.ok}" for one in verdicts)


def noted(verdict: Verdict) -> str:
    return verdict.note


@function_tool(needs_approval=True)
def look_up(order: str) -> str:
    """Look an order up."""
    return f"order {order}"


async def passes(*_: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


def priced(ticket: Ticket) -> int:
    return ticket.euros


async def paid(euros: int) -> str:
    return f"paid {euros}"


def person(output: object) -> str:
    return "a person"


def agents(sdk: Any, **replies: list[Any]) -> dict[str, Agent[Any]]:
    """Agents with scripts, by name."""
    turns = {
        name: [
            [sdk.assistant_message(turn) if isinstance(turn, str) else turn] for turn in of_agent
        ]
        for name, of_agent in replies.items()
    }
    return {name: Agent(name=name, model=sdk.ScriptedModel(turns[name])) for name in turns}


def writing(sdk: Any) -> Case:
    """A loop with a limit, outputs of earlier steps, and a step in which a person decides."""
    made = agents(
        sdk,
        triage=['{"kind": "refund", "euros": 7}'],
        draft=[
            sdk.function_call("look_up", {"order": "1"}, call_id="c1"),
            "draft 1",
            "draft 2",
            "draft 3",
        ],
        review=['{"ok": false}', '{"ok": false}', '{"ok": false}'],
    )
    triage, draft, review = made.values()
    triage.output_type, review.output_type = Ticket, Review
    draft.tools = [look_up]
    draft.input_guardrails = [InputGuardrail(passes)]
    review.output_guardrails = [OutputGuardrail(passes)]
    flow = Workflow("Writing", start=triage)
    flow.route(triage, on="kind", cases={"refund": draft, "order": End("soon")})
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: End(), False: draft},
        at_most={False: 2},
        exhausted=person,
        give={draft: (output_of(draft), output_of(review))},
    )
    return Case(agent=flow, session=sdk.SQLiteSession("writing"))


def paying(sdk: Any) -> Case:
    """Functions, intervals, and a conversation that goes on."""
    made = agents(sdk, triage=['{"kind": "order", "euros": 12}'], clerk=["done"], letter=["Dear"])
    triage, clerk, letter = made.values()
    triage.output_type = Ticket
    flow = Workflow("Paying", start=triage)
    flow.then(triage, priced)
    flow.route(priced, on=output_of(triage).euros, cases={below(10): person, at_least(10): paid})
    flow.then(paid, clerk)
    flow.then(clerk, letter, carry="conversation")
    return Case(agent=flow)


def asking(sdk: Any) -> Case:
    """A loop in which a person is asked twice, and the answers decide and are handed over."""
    made = agents(sdk, draft=["draft 1", "draft 2"], letter=["Dear"])
    draft, letter = made.values()
    flow = Workflow("Asking", start=draft)
    person = flow.ask("person", "Is it good?", answer=Verdict)
    flow.then(draft, person)
    flow.route(
        person,
        on="ok",
        cases={True: noted, False: draft},
        at_most={False: 3},
        exhausted=noted,
        give={noted: output_of(person), draft: (output_of(draft), output_of(person).note)},
    )
    flow.then(noted, letter)
    return Case(agent=flow, session=sdk.SQLiteSession("asking"))


def asking_in_branches(sdk: Any) -> Case:
    """Two branches in which a person is asked."""
    made = agents(sdk, start=["go"], legal=["draft 2"], money=["money"])
    start, *members = made.values()
    branches = []
    for member in members:
        inner = Workflow(member.name, start=member)
        inner.then(member, inner.ask("person", f"{member.name}?", answer=Verdict))
        branches.append(inner)
    flow = Workflow("Asking", start=start)
    both = flow.parallel("both", branches, join=all_of(Verdict))
    flow.then(start, both)
    flow.then(both, counted)
    return Case(agent=flow)


def handing(sdk: Any) -> Case:
    """Handoffs inside a step, and into another one."""
    first = [sdk.function_call("transfer_to_inner", {}, call_id="h1")]
    second = [sdk.function_call("transfer_to_orders", {}, call_id="h2")]
    made = agents(sdk, start=[*first], inner=["inner"], middle=[*second], orders=["ordered"])
    start, inner, middle, orders = made.values()
    start.handoffs, middle.handoffs = [inner], [orders]
    flow = Workflow("Handing", start=start)
    flow.then(start, middle)
    flow.then(orders, person)
    flow.then(middle, End("never"))
    return Case(agent=flow, session=sdk.SQLiteSession("handing"))


class Plan(BaseModel):
    queries: list[str]


def boarding(sdk: Any) -> Case:
    """Branches of every kind, one of them with a call that waits, and a session."""
    made = agents(
        sdk,
        draft=["a draft"],
        legal=[sdk.function_call("look_up", {"order": "1"}, call_id="c1"), "fine"],
        plan=['{"queries": ["a", "b"]}'],
        search=["found", "found"],
        after=["done"],
    )
    draft, legal, plan, search, after = made.values()
    legal.tools, plan.output_type = [look_up], Plan
    inner = Workflow("Inner", start=plan)
    inner.each(plan, on="queries", run=search, at_most=3, concurrency=1)
    flow = Workflow("Board", start=draft)
    board = flow.parallel("board", [legal, inner, person], join=all_of())
    flow.then(draft, board)
    flow.then(board, after)
    return Case(agent=flow, session=sdk.SQLiteSession("boarding"))


def nesting(sdk: Any) -> Case:
    """A workflow as a step, branches at the end of a run, and a list without items."""
    made = agents(sdk, draft=["a draft"], plan=['{"queries": []}'], legal=["fine"])
    draft, plan, legal = made.values()
    plan.output_type = Plan
    inner = Workflow("Inner", start=plan)
    inner.each(plan, on="queries", run=person, at_most=3)
    flow = Workflow("Outer", start=draft)
    flow.then(draft, inner)
    flow.then(inner, flow.parallel("board", [legal, person]))
    return Case(agent=flow)


@function_tool
def note() -> str:
    """Note."""
    return "noted"


@function_tool(failure_error_function=None)
async def charge(order: str) -> str:
    """Charge."""
    await asyncio.sleep(0)
    raise PaymentError(order)


def failing(sdk: Any) -> Case:
    """Failures of an agent beside a tool that has worked, of a function, and rounds of trying."""
    calls = [
        sdk.function_call("look_up", {"order": "1"}, call_id="c1"),
        sdk.function_call("charge", {"order": "1"}, call_id="c2"),
    ]
    start, write, desk = (
        Agent(name=name, model=sdk.ScriptedModel(turns))
        for name, turns in (
            ("start", [[sdk.assistant_message("seven")]]),
            ("write", [calls, calls]),
            ("desk", [[sdk.assistant_message("done")]]),
        )
    )
    write.tools = [look_up, charge]

    def book(text: str) -> str:
        raise CardDeclined(text)

    flow = Workflow("Failing", start=start)
    flow.then(start, write, carry="conversation")
    flow.on_error(write, End("never"), errors=LookupError)
    flow.on_error(write, write, errors=PaymentError, at_most=1, exhausted=book)
    flow.on_error(book, person, errors=KeyError)
    flow.on_error(book, desk, errors=PaymentError, give=(output_of(start)))
    return Case(agent=flow, session=sdk.SQLiteSession("failing"))


def tripping(sdk: Any) -> Case:
    """A tripwire, then a failure that no edge catches."""

    async def trips(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    made = agents(sdk, start=["seven"], write=["a secret"])
    start, write = made.values()
    write.output_guardrails = [OutputGuardrail(trips)]

    def book(text: str) -> str:
        raise CardDeclined(text)

    flow = Workflow("Tripping", start=start)
    flow.then(start, write)
    flow.on_error(write, book, errors=OutputGuardrailTripwireTriggered)
    flow.on_error(book, person, errors=KeyError)
    return Case(agent=flow, session=sdk.SQLiteSession("tripping"))


def spending(sdk: Any) -> Case:
    """A budget that a nested run uses up beside a tool that has worked, and the step after it."""
    calls = [
        sdk.function_call("look_up", {"order": "1"}, call_id="c1"),
        sdk.function_call("ask", {"input": "x"}, call_id="c2"),
    ]
    again = [[sdk.function_call("note", {}, call_id=f"n{number}")] for number in range(5)]
    inner = Agent(name="inner", model=sdk.ScriptedModel(again), tools=[note])
    start, write, desk = (
        Agent(name=name, model=sdk.ScriptedModel(turns))
        for name, turns in (
            ("start", [[sdk.assistant_message("seven")]]),
            ("write", [calls]),
            ("desk", [[sdk.assistant_message("done")]]),
        )
    )
    write.tools = [look_up, inner.as_tool("ask", "Ask.")]
    flow = Workflow("Spending", start=start)
    flow.then(start, write)
    flow.budget(model_calls=4, on_exhausted=person)
    flow.then(person, desk)
    return Case(agent=flow, session=sdk.SQLiteSession("spending"))


def overspending(sdk: Any) -> Case:
    """A budget without a step that comes after it."""
    made = agents(sdk, start=["seven"], write=["eight"], desk=["nine"])
    start, write, desk = made.values()
    flow = Workflow("Overspending", start=start)
    flow.then(start, write)
    flow.then(write, desk)
    flow.budget(model_calls=2)
    return Case(agent=flow, session=sdk.SQLiteSession("overspending"))


@pytest.mark.parametrize("through", [same, text])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "make",
    [
        *(writing, paying, asking, asking_in_branches, handing, boarding, nesting),
        *(failing, tripping, spending, overspending),
    ],
)
async def test_a_workflow_goes_on_to_its_end_from_every_cut(
    make: Any, streamed: bool, through: Through
) -> None:
    await check_every_cut(make, streamed=streamed, through=through)
