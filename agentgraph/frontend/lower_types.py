"""Lowering of types: Python classes and annotations become nominal type terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from inspect import isclass
from typing import Any, get_args, get_origin

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.type_hints import context_type
from agentgraph_compiler.types import ANY, TEXT, Type


def digest(*parts: object) -> str:
    """A short digest of declared configuration; what JSON cannot hold counts by its qualified
    name."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_name)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _name(value: object) -> object:
    for method in ("model_dump", "to_json_dict"):
        dump = getattr(value, method, None)
        if callable(dump) and not isclass(value):
            return dump()
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    return f"{module}.{name}" if name else f"{type(value).__module__}.{type(value).__qualname__}"


def nominal(python_type: object) -> Type:
    """The type term of a class or annotation; ``any`` where it says nothing."""
    if python_type is None or python_type is Any:
        return ANY
    base = get_origin(python_type) or python_type
    if not isclass(base) or base is object:
        return ANY
    supertypes = tuple(_qualified(parent) for parent in base.__mro__[1:] if parent is not object)
    return Type(_qualified(base), supertypes)


def _qualified(cls: type) -> str:
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def declared_context(authored: object) -> Type:
    """The context type that an object declares by its own parameter: ``Agent[Context](...)``."""
    arguments = get_args(getattr(authored, "__orig_class__", None))
    return nominal(arguments[0]) if arguments else ANY


def context_of_callable(function: Callable[..., Any] | None) -> Type:
    """The context type that a callable's first parameter asks for:
    ``RunContextWrapper[Context]``."""
    if function is None:
        return ANY
    return nominal(context_type(function))


def output_type(agent: Any) -> Type:
    """The type of an agent's final output, with the digest of its JSON schema."""
    declared = getattr(agent, "output_type", None)
    if declared is None or declared is str:
        return TEXT
    if not isclass(declared) and callable(getattr(declared, "json_schema", None)):
        name = declared.name()
        schema = "" if declared.is_plain_text() else digest(declared.json_schema())
        return Type(name, (), schema)
    described = AgentOutputSchema(declared, strict_json_schema=False)
    named = nominal(declared)
    name = described.name() if named is ANY else named.name
    return Type(name, named.supertypes, digest(described.json_schema()))
