"""The stored form of the caller's context object, by the rules of the SDK.

A mapping comes back as a mapping. The content of a pydantic model or a dataclass is kept, its class
is named and never imported: the reader of the state brings a deserializer or another context. What
else a context may be is left out, and the log says so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.logger import logger
from agentgraph.run_context import RunContextWrapper
from agentgraph.stored.value_types import class_path

ContextSerializer: TypeAlias = Callable[[Any], Mapping[str, Any]]
"""Makes a mapping of a context object."""

ContextDeserializer: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Makes a context object of a mapping."""


def write_context(
    context: Any, serializer: ContextSerializer | None, *, strict: bool
) -> dict[str, Any]:
    """A context object as JSON data.

    Args:
        context: The caller's object, or ``None``.
        serializer: Makes a mapping of it.
        strict: Whether a context that would not come back as it is is an error.

    Raises:
        UserError: It has no stored form and is to have one, or the serializer failed.
    """
    if context is None:
        return {"form": "none"}
    if isinstance(context, Mapping):
        return {"form": "mapping", "value": _checked(dict(context), "The context")}
    name = class_path(type(context))
    if serializer is not None:
        try:
            made = serializer(context)
        except Exception as error:
            raise UserError(f"context_serializer failed on a {name}: {error}") from error
        if not isinstance(made, Mapping):
            raise UserError(f"context_serializer must return a mapping, not {type(made).__name__}.")
        value = _checked(dict(made), "What context_serializer returned")
        return {"form": "serializer", "class": name, "value": value}
    if strict:
        raise UserError(
            f"The context is a {name}, and strict_context asks for a mapping. Pass"
            " context_serializer."
        )
    dumped = _dumped(context)
    if dumped is None:
        logger.warning(
            "The context of a stored run is a %s, which has no stored form: it is left out. Pass"
            " context_serializer, or context_override where the state is read",
            name,
        )
        return {"form": "left out", "class": name}
    logger.warning(
        "The context of a stored run is a %s: its content is stored, and its class is not made"
        " again. Pass context_deserializer or context_override where the state is read",
        name,
    )
    return {"form": "dump", "class": name, "value": dumped}


def read_context(
    stored: Mapping[str, Any],
    override: Any,
    deserializer: ContextDeserializer | None,
    *,
    strict: bool,
) -> Any:
    """Read what :func:`write_context` wrote.

    Args:
        stored: The stored form.
        override: A context to take instead, or a wrapper of one.
        deserializer: Makes the object of the stored mapping.
        strict: Whether a context that does not come back as it was is an error.

    Raises:
        UserError: It cannot be read as asked.
    """
    if override is not None:
        return _unwrapped(override)
    form, value = stored["form"], stored.get("value", {})
    if form == "none":
        return None
    if deserializer is not None:
        try:
            made = deserializer(dict(value))
        except Exception as error:
            raise UserError(f"context_deserializer failed: {error}") from error
        return _unwrapped(made)
    if form == "mapping":
        return value
    name = stored["class"]
    if strict:
        raise UserError(
            f"The stored context was a {name}. Pass context_deserializer or context_override."
        )
    logger.warning(
        "The stored context was a %s and comes back as a dictionary%s; pass context_deserializer or"
        " context_override",
        name,
        "" if value else " without content",
    )
    return value


def _unwrapped(context: Any) -> Any:
    return context.context if isinstance(context, RunContextWrapper) else context


def _dumped(context: Any) -> Any:
    try:
        if hasattr(context, "model_dump"):
            return _checked(context.model_dump(mode="json", exclude_unset=True), "The context")
        if dataclasses.is_dataclass(context) and not isinstance(context, type):
            return _checked(dataclasses.asdict(context), "The context")
    except (TypeError, ValueError, UserError):
        return None
    return None


def _checked(value: Any, what: str) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{what} is no JSON data: {error}. Pass context_serializer, which makes it so."
        ) from error
