"""Deep copies of replies and requests, so that no side of a call changes what the other has."""

from __future__ import annotations

from copy import Error, deepcopy
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["copied"]

_T = TypeVar("_T")
_ATOMS: Final = frozenset({str, int, float, bool, bytes, type(None)})


def copied(value: _T) -> _T:
    """Return a deep copy of a value; an object that cannot be copied is shared.

    Args:
        value: Any value. JSON-like data and the client's objects are copied without `deepcopy`,
            which would cost more than the rest of a scripted call.
    """
    result: _T = _copied(value)
    return result


def _copied(value: object) -> Any:
    if type(value) in _ATOMS:
        return value
    if type(value) is dict:
        return {key: _copied(entry) for key, entry in value.items()}
    if type(value) is list:
        return [_copied(entry) for entry in value]
    if _is_model(value):
        twin = object.__new__(type(value))
        twin.__setstate__({name: _copied(part) for name, part in value.__getstate__().items()})
        return twin
    try:
        return deepcopy(value)
    except (TypeError, Error):  # a lock, a client: what has no copy belongs to the program
        return value


def _is_model(value: object) -> TypeGuard[BaseModel]:
    return hasattr(type(value), "model_fields") and hasattr(value, "__pydantic_fields_set__")
