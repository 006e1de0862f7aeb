"""Turns and their limit, handoffs, final outputs, and what happens to a reply that is none."""

from __future__ import annotations

import pytest

from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import STOP_ON_FIRST, agent
from tests.runtime.dialogue import Dialogue

TRIAGE = agent("triage", functions="search", handoffs="math history")
MATH = agent("math", functions="solve", handoffs="triage")
HISTORY = agent("history")
ALL_FAULTS = Policy(frozenset({"max_turns", "model_refusal", "invalid_final_output"}))


def school(*, limit: int | None = None, policy: Policy = DEFAULT_POLICY) -> Dialogue:
    """A triage agent with two tutors."""
    return Dialogue(TRIAGE, MATH, HISTORY, limit=limit, policy=policy)


def test_a_final_reply_ends_the_run() -> None:
    talk = school().says("show agent triage", "perform triage/model")
    talk.final("triage/model").says(
        "show reply of triage/model", "finish done by triage with triage/model"
    )


def test_a_reply_that_is_not_final_gives_the_model_another_turn() -> None:
    talk = school().passing_over().reply("triage/model", Verdict.AGAIN)
    talk.says("show reply of triage/model", "perform triage/model:2")


def test_a_model_that_fails_fails_the_run() -> None:
    talk = school().tell("triage/model", Event.FAILED)
    talk.ends("finish failed by triage with triage/model")


class TestHandoffs:
    """A handoff shows the reply, its output, and the new agent, which then thinks."""

    def test_the_target_is_shown_before_it_thinks(self) -> None:
        talk = school().passing_over().reply("triage/model", handoffs="math")
        talk.says("show reply of triage/model", "perform triage/to_math")
        talk.tell("triage/to_math", Event.DONE)
        talk.says("show handoff of triage/to_math", "show agent math", "perform math/model")

    @pytest.mark.parametrize(
        ("asked", "taken"), [("math history", "math"), ("history math", "history")]
    )
    def test_of_several_handoffs_the_first_counts(self, asked: str, taken: str) -> None:
        talk = school().passing_over().reply("triage/model", handoffs=asked)
        talk.says("show reply of triage/model", f"perform triage/to_{taken}")

    def test_calls_beside_a_handoff_run_before_it(self) -> None:
        talk = school().passing_over().reply("triage/model", calls="search", handoffs="math")
        talk.says("show reply of triage/model", "perform triage/search")
        talk.returned("triage/search").says(
            "show output of triage/search", "perform triage/to_math"
        )

    def test_a_handoff_beats_a_stop_rule_and_a_final_message(self) -> None:
        front = agent("front", functions="search", handoffs="history", stop=STOP_ON_FIRST)
        talk = Dialogue(front, HISTORY)
        talk.reply("front/model", Verdict.FINAL, calls="search", handoffs="history")
        talk.returned("front/search").ends("perform front/to_history")

    def test_a_handoff_back_starts_the_first_agent_again_without_its_guardrails(self) -> None:
        front = agent("front", handoffs="back", blocking="first", parallel="beside")
        talk = Dialogue(front, agent("back", handoffs="front"))
        talk.tell("front/first", Event.PASSED).tell("front/beside", Event.PASSED)
        talk.reply("front/model", handoffs="back").tell("front/to_back", Event.DONE)
        talk.reply("back/model", handoffs="front").passing_over()
        talk.tell("back/to_front", Event.DONE)
        talk.says("show handoff of back/to_front", "show agent front", "perform front/model:2")

    def test_a_handoff_that_fails_fails_the_run_of_the_agent_that_asked(self) -> None:
        talk = school().reply("triage/model", handoffs="math")
        talk.tell("triage/to_math", Event.FAILED)
        talk.ends("finish failed by triage with triage/to_math")


class TestTurnLimit:
    """With a limit of N exactly N model calls are made; what comes next is exhaustion."""

    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_exactly_as_many_turns_as_allowed_begin(self, limit: int) -> None:
        talk = school(limit=limit)
        labels = ["triage/model", *(f"triage/model:{turn}" for turn in range(2, limit + 1))]
        for label in labels:
            talk.ends(f"perform {label}").reply(label)
        talk.says(f"show reply of {labels[-1]}", "finish exhausted by triage")

    def test_a_limit_of_nothing_ends_the_run_before_any_work(self) -> None:
        front = agent("front", blocking="first", parallel="beside")
        Dialogue(front, limit=0).says("show agent front", "finish exhausted by front")

    def test_a_final_reply_in_the_last_turn_is_final(self) -> None:
        talk = school(limit=1).final("triage/model")
        talk.ends("finish done by triage with triage/model")

    def test_the_calls_of_the_last_turn_run_before_exhaustion(self) -> None:
        talk = school(limit=1).reply("triage/model", calls="search").passing_over()
        talk.returned("triage/search")
        talk.says("show output of triage/search", "finish exhausted by triage")

    def test_after_a_handoff_in_the_last_turn_the_target_is_the_last_agent(self) -> None:
        talk = school(limit=1).reply("triage/model", handoffs="math").passing_over()
        talk.tell("triage/to_math", Event.DONE).says(
            "show handoff of triage/to_math", "show agent math", "finish exhausted by math"
        )

    def test_without_a_limit_a_run_goes_on(self) -> None:
        talk = school(limit=None).reply("triage/model")
        for turn in range(2, 200):
            talk.reply(f"triage/model:{turn}")
        talk.ends("perform triage/model:200")


class TestRecovery:
    """An error handler may turn exhaustion, a refusal or an invalid output into a final output."""

    @pytest.mark.parametrize(
        ("verdict", "fault"),
        [(Verdict.REFUSED, "model_refusal"), (Verdict.INVALID, "invalid_final_output")],
    )
    def test_a_fault_of_a_reply_is_recovered_from(self, verdict: Verdict, fault: str) -> None:
        talk = school(policy=ALL_FAULTS).passing_over().reply("triage/model", verdict)
        talk.says("show reply of triage/model", f"perform triage/recover/{fault}")
        talk.tell(f"triage/recover/{fault}", Event.ACCEPTED)
        talk.says(
            f"show output of triage/recover/{fault}",
            f"finish done by triage with triage/recover/{fault}",
        )

    @pytest.mark.parametrize(
        ("verdict", "fault"),
        [(Verdict.REFUSED, "model_refusal"), (Verdict.INVALID, "invalid_final_output")],
    )
    def test_a_declined_fault_fails_with_the_reply_it_was(
        self, verdict: Verdict, fault: str
    ) -> None:
        talk = school(policy=ALL_FAULTS).reply("triage/model", verdict)
        talk.tell(f"triage/recover/{fault}", Event.DECLINED)
        talk.ends("finish failed by triage with triage/model")

    @pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.INVALID])
    def test_without_a_handler_a_fault_fails_the_run_once_the_reply_was_shown(
        self, verdict: Verdict
    ) -> None:
        talk = school().passing_over().reply("triage/model", verdict)
        talk.says("show reply of triage/model", "finish failed by triage with triage/model")

    def test_a_reply_that_asks_for_what_nobody_has_is_not_shown(self) -> None:
        talk = school().passing_over().reply("triage/model", Verdict.UNKNOWN)
        talk.says("finish failed by triage with triage/model")

    def test_a_handler_of_one_fault_does_not_answer_another(self) -> None:
        policy = Policy(frozenset({"model_refusal"}))
        talk = school(policy=policy).passing_over().reply("triage/model", Verdict.INVALID)
        talk.says("show reply of triage/model", "finish failed by triage with triage/model")

    def test_exhaustion_is_recovered_from_by_the_agent_whose_turn_it_was(self) -> None:
        talk = school(policy=ALL_FAULTS, limit=1).reply("triage/model", handoffs="math")
        talk.tell("triage/to_math", Event.DONE).ends("perform math/recover/max_turns")
        talk.tell("math/recover/max_turns", Event.ACCEPTED)
        talk.says(
            "show output of math/recover/max_turns",
            "finish done by math with math/recover/max_turns",
        )

    def test_declined_exhaustion_is_exhaustion(self) -> None:
        talk = school(policy=ALL_FAULTS, limit=0)
        talk.says("show agent triage", "perform triage/recover/max_turns")
        talk.tell("triage/recover/max_turns", Event.DECLINED).says("finish exhausted by triage")

    def test_a_handler_that_raises_fails_the_run_with_what_it_raised(self) -> None:
        talk = school(policy=ALL_FAULTS).reply("triage/model", Verdict.REFUSED)
        talk.tell("triage/recover/model_refusal", Event.FAILED)
        talk.ends("finish failed by triage with triage/recover/model_refusal")
