"""The types that a chart declares: what a context, an output or an argument is, as plain data.

A type is nominal: a name and the names of everything it is a kind of. That is enough to tell two
context types apart without importing the user's classes, and it serialises.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """A nominal type term.

    Args:
        name: Qualified name, ``module.Class``, or one of the built-in terms ``any`` and ``text``.
        supertypes: Qualified names of every type this one may stand in for, itself excluded.
        digest: Short digest of the type's JSON schema, so that a changed schema is a changed type;
            empty if none.
    """

    name: str
    supertypes: tuple[str, ...] = ()
    digest: str = ""

    def accepts(self, other: Type) -> bool:
        """Whether a value of type ``other`` fits where this type is expected."""
        return (
            "any" in (self.name, other.name)
            or self.name == other.name
            or self.name in other.supertypes
        )

    def fits(self, other: Type) -> bool:
        """Whether a value of type ``other`` fits where code expects this type. As for annotations
        in Python, an ``int`` fits where a ``float`` is expected."""
        return self.accepts(other) or (self.name, other.name) == ("float", "int")


ANY = Type("any")
TEXT = Type("text")
