"""The values that a route may see, from the types that its steps declare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import reduce
from inspect import isclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.exceptions import UserError
from agentgraph.schemas.type_hints import resolve_hints
from agentgraph.workflow.declared import Selector
from agentgraph.workflow.keys import Interval, json_text
from agentgraph_compiler.ir.steps import Values

Schema = Mapping[str, Any]
OPEN = Values(open=True)


def values_of(keys: Iterable[object]) -> Values:
    """The values that take a case, from its keys."""
    single: list[str] = []
    interval = None
    for key in keys:
        if isinstance(key, Interval):
            interval = key
        elif isclass(key) and not issubclass(key, Enum):
            single.append(key.__name__)
        else:
            single.append(json_text(key) or "")
    if interval is None:
        return Values(tuple(single))
    return Values(tuple(single), ranged=True, least=interval.least, most=interval.most)


def domain_of(types: Iterable[object], selector: Selector) -> tuple[Values, str]:
    """The values that a selector may give.

    Args:
        types: The types of the outputs that it reads; ``None`` for one that is not declared.
        selector: The selector.

    Returns:
        The values, and why the selector cannot decide on such an output; empty if it can.
    """
    if selector.function is not None:
        try:
            returned = resolve_hints(selector.function).get("return")
        except (UserError, TypeError, ValueError):
            returned = None
        if returned is None:
            return OPEN, ""
        return _values(_schema(returned), {}), ""
    kinds = [kind for declared in types for kind in _members(declared)]
    if not selector.path:
        if selector.by_value:
            return reduce(union, map(_whole, kinds), Values()), ""
        if all(isclass(kind) for kind in kinds):
            return Values(tuple(dict.fromkeys(kind.__name__ for kind in kinds))), ""
        return OPEN, ""
    together = Values()
    for kind in kinds:
        values, fault = _at(kind, selector.path)
        if fault:
            return OPEN, fault
        together = union(together, values)
    return together, ""


def no_list(declared: object, path: tuple[str, ...]) -> str:
    """Why there is no list at the end of a path of fields; empty if there may be one.

    Args:
        declared: The type of the output; ``None`` if it is not declared.
        path: The fields.
    """
    for kind in _members(declared):
        if kind is None:
            continue
        _, fault = _at(kind, path) if path else (OPEN, "")
        if fault:
            return fault
        schema = _schema(kind)
        definitions = schema.get("$defs", {})
        for field in path:
            schema = _resolved(schema, definitions).get("properties", {}).get(field, {})
        if _resolved(schema, definitions).get("type", "array") != "array":
            return f"{'.'.join((getattr(kind, '__name__', str(kind)), *path))} is no list"
    return ""


def union(one: Values, other: Values) -> Values:
    """The values of two sets together; two intervals become the one from end to end."""
    single = tuple(dict.fromkeys((*one.single, *other.single)))
    ranges = [each for each in (one, other) if each.ranged]
    if not ranges:
        return Values(single, open=one.open or other.open)
    lows = [each.least for each in ranges]
    highs = [each.most for each in ranges]
    return Values(
        single,
        ranged=True,
        least=None if None in lows else min(low for low in lows if low is not None),
        most=None if None in highs else max(high for high in highs if high is not None),
        open=one.open or other.open,
    )


def _whole(kind: type[Any] | None) -> Values:
    """The values of a type of outputs; of a class whose values no case can name, the class."""
    values = OPEN if kind is None else _values(_schema(kind), {})
    if values == OPEN and isclass(kind) and kind not in (str, int, float, object):
        return Values((kind.__name__,))
    return values


def _members(declared: object) -> tuple[Any, ...]:
    """The members of a union; a type that is none is its only member."""
    if isinstance(declared, AgentOutputSchema):
        declared = declared.output_type
    members = get_args(declared) if _is_union(declared) else ()
    return members or (declared,)


def _is_union(declared: object) -> bool:
    return isinstance(declared, UnionType) or get_origin(declared) is Union


def _at(kind: type[Any] | None, path: tuple[str, ...]) -> tuple[Values, str]:
    if kind is None:
        return OPEN, ""
    if kind is str:
        return OPEN, "the output is text, which has no fields"
    root = _schema(kind)
    schema, definitions = root, root.get("$defs", {})
    name, may_be_none = getattr(kind, "__name__", str(kind)), False
    for place, field in enumerate(path):
        may_be_none = may_be_none or (place > 0 and _may_be_none(schema))
        schema = _resolved(schema, definitions)
        properties = schema.get("properties")
        if properties is None:
            return OPEN, ""
        if field not in properties:
            return OPEN, f"{name} has no field '{field}'; it has {', '.join(properties) or 'none'}"
        schema = properties[field]
        name = f"{name}.{field}"
    values = _values(schema, definitions)
    return (union(values, Values(("null",))) if may_be_none else values), ""


def _may_be_none(schema: Schema) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", ()))


def _schema(kind: type[Any]) -> Schema:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        schema: Schema = TypeAdapter(kind).json_schema()
    except (PydanticUserError, TypeError, ValueError):
        return {}
    return schema


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """A schema without the references and optional parts around it."""
    while True:
        if "$ref" in schema:
            schema = definitions.get(schema["$ref"].rpartition("/")[2], {})
        elif (
            len(parts := [p for p in schema.get("anyOf", ()) if p.get("type") != "null"]) == 1
            or len(parts := schema.get("allOf", ())) == 1
        ):
            schema = parts[0]
        else:
            return schema


def _values(schema: Schema, definitions: Schema) -> Values:
    definitions = schema.get("$defs", definitions)
    if "$ref" in schema:
        return _values(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "const" in schema:
        return Values((_text(schema["const"]),))
    if "enum" in schema:
        return Values(tuple(map(_text, schema["enum"])))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            values = Values()
            for part in schema[word]:
                values = union(values, _values(part, definitions))
            return values
    match schema.get("type"):
        case "boolean":
            return Values(("true", "false"))
        case "null":
            return Values(("null",))
        case "integer":
            low, high = schema.get("minimum"), schema.get("maximum")
            above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
            return Values(
                ranged=True,
                least=int(low) if low is not None else None if above is None else int(above) + 1,
                most=int(high) if high is not None else None if below is None else int(below) - 1,
            )
        case _:
            return OPEN


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
