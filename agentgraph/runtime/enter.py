"""Taking a transition: set registers, enter a state, give commands to its lanes, and go back.

A run leaves a state at once when all its lanes are over, so one outcome may pass several states.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agentgraph.runtime.commands import Command, CommandId, Emit, Perform, Rest
from agentgraph.runtime.guards import due, enabled_on, first_enabled, stopping_call
from agentgraph.runtime.lanes import BEGUN, members, read, record, write
from agentgraph.runtime.outcomes import Reply
from agentgraph.runtime.protocol import ProtocolError
from agentgraph.runtime.state import NOTHING, SEEN, ControlState, new
from agentgraph_compiler.machine import (
    BACK,
    About,
    Emission,
    Event,
    Invoke,
    Machine,
    Source,
    State,
    Transition,
)
from agentgraph_compiler.machine import Rest as Resting

# Looked up once: reading a member of an enum takes longer than most of what a step does.
_NO, _WAIT, _END = Resting.NO, Resting.WAIT, Resting.END
_REPLY, _OUTPUT = map(ControlState._fields.index, ("reply", "output"))
_NOTHING, _REQUEST = About.NOTHING, About.REQUEST
_SHOW_REPLY, _SHOW_AGENT = Emission.REPLY, Emission.AGENT
_AWAITING, _REPLIED, _TRIPPED = Event.AWAITING, Event.REPLIED, Event.TRIPPED
_NO_OUTPUT = Source.NONE
_NO_REPLY = Reply()
"""Stands for the reply if a table leads to calls without one."""
# The registers that hold the outcome that work is about, as places in a state.
_REGISTERS = {
    About.CALL: ControlState._fields.index("replied"),
    About.REPLY: ControlState._fields.index("replied"),
    About.REQUEST: ControlState._fields.index("replied"),
    About.OUTPUT: ControlState._fields.index("output"),
    About.CAUSE: ControlState._fields.index("cause"),
}
Taken = list[tuple[State, Transition]]
"""The transitions that a run took, each with the state that it left."""
# The events of a state that has no lanes.
_NO_LANES = SEEN[Event.DONE]


def take(
    machine: Machine,
    here: State,
    row: Transition,
    state: ControlState,
    id: CommandId | None,
    commands: list[Command],
    taken: Taken | None = None,
) -> tuple[ControlState, tuple[Command, ...]]:
    """Take a transition, and go on through every state whose lanes are over at once.

    Args:
        machine: The machine.
        here: The state that the run leaves.
        row: The transition.
        state: Where the run is.
        id: Id of the outcome that caused the move; ``None`` at the start.
        commands: The commands of the step so far; this function appends to it.
        taken: Receives each transition that is taken.
    """
    _, session, hooked = state.facts
    bare = not (session or hooked)
    while True:
        if taken is not None:
            taken.append((here, row))
        before = _with_notes(here, row, state, id) if row.notes else state
        if row.emits:
            _show(row, state, id, commands)
        if row.target != BACK:
            here, sequence = machine.state[row.target], before.entered + 1
            while bare and here.passed is not None:
                if taken is not None:
                    taken.append((here, here.passed))
                here, sequence = machine.state[here.passed.target], sequence + 1
            state = _enter(here, before, sequence, bare, commands)
        elif before.kept is not None:
            here, state, tripped = _go_back(machine, before, commands)
            if tripped is not None:
                row, id = interrupting(machine, here, state, _TRIPPED), tripped
                continue
        else:
            raise ProtocolError(f"state '{here.id}' has no unfinished state to go back to")
        if state.owed:
            return state, tuple(commands)
        if here.rest is not _NO:
            return state, (*commands, rest_of(here, state))
        row = joined(here, state)


def joined(here: State, state: ControlState) -> Transition:
    """The transition out of a state once every lane is over or held.

    It is the first in document order whose event is the end of one of the lanes.
    """
    events = state.joined | {_AWAITING} if state.held else state.joined
    if len(events) == 1:
        (event,) = events
        row = enabled_on(event, here, state)
    else:
        rows = (row for row in here.transitions if row.event in events)
        row = first_enabled(rows, here, state)
    if row is None:
        raise ProtocolError(
            f"state '{here.id}' has no enabled transition on {', '.join(sorted(events))}"
        )
    return row


def interrupting(machine: Machine, here: State, state: ControlState, event: Event) -> Transition:
    """The transition on an interrupting event: the state's own row, else the machine's."""
    own, shared = here.by_event.get(event, ()), machine.by_event.get(event, ())
    row = first_enabled((*own, *shared), here, state)
    if row is None:
        raise ProtocolError(f"state '{here.id}' has no enabled transition on {event}")
    return row


def work_of(here: State, state: ControlState) -> Sequence[Invoke]:
    """The lanes of a state in order: one for each call if it has offers, else its invokes."""
    if not here.offers:
        return here.invokes
    calls = (state.reply or _NO_REPLY).calls
    return [lane_of(here, state, lane) for lane in range(len(calls))]


def lane_of(here: State, state: ControlState, lane: int) -> Invoke:
    """The invoke of one lane, by the lane's number."""
    if not here.offers:
        return here.invokes[lane]
    assert state.reply is not None  # the machine's tables say so
    try:
        return here.offered[state.reply.calls[lane].symbol]
    except KeyError as symbol:  # a machine that the run was not migrated to
        raise ProtocolError(f"state '{here.id}' offers no {symbol}") from None


def perform(
    here: State,
    state: ControlState,
    id: tuple[int, int, int],
    invoke: Invoke,
    at: int,
    result: int,
) -> Perform:
    """The command for the current phase of a lane.

    Args:
        here: The state of the lane.
        state: The registers of the run.
        id: The id of the command.
        invoke: The lane.
        at: Index of the phase.
        result: The attempt whose outcome is the lane's result, plus one; 0 if it has no result.
    """
    phase, source, position = invoke.phases[at], None, -1
    about = phase.about
    if about is not _NOTHING:
        register = _REGISTERS.get(about)
        if register is not None:
            source = state[register]
        elif result:
            source = CommandId(id[0], id[1], result - 1)
    if here.offers:
        position = (state.reply or _NO_REPLY).calls[id[1]].position
    elif about is _REQUEST:
        requests = (state.reply or _NO_REPLY).requests
        position = requests[0].position if requests else -1
    return new(Perform, (new(CommandId, id), invoke, phase, state.agent, source, position))


def next_in_group(
    here: State, state: ControlState, freed_lane: Invoke, commands: list[Command]
) -> ControlState:
    """Give the place that a lane frees to the first queued lane of its group."""
    for lane in members(state.queued):
        invoke = lane_of(here, state, lane)
        if invoke.group == freed_lane.group:
            at, attempts, result = read(state.lanes, lane)
            id = (state.sequence, lane, attempts)
            commands.append(perform(here, state, id, invoke, at, result))
            return state._replace(
                lanes=write(state.lanes, lane, record(at, attempts + 1, result)),
                owed=state.owed | 1 << lane,
                queued=state.queued ^ 1 << lane,
            )
    return state


def _with_notes(
    here: State, row: Transition, state: ControlState, id: CommandId | None
) -> ControlState:
    """Apply the register changes of a transition; where the run is does not change here."""
    if row.event is _REPLIED:  # the lane that ends last may be another one
        id = state.replied
    agent, (output, cause, arriving, acted, edges, kept, tripped) = state.agent, state[_OUTPUT:]
    if row.output is not _NO_OUTPUT:
        output, cause = _output(here, row, state, id), None
    if row.cause:
        cause = id
    if row.arrives:
        agent, arriving = row.arrives, True
    if row.keeps:
        kept = state if state.owed or state.held or state.queued else None
    if row.on_edge:
        edges = state.edges.after(row, state.turn)
        acted = frozenset() if row.visits else state.acted
    changed = (output, cause, arriving, acted, edges, kept, tripped)
    return new(ControlState, (*state[:2], agent, *state[3:_OUTPUT], *changed))


def _output(
    here: State, row: Transition, state: ControlState, id: CommandId | None
) -> CommandId | None:
    if row.output is not Source.STOPPING:
        return state.replied if row.output is Source.REPLY else id
    lane = stopping_call(row.guard, here, state.reply or _NO_REPLY)
    result = 0 if lane is None else read(state.lanes, lane)[2]
    return CommandId(state.sequence, lane, result - 1) if lane is not None and result else None


def _show(
    row: Transition, state: ControlState, id: CommandId | None, commands: list[Command]
) -> None:
    """Append what a transition shows. A reply is shown only once."""
    for emission in row.emits:
        if emission is _SHOW_REPLY:
            if not state.emitted:
                commands.append(new(Emit, (emission, state.agent, state.replied)))
        elif emission is _SHOW_AGENT:
            commands.append(new(Emit, (emission, row.arrives or state.agent, None)))
        else:
            commands.append(new(Emit, (emission, state.agent, id)))


def _enter(
    here: State, before: ControlState, sequence: int, bare: bool, commands: list[Command]
) -> ControlState:
    """Enter a state: append the commands of its lanes and return the run's new state.

    Args:
        here: The state.
        before: Where the run is.
        sequence: The number of this entry.
        bare: Whether the run has neither a session nor hooks.
        commands: The commands of the step so far.
    """
    turn = before.turn
    if here.turns:
        turn += 1
        if not bare:  # a guard may ask whether this is the first turn
            before = before._replace(turn=turn)
    owed = queued = 0
    work = work_of(here, before) if here.offers else here.invokes
    if len(work) == 1:  # the usual case, which needs no counting
        (invoke,) = work
        at = invoke.begins if bare else -1
        if at < 0:
            at = due(invoke, 0, here, before)
        if at < len(invoke.phases):
            commands.append(perform(here, before, (sequence, 0, 0), invoke, at, 0))
            lanes, owed, joined = BEGUN[at], 1, NOTHING
        else:
            lanes, joined = record(at, 0), SEEN[invoke.idle]
    elif work:
        lanes, owed, queued, joined = _begin(here, before, work, sequence, bare, commands)
    else:
        lanes, joined = b"", _NO_LANES
    entered = (
        here.id,
        before.facts,
        before.agent,
        sequence,
        sequence,
        turn,
        lanes,
        owed,
        0,
        queued,
        0,
        joined,
        0,
    )
    return new(ControlState, entered + before[_REPLY:])


def _begin(
    here: State,
    before: ControlState,
    work: Iterable[Invoke],
    sequence: int,
    bare: bool,
    commands: list[Command],
) -> tuple[bytes, int, int, frozenset[Event]]:
    """Begin several lanes: append their commands.

    Returns:
        The lanes, those owed and those queued, and the events of lanes without a phase that is due.
    """
    records: list[bytes] = []
    owed = queued = 0
    joined = NOTHING
    busy: dict[str, int] = {}
    for lane, invoke in enumerate(work):
        at = invoke.begins if bare else -1
        if at < 0:
            at = due(invoke, 0, here, before)
        if at == len(invoke.phases):
            joined |= {invoke.idle}
            records.append(record(at, 0))
            continue
        if invoke.places:
            busy[invoke.group] = busy.get(invoke.group, 0) + 1
            if busy[invoke.group] > invoke.places:
                queued |= 1 << lane
                records.append(record(at, 0))
                continue
        owed |= 1 << lane
        records.append(record(at, 1))
        commands.append(perform(here, before, (sequence, lane, 0), invoke, at, 0))
    return b"".join(records), owed, queued, joined


def _go_back(
    machine: Machine, before: ControlState, commands: list[Command]
) -> tuple[State, ControlState, CommandId | None]:
    """Go back to the state that the run left unfinished.

    A command without an outcome keeps its id; a lane that waited or failed gets a new command.

    Returns:
        The state of the machine, the run in it, and the outcome with which a guardrail tripped in
        the meantime, which ends the run there; ``None`` if none did.
    """
    assert before.kept is not None  # `take` has checked
    state = before.kept._replace(facts=before.facts, entered=before.entered)
    here = machine.state[state.state]
    if state.tripped is not None:
        return here, state._replace(tripped=None), state.tripped
    lanes, owed, queued = state.lanes, state.owed, 0
    repeated: dict[int, Perform] = {}
    busy: dict[str, int] = {}
    # Lanes at work keep their places; the others follow in call order as far as places allow.
    for lane in (*members(owed), *members(state.held | state.queued)):
        invoke = lane_of(here, state, lane)
        at, attempts, result = read(lanes, lane)
        if not owed >> lane & 1:
            if invoke.places and busy.get(invoke.group, 0) >= invoke.places:
                queued |= 1 << lane
                continue
            attempts += 1
            owed |= 1 << lane
            lanes = write(lanes, lane, record(at, attempts, result))
        busy[invoke.group] = busy.get(invoke.group, 0) + 1
        id = (state.sequence, lane, attempts - 1)
        repeated[lane] = perform(here, state, id, invoke, at, result)
    commands += [repeated[lane] for lane in sorted(repeated)]
    return here, state._replace(lanes=lanes, owed=owed, held=0, queued=queued), None


def rest_of(here: State, state: ControlState) -> Rest:
    """The command that tells the driver how the run rests in a state."""
    source = state.cause
    if source is None and here.rest is _END:
        source = state.output
    id = new(CommandId, (state.sequence, 0, 0))
    return new(Rest, (id, here.kind, state.agent, source, awaiting(state)))


def awaiting(state: ControlState) -> tuple[CommandId, ...]:
    """The outcomes of kept lanes that wait for a decision, in call order."""
    kept = state.kept
    if kept is None or not kept.held:
        return ()
    return tuple(
        [
            CommandId(kept.sequence, lane, read(kept.lanes, lane)[1] - 1)
            for lane in members(kept.held)
        ]
    )
