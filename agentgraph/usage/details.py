"""The two detail objects of a usage, of the `openai` client's own types.

The types come with all of the client, which a run with another model has no need of. So `None`
stands for details whose counts are zero, and `CopiedDetails` for a copy, until somebody reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, overload

if TYPE_CHECKING:
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

__all__ = [
    "DETAIL_FIELDS",
    "INPUT_COUNTS",
    "OUTPUT_COUNTS",
    "Details",
    "copied_details",
    "count_of",
    "detail_types",
    "input_details",
    "kept_details",
    "output_details",
]

INPUT_COUNTS: Final = ("cached_tokens", "cache_write_tokens")
DETAIL_FIELDS: Final = ("input_tokens_details", "output_tokens_details")
OUTPUT_COUNTS: Final = ("reasoning_tokens",)

_T = TypeVar("_T")


@cache
def detail_types() -> tuple[type[InputTokensDetails], type[OutputTokensDetails]]:
    """The client's types of the details of input and output; imports the client."""
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

    return InputTokensDetails, OutputTokensDetails


def input_details(cached_tokens: int = 0, cache_write_tokens: int = 0) -> InputTokensDetails:
    """Details of input, of counts of tokens."""
    # Clients before 2.20 know no cache_write_tokens; they keep it as an extra field.
    return detail_types()[0](cached_tokens=cached_tokens, cache_write_tokens=cache_write_tokens)


def output_details(reasoning_tokens: int = 0) -> OutputTokensDetails:
    """Details of output, of counts of tokens."""
    return detail_types()[1](reasoning_tokens=reasoning_tokens)


def count_of(details: object, name: str) -> int:
    """Read one count of a detail object of whatever client, counting what is missing as zero."""
    found = getattr(details, name, None)
    if found is None and isinstance(details, Mapping):
        found = details.get(name)
    return found if isinstance(found, int) else 0


def kept_details(usage: Any, name: str) -> Any:
    """The details of a usage as it keeps them: `None` while nobody has looked at zero counts.

    Args:
        usage: A usage of whatever kind; one that computes its details is asked for them.
        name: The field.
    """
    kept: Mapping[str, Any] = getattr(usage, "__dict__", {})
    return kept[name] if name in kept else getattr(usage, name)


@dataclass(frozen=True, slots=True)
class CopiedDetails:
    """Details that were copied from elsewhere and nobody has read.

    Attributes:
        type: Their class.
        values: Their fields.
        more: Fields that the class does not know.
    """

    type: Any
    values: dict[str, Any]
    more: dict[str, Any] | None

    def made(self) -> Any:
        """The details themselves."""
        return self.type.model_construct(**self.values, **(self.more or {}))


def copied_details(usage: Any, name: str) -> Any:
    """A copy of the details of a usage, in the form that is cheap to keep.

    Args:
        usage: A usage, or an entry of one.
        name: The field.
    """
    details = kept_details(usage, name)
    if details is None:
        return None
    if type(details) is CopiedDetails:
        return CopiedDetails(details.type, details.values.copy(), deepcopy(details.more))
    try:
        values, more = details.__dict__.copy(), details.__pydantic_extra__
    except AttributeError:  # what a caller has put in their place
        return deepcopy(details)
    return CopiedDetails(type(details), values, deepcopy(more))


class Details(Generic[_T]):
    """A field of a dataclass that makes its details when it is read first.

    Args:
        make: Makes details whose counts are zero.
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
            details: Any = instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{owner.__name__!r} has no {self._name!r} yet") from None
        if details is None:
            details = instance.__dict__[self._name] = self._make()
        elif type(details) is CopiedDetails:
            details = instance.__dict__[self._name] = details.made()
        return cast("_T", details)

    def __set__(self, instance: object, details: _T | None) -> None:
        instance.__dict__[self._name] = details
