"""The SDK's names for strict JSON schemas; they live in `agentgraph.schemas`."""

from __future__ import annotations

from agentgraph.schemas.strict import (
    ensure_strict_json_schema,
    has_more_than_n_keys,
    is_dict,
    is_list,
    resolve_ref,
)

__all__ = [
    "ensure_strict_json_schema",
    "has_more_than_n_keys",
    "is_dict",
    "is_list",
    "resolve_ref",
]
