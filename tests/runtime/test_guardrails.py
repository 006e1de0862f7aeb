"""Guardrails: before the first turn, beside it with the barrier, and on the final output."""

from __future__ import annotations

import pytest

from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import agent
from tests.runtime.dialogue import Dialogue


def guarded(*, blocking: str = "", parallel: str = "", checks: str = "") -> Dialogue:
    """An agent with guardrails, a tool, and another agent to hand off to."""
    front = agent(
        "front",
        functions="search",
        handoffs="back",
        blocking=blocking,
        parallel=parallel,
        checks=checks,
    )
    return Dialogue(front, agent("back"))


class TestBlocking:
    """A blocking guardrail passes before the model is called at all."""

    def test_all_of_them_start_together_and_the_model_waits_for_the_last(self) -> None:
        talk = guarded(blocking="tone topic")
        talk.says("show agent front", "perform front/tone", "perform front/topic")
        talk.tell("front/topic", Event.PASSED).says()
        assert talk.state.turn == 0
        talk.tell("front/tone", Event.PASSED).says("perform front/model")
        assert talk.state.turn == 1

    def test_they_pass_before_the_parallel_ones_start(self) -> None:
        talk = guarded(blocking="tone", parallel="topic")
        talk.says("show agent front", "perform front/tone")
        talk.tell("front/tone", Event.PASSED).says("perform front/topic", "perform front/model")

    @pytest.mark.parametrize(
        ("event", "kind"), [(Event.TRIPPED, "blocked"), (Event.FAILED, "failed")]
    )
    def test_one_that_trips_or_raises_ends_the_run_without_waiting(
        self, event: Event, kind: str
    ) -> None:
        talk = guarded(blocking="tone topic").passing_over().tell("front/topic", event)
        talk.says(f"finish {kind} by front with front/topic")


class TestBarrier:
    """The model may think beside a guardrail; its reply takes effect when all passed (rule 9)."""

    @pytest.mark.parametrize("last", ["front/tone", "front/topic", "front/model"])
    def test_nothing_of_the_reply_is_shown_or_started_before_all_passed(self, last: str) -> None:
        talk = guarded(parallel="tone topic")
        talk.says(
            "show agent front", "perform front/tone", "perform front/topic", "perform front/model"
        )
        for work in sorted({"front/tone", "front/topic", "front/model"} - {last}):
            answer(talk, work, calls="search").says()
        answer(talk, last, calls="search").says("show reply of front/model", "perform front/search")

    @pytest.mark.parametrize("last", ["front/tone", "front/model"])
    def test_a_handoff_waits_for_the_barrier(self, last: str) -> None:
        talk = guarded(parallel="tone").passing_over()
        for work in sorted({"front/tone", "front/model"} - {last}):
            answer(talk, work, handoffs="back").says()
        answer(talk, last, handoffs="back")
        talk.says("show reply of front/model", "perform front/to_back")

    @pytest.mark.parametrize("last", ["front/tone", "front/model"])
    def test_a_final_output_waits_for_the_barrier_and_is_that_of_the_reply(self, last: str) -> None:
        talk = guarded(parallel="tone").passing_over()
        for work in sorted({"front/tone", "front/model"} - {last}):
            answer(talk, work, Verdict.FINAL).says()
        answer(talk, last, Verdict.FINAL).says(
            "show reply of front/model", "finish done by front with front/model"
        )

    @pytest.mark.parametrize("last", ["front/tone", "front/model"])
    def test_a_fault_of_the_reply_waits_for_the_barrier_and_is_that_of_the_reply(
        self, last: str
    ) -> None:
        talk = guarded(parallel="tone").passing_over()
        for work in sorted({"front/tone", "front/model"} - {last}):
            answer(talk, work, Verdict.REFUSED).says()
        answer(talk, last, Verdict.REFUSED).says(
            "show reply of front/model", "finish failed by front with front/model"
        )

    @pytest.mark.parametrize(
        ("event", "kind"), [(Event.TRIPPED, "blocked"), (Event.FAILED, "failed")]
    )
    @pytest.mark.parametrize("replied", [False, True])
    def test_a_tripwire_ends_the_run_and_the_reply_is_never_shown(
        self, event: Event, kind: str, replied: bool
    ) -> None:
        talk = guarded(parallel="tone topic").passing_over()
        if replied:
            talk.reply("front/model", calls="search").says()
        talk.tell("front/topic", event).says(f"finish {kind} by front with front/topic")

    def test_a_model_that_fails_does_not_wait_for_the_guardrails(self) -> None:
        talk = guarded(parallel="tone").passing_over().tell("front/model", Event.FAILED)
        talk.says("finish failed by front with front/model")

    def test_guardrails_run_beside_the_first_turn_only(self) -> None:
        talk = guarded(parallel="tone").tell("front/tone", Event.PASSED).passing_over()
        talk.reply("front/model").says("show reply of front/model", "perform front/model:2")


class TestOutput:
    """Output guardrails see the final output, once, when the agent has ended."""

    def test_all_of_them_pass_before_the_run_is_done(self) -> None:
        talk = guarded(checks="polite short").final("front/model").passing_over(3)
        talk.says("perform front/polite", "perform front/short")
        talk.tell("front/short", Event.PASSED).says()
        talk.tell("front/polite", Event.PASSED).says("finish done by front with front/model")

    @pytest.mark.parametrize(
        ("event", "kind"), [(Event.TRIPPED, "blocked"), (Event.FAILED, "failed")]
    )
    def test_one_that_trips_or_raises_ends_the_run_without_waiting(
        self, event: Event, kind: str
    ) -> None:
        talk = guarded(checks="polite short").final("front/model")
        talk.passing_over().tell("front/short", event)
        talk.says(f"finish {kind} by front with front/short")

    def test_they_are_those_of_the_last_agent(self) -> None:
        front = agent("front", handoffs="back", checks="polite")
        talk = Dialogue(front, agent("back", checks="short"))
        talk.reply("front/model", handoffs="back").tell("front/to_back", Event.DONE)
        talk.final("back/model").ends("perform back/short")


def answer(
    talk: Dialogue,
    work: str,
    verdict: Verdict = Verdict.AGAIN,
    *,
    calls: str = "",
    handoffs: str = "",
) -> Dialogue:
    """Let the model reply, or a guardrail pass, whichever ``work`` is."""
    if work.endswith("/model"):
        return talk.reply(work, verdict, calls=calls, handoffs=handoffs)
    return talk.tell(work, Event.PASSED)
