"""Whether a callback can take the arguments that it will be called with.

Rule: a callback is refused only if the call certainly fails. What is not plain Python (a builtin, a
class, a partial) is believed, and a mock takes everything. What a decorator claims in
`__wrapped__` or `__signature__` does not count, because the decorator is what is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import CO_VARARGS, getattr_static
from types import FunctionType, MethodType
from typing import Final, Protocol

from agentgraph.exceptions import AgentDefinitionError

__all__ = [
    "CONTEXT_AND_AGENT",
    "CONTEXT_AND_ERROR",
    "accepts",
    "callback_problem",
    "check_callbacks",
    "check_guardrail_function",
]

CONTEXT_AND_AGENT: Final = ("the context", "the agent")
CONTEXT_AND_ERROR: Final = ("the context", "the error")


def accepts(callback: object, count: int) -> bool:
    """Whether a callback may be callable with a number of positional arguments.

    Args:
        callback: Any callable.
        count: The number of arguments.

    Returns:
        `False` only if such a call certainly fails.
    """
    function: object = callback
    if type(function) is not FunctionType:
        # Read statically: a `__call__` that is no plain function of its class may bind anything.
        function = (
            callback.__func__
            if isinstance(callback, MethodType)
            else getattr_static(type(callback), "__call__", None)
        )
        count += 1
        if type(function) is not FunctionType:
            return True
    code = function.__code__
    keywords = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    fewest = code.co_argcount - len(function.__defaults__ or ())
    most = count if code.co_flags & CO_VARARGS else code.co_argcount
    return keywords == 0 and fewest <= count <= most


def check_callbacks(owner: str, holder: object, arguments: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse callbacks whose signatures certainly cannot take their arguments.

    Args:
        owner: The object that has the callbacks, for the message.
        holder: The same object. A field that is not callable is left to other checks.
        arguments: The arguments of each callback, in words, by the name of the field.

    Raises:
        AgentDefinitionError: A callback takes other arguments.
    """
    for name, taken in arguments.items():
        problem = callback_problem(getattr(holder, name), taken)
        if problem is not None:
            raise AgentDefinitionError(f"{owner}: {name.lstrip('_')} must be {problem}.")


def callback_problem(callback: object, arguments: tuple[str, ...]) -> str | None:
    """Say what a callback must be, if it certainly cannot take its arguments."""
    if not callable(callback) or accepts(callback, len(arguments)):
        return None
    number = ("one argument", "two arguments", "three arguments")[len(arguments) - 1]
    return f"callable with {number}: {', '.join(arguments)}"


class _Guardrail(Protocol):
    """A guardrail of any of the four kinds."""

    @property
    def guardrail_function(self) -> object: ...

    def get_name(self) -> str: ...


def check_guardrail_function(guardrail: _Guardrail, *arguments: str) -> None:
    """Refuse a guardrail whose function cannot be called with its arguments.

    Args:
        guardrail: The guardrail.
        arguments: The arguments, in words.

    Raises:
        AgentDefinitionError: The function is not callable, or takes other arguments.
    """
    function: object = guardrail.guardrail_function
    owner = f"{type(guardrail).__name__} {guardrail.get_name()!r}"
    if not callable(function):
        raise AgentDefinitionError(
            f"{owner}: guardrail_function must be callable, not {type(function).__name__}."
        )
    check_callbacks(owner, guardrail, {"guardrail_function": arguments})
