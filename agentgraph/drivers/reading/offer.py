"""The tools and handoffs that a model may use in a turn, and the symbol of each name.

Names of handoffs are matched before names of tools (SDK guide, Handoffs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.agent_output import AgentOutputSchemaBase
from agentgraph.frontend.bindings import HandoffBinding


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools, handoffs and output schema that a model may use in a turn.

    Args:
        tools: The tools, as the model sees them.
        handoffs: The handoffs, as the model sees them.
        schema: The output schema; ``None`` for plain text.
        callable: Symbol and function tool, by the name that the model uses.
        actions: Symbols and tools, by the type of the output item that they carry out.
        requestable: The handoffs, by the name that the model uses.
        names: The names of everything on offer.
    """

    tools: list[Any]
    handoffs: list[Any]
    schema: AgentOutputSchemaBase | None
    callable: Mapping[str, tuple[str, Any]]
    actions: Mapping[str, Sequence[tuple[str, Any]]]
    requestable: Mapping[str, HandoffBinding]
    names: tuple[str, ...]
