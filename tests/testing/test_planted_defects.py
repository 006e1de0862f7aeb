"""Planted faults of routing: a property that a user would have written before finds each of them
within 500 generated runs, and holds of the sound workflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from agentgraph import (
    Agent,
    End,
    ModelSettings,
    RunContextWrapper,
    Tool,
    Workflow,
    at_least,
    below,
    function_tool,
    handoff,
    output_of,
)
from agentgraph.exceptions import ModelRefusalError, UserError
from agentgraph.extensions.handoff_filters import remove_all_tools
from agentgraph.guardrail import GuardrailFunctionOutput, input_guardrail, output_guardrail
from agentgraph.testing import (
    Decision,
    Route,
    assert_always,
    assert_at_most,
    assert_never,
    assert_precedes,
    assert_reaches,
    can_reach,
    routing_test,
    walk,
)
from agentgraph.testing.patterns import Pattern

MONEY = ("refund", "close", "raise_limit")
EXAMPLES = 500


@dataclass
class Account:
    """What the tools of a run note."""

    verified: bool = False
    done: set[str] = field(default_factory=set)


Context = RunContextWrapper[Account]


def offered_once(name: str) -> Callable[[Context, object], bool]:
    """A tool is on offer after the identity check, until it has run."""
    return lambda context, agent: context.context.verified and name not in context.context.done


@function_tool
def verify(context: Context) -> str:
    """Check who it is."""
    context.context.verified = True
    return "It is Ada."


def money_tool(name: str) -> Any:
    @function_tool(name_override=name, needs_approval=True, is_enabled=offered_once(name))
    def moved(context: Context) -> str:
        """Move money."""
        context.context.done.add(name)
        return "Done."

    return moved


@function_tool
def look_up_person() -> str:
    """Look up a person."""
    raise AssertionError("this tool is simulated")


@function_tool
def track() -> str:
    """Track an order."""
    raise AssertionError("this tool is simulated")


@input_guardrail(run_in_parallel=False)
def screen(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    raise AssertionError("guardrails are simulated")


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError("guardrails are simulated")


def advice(**keywords: Any) -> Tool:
    """An agent as a tool, which may refuse to answer."""
    adviser = Agent[Account](name="Adviser", output_guardrails=[polite])
    return adviser.as_tool("advise", "Ask for advice.", **keywords)


@dataclass
class Bank:
    """The agents of a workflow, to plant faults in."""

    triage: Agent[Account]
    payments: Agent[Account]
    orders: Agent[Account]
    human: Agent[Account]

    def tool(self, name: str) -> int:
        return next(at for at, one in enumerate(self.payments.tools) if one.name == name)

    def entry(self, target: str) -> int:
        return ["Payments", "Orders", "Human"].index(target)


def bank() -> Bank:
    """The sound workflow."""
    one_call = ModelSettings(parallel_tool_calls=False)
    payments = Agent[Account](
        name="Payments",
        tools=[verify, *map(money_tool, MONEY)],
        model_settings=one_call,
        output_guardrails=[polite],
    )
    orders = Agent[Account](name="Orders", tools=[track], output_guardrails=[polite])
    human = Agent[Account](name="Human", tools=[advice()], output_guardrails=[polite])
    triage = Agent[Account](
        name="Triage",
        tools=[look_up_person],
        handoffs=[handoff(one, input_filter=remove_all_tools) for one in (payments, orders, human)],
        input_guardrails=[screen],
        output_guardrails=[polite],
        model_settings=ModelSettings(tool_choice="required", parallel_tool_calls=False),
        reset_tool_choice=False,
    )
    return Bank(triage, payments, orders, human)


def approved(name: str) -> Pattern:
    return lambda one: (one.by, one.kind, one.name) == ("person", "approve", name)


Property = Callable[[Route], None]


def identity_first(name: str) -> Property:
    return lambda route: assert_precedes(route, "verify", name)


def approval_first(name: str) -> Property:
    return lambda route: assert_precedes(route, approved(name), name, each=True)


def once(name: str) -> Property:
    return lambda route: assert_at_most(route, name, 1)


def leads_to(target: str) -> Property:
    name = f"handoff:transfer_to_{target.lower()}"
    return lambda route: assert_always(route, lambda one: one.target == target, when=name)


def handed_over_first(name: str) -> Property:
    return lambda route: assert_precedes(route, "handoff:transfer_to_payments", name)


def entered_once(target: str) -> Property:
    return lambda route: assert_at_most(route, f"handoff:transfer_to_{target.lower()}", 1)


def sees_no_person(agent: str) -> Property:
    def private(route: Route) -> None:
        for name, request in zip(route.agents, route.requests, strict=True):
            assert name != agent or "IBAN" not in json.dumps(request.input, default=str)

    return private


def triage_never_answers(route: Route) -> None:
    assert_never(route, "answer:Triage")


def told_about(name: str) -> Property:
    return lambda route: assert_reaches(route, "answer:Payments", after=name)


def screened(route: Route) -> None:
    assert_precedes(route, "guardrail:screen", lambda one: one.by == "model")


def judged(agent: str) -> Property:
    def is_judged(one: Decision) -> bool:
        return one.by == "guardrail" and one.name == "polite" and one.agent == agent

    return lambda route: assert_reaches(route, is_judged, after=f"answer:{agent}")


def refusals_are_handled(route: Route) -> None:
    if isinstance(route.error, ModelRefusalError):
        [*_, last] = [one for one in route.decisions if one.kind == "refuse"]
        assert last.agent != "Adviser", route


@dataclass
class Plant:
    """A fault.

    Args:
        kind: Its kind.
        place: Where it is planted.
        plant: Plants it.
        holds: A property that finds it; None asks whether the place can be reached.
        weights: Weights of its own.
    """

    kind: str
    place: str
    plant: Callable[[Bank], None]
    holds: Property | None = None
    weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The keywords of its runs."""
        return {**SETTINGS, "weights": {**SETTINGS["weights"], **self.weights}}

    def __str__(self) -> str:
        return f"{self.kind}-{self.place}"


def change(name: str, **fields: Any) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        at = shop.tool(name)
        shop.payments.tools[at] = replace(shop.payments.tools[at], **fields)  # type: ignore[type-var]

    return plant


def forgetful(name: str) -> Callable[[Bank], None]:
    return change(name, is_enabled=lambda context, agent: context.context.verified)


def drop(target: str) -> Callable[[Bank], None]:
    return lambda shop: shop.triage.handoffs.pop(shop.entry(target)) and None


def misdirect(target: str, to: str) -> Callable[[Bank], None]:
    """Swap the targets of two handoffs."""

    def plant(shop: Bank) -> None:
        agents = {"Payments": shop.payments, "Orders": shop.orders, "Human": shop.human}
        for name, wrong in ((target, agents[to]), (to, agents[target])):
            shop.triage.handoffs[shop.entry(name)] = handoff(
                wrong,
                tool_name_override=f"transfer_to_{name.lower()}",
                input_filter=remove_all_tools,
            )

    return plant


def bypass(agent: str) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        who = {"Triage": shop.triage, "Orders": shop.orders}[agent]
        who.tools.append(shop.payments.as_tool("pay", "Pay."))

    return plant


def way_back(agent: str) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        who = {"Payments": shop.payments, "Orders": shop.orders, "Human": shop.human}[agent]
        who.handoffs.append(shop.triage)

    return plant


def unfiltered(target: str) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        agent = {"Payments": shop.payments, "Orders": shop.orders, "Human": shop.human}[target]
        shop.triage.handoffs[shop.entry(target)] = handoff(agent)

    return plant


def free_choice(shop: Bank) -> None:
    shop.triage.model_settings = ModelSettings(parallel_tool_calls=False)


def choice_is_reset(shop: Bank) -> None:
    shop.triage.reset_tool_choice = True


def ends_at_first(shop: Bank) -> None:
    shop.payments.tool_use_behavior = "stop_on_first_tool"


def ends_at(name: str) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        shop.payments.tool_use_behavior = {"stop_at_tool_names": [name]}

    return plant


def misplaced_screen(shop: Bank) -> None:
    shop.triage.input_guardrails, shop.orders.input_guardrails = [], [screen]


def unguarded(agent: str) -> Callable[[Bank], None]:
    def plant(shop: Bank) -> None:
        who = {"Payments": shop.payments, "Orders": shop.orders, "Human": shop.human}[agent]
        who.output_guardrails = []

    return plant


def unhandled(shop: Bank) -> None:
    shop.human.tools = [advice(failure_error_function=None)]


def unhandled_behind_payments(shop: Bank) -> None:
    shop.payments.tools.append(advice(failure_error_function=None))


PLANTS = [
    *(
        Plant("early offer", one, change(one, is_enabled=True), identity_first(one))
        for one in MONEY
    ),
    *(
        Plant("lost approval", one, change(one, needs_approval=False), approval_first(one))
        for one in MONEY
    ),
    *(Plant("done twice", one, forgetful(one), once(one)) for one in MONEY),
    *(Plant("dropped handoff", one, drop(one)) for one in ("Payments", "Orders", "Human")),
    Plant("wrong target", "Payments", misdirect("Payments", "Orders"), leads_to("Payments")),
    Plant("wrong target", "Orders", misdirect("Orders", "Human"), leads_to("Orders")),
    Plant("wrong target", "Human", misdirect("Human", "Orders"), leads_to("Human")),
    Plant("bypass through an agent tool", "Triage", bypass("Triage"), handed_over_first("refund")),
    Plant("bypass through an agent tool", "Orders", bypass("Orders"), handed_over_first("verify")),
    *(
        Plant("loop", one, way_back(one), entered_once(one))
        for one in ("Payments", "Orders", "Human")
    ),
    *(
        Plant("lost filter", one, unfiltered(one), sees_no_person(one))
        for one in ("Payments", "Orders", "Human")
    ),
    Plant("wrong last agent", "free choice", free_choice, triage_never_answers),
    Plant("wrong last agent", "reset choice", choice_is_reset, triage_never_answers),
    Plant("premature end", "first tool", ends_at_first, told_about("verify")),
    Plant("premature end", "refund", ends_at("refund"), told_about("refund")),
    Plant("dead guardrail", "screen", misplaced_screen, screened),
    *(
        Plant("dead guardrail", one, unguarded(one), judged(one))
        for one in ("Payments", "Orders", "Human")
    ),
    *(
        Plant("unhandled refusal", place, plant, refusals_are_handled, {"model.refuse": 2})
        for place, plant in (("Human", unhandled), ("Payments", unhandled_behind_payments))
    ),
]


SETTINGS: Any = {
    "depth": 8,
    "real": ("verify", *MONEY),
    "results": {"look_up_person": ["Her IBAN is 42."]},
    "weights": {"tool.raise": 0, "person.leave": 0},
    "context": Account,
}


def hold(holds: Property, routes: Iterable[Route]) -> None:
    for route in routes:
        holds(route)


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_fault_is_noticed(plant: Plant) -> None:
    shop = bank()
    plant.plant(shop)
    if plant.holds is None:
        with pytest.raises(UserError, match=f"named '{plant.place}'"):
            can_reach(shop.triage, plant.place, 4)
        return
    routes = walk(shop.triage, runs=EXAMPLES, **plant.settings)
    with pytest.raises(AssertionError):
        hold(plant.holds, routes)


@pytest.mark.parametrize("plant", [one for one in PLANTS if one.holds], ids=str)
def test_the_property_holds_of_the_sound_workflow(plant: Plant, sound: list[Route]) -> None:
    assert plant.holds is not None
    own = walk(bank().triage, runs=EXAMPLES, **plant.settings) if plant.weights else sound
    hold(plant.holds, own)


@pytest.fixture(scope="module")
def sound() -> list[Route]:
    return list(walk(bank().triage, runs=EXAMPLES, **SETTINGS))


@pytest.mark.nightly
@pytest.mark.parametrize("plant", [one for one in PLANTS if one.holds], ids=str)
def test_hypothesis_notices_a_planted_fault(plant: Plant) -> None:
    shop = bank()
    plant.plant(shop)

    @routing_test(shop.triage, examples=EXAMPLES, pictures=None, **plant.settings)
    def test_property(route: Route) -> None:
        assert plant.holds is not None
        plant.holds(route)

    with pytest.raises(AssertionError):
        test_property()


class Complaint(BaseModel):
    kind: Literal["refund", "order", "other"]
    euros: Annotated[int, Field(ge=0, le=5_000)]


def pay(complaint: Complaint) -> str:
    raise AssertionError("functions are simulated")


def complaints(*, swapped: bool = False) -> Workflow:
    """Small refunds are paid at once, large ones after a check."""
    triage, check = Agent(name="Triage", output_type=Complaint), Agent(name="Check")
    small, large = (check, pay) if swapped else (pay, check)
    flow = Workflow("Complaints", start=triage)
    flow.route(triage, on="kind", cases={"refund": sort, "order": End("-")}, default=End("+"))
    flow.route(
        sort,
        on=output_of(triage).euros,
        cases={below(1_000): small, at_least(1_000): large},
        give={pay: output_of(triage)},
    )
    flow.then(check, pay, give=output_of(triage))
    return flow


def sort(complaint: Complaint) -> Complaint:
    raise AssertionError("functions are simulated")


def large_refunds_are_checked(route: Route) -> None:
    first = route.decisions[0]
    if first.kind == "answer" and isinstance(first.value, dict) and first.value["euros"] >= 1_000:
        assert_precedes(route, "Check", "pay")


def test_swapped_cases_of_a_route_are_noticed() -> None:
    hold(large_refunds_are_checked, walk(complaints(), runs=EXAMPLES))
    with pytest.raises(AssertionError):
        hold(large_refunds_are_checked, walk(complaints(swapped=True), runs=EXAMPLES))


def test_there_are_thirty_faults_of_ten_kinds() -> None:
    assert len(PLANTS) >= 30
    assert len({one.kind for one in PLANTS}) >= 10
    assert can_reach(bank().triage, "Human", 4)
