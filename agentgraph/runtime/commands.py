"""Commands: what a step asks its driver to do. Ids are ``(sequence, index)`` and never random.

``Perform`` starts work that will have an outcome, ``Emit`` shows something that already happened,
``Suspend`` waits for a decision from outside, ``Finish`` is the end. The order of a step's commands
is the order of the events. Commands, outcomes and states are named tuples: they are made anew on
every step, and a frozen dataclass takes three times as long to make.
"""

from __future__ import annotations

from typing import NamedTuple

from agentgraph_compiler.machine import Emission, Invoke, StateKind


class CommandId(NamedTuple):
    """The id of a command and of its outcome: the idempotency key of the journal.

    Args:
        sequence: Counts the states entered, from 1.
        index: Position among the commands of that state.
    """

    sequence: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which an id has no use for


class Perform(NamedTuple):
    """Do the work of an invoke and report its outcome under ``id``.

    Args:
        id: Id of the outcome that is owed.
        invoke: The row of the machine's table.
        agent: Id of the agent at work.
        source: The outcome this work is about: the reply that asked for a call or a handoff, the
            fault to recover from, the final output to announce; ``None`` where nothing came before.
        position: Position in the source's output items; -1 where it is about the whole.
    """

    id: CommandId
    invoke: Invoke
    agent: str
    source: CommandId | None = None
    position: int = -1


class Emit(NamedTuple):
    """Show what outcome ``source`` brought.

    Args:
        emission: What to show.
        agent: Id of the agent that produced it; for ``AGENT`` the one now at work.
        source: Id of the outcome that holds it; ``None`` when a run starts.
        position: For ``OUTPUT``, the position of the call in the reply.
    """

    emission: Emission
    agent: str
    source: CommandId | None = None
    position: int = -1


class Suspend(NamedTuple):
    """Wait for decisions on the calls ``awaiting``; ``RESUMED`` under ``id`` goes on."""

    id: CommandId
    agent: str
    awaiting: tuple[CommandId, ...]


class Finish(NamedTuple):
    """The run is over.

    Args:
        kind: Which final state was reached.
        agent: Id of the agent that was at work.
        source: The outcome that holds the final output or the fault; ``None`` when turns ran out.
    """

    kind: StateKind
    agent: str
    source: CommandId | None = None


Command = Perform | Emit | Suspend | Finish
