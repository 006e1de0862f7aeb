"""Traces for other systems: OpenTelemetry, and the vendors that read the published Agents SDK.

A name is imported on first use. If its package is missing, the error says what installs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.extensions.tracing.otel import OpenTelemetryProcessor, RunIdGenerator
    from agentgraph.extensions.tracing.published_sdk import sdk_bridge

__all__ = ["OpenTelemetryProcessor", "RunIdGenerator", "sdk_bridge"]

_MODULES = {
    "OpenTelemetryProcessor": "otel",
    "RunIdGenerator": "otel",
    "sdk_bridge": "published_sdk",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
