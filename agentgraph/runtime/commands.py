"""Commands: what a step asks its driver to do. Their ids are never random.

``Perform`` starts work that will have an outcome, ``Emit`` shows something that already happened,
``Rest`` says that the run waits or is over. The order of a step's commands is the order of the
events. Commands, outcomes and states are named tuples, because each step makes new ones and a
frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from typing import NamedTuple

from agentgraph_compiler.machine import Emission, Invoke, Phase, StateKind


class CommandId(NamedTuple):
    """The id of a command and of its outcome: the idempotency key of the journal.

    Args:
        sequence: Counts the states entered, from 1.
        lane: The lane of that state; negative for outcomes that answer no command (``RESERVED``).
        attempt: Counts the commands of that lane in that state, from 0. An id therefore does not
            depend on the order in which the lanes work.
    """

    sequence: int
    lane: int
    attempt: int = 0


class Perform(NamedTuple):
    """Do the work of a phase and report its outcome under ``id``.

    Args:
        id: Id of the outcome that the driver owes.
        invoke: The lane, as a row of the machine's table.
        phase: The phase of that lane.
        agent: Id of the agent at work.
        source: The outcome this work is about (``phase.about``); ``None`` where there is none.
        position: Position of the call or handoff in the output items of the reply; -1 for other
            work.
    """

    id: CommandId
    invoke: Invoke
    phase: Phase
    agent: str
    source: CommandId | None = None
    position: int = -1


class Emit(NamedTuple):
    """Show the content of the outcome ``source``.

    Args:
        emission: What to show.
        agent: Id of the agent that produced it; for ``AGENT`` the one now at work.
        source: Id of the outcome that holds it; ``None`` for ``AGENT``.
    """

    emission: Emission
    agent: str
    source: CommandId | None = None


class Rest(NamedTuple):
    """The run waits or is over. ``RESUMED`` under ``id`` continues it if the state has such a row.

    Args:
        id: Id under which it is resumed.
        kind: The kind of the state.
        agent: Id of the agent that was at work.
        source: At the end, the outcome with the final output or the cause; while the run waits, the
            cause, if any.
        awaiting: The outcomes of the lanes that wait for a decision.
    """

    id: CommandId
    kind: StateKind
    agent: str
    source: CommandId | None = None
    awaiting: tuple[CommandId, ...] = ()


Command = Perform | Emit | Rest
