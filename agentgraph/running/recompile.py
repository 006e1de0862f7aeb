"""Compiling anew for a run whose agent was changed while it was going on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentgraph.drivers.workbench import Compiled
from agentgraph.frontend.scope import RunScope
from agentgraph.program import program_for


@dataclass(slots=True)
class Recompile:
    """Compiles anew for a run whose agent was changed while it was going on.

    Args:
        source: What the run runs.
        scope: What the run adds to it.
    """

    source: Any
    scope: RunScope

    def __call__(self, agent: Any) -> Compiled:
        """Compile, starting with the agent at work if it can no longer be reached.

        Raises:
            CompileError: The change introduced an error.
        """
        program = program_for(self.source, self.scope, at=agent)
        if not program.bindings.has(agent):
            # The change cut the agent at work off from the start; what it can reach is what is
            # left.
            program = program_for(agent, self.scope)
        return program.machine, program.bindings
