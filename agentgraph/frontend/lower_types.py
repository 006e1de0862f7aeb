"""Lowering of types: Python classes and annotations become nominal type terms."""

from __future__ import annotations

import json
from collections.abc import Callable
from inspect import isclass, signature
from typing import TYPE_CHECKING, Any, Never, NoReturn, get_args, get_origin, is_typeddict

from agentgraph.agent_output import AgentOutputSchema
from agentgraph.exceptions import UserError
from agentgraph.frontend.digests import digest
from agentgraph.schemas.type_hints import context_type, resolve_hints
from agentgraph_compiler.types import ANY, TEXT, Type

if TYPE_CHECKING:
    from agentgraph.agent import Agent


def nominal(python_type: object) -> Type:
    """The type term of a class or annotation; ``any`` if a nominal term cannot describe it.

    A union is not any one of its members, and a protocol or an abstract class of the standard
    library fits objects that do not name it among their bases: both become ``any``. A ``TypedDict``
    is a dictionary at run time and becomes ``dict``.
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
    """Whether objects fit a class by their methods, not by their bases."""
    own_rule = getattr(cls, "_is_protocol", False) or "__subclasshook__" in cls.__dict__
    return own_rule or cls.__module__ in ("collections.abc", "numbers", "types", "typing")


def _qualified(cls: type) -> str:
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )


def declared_context(agent: Agent[Any]) -> object:
    """The context type of an agent, ``None`` if it declares none: its own parameter,
    ``Agent[Context](...)``, else the type that its instructions or its hooks expect."""
    arguments = get_args(getattr(agent, "__orig_class__", None))
    if arguments:
        declared: object = arguments[0]
        return declared
    if callable(agent.instructions):
        expected = context_type(agent.instructions)
        if nominal(expected) != ANY:
            return expected
    hooks = getattr(agent, "hooks", None)
    return None if hooks is None else class_of_hooks(hooks)


def class_of_hooks(hooks: object) -> type[Any] | None:
    """The context class of hooks: the parameter of ``AgentHooks[Context]`` in the bases of their
    class."""
    for cls in type(hooks).__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isclass(get_origin(base)) and isclass(arguments[0]):
                declared: type[Any] = arguments[0]
                return declared
    return None


def returned_type(function: object) -> Type:
    """The type that a function declares to return."""
    return _hinted(function, lambda names: "return")


def taken_type(function: object) -> Type:
    """The type of the second parameter of a function."""
    return _hinted(function, lambda names: names[1] if len(names) > 1 else "")


def _hinted(function: object, name_of: Callable[[list[str]], str]) -> Type:
    if not callable(function):
        return ANY
    try:
        name = name_of(list(signature(function).parameters))
        return nominal(resolve_hints(function).get(name))
    except (UserError, TypeError, ValueError):
        return ANY  # an annotation or a signature that cannot be read declares nothing


def output_schema(declared: object) -> tuple[str, str]:
    """The JSON schema of a declared output type as a JSON text, and why it has no strict form.

    Both are empty for plain text and for schemas of the user's own.
    """
    if declared is None or declared is str:
        return "", ""
    if declared in (Never, NoReturn):
        return "false", ""
    strict = True
    if isinstance(declared, AgentOutputSchema):
        declared, strict = declared.output_type, declared.is_strict_json_schema()
    elif not isclass(declared) and callable(getattr(declared, "json_schema", None)):
        return "", ""
    reason = ""
    try:
        AgentOutputSchema(declared, strict_json_schema=strict)
    except UserError as error:
        reason = str(error.__cause__ or error)
    output = AgentOutputSchema(declared, strict_json_schema=False)
    schema = output.json_schema()
    if output._is_wrapped:
        (wrapped,) = schema["properties"].values()
        schema = {**wrapped, "$defs": schema["$defs"]} if "$defs" in schema else wrapped
    return json.dumps(schema, ensure_ascii=False), reason


def output_type(declared: Any) -> Type:
    """The type that an agent declares for its final output, with the digest of its JSON schema."""
    if declared is None or declared is str:
        return TEXT
    if declared in (Never, NoReturn):
        return Type("Never")
    if not isclass(declared) and callable(getattr(declared, "json_schema", None)):
        name = declared.name()
        if declared.is_plain_text():
            return Type(name)
        return Type(name, (), digest(declared.json_schema(), declared.is_strict_json_schema()))
    schema = AgentOutputSchema(declared, strict_json_schema=False)
    term = nominal(declared)
    name = schema.name() if term is ANY else term.name
    return Type(name, term.supertypes, digest(schema.json_schema()))
