"""Type aliases that load their types at the first use.

`TResponseInputItem` and similar names are unions of the `openai` client's types, and importing the
client takes longer than all other imports of a program together. Nearly every program names one of
these unions in an annotation and never inspects it. So the name is bound to a `LazyAlias`, which
can stand in `list[…]` and beside a `|` without loading. Any other use loads the alias and behaves
like it. Classes are never lazy, because `isinstance` needs the class itself.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Union

__all__ = ["LazyAlias"]


_ABSENT: Final = frozenset({"__typing_subst__", "__typing_is_unpacked_typevartuple__"})
"""Attributes that `list[…]` looks up in its arguments and that no type alias has."""


class LazyAlias:
    """Stands for a type alias until a use inspects it.

    Args:
        name: The alias's name, for messages.
        load: Returns the alias; called once.
        like: Any alias of the same kind, such as `Union[int, str]`. This object reports the class
            of `like` as its own, so `isinstance`, `typing.get_args` and pydantic treat it as such
            an alias.
    """

    __slots__ = ("_like", "_load", "_name", "_value")

    # `list[…]` reads this attribute of its arguments. A type alias has no type variables.
    __parameters__ = ()

    def __init__(self, name: str, load: Callable[[], Any], like: object) -> None:
        self._name = name
        self._load = load
        self._like = like
        self._value: object = None

    def _alias(self) -> Any:
        if self._value is None:
            self._value = self._load()
        return self._value

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            return type(self._like)

    def __getattr__(self, name: str) -> Any:
        if name in _ABSENT or (name[0] != "_" and name != "copy_with"):
            raise AttributeError(f"{self._name} has no attribute {name!r}")
        return getattr(self._alias(), name)

    def __or__(self, other: object) -> LazyAlias:
        name = f"{self._name} | {_name_of(other)}"
        return LazyAlias(name, lambda: self._alias() | _alias_of(other), self._like_with(other))

    def __ror__(self, other: object) -> LazyAlias:
        name = f"{_name_of(other)} | {self._name}"
        return LazyAlias(name, lambda: other | self._alias(), self._like_with(other))

    def _like_with(self, other: object) -> Any:
        """Return a sample of the union's kind: `|` makes a `UnionType` only if both sides allow it,
        else a `typing.Union`."""
        like = other._like if type(other) is LazyAlias else other
        newer = isinstance(self._like, UnionType) and isinstance(like, _TAKEN_BY_NEWER)
        return int | str if newer else Union[int, str]  # noqa: UP007 - the older kind

    def __getitem__(self, arguments: object) -> Any:
        return self._alias()[arguments]

    def __call__(self, *arguments: object, **options: object) -> Any:
        return self._alias()(*arguments, **options)

    def __eq__(self, other: object) -> bool:
        if type(other) is LazyAlias:
            return self is other or bool(self._alias() == other._alias())
        return bool(self._alias() == other)

    def __hash__(self) -> int:
        return hash(self._alias())

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> Any:
        return _itself, (self._alias(),)

    def __dir__(self) -> list[str]:
        return dir(self._alias())


def _itself(alias: object) -> Any:
    return alias


def _alias_of(other: object) -> Any:
    return other._alias() if type(other) is LazyAlias else other


def _name_of(other: object) -> str:
    return other.__qualname__ if isinstance(other, type) else repr(other)


_TAKEN_BY_NEWER: Final = (type, NoneType, GenericAlias, UnionType)
