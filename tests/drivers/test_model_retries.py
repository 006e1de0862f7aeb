"""`ModelSettings.retry`: which failed calls are made again, when, and what is told of it. Defaults
and rules are those of SDK 0.24."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from agentgraph import (
    Agent,
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelRetryBackoffSettings,
    ModelRetrySettings,
    ModelSettings,
    RetryDecision,
    RetryPolicyContext,
    RunConfig,
    RunHooks,
    retry_policies,
)
from agentgraph.drivers.work import retries
from agentgraph.drivers.work.retries import delay_after_lock, delay_before
from agentgraph.items import ModelResponse
from agentgraph.models.interface import Model
from agentgraph.retry import RetryPolicy
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.conftest import Play
from tests.api.scenarios import locked


class Flaky(Model):
    """A model that fails before it answers.

    Args:
        failures: What it raises, one an attempt.
        advice: What it says of each failure.
        late: Whether a stream gives its first event before it fails.
    """

    def __init__(
        self, *failures: BaseException, advice: ModelRetryAdvice | None = None, late: bool = False
    ) -> None:
        self.failures, self.advice, self.late = list(failures), advice, late
        self.answers = ScriptedModel([[assistant_message("at last")]])
        self.attempts = 0
        self.asked: list[ModelRetryAdviceRequest] = []

    async def get_response(self, *args: Any, **named: Any) -> ModelResponse:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return await self.answers.get_response(*args, **named)

    async def stream_response(self, *args: Any, **named: Any) -> AsyncIterator[Any]:
        self.attempts += 1
        if self.failures and not self.late:
            raise self.failures.pop(0)
        async for event in self.answers.stream_response(*args, **named):
            yield event
            if self.failures:
                raise self.failures.pop(0)

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        self.asked.append(request)
        return self.advice


def always(context: RetryPolicyContext) -> bool:
    return True


def asking(model: Flaky, policy: RetryPolicy | None = always, most: int | None = 2) -> Agent[Any]:
    """An agent that has failed calls made again, at once."""
    backoff = ModelRetryBackoffSettings(initial_delay=0)
    retry = ModelRetrySettings(max_retries=most, backoff=backoff, policy=policy)
    return Agent(name="Asker", model=model, model_settings=ModelSettings(retry=retry))


async def test_a_call_is_made_until_it_is_answered(play: Play) -> None:
    model = Flaky(ValueError("a"), ValueError("b"))
    played = await play(asking(model))
    assert (played.final, model.attempts) == ("at last", 3)
    assert [(request.attempt, str(request.error)) for request in model.asked] == [
        (1, "a"),
        (2, "b"),
    ]
    assert len(played.result.raw_responses) == 1


async def test_every_attempt_is_a_request_that_was_spent(play: Play) -> None:
    usage = (await play(asking(Flaky(ValueError("a"))))).result.context_wrapper.usage
    assert usage.requests == 2
    assert (await play(asking(Flaky()))).result.context_wrapper.usage.requests == 1


async def test_after_the_last_attempt_its_failure_is_raised(play: Play) -> None:
    model = Flaky(*(ValueError(str(number)) for number in range(9)))
    with pytest.raises(ValueError, match="2"):
        await play(asking(model))
    assert model.attempts == 3


@pytest.mark.parametrize(
    ("policy", "most"), [(None, 2), (always, 0), (always, None), (retry_policies.never(), 2)]
)
async def test_without_a_policy_that_wants_it_nothing_is_repeated(
    play: Play, policy: RetryPolicy | None, most: int | None
) -> None:
    model = Flaky(ValueError("a"))
    with pytest.raises(ValueError, match="a"):
        await play(asking(model, policy, most))
    assert model.attempts == 1


async def test_what_a_policy_raises_ends_the_run(play: Play) -> None:
    def undecided(context: RetryPolicyContext) -> bool:
        raise LookupError("no rule")

    with pytest.raises(LookupError, match="no rule"):
        await play(asking(Flaky(ValueError("a")), undecided))


async def test_hooks_hear_of_one_call(play: Play) -> None:
    heard: list[str] = []

    class Ears(RunHooks[Any]):
        async def on_llm_start(self, *args: Any) -> None:
            heard.append("start")

        async def on_llm_end(self, *args: Any) -> None:
            heard.append("end")

    await play(asking(Flaky(ValueError("a"))), hooks=Ears())
    assert heard == ["start", "end"]


async def test_a_stream_of_which_something_was_shown_is_not_begun_again() -> None:
    model = Flaky(ValueError("a"), late=True)
    with pytest.raises(ValueError, match="a"):
        await Play(True)(asking(model))
    assert model.attempts == 1


async def test_one_attempt_that_takes_too_long_is_a_timeout(play: Play) -> None:
    model = Flaky(TimeoutError())
    assert (await play(asking(model, retry_policies.network_error()))).final == "at last"


async def test_the_runs_settings_are_merged_with_the_agents(play: Play) -> None:
    agent = asking(Flaky(ValueError("a"), ValueError("b")), most=1)
    config = RunConfig(model_settings=ModelSettings(retry=ModelRetrySettings(max_retries=2)))
    assert (await play(agent, run_config=config)).final == "at last"


UNSAFE = ModelRetryAdvice(suggested=True, replay_safety="unsafe")
SAFE = ModelRetryAdvice(suggested=True, replay_safety="safe")
KEPT = {"previous_response_id": "r1"}


@pytest.mark.parametrize(
    ("advice", "decision", "conversation", "plain", "streamed"),
    [
        (UNSAFE, True, {}, False, False),
        (UNSAFE, RetryDecision(retry=True, approve_unsafe_replay=True), {}, True, False),
        (SAFE, True, {}, True, True),
        (None, True, KEPT, False, False),
        (None, True, {"conversation_id": "c1"}, False, False),
        (SAFE, True, KEPT, True, True),
        (ModelRetryAdvice(suggested=False), True, {}, True, True),
    ],
)
async def test_what_may_have_had_an_effect_is_not_repeated(
    play: Play,
    advice: ModelRetryAdvice | None,
    decision: bool | RetryDecision,
    conversation: dict[str, str],
    plain: bool,
    streamed: bool,
) -> None:
    agent = asking(Flaky(ValueError("a"), advice=advice), lambda context: decision)
    if streamed if play.streamed else plain:
        assert (await play(agent, **conversation)).final == "at last"
        return
    with pytest.raises(ValueError, match="a"):
        await play(agent, **conversation)


@pytest.fixture
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "WAITS_FOR_LOCK", (0.0, 0.0, 0.0))


@pytest.mark.usefixtures("_no_time_passes")
class TestALockedConversation:
    """Another request has the stored conversation, so the call is refused."""

    @pytest.mark.parametrize(("refusals", "answers"), [(1, True), (3, True), (4, False)])
    async def test_is_asked_three_times_more(
        self, play: Play, refusals: int, answers: bool
    ) -> None:
        model = Flaky(*(locked() for _ in range(refusals)))
        agent = Agent[Any](name="Asker", model=model)
        if answers:
            played = await play(agent, conversation_id="c1")
            assert played.result.context_wrapper.usage.requests == refusals + 1
        else:
            with pytest.raises(openai.BadRequestError, match="busy"):
                await play(agent, conversation_id="c1")
        assert model.attempts == min(refusals + 1, 4)

    async def test_does_not_count_among_the_repetitions_of_a_policy(self, play: Play) -> None:
        failures = (locked(), ValueError("a"), locked(), ValueError("b"), locked())
        model = Flaky(*failures)
        assert (await play(asking(model))).final == "at last"
        assert [(request.attempt, str(request.error)) for request in model.asked] == [
            (1, "a"),
            (2, "b"),
        ]

    async def test_is_a_failure_like_others_once_it_was_waited_for_three_times(
        self, play: Play
    ) -> None:
        model = Flaky(*(locked() for _ in range(5)))
        assert (await play(asking(model))).final == "at last"
        assert [request.attempt for request in model.asked] == [1, 2]

    async def test_is_not_asked_again_where_settings_forbid_repetitions(self, play: Play) -> None:
        model = Flaky(locked())
        with pytest.raises(openai.BadRequestError, match="busy"):
            await play(asking(model, most=0))
        assert model.attempts == 1

    async def test_is_waited_for_by_an_agent_that_is_a_tool(self, play: Play) -> None:
        model = Flaky(locked())
        tool = Agent[Any](name="Inner", model=model).as_tool("ask", "Ask.")
        script = ScriptedModel(
            [[function_call("ask", {"input": "?"}, call_id="c1")], [assistant_message("done")]]
        )
        played = await play(Agent[Any](name="Outer", model=script, tools=[tool]))
        assert (played.final, model.attempts) == ("done", 2)

    async def test_is_not_asked_again_once_something_was_shown(self) -> None:
        model = Flaky(locked(), late=True)
        with pytest.raises(openai.BadRequestError, match="busy"):
            await Play(True)(Agent[Any](name="Asker", model=model))
        assert model.attempts == 1


def test_waits_for_a_locked_conversation_double() -> None:
    assert [delay_after_lock(None, locked(), locks) for locks in range(4)] == [1, 2, 4, None]


@pytest.mark.parametrize(
    ("backoff", "named", "waits"),
    [
        ({"jitter": False}, None, [0.25, 0.5, 1, 2, 2]),
        (
            {"initial_delay": 1, "multiplier": 3, "max_delay": 5, "jitter": False},
            None,
            [1, 3, 5, 5, 5],
        ),
        ({"jitter": False}, 7.0, [7, 7, 7, 7, 7]),
        ({"initial_delay": 0}, None, [0, 0, 0, 0, 0]),
    ],
)
def test_waits_grow_up_to_the_longest(
    backoff: dict[str, Any], named: float | None, waits: list[float]
) -> None:
    settings = ModelRetryBackoffSettings(**backoff)
    assert [delay_before(settings, attempt, named) for attempt in range(1, 6)] == waits


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.875), (0.5, 1.0), (1.0, 1.125)])
def test_a_wait_is_varied_by_an_eighth_and_never_longer_than_the_longest(
    chance: float, wait: float
) -> None:
    settings = ModelRetryBackoffSettings(initial_delay=1)
    assert delay_before(settings, 1, None, lambda: chance) == wait
    assert delay_before(settings, 10_000, None, lambda: 1.0) == 2
