"""The interpreter: one pure function that moves a run through its machine.

Every move is a transition of the table. An outcome that nobody asked for raises ``ProtocolError``
and leaves the state as it was. SCXML is the reference for the order of things: the first enabled
transition in document order wins (3.13), and a state with several invokes is left when all of them
are done, or at once by an interrupting outcome.
"""

from __future__ import annotations

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

# Looked up once: reading a member of an enum takes longer than most of what a step does.
_ACTING, _SUSPENDED, _HANDOFF = StateKind.ACTING, StateKind.SUSPENDED, StateKind.HANDOFF
_ENDING, _CHECKING = StateKind.ENDING, StateKind.CHECKING
_REPLIED, _AWAITING = Event.REPLIED, Event.AWAITING
_SHOW_REPLY, _SHOW_AGENT = Emission.REPLY, Emission.AGENT


class ProtocolError(Exception):
    """The driver reported what the machine did not ask for; the state is unchanged."""


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
    arrived = _arrived(state, outcome)
    event = outcome.event
    interrupted = event in INTERRUPTING
    shown: tuple[Command, ...] = ()
    if here.kind is _ACTING:
        shown = _outputs(here, state, arrived, interrupted)
    if not interrupted:
        if arrived.pending:
            return arrived, shown
        event = _joined(here, arrived, event)
    return _move(machine, here, arrived, event, outcome, shown)


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
            f"state '{here.id}': {what} cannot end with '{outcome.event}',"
            f" only with {', '.join(endings)}"
        )
    if (outcome.reply is None) == (outcome.event is _REPLIED):
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
    if here.kind is _ACTING:
        return here.offered[_reply(state).calls[index].symbol]
    # A suspended state waits for a decision; nothing was invoked there.
    return here.invokes[index] if here.invokes else None


def _arrived(state: RunState, outcome: Outcome) -> RunState:
    """The state once ``outcome`` is no longer owed."""
    index = outcome.id.index
    awaiting, reply, replied = state.awaiting, state.reply, state.replied
    if outcome.reply is not None:
        reply, replied = outcome.reply, outcome.id
    elif outcome.event is _AWAITING:
        awaiting = tuple(sorted((*awaiting, index)))
    return RunState(
        state.state,
        state.sequence,
        state.turn,
        state.limit,
        state.pending - {index},
        state.order,
        awaiting,
        state.performed,
        reply,
        replied,
        state.output,
    )


def _joined(here: State, state: RunState, last: Event) -> Event:
    """What the outcomes of a state's work amount to together, whichever came last."""
    if here.kind in MODEL_STATES:
        return _REPLIED
    return _AWAITING if here.kind is _ACTING and state.awaiting else last


def _outputs(
    here: State, before: RunState, after: RunState, interrupted: bool
) -> tuple[Command, ...]:
    """Show outputs in call order: up to an unfinished call, or all that there are at an end."""
    # A call that interrupts has no output, so it still counts as unfinished.
    unfinished = before.pending if interrupted else after.pending
    shown = 0
    while before.order[shown] not in before.pending:  # ends: what was just answered was pending
        shown += 1
    calls, commands = _reply(after).calls, list[Command]()
    for index in after.order[shown:]:
        if index in unfinished:
            if interrupted:
                continue
            break
        if index in after.awaiting:
            continue
        call = calls[index]
        source = CommandId(after.performed[index], index)
        for emission in here.offered[call.symbol].emits:
            commands.append(Emit(emission, here.agent, source, call.position))
    return tuple(commands)


def _move(
    machine: Machine,
    here: State,
    state: RunState,
    event: Event,
    outcome: Outcome | None,
    shown: tuple[Command, ...] = (),
) -> tuple[RunState, tuple[Command, ...]]:
    """Take the first enabled transition of ``here`` on ``event``; what is ``shown`` comes first."""
    for row in here.by_event.get(event, ()):
        if holds(row.guard, here, state):
            return _enter(machine, here, row, state, outcome, shown)
    raise ProtocolError(f"state '{here.id}' has no enabled transition on '{event}'")


def _enter(
    machine: Machine,
    here: State,
    taken: Transition,
    state: RunState,
    outcome: Outcome | None,
    shown: tuple[Command, ...],
) -> tuple[RunState, tuple[Command, ...]]:
    target = machine.state[taken.target]
    kind = target.kind
    sequence = state.sequence + 1
    order, performed = _order(here, target, state, sequence)
    entered = RunState(
        target.id,
        sequence,
        state.turn + 1 if kind in MODEL_STATES else state.turn,
        state.limit,
        frozenset(order),
        order,
        state.awaiting if kind is _SUSPENDED else (),
        performed,
        state.reply,
        state.replied,
        _output(here, taken, state, outcome) if kind is _ENDING else state.output,
    )
    commands = [*shown, *[_emission(row, here, target, state, outcome) for row in taken.emits]]
    if kind is _ACTING:
        commands += _calls(target, entered)
    elif kind is _SUSPENDED:
        waiting = tuple([CommandId(performed[index], index) for index in entered.awaiting])
        commands.append(Suspend(CommandId(sequence, 0), target.agent, waiting))
    elif kind in FINALS:
        source = _cause(target, taken, entered, outcome)
        commands.append(Finish(kind, target.agent or here.agent, source))
    else:
        commands += _performs(target, entered)
    return entered, tuple(commands)


def _order(
    here: State, target: State, state: RunState, sequence: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The indexes issued on entering ``target``, and where each call was then last performed."""
    if target.kind is _SUSPENDED:
        return (0,), state.performed
    if target.kind is not _ACTING:
        return tuple(range(len(target.invokes))), state.performed
    if here.kind is _SUSPENDED:
        performed = list(state.performed)
        for index in state.awaiting:
            performed[index] = sequence
        return state.awaiting, tuple(performed)
    count = len(_reply(state).calls)
    return tuple(range(count)), (sequence,) * count


def _calls(target: State, entered: RunState) -> list[Command]:
    """One command a call, for the calls that are issued."""
    calls, commands = _reply(entered).calls, list[Command]()
    for index in entered.order:
        call = calls[index]
        offer = target.offered.get(call.symbol)
        if offer is None:  # a run resumed in a machine that lost the tool
            raise ProtocolError(f"state '{target.id}' offers no '{call.symbol}'")
        id = CommandId(entered.sequence, index)
        commands.append(Perform(id, offer, target.agent, entered.replied, call.position))
    return commands


def _performs(target: State, entered: RunState) -> list[Command]:
    """One command an invoke, about the last reply or about the final output once there is one."""
    source, position = entered.replied, -1
    if target.kind is _HANDOFF:
        position = _reply(entered).requests[0].position
    elif target.kind is _ENDING or target.kind is _CHECKING:
        source = entered.output
    return [
        Perform(CommandId(entered.sequence, index), invoke, target.agent, source, position)
        for index, invoke in enumerate(target.invokes)
    ]


def _output(
    here: State, taken: Transition, state: RunState, outcome: Outcome | None
) -> CommandId | None:
    """Which outcome holds the final output, when a transition leads to ``ENDING``."""
    if taken.event is _REPLIED:
        return state.replied
    if taken.guard.kind is GuardKind.STOPS:
        index = stopping_call(taken.guard, here, _reply(state))
        assert index is not None  # the guard held
        return CommandId(state.performed[index], index)
    return outcome.id if outcome else None


def _cause(
    target: State, taken: Transition, entered: RunState, outcome: Outcome | None
) -> CommandId | None:
    """Which outcome a final state is about: the output, or what went wrong."""
    if target.kind is StateKind.DONE:
        return entered.output
    if target.kind is StateKind.EXHAUSTED:
        return None
    if taken.event in (Event.REPLIED, Event.DECLINED):
        return entered.replied
    return outcome.id if outcome else None


def _emission(
    emission: Emission, here: State, target: State, state: RunState, outcome: Outcome | None
) -> Command:
    if emission is _SHOW_REPLY:
        return Emit(emission, here.agent, state.replied)
    if emission is _SHOW_AGENT:
        return Emit(emission, target.agent)
    return Emit(emission, here.agent, outcome.id if outcome else None)


def _reply(state: RunState) -> Reply:
    """The last reply, where the machine's tables say that there was one."""
    assert state.reply is not None
    return state.reply
