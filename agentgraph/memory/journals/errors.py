"""The exceptions of journals.

The tree, under the exceptions of the package::

    AgentsException
    ├── JournalError          the store failed; names the run and what to do
    │   ├── IndexTaken        another writer has appended first
    │   └── ClaimLost         another process has taken the run over
    └── UserError
        ├── RunInProgress     the run is alive, and the caller did not want to wait
        └── UnknownRun        the journal has no run with this id

A message names the run and where it is stored, never what a line says.
"""

from __future__ import annotations

from agentgraph.exceptions import AgentsException, UserError

__all__ = ["ClaimLost", "IndexTaken", "JournalError", "RunInProgress", "UnknownRun"]


class JournalError(AgentsException):
    """A journal is unreachable, full or damaged, or does not take what a run wants to store."""


class IndexTaken(JournalError):
    """Another writer has appended to the journal first; this append stored nothing."""


class ClaimLost(JournalError):
    """Another process has taken the run over, so this one may not go on; it stored nothing.

    Args:
        run_id: The run.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"Run {run_id!r} was taken over by another process, so this one stopped before its next"
            " step. Its claim had expired: the process was paused or overloaded, or its clock"
            " jumped."
        )


class RunInProgress(UserError):
    """The run is alive in another place.

    Args:
        run_id: The run.
        holder: Who has it.

    Attributes:
        run_id: As above.
    """

    run_id: str

    def __init__(self, run_id: str, holder: str) -> None:
        self.run_id = run_id
        super().__init__(
            f"Run {run_id!r} is in progress at {holder}. Wait for it (if_running='wait'), or ask"
            " again later."
        )


class UnknownRun(UserError):
    """The journal has no run with this id.

    Args:
        run_id: The id.
        place: Where the journal is stored.
    """

    def __init__(self, run_id: str, place: str) -> None:
        super().__init__(f"There is no run {run_id!r} in {place}.")
