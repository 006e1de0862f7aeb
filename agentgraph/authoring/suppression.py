"""Suppressing a rule for one object, because what the rule reports is intended.

A suppression names an object and a rule, and is stored on the object. No switch turns a rule off
everywhere.
"""

from __future__ import annotations

from typing import Final, TypeVar

from agentgraph.exceptions import UserError

__all__ = ["allow", "allowed"]

T = TypeVar("T")

_ATTRIBUTE: Final = "_allowed"


def allow(target: T, *rules: str) -> T:
    """Suppress the named rules for one agent, tool or handoff.

    Args:
        target: The object that the rules must not report.
        rules: Names or codes of rules, such as `"unreachable-agent"`. Further calls add rules.

    Returns:
        `target` itself, so that the call can stand where the object is used.

    Raises:
        UserError: No rule is named, or the object takes no attributes.
    """
    if not rules:
        raise UserError("allow() needs the name of at least one rule to keep quiet.")
    try:
        setattr(target, _ATTRIBUTE, allowed(target).union(rules))
    except (AttributeError, TypeError) as error:
        raise UserError(
            f"Cannot allow rules on {type(target).__name__!r}: "
            "pass the agent, tool or handoff that is reported."
        ) from error
    return target


def allowed(target: object) -> frozenset[str]:
    """List the rules that are suppressed for an object.

    Args:
        target: Any object.

    Returns:
        The names that were passed to `allow`; empty if there are none.
    """
    # Only the object's own attribute counts, never that of its class.
    rules: frozenset[str] = getattr(target, "__dict__", {}).get(_ATTRIBUTE, frozenset())
    return rules
