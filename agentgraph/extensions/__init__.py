"""Additions on top of the package: stores, models, drawings, and ready filters and prompts."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.extensions.tool_output_trimmer import ToolOutputTrimmer

__all__ = ["ToolOutputTrimmer"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.tool_output_trimmer"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
