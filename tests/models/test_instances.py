"""The smallest value of a JSON schema: that it is valid, and that it is small."""

from __future__ import annotations

import re
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

from agentgraph.models.instances import NOTHING, NoInstance, minimal_instance
from agentgraph.models.pattern_samples import UnsupportedPattern, pattern_sample
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
            Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3,5}(x|yz)?$", min_length=7)],
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
    ({"type": "object", "properties": {"a": {"type": "string"}}, "minProperties": 1}, {"a": ""}),
    ({"type": "object", "required": ["b"], "properties": {}}, {"b": None}),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
    (
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        [0, 1, 2],
    ),
    (
        {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True},
        ["a", "b"],
    ),
    (
        {"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 2},
        [1, 2],
    ),
    ({"allOf": [{"minimum": 3}, {"type": "integer", "minimum": 5}]}, 5),
    ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "integer"}}, "minimum": 2}, 2),
    ({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}}, 1),
    ({"minLength": 2}, "xx"),
    ({"oneOf": [{"type": "integer", "minimum": 4, "maximum": 3}, {"const": "second"}]}, "second"),
]


@pytest.mark.parametrize(("schema", "instance"), SMALLEST, ids=repr)
def test_the_instance_is_the_smallest(schema: Any, instance: Any) -> None:
    assert minimal_instance(schema) == instance
    Draft202012Validator(schema).validate(instance)


IMPOSSIBLE: list[tuple[Any, str]] = [
    (False, "accepts no value"),
    ({"type": "integer", "minimum": 4, "maximum": 3}, "no number"),
    ({"type": "string", "minLength": 3, "maxLength": 2}, "short enough"),
    ({"enum": []}, "enum"),
    ({"type": "no such type"}, "unknown type"),
    ({"type": "array", "items": {"enum": [1]}, "minItems": 2, "uniqueItems": True}, "enum"),
    ({"$ref": "#/$defs/missing"}, "points to nothing"),
    ({"$ref": "https://example.com/schema"}, "outside"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "itself"),
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
        "itself",
    ),
    ({"type": "string", "pattern": r"(?=a)b"}, "pattern"),
]


@pytest.mark.parametrize(("schema", "message"), IMPOSSIBLE, ids=repr)
def test_a_schema_without_an_instance_is_refused_with_the_reason(schema: Any, message: str) -> None:
    with pytest.raises(NoInstance, match=message):
        minimal_instance(schema)


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
    instance = minimal_instance(schema, fill=lambda name, _: wishes.get(name, NOTHING))

    assert instance == {
        "name": "Ada",
        "age": 0,
        "colour": "blue",
        "good": True,
        "email": "someone@example.com",
        "free": "",
    }


PATTERNS = [
    r"^\d{4}-\d{2}$",
    r"[a-f0-9]{8}",
    r"^(foo|bar)+$",
    r"^[^a-zA-Z]$",
    r"^(?:x|y)?z*$",
    r"^(?P<name>a)\.b$",
    r"^\w+@\w+\.(com|org)$",
    r"^[\w.-]{2,}$",
    r"^.{3}$",
    r"\S\s\S",
    r"^\x41\u0042$",
    r"^$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_sample_matches_its_pattern(pattern: str) -> None:
    assert re.search(pattern, pattern_sample(pattern))


@given(st.integers(0, 12), st.integers(0, 5))
def test_samples_differ_and_have_the_length_asked_for(least: int, nth: int) -> None:
    samples = {pattern_sample(r"^[a-z]+$", least=least, nth=n) for n in range(nth + 1)}

    assert len(samples) == nth + 1
    assert all(len(sample) >= least for sample in samples)


@pytest.mark.parametrize("pattern", [r"(?!a)b", r"(a)\1", r"a)b", r"*a", r"(a", r"^a$|^(?i:b)$"])
def test_what_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPattern):
        pattern_sample(pattern)
