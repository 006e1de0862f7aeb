"""Laws of the interpreter, on random workflows and random runs."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.runtime.codec import decode_outcome, decode_state, encode_outcome, encode_state
from agentgraph.runtime.commands import Command, CommandId, Emit, Finish, Perform, Suspend
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import RunState
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph_compiler.machine import (
    FINALS,
    INTERRUPTING,
    MODEL_STATES,
    OUTCOMES,
    Emission,
    Event,
    InvokeKind,
    Machine,
    State,
    StateKind,
)
from tests.runtime.workflows import Run, answer, bound, machines, runs


@given(runs())
def test_a_journal_replayed_gives_the_same_states_and_commands(run: Run) -> None:
    again = Run(run.machine, run.limit)
    for outcome in run.outcomes:
        again.tell(outcome)
    assert (again.states, again.replies) == (run.states, run.replies)


@given(machines(), st.none() | st.integers(0, 3))
def test_starting_is_deterministic(machine: Machine, limit: int | None) -> None:
    assert start(machine, limit=limit) == start(machine, limit=limit)


@given(runs())
def test_a_step_depends_on_nothing_but_its_arguments(run: Run) -> None:
    # Every step again, in the opposite order: what this process did before must not matter.
    for before, outcome, after, said in reversed(steps_of(run)):
        assert step(run.machine, before, outcome) == (after, said)


@given(runs())
def test_a_run_goes_on_the_same_from_a_state_that_was_written_down(run: Run) -> None:
    for before, outcome, after, said in steps_of(run):
        read = decode_state(encode_state(before))
        assert read == before
        told = decode_outcome(encode_outcome(outcome), outcome.payload)
        assert told == outcome
        assert step(run.machine, read, told) == (after, said)


@given(runs())
def test_no_id_is_ever_used_twice(run: Run) -> None:
    issued = [command.id for command in run.commands if isinstance(command, Perform | Suspend)]
    assert issued == sorted(set(issued))


@given(runs())
def test_what_is_pending_is_what_was_asked_for_and_not_answered(run: Run) -> None:
    assert {CommandId(run.state.sequence, index) for index in run.state.pending} == set(run.pending)


@given(runs())
def test_a_command_is_only_ever_about_an_outcome_that_was_told(run: Run) -> None:
    told: set[CommandId | None] = {None}
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        told.add(outcome.id if outcome else None)
        for command in said:
            about = command.awaiting if isinstance(command, Suspend) else (command.source,)
            assert told.issuperset(about)


@given(runs(), st.data())
def test_an_outcome_nobody_asked_for_is_refused(run: Run, data: st.DataObject) -> None:
    ids = st.builds(CommandId, st.integers(0, run.state.sequence + 1), st.integers(0, 6))
    stray = data.draw(ids.filter(lambda id: id not in run.pending))
    event = data.draw(st.sampled_from(Event))
    refuses(run, Outcome(stray, event, reply=Reply() if event is Event.REPLIED else None))


@given(runs(), st.data())
def test_work_cannot_end_in_a_way_its_kind_does_not_know(run: Run, data: st.DataObject) -> None:
    for id, invoke in run.pending.items():
        known = (Event.RESUMED,) if invoke is None else OUTCOMES[invoke.kind]
        event = data.draw(st.sampled_from([event for event in Event if event not in known]))
        refuses(run, Outcome(id, event, reply=Reply() if event is Event.REPLIED else None))


@given(runs())
def test_a_reply_comes_with_the_event_replied_and_with_no_other(run: Run) -> None:
    for id, invoke in run.pending.items():
        for event in (Event.RESUMED,) if invoke is None else OUTCOMES[invoke.kind]:
            refuses(run, Outcome(id, event, reply=None if event is Event.REPLIED else Reply()))


@given(runs())
def test_a_reply_may_ask_only_for_what_its_state_declares(run: Run) -> None:
    stray_call = Reply(calls=(Call("nobody/search", "search", 0),))
    stray_request = Reply(requests=(Request("nobody/to_a", 0),))
    for id, invoke in run.pending.items():
        if invoke is not None and invoke.kind is InvokeKind.MODEL:
            refuses(run, Outcome(id, Event.REPLIED, reply=stray_call))
            refuses(run, Outcome(id, Event.REPLIED, reply=stray_request))


@given(machines(), st.none() | st.integers(0, 4), st.data())
def test_the_order_in_which_parallel_work_finishes_does_not_show(
    machine: Machine, limit: int | None, data: st.DataObject
) -> None:
    """Two runs get the same outcomes, each round in another order; they say the same in the end."""
    one, other = Run(machine, limit), Run(machine, limit)
    for _ in range(12):
        if not one.pending:
            break
        round_ = [answer(data.draw, one, id, interrupting=False) for id in sorted(one.pending)]
        for run in (one, other):
            for outcome in data.draw(st.permutations(round_)):
                run.tell(outcome)
        assert one.state == other.state
        assert one.commands == other.commands


@given(machines(), st.integers(0, 5), st.data())
def test_every_bounded_run_finishes_within_a_bound_known_beforehand(
    machine: Machine, limit: int, data: st.DataObject
) -> None:
    run, suspensions = Run(machine, limit), data.draw(st.integers(0, 3))
    most = bound(run.machine, limit, suspensions)
    while not run.finished:
        id = data.draw(st.sampled_from(sorted(run.pending)))
        suspended = sum(isinstance(command, Suspend) for command in run.commands)
        # With the last allowed suspension under way, nothing may ask for another one.
        waiting = suspended < suspensions and run.here.kind is StateKind.ACTING
        run.tell(answer(data.draw, run, id, interrupting=False, waiting=waiting))
        assert len(run.outcomes) <= most
    models = [
        command
        for command in run.commands
        if isinstance(command, Perform) and command.invoke.kind is InvokeKind.MODEL
    ]
    assert len(models) == run.state.turn <= limit


@given(runs())
def test_every_move_is_a_transition_of_the_table_on_the_event_that_happened(run: Run) -> None:
    for before, outcome, after, _ in steps_of(run):
        here = run.machine.state[before.state]
        if after.sequence == before.sequence:
            assert after.state == before.state
            continue
        assert after.sequence == before.sequence + 1
        event = event_of(here, before, outcome)
        assert after.state in {row.target for row in here.transitions if row.event is event}


@given(runs())
def test_a_run_finishes_exactly_when_it_enters_a_final_state_and_says_nothing_after(
    run: Run,
) -> None:
    finishes = [command for command in run.commands if isinstance(command, Finish)]
    final = run.here.kind in FINALS
    assert len(finishes) == final
    assert final == (not run.pending)
    if final:
        assert run.commands[-1] == finishes[0]
        assert finishes[0].kind is run.here.kind
        # A final state of an agent names it; the others leave it to the agent that was at work.
        before = run.machine.state[run.states[-2].state] if run.outcomes else run.here
        assert finishes[0].agent == (run.here.agent or before.agent)


@given(runs())
def test_every_finished_call_is_shown_once_before_the_next_turn_or_the_end(run: Run) -> None:
    returned = [outcome.id for outcome in run.outcomes if outcome.event is Event.RETURNED]
    shown = Counter(
        command.source
        for command in run.commands
        if isinstance(command, Emit)
        and command.emission is Emission.OUTPUT
        and command.position >= 0  # an output that an error handler gave belongs to no call
    )
    assert shown.keys() <= set(returned)
    assert all(count == 1 for count in shown.values())
    unshown = set(returned) - shown.keys()
    if run.here.kind is not StateKind.ACTING:
        assert not unshown
    # While calls run, only an output behind an unfinished one may be held back.
    earliest = min(run.state.pending, default=0)
    assert all(id.sequence == run.state.sequence and id.index > earliest for id in unshown)


@given(runs())
def test_outputs_shown_in_one_stretch_of_acting_stand_in_call_order(run: Run) -> None:
    stretches: dict[int, list[int]] = {}
    for command in run.commands:
        if isinstance(command, Emit) and command.emission is Emission.OUTPUT:
            assert command.source is not None
            stretches.setdefault(command.source.sequence, []).append(command.position)
    for positions in stretches.values():
        assert positions == sorted(positions)


@given(runs())
def test_while_an_input_guardrail_is_pending_only_guardrails_and_the_model_are_at_work(
    run: Run,
) -> None:
    harmless = {InvokeKind.INPUT_GUARDRAIL, InvokeKind.MODEL}
    owed: dict[CommandId, InvokeKind] = {}
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        if outcome is not None:
            owed.pop(outcome.id, None)
        guarded = InvokeKind.INPUT_GUARDRAIL in owed.values()
        over = bool(said) and isinstance(said[-1], Finish)
        for command in said:
            if isinstance(command, Perform):
                owed[command.id] = command.invoke.kind
                assert not guarded or command.invoke.kind in harmless
            assert not guarded or not isinstance(command, Emit)
        if over:
            owed.clear()


@given(runs())
def test_a_turn_is_counted_when_the_model_is_asked_and_never_otherwise(run: Run) -> None:
    turn = 0
    for state, said in zip(run.states, run.replies, strict=True):
        turn += any(asks_the_model(command) for command in said)
        assert state.turn == turn
        assert run.machine.state[state.state].kind not in MODEL_STATES or turn > 0


def steps_of(run: Run) -> list[tuple[RunState, Outcome, RunState, tuple[Command, ...]]]:
    """Every step of a run: the state before, the outcome, the state after, the commands."""
    return list(zip(run.states, run.outcomes, run.states[1:], run.replies[1:], strict=False))


def asks_the_model(command: Command) -> bool:
    """Whether a command is a model call."""
    return isinstance(command, Perform) and command.invoke.kind is InvokeKind.MODEL


def event_of(here: State, before: RunState, outcome: Outcome) -> Event:
    """The event that leaves ``here``, given its last outcome: what parallel work amounts to."""
    if outcome.event in INTERRUPTING:
        return outcome.event
    if here.kind in MODEL_STATES:
        return Event.REPLIED
    if here.kind is StateKind.ACTING:
        waits = before.awaiting or outcome.event is Event.AWAITING
        return Event.AWAITING if waits else Event.RETURNED
    return outcome.event


def refuses(run: Run, outcome: Outcome) -> None:
    """Require that ``step`` refuses an outcome and that the run is where it was."""
    before = run.state._replace()
    with pytest.raises(ProtocolError, match=f"state '{run.here.id}'"):
        step(run.machine, run.state, outcome)
    assert run.state == before
