"""Compiling again for a run whose agent changed during the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.workbench import Compiled
from agentgraph.frontend.scope import RunScope
from agentgraph.program import program_for

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source


@dataclass(slots=True)
class Recompile:
    """Compiles again for a run whose agent changed during the run.

    Args:
        source: The agent or workflow of the run.
        scope: What the run's configuration adds to it.
    """

    source: Source
    scope: RunScope

    def __call__(self, agent: Agent[Any]) -> Compiled:
        """Compile again; start at the agent at work if the source no longer leads to it.

        Raises:
            CompileError: The change introduced an error.
        """
        program = program_for(self.source, self.scope, at=agent)
        if not program.bindings.has(agent):
            # The source no longer leads to the agent at work, so compile what this agent reaches.
            program = program_for(agent, self.scope)
        return program.machine, program.bindings
