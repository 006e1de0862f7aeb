"""Calls of a reply: started together, shown in call order, approved, and able to end the run."""

from __future__ import annotations

import pytest

from agentgraph_compiler.ir.chart import Stop
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import NEVER_STOP, STOP_ON_FIRST, agent, ask, stop_at
from tests.runtime.dialogue import Dialogue


def desk(*, stop: Stop = NEVER_STOP, checks: str = "") -> Dialogue:
    """A desk that has just been asked for its first reply."""
    clerk = agent(
        "desk", functions="search fetch", actions="shell", agents="expert", stop=stop, checks=checks
    )
    return Dialogue(clerk).says("show agent desk", "perform desk/model")


def searching(calls: str = "search fetch search", *, stop: Stop = NEVER_STOP) -> Dialogue:
    """A desk whose first reply asked for ``calls``; what it said to that is heard."""
    return desk(stop=stop).reply("desk/model", calls=calls).passing_over()


def test_every_call_of_a_reply_starts_at_once_in_call_order() -> None:
    desk().reply("desk/model", calls="search fetch search shell expert").says(
        "show reply of desk/model",
        "perform desk/search",
        "perform desk/fetch",
        "perform desk/search:2",
        "perform desk/shell",
        "perform desk/expert",
    )


def test_outputs_are_shown_in_call_order_each_as_soon_as_none_before_it_is_missing() -> None:
    talk = searching()
    talk.returned("desk/fetch").says()
    talk.returned("desk/search").says("show output of desk/search", "show output of desk/fetch")
    talk.returned("desk/search:2").says("show output of desk/search:2", "perform desk/model:2")


@pytest.mark.parametrize("verdict", [Verdict.FINAL, Verdict.REFUSED, Verdict.INVALID])
def test_a_message_beside_a_call_is_not_judged(verdict: Verdict) -> None:
    talk = desk().reply("desk/model", verdict, calls="search")
    talk.says("show reply of desk/model", "perform desk/search")
    talk.returned("desk/search").says("show output of desk/search", "perform desk/model:2")


def test_a_call_of_a_tool_nobody_has_fails_the_run_before_any_sibling_starts() -> None:
    talk = desk().reply("desk/model", Verdict.UNKNOWN, calls="search")
    talk.says("finish failed by desk with desk/model")


def test_a_call_of_a_tool_nobody_has_is_answered_where_the_run_asks_for_that() -> None:
    talk = Dialogue(agent("desk"), policy=Policy(answers_missing_tools=True))
    talk.says("show agent desk", "perform desk/model")
    talk.reply("desk/model", calls="missing_tool")
    talk.says("show reply of desk/model", "perform desk/missing_tool")
    talk.returned("desk/missing_tool")
    talk.says("show output of desk/missing_tool", "perform desk/model:2")


def test_a_failing_call_ends_the_run_at_once_and_finished_outputs_are_shown_first() -> None:
    talk = searching("search fetch shell expert")
    talk.returned("desk/expert", "desk/fetch").says()
    talk.tell("desk/shell", Event.FAILED).says(
        "show output of desk/fetch",
        "show output of desk/expert",
        "finish failed by desk with desk/shell",
    )


def test_an_output_shown_before_a_sibling_failed_is_not_shown_again() -> None:
    talk = searching("search fetch shell")
    talk.returned("desk/search").says("show output of desk/search")
    talk.tell("desk/fetch", Event.FAILED).says("finish failed by desk with desk/fetch")


def test_a_failing_call_leaves_a_call_that_waits_for_approval_without_an_output() -> None:
    talk = searching("search fetch")
    talk.tell("desk/search", Event.AWAITING)
    talk.tell("desk/fetch", Event.FAILED).says("finish failed by desk with desk/fetch")


class TestApproval:
    """A call that waits for approval suspends the run once its siblings are done."""

    def test_siblings_finish_and_are_shown_before_the_run_is_suspended(self) -> None:
        talk = searching()
        talk.tell("desk/fetch", Event.AWAITING).says()
        talk.returned("desk/search").says("show output of desk/search")
        talk.returned("desk/search:2")
        talk.says("show output of desk/search:2", "suspend for desk/fetch")

    def test_resuming_repeats_only_the_calls_that_waited(self) -> None:
        talk = searching()
        talk.tell("desk/search", Event.AWAITING).returned("desk/fetch")
        talk.says("show output of desk/fetch")
        talk.tell("desk/search:2", Event.AWAITING)
        talk.says("suspend for desk/search, desk/search:2")
        talk.tell("suspended", Event.RESUMED).says("perform desk/search:3", "perform desk/search:4")
        talk.returned("desk/search:4").says()
        talk.returned("desk/search:3").says(
            "show output of desk/search:3", "show output of desk/search:4", "perform desk/model:2"
        )

    def test_calls_wait_in_call_order_whichever_asked_first(self) -> None:
        talk = searching("search fetch shell")
        for label in ("desk/shell", "desk/search", "desk/fetch"):
            talk.tell(label, Event.AWAITING)
        talk.says("suspend for desk/search, desk/fetch, desk/shell")

    def test_a_decision_on_one_of_two_calls_suspends_again_for_the_other(self) -> None:
        talk = searching("search fetch")
        talk.tell("desk/search", Event.AWAITING).tell("desk/fetch", Event.AWAITING)
        talk.says("suspend for desk/search, desk/fetch")
        talk.tell("suspended", Event.RESUMED).says("perform desk/search:2", "perform desk/fetch:2")
        talk.tell("desk/search:2", Event.AWAITING).returned("desk/fetch:2")
        talk.says("show output of desk/fetch:2", "suspend for desk/search:2")
        talk.tell("suspended:2", Event.RESUMED).says("perform desk/search:3")
        talk.returned("desk/search:3")
        talk.says("show output of desk/search:3", "perform desk/model:2")

    def test_resuming_charges_no_turn(self) -> None:
        talk = Dialogue(agent("desk", functions="search"), limit=2)
        talk.reply("desk/model", calls="search").tell("desk/search", Event.AWAITING)
        talk.tell("suspended", Event.RESUMED)
        assert talk.state.turn == 1
        talk.returned("desk/search:2")
        assert talk.state.turn == 2

    def test_the_output_that_stops_a_run_is_that_of_the_last_performance_of_the_call(self) -> None:
        talk = searching("search fetch", stop=STOP_ON_FIRST)
        talk.tell("desk/search", Event.AWAITING).returned("desk/fetch")
        talk.tell("suspended", Event.RESUMED).returned("desk/search:2")
        talk.ends("finish done by desk with desk/search:2")

    def test_a_call_of_an_earlier_turn_that_waited_is_forgotten_in_the_next(self) -> None:
        talk = searching("search")
        talk.tell("desk/search", Event.AWAITING).tell("suspended", Event.RESUMED)
        talk.returned("desk/search:2").reply("desk/model:2", calls="fetch")
        talk.passing_over()
        talk.returned("desk/fetch").says("show output of desk/fetch", "perform desk/model:3")


class TestStopRules:
    """Whether an output ends the run: the first, a named one, or as a callable decides."""

    def test_the_first_call_stops_the_run_whichever_finished_first(self) -> None:
        talk = searching("search fetch", stop=STOP_ON_FIRST)
        talk.returned("desk/fetch", "desk/search").says(
            "show output of desk/search",
            "show output of desk/fetch",
            "finish done by desk with desk/search",
        )

    def test_only_function_tools_count(self) -> None:
        talk = searching("shell expert search", stop=STOP_ON_FIRST)
        talk.returned("desk/shell", "desk/expert", "desk/search")
        talk.ends("finish done by desk with desk/expert")

    @pytest.mark.parametrize("stop", [STOP_ON_FIRST, ask("desk")], ids=["first", "asked"])
    def test_a_reply_without_function_tools_goes_on(self, stop: Stop) -> None:
        talk = searching("shell", stop=stop).returned("desk/shell")
        talk.says("show output of desk/shell", "perform desk/model:2")

    def test_a_named_tool_stops_the_run_and_others_do_not(self) -> None:
        talk = searching("search", stop=stop_at("fetch")).returned("desk/search")
        talk.says("show output of desk/search", "perform desk/model:2")
        talk.reply("desk/model:2", calls="search fetch").returned("desk/search:2", "desk/fetch")
        talk.ends("finish done by desk with desk/fetch")

    def test_a_callable_that_accepts_ends_the_run_with_what_it_gave(self) -> None:
        talk = searching("search", stop=ask("desk")).returned("desk/search")
        talk.says("show output of desk/search", "perform desk/decide")
        talk.tell("desk/decide", Event.ACCEPTED).says("finish done by desk with desk/decide")

    def test_a_callable_that_declines_gives_the_model_another_turn(self) -> None:
        talk = searching("search", stop=ask("desk")).returned("desk/search")
        talk.says("show output of desk/search", "perform desk/decide")
        talk.tell("desk/decide", Event.DECLINED).says("perform desk/model:2")

    def test_a_callable_that_raises_fails_the_run(self) -> None:
        talk = searching("search", stop=ask("desk")).returned("desk/search")
        talk.says("show output of desk/search", "perform desk/decide")
        talk.tell("desk/decide", Event.FAILED).says("finish failed by desk with desk/decide")

    def test_an_output_that_stops_the_run_passes_the_output_guardrails(self) -> None:
        talk = desk(stop=STOP_ON_FIRST, checks="polite").reply("desk/model", calls="search")
        talk.returned("desk/search")
        talk.ends("perform desk/polite")
        talk.tell("desk/polite", Event.PASSED)
        talk.ends("finish done by desk with desk/search")
