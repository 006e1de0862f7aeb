"""The law of function tools: what the model sends arrives in the function as what it was."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import enum
import json
import uuid
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from agentgraph.decorators import function_tool
from agentgraph.run_context import RunContextWrapper
from tests.tools.calls import invoke


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(TypedDict):
    x: int
    label: str | None


@dataclass
class Size:
    width: int
    unit: str = "cm"


class Address(BaseModel):
    street: str
    lines: list[str] = []
    size: Size | None = None


class Typed(NamedTuple):
    """An annotation and the values it describes."""

    annotation: Any
    values: st.SearchStrategy[Any]
    is_free_form: bool = False


numbers = st.integers()
texts = st.text()
sizes = st.builds(Size, numbers, texts)
SIMPLE = [
    Typed(int, numbers),
    Typed(str, texts),
    Typed(bool, st.booleans()),
    Typed(float, st.floats(allow_nan=False, allow_infinity=False)),
    Typed(Literal["a", "b", 3], st.sampled_from(["a", "b", 3])),
    Typed(Color, st.sampled_from(Color)),
    Typed(Level, st.sampled_from(Level)),
    Typed(datetime.date, st.dates()),
    Typed(datetime.datetime, st.datetimes(timezones=st.just(datetime.UTC))),
    Typed(datetime.timedelta, st.timedeltas()),
    Typed(uuid.UUID, st.uuids()),
    Typed(decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=3)),
    Typed(Point, st.fixed_dictionaries({"x": numbers, "label": st.none() | texts})),
    Typed(Size, sizes),
    Typed(Address, st.builds(Address, street=texts, lines=st.lists(texts), size=st.none() | sizes)),
    Typed(int | str | None, st.none() | numbers | texts),
    Typed(Any, st.none() | numbers | texts | st.lists(numbers)),
]


def containers(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda t: Typed(list[t.annotation], st.lists(t.values, max_size=3), t[2])),  # type: ignore[name-defined]
        inner.map(lambda t: Typed(t.annotation | None, st.none() | t.values, t[2])),
        inner.map(
            lambda t: Typed(
                dict[str, t.annotation],  # type: ignore[name-defined]
                st.dictionaries(texts, t.values, max_size=3),
                True,
            )
        ),
        st.tuples(inner, inner).map(
            lambda pair: Typed(
                tuple[pair[0].annotation, pair[1].annotation],  # type: ignore[misc]
                st.tuples(pair[0].values, pair[1].values),
                pair[0].is_free_form or pair[1].is_free_form,
            )
        ),
    )


types = st.recursive(st.sampled_from(SIMPLE), containers, max_leaves=4)
NAMES = ["value", "city", "_private", "schema", "model_config", "copy", "x1", "self_", "größe"]


class Signature(NamedTuple):
    """A function to be written: its parameters in order, with their types."""

    text: str
    types: dict[str, Typed]
    rest: str | None
    named: str | None


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    of = {name: draw(types) for name in names}
    kinds = sorted(draw(st.lists(st.integers(0, 2), min_size=len(names), max_size=len(names))))
    groups = [[n for n, kind in zip(names, kinds, strict=True) if kind == k] for k in range(3)]
    rest, named = draw(st.sampled_from([None, "rest"])), draw(st.sampled_from([None, "named"]))
    parts = [f"{name}: T_{name}" for name in groups[0]]
    parts += ["/"] if groups[0] else []
    parts += [f"{name}: T_{name}" for name in groups[1]]
    if rest:
        of[rest] = draw(types)
        parts.append(f"*{rest}: T_{rest}")
    elif groups[2]:
        parts.append("*")
    parts += [f"{name}: T_{name}" for name in groups[2]]
    if named:
        of[named] = draw(types)
        parts.append(f"**{named}: T_{named}")
    if draw(st.booleans()):
        parts.insert(0, "ctx: RunContextWrapper")
    return Signature(", ".join(parts), of, rest, named)


def as_json(annotation: Any, value: Any) -> Any:
    return json.loads(TypeAdapter(annotation).dump_json(value))


@given(st.data())
def test_a_value_sent_as_json_arrives_equal(data: st.DataObject) -> None:
    signature = data.draw(signatures())
    arrived: dict[str, Any] = {}
    scope: dict[str, Any] = {"RunContextWrapper": RunContextWrapper, "arrived": arrived}
    scope.update({f"T_{name}": typed.annotation for name, typed in signature.types.items()})
    body = "arrived.update(locals())"
    exec(f"{data.draw(st.sampled_from(['', 'async ']))}def tool({signature.text}): {body}", scope)
    is_free_form = signature.named is not None or any(
        typed.is_free_form for typed in signature.types.values()
    )
    tool = function_tool(
        strict_mode=not is_free_form and data.draw(st.booleans()), failure_error_function=None
    )(scope["tool"])

    sent: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    for name, (annotation, values, _) in signature.types.items():
        if name == signature.rest:
            sent[name] = tuple(data.draw(st.lists(values, max_size=3)))
            arguments[name] = [as_json(annotation, value) for value in sent[name]]
        elif name == signature.named:
            sent[name] = data.draw(st.dictionaries(st.text("pqr", min_size=1), values, max_size=2))
            arguments[name] = {k: as_json(annotation, v) for k, v in sent[name].items()}
        else:
            sent[name] = data.draw(values)
            arguments[name] = as_json(annotation, sent[name])

    asyncio.run(invoke(tool, arguments))
    arrived.pop("ctx", None)
    assert arrived == sent
    assert {name: type(value) for name, value in arrived.items()} == {
        name: type(value) for name, value in sent.items()
    }
