"""Where the user wrote an authoring object; unknown for objects that do not record it."""

from __future__ import annotations

from collections.abc import Mapping

from agentgraph.authoring.suppression import allowed
from agentgraph_compiler.diagnostics import UNKNOWN, Origin

Overrides = Mapping[int, Origin]
"""Origins from another source (such as reading the file), by ``id`` of the object."""


def origin_of(authored: object, overrides: Overrides | None = None) -> Origin:
    """The origin of an authoring object.

    Args:
        authored: An agent, handoff, tool, guardrail or workflow.
        overrides: Origins that take precedence.
    """
    if overrides is not None and id(authored) in overrides:
        return overrides[id(authored)]
    recorded = getattr(authored, "_origin", None)
    if isinstance(recorded, tuple) and len(recorded) == 2 and recorded[1]:
        return Origin(*recorded)
    return UNKNOWN


def allowed_on(authored: object) -> tuple[str, ...]:
    """The rules that the user suppressed on an object with ``allow``."""
    return tuple(sorted(allowed(authored)))
