"""Lanes walk phases: approval, tool guardrails, hooks, retries, sessions and places."""

from __future__ import annotations

import pytest

from agentgraph.runtime.outcomes import Reply
from agentgraph.runtime.state import Facts
from agentgraph.runtime.step import start
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import STOP_ON_FIRST, agent, machine_of
from tests.runtime.dialogue import Dialogue

GREETED = ("show agent desk", "perform desk/model.greet")


def calling(calls: str = "search", **fields: str) -> Dialogue:
    """A desk whose first reply asked for ``calls``; what it said before its calls is heard."""
    talk = Dialogue(agent("desk", functions="search fetch", actions="shell", **fields))  # type: ignore[arg-type]
    return talk.reply("desk/model", calls=calls).passing_over(3)


class TestApproval:
    """A person decides before the call is made, where it is declared or a predicate says so."""

    def test_a_call_that_needs_no_decision_is_made_at_once(self) -> None:
        talk = calling(asked="search").says("perform desk/search.ask")
        talk.tell("desk/search.ask", Event.PASSED).says("perform desk/search")

    def test_a_call_that_needs_one_is_held_and_made_once_it_is_approved(self) -> None:
        talk = calling(asked="search").passing_over()
        talk.tell("desk/search.ask", Event.HELD).says("perform desk/search.hold")
        talk.tell("desk/search.hold", Event.AWAITING).says("suspend for desk/search.hold")
        # The predicate has answered; only the decision is asked for again.
        talk.resumed("suspended").says("perform desk/search.hold:2")
        talk.tell("desk/search.hold:2", Event.PASSED).says("perform desk/search")
        talk.returned("desk/search").says("show output of desk/search", "perform desk/model:2")

    def test_a_call_that_is_rejected_is_not_made_and_its_output_says_so(self) -> None:
        talk = calling(approved="search").says("perform desk/search.hold")
        talk.tell("desk/search.hold", Event.REJECTED)
        talk.says("show output of desk/search.hold", "perform desk/model:2")

    def test_a_call_that_waits_does_not_hold_up_the_outputs_of_the_others(self) -> None:
        talk = calling("shell fetch search", approved="shell").passing_over()
        talk.tell("desk/shell.hold", Event.AWAITING).says()
        talk.returned("desk/search").says()
        talk.returned("desk/fetch").says(
            "show output of desk/fetch", "show output of desk/search", "suspend for desk/shell.hold"
        )

    def test_of_two_calls_that_wait_one_decision_suspends_again_for_the_other(self) -> None:
        talk = calling("search fetch", approved="search fetch").passing_over()
        for label in ("desk/fetch.hold", "desk/search.hold"):
            talk.tell(label, Event.AWAITING)
        talk.says("suspend for desk/search.hold, desk/fetch.hold").resumed("suspended")
        talk.says("perform desk/search.hold:2", "perform desk/fetch.hold:2")
        talk.tell("desk/search.hold:2", Event.PASSED).says("perform desk/search")
        talk.tell("desk/fetch.hold:2", Event.AWAITING).returned("desk/search")
        talk.says("show output of desk/search", "suspend for desk/fetch.hold:2")

    def test_a_predicate_that_raises_fails_the_run_and_is_asked_anew(self) -> None:
        talk = calling(asked="search").passing_over().tell("desk/search.ask", Event.FAILED)
        talk.says("finish failed by desk with desk/search.ask")
        talk.resumed("failed").says("perform desk/search.ask:2")


class TestToolGuardrails:
    """They look at arguments before a call, and at its output before it is shown."""

    def test_the_call_is_made_only_after_its_arguments_passed(self) -> None:
        talk = calling(screened="search").says("perform desk/search.screen")
        talk.tell("desk/search.screen", Event.PASSED).says("perform desk/search")

    def test_arguments_that_are_rejected_are_answered_without_a_call(self) -> None:
        talk = calling(screened="search").passing_over()
        talk.tell("desk/search.screen", Event.REJECTED)
        talk.says("show output of desk/search.screen", "perform desk/model:2")

    def test_a_person_decides_before_the_guardrails_look(self) -> None:
        talk = calling(approved="search", screened="search").says("perform desk/search.hold")
        talk.tell("desk/search.hold", Event.PASSED).says("perform desk/search.screen")

    def test_they_look_before_a_person_is_asked_where_the_run_wants_that(self) -> None:
        desk = agent("desk", functions="search", asked="search", screened="search")
        talk = Dialogue(desk, policy=Policy(prescreens=True))
        talk.reply("desk/model", calls="search").passing_over(3)
        talk.says("perform desk/search.ask").tell("desk/search.ask", Event.HELD)
        talk.says("perform desk/search.prescreen").tell("desk/search.prescreen", Event.PASSED)
        talk.says("perform desk/search.hold").tell("desk/search.hold", Event.PASSED)
        talk.says("perform desk/search.screen").tell("desk/search.screen", Event.PASSED)
        talk.says("perform desk/search")

    def test_what_is_rejected_before_a_person_is_asked_asks_nobody(self) -> None:
        desk = agent("desk", functions="search", approved="search", screened="search")
        talk = Dialogue(desk, policy=Policy(prescreens=True))
        talk.reply("desk/model", calls="search").tell("desk/search.prescreen", Event.REJECTED)
        talk.ends("perform desk/model:2")

    def test_an_output_is_shown_once_it_passed(self) -> None:
        talk = calling(judged="search").passing_over().returned("desk/search")
        talk.says("perform desk/search.judge").tell("desk/search.judge", Event.PASSED)
        talk.says("show output of desk/search", "perform desk/model:2")

    def test_an_output_that_is_rejected_is_replaced_by_what_the_judge_says(self) -> None:
        talk = calling(judged="search").returned("desk/search").passing_over()
        talk.tell("desk/search.judge", Event.REJECTED)
        talk.says("show output of desk/search.judge", "perform desk/model:2")

    def test_a_judge_that_raises_ends_the_run_and_the_call_is_shown_without_its_output(
        self,
    ) -> None:
        talk = calling(judged="search").returned("desk/search").passing_over()
        talk.tell("desk/search.judge", Event.FAILED).says(
            "show withheld of desk/search", "finish failed by desk with desk/search.judge"
        )
        # The effect happened, so only the judge is asked again.
        talk.resumed("failed").says("perform desk/search.judge:2")
        talk.tell("desk/search.judge:2", Event.PASSED).says("perform desk/model:2")

    def test_the_output_that_stops_a_run_is_the_one_that_was_judged(self) -> None:
        desk = agent("desk", functions="search", judged="search", stop=STOP_ON_FIRST)
        talk = Dialogue(desk).reply("desk/model", calls="search").returned("desk/search")
        talk.tell("desk/search.judge", Event.REJECTED)
        talk.ends("finish done by desk with desk/search.judge")


class TestHooks:
    """Hooks are phases of the lanes they are about, where any are set."""

    def test_an_agent_is_greeted_once_for_each_arrival(self) -> None:
        desk = agent("desk", functions="search", handoffs="back")
        talk = Dialogue(desk, agent("back"), hooked=True).says(*GREETED)
        arriving = talk.state
        talk.done("desk/model.greet").says("perform desk/model")
        assert (arriving.arriving, talk.state.arriving) == (True, False)
        talk.reply("desk/model").says("perform desk/model.tell")
        talk.done("desk/model.tell").says("show reply of desk/model", "perform desk/model:2")
        talk.reply("desk/model:2", handoffs="back").done("desk/model.tell:2", "desk/to_back")
        talk.ends("perform back/model.greet")

    def test_an_agent_whose_greeting_failed_is_greeted_on_the_way_back(self) -> None:
        talk = Dialogue(agent("desk"), hooked=True).tell("desk/model.greet", Event.FAILED)
        talk.passing_over().resumed("failed").says("perform desk/model.greet:2")

    def test_hooks_hear_of_a_call_before_its_output_is_shown(self) -> None:
        talk = Dialogue(agent("desk", functions="search"), hooked=True)
        talk.done("desk/model.greet").reply("desk/model", calls="search").done("desk/model.tell")
        talk.passing_over().returned("desk/search").says("perform desk/search.tell")
        talk.done("desk/search.tell").says("show output of desk/search", "perform desk/model:2")

    def test_a_hook_that_fails_after_a_call_leaves_the_output_shown_and_the_call_made(self) -> None:
        talk = Dialogue(agent("desk", functions="search"), hooked=True)
        talk.done("desk/model.greet").reply("desk/model", calls="search").done("desk/model.tell")
        talk.returned("desk/search").passing_over().tell("desk/search.tell", Event.FAILED)
        talk.says("show output of desk/search", "finish failed by desk with desk/search.tell")
        talk.resumed("failed").says("perform desk/search.tell:2")
        talk.done("desk/search.tell:2").says("perform desk/model:2")

    def test_a_reply_with_an_unknown_call_stays_hidden_if_the_hook_about_it_fails(self) -> None:
        talk = Dialogue(agent("desk"), hooked=True).passing_over().done("desk/model.greet")
        talk.answer("desk/model", Event.REPLIED, Reply(verdict=Verdict.UNKNOWN)).passing_over()
        talk.tell("desk/model.tell", Event.FAILED)
        talk.says("finish failed by desk with desk/model.tell")

    def test_a_call_that_was_not_made_is_not_told_of(self) -> None:
        talk = Dialogue(agent("desk", functions="search", approved="search"), hooked=True)
        talk.done("desk/model.greet").reply("desk/model", calls="search").done("desk/model.tell")
        talk.tell("desk/search.hold", Event.REJECTED).ends("perform desk/model:2")

    def test_the_end_of_an_agent_is_announced(self) -> None:
        talk = Dialogue(agent("desk", checks="polite"), hooked=True)
        talk.done("desk/model.greet").final("desk/model").done("desk/model.tell")
        talk.passing_over(4).says("show reply of desk/model", "perform desk/end")
        talk.done("desk/end").says("perform desk/polite")

    def test_a_run_without_hooks_counts_the_states_in_which_only_hooks_have_work(self) -> None:
        plain = Dialogue(agent("desk")).final("desk/model")
        hooked = Dialogue(agent("desk"), hooked=True)
        hooked.done("desk/model.greet").final("desk/model").done("desk/model.tell", "desk/end")
        for end in (plain.state, hooked.state):
            assert (end.state, end.sequence, end.entered) == ("done", 5, 5)

    def test_an_announcement_that_fails_fails_the_run(self) -> None:
        talk = Dialogue(agent("desk"), hooked=True)
        talk.done("desk/model.greet").final("desk/model").done("desk/model.tell")
        talk.tell("desk/end", Event.FAILED).ends("finish failed by desk with desk/end")
        talk.resumed("failed").says("perform desk/end:2")
        talk.done("desk/end:2").says("finish done by desk with desk/model")


class TestRetries:
    """A failed model call is made again as often as is declared, beside the guardrails."""

    def test_a_retry_waits_and_tries_again(self) -> None:
        talk = Dialogue(agent("desk", tries=2)).passing_over()
        talk.tell("desk/model", Event.RETRY).says("perform desk/model.wait")
        talk.done("desk/model.wait").says("perform desk/model:2")
        talk.tell("desk/model:2", Event.RETRY).done("desk/model.wait:2").passing_over()
        talk.final("desk/model:3").ends("finish done by desk with desk/model:3")
        assert talk.state.turn == 1

    def test_guardrails_beside_the_model_do_not_notice(self) -> None:
        talk = Dialogue(agent("desk", parallel="tone", tries=1)).passing_over()
        talk.tell("desk/model", Event.RETRY).says("perform desk/model.wait")
        talk.tell("desk/tone", Event.TRIPPED).says("finish blocked by desk with desk/tone")

    def test_a_model_that_failed_for_good_is_tried_afresh_on_the_way_back(self) -> None:
        talk = Dialogue(agent("desk", tries=1)).tell("desk/model", Event.RETRY)
        talk.done("desk/model.wait").tell("desk/model:2", Event.FAILED).resumed("failed")
        talk.passing_over().tell("desk/model:3", Event.RETRY).says("perform desk/model.wait:2")

    def test_a_run_stopped_while_it_waits_goes_on_waiting(self) -> None:
        talk = Dialogue(agent("desk", tries=1)).tell("desk/model", Event.RETRY).passing_over()
        talk.outside(Event.STOPPED).says("finish stopped by desk")
        talk.resumed("stopped").says("perform desk/model.wait")
        talk.done("desk/model.wait").says("perform desk/model:2")


class TestSessions:
    """A session is loaded before anything else and saved before a run comes to rest."""

    def test_it_is_loaded_first_and_saved_before_each_later_turn_and_at_the_end(self) -> None:
        talk = Dialogue(agent("desk"), session=True)
        talk.says("show agent desk", "perform session/load")
        talk.done("session/load").says("perform desk/model")
        talk.reply("desk/model").says("show reply of desk/model", "perform desk/model.save")
        talk.done("desk/model.save").says("perform desk/model:2")
        talk.final("desk/model:2").says("show reply of desk/model:2", "perform session/save")
        talk.done("session/save").says("finish done by desk with desk/model:2")

    def test_a_run_without_a_turn_left_loads_it_all_the_same(self) -> None:
        talk = Dialogue(agent("desk"), session=True, limit=0).done("session/load")
        talk.says("show agent desk", "perform session/load", "perform session/save")

    def test_a_session_that_cannot_be_loaded_is_not_saved(self) -> None:
        talk = Dialogue(agent("desk"), session=True).passing_over()
        talk.tell("session/load", Event.FAILED).says("finish failed by desk with session/load")
        talk.resumed("failed").says("perform session/load:2")

    def test_a_save_that_fails_is_made_again_without_asking_the_model(self) -> None:
        talk = Dialogue(agent("desk"), session=True).done("session/load").final("desk/model")
        talk.passing_over().tell("session/save", Event.FAILED).says("finish unsaved by desk")
        talk.resumed("unsaved").says("perform session/save:2")
        talk.done("session/save:2").says("finish done by desk with desk/model")

    def test_a_save_that_fails_after_a_failure_keeps_what_went_wrong(self) -> None:
        talk = Dialogue(agent("desk"), session=True).done("session/load").passing_over()
        talk.tell("desk/model", Event.FAILED).says("perform session/save")
        talk.tell("session/save", Event.FAILED).says("finish unsaved by desk with desk/model")
        talk.resumed("unsaved").done("session/save:2").passing_over()
        talk.resumed("failed").says("perform desk/model:2")

    @pytest.mark.parametrize("event", [Event.STOPPED, Event.CANCELLED, Event.EXPIRED])
    def test_a_save_that_is_stopped_leaves_the_run_unsaved(self, event: Event) -> None:
        talk = Dialogue(agent("desk"), session=True).done("session/load").final("desk/model")
        talk.passing_over().outside(event).says("finish unsaved by desk")

    @pytest.mark.parametrize(
        ("ends", "kept"),
        [("done", "all"), ("blocked", "withheld"), ("exhausted", "all"), ("failed", "settled")],
    )
    def test_each_final_says_what_is_kept(self, ends: str, kept: str) -> None:
        machine = machine_of(agent("desk"))
        (lane,) = machine.state[f"saving.{ends}"].invokes
        assert lane.phases[0].keep == kept

    def test_a_failure_while_the_output_is_checked_keeps_that_output(self) -> None:
        talk = Dialogue(agent("desk", checks="polite"), session=True).done("session/load")
        talk.final("desk/model").tell("desk/polite", Event.FAILED)
        assert talk.state.state == "saving.failed.judged"
        (lane,) = talk.machine.state[talk.state.state].invokes
        assert lane.phases[0].keep == "all"


class TestPlaces:
    """No more lanes of a group are at work than it has places; the others wait in call order."""

    def test_function_tools_share_the_places_of_the_run(self) -> None:
        desk = agent("desk", functions="search fetch", actions="shell")
        talk = Dialogue(desk, policy=Policy(places=2))
        talk.reply("desk/model", calls="search fetch search shell fetch").passing_over(3)
        talk.says("perform desk/search", "perform desk/fetch", "perform desk/shell")
        talk.returned("desk/fetch").says("perform desk/search:2")
        talk.returned("desk/search").says(
            "show output of desk/search", "show output of desk/fetch", "perform desk/fetch:2"
        )

    def test_other_actions_are_at_work_one_at_a_time_for_each_tool(self) -> None:
        talk = calling("shell shell search").says("perform desk/shell", "perform desk/search")
        talk.returned("desk/shell").says("show output of desk/shell", "perform desk/shell:2")

    def test_a_place_goes_to_the_next_of_its_own_group(self) -> None:
        desk = agent("desk", functions="search", actions="shell")
        talk = Dialogue(desk, policy=Policy(places=1))
        talk.reply("desk/model", calls="shell shell search search").passing_over(3)
        talk.says("perform desk/shell", "perform desk/search")
        talk.returned("desk/search").says("perform desk/search:2")
        talk.returned("desk/shell").says("show output of desk/shell", "perform desk/shell:2")

    def test_on_the_way_back_what_was_at_work_has_its_place_and_what_waited_does_not(self) -> None:
        talk = calling("shell shell", approved="shell").passing_over()
        talk.tell("desk/shell.hold", Event.AWAITING).outside(Event.STOPPED).passing_over()
        talk.resumed("stopped").says("perform desk/shell.hold:2")
        talk.tell("desk/shell.hold:2", Event.REJECTED).says("perform desk/shell.hold:3")

    def test_a_call_that_waits_for_a_person_gives_its_place_away(self) -> None:
        talk = calling("shell shell", approved="shell").says("perform desk/shell.hold")
        talk.tell("desk/shell.hold", Event.AWAITING).says("perform desk/shell.hold:2")
        talk.tell("desk/shell.hold:2", Event.AWAITING)
        talk.says("suspend for desk/shell.hold, desk/shell.hold:2")
        # On the way back they take places again.
        talk.resumed("suspended").says("perform desk/shell.hold:3")
        talk.tell("desk/shell.hold:3", Event.REJECTED)
        talk.says("show output of desk/shell.hold:3", "perform desk/shell.hold:4")


def test_what_has_acted_is_known_of_each_agent() -> None:
    talk = Dialogue(agent("desk", functions="search", handoffs="back"), agent("back"))
    talk.reply("desk/model")
    assert talk.state.acted == frozenset()
    talk.reply("desk/model:2", calls="search").returned("desk/search")
    assert talk.state.acted == {"desk"}
    talk.reply("desk/model:3", handoffs="back").done("desk/to_back")
    talk.final("back/model")
    assert talk.state.acted == {"desk"}


def test_a_reply_of_hosted_calls_alone_counts_as_acting() -> None:
    machine = machine_of(agent("desk"))
    talk = Dialogue(agent("desk"))
    hosted = Reply(verdict=Verdict.AGAIN, active=True)
    talk.answer("desk/model", Event.REPLIED, hosted)
    assert talk.state.acted == {"desk"}
    assert start(machine, Facts())[0].acted == frozenset()
