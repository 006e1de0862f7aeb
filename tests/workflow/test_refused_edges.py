"""What `then` and `route` refuse, at the user's line and with what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentDefinitionError,
    End,
    Workflow,
    at_least,
    below,
    between,
    output_of,
)

A, B = Agent(name="A"), Agent(name="B")


def one(value: object) -> str:
    return str(value)


def two(first: object, second: object) -> str:
    return ""


def named(value: object, *, tone: str) -> str:
    return tone


def flow(act: Callable[[Workflow], None]) -> Callable[[], None]:
    return lambda: act(Workflow("Flow", start=A))


def twice(made: Workflow) -> None:
    made.then(A, B)
    made.route(A, on="x", cases={"y": B})


def after_all(made: Workflow) -> None:
    made.on_error(A, B, errors=(LookupError, OSError))
    made.on_error(A, B, errors=(KeyError, TimeoutError))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no step": (flow(lambda f: f.then(A, "B")), "a step is an agent, a function, a workflow"),  # type: ignore[arg-type]
    "a class": (flow(lambda f: f.then(A, Agent)), "a step is an agent"),
    "after an end": (flow(lambda f: f.then(End(), A)), "nothing follows an End"),
    "no cases": (flow(lambda f: f.route(A, on="x", cases={})), "at least"),
    "two ways out": (flow(twice), "one then(...) or one route(...)"),
    "no name of a field": (flow(lambda f: f.route(A, on="a b", cases={"x": B})), "no name of a"),
    "on a number": (flow(lambda f: f.route(A, on=3, cases={"x": B})), "on is the name of a field"),
    "a float as a case": (flow(lambda f: f.route(A, on="x", cases={1.5: B})), "cannot be a case"),  # type: ignore[dict-item]
    "two cases of a label": (
        flow(lambda f: f.route(A, on="x", cases={"1": B, 1: B})),
        "two cases are called '1'",
    ),
    "a limit without a way on": (flow(lambda f: f.then(A, B, at_most=3)), "needs exhausted="),
    "no rounds": (flow(lambda f: f.then(A, B, at_most=0, exhausted=End())), "from 1 on"),
    "a limit of no case": (
        flow(lambda f: f.route(A, on="x", cases={"y": B}, at_most={"z": 1}, exhausted=End())),
        "none of its cases",
    ),
    "give to no case": (
        flow(lambda f: f.route(A, on="x", cases={"y": B}, give={A: output_of(A)})),
        "where no case leads",
    ),
    "give of a text": (flow(lambda f: f.then(A, B, give="A")), "give takes output_of"),
    "give to an end": (flow(lambda f: f.then(A, End("x"), give=output_of(A))), "no give"),
    "carry of a word": (flow(lambda f: f.then(A, B, carry="all")), "'conversation' or left out"),  # type: ignore[arg-type]
    "carry to a function": (flow(lambda f: f.then(A, one, carry="conversation")), "to agents"),
    "too few values": (
        flow(lambda f: f.then(A, two)),
        "takes 2 values, but the edge to it gives 1",
    ),
    "too many values": (
        flow(lambda f: f.then(A, one, give=(output_of(A), output_of(B)))),
        "takes 1 values, but the edge to it gives 2",
    ),
    "an error edge out of an end": (flow(lambda f: f.on_error(End("x"), A)), "nothing follows"),
    "an error edge for no class": (flow(lambda f: f.on_error(A, B, errors=())), "one class of"),
    "an error edge for a text": (
        flow(lambda f: f.on_error(A, B, errors="ValueError")),  # type: ignore[arg-type]
        "subclasses of Exception",
    ),
    "an error edge for cancelling": (
        flow(lambda f: f.on_error(A, B, errors=asyncio.CancelledError)),  # type: ignore[arg-type]
        "subclasses of Exception",
    ),
    "an error edge after one for all": (flow(after_all), "this edge is never taken, because line"),
    "an error edge that passes on": (flow(lambda f: f.on_error(A, End())), "has none. Use End(v"),
    "an error edge that passes on at last": (
        flow(lambda f: f.on_error(A, A, at_most=1, exhausted=End())),
        "has none. Use End(value)",
    ),
    "trying again without a limit's end": (flow(lambda f: f.on_error(A, A, at_most=2)), "needs ex"),
    "trying again no times": (
        flow(lambda f: f.on_error(A, A, at_most=0, exhausted=B)),
        "from 1 on",
    ),
    "a value that can only be named": (flow(lambda f: f.then(A, named)), "tone can only be named"),
    "an agent that is not declared": (
        lambda: Workflow("Flow", start=A, agents=[A]).then(A, B),
        "agent 'B' has an edge, but 'agents' does not list it",
    ),
    "an empty interval": (lambda: between(3, 2), "holds no number"),
    "an interval of text": (lambda: below("3"), "takes a whole number"),  # type: ignore[arg-type]
    "an interval of a bool": (lambda: at_least(True), "takes a whole number"),
    "an output as a truth": (lambda: bool(output_of(A).ok), "has no value before a run"),
}


@pytest.mark.parametrize(("act", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_an_edge_is_refused_where_it_is_written(
    act: Callable[[], Any], says: str
) -> None:
    with pytest.raises(AgentDefinitionError) as refused:
        act()
    assert says in str(refused.value)


def test_the_second_declaration_names_the_line_of_the_first() -> None:
    made = Workflow("Flow", start=A)
    made.then(A, B)
    with pytest.raises(AgentDefinitionError, match=r"line \d+ of .*test_refused_edges.py"):
        made.then(A, B)
