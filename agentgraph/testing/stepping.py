"""`Stepping`: a simulated run that stops at each decision until the caller makes it.

The run has a thread of its own. While the caller looks at it, that thread waits; so only one of the
two is ever at work.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.testing.decisions import Decisions
from agentgraph.testing.offers import Offer
from agentgraph.testing.outputs import Outputs
from agentgraph.testing.routes import Decision, Kind, Route

if TYPE_CHECKING:
    from agentgraph.memory.session import Session
    from agentgraph.run_state import RunState
    from agentgraph.testing.simulation import Simulation
    from agentgraph.workflow import Source

__all__ = ["Ask", "Stepping"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A decision that a run waits for.

    Attributes:
        draft: The decision as far as it stands.
        kinds: The kinds that are possible; the first is the simplest.
        outputs: What a function of the edges may return.
    """

    draft: Decision
    kinds: Sequence[Kind]
    outputs: Outputs | None = None


class _Abandoned(Exception):
    """Ends a run that is not gone on with."""


_Message: TypeAlias = "Offer | Ask | Route | BaseException"


class Stepping(Decisions):
    """Runs of a simulation, one decision at a time. It is the source of their decisions.

    Args:
        simulation: Streamed, so that its runs have a state while they go on.

    Attributes:
        pending: What the run waits for: a reply of a model, another decision, or nothing.
        route: The last run that came to rest.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._messages: SimpleQueue[_Message] = SimpleQueue()
        self._answers: SimpleQueue[list[Decision] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.pending: Offer | Ask | None = None
        self.route: Route | None = None

    def begin(
        self,
        start: Source,
        input: str | RunState[Any],
        session: Session | None,
        calls_before: int,
    ) -> None:
        """Begin a run, up to its first decision; see `Simulation.play`."""
        simulation = self._simulation
        self.route = None

        def work() -> None:
            run = simulation.play(self, start, input, session, calls_before)
            try:
                self._messages.put(simulation.in_loop(run))
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                self._messages.put(error)

        self._thread = threading.Thread(target=work, name="agentgraph run", daemon=True)
        self._thread.start()
        self._advance()

    def answer(self, *decided: Decision) -> None:
        """Make the decision that the run waits for, and go on to the next one."""
        self._answers.put(list(decided))
        self._advance()

    def abandon(self) -> None:
        """End a run that waits for a decision."""
        if self.pending is None:
            return
        self._answers.put(None)
        self.pending = None
        if self._thread is not None:
            self._thread.join()
        self._messages.get()

    def _advance(self) -> None:
        self.pending = None
        message = self._messages.get()
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, Route):
            self.route = message
            if self._thread is not None:
                self._thread.join()
        else:
            self.pending = message

    # -- as `Decisions`, in the thread of the run

    def _ask(self, message: Offer | Ask) -> list[Decision]:
        self._messages.put(message)
        decided = self._answers.get()
        if decided is None:
            raise _Abandoned
        return decided

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`."""
        return self._ask(offer)

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """See :class:`Decisions`."""
        return self._ask(Ask(decision, kinds, outputs))[0]
