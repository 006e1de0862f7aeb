"""Quick construction of frozen data classes, of which a large workflow has hundreds of thousands.

The constructor of a frozen data class sets each field through ``object.__setattr__``, which makes
it three times as slow as that of a mutable one.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def quick(kind: type[T]) -> type[T]:
    """Let a frozen data class fill its objects while they still belong to a mutable twin.

    The objects, their fields and the arguments of the constructor are the same as without it.

    Args:
        kind: A frozen data class whose first field has no default, and none a default factory.

    Returns:
        The class.
    """
    own = fields(kind)  # type: ignore[arg-type]
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

    slots = {"__slots__": tuple(one.name for one in own)} if "__slots__" in vars(kind) else {}
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
