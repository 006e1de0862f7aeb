"""What a program sets about the export of one trace."""

from __future__ import annotations

from typing_extensions import TypedDict

__all__ = ["TracingConfig"]


class TracingConfig(TypedDict, total=False):
    """How a trace is exported.

    Attributes:
        api_key: The key with which an exporter sends this trace, in place of its own.
        include_task_and_turn_spans: Whether a run adds spans for itself and for each turn.
    """

    api_key: str
    include_task_and_turn_spans: bool
