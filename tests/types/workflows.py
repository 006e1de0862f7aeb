"""Programs of workflows: what checkers infer of keys, and which they refuse."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, assert_type

from pydantic import BaseModel

from agentgraph import Agent, End, Workflow, at_least, below, handoff
from agentgraph.workflow import Route


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Ticket(BaseModel):
    kind: Literal["refund", "order"]
    euros: int = 0
    urgent: bool = False
    mood: Mood = Mood.GOOD


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders = Agent(name="Refunds"), Agent(name="Orders")


def price(ticket: Ticket) -> int:
    return ticket.euros


async def asked(ticket: Ticket) -> Literal["yes", "no"]:
    return "yes"


def size(ticket: Ticket) -> Literal["big", "small"]:
    return "big" if ticket.euros > 10 else "small"


flow = Workflow("Support", start=triage)
assert_type(flow.route(triage, on=size), Route[Literal["big", "small"]])
flow.route(triage, on=size).cases({"big": refunds, "small": orders})
flow.route(triage, on=size).cases({"huge": refunds})  # rejected
route = flow.route(triage, on=lambda ticket: ticket.kind)
route.cases({"refund": refunds, "order": orders})
route.cases({"refund": refunds, "ordr": orders})  # rejected by mypy
route.cases({"refund": refunds}, default=orders, at_most={"refund": 2}, exhausted=End("no"))
flow.route(triage, on=lambda ticket: ticket.knd).cases({"refund": refunds})  # rejected
flow.route(triage, on=lambda ticket: ticket.euros).cases({below(10): refunds, at_least(10): orders})
flow.route(triage, on=lambda ticket: ticket.euros).cases({"10": refunds})  # rejected
flow.route(triage, on=lambda ticket: ticket.urgent).cases({True: refunds, False: orders})
flow.route(triage, on=lambda ticket: ticket.mood).cases({Mood.GOOD: refunds, Mood.BAD: orders})
flow.route(triage, on=lambda ticket: ticket.mood).cases({"good": refunds})  # rejected
flow.route(price, on=lambda euros: euros).cases({1: refunds})
flow.route(asked, on=lambda answer: answer).cases({"yes": refunds, "no": orders})
flow.route(asked, on=lambda answer: answer).cases({"no": refunds})
assert_type(flow.route(triage, on="kind"), Route[Any])
flow.route(triage, on="kind", cases={"refund": refunds}, default=orders)
flow.route(triage, on="kind").cases({"refund": refunds})
desk = Agent(name="Desk", handoffs=[flow, orders, handoff(flow, returns=True)])
desk.handoffs.append(3)  # rejected
