"""What a model is offered in a turn, and which symbol each name means.

Names of handoffs are matched before names of tools (SDK guide, Handoffs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.frontend.bindings import HandoffBinding


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on offer.

    Args:
        tools: As the model is shown them.
        handoffs: As the model is shown them.
        schema: The output schema; ``None`` for plain text.
        callable: Symbol and function tool, by the name the model calls it by.
        actions: Symbol and tool, by the type of the output item that the tool carries out.
        requestable: The handoffs, by the name the model calls them by.
        names: The names of everything on offer.
    """

    tools: list[Any]
    handoffs: list[Any]
    schema: AgentOutputSchemaBase | None
    callable: Mapping[str, tuple[str, Any]]
    actions: Mapping[str, Sequence[tuple[str, Any]]]
    requestable: Mapping[str, HandoffBinding]
    names: tuple[str, ...]


def output_schema(agent: Any) -> AgentOutputSchemaBase | None:
    """The schema of an agent's final output; ``None`` for plain text."""
    declared = agent.output_type
    if declared is None or declared is str:
        return None
    if isinstance(declared, AgentOutputSchemaBase):
        return declared
    return AgentOutputSchema(declared)
