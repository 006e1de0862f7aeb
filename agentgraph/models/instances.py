"""A small value that a JSON schema accepts, for a model without a language model.

Rule: the module tries a few values (a wish, the enum, the default, the examples, the smallest of
the type) and takes the first that pydantic accepts. If pydantic accepts none, the error says so and
a person writes the value. Nothing is searched, so no schema takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, repeat
from reprlib import Repr
from typing import Any, Final, TypeAlias

from pydantic_core import SchemaError, SchemaValidator

__all__ = ["Fill", "NoInstance", "Schema", "minimal_instance"]

Schema: TypeAlias = Mapping[str, Any]

Fill: TypeAlias = Callable[[str, Schema], Iterable[Any]]
"""Takes a property's name and its schema; returns the values it would like there."""

_LONGEST: Final = 1_000
_MOST_STEPS: Final = 10_000
_DEEPEST: Final = 64
_UNTRIED: Final = {"not", "if", "contains", "dependentRequired", "dependentSchemas"}
_ANNOTATIONS: Final = {"title", "description", "default", "examples", "$defs"}
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_FORMATS: Final = {
    "date": "1970-01-01", "time": "00:00:00Z", "date-time": "1970-01-01T00:00:00Z",
    "duration": "PT0S", "uuid": "00000000-0000-4000-8000-000000000000", "json-string": "null",
    "email": "someone@example.com", "uri": "https://example.com/", "ipv4": "127.0.0.1",
}  # fmt: skip
# The types and keywords of JSON Schema, and what pydantic calls them.
_TYPES: Final[Mapping[Any, str]] = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "none",
    "array": "list", "object": "dict", None: "any",
}  # fmt: skip
_KEYWORDS: Final = {
    "minLength": "min_length", "minItems": "min_length", "minProperties": "min_length",
    "maxLength": "max_length", "maxItems": "max_length", "maxProperties": "max_length",
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of", "pattern": "pattern",
}  # fmt: skip
_REPR: Final = Repr()
_REPR.maxstring, _REPR.maxdict, _REPR.maxlevel = 100, 9, 3


class NoInstance(ValueError):
    """No value of the schema was found; the message says where and why."""


def minimal_instance(schema: Schema | bool, *, fill: Fill | None = None) -> Any:
    """Build a small value that a schema accepts: required properties, as few items as allowed.

    Args:
        schema: A JSON schema; references into itself (`#/$defs/...`) are followed.
        fill: Returns wishes for each part; a wish that the schema does not accept is skipped.

    Raises:
        NoInstance: The schema accepts nothing, asks for thousands of values, for 64 levels or for
            a text of more than 1,000 characters, or accepts none of the values that are tried.
    """
    try:
        return _Builder(schema, fill or (lambda name, schema: ())).build(schema, "value", ())
    except (ArithmeticError, AttributeError, LookupError, SchemaError, TypeError) as fault:
        raise NoInstance(f"the schema is not understood: {fault!r:.300}") from fault


class _Builder:
    def __init__(self, root: Schema | bool, fill: Fill) -> None:
        self._root = root
        self._fill = fill
        self._left = _MOST_STEPS

    def build(self, schema: object, name: str, path: tuple[int, ...]) -> Any:
        """Build the value of the property `name`; `path` has the ids of the schemas around it."""
        self._left -= 1
        if self._left < 0 or len(path) > _DEEPEST or id(schema) in path:
            raise NoInstance(f"{name}: the schema asks for too many or too deeply nested values")
        if schema is True:
            return None
        last = None
        for plain in self._alternatives(schema, 0):
            try:
                for value in islice(self._tried(plain, name, (*path, id(schema))), _LONGEST):
                    if _accepts(plain, value):
                        return value
            except NoInstance as fault:
                last = fault
            if self._left < 0:
                break
        raise last or NoInstance(f"{name}: no value was found for {_REPR.repr(schema):.300}")

    def _alternatives(self, schema: Any, depth: int) -> Iterator[Any]:
        """Yield what a schema stands for, without references and combinations, null first."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST or schema is False or _UNTRIED & schema.keys():
            return
        match schema:
            case {"$ref": str(reference), **rest}:
                if not reference.startswith("#"):
                    raise NoInstance(f"the reference {reference!r:.100} points outside the schema")
                target: Any = self._root
                for step in reference.split("/")[1:]:
                    target = target[step.replace("~1", "/").replace("~0", "~")]
                yield from self._alternatives(_joined(target, rest), depth + 1)
            case {"allOf": [part, *others], **rest}:
                yield from self._alternatives(_joined(part, {**rest, "allOf": others}), depth + 1)
            case {"anyOf": [*parts], **rest} | {"oneOf": [*parts], **rest}:
                for part in sorted(parts, key=lambda part: part != {"type": "null"}):
                    yield from self._alternatives(_joined(rest, part), depth + 1)
            case {"type": [*kinds], **rest}:
                for kind in sorted(kinds, key=lambda kind: kind != "null"):
                    yield from self._alternatives({**rest, "type": kind}, depth + 1)
            case _:
                yield schema

    def _tried(self, schema: Schema, name: str, path: tuple[int, ...]) -> Iterator[Any]:
        match schema:
            case {"const": value}:
                yield value
            case {"enum": values}:
                yield from chain(self._fill(name, schema), values)
            case {"type": "object"} | {"properties": _} if schema.get("type", "object") == "object":
                properties: Schema = schema.get("properties", {})
                required: set[str] = set(schema.get("required", ()))
                names = [*filter(required.__contains__, properties)]
                names += sorted(required.difference(properties))
                others = schema.get("additionalProperties", True)
                yield {key: self.build(properties.get(key, others), key, path) for key in names}
            case {"type": "array"}:
                parts = chain(schema.get("prefixItems", ()), repeat(schema.get("items", True)))
                some = islice(parts, int(schema.get("minItems", 0)))
                items = [self.build(part, name, path) for part in some]
                if not schema.get("uniqueItems") or all(items.count(item) == 1 for item in items):
                    yield items
            case _:
                yield from self._fill(name, schema) if "format" not in schema else ()
                if "default" in schema:
                    yield schema["default"]
                yield from chain(schema.get("examples", ())[:_LONGEST], _smallest(schema))


def _joined(first: Mapping[Any, Any], second: Mapping[Any, Any]) -> Schema:
    """Join two schemas that both hold and agree on each keyword that both have."""
    whole = {**first, **second}
    for keyword in first.keys() & second.keys() - _ANNOTATIONS:
        one, other = first[keyword], second[keyword]
        if one == other:
            continue
        if keyword == "properties":
            both = {key: {"allOf": [one[key], other[key]]} for key in one.keys() & other.keys()}
            whole[keyword] = {**one, **other, **both}
        elif keyword == "type":
            whole[keyword] = [kind for kind in _types(one) if kind in _types(other)]
        elif keyword in ("required", "allOf"):
            whole[keyword] = [*one, *other]
        else:
            raise NoInstance(f"parts of the schema differ in {keyword!r}")
    return whole


def _types(kinds: str | list[str]) -> list[str]:
    """Return the types that a `type` keyword allows; an integer is also a number."""
    listed = kinds if isinstance(kinds, list) else [kinds]
    return [*listed, "integer"] if "number" in listed else listed


def _smallest(schema: Schema) -> list[Any]:
    match schema.get("type"):
        case "string":
            text = "x" * int(min(schema.get("minLength", 0), _LONGEST))
            return [_FORMATS.get(schema.get("format", ""), text), text]
        case "integer" | "number":
            step, bounds = schema.get("multipleOf", 1), [schema[k] for k in _BOUNDS if k in schema]
            near = [bound // step * step + n * step for bound in (0, *bounds) for n in (0, 1, -1)]
            near.append(sum(bounds) / 2)
            return [int(n) if n % 1 == 0 else n for n in sorted(near, key=abs)]
        case "boolean":
            return [False, True]
    return [None]


def _accepts(schema: Schema, value: object) -> bool:
    """Whether a value fits the keywords of its type; its parts are built to fit theirs.

    Pydantic matches a pattern in time that is linear in the text, which `re` does not.
    """
    rules: Any = {_KEYWORDS[key]: bound for key, bound in schema.items() if key in _KEYWORDS}
    rules |= {"type": _TYPES[schema.get("type")], "strict": True, "allow_inf_nan": False}
    accepted = SchemaValidator(rules).isinstance_python(value)
    return accepted and value in schema.get("enum", [value])
