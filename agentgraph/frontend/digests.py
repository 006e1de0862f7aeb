"""Digests of the user's declarations: short, the same in every process, different after a change.

A plain value contributes itself; a class or callable its qualified name; a data class or model its
public fields, unset ones left out; any other object its class. Addresses in memory and the order of
sets have no influence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import partial
from inspect import isclass
from types import FunctionType

_PLAIN = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({dict, list, tuple})
_MAPPINGS, _NUMBERS_AND_TEXTS = (dict, Mapping), (str, int, float)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def digest(*parts: object) -> str:
    """A short digest of declared configuration.

    Args:
        parts: The declared values.

    Returns:
        Sixteen hexadecimal digits.
    """
    return hashlib.sha256(_text(parts, ()).encode()).hexdigest()[:16]


def as_data(value: object) -> object:
    """A value as the plain data that a digest has of it; its own digest is the same."""
    return _plain(value, ())


def attributes_of(part: object, names: Iterable[str]) -> dict[str, object]:
    """The named attributes that an object has and that are not ``None``."""
    return {name: value for name in names if (value := getattr(part, name, None)) is not None}


def public_fields(part: object) -> tuple[str, ...]:
    """The names of the public fields of a data class, or else of the public attributes."""
    names = getattr(part, "__dataclass_fields__", ()) or getattr(part, "__dict__", ())
    return tuple([name for name in names if not name.startswith("_")])


def qualified_name(named: object) -> str:
    """The module and name of a class or callable; for any other object those of its class."""
    name = getattr(named, "__qualname__", "")
    module = getattr(named, "__module__", "") or ""
    if not isinstance(name, str) or not name:
        return f"{type(named).__module__}.{type(named).__qualname__}"
    return f"{module}.{name}"


def _text(value: object, within: tuple[int, ...]) -> str:
    return _ENCODER.encode(_plain(value, within))


def _plain(value: object, within: tuple[int, ...]) -> object:
    """A value as JSON-compatible data.

    Args:
        value: Anything.
        within: Ids of the values around it, so that a cycle ends where it closes.
    """
    kind = type(value)
    if kind in _PLAIN or (kind in _CONTAINERS and not value):
        return value
    if kind is FunctionType or id(value) in within:
        return qualified_name(value)
    inside = (*within, id(value))
    if kind not in _CONTAINERS and isinstance(value, Enum):
        return f"{qualified_name(kind)}.{value.name}"
    if isinstance(value, _NUMBERS_AND_TEXTS):
        return value
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _PLAIN else _plain(item, inside) for item in value]
    if isinstance(value, _MAPPINGS):
        return {
            str(key): item if type(item) in _PLAIN else _plain(item, inside)
            for key, item in value.items()
        }
    if isinstance(value, (set, frozenset)):
        return sorted(_text(item, inside) for item in value)
    if isinstance(value, partial):
        bound = [_plain(value.args, inside), _plain(value.keywords, inside)]
        return [_plain(value.func, inside), *bound]
    return _named(value, inside)


def _named(value: object, inside: tuple[int, ...]) -> object:
    if not isclass(value):
        dump: Callable[[], object] | None = getattr(value, "model_dump", None)
        if callable(dump):
            return {"": qualified_name(type(value)), "fields": _plain(dump(), inside)}
        if hasattr(value, "__dataclass_fields__"):
            fields = attributes_of(value, public_fields(value))
            return {"": qualified_name(type(value)), "fields": _plain(fields, inside)}
    return qualified_name(value)
