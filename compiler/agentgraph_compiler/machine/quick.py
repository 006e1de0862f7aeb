"""Quick construction of frozen data classes, of which a large workflow has hundreds of thousands.

The constructor of a frozen data class sets each field through ``object.__setattr__``, which makes
it three times as slow as that of a mutable one. An object with an attribute dictionary takes twice
the memory and, made here, five times as long; so fields and cached properties have slots.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")


def quick(kind: type[T]) -> type[T]:
    """Let a frozen data class fill its objects while they still belong to a mutable twin.

    The objects, their fields and the arguments of the constructor are the same as without it.

    Args:
        kind: A frozen data class without bases whose first two fields have no default, and none a
            default factory.

    Returns:
        A class with slots in its place, or the class itself if it has slots.
    """
    own = fields(kind)  # type: ignore[arg-type]
    if "__slots__" not in vars(kind):
        kind = _with_slots(kind, [one.name for one in own])
    required = [one.name for one in own if one.default is MISSING]
    missing = " or ".join(f"{name} is MISSING" for name in required)
    parameters = ", ".join(f"{one.name}=default_{one.name}" for one in own)
    source = [
        f"def __new__(cls, {parameters}):",
        f"    if {missing}:",
        f"        return unfilled(cls, {required[0]})",
        "    made = blank(twin)",
        *(f"    made.{one.name} = {one.name}" for one in own),
        "    made.__class__ = cls",
        "    return made",
    ]

    def unfilled(cls: type[T], first: object) -> T:
        if first is not MISSING:
            raise TypeError(f"{cls.__name__}() needs {', '.join(required)}")
        return object.__new__(cls)  # `copy`, `pickle` and pydantic fill the object themselves

    slots = {"__slots__": vars(kind)["__slots__"]}
    values: dict[str, Any] = {f"default_{one.name}": one.default for one in own}
    values |= {"MISSING": MISSING, "blank": object.__new__, "unfilled": unfilled}
    values["twin"] = type(kind.__name__, (), slots)
    exec("\n".join(source), values)
    constructor = {
        "__signature__": inspect.signature(kind),
        "__new__": values["__new__"],
        "__init__": object.__init__,
    }
    for name, value in constructor.items():
        setattr(kind, name, value)
    return kind


def _with_slots(kind: type[T], names: list[str]) -> type[T]:
    """A class with slots for the fields of a data class and for its cached properties. The first
    use of a property fills its slot."""
    computed = {
        name: value.func for name, value in vars(kind).items() if isinstance(value, cached_property)
    }
    read = attrgetter(*names)

    def compute(self: T, name: str) -> object:
        work = computed.get(name)
        if work is None:
            raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
        value = work(self)
        object.__setattr__(self, name, value)
        return value

    def reduce(self: T) -> tuple[type, tuple[object, ...]]:
        return type(self), read(self)

    without = {*names, *computed, "__dict__", "__weakref__"}
    body = {name: value for name, value in vars(kind).items() if name not in without}
    body |= {"__slots__": (*names, *computed), "__getattr__": compute, "__reduce__": reduce}
    body["__qualname__"] = kind.__qualname__
    return cast("type[T]", type(kind.__name__, (), body))
