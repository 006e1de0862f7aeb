"""Whatever value a model gives within its types, a case takes it, unless the compiler names it."""

from __future__ import annotations

from enum import Enum, IntEnum
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from agentgraph import Agent, End, Workflow, at_least, below, between
from agentgraph.exceptions import RoutingError
from agentgraph.frontend.lower_workflow import lower
from agentgraph.program import check
from agentgraph.workflow.keys import json_text
from agentgraph_compiler.analysis.edges import untaken


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Paid(BaseModel):
    euros: int


class Refused(BaseModel):
    why: str


class Domain(NamedTuple):
    """A type, keys for its values and others, and its values."""

    type: Any
    keys: list[Any]
    values: st.SearchStrategy[Any]


INTERVALS = [below(0), below(4), between(0, 3), between(4, 9), between(3, 7), at_least(5), 3, 9, 10]
DOMAINS = [
    Domain(Literal["a", "b", "1"], ["a", "b", "1", 1, "c"], st.sampled_from(["a", "b", "1"])),
    Domain(Literal[1, 2, "1"], [1, 2, "1", True, below(2)], st.sampled_from([1, 2, "1"])),
    Domain(bool, [True, False, 1, "true", None], st.booleans()),
    Domain(Mood, [Mood.GOOD, Mood.BAD, "bad"], st.sampled_from(Mood)),
    Domain(Level, [Level.LOW, Level.HIGH, at_least(2)], st.sampled_from(Level)),
    Domain(Annotated[int, Field(ge=0, le=9)], INTERVALS, st.integers(0, 9)),
    Domain(Annotated[int, Field(gt=-1, lt=10)], INTERVALS, st.integers(0, 9)),
    Domain(int, INTERVALS, st.integers() | st.integers(-3, 12)),
    Domain(Annotated[int, Field(ge=3)] | None, [*INTERVALS, None], st.none() | st.integers(3, 12)),
    Domain(Mood | bool | None, [*Mood, True, False, None], st.sampled_from([*Mood, True, None])),
]


class Drawn(NamedTuple):
    """A workflow with one route, and the values that its step may give."""

    workflow: Workflow
    outputs: list[Any]


def giving(declared: Any) -> Any:
    def function(text: str) -> Any:
        raise AssertionError("the function is not called")

    function.__annotations__["return"] = declared
    return function


@st.composite
def routes(draw: st.DrawFn) -> Drawn:
    domain = draw(st.sampled_from(DOMAINS))
    inner = create_model("Inner", field=(domain.type, ...))
    declared, path = inner, "field"
    values = draw(st.lists(domain.values, min_size=1, max_size=8))
    outputs: list[Any] = [inner(field=value) for value in values]
    match draw(st.sampled_from(["plain", "nested", "optional"])):
        case "nested":
            declared, path = create_model("Outer", inner=(inner, ...)), "inner.field"
            outputs = [declared(inner=one) for one in outputs]
        case "optional":
            declared, path = create_model("Outer", inner=(inner | None, None)), "inner.field"
            outputs = [declared(inner=one) for one in (*outputs, None)]
        case _:
            pass
    keys = draw(
        st.lists(
            st.sampled_from([*domain.keys, None]),
            min_size=1,
            unique_by=lambda key: str(key.value if isinstance(key, Enum) else key).lower(),
        )
    )
    start, step = Agent(name="Start"), giving(declared)
    flow = Workflow("Route", start=start)
    flow.then(start, step)
    flow.route(step, on=path, cases={key: End(str(key)) for key in keys})
    return Drawn(flow, outputs)


def is_taken(drawn: Drawn, output: Any) -> bool:
    edges = drawn.workflow._edges[-1]
    assert edges.on is not None
    try:
        edges.chosen(edges.on(output), "step")
    except RoutingError:
        return False
    return True


@given(routes())
@settings(max_examples=300)
def test_a_value_has_a_case_exactly_if_the_compiler_does_not_name_it(drawn: Drawn) -> None:
    edges = drawn.workflow._edges[-1]
    assert edges.on is not None
    missing = untaken(lower(drawn.workflow)[0].steps[1])
    reported = [one for one in check(drawn.workflow) if one.rule.code == "AG220"]
    event(f"AG220: {bool(reported)}")
    assert bool(reported) is bool(missing)
    for output in drawn.outputs:
        value = json_text(edges.on(output))
        assert value is not None
        assert is_taken(drawn, output) is not missing.holds(value)


CLASSES: list[Any] = [Paid, Refused, NoneType]


@given(
    st.lists(st.sampled_from(CLASSES), min_size=1, unique=True),
    st.lists(st.sampled_from(CLASSES), min_size=1, unique=True),
)
def test_a_class_has_a_case_exactly_if_the_compiler_does_not_name_it(
    members: list[Any], keys: list[Any]
) -> None:
    declared: Any = members[0]
    for one in members[1:]:
        declared = declared | one
    start, step = Agent(name="Start"), giving(declared)
    flow = Workflow("Route", start=start)
    flow.then(start, step)
    flow.route(step, cases={key: End(key.__name__) for key in keys})
    missing = untaken(lower(flow)[0].steps[1])
    outputs = {Paid: Paid(euros=1), Refused: Refused(why="no"), NoneType: None}
    for member in members:
        taken = is_taken(Drawn(flow, []), outputs[member])
        assert taken is not missing.holds(member.__name__), (members, keys)
