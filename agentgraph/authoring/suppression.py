"""Saying that a finding about one object is meant to be so.

A suppression belongs to an object and a rule, and is stored on the object: there is no switch that
turns a rule off everywhere.
"""

from __future__ import annotations

from typing import Final, TypeVar

from agentgraph.exceptions import UserError

__all__ = ["allow", "allowed"]

T = TypeVar("T")

_ATTRIBUTE: Final = "_allowed"


def allow(target: T, *rules: str) -> T:
    """Keep the named rules quiet about one agent, tool or handoff.

    Args:
        target: The object that the rules shall not report.
        rules: Names or codes of rules, such as `"unreachable-agent"`. They add up over calls.

    Returns:
        `target` itself, so that a call can stand where the object is used.

    Raises:
        UserError: No rule is named, or the object cannot be marked.
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
    """Tell which rules an object keeps quiet.

    Args:
        target: Any object.

    Returns:
        The names given to `allow`, or nothing.
    """
    # Only the object's own marks count, never those of its class.
    found: frozenset[str] = getattr(target, "__dict__", {}).get(_ATTRIBUTE, frozenset())
    return found
