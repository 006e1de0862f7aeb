"""The strict form of a JSON schema: what is closed, what is inlined, what is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from agentgraph import Agent, function_tool, handoff
from agentgraph.exceptions import UserError
from agentgraph.schemas.strict import ensure_strict_json_schema, resolve_ref
from agentgraph.tools.function import FunctionTool

TEXT = {"type": "string"}


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


REWRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an object is closed and its properties required": (object_of(a=TEXT), closed(a=TEXT)),
    "a partial list of required properties is completed": (
        {**object_of(a=TEXT, b=TEXT), "required": ["b"]},
        closed(a=TEXT, b=TEXT),
    ),
    "properties without a type make an object": ({"properties": {"a": TEXT}}, closed(a=TEXT)),
    "an object that may be null is closed": (
        object_of(a={**object_of(b=TEXT), "type": ["object", "null"]}),
        closed(a={**closed(b=TEXT), "type": ["object", "null"]}),
    ),
    "items of an array are closed": (
        {"type": "array", "items": object_of(a=TEXT)},
        {"type": "array", "items": closed(a=TEXT)},
    ),
    "oneOf becomes anyOf, after what anyOf there is": (
        object_of(a={"oneOf": [TEXT], "anyOf": [{"type": "integer"}]}),
        closed(a={"anyOf": [{"type": "integer"}, TEXT]}),
    ),
    "a single allOf is inlined below its siblings": (
        object_of(a={"allOf": [{**object_of(), "description": "b"}], "description": "a"}),
        closed(a={**closed(), "description": "a"}),
    ),
    "several allOf stay": (
        object_of(a={"allOf": [object_of(), object_of()]}),
        closed(a={"allOf": [closed(), closed()]}),
    ),
    "a lone reference stays": (
        {**object_of(a={"$ref": "#/$defs/M"}), "$defs": {"M": object_of(b=TEXT)}},
        {**closed(a={"$ref": "#/$defs/M"}), "$defs": {"M": closed(b=TEXT)}},
    ),
    "a reference with siblings is written out, and the siblings win": (
        {
            **object_of(a={"$ref": "#/$defs/M", "description": "mine"}),
            "$defs": {"M": {**object_of(b=TEXT), "description": "its"}},
        },
        {
            **closed(a={**closed(b=TEXT), "description": "mine"}),
            "$defs": {"M": {**closed(b=TEXT), "description": "its"}},
        },
    ),
    "a default of null is removed, other defaults stay": (
        object_of(a={**TEXT, "default": None}, b={**TEXT, "default": "x"}),
        closed(a=TEXT, b={**TEXT, "default": "x"}),
    ),
    "properties named like keywords are properties": (
        {"type": "object", "properties": {"default": TEXT, "$ref": TEXT, "oneOf": TEXT}},
        closed(**{"default": TEXT, "$ref": TEXT, "oneOf": TEXT}),
    ),
}


@pytest.mark.parametrize(("schema", "strict"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_schema_is_rewritten(schema: dict[str, Any], strict: dict[str, Any]) -> None:
    assert ensure_strict_json_schema(deepcopy(schema)) == strict


@pytest.mark.parametrize(("schema", "strict"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_strict_schema_stays_as_it_is(schema: dict[str, Any], strict: dict[str, Any]) -> None:
    assert ensure_strict_json_schema(deepcopy(strict)) == strict


def test_an_empty_schema_becomes_a_fresh_object_without_properties_each_time() -> None:
    first, second = ensure_strict_json_schema({}), ensure_strict_json_schema({})
    assert first == second == closed()
    assert first is not second
    assert first["properties"] is not second["properties"]


@pytest.mark.parametrize(
    "free_form", [True, {}, TEXT, {"type": "object", "properties": {}}], ids=repr
)
def test_an_object_with_free_form_keys_is_refused(free_form: object) -> None:
    with pytest.raises(UserError, match="free-form keys"):
        ensure_strict_json_schema(
            object_of(a={"type": "object", "additionalProperties": free_form})
        )


OPEN: list[dict[str, Any]] = [
    {"additionalProperties": True},
    {"additionalProperties": TEXT},
    {"type": "object", "additionalProperties": {}},
    {"type": ["object", "null"], "additionalProperties": TEXT},
    {"type": "object", "patternProperties": {"^x": TEXT}},
    {**object_of(a=TEXT), "patternProperties": {"^x": TEXT}},
    {**object_of(a=TEXT), "unevaluatedProperties": TEXT},
]


@pytest.mark.parametrize("schema", OPEN)
@pytest.mark.parametrize("place", ["root", "property", "reference", "allOf"])
def test_an_open_map_is_refused_wherever_it_stands(schema: dict[str, Any], place: str) -> None:
    placed: dict[str, dict[str, Any]] = {
        "root": schema,
        "property": object_of(a=schema),
        "reference": {"$ref": "#/$defs/A", "$defs": {"A": schema}},
        "allOf": {"allOf": [schema]},
    }
    with pytest.raises(UserError, match="free-form keys"):
        ensure_strict_json_schema(deepcopy(placed[place]))


CONTRADICTIONS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"type": "string"}, object_of(b=TEXT), "type"),
    (object_of(c=TEXT), object_of(b=TEXT), "properties"),
    ({"enum": ["c"]}, {"enum": ["a", "b"]}, "enum"),
    ({"minLength": 3}, {"type": "string", "minLength": 1}, "minLength"),
]


@pytest.mark.parametrize(("beside", "target", "keyword"), CONTRADICTIONS)
@pytest.mark.parametrize("by", ["$ref", "allOf"])
def test_what_stands_beside_a_reference_must_not_contradict_it(
    beside: dict[str, Any], target: dict[str, Any], keyword: str, by: str
) -> None:
    pointing = {"$ref": "#/$defs/A"} if by == "$ref" else {"allOf": [target]}
    schema = {**object_of(a={**pointing, **beside}), "$defs": {"A": target}}
    with pytest.raises(UserError, match=f"contradicts it in '{keyword}'"):
        ensure_strict_json_schema(deepcopy(schema))


@pytest.mark.parametrize("beside", [{"type": "string"}, {"title": "b"}, {"maxLength": 4}])
def test_what_stands_beside_a_reference_may_agree_with_it(beside: dict[str, Any]) -> None:
    target = {"type": "string", "title": "a", "minLength": 1}
    schema = {**object_of(a={"$ref": "#/$defs/A", **beside}), "$defs": {"A": target}}
    strict = ensure_strict_json_schema(schema)
    assert strict["properties"]["a"] == {**target, **beside}


A, B = {"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}
UNFOUNDED: list[dict[str, Any]] = [
    {"A": {"allOf": [A]}},
    {"A": {"allOf": [B]}, "B": {"allOf": [A]}},
    {"A": {"allOf": [A, object_of(x=TEXT)]}},
    {"A": {"allOf": [A], "description": "a"}},
    {"A": {"anyOf": [TEXT, {"oneOf": [A]}]}},
    {"A": B, "B": A},
    {"A": A},
]


@pytest.mark.parametrize("definitions", UNFOUNDED)
def test_a_schema_that_means_only_itself_is_refused(definitions: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="refers to itself"):
        ensure_strict_json_schema({**object_of(a=A), "$defs": definitions})


def test_a_root_that_means_only_itself_is_refused() -> None:
    with pytest.raises(UserError, match="refers to itself"):
        ensure_strict_json_schema({"allOf": [{"$ref": "#"}]})


def test_a_type_may_contain_itself_by_its_properties_and_items() -> None:
    tree = object_of(left={"anyOf": [A, {"type": "null"}]}, more={"type": "array", "items": A})
    strict = ensure_strict_json_schema({**object_of(a=A), "$defs": {"A": {"allOf": [tree]}}})
    assert strict["$defs"]["A"]["required"] == ["left", "more"]


@pytest.mark.parametrize("schema", [OPEN[0], {**object_of(a=A), "$defs": UNFOUNDED[0]}])
def test_a_tool_made_by_hand_says_whose_schema_is_wrong(schema: dict[str, Any]) -> None:
    async def carry_out(context: Any, arguments: str) -> str:
        return ""

    with pytest.raises(UserError, match="FunctionTool 'lookup'"):
        FunctionTool("lookup", "", schema, carry_out)
    assert FunctionTool("lookup", "", schema, carry_out, False).params_json_schema == schema


def test_a_tool_and_a_handoff_say_whose_schema_is_wrong() -> None:
    def store(values: Loose) -> None: ...

    with pytest.raises(UserError, match="arguments of store"):
        function_tool(store)
    with pytest.raises(UserError, match="agent tool 'ask'"):
        Agent(name="A").as_tool("ask", "", parameters=Loose)
    with pytest.raises(UserError, match="handoff to agent 'A'"):
        handoff(Agent(name="A"), input_type=Loose, on_handoff=lambda context, input: None)


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_a_choice_at_the_root_is_refused(keyword: str) -> None:
    with pytest.raises(UserError, match="root"):
        ensure_strict_json_schema({keyword: [object_of(), {"type": "null"}]})


def test_a_type_that_contains_itself_beside_a_description_is_refused() -> None:
    node = object_of(next={"$ref": "#/$defs/Node", "description": "the next one"})
    with pytest.raises(UserError, match="refers to itself"):
        ensure_strict_json_schema(
            {**object_of(head={"$ref": "#/$defs/Node", "title": "h"}), "$defs": {"Node": node}}
        )


def test_a_type_that_contains_itself_by_a_lone_reference_is_kept() -> None:
    schema = {
        **object_of(n={"$ref": "#/$defs/N"}),
        "$defs": {"N": object_of(n={"$ref": "#/$defs/N"})},
    }
    strict = ensure_strict_json_schema(schema)
    assert strict["$defs"]["N"] == closed(n={"$ref": "#/$defs/N"})


@pytest.mark.parametrize("depth", [200, 5_000])
def test_a_schema_of_unreasonable_depth_is_refused(depth: int) -> None:
    schema: dict[str, Any] = TEXT
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    with pytest.raises(UserError, match="deeply nested"):
        ensure_strict_json_schema(object_of(a=schema))


def test_references_that_multiply_a_schema_are_refused() -> None:
    levels = {
        f"L{level}": object_of(
            a={"$ref": f"#/$defs/L{level + 1}", "title": "a"},
            b={"$ref": f"#/$defs/L{level + 1}", "title": "b"},
        )
        for level in range(24)
    }
    schema = {**object_of(a={"$ref": "#/$defs/L0", "title": "x"}), "$defs": {**levels, "L24": TEXT}}
    with pytest.raises(UserError, match="too large"):
        ensure_strict_json_schema(schema)


@pytest.mark.parametrize(
    ("ref", "message"),
    [("elsewhere", "only references"), ("#/$defs/Missing", "nothing at")],
)
def test_a_reference_that_leads_nowhere_is_an_error(ref: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ensure_strict_json_schema(object_of(a={"$ref": ref, "description": "x"}))


def test_a_part_that_is_no_schema_is_named_by_its_place() -> None:
    with pytest.raises(TypeError, match="properties/a"):
        ensure_strict_json_schema(object_of(a=True))


def test_a_reference_is_a_json_pointer() -> None:
    assert resolve_ref(root={"$defs": {"a/b~c": TEXT}}, ref="#/$defs/a~1b~0c") == TEXT


names = st.text("abc", min_size=1, max_size=3)
schemas = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer", "default": None}, {}]),
    lambda parts: (
        st.dictionaries(names, parts, max_size=3).map(lambda p: {"type": "object", "properties": p})
        | parts.map(lambda part: {"type": "array", "items": part})
        | st.lists(parts, min_size=1, max_size=3).map(lambda options: {"oneOf": options})
        | parts.map(lambda part: {"allOf": [part], "description": "d"})
    ),
    max_leaves=12,
)


def objects_in(schema: object) -> list[dict[str, Any]]:
    match schema:
        case dict():
            nested = [inner for part in schema.values() for inner in objects_in(part)]
            return [schema, *nested] if schema.get("type") == "object" else nested
        case list():
            return [inner for part in schema for inner in objects_in(part)]
        case _:
            return []


@given(st.dictionaries(names, schemas, max_size=3))
def test_every_object_of_a_strict_schema_is_closed(properties: dict[str, Any]) -> None:
    strict = ensure_strict_json_schema({"type": "object", "properties": deepcopy(properties)})
    for inner in objects_in(strict):
        assert inner["additionalProperties"] is False
        assert inner.get("required", []) == list(inner.get("properties", {}))
    assert ensure_strict_json_schema(deepcopy(strict)) == strict
