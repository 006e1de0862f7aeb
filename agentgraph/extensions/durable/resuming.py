"""What every engine calls: one visit of a worker to a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.memory.journals import JournalStore, RunStatus
from agentgraph.run import Runner

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Workflow

__all__ = ["ResumeOptions", "Resuming"]

ResumeOptions: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Takes the id of a run; returns what a worker passes to `Runner.resume`: `context`, `session`."""


class Resuming:
    """Goes on with runs of a journal.

    Args:
        source: The agent or workflow of the runs.
        journal: The journal that holds them.
        options: What a worker passes to `Runner.resume` besides.
    """

    def __init__(
        self, source: Agent[Any] | Workflow, journal: JournalStore, options: ResumeOptions | None
    ) -> None:
        self._source, self._journal, self._options = source, journal, options

    async def __call__(self, run_id: str) -> RunStatus:
        """Go on with a run until it rests.

        Args:
            run_id: The run.

        Returns:
            How it rests: `"done"`, or `"suspended"` if a person must decide first.

        Raises:
            AgentsException: The run failed.
        """
        options = {} if self._options is None else self._options(run_id)
        result = await Runner.resume(run_id, self._source, journal=self._journal, **options)
        return "suspended" if result.interruptions else "done"
