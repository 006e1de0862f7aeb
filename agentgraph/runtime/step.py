"""The interpreter: one pure function that moves a run through its machine.

Every move is a row of the table. An outcome that answers no command raises ``ProtocolError`` and
leaves the state as it was. SCXML is the reference for the order: the first enabled transition in
document order wins (3.13). A run leaves a state with several lanes when each lane is over or waits
for a decision, or at once on an interrupting outcome.

An outcome of a state that the run left unfinished is late: the state is updated for a later return,
and nothing starts.
"""

from __future__ import annotations

from agentgraph.runtime.commands import Command, CommandId, Emit, Perform
from agentgraph.runtime.enter import (
    Taken,
    interrupting,
    joined,
    lane_of,
    next_in_group,
    perform,
    take,
)
from agentgraph.runtime.guards import due, enabled_on, first_enabled
from agentgraph.runtime.lanes import ONE, count, mask, members, read, record, unpack, write
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.protocol import ProtocolError
from agentgraph.runtime.state import (
    SEEN,
    ControlState,
    Facts,
    new,
    with_lanes,
)
from agentgraph_compiler.machine import (
    INTERRUPTING,
    OUTCOMES,
    RESERVED,
    Emission,
    Event,
    Invoke,
    Machine,
    Rest,
    Route,
    State,
    WorkKind,
)

__all__ = ["ProtocolError", "start", "step"]

# Looked up once: reading a member of an enum takes longer than most of what a step does.
_NO, _WAIT = Rest.NO, Rest.WAIT
_AWAITING, _REPLIED, _RETRY, _CHOSEN = Event.AWAITING, Event.REPLIED, Event.RETRY, Event.CHOSEN
_FAILED, _TRIPPED = Event.FAILED, Event.TRIPPED
_OUTPUT, _WITHHELD, _SHOW_REPLY = Emission.OUTPUT, Emission.WITHHELD, Emission.REPLY
_GREET = WorkKind.GREET
_REPLY, _EDGES = map(ControlState._fields.index, ("reply", "edges"))
_NO_FACTS = Facts()
_STARTED = ControlState("", joined=frozenset({Event.STARTED}))
_NO_OFFERS: dict[str, Invoke] = {}


def start(
    machine: Machine, facts: Facts = _NO_FACTS, taken: Taken | None = None
) -> tuple[ControlState, tuple[Command, ...]]:
    """Begin a run.

    Args:
        machine: A checked machine.
        facts: What holds for the whole run.
        taken: Receives each transition that the run takes.

    Returns:
        The first state and the first commands.
    """
    initial = machine.state[machine.initial]
    state = new(ControlState, (initial.id, facts, *_STARTED[2:]))
    return take(machine, initial, joined(initial, state), state, None, [], taken)


def step(
    machine: Machine, state: ControlState, outcome: Outcome, taken: Taken | None = None
) -> tuple[ControlState, tuple[Command, ...]]:
    """Advance a run by one outcome.

    Args:
        machine: The machine the run was started with.
        state: Where the run is.
        outcome: The outcome of an owed command, or an event from outside.
        taken: Receives each transition that the run takes.

    Returns:
        The new state and the commands for the driver, in order.

    Raises:
        ProtocolError: The outcome answers no owed command, or its kind of work cannot end with
            that event.
    """
    id, event, _, _ = outcome
    sequence, lane, _ = id
    if sequence != state.sequence:
        return _late(machine, state, outcome)
    here = machine.state[state.state]
    if lane < 0 or not state.owed >> lane & 1:
        return _from_outside(machine, here, state, outcome, taken)
    state, invoke, route, at, result = _route(machine, here, state, outcome)
    commands: list[Command] = []
    if route is not None and at == len(invoke.phases) and len(state.lanes) == ONE:
        # The only lane is over, so the run leaves the state and need not update its lanes.
        rows = () if event in INTERRUPTING else here.by_event.get(route.ends, ())
        row = first_enabled(rows, here, state)
        if row is not None and not row.reads_lanes:
            if result and invoke.emits and not state.emitted:
                _show_lane(state, invoke, lane, at, result, commands)
            return take(machine, here, row, state, id, commands, taken)
    before = state.emitted
    state, next_command = _answer(here, state, outcome, invoke, route, at, result)
    if next_command is not None:
        return state, (next_command,)
    if event in INTERRUPTING:
        row = interrupting(machine, here, state, event)
        if here.shows:
            state = _all_shown(here, state, commands)
        elif event is _FAILED:
            state = _reply_shown(here, state, id, commands)
        return take(machine, here, row, state, id, commands, taken)
    if state.emitted != before:
        _show(here, state, state.emitted ^ before, commands)
    if here.early and (row := first_enabled(here.early, here, state)) is not None:
        state = _all_shown(here, state, commands)
        return take(machine, here, row, state, id, commands, taken)
    if state.queued and invoke.places:
        state = next_in_group(here, state, invoke, commands)
    if state.owed:
        return state, tuple(commands)
    return take(machine, here, joined(here, state), state, id, commands, taken)


def _from_outside(
    machine: Machine, here: State, state: ControlState, outcome: Outcome, taken: Taken | None
) -> tuple[ControlState, tuple[Command, ...]]:
    """A stop, an expiry, or the resumption of a run at rest; no other outcome is from outside."""
    id, event = outcome.id, outcome.event
    reserved = RESERVED.get(event)
    lane = 0 if reserved is None else reserved
    if id != (state.sequence, lane, 0) or (reserved is None and event is not Event.RESUMED):
        raise _not_owed(here, state, outcome)
    commands: list[Command] = []
    if reserved is None:
        row = enabled_on(event, here, state)
        if row is None:
            raise ProtocolError(f"state '{here.id}': there is no unfinished state to go back to")
        return take(machine, here, row, state, id, commands, taken)
    if here.rest is not _NO:
        if here.rest is _WAIT:  # the kept state stays as it is
            return state, ()
        raise ProtocolError(f"state '{here.id}': the run is over, so it cannot be {event}")
    row = interrupting(machine, here, state, event)
    return take(machine, here, row, _all_shown(here, state, commands), id, commands, taken)


def _late(
    machine: Machine, state: ControlState, outcome: Outcome
) -> tuple[ControlState, tuple[Command, ...]]:
    """An outcome of a state that the run left: note it for a later return, and show an output."""
    kept = state.kept
    if kept is None or outcome.id.sequence != kept.sequence:
        raise _not_owed(machine.state[state.state], state, outcome)
    here, lane = machine.state[kept.state], outcome.id.lane
    if lane < 0 or not kept.owed >> lane & 1:
        raise _not_owed(here, kept, outcome)
    kept, invoke, route, at, result = _route(machine, here, kept, outcome)
    kept, _ = _answer(here, kept, outcome, invoke, route, at, result, late=True)
    commands: list[Command] = []
    fresh = 1 << lane & ~kept.emitted
    if here.shows and result and fresh and not any(phase.withholds for phase in invoke.phases[at:]):
        _show(here, kept, fresh, commands)
        kept = kept._replace(emitted=kept.emitted | fresh)
    if kept.tripped is None and outcome.event is _TRIPPED:
        kept = kept._replace(tripped=outcome.id)
    return state._replace(kept=kept), tuple(commands)


def _not_owed(here: State, state: ControlState, outcome: Outcome) -> ProtocolError:
    owed = ", ".join(map(str, members(state.owed))) or "none"
    return ProtocolError(
        f"state '{here.id}': no command {tuple(outcome.id)} is owed"
        f" (sequence {state.sequence}, lanes {owed})"
    )


def _route(
    machine: Machine, here: State, state: ControlState, outcome: Outcome
) -> tuple[ControlState, Invoke, Route | None, int, int]:
    """Find where the outcome of a lane at work moves that lane.

    Returns:
        The state, with the reply in its registers if the outcome is one; the lane; its route, or
        ``None`` if the lane stays in its phase; the phase it moves to; and its result.

    Raises:
        ProtocolError: The outcome answers no owed command, or its kind of work cannot end with
            that event.
    """
    (_, lane, attempt), event, _, reply = outcome
    invoke = lane_of(here, state, lane) if here.offers else here.invokes[lane]
    at, attempts, result = unpack(state.lanes, lane * ONE)
    if attempt != attempts - 1:
        raise _not_owed(here, state, outcome)
    _, session, hooked = state.facts
    route = (invoke.routes if session or hooked else invoke.bare_routes)[at].get(event)
    if route is None and event not in OUTCOMES[invoke.phases[at].kind]:
        raise _impossible(here, invoke, at, event)
    if reply is not None or event is _REPLIED or event is _CHOSEN:
        state = _take_reply(machine, here, state, outcome)
    if route is None:
        return state, invoke, None, at, result
    if event is _RETRY and state.retries >= invoke.tries:
        raise _impossible(here, invoke, at, event)
    if state.arriving and invoke.phases[at].kind is _GREET:
        state = state._replace(arriving=False)
    at = route.to
    if not route.sure:
        at = due(invoke, at, here, state)
    return state, invoke, route, at, attempts if route.keeps else result


def _answer(
    here: State,
    state: ControlState,
    outcome: Outcome,
    invoke: Invoke,
    route: Route | None,
    at: int,
    result: int,
    *,
    late: bool = False,
) -> tuple[ControlState, Perform | None]:
    """Update a lane with its outcome; return the state and the lane's next command, if any.

    If the outcome is late, a lane that goes on gets no command and queues for it. A lane that was
    interrupted queues for the same phase again.
    """
    (_, lane, attempt), event, _, _ = outcome
    attempts = attempt + 1
    bit, retries, lanes = 1 << lane, state.retries, state.lanes
    owed, held, queued, joined = state.owed ^ bit, state.held, state.queued, state.joined
    if route is None:
        if event is _AWAITING:
            held |= bit
        else:
            queued |= bit
            retries = 0 if invoke.tries else retries
    else:
        if event is _RETRY:
            retries += 1
        if at == len(invoke.phases):
            if route.ends not in joined:
                joined = joined | {route.ends} if joined else SEEN[route.ends]
        elif late:
            queued |= bit
        else:
            lanes = write(lanes, lane, record(at, attempts + 1, result))
            owed, emitted = state.owed, state.emitted
            state = with_lanes(state, (lanes, owed, held, queued, emitted, joined, retries))
            return state, perform(here, state, (state.sequence, lane, attempts), invoke, at, result)
        lanes = write(lanes, lane, record(at, attempts, result))
    emitted = state.emitted
    if here.shows and not late:
        emitted |= _in_order(lanes, owed, held, queued)
    return with_lanes(state, (lanes, owed, held, queued, emitted, joined, retries)), None


def _in_order(lanes: bytes, owed: int, held: int, queued: int) -> int:
    """The lanes whose results may be shown now, as a mask.

    Results are shown in call order, up to the first lane that is not over. A lane that waits for a
    decision does not hold up the others.
    """
    unfinished = owed | queued
    over = (unfinished & -unfinished if unfinished else 1 << count(lanes)) - 1
    return over & ~held


def _impossible(here: State, invoke: Invoke, at: int, event: Event) -> ProtocolError:
    phase = invoke.phases[at]
    if event in OUTCOMES[phase.kind]:
        return ProtocolError(
            f"state '{here.id}': {invoke.symbol} may be tried again {invoke.tries} times at most"
        )
    return ProtocolError(
        f"state '{here.id}': {phase.name} of {invoke.symbol} cannot end with '{event}',"
        f" only with {', '.join(OUTCOMES[phase.kind])}"
    )


def _take_reply(
    machine: Machine, here: State, state: ControlState, outcome: Outcome
) -> ControlState:
    """Put a reply into the registers; refuse one that the machine does not allow."""
    reply, event = outcome.reply, outcome.event
    if reply is None or event not in (_REPLIED, _CHOSEN):
        raise ProtocolError(
            f"state '{here.id}': a reply goes with the events 'replied' and 'chosen', no other"
        )
    calls, requests, _, active, case = reply
    if (case or here.cases) and case not in here.cases:
        raise ProtocolError(f"state '{here.id}' declares no case '{case}'")
    for request in requests:
        if request.symbol not in here.requestable:
            raise ProtocolError(f"state '{here.id}' declares no handoff '{request.symbol}'")
    if calls:
        offers = machine.state[here.acting].offered if here.acting else _NO_OFFERS
        for call in calls:
            if call.symbol not in offers:
                raise ProtocolError(f"state '{here.id}' declares no call '{call.symbol}'")
    acted, replied = state.acted, state.replied
    if event is _REPLIED:
        replied = outcome.id
        if (calls or requests or active) and state.agent not in acted:
            acted = acted | here.owner if acted else here.owner
    # The agent has replied, so it is no longer arriving.
    changed = (reply, replied, state.output, state.cause, False, acted)
    return new(ControlState, state[:_REPLY] + changed + state[_EDGES:])


def _all_shown(here: State, state: ControlState, commands: list[Command]) -> ControlState:
    """Show all results so far, because the run leaves the state early."""
    if not here.shows:
        return state
    lanes = [lane for lane in range(count(state.lanes)) if read(state.lanes, lane)[2]]
    fresh = mask(lanes) & ~state.emitted
    _show(here, state, fresh, commands)
    return state._replace(emitted=state.emitted | fresh)


def _reply_shown(
    here: State, state: ControlState, failure: CommandId, commands: list[Command]
) -> ControlState:
    """Show a reply whose hook failed, as the row for the reply would have shown it.

    After a return to this state that row does not show it again.
    """
    replied = state.replied
    if replied is None or replied[:2] != failure[:2] or state.owed or state.emitted:
        return state
    row = enabled_on(_REPLIED, here, state)
    if row is None or _SHOW_REPLY not in row.emits:
        return state
    commands.append(Emit(_SHOW_REPLY, state.agent, replied))
    return state._replace(emitted=1 << failure.lane)


def _show(here: State, state: ControlState, lanes: int, commands: list[Command]) -> None:
    """Show the results of some lanes."""
    for lane in members(lanes):
        at, _, result = read(state.lanes, lane)
        invoke = lane_of(here, state, lane)
        if result and invoke.emits:
            _show_lane(state, invoke, lane, at, result, commands)


def _show_lane(
    state: ControlState, invoke: Invoke, lane: int, at: int, result: int, commands: list[Command]
) -> None:
    """Show the result of a lane; a withheld result is shown without its content."""
    source = new(CommandId, (state.sequence, lane, result - 1))
    withheld = at < len(invoke.phases) and invoke.phases[at].withholds
    for emission in invoke.emits:
        if withheld and emission is _OUTPUT:
            emission = _WITHHELD
        commands.append(new(Emit, (emission, state.agent, source)))
