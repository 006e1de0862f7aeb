"""What the parts of a workflow must be."""

from __future__ import annotations

from collections.abc import Sequence

from agentgraph.exceptions import AgentDefinitionError

__all__ = ["check_parts", "runs_by_itself"]


def check_parts(name: object, start: object, agents: Sequence[object]) -> None:
    """Refuse a workflow whose name is no text, or whose agents are none.

    Raises:
        AgentDefinitionError: It says which part is at fault.
    """
    if not isinstance(name, str) or not name:
        raise AgentDefinitionError(
            f"Workflow.name must be a non-empty string, not {type(name).__name__}."
        )
    for place, agent in (("start", start), *((f"agents[{i}]", a) for i, a in enumerate(agents))):
        if not (hasattr(agent, "name") and hasattr(agent, "handoffs")):
            raise AgentDefinitionError(
                f"Workflow '{name}': {place} must be an Agent, not {type(agent).__name__}."
            )


def runs_by_itself(part: object) -> bool:
    """Whether a part is an agent or a workflow."""
    return hasattr(part, "name") and (hasattr(part, "handoffs") or hasattr(part, "start"))
