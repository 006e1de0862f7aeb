"""Types of model settings, as pydantic validates them.

Importing this module imports the `openai` client, so `agentgraph.model_settings` imports it only
when a program uses one of these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from openai import Omit
from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["Headers", "Seconds"]


class _Omitted:
    """The JSON form of a header that the request omits: `null`."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        null = core_schema.no_info_after_validator_function(_omit, core_schema.none_schema())
        return core_schema.json_or_python_schema(
            json_schema=null,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(Omit), null]),
            serialization=core_schema.plain_serializer_function_ser_schema(_null),
        )


def _omit(nothing: None) -> Omit:
    return Omit()


def _null(omitted: object) -> None:
    return None


Headers: TypeAlias = Mapping[str, str | Annotated[Omit, _Omitted()]]
"""HTTP headers to send. The value `Omit` of the client removes one of the client's own headers."""

Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A length of time, in seconds."""
