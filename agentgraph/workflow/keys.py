"""The keys of cases: values, intervals of whole numbers, and classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from agentgraph.exceptions import AgentDefinitionError

__all__ = ["Interval", "Key", "at_least", "below", "between", "json_text", "label_of"]


@dataclass(frozen=True, slots=True)
class Interval:
    """The whole numbers from one end to another.

    Attributes:
        least: The smallest; `None` if there is none.
        most: The largest; `None` if there is none.
    """

    least: int | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        for end in (self.least, self.most):
            if end is not None and type(end) is not int:
                raise AgentDefinitionError(
                    f"An interval has whole numbers as ends, not {end!r} ({type(end).__name__})."
                )
        if self.least is not None and self.most is not None and self.least > self.most:
            raise AgentDefinitionError(
                f"An interval from {self.least} to {self.most} holds no number."
            )

    def __contains__(self, value: object) -> bool:
        if type(value) is not int:
            return False
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        if self.least is None:
            return "any number" if self.most is None else f"<={self.most}"
        return f">={self.least}" if self.most is None else f"{self.least}..{self.most}"


def below(limit: int) -> Interval:
    """The whole numbers below a limit."""
    _check_number("below", limit)
    return Interval(most=limit - 1)


def at_least(least: int) -> Interval:
    """The whole numbers from `least` on."""
    _check_number("at_least", least)
    return Interval(least=least)


def between(least: int, most: int) -> Interval:
    """The whole numbers from `least` to `most`, both included."""
    _check_number("between", least)
    _check_number("between", most)
    return Interval(least, most)


def _check_number(function: str, number: object) -> None:
    if type(number) is not int:
        raise AgentDefinitionError(
            f"{function} takes a whole number, not {number!r} ({type(number).__name__})."
        )


Key: TypeAlias = bool | int | str | Enum | Interval | type[Any] | None
"""The key of a case: a value of a field, an interval, or a class of a union."""


def json_text(value: object) -> str | None:
    """The JSON text of a value by which cases are told apart.

    Returns:
        The text; `None` for a value that no case can name: a float, a list, an object.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    return None


def label_of(key: object) -> str:
    """The words for a key, as drawings and messages show them.

    Raises:
        AgentDefinitionError: The object cannot be the key of a case.
    """
    if isinstance(key, type) and not issubclass(key, Enum):
        return key.__name__
    if isinstance(key, Interval):
        return str(key)
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return key
    text = json_text(key)
    if text is None:
        raise AgentDefinitionError(
            f"{key!r} ({type(key).__name__}) cannot be a case: use a value (text, whole number,"
            " bool, None, enum member), an interval such as below(10), or a class."
        )
    return text
