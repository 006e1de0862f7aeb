"""The type of `RunConfig.session_input_callback`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

    _Items: TypeAlias = list[TResponseInputItem]
else:
    # The real item type is a union of the openai package, which this import must not load.
    _Items: TypeAlias = list[dict[str, Any]]

__all__ = ["SessionInputCallback"]

SessionInputCallback: TypeAlias = Callable[[_Items, _Items], _Items | Awaitable[_Items]]
"""Makes the model's input from `(history, new_input)`, both of which are copies it may change."""
