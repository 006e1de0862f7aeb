"""Aliases of types that are loaded when somebody looks into them.

`TResponseInputItem` and its like are unions of the `openai` client's types, and the client takes
longer to load than everything else that a program of agents needs. Nearly every program names one
of them, in annotations, and never looks into it. So the name stands for a `LazyAlias`: it can be
put into `list[…]` and beside a `|`, and behaves as the alias itself in every other use, which loads
it. Classes are never lazy, because `isinstance` needs them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Union

__all__ = ["LazyAlias"]


_ABSENT: Final = frozenset({"__typing_subst__", "__typing_is_unpacked_typevartuple__"})
"""What `list[…]` asks of its arguments and no alias of types has."""


class LazyAlias:
    """Stands for an alias of types until it is looked into.

    Args:
        name: How it is called in messages.
        load: Returns the alias; called once.
        like: Any alias of the same kind, such as `Union[int, str]`: `isinstance` knows this object
            as one, so `typing.get_args`, pydantic and the like take it for the alias.
    """

    __slots__ = ("_like", "_load", "_loaded", "_name")

    # What `list[…]` asks of its arguments: an alias of types has no type variables.
    __parameters__ = ()

    def __init__(self, name: str, load: Callable[[], Any], like: Any) -> None:
        self._name = name
        self._load = load
        self._like = like
        self._loaded: Any = None

    def _alias(self) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            return type(self._like)

    def __getattr__(self, name: str) -> Any:
        if name in _ABSENT or (name[0] != "_" and name != "copy_with"):
            raise AttributeError(f"{self._name} has no attribute {name!r}")
        return getattr(self._alias(), name)

    def __or__(self, other: Any) -> LazyAlias:
        name = f"{self._name} | {_named(other)}"
        return LazyAlias(name, lambda: self._alias() | _loaded(other), self._like_with(other))

    def __ror__(self, other: Any) -> LazyAlias:
        name = f"{_named(other)} | {self._name}"
        return LazyAlias(name, lambda: other | self._alias(), self._like_with(other))

    def _like_with(self, other: Any) -> Any:
        """An alias like the union with another type: `|` gives the newer kind only for both."""
        like = other._like if type(other) is LazyAlias else other
        newer = isinstance(self._like, UnionType) and isinstance(like, _TAKEN_BY_NEWER)
        return int | str if newer else Union[int, str]  # noqa: UP007 - the older kind

    def __getitem__(self, arguments: Any) -> Any:
        return self._alias()[arguments]

    def __call__(self, *arguments: Any, **options: Any) -> Any:
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


def _itself(alias: Any) -> Any:
    return alias


def _loaded(other: Any) -> Any:
    return other._alias() if type(other) is LazyAlias else other


def _named(other: Any) -> str:
    return other.__qualname__ if isinstance(other, type) else repr(other)


_TAKEN_BY_NEWER: Final = (type, NoneType, GenericAlias, UnionType)
