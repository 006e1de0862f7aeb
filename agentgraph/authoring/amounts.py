"""Amounts that a program sets: how long something may take, and how many there may be.

Rule: an amount that cannot be meant is refused where it is set. `True` is a number to Python, and a
mistake here; NaN compares with nothing; there is a `None` for what has no limit.
"""

from __future__ import annotations

import math
from datetime import timedelta

from agentgraph.exceptions import AgentDefinitionError, UserError

__all__ = ["check_count", "check_number", "check_seconds"]


def check_seconds(
    setting: str, value: object, *, zero: bool = False, optional: bool = True
) -> None:
    """Refuse a length of time that cannot be meant.

    Args:
        setting: What is set, for the message.
        value: Seconds, or a `timedelta`.
        zero: Whether no time at all can be meant.
        optional: Whether `None` can be meant.

    Raises:
        UserError: It is negative, not finite, or zero.
        AgentDefinitionError: It is no number.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    expected = f"a number of seconds, {'0 or more' if zero else 'more than 0'}"
    expected += ", or None" if optional else ""
    if value is not None or not optional:
        check_number(setting, seconds, expected, zero=zero)


def check_number(setting: str, value: object, expected: str, *, zero: bool) -> None:
    """Refuse what is no number, and one that is negative, not finite, or zero without reason.

    Args:
        setting: What is set, for the message.
        value: The number.
        expected: What is expected, for the message.
        zero: Whether zero can be meant.

    Raises:
        UserError: It is out of its range.
        AgentDefinitionError: It is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise UserError(f"{setting} must be {expected}, not {value!r}.")


def check_count(setting: str, value: object, expected: str, *, least: int) -> None:
    """Refuse a count that cannot be meant.

    Args:
        setting: What is set, for the message.
        value: The count.
        expected: What is expected, for the message.
        least: The smallest that can be meant.

    Raises:
        UserError: It is less.
        AgentDefinitionError: It is no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")
    if value < least:
        raise UserError(f"{setting} must be {expected}, not {value!r}.")
