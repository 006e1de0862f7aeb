"""The classes of run items by their types, for code that makes items from data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from agentgraph.items.run_items import RunItem

__all__ = ["ITEM_CLASSES"]

ITEM_CLASSES: Final[Mapping[str, Any]] = {cls.type: cls for cls in get_args(RunItem)}
"""The classes, by the `type` of their items."""
