"""Durable runs behind a Restate service: Restate calls its handler until it has answered.

Install the extra `restate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import AgentsException, missing_package
from agentgraph.extensions.durable.resuming import ResumeOptions, Resuming
from agentgraph.memory.journals import JournalError

try:
    import restate
except ImportError as error:
    raise ImportError(missing_package("restate_service", "restate")) from error

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.memory.journals import JournalStore
    from agentgraph.workflow import Workflow

__all__ = ["restate_service"]


def restate_service(
    source: Agent[Any] | Workflow,
    journal: JournalStore,
    *,
    name: str = "agentgraph",
    options: ResumeOptions | None = None,
) -> restate.Service:
    """Make a Restate service with one handler, `resume`, which takes the id of a run.

    A worker that dies is called again, and so is one whose journal is out of reach. A run that
    fails ends the call; the message names the run and the exception and has no content.

    Args:
        source: The agent or workflow.
        journal: The journal of its runs.
        name: The name of the service.
        options: What a worker passes to `Runner.resume` besides.

    Returns:
        The service, for `restate.app([service])`.
    """
    resuming = Resuming(source, journal, options)
    service = restate.Service(name)

    @service.handler("resume")
    async def resume(context: restate.Context, run_id: str) -> str:
        try:
            return await resuming(run_id)
        except JournalError:
            raise
        except AgentsException as error:
            reason = f"Run {run_id!r} failed: {type(error).__name__}."
            raise restate.TerminalError(reason) from error

    return service
