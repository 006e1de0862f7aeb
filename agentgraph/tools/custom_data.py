"""What a program attaches to the output of a call for itself.

Rule: custom data stands on the `ToolCallOutputItem` and nowhere else. It is plain JSON data, so
that an item with it can be stored; no model and no session is ever given it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from agentgraph.exceptions import UserError
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

__all__ = ["CustomData", "custom_data_of"]

CustomData: TypeAlias = MaybeAwaitable[Mapping[str, Any] | None]
"""What an extractor gives: names and JSON values, or nothing; at once or awaited."""

_Context = TypeVar("_Context")


async def custom_data_of(
    extractor: Callable[[_Context], CustomData], context: _Context, owner: str
) -> dict[str, Any] | None:
    """Ask an extractor what to attach to an output.

    Args:
        extractor: The program's function, sync or async.
        context: What it is told of the call.
        owner: The tool and the agent, for messages.

    Returns:
        A copy of what it gave; `None` for nothing or an empty mapping.

    Raises:
        UserError: It gave something else than a mapping from text to JSON values.
        Exception: Whatever the extractor raises.
    """
    given: object = await resolve(extractor(context))
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UserError(
            f"custom_data_extractor of {owner} must return a mapping with text keys, or None; it "
            f"returned {type(given).__name__}."
        )
    try:
        copied: dict[str, Any] = json.loads(json.dumps(dict(given), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"custom_data_extractor of {owner} must return JSON data: {error}."
        ) from error
    return copied or None
