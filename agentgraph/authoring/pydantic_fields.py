"""Classes of ours as the types of fields of somebody's pydantic model.

Rule: many annotations name types that only a type checker imports, most of them of the `openai`
client. pydantic reads annotations when a class becomes the type of a field, and only then are these
types imported, into the module that names them.
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
    """Let pydantic find what the annotations of a dataclass name for type checkers only.

    A field of this class takes an instance, or a dictionary of its fields.

    Args:
        types: The names in the annotations, with where each is found: a module, a colon and the
            name there. A client that does not have the type yet lets any value pass.
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
    """Let a field of this class take its instances only, and keep them as they are.

    Args:
        read: Makes an instance of a dictionary; without it, there is no way to read one.
        write: Gives what an instance is dumped as; without it, pydantic's own guess.
    """

    def schema(cls: type[Any], source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        serialization = (
            None if write is None else core_schema.plain_serializer_function_ser_schema(write)
        )
        if read is None:
            return core_schema.is_instance_schema(cls, serialization=serialization)
        written = core_schema.no_info_after_validator_function(
            partial(_read, read), core_schema.dict_schema()
        )
        return core_schema.json_or_python_schema(
            json_schema=written,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), written]),
            serialization=serialization,
        )

    def decorate(cls: C) -> C:
        setattr(cls, _SCHEMA, classmethod(schema))
        return cls

    return decorate


def _read(read: Callable[[dict[Any, Any]], object], written: dict[Any, Any]) -> object:
    try:
        return read(written)
    except AgentsException as error:
        raise ValueError(str(error)) from error


def _schema_of_fields(cls: type[Any], source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
    for base in cls.__mro__:
        module = vars(sys.modules[base.__module__])
        for name, place in vars(base).get(_NAMED, {}).items():
            if name not in module:
                found, _, attribute = place.partition(":")
                module[name] = getattr(import_module(found), attribute, Any)
    return handler(source)
