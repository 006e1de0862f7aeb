"""Lowering of types: Python classes and annotations become nominal type terms."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isclass
from typing import Any, get_args, get_origin, is_typeddict

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.frontend.digests import digest
from agentgraph.schemas.type_hints import context_type
from agentgraph_compiler.types import ANY, TEXT, Type


def nominal(python_type: object) -> Type:
    """The type term of a class or annotation; ``any`` where its name says nothing.

    A union is none of its members. A protocol or an abstract class of the standard library fits
    objects that do not name it among their bases, and a ``TypedDict`` is a dictionary at run time.
    """
    if python_type is None or python_type is Any:
        return ANY
    base = get_origin(python_type) or python_type
    if not isclass(base) or base is object or _is_structural(base):
        return ANY
    if is_typeddict(base):
        base = dict
    supertypes = tuple(_qualified(parent) for parent in base.__mro__[1:] if parent is not object)
    return Type(_qualified(base), supertypes)


def _is_structural(cls: type) -> bool:
    """Whether objects fit a class by what they can do, not by their bases."""
    decides_itself = getattr(cls, "_is_protocol", False) or "__subclasshook__" in cls.__dict__
    return decides_itself or cls.__module__ in ("collections.abc", "numbers", "types", "typing")


def _qualified(cls: type) -> str:
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def declared_context(agent: Any) -> Type:
    """The context type that an agent declares: by its own parameter, ``Agent[Context](...)``, else
    by what its instructions or its hooks ask for."""
    arguments = get_args(getattr(agent, "__orig_class__", None))
    if arguments:
        return nominal(arguments[0])
    if callable(agent.instructions):
        asked = context_of_callable(agent.instructions)
        if asked != ANY:
            return asked
    return _context_of_hooks(getattr(agent, "hooks", None))


def _context_of_hooks(hooks: object) -> Type:
    """The context type of hooks: ``AgentHooks[Context]`` as it stands among the bases of their
    class."""
    for cls in type(hooks).__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isclass(get_origin(base)) and isclass(arguments[0]):
                return nominal(arguments[0])
    return ANY


def context_of_callable(function: Callable[..., Any] | None) -> Type:
    """The context type that a callable's first parameter asks for:
    ``RunContextWrapper[Context]``."""
    if function is None:
        return ANY
    return nominal(context_type(function))


def output_type(declared: Any) -> Type:
    """The type that an agent declares for its final output, with the digest of its JSON schema."""
    if declared is None or declared is str:
        return TEXT
    if not isclass(declared) and callable(getattr(declared, "json_schema", None)):
        name = declared.name()
        if declared.is_plain_text():
            return Type(name)
        return Type(name, (), digest(declared.json_schema(), declared.is_strict_json_schema()))
    described = AgentOutputSchema(declared, strict_json_schema=False)
    named = nominal(declared)
    name = described.name() if named is ANY else named.name
    return Type(name, named.supertypes, digest(described.json_schema()))
