"""Defaults of a session, for calls without an explicit argument: the limit of a read.

An explicit argument wins over the settings of the run, and those win over the session's own.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from agentgraph.memory.errors import InvalidSessionInput

__all__ = [
    "SessionSettings",
    "coerce_session_settings",
    "own_session_settings",
    "resolve_session_limit",
]


@dataclass(slots=True)
class SessionSettings:
    """Defaults of a session.

    Attributes:
        limit: How many of the latest items `get_items` returns; None returns all.

    Raises:
        InvalidSessionInput: `limit` is neither None nor an int of 0 or more.
    """

    limit: int | None = None

    def __post_init__(self) -> None:
        check_limit(self.limit)

    def resolve(self, override: SessionSettings | dict[str, Any] | None) -> SessionSettings:
        """Return these settings with every field replaced that `override` sets.

        Args:
            override: Settings or a dict of them; a field that is None does not override.
        """
        if override is None:
            return self
        changes = {
            name: value
            for name, value in coerce_session_settings(override).to_dict().items()
            if value is not None
        }
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dataclasses.asdict(self)


def coerce_session_settings(value: SessionSettings | dict[str, Any]) -> SessionSettings:
    """Return settings from a settings object or a dict.

    Raises:
        TypeError: `value` is neither, or the dict has a key that is not a setting.
    """
    if isinstance(value, SessionSettings):
        return value
    if not isinstance(value, dict):
        raise TypeError(
            "session settings must be a SessionSettings object or a dict, "
            f"got {type(value).__name__}"
        )
    unknown = sorted(str(key) for key in value.keys() - {"limit"})
    if unknown:
        raise TypeError(f"no such session settings: {', '.join(unknown)}; the only one is: limit")
    return SessionSettings(**value)


def own_session_settings(value: SessionSettings | dict[str, Any] | None) -> SessionSettings:
    """Return the settings for a session's argument; the defaults for None.

    Raises:
        TypeError: The argument is neither settings nor a dict of them.
    """
    return SessionSettings() if value is None else coerce_session_settings(value)


def resolve_session_limit(
    explicit_limit: int | None, settings: SessionSettings | dict[str, Any] | None
) -> int | None:
    """Return the limit of a read: the argument, else that of the settings, else None.

    Raises:
        InvalidSessionInput: The limit is negative or not an int.
    """
    if explicit_limit is not None:
        check_limit(explicit_limit)
        return explicit_limit
    return None if settings is None else coerce_session_settings(settings).limit


def check_limit(limit: object) -> None:
    """Refuse a limit that is neither None nor an int of 0 or more."""
    if limit is None:
        return
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise InvalidSessionInput(
            f"limit of a session must be an int or None, got {type(limit).__name__}"
        )
    if limit < 0:
        raise InvalidSessionInput(f"limit of a session must be 0 or more, got {limit}")
