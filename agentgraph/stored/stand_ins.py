"""Symbols for live objects, and what stands for an object that the program has no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Gone", "Lookup", "SymbolOf", "symbol_or_name"]

Lookup: TypeAlias = Callable[[str], Any]
"""Gives the agent or guardrail of a symbol, or `None` if the program has none."""

SymbolOf: TypeAlias = Callable[[Any], str | None]
"""Gives the symbol of an agent or guardrail, or `None` if it has none."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Gone:
    """Stands for an agent or a guardrail that the program has no longer; it does nothing.

    Attributes:
        name: The name it had.
    """

    name: str

    def get_name(self) -> str:
        """The name it had, as guardrails tell it."""
        return self.name


def symbol_or_name(symbol_of: SymbolOf | None, named: Any) -> dict[str, str] | None:
    """What a journal keeps of an agent or a guardrail.

    Args:
        symbol_of: Gives its symbol, if it has one.
        named: The object, or `None`.

    Returns:
        Its symbol and its name; the name counts as the symbol of an object without one.
    """
    if named is None:
        return None
    get_name = getattr(named, "get_name", None)
    name: str = named.name if get_name is None else get_name()
    symbol = None if symbol_of is None else symbol_of(named)
    return {"symbol": name if symbol is None else symbol, "name": name}
