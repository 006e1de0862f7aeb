"""The two detail objects of a usage, which are of the `openai` client's own types.

Importing these types imports the whole client, and a run with another model does not need it. So a
usage stores `None` for details whose counts are zero, and `CopiedDetails` for a copy. The first
read replaces either by the real object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, overload

if TYPE_CHECKING:
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails
    from pydantic import BaseModel

    _ModelClass = type[BaseModel]

__all__ = [
    "DETAIL_FIELDS",
    "INPUT_COUNTS",
    "OUTPUT_COUNTS",
    "Details",
    "copied_details",
    "count_of",
    "detail_types",
    "input_details",
    "output_details",
    "stored_details",
]

INPUT_COUNTS: Final = ("cached_tokens", "cache_write_tokens")
DETAIL_FIELDS: Final = ("input_tokens_details", "output_tokens_details")
OUTPUT_COUNTS: Final = ("reasoning_tokens",)

_T = TypeVar("_T")


@cache
def detail_types() -> tuple[type[InputTokensDetails], type[OutputTokensDetails]]:
    """Return the client's types for details of input and of output; imports the client."""
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

    return InputTokensDetails, OutputTokensDetails


def input_details(cached_tokens: int = 0, cache_write_tokens: int = 0) -> InputTokensDetails:
    """Create the details of input from counts of tokens."""
    # Clients before 2.20 do not declare cache_write_tokens; they keep it as an extra field.
    return detail_types()[0](cached_tokens=cached_tokens, cache_write_tokens=cache_write_tokens)


def output_details(reasoning_tokens: int = 0) -> OutputTokensDetails:
    """Create the details of output from counts of tokens."""
    return detail_types()[1](reasoning_tokens=reasoning_tokens)


def count_of(details: object, name: str) -> int:
    """Read one count of a detail object of any client version; a missing count is zero."""
    count = getattr(details, name, None)
    if count is None and isinstance(details, Mapping):
        count = details.get(name)
    return count if isinstance(count, int) else 0


def stored_details(usage: object) -> tuple[Any, Any]:
    """Return the details of input and of output as the usage stores them: `None` for zero counts
    that were never read.

    Args:
        usage: A usage of any class. A class that computes its details returns computed ones.
    """
    attributes: Mapping[str, Any] = getattr(usage, "__dict__", {})
    try:
        return attributes["input_tokens_details"], attributes["output_tokens_details"]
    except KeyError:
        return getattr(usage, DETAIL_FIELDS[0]), getattr(usage, DETAIL_FIELDS[1])


@dataclass(frozen=True, slots=True)
class CopiedDetails:
    """A copy of details that no reader has asked for yet.

    Attributes:
        type: The class of the details.
        values: The declared fields.
        more: Extra fields, which the class does not declare.
    """

    type: _ModelClass
    values: dict[str, Any]
    more: dict[str, Any] | None

    def create(self) -> Any:
        """Create the details."""
        return self.type.model_construct(**self.values, **(self.more or {}))


def copied_details(details: BaseModel | CopiedDetails | None) -> Any:
    """Copy details, in the form that is cheap to store.

    Args:
        details: Details as a usage stores them.
    """
    if details is None:
        return None
    if isinstance(details, CopiedDetails):
        return CopiedDetails(details.type, details.values.copy(), deepcopy(details.more))
    try:
        values, more = details.__dict__.copy(), details.__pydantic_extra__
    except AttributeError:  # a caller set an object of another class
        return deepcopy(details)
    return CopiedDetails(type(details), values, deepcopy(more))


class Details(Generic[_T]):
    """A dataclass field that creates its details at the first read.

    Args:
        make: Creates details whose counts are zero.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Details[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> _T | Details[_T]:
        if instance is None:
            return self
        try:
            details: object = instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{owner.__name__!r} has no {self._name!r} yet") from None
        if details is None:
            details = instance.__dict__[self._name] = self._make()
        elif type(details) is CopiedDetails:
            details = instance.__dict__[self._name] = details.create()
        return cast("_T", details)

    def __set__(self, instance: object, details: _T | None) -> None:
        instance.__dict__[self._name] = details
