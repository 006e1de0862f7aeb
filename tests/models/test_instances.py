"""A small value of a JSON schema: that it is valid and small, and that no schema takes long."""

from __future__ import annotations

import time as clock
import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter, create_model

from agentgraph.models.instances import NoInstance, Schema, minimal_instance
from agentgraph.schemas.strict import ensure_strict_json_schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    value: int
    next: Leaf | None


class Tree(BaseModel):
    children: list[Tree]
    by_name: dict[str, Tree]


def _bounded(low: int, size: int) -> Any:
    return Annotated[int, Field(ge=low, le=low + size)]


leaf_types = st.one_of(
    st.sampled_from(
        [
            bool,
            int,
            float,
            str,
            None,
            date,
            datetime,
            time,
            timedelta,
            Decimal,
            UUID,
            Colour,
            Leaf,
            Tree,
            Literal["a", 3],
            Annotated[float, Field(gt=0, lt=1)],
            Annotated[float, Field(lt=-2.5)],
            Annotated[int, Field(multiple_of=7, gt=7)],
            Annotated[int, Field(multiple_of=3, lt=-4)],
            Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3,5}$", examples=["AB-1234"])],
        ]
    ),
    st.builds(_bounded, st.integers(-50, 50), st.integers(0, 9)),
    st.integers(0, 5).map(lambda n: Annotated[str, Field(min_length=n, max_length=n + 2)]),
)

# Types that are put together at run time are values, which a type checker cannot follow.
_list: Any = list
_dict: Any = dict
_tuple: Any = tuple
_annotated: Any = Annotated


def _model(types: list[Any]) -> Any:
    fields: dict[str, Any] = {f"f{number}": (type_, ...) for number, type_ in enumerate(types)}
    return create_model("M", **fields)


types = st.recursive(
    leaf_types,
    lambda inner: st.one_of(
        inner.map(lambda type_: (type_ or str) | None),
        st.builds(lambda t, n: _annotated[_list[t], Field(min_length=n)], inner, st.integers(0, 3)),
        inner.map(lambda type_: _dict[str, type_]),
        st.builds(lambda one, other: _tuple[one, other], inner, inner),
        st.lists(inner, min_size=1, max_size=3).map(_model),
    ),
    max_leaves=6,
)


@given(types)
def test_what_pydantic_describes_gets_an_instance_that_pydantic_takes(type_: Any) -> None:
    adapter = TypeAdapter(type_)
    schema = adapter.json_schema()
    instance = minimal_instance(schema)

    Draft202012Validator(schema).validate(instance)
    adapter.validate_python(instance)


# A strict schema has no free-form keys, which Tree's dictionary needs.
@given(st.lists(leaf_types.filter(lambda leaf: leaf is not Tree), min_size=1, max_size=4))
def test_strict_schemas_get_instances_with_every_property(leaves: list[Any]) -> None:
    model = _model(leaves)
    schema = ensure_strict_json_schema(model.model_json_schema())
    instance = minimal_instance(schema)

    assert set(instance) == set(model.model_fields)
    Draft202012Validator(schema).validate(instance)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "minimum": st.integers(-20, 20),
            "exclusiveMinimum": st.integers(-20, 20),
            "maximum": st.integers(-20, 20),
            "exclusiveMaximum": st.integers(-20, 20),
            "multipleOf": st.integers(1, 9),
        },
    ),
    st.sampled_from(["integer", "number"]),
)
def test_a_number_lies_within_its_bounds_or_there_is_none(
    bounds: dict[str, int], kind: str
) -> None:
    schema = {"type": kind, **bounds}
    try:
        number = minimal_instance(schema)
    except NoInstance:
        assert not any(Draft202012Validator(schema).is_valid(n) for n in range(-40, 41))
    else:
        Draft202012Validator(schema).validate(number)


TWO = {
    "a": {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
    "b": {"properties": {"b": {"type": "string"}}, "required": ["b"]},
}

# A node of a linked list, which null ends.
NODE: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"next": {"$ref": "#/$defs/node"}},
    "required": ["next"],
}
SHORT = {"required": ["a"], "properties": {"a": {"type": "string"}}}
SMALLEST: list[tuple[Any, Any]] = [
    (True, None),
    ({}, None),
    ({"type": "string"}, ""),
    ({"type": ["string", "null"]}, None),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
    ({"type": "boolean"}, False),
    ({"const": {"a": 1}}, {"a": 1}),
    ({"enum": ["x", "y"]}, "x"),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
    ({"type": "object", "required": ["b"], "properties": {}}, {"b": None}),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": True}, [0]),
    (
        {"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 2},
        [1, 2],
    ),
    ({"allOf": [{"minimum": 3}, {"type": "integer", "maximum": 5}]}, 3),
    ({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": TWO}, {"a": 0, "b": ""}),
    (
        {"properties": {"a": {"const": 1}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"a": 1},
    ),
    ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "integer"}}, "minimum": 2}, 2),
    ({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}}, 1),
    ({"minLength": 2}, None),
    ({"type": "string", "minLength": 2}, "xx"),
    ({"type": "string", "default": "a", "examples": ["b"]}, "a"),
    ({"type": "string", "default": None, "examples": ["b"]}, "b"),
    ({"type": "string", "pattern": "^[A-Z]-[0-9]$", "examples": ["none", "A-1"]}, "A-1"),
    ({"type": "string", "pattern": "^[A-Z]-[0-9]$", "default": "A-1"}, "A-1"),
    ({"type": "string", "pattern": "^x*$", "minLength": 3}, "xxx"),
    ({"oneOf": [{"type": "integer", "minimum": 4, "maximum": 3}, {"const": "second"}]}, "second"),
    ({"type": "string", "anyOf": [{"type": "integer"}, {"minLength": 1}]}, "x"),
    ({"type": "integer", "anyOf": [{"type": ["number", "string"], "minimum": 2}]}, 2),
    ({"allOf": [{"type": "number", "minimum": 1}], "type": "integer"}, 1),
    ({**SHORT, "allOf": [{"properties": {"a": {"minLength": 2}}}]}, {"a": "xx"}),
    ({**NODE, "$defs": {"node": NODE}}, None),
    ({**NODE, "type": "object", "$defs": {"node": NODE}}, {"next": None}),
]


@pytest.mark.parametrize(("schema", "instance"), SMALLEST, ids=repr)
def test_the_instance_is_the_smallest(schema: Any, instance: Any) -> None:
    assert minimal_instance(schema) == instance
    Draft202012Validator(schema).validate(instance)


REFUSED: list[tuple[Any, str]] = [
    (False, "no value was found"),
    ({"type": "integer", "minimum": 4, "maximum": 3}, "no value was found"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "no value was found"),
    ({"allOf": [{"type": "integer"}, {"type": "string"}]}, "no value was found"),
    ({"enum": []}, "no value was found"),
    ({"type": "no such type"}, "not understood: KeyError.'no such type'"),
    ({"type": "array", "items": {"enum": [1]}, "minItems": 2, "uniqueItems": True}, "no value"),
    ({"type": "object", "minProperties": 1}, "no value was found"),
    ({"$ref": "#/$defs/missing"}, "not understood: KeyError"),
    ({"$ref": "https://example.com/schema"}, "outside the schema"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "no value was found"),
    (
        {
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {
                    "type": "object",
                    "required": ["a"],
                    "properties": {"a": {"$ref": "#/$defs/a"}},
                }
            },
        },
        "too deeply nested",
    ),
    ({"allOf": [{"minimum": 3}, {"type": "integer", "minimum": 5}]}, "differ in 'minimum'"),
    ({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}, "'if'"),
    ({"type": "string", "pattern": r"(?=a)b"}, "not understood: SchemaError"),
    ({"type": "string", "minLength": "3"}, "not understood"),
    (
        {"required": ["code"], "properties": {"code": {"type": "string", "pattern": "^[A-Z]{2}$"}}},
        r"code: no value was found for .*\^\[A-Z\]\{2\}",
    ),
]


@pytest.mark.parametrize(("schema", "message"), REFUSED, ids=repr)
def test_a_schema_for_which_no_value_is_found_is_refused_with_the_reason(
    schema: Any, message: str
) -> None:
    with pytest.raises(NoInstance, match=message):
        minimal_instance(schema)


def nested(depth: int, schema: Any) -> Any:
    for _ in range(depth):
        schema = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    return schema


def lists(depth: int) -> Any:
    schema: Any = {"type": "string", "minLength": 900}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "minItems": 900}
    return schema


def branching(depth: int) -> Any:
    schema: Any = {"not": {}}
    for _ in range(depth):
        schema = {"anyOf": [schema] * 9}
    return schema


def branching_lists(depth: int) -> Any:
    schema: Any = {"not": {}}
    for _ in range(depth):
        schema = {"anyOf": [{"type": "array", "minItems": 1, "items": schema}] * 9}
    return schema


BOMBS: dict[str, Any] = {
    "a text of a thousand million characters": {"type": "string", "minLength": 10**9},
    "a text of 1e9 characters": {"type": "string", "minLength": 1e9},
    "a thousand million items": {"type": "array", "minItems": 10**9},
    "lists of lists": lists(9),
    "a thousand million properties": {"type": "object", "minProperties": 10**9},
    "many required properties": {"type": "object", "required": [*map(str, range(20_000))]},
    "five thousand levels": nested(5_000, {"type": "string"}),
    "a doubling reference": {
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {
                "type": "array",
                "minItems": 2,
                "items": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]},
            }
        },
    },
    "alternatives of alternatives": branching(40),
    "alternatives of lists of alternatives": branching_lists(40),
    "a hundred thousand alternatives": {"anyOf": [{"enum": []}] * 100_000},
    "a large enum of another type": {"type": "string", "enum": [*range(200_000)]},
    "examples of another type": {"type": "string", "pattern": "a", "examples": [1] * 200_000},
    "a tiny multiple": {"type": "number", "minimum": 1e300, "multipleOf": 5e-324},
    "a large multiple": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 10**300},
    "a multiple of nothing": {"type": "number", "multipleOf": 0},
    "a bound that is no number": {"type": "number", "minimum": float("inf")},
    "a pattern that backtracks": {
        "type": "string",
        "pattern": "^(a+)+$",
        "examples": ["a" * 5_000 + "!"],
        "minLength": 1,
    },
    "a pattern that is large when compiled": {"type": "string", "pattern": "((a{999}){999}){999}"},
    "a pattern of a long text": {"type": "string", "pattern": "^a{999999999}$"},
}


@pytest.mark.parametrize("schema", BOMBS.values(), ids=BOMBS.keys())
def test_a_schema_that_asks_for_too_much_is_refused_at_once(schema: Any) -> None:
    tracemalloc.start()
    started = clock.process_time()
    try:
        with pytest.raises(NoInstance) as refusal:
            minimal_instance(schema)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert clock.process_time() - started < 5
    assert peak < 20_000_000
    assert len(str(refusal.value)) < 1_000


def test_wishes_are_granted_where_the_schema_accepts_them() -> None:
    wishes = {"name": "Ada", "age": 200, "colour": "blue", "good": True, "email": "no"}
    schema = {
        "type": "object",
        "required": [*wishes, "free"],
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "maximum": 150},
            "colour": {"enum": ["red", "blue"]},
            "good": {"type": "boolean"},
            "email": {"type": "string", "format": "email"},
            "free": {"type": "string"},
        },
    }

    def fill(name: str, schema: Schema) -> Iterator[Any]:
        if name in wishes:
            yield wishes[name]

    assert minimal_instance(schema, fill=fill) == {
        "name": "Ada",
        "age": 0,
        "colour": "blue",
        "good": True,
        "email": "someone@example.com",
        "free": "",
    }
