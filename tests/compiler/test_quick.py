"""Frozen data classes that are made quickly differ in nothing else."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import pytest

from agentgraph_compiler.ir.chart import Agent, Handoff, Tool
from agentgraph_compiler.machine import Event, Invoke, State, StateKind, Transition, WorkKind, plain
from agentgraph_compiler.machine.quick import quick

EXAMPLES: list[Any] = [
    Transition(Event.DONE, "a", keeps=True),
    State("a", StateKind.DONE, transitions=(Transition(Event.DONE, "b"),)),
    Invoke("a/tool/b", plain(WorkKind.FUNCTION), stops=True),
    Agent("a", "A", tools=(Tool("a/tool/b", "b", WorkKind.FUNCTION),)),
    Handoff("a/handoff/b", "b", "b", "B"),
    Tool("a/tool/b", "b", None),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: type(one).__name__)
def test_an_object_is_frozen_and_equal_to_its_copies(example: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(example, fields(example)[0].name, "other")
    assert type(example) in {Transition, State, Invoke, Agent, Handoff, Tool}
    for other in (copy.copy(example), copy.deepcopy(example), pickle.loads(pickle.dumps(example))):
        assert other == example
        assert hash(other) == hash(example)
    first = fields(example)[0].name
    changed = replace(example, **{first: getattr(example, fields(example)[1].name)})
    assert changed != example
    assert replace(changed, **{first: getattr(example, first)}) == example


def test_the_constructor_takes_what_the_fields_say() -> None:
    @quick
    @dataclass(frozen=True)
    class Point:
        x: int
        y: int
        name: str = "here"

    assert asdict(Point(1, y=2)) == {"x": 1, "y": 2, "name": "here"}
    assert list(inspect.signature(Point).parameters) == ["x", "y", "name"]
    for wrong in ((1,), (1, 2, "there", 4)):
        with pytest.raises(TypeError):
            Point(*wrong)
    with pytest.raises(TypeError):
        Point(1, 2, z=3)  # type: ignore[call-arg]


def test_a_property_is_computed_once_and_no_other_name_is() -> None:
    computed: list[int] = []

    @quick
    @dataclass(frozen=True)
    class Square:
        side: int
        name: str

        @cached_property
        def area(self) -> int:
            computed.append(self.side)
            return self.side**2

    square = Square(3, "small")
    assert (square.area, square.area, computed) == (9, 9, [3])
    assert not hasattr(square, "volume")
    assert not hasattr(square, "__dict__")
    assert copy.copy(square) == square == Square(3, "small")
