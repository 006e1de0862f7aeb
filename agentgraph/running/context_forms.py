"""The stored form of the caller's context object, by the rules of the SDK.

A mapping comes back as a mapping. Of a pydantic model or a dataclass the content is stored with the
name of the class, which is never imported: the reader of the state passes a deserializer or another
context. Any other context is left out, and the log says so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.logger import warn_once
from agentgraph.run_context import RunContextWrapper
from agentgraph.stored.value_types import class_path

ContextSerializer: TypeAlias = Callable[[Any], Mapping[str, Any]]
"""Turns a context object into a mapping."""

ContextDeserializer: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Turns a mapping into a context object."""


def write_context(
    context: object, serializer: ContextSerializer | None, *, strict: bool
) -> dict[str, Any]:
    """A context object as JSON data.

    Args:
        context: The caller's object, or ``None``.
        serializer: Turns it into a mapping.
        strict: Whether to refuse a context that would come back changed.

    Raises:
        UserError: ``strict`` is set and it has no stored form, or the serializer failed.
    """
    if context is None:
        return {"form": "none"}
    if isinstance(context, Mapping):
        return {"form": "mapping", "value": _checked(dict(context), "The context")}
    name = class_path(type(context))
    if serializer is not None:
        try:
            mapping = serializer(context)
        except Exception as error:
            raise UserError(f"context_serializer failed on a {name}: {error}") from error
        if not isinstance(mapping, Mapping):
            raise UserError(
                f"context_serializer must return a mapping, not {type(mapping).__name__}."
            )
        value = _checked(dict(mapping), "What context_serializer returned")
        return {"form": "serializer", "class": name, "value": value}
    if strict:
        raise UserError(
            f"The context is a {name}, and strict_context asks for a mapping. Pass"
            " context_serializer."
        )
    dumped = _dumped(context)
    if dumped is None:
        warn_once(
            "The context of a stored run is a %s, which has no stored form: it is left out. Pass"
            " context_serializer, or context_override where the state is read",
            name,
        )
        return {"form": "left out", "class": name}
    warn_once(
        "The context of a stored run is a %s: only its content is stored, without its"
        " class. Pass context_deserializer or context_override where the state is read",
        name,
    )
    return {"form": "dump", "class": name, "value": dumped}


def read_context(
    stored: Mapping[str, Any],
    override: object,
    deserializer: ContextDeserializer | None,
    *,
    strict: bool,
) -> Any:
    """Read what :func:`write_context` wrote.

    Args:
        stored: The stored form.
        override: A context to use instead, or a wrapper of one.
        deserializer: Turns the stored mapping into the object.
        strict: Whether to refuse a context that would come back changed.

    Raises:
        UserError: ``strict`` is set and the context comes back changed, or the deserializer failed.
    """
    if override is not None:
        return _unwrapped(override)
    form, value = stored["form"], stored.get("value", {})
    if form == "none":
        return None
    if deserializer is not None:
        try:
            context = deserializer(dict(value))
        except Exception as error:
            raise UserError(f"context_deserializer failed: {error}") from error
        return _unwrapped(context)
    if form == "mapping":
        return value
    name = stored["class"]
    if strict:
        raise UserError(
            f"The stored context was a {name}. Pass context_deserializer or context_override."
        )
    warn_once(
        "The stored context was a %s and comes back as a dictionary%s; pass context_deserializer or"
        " context_override",
        name,
        "" if value else " without content",
    )
    return value


def _unwrapped(context: object) -> Any:
    return context.context if isinstance(context, RunContextWrapper) else context


def _dumped(context: object) -> Any:
    try:
        dump = getattr(context, "model_dump", None)
        if dump is not None:
            return _checked(dump(mode="json", exclude_unset=True), "The context")
        if dataclasses.is_dataclass(context) and not isinstance(context, type):
            return _checked(dataclasses.asdict(context), "The context")
    except (TypeError, ValueError, UserError):
        return None
    return None


def _checked(value: object, what: str) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{what} is not JSON data: {error}. Pass a context_serializer that returns JSON data."
        ) from error
