"""Laws of the interpreter, on random workflows and random runs: stopped and resumed ones, and such
whose work finishes after they left it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.runtime.commands import Command, CommandId, Emit, Perform, Rest
from agentgraph.runtime.lanes import members, read
from agentgraph.runtime.migrate import MigrationError, migrate
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph.stored.control import decode_outcome, encode_outcome
from agentgraph_compiler.analysis.moves import endings as endings_of
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    OTHERWISE,
    OUTCOMES,
    RESERVED,
    Emission,
    Event,
    Machine,
    Verdict,
    WorkKind,
)
from agentgraph_compiler.machine import Rest as Resting
from tests.runtime.workflows import Run, answer, endings, facts, machines, runs

CALLS = frozenset({WorkKind.FUNCTION, WorkKind.ACTION, WorkKind.AGENT, WorkKind.MISSING})
HARMLESS = frozenset(
    {WorkKind.INPUT_GUARDRAIL, WorkKind.GREET, WorkKind.MODEL, WorkKind.WAIT, WorkKind.TELL}
)


@given(runs())
def test_a_journal_replayed_gives_the_same_states_and_commands(run: Run) -> None:
    again = Run(run.machine, run.facts)
    for outcome in run.outcomes:
        again.tell(outcome)
    assert (again.states, again.replies) == (run.states, run.replies)


@given(machines(), facts())
def test_starting_is_deterministic(machine: Machine, run_facts: Facts) -> None:
    assert start(machine, run_facts) == start(machine, run_facts)


@given(runs())
def test_a_step_depends_on_nothing_but_its_arguments(run: Run) -> None:
    # Every step again, in the opposite order: what this process did before must not matter.
    for before, outcome, after, said in reversed(steps_of(run)):
        assert step(run.machine, before, outcome) == (after, said)


@given(runs())
def test_a_run_goes_on_the_same_from_an_outcome_that_was_written_down(run: Run) -> None:
    for before, outcome, after, said in steps_of(run):
        told = decode_outcome(encode_outcome(outcome), outcome.payload)
        assert told == outcome
        assert step(run.machine, before, told) == (after, said)


@given(runs())
def test_work_that_has_an_outcome_is_never_asked_for_again(run: Run) -> None:
    answered: set[CommandId] = set()
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        if outcome is not None:
            answered.add(outcome.id)
        for command in said:
            if isinstance(command, Perform | Rest):
                assert command.id not in answered


@given(runs())
def test_a_call_that_returned_is_not_made_again(run: Run) -> None:
    returned: set[tuple[int, int]] = set()
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        if outcome is not None and outcome.event is Event.RETURNED:
            returned.add(outcome.id[:2])
        for command in said:
            if isinstance(command, Perform) and command.phase.kind in CALLS:
                assert command.id[:2] not in returned


@given(runs())
def test_what_is_owed_is_what_was_asked_for_and_not_answered(run: Run) -> None:
    assert owed_in(run.state) == set(run.owed)
    assert (set() if run.state.kept is None else owed_in(run.state.kept)) == set(run.late)


@given(runs())
def test_a_command_is_only_ever_about_an_outcome_that_was_told(run: Run) -> None:
    lines: set[CommandId | None] = {None}
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        lines.add(outcome.id if outcome else None)
        for command in said:
            waiting = command.awaiting if isinstance(command, Rest) else ()
            assert lines.issuperset((command.source, *waiting))


@given(runs(), st.data())
def test_an_outcome_nobody_asked_for_is_refused(run: Run, data: st.DataObject) -> None:
    ids = st.builds(
        CommandId, st.integers(0, run.state.entered + 1), st.integers(-4, 6), st.integers(0, 4)
    )
    stray = data.draw(ids.filter(lambda id: id not in run.owed and id not in run.late))
    event = data.draw(st.sampled_from(Event))
    here = stray[0] == run.state.sequence and stray.attempt == 0
    asked = here and run.resumable and stray.lane == 0 and event is Event.RESUMED
    outside = here and RESERVED.get(event) == stray.lane and run.here.rest is not Resting.END
    if not asked and not outside:
        refuses(run, Outcome(stray, event, reply=Reply() if event is Event.REPLIED else None))


@given(runs(), st.data())
def test_work_cannot_end_in_a_way_its_kind_does_not_know(run: Run, data: st.DataObject) -> None:
    for id, command in {**run.owed, **run.late}.items():
        endings_of_kind = OUTCOMES[command.phase.kind]
        event = data.draw(
            st.sampled_from([event for event in Event if event not in endings_of_kind])
        )
        refuses(run, Outcome(id, event, reply=Reply() if event is Event.REPLIED else None))


@given(runs())
def test_a_reply_comes_with_the_event_replied_and_with_no_other(run: Run) -> None:
    for id, command in run.owed.items():
        for event in endings(run.state, command):
            refuses(run, Outcome(id, event, reply=None if event is Event.REPLIED else Reply()))


@given(runs())
def test_a_reply_may_ask_only_for_what_its_state_declares(run: Run) -> None:
    stray_call = Reply(calls=(Call("absent/search", "search", 0),))
    stray_request = Reply(requests=(Request("absent/to_a", 0),))
    for id, command in run.owed.items():
        if command.phase.kind is WorkKind.MODEL:
            refuses(run, Outcome(id, Event.REPLIED, reply=stray_call))
            refuses(run, Outcome(id, Event.REPLIED, reply=stray_request))


@given(machines(), facts(), st.data())
def test_the_order_in_which_parallel_work_finishes_does_not_show(
    machine: Machine, run_facts: Facts, data: st.DataObject
) -> None:
    """Two runs get the same outcomes, each round in another order. Places make the order of starts
    depend on who is done first, so only what is shown is compared, and where the runs are."""
    one, other = Run(machine, run_facts), Run(machine, run_facts)
    for _ in range(14):
        if one.here.rest is not Resting.NO:
            break
        owed = sorted(one.owed)
        round_ = [answer(data.draw, one, one.owed[id], interrupting=False) for id in owed]
        for run in (one, other):
            for outcome in data.draw(st.permutations(round_)):
                run.tell(outcome)
        assert one.state == other.state
        assert shown_by(one) == shown_by(other)
        assert one.owed == other.owed


@given(runs())
def test_every_run_that_is_not_over_can_still_end(run: Run) -> None:
    """Liveness: whatever happened, answers that let everything pass lead to an end."""
    for _ in range(100):
        if run.here.rest is Resting.END:
            return
        if run.here.rest is Resting.WAIT:
            run.outside(Event.RESUMED)
        else:
            command = next(iter(run.owed.values()))
            event = PASSING[command.phase.kind]
            reply = Reply(verdict=Verdict.FINAL) if event is Event.REPLIED else None
            run.tell(Outcome(command.id, event, reply=reply))
    raise AssertionError(f"the run does not end: {run.state}")


PASSING = {kind: events[0] for kind, events in OUTCOMES.items()}


@given(runs())
def test_every_move_is_a_row_of_the_table_on_an_event_that_happened(run: Run) -> None:
    for before, outcome, after, _ in steps_of(run):
        if after.sequence == before.sequence:
            assert after.state == before.state
            continue
        events = set(Event) - INTERRUPTING - set(RESERVED) - {Event.STARTED, Event.RESUMED}
        if outcome.event not in events:
            events = {outcome.event}
        assert after.state in reached_by(run.machine, before, events)


def reached_by(machine: Machine, before: ControlState, events: set[Event]) -> set[str]:
    """The states that rows on some events lead to, through states whose work need not be due."""
    reached: set[str] = set()
    waiting = [(before.state, events)]
    while waiting:
        id, seen = waiting.pop()
        here = machine.state[id]
        rows = (*here.transitions, *(machine.rows if here.rest is Resting.NO else ()))
        for row in (row for row in rows if row.event in seen):
            target = row.target
            if target == BACK and before.kept is not None:
                target = before.kept.state
                if before.kept.tripped is not None:
                    waiting.append((target, {Event.TRIPPED}))
            if target not in reached:
                reached.add(target)
                there = machine.state[target]
                lanes = (*there.invokes, *there.offers)
                if all(phase.when != OTHERWISE for lane in lanes for phase in lane.phases):
                    waiting.append((target, {lane.idle for lane in lanes} or {Event.DONE}))
                elif row.target == BACK:  # all of its work may have ended late
                    waiting.append((target, set(Event) - INTERRUPTING - set(RESERVED)))
    return reached


@given(runs())
def test_a_run_rests_exactly_when_it_says_so(run: Run) -> None:
    for state, said in zip(run.states, run.replies, strict=True):
        rests = [command for command in said if isinstance(command, Rest)]
        here = run.machine.state[state.state]
        if rests:
            assert said[-1] == rests[0]
            assert (rests[0].kind, rests[0].id) == (here.kind, (state.sequence, 0, 0))
            assert rests[0].agent == state.agent
        assert (here.rest is Resting.NO) == (state.owed != 0)
        assert not rests or here.rest is not Resting.NO


@given(runs())
def test_an_output_is_shown_at_most_once_and_before_the_next_turn(run: Run) -> None:
    # An output that an error handler gave belongs to no call.
    of_calls = {one.id for one in run.commands if isinstance(one, Perform) and one.position >= 0}
    emitted_ids = Counter(
        command.source
        for command in run.commands
        if isinstance(command, Emit)
        and command.emission in (Emission.OUTPUT, Emission.WITHHELD)
        and command.source in of_calls
    )
    lanes = Counter((id.sequence, id.lane) for id in emitted_ids if id is not None)
    assert all(count == 1 for count in (*emitted_ids.values(), *lanes.values()))
    returned = {outcome.id[:2] for outcome in run.outcomes if outcome.event is Event.RETURNED}
    # What is not shown is at work still, or is kept for the way back: it must be judged first.
    places = {run.state.sequence, run.state.kept.sequence if run.state.kept else 0}
    assert all(sequence in places for sequence, _ in returned - lanes.keys())


@given(runs())
def test_outputs_are_shown_in_call_order_while_a_state_is_not_left(run: Run) -> None:
    stretches: list[list[int]] = [[]]
    for before, outcome, after, said in steps_of(run):
        if outcome.id.sequence == before.sequence:
            stretches[-1] += [
                command.source.lane
                for command in said
                if isinstance(command, Emit) and command.emission is Emission.OUTPUT
                if command.source is not None
            ]
        if after.sequence != before.sequence:
            stretches.append([])
    for lanes in stretches:
        assert lanes == sorted(lanes)


@given(runs())
def test_a_late_outcome_starts_nothing_and_changes_only_what_is_kept(run: Run) -> None:
    for before, outcome, after, said in steps_of(run):
        if outcome.id.sequence != before.sequence:
            assert after == before._replace(kept=after.kept)
            emits = [command for command in said if isinstance(command, Emit)]
            assert len(emits) == len(said)
            assert {command.emission for command in emits} <= {Emission.OUTPUT}


@given(runs())
def test_a_result_that_is_to_be_judged_is_not_shown_before(run: Run) -> None:
    judged: set[tuple[int, int]] = set()
    lanes: dict[tuple[int, int], bool] = {}
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        if outcome is not None and lanes.get(outcome.id[:2]):
            judged.update({outcome.id[:2]} if outcome.event in PAST_THE_JUDGE else ())
        for command in said:
            if isinstance(command, Perform):
                kinds = [phase.kind for phase in command.invoke.phases]
                lanes[command.id[:2]] = WorkKind.JUDGE in kinds
            elif isinstance(command, Emit) and command.source is not None:
                place = command.source[:2]
                if command.emission is Emission.OUTPUT and lanes.get(place):
                    assert place in judged


PAST_THE_JUDGE = frozenset({Event.PASSED, Event.REJECTED, Event.DONE})


@given(runs())
def test_a_call_runs_only_after_what_stands_before_it_let_it_pass(run: Run) -> None:
    passed: dict[tuple[int, int], set[WorkKind]] = {}
    kind_of: dict[CommandId, WorkKind] = {}
    for outcome, said in zip([None, *run.outcomes], run.replies, strict=True):
        if outcome is not None and outcome.event is Event.PASSED:
            passed.setdefault(outcome.id[:2], set()).add(kind_of[outcome.id])
        for command in said:
            if not isinstance(command, Perform):
                continue
            kind_of[command.id] = command.phase.kind
            if command.phase.kind not in CALLS:
                continue
            before, declared = passed.get(command.id[:2], set()), command.invoke.phases
            kinds = {phase.kind for phase in declared}
            if WorkKind.HOLD in kinds:
                assert before & {WorkKind.ASK, WorkKind.HOLD}
            if any(phase.name == "screen" for phase in declared):
                assert WorkKind.SCREEN in before


@given(runs())
def test_while_an_input_guardrail_is_at_work_only_the_model_is_besides(run: Run) -> None:
    for state, said in zip(run.states, run.replies, strict=True):
        here = run.machine.state[state.state]
        lanes = [here.invokes[lane] for lane in members(state.owed)] if not here.offers else []
        if any(lane.kind is WorkKind.INPUT_GUARDRAIL for lane in lanes):
            assert all(lane.kind in HARMLESS for lane in lanes)
            emits = [command for command in said if isinstance(command, Emit)]
            assert {command.emission for command in emits} <= {Emission.AGENT, Emission.HANDOFF}


@given(runs())
def test_no_more_lanes_of_a_group_are_at_work_than_it_has_places(run: Run) -> None:
    for state in run.states:
        here = run.machine.state[state.state]
        if not here.offers or state.reply is None:
            continue
        calls = state.reply.calls
        at_work = [here.offered[calls[lane].symbol] for lane in members(state.owed)]
        waiting = [here.offered[calls[lane].symbol] for lane in members(state.queued)]
        for lane in at_work:
            count = sum(other.group == lane.group for other in at_work)
            assert not lane.places or count <= lane.places
        for lane in waiting:  # a place is never left empty
            assert sum(other.group == lane.group for other in at_work) == lane.places


@given(runs())
def test_a_turn_is_counted_when_a_state_with_a_model_is_entered_anew(run: Run) -> None:
    turn, last = 0, 0
    for state in run.states:
        if run.machine.state[state.state].turns and state.sequence > last:
            turn += 1
        last = max(last, state.entered)
        assert state.turn == turn
        assert run.facts.limit is None or turn <= run.facts.limit


@given(runs())
def test_a_trip_blocks_the_run_for_good(run: Run) -> None:
    for _, outcome, after, _ in steps_of(run):
        if outcome.event is Event.TRIPPED and after.kept is None:
            assert after.state.endswith("blocked")
            assert after.cause == outcome.id
        elif outcome.event is Event.TRIPPED:
            assert after.kept is not None
            assert after.kept.tripped is not None
    kept = run.state.kept
    if kept is not None and kept.tripped is not None and run.resumable:
        while run.here.rest is Resting.WAIT or run.here.kind.value == "failed":
            run.outside(Event.RESUMED)
            if run.state.state.endswith("blocked"):
                assert run.state.cause == kept.tripped
                return
            assert run.here.kind.value == "saving"
            run.tell(Outcome(next(iter(run.owed)), Event.DONE))


@given(runs())
def test_a_stop_leads_to_a_rest_with_nothing_but_a_save_between(run: Run) -> None:
    for before, outcome, after, said in steps_of(run):
        if outcome.event in RESERVED:
            work = {command.phase.kind for command in said if isinstance(command, Perform)}
            assert work <= {WorkKind.SAVE}
            if run.machine.state[before.state].rest is Resting.WAIT:
                assert (after, said) == (before, ())


@given(runs())
def test_the_way_back_asks_for_what_is_unfinished_and_for_nothing_else(run: Run) -> None:
    for before, outcome, after, said in steps_of(run):
        kept = before.kept
        if outcome.event is not Event.RESUMED or kept is None or after.sequence != kept.sequence:
            continue
        asked = {command.id for command in said if isinstance(command, Perform)}
        assert {id for id in asked if id in owed_in(kept)} == owed_in(kept)
        lanes = {id.lane for id in asked}
        assert lanes | set(members(after.queued)) == set(
            members(kept.owed | kept.held | kept.queued)
        )
        assert after.turn == before.turn


@given(runs())
def test_a_model_is_tried_again_at_most_as_often_as_declared(run: Run) -> None:
    retries: Counter[tuple[int, ...]] = Counter()
    for before, outcome, _, _ in steps_of(run):
        lane = outcome.id[:2]
        if outcome.event is Event.RETRY:
            retries[lane] += 1
            place = before if outcome.id.sequence == before.sequence else before.kept
            assert place is not None
            tries = max(lane.tries for lane in run.machine.state[place.state].invokes)
            assert retries[lane] <= tries
        elif outcome.event is Event.FAILED:  # what failed for good is tried afresh
            retries[lane] = 0


@given(runs())
def test_a_state_sees_of_its_lanes_what_the_analysis_says(run: Run) -> None:
    for state in run.states:
        here = run.machine.state[state.state]
        lanes = [endings_of(lane) for lane in (*here.invokes, *here.offers)]
        possible = {event for lane in lanes for event in lane.joined} or {Event.DONE}
        assert state.joined <= possible
        assert not state.held or Event.AWAITING in possible


@given(runs())
def test_migrating_to_the_same_machine_changes_nothing(run: Run) -> None:
    agents = {entry.id: entry.id for entry in run.machine.agents}
    for state in run.states:
        try:
            moved, commands = migrate(run.machine, state, run.machine, agents)
        except MigrationError:
            assert run.machine.state[state.state].rest is Resting.NO
            continue
        assert moved == state
        asked = {command.id for command in commands if isinstance(command, Perform)}
        assert asked == owed_in(state)


def owed_in(state: ControlState) -> set[CommandId]:
    """The ids of the commands that a state owes an outcome for."""
    lanes = members(state.owed)
    return {CommandId(state.sequence, lane, read(state.lanes, lane)[1] - 1) for lane in lanes}


def shown_by(run: Run) -> list[Command]:
    """Everything that a run showed."""
    return [command for command in run.commands if not isinstance(command, Perform)]


def steps_of(run: Run) -> list[tuple[ControlState, Outcome, ControlState, tuple[Command, ...]]]:
    """Every step of a run: the state before, the outcome, the state after, the commands."""
    return list(zip(run.states, run.outcomes, run.states[1:], run.replies[1:], strict=False))


def refuses(run: Run, outcome: Outcome) -> None:
    """Require that ``step`` refuses an outcome and that the run is where it was."""
    before = run.state._replace()
    with pytest.raises(ProtocolError, match=r"state '"):
        step(run.machine, run.state, outcome)
    assert run.state == before
