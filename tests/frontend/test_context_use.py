"""What the code of a callable does with its context, and what a class of contexts has."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from agentgraph.frontend.context_use import ContextUse, attributes_of_class, use_of_context


def alias(context: Any, agent: Any) -> Any:
    customer = context.context
    customer.seen = True
    return customer.name + customer.age


def renamed(context: Any) -> Any:
    customer = context.context
    customer = customer.parent
    return customer.name


def nested(context: Any) -> Any:
    return [context.context.name for _ in "ab"]


def guarded(context: Any) -> Any:
    if hasattr(context.context, "name"):
        return context.context.name
    return None


def both(context: Any) -> Any:
    context.context.count = context.context.count + 1
    print(context)


class Check:
    def __call__(self, context: Any) -> Any:
        return context.context.name

    def method(self, context: Any) -> Any:
        return context.context.age


@pytest.mark.parametrize(
    ("function", "use"),
    [
        (lambda context: context.context.name, ContextUse({"name"})),
        (lambda context: context.context.items(), ContextUse({"items"})),
        (lambda context: context.usage, ContextUse()),
        (lambda context: 1, ContextUse()),
        (lambda context: print(context), ContextUse(whole=True)),
        (lambda context: context.context, ContextUse(whole=True)),
        (lambda *rest: rest, ContextUse(whole=True)),
        (alias, ContextUse({"name", "age"}, {"seen"})),
        (both, ContextUse({"count"}, {"count"}, whole=True)),
        (guarded, ContextUse(whole=True)),
        (Check(), ContextUse({"name"})),
        (Check().method, ContextUse({"age"})),
        (functools.partial(lambda context: context.context.name), ContextUse({"name"})),
        (len, ContextUse(whole=True)),
    ],
)
def test_the_use_of_a_context_is_read_from_the_code(function: Any, use: ContextUse) -> None:
    assert use_of_context(function) == use


def test_what_code_hides_is_a_use_of_the_whole() -> None:
    assert use_of_context(renamed).whole
    assert bool(use_of_context(nested))


@dataclass(slots=True)
class Data:
    name: str

    @property
    def short(self) -> str:
        return self.name[:1]


class Plain:
    def __init__(self) -> None:
        self.made = 1


class Model(BaseModel):
    name: str


class OpenModel(BaseModel):
    model_config = ConfigDict(extra="allow")


class Proxy:
    def __getattr__(self, name: str) -> str:
        return name


class Row(TypedDict):
    name: str


def test_a_class_has_what_it_declares_inherits_and_assigns() -> None:
    assert {"name", "short"} <= set(attributes_of_class(Data))
    assert "made" in attributes_of_class(Plain)
    assert {"name", "model_dump"} <= set(attributes_of_class(Model))
    assert "other" not in attributes_of_class(Model)


@pytest.mark.parametrize("cls", [OpenModel, Proxy, dict, Row, int, None, list[int]])
def test_nothing_is_said_about_objects_that_may_have_anything(cls: object) -> None:
    assert attributes_of_class(cls) == ()
