"""The interpreter: one pure function that moves a run through its machine.

Every move is a transition of the table. An outcome that nobody asked for raises ``ProtocolError``
and leaves the state as it was. SCXML is the reference for the order of things: the first enabled
transition in document order wins (3.13), and a state with several invokes is left when all of them
are done, or at once by an interrupting outcome.
"""

from __future__ import annotations

from dataclasses import replace

from agentgraph.runtime.commands import Command, CommandId, Emit, Finish, Perform, Suspend
from agentgraph.runtime.guards import holds, stopping_call
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.runtime.state import RunState
from agentgraph_compiler.machine import (
    FINALS,
    INTERRUPTING,
    MODEL_STATES,
    OUTCOMES,
    Emission,
    Event,
    GuardKind,
    Invoke,
    Machine,
    State,
    StateKind,
    Transition,
)


class ProtocolError(Exception):
    """The driver reported something the machine did not ask for. The state is unchanged; the driver is wrong."""


def start(machine: Machine, *, limit: int | None = None) -> tuple[RunState, tuple[Command, ...]]:
    """Begin a run.

    Args:
        machine: A checked machine.
        limit: The most turns allowed; ``None`` means no limit.

    Returns:
        The first state and the first commands.
    """
    initial = machine.state[machine.initial]
    return _move(machine, initial, RunState(initial.id, limit=limit), Event.STARTED, None)


def step(
    machine: Machine, state: RunState, outcome: Outcome
) -> tuple[RunState, tuple[Command, ...]]:
    """Advance a run by one outcome.

    Args:
        machine: The machine the run was started with.
        state: Where the run is.
        outcome: What one of the pending commands brought.

    Returns:
        The new state and the commands it gives rise to, in order.

    Raises:
        ProtocolError: The outcome answers no pending command, or not in a way its kind of work can
            end.
    """
    here = machine.state[state.state]
    _require_owed(machine, here, state, outcome)
    if outcome.event in INTERRUPTING:
        # The interrupting call still counts as unfinished here: it has no output to show.
        shown = _release(here, state, everything=True) if here.offers else ()
        after, commands = _move(machine, here, _without(state, outcome), outcome.event, outcome)
        return after, (*shown, *commands)
    arrived = _without(state, outcome)
    if here.kind is not StateKind.ACTING:
        if arrived.pending:
            return arrived, ()
        event = Event.REPLIED if here.kind in MODEL_STATES else outcome.event
        return _move(machine, here, arrived, event, outcome)
    if arrived.pending:
        shown = _release(here, arrived)
        if shown:
            arrived = replace(arrived, released=_released(arrived))
        return arrived, shown
    event = Event.AWAITING if arrived.awaiting else Event.RETURNED
    shown = _release(here, arrived)
    after, commands = _move(machine, here, arrived, event, outcome)
    return after, (*shown, *commands)


def _require_owed(machine: Machine, here: State, state: RunState, outcome: Outcome) -> None:
    sequence, index = outcome.id
    if sequence != state.sequence or index not in state.pending:
        raise ProtocolError(
            f"state '{here.id}': no command {tuple(outcome.id)} is pending"
            f" (sequence {state.sequence}, pending {sorted(state.pending)})"
        )
    invoke = _invoke(here, state, index)
    endings = (Event.RESUMED,) if invoke is None else OUTCOMES[invoke.kind]
    if outcome.event not in endings:
        what = invoke.symbol if invoke else "a suspension"
        raise ProtocolError(
            f"state '{here.id}': {what} cannot end with '{outcome.event}', only with {', '.join(endings)}"
        )
    if (outcome.reply is None) == (outcome.event is Event.REPLIED):
        raise ProtocolError(
            f"state '{here.id}': a reply goes with the event 'replied' and no other"
        )
    if outcome.reply is not None:
        _require_declared(machine, here, outcome.reply)


def _require_declared(machine: Machine, here: State, reply: Reply) -> None:
    for request in reply.requests:
        if request.symbol not in here.requestable:
            raise ProtocolError(f"state '{here.id}' declares no handoff '{request.symbol}'")
    for call in reply.calls:
        if not here.acting or call.symbol not in machine.state[here.acting].offered:
            raise ProtocolError(f"state '{here.id}' declares no call '{call.symbol}'")


def _invoke(here: State, state: RunState, index: int) -> Invoke | None:
    if here.kind is StateKind.SUSPENDED:
        return None
    if here.kind is StateKind.ACTING:
        assert state.reply is not None  # an acting state is entered by a reply with calls only
        return here.offered[state.reply.calls[index].symbol]
    return here.invokes[index]


def _without(state: RunState, outcome: Outcome) -> RunState:
    """The state once ``outcome`` is no longer owed."""
    index = outcome.id.index
    replied = outcome.reply is not None
    awaiting = state.awaiting
    if outcome.event is Event.AWAITING:
        awaiting = tuple(sorted((*awaiting, index)))
    return RunState(
        state.state,
        state.sequence,
        state.turn,
        state.limit,
        state.pending - {index},
        state.order,
        state.released,
        awaiting,
        state.performed,
        outcome.reply if replied else state.reply,
        outcome.id if replied else state.replied,
        state.output,
    )


def _released(state: RunState) -> int:
    """How many of the issued calls have nothing unfinished before them."""
    count = state.released
    while count < len(state.order) and state.order[count] not in state.pending:
        count += 1
    return count


def _release(here: State, state: RunState, *, everything: bool = False) -> tuple[Emit, ...]:
    """Show finished outputs in call order: those with nothing unfinished before them, or ``everything`` finished."""
    reply = state.reply
    if reply is None:
        return ()
    stop = len(state.order) if everything else _released(state)
    shown = []
    for index in state.order[state.released : stop]:
        if index in state.pending or index in state.awaiting:
            continue
        call = reply.calls[index]
        for emission in here.offered[call.symbol].emits:
            source = CommandId(state.performed[index], index)
            shown.append(Emit(emission, here.agent, source, call.position))
    return tuple(shown)


def _move(
    machine: Machine, here: State, state: RunState, event: Event, outcome: Outcome | None
) -> tuple[RunState, tuple[Command, ...]]:
    """Take the first enabled transition of ``here`` on ``event``."""
    for transition in here.by_event.get(event, ()):
        if holds(transition.guard, here, state.reply, state.turn, state.limit):
            return _enter(
                machine, here, machine.state[transition.target], transition, state, outcome
            )
    raise ProtocolError(f"state '{here.id}' has no enabled transition on '{event}'")


def _enter(
    machine: Machine,
    here: State,
    target: State,
    transition: Transition,
    state: RunState,
    outcome: Outcome | None,
) -> tuple[RunState, tuple[Command, ...]]:
    sequence = state.sequence + 1
    output = _output(here, target, transition, state, outcome)
    emitted = tuple(_emission(kind, here, target, state, outcome) for kind in transition.emits)
    order, issued, performed = _issue(here, target, state, sequence, output)
    entered = RunState(
        target.id,
        sequence,
        state.turn + 1 if target.kind in MODEL_STATES else state.turn,
        state.limit,
        frozenset(order),
        order,
        0,
        state.awaiting if target.kind is StateKind.SUSPENDED else (),
        performed,
        state.reply,
        state.replied,
        output,
    )
    if target.kind in FINALS:
        source = _cause(target, transition, state, output, outcome)
        issued = (Finish(target.kind, target.agent or here.agent, source),)
    return entered, (*emitted, *issued)


def _issue(
    here: State, target: State, state: RunState, sequence: int, output: CommandId | None
) -> tuple[tuple[int, ...], tuple[Command, ...], tuple[int, ...]]:
    """The indexes, the commands and the performing sequences that entering ``target`` gives rise to."""
    if target.kind is StateKind.ACTING:
        return _issue_calls(here, target, state, sequence)
    if target.kind is StateKind.SUSPENDED:
        awaiting = tuple(CommandId(state.performed[index], index) for index in state.awaiting)
        suspend = Suspend(CommandId(sequence, 0), target.agent, awaiting)
        return (0,), (suspend,), state.performed
    source, position = state.replied, -1
    if target.kind is StateKind.HANDOFF and state.reply is not None:
        position = state.reply.requests[0].position
    elif target.kind in (StateKind.ENDING, StateKind.CHECKING):
        source = output
    performs = tuple(
        Perform(CommandId(sequence, index), invoke, target.agent, source, position)
        for index, invoke in enumerate(target.invokes)
    )
    return tuple(range(len(performs))), performs, state.performed


def _issue_calls(
    here: State, target: State, state: RunState, sequence: int
) -> tuple[tuple[int, ...], tuple[Command, ...], tuple[int, ...]]:
    reply = state.reply
    assert reply is not None  # entered on a reply with calls, or resumed after one
    if here.kind is StateKind.SUSPENDED:
        order = state.awaiting
        performed = list(state.performed)
    else:
        order = tuple(range(len(reply.calls)))
        performed = [sequence] * len(order)
    issued: list[Command] = []
    for index in order:
        call = reply.calls[index]
        offer = target.offered.get(call.symbol)
        if offer is None:
            raise ProtocolError(f"state '{target.id}' offers no '{call.symbol}'")
        performed[index] = sequence
        issued.append(
            Perform(CommandId(sequence, index), offer, target.agent, state.replied, call.position)
        )
    return order, tuple(issued), tuple(performed)


def _output(
    here: State, target: State, transition: Transition, state: RunState, outcome: Outcome | None
) -> CommandId | None:
    """Which outcome holds the final output, once a transition leads to ``ENDING``."""
    if target.kind is not StateKind.ENDING:
        return state.output
    if transition.event is Event.REPLIED:
        return state.replied
    if transition.guard.kind is GuardKind.STOPS and state.reply is not None:
        index = stopping_call(transition.guard, here, state.reply)
        assert index is not None  # the guard held
        return CommandId(state.performed[index], index)
    return outcome.id if outcome else None


def _cause(
    target: State,
    transition: Transition,
    state: RunState,
    output: CommandId | None,
    outcome: Outcome | None,
) -> CommandId | None:
    """Which outcome a final state is about: the output, or what went wrong."""
    if target.kind is StateKind.DONE:
        return output
    if target.kind is StateKind.EXHAUSTED:
        return None
    if transition.event in (Event.REPLIED, Event.DECLINED):
        return state.replied
    return outcome.id if outcome else None


def _emission(
    emission: Emission, here: State, target: State, state: RunState, outcome: Outcome | None
) -> Emit:
    if emission is Emission.REPLY:
        return Emit(emission, here.agent, state.replied)
    if emission is Emission.AGENT:
        return Emit(emission, target.agent or here.agent)
    return Emit(emission, here.agent, outcome.id if outcome else None)
