"""Which reasoning goes back to a model of Chat Completions, as `reasoning_content`.

Thinking models of DeepSeek and Moonshot (Kimi) refuse a tool's output if the reasoning that led to
the call is missing. Other servers ignore the field or refuse it, so it is sent to those alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from agentgraph.models.gate.quirks import quirks_of

__all__ = [
    "ReasoningContentReplayContext",
    "ReasoningContentSource",
    "ShouldReplayReasoningContent",
    "default_should_replay_reasoning_content",
]


@dataclass
class ReasoningContentSource:
    """The reasoning that may go back.

    Attributes:
        item: The item of the history.
        origin_model: The name of the model that thought it; None if the item does not say.
        provider_data: What the item keeps of the model's server.
    """

    item: Any
    origin_model: str | None
    provider_data: Mapping[str, Any]


@dataclass
class ReasoningContentReplayContext:
    """What a rule decides by.

    Attributes:
        model: The name of the model that the request goes to.
        base_url: The base URL of its server.
        reasoning: The reasoning.
    """

    model: str
    base_url: str | None
    reasoning: ReasoningContentSource


ShouldReplayReasoningContent: TypeAlias = Callable[[ReasoningContentReplayContext], bool]
"""Decides whether reasoning goes back."""


def default_should_replay_reasoning_content(context: ReasoningContentReplayContext) -> bool:
    """Send reasoning back if the model needs it and thought it itself, or its origin is unknown.

    Args:
        context: The request and the reasoning.
    """
    if not quirks_of(context.base_url, context.model).wants_reasoning_back:
        return False
    origin = context.reasoning.origin_model
    if origin is None:
        return not context.reasoning.provider_data
    return quirks_of(context.base_url, origin).wants_reasoning_back
