"""JSON schemas: which describe no value, and where one leaves the names of an object open.

Only keywords that pydantic writes are read. A schema that cannot be read describes every value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final, NamedTuple, TypeAlias

Schema: TypeAlias = Mapping[str, Any] | bool
_LIMITS: Final = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
_DEFINITIONS: Final = "#/$defs/"
_OPEN: Final = ("additionalProperties", "patternProperties", "unevaluatedProperties")
_ROOT: Final = "#"


def parsed(text: str) -> Schema:
    """A schema from its JSON text; the schema of every value if it is none."""
    try:
        schema = json.loads(text)
    except ValueError:
        return True
    return schema if isinstance(schema, dict | bool) else True


def impossible_part(schema: Schema) -> str | None:
    """The path to the part because of which a schema describes no finite value.

    Args:
        schema: The whole schema.

    Returns:
        The names of the fields, with dots between, ``[]`` for the items of a list; empty for the
        schema itself, ``None`` if it describes a value.
    """
    definitions = schema.get("$defs", {}) if isinstance(schema, Mapping) else {}
    parts = {f"{_DEFINITIONS}{name}": part for name, part in definitions.items()}
    parts[_ROOT] = schema
    impossible, before = set(parts), len(parts) + 1
    while len(impossible) < before:
        before = len(impossible)
        impossible = {ref for ref in impossible if _fault(parts[ref], impossible, "") is not None}
    fault, path = _fault(schema, impossible, ""), ""
    while fault is not None:
        path = f"{path}.{fault.path}" if path and fault.path else path or fault.path
        part = parts.pop(fault.ref, None)
        if part is None:
            return path
        fault = _fault(part, impossible, "")
    return None


class _Fault(NamedTuple):
    """What makes a schema impossible.

    Args:
        path: Where it is.
        ref: The definition that is impossible; empty if the place itself is.
    """

    path: str
    ref: str = ""


def _fault(schema: object, impossible: Set[str], path: str) -> _Fault | None:
    """What makes a schema impossible, if some definitions are."""
    if not isinstance(schema, Mapping):
        return _Fault(path) if schema is False else None
    if _contradicts_itself(schema):
        return _Fault(path)
    ref = str(schema.get("$ref", ""))
    if ref in impossible:
        return _Fault(path, ref)
    for keyword in ("anyOf", "oneOf"):
        faults = [_fault(choice, impossible, path) for choice in schema.get(keyword, ())]
        if faults and None not in faults:
            return faults[0]
    for part, place in _needed(schema, path):
        fault = _fault(part, impossible, place)
        if fault is not None:
            return fault
    return None


def _contradicts_itself(schema: Mapping[str, Any]) -> bool:
    if schema.get("not") in ({}, True) or schema.get("enum") == []:
        return True
    if any(_exceeds(schema.get(least), schema.get(most)) for least, most in _LIMITS):
        return True
    low = schema.get("exclusiveMinimum", schema.get("minimum"))
    high = schema.get("exclusiveMaximum", schema.get("maximum"))
    strictly = "exclusiveMinimum" in schema or "exclusiveMaximum" in schema
    return strictly and (low == high is not None or _exceeds(low, high))


def _exceeds(low: object, high: object) -> bool:
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high


def _needed(schema: Mapping[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    """The parts of a schema that every value of it has, with their paths."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name in properties:
            yield properties[name], f"{path}.{name}" if path else name
    for part in schema.get("allOf", ()):
        yield part, path
    yield from ((part, f"{path}[]") for part in schema.get("prefixItems", ()))
    if schema.get("minItems", 0) > 0 and "items" in schema:
        yield schema["items"], f"{path}[]"


def open_objects(schema: Schema) -> Iterator[str]:
    """The paths to the objects of a schema whose names are not declared."""
    definitions = schema.get("$defs", {}) if isinstance(schema, Mapping) else {}
    waiting: list[tuple[Any, str]] = [(schema, "")]
    seen: set[str] = set()
    while waiting:
        part, path = waiting.pop(0)
        if not isinstance(part, Mapping):
            continue
        if any(part.get(keyword, False) is not False for keyword in _OPEN):
            yield path
        ref = str(part.get("$ref", ""))
        if ref.startswith(_DEFINITIONS) and ref not in seen:
            seen.add(ref)
            waiting.append((definitions.get(ref.removeprefix(_DEFINITIONS)), path))
        for name, field in part.get("properties", {}).items():
            waiting.append((field, f"{path}.{name}" if path else name))
        for keyword in ("anyOf", "oneOf", "allOf"):
            waiting += [(choice, path) for choice in part.get(keyword, ())]
        waiting += [(item, f"{path}[]") for item in part.get("prefixItems", ())]
        waiting.append((part.get("items"), f"{path}[]"))
