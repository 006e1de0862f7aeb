"""Functions that users hand over, sync or async as they like.

A callback is called first, and what it returned is awaited if it can be. Whether the function
itself is a coroutine function is never asked, because callable objects and partials hide it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from typing import TypeAlias, TypeVar

from agentgraph.exceptions import UserError

__all__ = ["MaybeAwaitable", "check_callable", "name_of", "resolve"]

T = TypeVar("T")

MaybeAwaitable: TypeAlias = Awaitable[T] | T
"""A value, or something that gives it when awaited."""


async def resolve(value: MaybeAwaitable[T]) -> T:
    """Wait for a value if it has to be waited for.

    Args:
        value: What a callback returned.

    Returns:
        The value itself.
    """
    return await value if isawaitable(value) else value


def name_of(callback: object) -> str:
    """Name a callback for people: a function by its name, other callables by their class."""
    name = getattr(callback, "__name__", None)
    return name if isinstance(name, str) and name else type(callback).__name__


def check_callable(callback: object, owner: str) -> None:
    """Refuse a callback that cannot be called.

    Args:
        callback: What the user handed over.
        owner: What it was handed to, for the message.

    Raises:
        UserError: It is not callable.
    """
    if not callable(callback):
        raise UserError(f"The function of {owner} must be callable, not {type(callback).__name__}.")
