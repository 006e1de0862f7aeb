"""A value as plain data, deep and in order, to compare two values or one at two moments.

Agents and functions count by name. Every other object counts with all of its attributes, private
ones too, so a change anywhere below a value changes what this gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from types import FunctionType, MethodType
from typing import Any
from weakref import ReferenceType

from pydantic import BaseModel

from agentgraph import Agent

_ATOMS = (type(None), bool, int, str, bytes)
_PLAIN = frozenset(_ATOMS)


def plain(value: Any) -> Any:
    """The value as nested tuples."""
    return _plain(value, ())


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Agent):
        return ("Agent", value.name)
    if isinstance(value, FunctionType | MethodType | type):
        return ("function", value.__qualname__)
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value))
    if isinstance(value, ReferenceType):
        return _plain(value(), above)
    if id(value) in above:
        return "cycle"
    above = (*above, id(value))
    if isinstance(value, Mapping):
        return ("map", *((_plain(key, above), _plain(value[key], above)) for key in value))
    if isinstance(value, list | tuple):
        return ("row", *(_plain(part, above) for part in value))
    if isinstance(value, Set):
        return ("set", *sorted((_plain(part, above) for part in value), key=repr))
    parts = ((name, _plain(part, above)) for name, part in _attributes(value))
    return (type(value).__name__, *parts)


def _attributes(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        return [*value.__dict__.items(), *(value.model_extra or {}).items()]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in fields(value)]
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    named = [(name, getattr(value, name, None)) for name in slots]
    return [*named, *sorted(getattr(value, "__dict__", {}).items())]


def shared(one: Any, other: Any) -> list[Any]:
    """The objects below two values that can change and are the same object; agents, functions and
    tuples do not count."""
    ours, theirs = dict[int, Any](), dict[int, Any]()
    _collect(one, ours)
    _collect(other, theirs)
    return [ours[id] for id in ours.keys() & theirs.keys()]


def _collect(value: Any, seen: dict[int, Any]) -> None:
    if isinstance(value, (*_ATOMS, float, Enum, Agent, FunctionType, MethodType, type)):
        return
    if not isinstance(value, tuple):
        if id(value) in seen:
            return
        seen[id(value)] = value
    if isinstance(value, Mapping):
        parts: list[Any] = [*value.values()]
    elif isinstance(value, list | tuple | Set):
        parts = [*value]
    elif isinstance(value, BaseException | ReferenceType):
        parts = []
    else:
        parts = [part for _, part in _attributes(value)]
    for part in parts:
        _collect(part, seen)


def difference(one: Any, other: Any, where: str = "") -> str:
    """Where two values of :func:`plain` first differ; empty if they are equal."""
    if one == other:
        return ""
    if isinstance(one, tuple) and isinstance(other, tuple):
        for place, (left, right) in enumerate(zip(one, other, strict=False)):
            if left != right:
                return difference(left, right, f"{where}/{_name(left, place)}")
        return f"{where}: {len(one)} and {len(other)} parts: {one!r} and {other!r}"
    return f"{where}: {one!r} and {other!r}"


def _name(part: Any, place: int) -> str:
    named = isinstance(part, tuple) and part and isinstance(part[0], str)
    return part[0] if named else str(place)
