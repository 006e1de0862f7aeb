"""The smallest value that a JSON schema accepts.

`minimal_instance` is how a model without a language model fills tool arguments and output types.
What it returns validates against the schema; a schema whose values it cannot find is refused,
never guessed at. The keywords are those of JSON Schema 2020-12 that pydantic writes, and
`definitions` of older drafts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, TypeAlias

from agentgraph.models.pattern_samples import UnsupportedPattern, pattern_sample

__all__ = ["NOTHING", "Fill", "NoInstance", "minimal_instance"]

Schema: TypeAlias = Mapping[str, Any]

NOTHING: Final = object()
"""What a `Fill` returns when it has no wish."""

Fill: TypeAlias = Callable[[str, Schema], Any]
"""Takes a property's name and its schema; returns the value it would like there, or `NOTHING`."""

_FORMATS: Final = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00Z",
    "duration": "PT0S",
    "email": "someone@example.com",
    "hostname": "example.com",
    "idn-email": "someone@example.com",
    "ipv4": "127.0.0.1",
    "ipv4interface": "127.0.0.1/32",
    "ipv4network": "127.0.0.0/8",
    "ipv6": "::1",
    "ipv6interface": "::1/128",
    "ipv6network": "::/128",
    "json-string": "null",
    "name-email": "Someone <someone@example.com>",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uuid4": "00000000-0000-4000-8000-000000000000",
}


class NoInstance(ValueError):
    """No value of the schema could be found; the message says where and why."""


def minimal_instance(schema: Schema | bool, *, fill: Fill | None = None) -> Any:
    """Build the smallest value that a schema accepts.

    Smallest means: only required properties, empty arrays and texts where allowed, null before any
    other alternative, zero or the nearest bound, false, the first choice of an enum.

    Args:
        schema: A JSON schema; references into itself (`#/$defs/...`) are followed.
        fill: Asked for a value at each boolean, number, text and enum. A wish that the schema does
            not accept is passed over, so the result is valid whatever it says.

    Returns:
        A new value made of dictionaries, lists, texts, numbers, booleans and None.

    Raises:
        NoInstance: The schema accepts nothing, or what it asks for is beyond this module.
    """
    return _Builder({} if isinstance(schema, bool) else schema, fill).build(schema, "", ())


class _Builder:
    """Builds one instance; holds what every part of it needs: the schema's root, and the wishes."""

    def __init__(self, root: Schema, fill: Fill | None) -> None:
        self._root = root
        self._fill = fill

    def build(self, schema: Schema | bool, name: str, path: tuple[str, ...], nth: int = 0) -> Any:
        """Build the value of one part.

        Args:
            schema: The part's schema.
            name: The property that the part is the value of.
            path: The references being followed, which a smallest value never comes back to.
            nth: Which of the possible values is wanted where an array needs different ones.
        """
        if schema is False:
            raise NoInstance(f"{name or 'the schema'} accepts no value")
        if schema is True or not schema:
            return None if nth == 0 else nth
        if (reference := schema.get("$ref")) is not None:
            if reference in path:
                raise NoInstance(f"{name or reference} contains itself without an end")
            target = _merged(self._resolved(reference), _without(schema, "$ref"))
            return self.build(target, name, (*path, reference), nth)
        if parts := schema.get("allOf"):
            whole = _without(schema, "allOf")
            for part in parts:
                whole = _merged(self._dereferenced(part), whole)
            return self.build(whole, name, path, nth)
        if "const" in schema:
            return _only(schema["const"], nth, name)
        if "enum" in schema:
            return self._chosen(schema, name, nth)
        for keyword in ("anyOf", "oneOf"):
            if branches := schema.get(keyword):
                rest = _without(schema, keyword, "discriminator", "title", "description", "default")
                return self._first_possible(branches, rest, name, path, nth)
        kind = schema.get("type")
        if isinstance(kind, list):
            branches = [{"type": one} for one in kind]
            return self._first_possible(branches, _without(schema, "type"), name, path, nth)
        return self._typed(kind or _implied_type(schema), schema, name, path, nth)

    def _typed(self, kind: Any, schema: Schema, name: str, path: tuple[str, ...], nth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, path, nth)
            case "array":
                return self._array(schema, name, path, nth)
            case "string":
                value = self._wish(name, schema, nth)
                return _text(schema, name, nth) if value is NOTHING else value
            case "integer" | "number":
                value = self._wish(name, schema, nth)
                return _number(schema, kind, name, nth) if value is NOTHING else value
            case "boolean":
                value = self._wish(name, schema, nth)
                if value is not NOTHING:
                    return value
                return bool(nth) if nth < 2 else _only(None, nth, name)
            case "null":
                return _only(None, nth, name)
            case None:
                return None if nth == 0 else nth
            case _:
                raise NoInstance(f"{name or 'the schema'} has the unknown type {kind!r}")

    def _first_possible(
        self, branches: list[Any], rest: Schema, name: str, path: tuple[str, ...], nth: int
    ) -> Any:
        """Build the first alternative that has a value, null before the others."""
        faults = []
        ordered = sorted(branches, key=lambda branch: not _is_null(branch))
        for branch in ordered:
            if nth and _is_null(branch):
                nth -= 1
                continue
            try:
                return self.build(_merged(branch, rest), name, path, nth)
            except NoInstance as fault:
                faults.append(str(fault))
        raise NoInstance("; ".join(faults) or f"{name or 'the schema'} has no alternative left")

    def _object(self, schema: Schema, path: tuple[str, ...], nth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = list(schema.get("required", ()))
        names = [key for key in properties if key in required]
        names += [key for key in required if key not in properties]
        optional = [key for key in properties if key not in required]
        least = schema.get("minProperties", 0)
        names += optional[: max(0, least - len(names))]
        others = schema.get("additionalProperties", True)
        value = {}
        for position, key in enumerate(names):
            # The first property carries the difference between the members of a set of objects.
            wanted = nth if position == 0 else 0
            value[key] = self.build(properties.get(key, others), key, path, wanted)
        if not names and nth:
            value[f"key{nth}"] = self.build(others, "", path)
        while len(value) < least:
            key = _text(schema.get("propertyNames", {}), "a key", len(value) + 1)
            value[key] = self.build(others, key, path)
        return value

    def _array(self, schema: Schema, name: str, path: tuple[str, ...], nth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        others = schema.get("items", True)
        least = max(schema.get("minItems", 0), min(nth, 1))
        if least > schema.get("maxItems", math.inf):
            raise NoInstance(f"{name or 'the schema'} has too few different values")
        different = schema.get("uniqueItems", False)
        items: list[Any] = []
        wanted = nth
        while len(items) < least:
            at = len(items)
            item = self.build(first[at] if at < len(first) else others, name, path, wanted)
            wanted = wanted + 1 if different else 0
            if not different or item not in items:
                items.append(item)
        return items

    def _chosen(self, schema: Schema, name: str, nth: int) -> Any:
        value = self._wish(name, schema, nth)
        if value is not NOTHING:
            return value
        choices = [choice for choice in schema["enum"] if _fits(choice, schema)]
        if nth >= len(choices):
            raise NoInstance(f"{name or 'the schema'} has no value in its enum")
        return choices[nth]

    def _wish(self, name: str, schema: Schema, nth: int) -> Any:
        if self._fill is None or nth:
            return NOTHING
        value = self._fill(name, schema)
        return value if value is not NOTHING and _fits(value, schema) else NOTHING

    def _resolved(self, reference: str) -> Schema:
        found: Any = self._root
        if not reference.startswith("#"):
            raise NoInstance(f"the reference {reference!r} points outside the schema")
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise NoInstance(f"the reference {reference!r} points to nothing")
            found = found[key]
        return found if isinstance(found, Mapping) else {}

    def _dereferenced(self, schema: Schema) -> Schema:
        seen = set()
        while (reference := schema.get("$ref")) is not None:
            if reference in seen:
                raise NoInstance(f"the reference {reference!r} leads back to itself")
            seen.add(reference)
            schema = _merged(self._resolved(reference), _without(schema, "$ref"))
        return schema


def _only(value: Any, nth: int, name: str) -> Any:
    if nth:
        raise NoInstance(f"{name or 'the schema'} has too few different values")
    return value


def _without(schema: Schema, *keywords: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keywords}


def _merged(first: Schema | bool, second: Schema) -> dict[str, Any]:
    """Join two schemas that both hold: requirements add up, of two bounds the tighter wins."""
    if isinstance(first, bool):
        first = {} if first else {"enum": []}
    joined = {**first, **second}
    for keyword in first.keys() & second.keys():
        one, other = first[keyword], second[keyword]
        if keyword == "properties":
            joined[keyword] = {**one, **other}
        elif keyword in ("required", "allOf"):
            joined[keyword] = [*one, *(item for item in other if item not in one)]
        elif keyword == "enum":
            joined[keyword] = [choice for choice in one if choice in other]
        elif keyword.startswith("min") or keyword == "exclusiveMinimum":
            joined[keyword] = max(one, other)
        elif keyword.startswith("max") or keyword == "exclusiveMaximum":
            joined[keyword] = min(one, other)
    return joined


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _implied_type(schema: Schema) -> str | None:
    if "properties" in schema or "required" in schema or "minProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema or "minItems" in schema:
        return "array"
    if "pattern" in schema or "minLength" in schema or "format" in schema:
        return "string"
    bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
    return "number" if any(bound in schema for bound in bounds) else None


def _text(schema: Schema, name: str, nth: int) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if (pattern := schema.get("pattern")) is not None:
        try:
            return pattern_sample(pattern, least=least, most=most, nth=nth)
        except UnsupportedPattern as fault:
            raise NoInstance(f"{name or 'the schema'}: {fault}") from fault
    text = _FORMATS.get(schema.get("format", ""), "")
    if text:
        return text if not nth else _only(text, nth, name)
    text = str(nth) if nth else ""
    text = text.rjust(least, "x")
    if len(text) > most:
        raise NoInstance(f"{name or 'the schema'} has no text that is short enough")
    return text


def _number(schema: Schema, kind: str, name: str, nth: int) -> int | float:
    """Return the value nearest to zero, or the `nth` after it, that lies within all bounds."""
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum", min)
    step = Fraction(str(schema.get("multipleOf", 1)))
    if kind == "integer":
        step = Fraction(step.numerator)  # the whole multiples of p/q are the multiples of p
    first = -math.inf if low is None else _beyond(low / step, low_open)
    last = math.inf if high is None else -_beyond(-high / step, high_open)
    if first <= 0 <= last:
        multiple = nth if nth <= last else last - nth
    else:
        multiple = first + nth if first > 0 else last - nth
    if first <= multiple <= last:
        return _plain(int(multiple) * step)
    dense = kind == "number" and "multipleOf" not in schema
    if dense and low is not None and high is not None and low < high:
        return _plain(low + (high - low) * (nth + 1) / (nth + 2))
    raise NoInstance(f"{name or 'the schema'} has no number within its bounds")


def _bound(
    schema: Schema, closed: str, opened: str, tighter: Callable[..., Any]
) -> tuple[Fraction | None, bool]:
    """Return the bound of one side and whether it is itself excluded."""
    sides = []
    if (value := schema.get(closed)) is not None:
        sides.append((Fraction(str(value)), False))
    if (value := schema.get(opened)) is not None:
        sides.append((Fraction(str(value)), True))
    if not sides:
        return None, False
    edge = tighter(value for value, _ in sides)
    return edge, any(is_open for value, is_open in sides if value == edge)


def _beyond(edge: Fraction, is_open: bool) -> int:
    """Return the smallest whole number from `edge` on, or behind it if the edge is excluded."""
    return math.floor(edge) + 1 if is_open else math.ceil(edge)


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a boolean, number, text or enum schema accepts a value."""
    kinds = schema.get("type")
    if kinds is not None and not _has_type(value, [kinds] if isinstance(kinds, str) else kinds):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return (
            schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf)
            and "format" not in schema
            and (pattern is None or re.search(pattern, value) is not None)
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    exact = Fraction(str(value))
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum", min)
    return (
        (low is None or exact > low or (exact == low and not low_open))
        and (high is None or exact < high or (exact == high and not high_open))
        and exact % Fraction(str(schema.get("multipleOf", exact or 1))) == 0
    )


def _has_type(value: Any, kinds: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, int):
        return "integer" in kinds or "number" in kinds
    if isinstance(value, float):
        return "number" in kinds
    if isinstance(value, str):
        return "string" in kinds
    return value is None and "null" in kinds
