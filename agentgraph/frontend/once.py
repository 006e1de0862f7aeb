"""A property that is worked out once and then stands as a plain attribute.

``functools.cached_property`` takes a lock up to Python 3.11, which costs more than what bindings
work out; two threads at the same time work out equal values here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """Work out an attribute when it is first asked for.

    Args:
        work: Gets the object and gives the value.
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
