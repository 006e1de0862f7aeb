"""Durable runs on the workers of DBOS: a queue in PostgreSQL, and recovery of a dead worker's runs.

Each visit to a run is a DBOS workflow with one argument, the id of the run. Needs the extra `dbos`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import missing_package
from agentgraph.extensions.durable.resuming import ResumeOptions, Resuming

try:
    from dbos import DBOS
except ImportError as error:
    raise ImportError(missing_package("DBOSRuns", "dbos")) from error

if TYPE_CHECKING:
    from dbos import Queue, WorkflowHandleAsync

    from agentgraph.agent import Agent
    from agentgraph.memory.journals import JournalStore
    from agentgraph.workflow import Workflow

__all__ = ["DBOSRuns"]


class DBOSRuns:
    """The runs of one agent or workflow, as work for DBOS.

    Make it in every process, after `DBOS(config=...)` and before `DBOS.launch()`.

    Args:
        source: The agent or workflow.
        journal: The journal of its runs, which all workers reach.
        name: Names queue and workflow; one for each source.
        options: What a worker passes to `Runner.resume` besides.
        worker_concurrency: How many runs one process works on at a time; all if left out.
        polling_seconds: How often a worker looks for work, in seconds.
    """

    def __init__(
        self,
        source: Agent[Any] | Workflow,
        journal: JournalStore,
        *,
        name: str = "agentgraph",
        options: ResumeOptions | None = None,
        worker_concurrency: int | None = None,
        polling_seconds: float = 1.0,
    ) -> None:
        resuming = Resuming(source, journal, options)
        self._name = name
        self._queue: Queue | None = None
        self._worker_concurrency, self._polling_seconds = worker_concurrency, polling_seconds

        @DBOS.workflow(name=f"{name}.resume", max_recovery_attempts=None)
        async def resume(run_id: str) -> str:
            return await resuming(run_id)

        self._resume = resume

    async def resume(self, run_id: str) -> WorkflowHandleAsync[str]:
        """Let a worker go on with a run of the journal: a new one (`Runner.begin`), or one that
        waited.

        Args:
            run_id: The run.

        Returns:
            The handle of the visit; its result is `"done"` or `"suspended"`.
        """
        if self._queue is None:
            self._queue = await DBOS.register_queue_async(
                self._name,
                worker_concurrency=self._worker_concurrency,
                polling_interval_sec=self._polling_seconds,
            )
        return await self._queue.enqueue_async(self._resume, run_id)
