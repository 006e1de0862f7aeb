"""Custom data: what a program attaches to the output of a call for its own use.

Rule: only the `ToolCallOutputItem` holds custom data. It is plain JSON, so that the item can be
stored. Models and sessions never receive it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from agentgraph.exceptions import UserError
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

__all__ = ["CustomData", "custom_data_of"]

CustomData: TypeAlias = MaybeAwaitable[Mapping[str, Any] | None]
"""What an extractor returns: a mapping from names to JSON values, or None; plain or awaitable."""

_Context = TypeVar("_Context")


async def custom_data_of(
    extractor: Callable[[_Context], CustomData], context: _Context, owner: str
) -> dict[str, Any] | None:
    """Call an extractor for the custom data of an output.

    Args:
        extractor: The program's function, sync or async.
        context: The call, as the extractor receives it.
        owner: The tool and the agent, for messages.

    Returns:
        A copy of the extractor's mapping; `None` if it returned None or an empty mapping.

    Raises:
        UserError: The extractor returned something other than a mapping from text to JSON values.
        Exception: Whatever the extractor raises.
    """
    extracted: object = await resolve(extractor(context))
    if extracted is None:
        return None
    if not isinstance(extracted, Mapping) or not all(isinstance(name, str) for name in extracted):
        raise UserError(
            f"custom_data_extractor of {owner} must return a mapping with text keys, or None; it "
            f"returned {type(extracted).__name__}."
        )
    try:
        copied: dict[str, Any] = json.loads(json.dumps(dict(extracted), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"custom_data_extractor of {owner} must return JSON data: {error}."
        ) from error
    return copied or None
