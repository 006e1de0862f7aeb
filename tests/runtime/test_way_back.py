"""Stops, late outcomes and the way back: what a state left unfinished is kept, and nothing is lost
or done twice."""

from __future__ import annotations

import pytest

from agentgraph.runtime.lanes import members
from agentgraph.runtime.step import ProtocolError
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import agent
from tests.runtime.dialogue import Dialogue


def working(calls: str = "search fetch", *, judged: str = "", hooked: bool = False) -> Dialogue:
    """A desk whose calls are at work."""
    talk = Dialogue(
        agent("desk", functions="search fetch", agents="expert", judged=judged), hooked=hooked
    )
    if hooked:
        talk.done("desk/model.greet").reply("desk/model", calls=calls).done("desk/model.tell")
    else:
        talk.reply("desk/model", calls=calls)
    return talk.passing_over()


@pytest.mark.parametrize("event", [Event.STOPPED, Event.CANCELLED])
def test_a_stopped_run_rests_and_goes_on_with_what_was_at_work_under_the_same_ids(
    event: Event,
) -> None:
    talk = working().returned("desk/fetch")
    search = talk.id_of("desk/search")
    talk.outside(event).says("show output of desk/fetch", "finish stopped by desk")
    talk.resumed("stopped").says("perform desk/search")
    assert talk.id_of("desk/search") == search
    talk.returned("desk/search").says("show output of desk/search", "perform desk/model:2")


def test_an_expired_run_is_exhausted_and_has_no_way_back() -> None:
    talk = working().outside(Event.EXPIRED).says("finish exhausted by desk with (2, -3, 0)")
    with pytest.raises(ProtocolError, match="no unfinished state to go back to"):
        talk.resumed("exhausted")


def test_a_stop_changes_nothing_where_the_run_waits() -> None:
    talk = working().outside(Event.STOPPED).passing_over()
    before = talk.state
    talk.outside(Event.CANCELLED).says()
    assert talk.state == before


def test_a_run_that_is_over_cannot_be_stopped() -> None:
    talk = Dialogue(agent("desk")).final("desk/model")
    with pytest.raises(ProtocolError, match="the run is over"):
        talk.outside(Event.STOPPED)


def test_a_stop_of_an_earlier_state_is_refused() -> None:
    talk = working()
    talk.outside(Event.STOPPED).resumed("stopped").returned("desk/search", "desk/fetch")
    assert talk.state.sequence > 4
    with pytest.raises(ProtocolError, match="no command"):
        talk.tell("stopped", Event.STOPPED)


class TestLateOutcomes:
    """Work that ends after its state was left is noted and starts nothing."""

    def test_a_call_that_ends_late_is_shown_and_not_made_again(self) -> None:
        talk = working().outside(Event.STOPPED).passing_over()
        talk.returned("desk/search").says("show output of desk/search")
        talk.resumed("stopped").says("perform desk/fetch")
        talk.returned("desk/fetch").says("show output of desk/fetch", "perform desk/model:2")

    def test_if_all_end_late_the_way_back_leads_on_at_once(self) -> None:
        talk = working().outside(Event.STOPPED).returned("desk/search", "desk/fetch")
        talk.passing_over().resumed("stopped").says("perform desk/model:2")

    def test_a_sibling_of_a_call_that_failed_may_end_late(self) -> None:
        talk = working().tell("desk/fetch", Event.FAILED).passing_over()
        talk.returned("desk/search").says("show output of desk/search")
        talk.resumed("failed").says("perform desk/fetch:2")

    def test_a_late_output_is_shown_only_once_it_was_judged(self) -> None:
        talk = working("search", judged="search").outside(Event.STOPPED).passing_over()
        talk.returned("desk/search").says()
        talk.resumed("stopped").says("perform desk/search.judge")
        talk.tell("desk/search.judge", Event.PASSED)
        talk.says("show output of desk/search", "perform desk/model:2")

    def test_hooks_hear_of_a_late_call_on_the_way_back(self) -> None:
        talk = working("search", hooked=True).outside(Event.STOPPED).passing_over()
        talk.returned("desk/search").says("show output of desk/search")
        talk.resumed("stopped").says("perform desk/search.tell")
        talk.done("desk/search.tell").says("perform desk/model:2")

    @pytest.mark.parametrize("event", [Event.FAILED, Event.AWAITING])
    def test_a_call_that_fails_or_waits_late_is_tried_anew_on_the_way_back(
        self, event: Event
    ) -> None:
        talk = working("expert fetch").outside(Event.STOPPED).passing_over()
        talk.tell("desk/expert", event).says()
        talk.resumed("stopped").says("perform desk/expert:2", "perform desk/fetch")

    def test_a_late_reply_takes_effect_on_the_way_back(self) -> None:
        talk = Dialogue(agent("desk", functions="search")).outside(Event.STOPPED).passing_over()
        talk.reply("desk/model", calls="search").says()
        assert talk.state.acted == frozenset()
        talk.resumed("stopped").says("show reply of desk/model", "perform desk/search")
        assert talk.state.acted == {"desk"}

    def test_a_guardrail_that_trips_late_blocks_the_run_on_the_way_back(self) -> None:
        talk = Dialogue(agent("desk", parallel="tone topic")).outside(Event.STOPPED)
        talk.passing_over().tell("desk/tone", Event.TRIPPED).says()
        talk.final("desk/model").says()
        talk.resumed("stopped").says("finish blocked by desk with desk/tone")

    def test_an_outcome_is_late_only_once(self) -> None:
        talk = working().outside(Event.STOPPED).returned("desk/search")
        with pytest.raises(ProtocolError, match="no command"):
            talk.returned("desk/search")


def test_a_blocked_run_keeps_nothing_so_its_model_cannot_answer_late() -> None:
    talk = Dialogue(agent("desk", parallel="tone")).tell("desk/tone", Event.TRIPPED)
    with pytest.raises(ProtocolError, match="no command"):
        talk.final("desk/model")


def test_a_run_that_failed_with_a_reply_has_nothing_to_go_back_to() -> None:
    # A refused or invalid reply would give the same fault again.
    talk = Dialogue(agent("desk")).reply("desk/model", Verdict.REFUSED)
    with pytest.raises(ProtocolError, match="no unfinished state to go back to"):
        talk.resumed("failed")


def test_a_way_back_leads_to_another_rest_and_back_again() -> None:
    talk = working("expert fetch").tell("desk/expert", Event.FAILED).passing_over()
    talk.resumed("failed").says("perform desk/expert:2", "perform desk/fetch")
    talk.tell("desk/expert:2", Event.AWAITING).returned("desk/fetch")
    talk.says("show output of desk/fetch", "suspend for desk/expert:2")
    assert talk.state.kept is not None
    assert list(members(talk.state.kept.held)) == [0]
    talk.resumed("suspended").says("perform desk/expert:3")
    talk.returned("desk/expert:3").says("show output of desk/expert:3", "perform desk/model:2")
    assert talk.state.kept is None
