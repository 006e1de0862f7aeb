"""Symbols for live objects, and the stand-in for an object that the program no longer has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Gone", "Lookup", "SymbolOf", "symbol_or_name"]

Lookup: TypeAlias = Callable[[str], Any]
"""Returns the agent or guardrail of a symbol, or `None` if the program has none."""

SymbolOf: TypeAlias = Callable[[Any], str | None]
"""Returns the symbol of an agent or guardrail, or `None` if it has none."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Gone:
    """Takes the place of an agent or a guardrail that the program no longer has; it does nothing.

    Attributes:
        name: The name of that object.
    """

    name: str

    def get_name(self) -> str:
        """The name, by the method that guardrails have."""
        return self.name


def symbol_or_name(symbol_of: SymbolOf | None, subject: Any) -> dict[str, str] | None:
    """The form of an agent or a guardrail in a journal.

    Args:
        symbol_of: Returns its symbol, if it has one.
        subject: The object, or `None`.

    Returns:
        Its symbol and its name; if it has no symbol, the name takes its place.
    """
    if subject is None:
        return None
    get_name = getattr(subject, "get_name", None)
    name: str = subject.name if get_name is None else get_name()
    symbol = None if symbol_of is None else symbol_of(subject)
    return {"symbol": name if symbol is None else symbol, "name": name}
