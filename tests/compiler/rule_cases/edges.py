"""Cases of the rules about the edges of a workflow (AG220 to AG228, AG239, AG307)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agentgraph import Agent, ModelSettings, Workflow, handoff
from agentgraph.workflow import End, at_least, below, between, output_of
from tests.compiler.rule_cases import answers, branches
from tests.compiler.rule_cases.case import Rows


class Person(BaseModel):
    country: Literal["at", "de"]


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]
    euros: Annotated[int, Field(ge=0, le=100)] = 0
    limit: int = 0
    urgent: bool = False
    note: str = ""
    person: Person | None = None


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Letter(BaseModel):
    text: str


def triage(**fields: Any) -> Agent[Any]:
    return Agent(name="Triage", output_type=Ticket, **fields)


def routed(on: object, cases: dict[Any, Any], **options: Any) -> Workflow:
    start = triage()
    flow = Workflow("Support", start=start)
    flow.route(start, on=on, cases=cases, **options)
    return flow


def after(function: Callable[..., Any], on: object, cases: dict[Any, Any], **more: Any) -> Workflow:
    """A route after a function."""
    start = Agent(name="Start")
    flow = Workflow("Support", start=start)
    flow.then(start, function)
    flow.route(function, on=on, cases=cases, **more)
    return flow


def mood(text: str) -> Mood:
    return Mood(text)


def either(text: str) -> Ticket | Letter:
    return Letter(text=text)


def label(output: object) -> Literal["long", "short"]:
    return "long"


def itself(output: Any) -> Mood:
    return Mood.GOOD


A, B, C = End("a"), End("b"), End("c")
KINDS = {"refund": A, "order": B, "other": C}


def split(on: object, *, complete: bool) -> Workflow:
    start = triage()
    flow = Workflow("Support", start=start)
    route = flow.route(start, on)  # type: ignore[call-overload]
    if complete:
        route.cases(KINDS)
    return flow


def half_complete() -> Workflow:
    """A step behind a route that is complete has one that is not."""
    start, later = triage(), Agent(name="Later", output_type=Ticket)
    flow = Workflow("Support", start=start)
    flow.route(start, on=lambda ticket: ticket.kind).cases({"refund": later}, default=A)
    flow.route(later, on="urgent")
    return flow


GAPS: Rows = {
    "a literal": (routed("kind", {"refund": A, "order": B}), ['no case for "other"']),
    "a bool": (routed("urgent", {True: A}), ["no case for false"]),
    "a gap between intervals": (
        routed("euros", {below(10): A, at_least(12): B}),
        ["no case for 10 to 11"],
    ),
    "numbers without limits": (routed("limit", {at_least(0): A}), ["whole numbers up to -1"]),
    "a text": (routed("note", {"x": A}), ["no case for every other value"]),
    "what is optional": (routed("person.country", {"at": A}), ['no case for "de"']),
    "an enum": (after(mood, itself, {Mood.GOOD: A}), ['no case for "bad"']),
    "classes": (after(either, None, {Ticket: A}), ["no case for Letter"]),
    "labels": (routed(label, {"long": A}), ['no case for "short"']),
    "all literals": (routed("kind", KINDS), []),
    "a text with a default": (routed("note", {"x": A}, default=B), []),
    "intervals from end to end": (routed("euros", {below(10): A, at_least(10): B}), []),
    "an interval and single numbers": (
        routed("euros", {0: A, between(1, 99): B, 100: C}),
        [],
    ),
    "all classes": (after(either, None, {Ticket: A, Letter: B}), []),
    "all labels": (routed(label, {"long": A, "short": B}), []),
}
OVERLAPS: Rows = {
    "two intervals": (routed("euros", {below(11): A, at_least(10): B}), ["both take 10"]),
    "a number in an interval": (routed("euros", {5: A, below(10): B, at_least(10): C}), ["take 5"]),
    "three of them": (
        routed("euros", {between(0, 60): A, between(50, 80): B, between(55, 100): C}),
        ["take 50 to 60", "take 55 to 60", "take 55 to 80"],
    ),
    "intervals that meet": (routed("euros", {below(10): A, at_least(10): B}), []),
    "single values": (routed("kind", KINDS), []),
    "a case of which nothing is left": (routed("euros", {at_least(0): A, 5: B}), []),
}
DEAD: Rows = {
    "a misspelt literal": (routed("kind", {"refunds": A}, default=B), ["the value is never that"]),
    "a number beyond the limits": (
        routed("euros", {at_least(101): A}, default=B),
        ["case '>=101'"],
    ),
    "behind an interval": (routed("euros", {at_least(0): A, 5: B}), ["earlier cases take it"]),
    "a class that never comes": (after(either, None, {Agent: A}, default=B), ["case 'Agent'"]),
    "an interval that reaches beyond": (routed("euros", {at_least(50): A}, default=B), []),
    "a text": (routed("note", {"anything": A}, default=B), []),
    "a value of an enum by its text": (after(mood, itself, {"good": A}, default=B), []),
}
DEFAULTS: Rows = {
    "all literals": (routed("kind", KINDS, default=A), ["the cases take every value"]),
    "both bools": (routed("urgent", {True: A, False: B}, default=C), ["never taken"]),
    "all numbers": (routed("euros", {below(50): A, at_least(50): B}, default=C), ["0 to 100"]),
    "one literal is left": (routed("kind", {"refund": A, "order": B}, default=C), []),
    "a text": (routed("note", {"x": A}, default=B), []),
    "one number is left": (routed("euros", {below(100): A}, default=B), []),
}


def reading(field: str, kind: Any = Ticket, **fields: Any) -> Workflow:
    """A function gets a field of what an agent gives."""
    start = Agent(name="Start", output_type=kind, **fields)
    flow = Workflow("Reading", start=start)
    flow.then(start, mood, give=getattr(output_of(start), field))
    return flow


def on_another(step: object) -> Workflow:
    start = triage()
    flow = Workflow("Support", start=start)
    flow.route(start, on=getattr(output_of(step), "kind"), cases=KINDS)  # noqa: B009
    return flow


FIELDS: Rows = {
    "a misspelt field": (routed("sort", {"x": A}, default=B), ["Ticket has no field 'sort'"]),
    "a field of a field": (routed("person.town", {"x": A}, default=B), ["has no field 'town'"]),
    "a field of text": (reading("note", None), ["the output is text"]),
    "a field that is given": (reading("nothing"), ["Ticket has no field 'nothing'"]),
    "the output of no step": (on_another(triage()), ["the output of no step"]),
    "a field": (routed("kind", KINDS), []),
    "an optional field of a field": (routed("person.country", {"at": A, "de": B}), []),
    "a field that is there": (reading("note"), []),
    "a field of a dictionary": (reading("anything", dict[str, str]), []),
}


def needing(*, passes: bool, on: bool = False) -> Workflow:
    """A step behind a route needs what one of its cases made."""
    start, draft, edit, send = triage(), Agent(name="Draft"), Agent(name="Edit"), Agent(name="Send")
    draft.output_type = Ticket
    flow = Workflow("Letters", start=start)
    if passes:
        flow.then(start, draft)
    else:
        flow.route(start, on="urgent", cases={True: edit, False: draft})
    flow.then(draft, edit)
    if on:
        flow.route(edit, on=output_of(draft).kind, cases=KINDS)
    else:
        flow.then(edit, send, give=(output_of(draft), output_of(edit)))
    return flow


def looping(*, at_most: int | None = None, ends: bool = True, itself: bool = False) -> Workflow:
    start, back = triage(), Agent(name="Back", output_type=Ticket)
    flow = Workflow("Loop", start=start)
    limits: dict[str, Any] = {}
    if at_most is not None:
        limits = {"at_most": {True: at_most}, "exhausted": End()}
    if itself:
        flow.route(start, on="urgent", cases={True: start, False: End()}, **limits)
        return flow
    flow.then(start, back)
    cases = {True: start if ends else End("x"), False: End()}
    flow.route(back, on="urgent", cases=cases, **limits)
    return flow


def jumping() -> Workflow:
    """Two limited ways back, of which one ends with a step inside the loop."""
    start, one, two = triage(), Agent(name="One", output_type=Ticket), Agent(name="Two")
    flow = Workflow("Loops", start=start)
    flow.then(start, one)
    flow.route(
        one,
        on="urgent",
        cases={True: start, False: End()},
        at_most={True: 2},
        exhausted=two,
    )
    flow.then(two, one)
    return flow


def handing(choice: str | None = None, *, edges: bool = True, back: bool = False) -> Workflow:
    """An agent with a tool choice and a handoff, whose step has an edge."""
    orders, people = Agent(name="Orders"), Agent(name="People")
    start = Agent(name="Start", handoffs=[orders], model_settings=ModelSettings(tool_choice=choice))
    if back:
        orders.handoffs = [handoff(start)]
    flow = Workflow("Support", start=start)
    if edges:
        flow.then(start, people)
    flow.then(orders, people)
    return flow


def entering(*, edge: bool = False, by_handoff: bool = False, function: bool = False) -> Workflow:
    orders: Any = mood if function else Agent(name="Orders")
    people, start = Agent(name="People"), triage()
    if by_handoff:
        start.handoffs = [orders]
    flow = Workflow("Support", start=start)
    flow.then(start, orders if edge else people)
    flow.then(orders, people)
    return flow


def failing(
    *,
    give: bool = False,
    later: bool = False,
    on: bool = False,
    behind: bool = False,
    order_first: bool = False,
) -> Workflow:
    """A function that may fail, and a letter that is written after it or after its failure."""
    order, letter, check = triage(), Agent(name="Letter"), Agent(name="Check")
    flow = Workflow("Shop", start=order)
    flow.then(order, charge)
    flow.then(charge, check)
    flow.on_error(
        charge, letter if give else check, **({"give": output_of(charge)} if give else {})
    )
    handed = output_of(order) if order_first else output_of(charge)
    if on:
        flow.route(check, on=output_of(charge), cases={"a": letter}, default=End("x"))
    elif later:
        flow.then(check, letter, give=handed)
    elif behind:
        flow.then(check, letter)
    return flow


def retrying(at_most: int | None = None) -> Workflow:
    start = triage()
    flow = Workflow("Shop", start=start)
    flow.then(start, charge)
    rounds: dict[str, Any] = {"at_most": at_most, "exhausted": End("x")} if at_most else {}
    flow.on_error(charge, charge, errors=TimeoutError, **rounds)
    return flow


def handed_on(function: Any, *, give: bool = False, twice: bool = False) -> Workflow:
    """A function that gets what a failed step had got: a number."""
    start = Agent(name="Start", output_type=int)
    flow = Workflow("Shop", start=start)
    flow.then(start, charge)
    other = weigh if twice else charge
    if twice:
        flow.on_error(charge, weigh)
    flow.on_error(other, function, give=output_of(start) if give else None)
    return flow


def spending(*, calls: bool = True, agent: bool = True, back: bool = False) -> Workflow:
    """A loop without a limit, of an agent or of functions, in a workflow with a budget."""
    start = triage()
    flow = Workflow("Support", start=start)
    flow.then(start, mood)
    last = Agent(name="Again", output_type=Ticket) if agent else charge
    if not agent:
        flow.then(charge, mood)
    flow.route(mood, cases={Mood.GOOD: End(), Mood.BAD: last})
    if agent:
        flow.then(last, mood)
    limit: dict[str, Any] = {"model_calls": 9} if calls else {"seconds": 9}
    flow.budget(**limit, on_exhausted=mood if back else End("spent"))
    return flow


def unentered_pair() -> Workflow:
    one, two, start = Agent(name="One"), Agent(name="Two"), triage()
    flow = Workflow("Support", start=start)
    flow.then(start, End("x"))
    flow.then(one, two)
    flow.then(two, End("y"))
    return flow


def limited(*, returns: bool) -> Workflow:
    """A way with a limit that leads back or on; a function comes after the last round."""
    back, people, start = Agent(name="Back"), Agent(name="People"), triage()
    flow = Workflow("Support", start=start)
    flow.then(start, back, at_most=2, exhausted=mood)
    flow.then(back, start if returns else people)
    flow.then(mood, people)
    return flow


def forced_region() -> Workflow:
    """An agent that must hand over to one in its own step, which answers."""
    inner = Agent(name="Inner")
    start = Agent(
        name="Start", handoffs=[inner], model_settings=ModelSettings(tool_choice="required")
    )
    flow = Workflow("Support", start=start)
    flow.then(start, Agent(name="People"))
    return flow


def circle() -> Workflow:
    """Two agents of one step that must hand over to each other for ever."""
    first = Agent(name="First", model_settings=ModelSettings(tool_choice="transfer_to_second"))
    second = Agent(name="Second", model_settings=ModelSettings(tool_choice="transfer_to_first"))
    first.reset_tool_choice = second.reset_tool_choice = False
    first.handoffs, second.handoffs = [second], [first]
    start = Agent(name="Start", handoffs=[first])
    flow = Workflow("Circle", start=start)
    flow.then(start, first)
    flow.then(first, End("x"))
    return flow


def charge(euros: int) -> str:
    return str(euros)


def weigh(kilos: float, note: str = "") -> str:
    return note


def read(ticket: Ticket) -> str:
    return ticket.kind


def take(value: Any) -> str:
    return str(value)


def giving(function: Any, kind: Any = None, **options: Any) -> Workflow:
    start = Agent(name="Start", output_type=kind)
    flow = Workflow("Given", start=start)
    flow.then(start, function, **options)
    return flow


def second_value() -> Workflow:
    start, later = Agent(name="Start", output_type=int), Agent(name="Later", output_type=Ticket)
    flow = Workflow("Given", start=start)
    flow.then(start, later)
    flow.then(later, weigh, give=(output_of(start), output_of(later)))
    return flow


CASES: dict[str, Rows] = {
    "AG220": GAPS | answers.GAPS,
    "AG221": OVERLAPS,
    "AG222": DEAD | answers.DEAD,
    "AG223": DEFAULTS,
    "AG224": FIELDS | answers.FIELDS | branches.LISTS,
    "AG225": {
        "given to an agent": (needing(passes=False), ["a way without it: Triage → Edit"]),
        "decided on": (needing(passes=False, on=True), ["needs the output of 'Draft'"]),
        "of a step behind": (
            giving(charge, int, give=output_of(charge)),
            ["needs the output of 'charge'"],
        ),
        "given where every way passes": (needing(passes=True), []),
        "decided on where every way passes": (needing(passes=True, on=True), []),
        "of the step itself": (reading("note"), []),
    },
    "AG233": {
        "given after the failure itself": (
            failing(give=True),
            ["an edge of step 'charge' needs the output of 'charge', which may have failed"],
        ),
        "given by a later step": (
            failing(later=True),
            ["an edge of step 'Check' needs the output of 'charge'"],
        ),
        "decided on by a later step": (failing(on=True), ["a step that fails has no output"]),
        "of the step before": (failing(later=True, order_first=True), []),
        "no output of it needed": (failing(behind=True), []),
        "nothing fails": (needing(passes=True), []),
        "a run may skip the step anyway": (needing(passes=False), []),
    },
    "AG226": {
        "a step that is tried again": (retrying(), ["the loop of step 'charge' has no limit"]),
        "a step that is tried again for a while": (retrying(at_most=3), []),
        "functions spend no model calls": (spending(agent=False), ["'mood', 'charge'"]),
        "a loop after the budget": (spending(back=True), ["'mood', 'Again'"]),
        "an agent spends the budget": (spending(), []),
        "functions spend time": (spending(agent=False, calls=False), []),
        "two steps": (looping(), ["the loop of steps 'Triage', 'Back' has no limit"]),
        "a step by itself": (looping(itself=True), ["the loop of step 'Triage'"]),
        "the way out of a limit leads back": (jumping(), ["'One', 'Two'"]),
        "two steps with a limit": (looping(at_most=3), []),
        "a step with a limit": (looping(at_most=3, itself=True), []),
        "no loop": (looping(ends=False), []),
        **answers.LOOPS,
    },
    "AG227": {
        "an agent": (entering(), ["no way leads to step 'Orders'"]),
        "a function": (entering(function=True), ["no way leads to step 'mood'"]),
        "behind a step that is not entered": (
            unentered_pair(),
            ["no way leads to step 'One'", "no way leads to step 'Two'"],
        ),
        "after rounds that no run makes": (
            limited(returns=False),
            ["no way leads to step 'mood'"],
        ),
        "after the last round": (limited(returns=True), []),
        "by an edge": (entering(edge=True), []),
        "by an edge after an exception": (failing(later=True, order_first=True), []),
        "by a handoff": (entering(by_handoff=True), []),
        "a function by an edge": (entering(edge=True, function=True), []),
        **answers.ENTERED,
    },
    "AG228": {
        "a handoff on every turn": (
            handing("required"),
            ["no run takes the edges of step 'Start'"],
        ),
        "one handoff on every turn": (handing("transfer_to_orders"), ["step 'Start'"]),
        "agents that hand over in a circle": (circle(), ["step 'First'"]),
        "an agent that may answer": (handing(), []),
        "no edge": (handing("required", edges=False), []),
        "an agent of the step answers": (forced_region(), []),
    },
    "AG239": {
        "a field": (split("kind", complete=False), ["the route on kind of step 'Triage' has no"]),
        "a lambda": (split(lambda ticket: ticket.kind, complete=False), ["the route on kind"]),
        "nothing but the output": (split(None, complete=False), ["the route on"]),
        "a later step": (half_complete(), ["the route on urgent"]),
        "complete": (split("kind", complete=True), []),
        "complete after a lambda": (split(lambda ticket: ticket.kind, complete=True), []),
        "in one call": (routed("kind", KINDS), []),
    },
    "AG307": {
        "text for a number": (giving(charge), ["takes int, but step 'Start' gives text"]),
        "a number for a class": (giving(read, int), ["Ticket"]),
        "the second value": (second_value(), ["step 'Later' gives"]),
        "what a failed step had got": (
            handed_on(read),
            ["Ticket, but step 'Start' gives int\nthe edge after a failure of step 'charge'"],
        ),
        "what a step before it had got": (handed_on(read, twice=True), ["Start"]),
        "given after a failure": (handed_on(read, give=True), ["Start"]),
        "what a failed step had got fits": (handed_on(weigh), []),
        "a number": (giving(charge, int), []),
        "a whole number for a float": (giving(weigh, int), []),
        "anything": (giving(take, Ticket), []),
        "a class": (giving(read, Ticket), []),
        **answers.TYPES,
    },
}
