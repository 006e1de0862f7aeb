"""Checks of the amounts that a program sets: lengths of time, numbers and counts.

Rule: a setting refuses an impossible amount at the moment it is set. `True` counts as a mistake,
although Python treats it as a number. NaN and infinity are refused; `None` stands for "no limit".
"""

from __future__ import annotations

import math
from datetime import timedelta

from agentgraph.exceptions import AgentDefinitionError, UserError

__all__ = ["check_count", "check_number", "check_seconds"]


def check_seconds(
    setting: str, value: object, *, zero: bool = False, optional: bool = True
) -> None:
    """Refuse an impossible length of time.

    Args:
        setting: The name of the setting, for the message.
        value: Seconds, or a `timedelta`.
        zero: Whether zero is allowed.
        optional: Whether `None` is allowed.

    Raises:
        UserError: The value is negative, not finite, or zero where zero is not allowed.
        AgentDefinitionError: The value is not a number.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    expected = f"a number of seconds, {'0 or more' if zero else 'more than 0'}"
    expected += ", or None" if optional else ""
    if value is not None or not optional:
        check_number(setting, seconds, expected, zero=zero)


def check_number(setting: str, value: object, expected: str, *, zero: bool) -> None:
    """Refuse anything but a finite number that is not negative.

    Args:
        setting: The name of the setting, for the message.
        value: The number.
        expected: A description of the allowed values, for the message.
        zero: Whether zero is allowed.

    Raises:
        UserError: The number is out of range.
        AgentDefinitionError: The value is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise UserError(f"{setting} must be {expected}, not {value!r}.")


def check_count(setting: str, value: object, expected: str, *, least: int) -> None:
    """Refuse an impossible count.

    Args:
        setting: The name of the setting, for the message.
        value: The count.
        expected: A description of the allowed values, for the message.
        least: The smallest allowed count.

    Raises:
        UserError: The count is smaller than `least`.
        AgentDefinitionError: The value is not a whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")
    if value < least:
        raise UserError(f"{setting} must be {expected}, not {value!r}.")
