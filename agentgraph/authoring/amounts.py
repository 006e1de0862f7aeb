"""Checks of the amounts that a program sets: lengths of time, numbers and counts.

Rule: a setting refuses an impossible amount at the moment it is set. `True` counts as a mistake,
although Python treats it as a number. NaN and infinity are refused; `None` stands for "no limit".
"""

from __future__ import annotations

import math
from datetime import timedelta

from agentgraph.exceptions import AgentDefinitionError

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
        AgentDefinitionError: The value is not a number, negative, not finite, or zero where zero is
            not allowed.
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
        AgentDefinitionError: The value is not a number, or out of range.
    """
    # No comparison with NaN holds.
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not (0 < value < math.inf or (zero and value == 0))
    ):
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")


def check_count(setting: str, value: object, expected: str, *, least: int) -> None:
    """Refuse an impossible count.

    Args:
        setting: The name of the setting, for the message.
        value: The count.
        expected: A description of the allowed values, for the message.
        least: The smallest allowed count.

    Raises:
        AgentDefinitionError: The value is not a whole number, or smaller than `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise AgentDefinitionError(f"{setting} must be {expected}, not {value!r}.")
