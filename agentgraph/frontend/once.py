"""A property that computes its value once and then is a plain attribute.

``functools.cached_property`` takes a lock up to Python 3.11, and the lock costs more than most
values of bindings. Without a lock two threads may compute a value at the same time; both values
are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """Compute an attribute on its first use.

    Args:
        work: Takes the object and returns the value.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self.work = work
        self.__doc__ = work.__doc__
        self.name = work.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.work(instance)
        return value
