"""Decorators that make our classes usable as field types of a user's pydantic model.

Rule: many of our annotations name types that only a type checker imports, most of them from the
`openai` client. pydantic evaluates the annotations when a class becomes the type of a field. Only
then does this module import those types, into the module whose annotations name them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agentgraph.exceptions import AgentsException

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["kept_as_is", "names_types"]

C = TypeVar("C", bound=type[Any])

_NAMED: Final = "_named_types"
_SCHEMA: Final = "__get_pydantic_core_schema__"


def names_types(**types: str) -> Callable[[C], C]:
    """Tell pydantic where to import the types that a dataclass names for type checkers only.

    A pydantic field of this class accepts an instance, or a dictionary of the class's fields.

    Args:
        types: For each name in the annotations, the place of its type: `module:name`. If the
            installed client is too old to have the type, pydantic accepts any value.
    """

    def decorate(cls: C) -> C:
        setattr(cls, _NAMED, types)
        setattr(cls, _SCHEMA, classmethod(_schema_of_fields))
        return cls

    return decorate


def kept_as_is(
    read: Callable[[dict[Any, Any]], object] | None = None,
    write: Callable[[Any], object] | None = None,
) -> Callable[[C], C]:
    """Make a pydantic field of this class accept instances only, and keep them unchanged.

    Args:
        read: Makes an instance from a dictionary; without it, the field refuses dictionaries.
        write: Returns the dumped form of an instance; without it, pydantic infers the form.
    """

    def schema(cls: type[Any], source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        serialization = (
            None if write is None else core_schema.plain_serializer_function_ser_schema(write)
        )
        if read is None:
            return core_schema.is_instance_schema(cls, serialization=serialization)
        mapping = core_schema.no_info_after_validator_function(
            partial(_read, read), core_schema.dict_schema()
        )
        return core_schema.json_or_python_schema(
            json_schema=mapping,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), mapping]),
            serialization=serialization,
        )

    def decorate(cls: C) -> C:
        setattr(cls, _SCHEMA, classmethod(schema))
        return cls

    return decorate


def _read(read: Callable[[dict[Any, Any]], object], dictionary: dict[Any, Any]) -> object:
    try:
        return read(dictionary)
    except AgentsException as error:
        raise ValueError(str(error)) from error


def _schema_of_fields(cls: type[Any], source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
    for base in cls.__mro__:
        module = vars(sys.modules[base.__module__])
        for name, place in vars(base).get(_NAMED, {}).items():
            if name not in module:
                home, _, attribute = place.partition(":")
                module[name] = getattr(import_module(home), attribute, Any)
    return handler(source)
