"""Deep copies of replies and requests, so that no side of a call changes what the other has."""

from __future__ import annotations

from copy import Error, deepcopy
from typing import Any, Final, TypeVar

__all__ = ["copied"]

_T = TypeVar("_T")
_ATOMS: Final = frozenset({str, int, float, bool, bytes, type(None)})
_PYDANTIC: Final = "__pydantic_fields_set__"


def copied(value: _T) -> _T:
    """Return a deep copy of a value; an object that cannot be copied is shared.

    Args:
        value: Any value. JSON-like data and the client's objects are copied without `deepcopy`,
            which would cost more than the rest of a scripted call.
    """
    result: _T = _copied(value)
    return result


def _copied(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {key: _copied(entry) for key, entry in value.items()}
    if kind is list:
        return [_copied(entry) for entry in value]
    if hasattr(kind, "model_fields") and hasattr(value, _PYDANTIC):
        twin: Any = kind.__new__(kind)
        twin.__setstate__({name: _copied(part) for name, part in value.__getstate__().items()})
        return twin
    try:
        return deepcopy(value)
    except (TypeError, Error):  # a lock, a client: what has no copy belongs to the program
        return value
