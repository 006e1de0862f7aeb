"""Repeating a failed model call: if the agent's settings ask for it (`ModelSettings.retry`), and
while another request has the stored conversation.

All other repetitions are the client's. A call is never repeated once a watcher has
seen a part of its reply, nor if it may have had an effect. Hooks see all attempts as one call.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from agentgraph.exceptions import ModelTimeoutError
from agentgraph.items import ModelResponse
from agentgraph.model_settings import WAITS_FOR_LOCK
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import is_locked, normalized_error
from agentgraph.retry import (
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelRetryBackoffSettings,
    ModelRetryNormalizedError,
    ModelRetrySettings,
    RetryDecision,
    RetryPolicyContext,
)
from agentgraph.usage.failures import with_failures
from agentgraph.user_code.callbacks import resolve

# The defaults of SDK 0.24.
_INITIAL_DELAY: Final = 0.25
_MAX_DELAY: Final = 2.0
_MULTIPLIER: Final = 2.0
_JITTER: Final = 0.125


@dataclass(slots=True)
class Attempt:
    """One attempt at a call.

    Args:
        streamed: Whether the response is streamed.
        seen: Whether a watcher has seen a part of it.
        timer: The time limit of the model, if the settings have one.
    """

    streamed: bool
    seen: bool = False
    timer: asyncio.Timeout | None = None

    async def wait_for_watcher(self, full: Awaitable[None]) -> None:
        """Wait for a slow watcher; this time does not count for the model's time limit.

        Args:
            full: Ends when the watcher is ready.
        """
        timer = self.timer
        limit = None if timer is None or timer.expired() else timer.when()
        if timer is None or limit is None:
            await full
            return
        loop = asyncio.get_running_loop()
        begun = loop.time()
        timer.reschedule(None)
        try:
            await full
        finally:
            timer.reschedule(limit + loop.time() - begun)


def delay_before(
    backoff: ModelRetryBackoffSettings | None,
    attempt: int,
    named: float | None,
    chance: Callable[[], float] = random.random,
) -> float:
    """How long to wait before the next attempt, in seconds.

    Args:
        backoff: The backoff settings.
        attempt: The number of attempts so far.
        named: The wait in seconds that the policy or the provider asks for, if any.
        chance: Returns a random number from 0 to 1.
    """
    if named is not None:
        return named
    settings = backoff or ModelRetryBackoffSettings()
    first = _INITIAL_DELAY if settings.initial_delay is None else settings.initial_delay
    longest = _MAX_DELAY if settings.max_delay is None else settings.max_delay
    factor = _MULTIPLIER if settings.multiplier is None else settings.multiplier
    try:
        delay = min(first * factor ** (attempt - 1), longest)
    except OverflowError:
        delay = longest
    if settings.jitter is not False:
        delay = min(delay * (1 + _JITTER * (2 * chance() - 1)), longest)
    return delay


def delay_after_lock(
    settings: ModelRetrySettings | None, error: Exception, locks: int
) -> float | None:
    """The wait before the next attempt if another request had the stored conversation, in seconds.

    Args:
        settings: How often to repeat a call; zero repetitions forbid these, too.
        error: The failure.
        locks: How many attempts failed for this reason before.

    Returns:
        Seconds; ``None`` if that is not the reason, or was the reason too often.
    """
    if settings is not None and settings.max_retries == 0:
        return None
    return WAITS_FOR_LOCK[locks] if locks < len(WAITS_FOR_LOCK) and is_locked(error) else None


async def delay_after(
    model: Model,
    settings: ModelRetrySettings,
    failure: ModelRetryAdviceRequest,
) -> float | None:
    """The wait before the next attempt.

    Args:
        model: The model, which may advise on a failure.
        settings: How often, when and after which failures to repeat a call.
        failure: The failure.

    Returns:
        Seconds; ``None`` if there is no other attempt.

    Raises:
        Exception: The policy raised it.
    """
    most = settings.max_retries or 0
    if settings.policy is None or failure.attempt > most:
        return None
    advice = await _advice(model, failure)
    facts = _facts(failure.error, advice)
    context = RetryPolicyContext(
        error=failure.error,
        attempt=failure.attempt,
        max_retries=most,
        stream=failure.stream,
        normalized=facts,
        provider_advice=advice,
        previous_response_id=failure.previous_response_id,
        conversation_id=failure.conversation_id,
    )
    answer = await resolve(settings.policy(context))
    decision = answer if isinstance(answer, RetryDecision) else RetryDecision(retry=bool(answer))
    if not decision.retry or not _may_be_repeated(context, decision):
        return None
    backoff: Any = settings.backoff
    named = facts.retry_after if decision.delay is None else decision.delay
    return delay_before(backoff, failure.attempt, named)


def _may_be_repeated(context: RetryPolicyContext, decision: RetryDecision) -> bool:
    """Whether a repetition cannot repeat an effect, or the policy approves one that might."""
    if context.stateful_request:
        # The conversation at the provider may have grown already; only the model can rule that out.
        return context.replay_safety == "safe"
    if context.replay_safety == "unsafe":
        return decision.approve_unsafe_replay and not context.stream
    return True


async def _advice(model: Model, failure: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
    # A model written for an older interface has no such method.
    advise = getattr(model, "get_retry_advice", None)
    advice: ModelRetryAdvice | None = None if advise is None else await resolve(advise(failure))
    return advice


def _facts(error: Exception, advice: ModelRetryAdvice | None) -> ModelRetryNormalizedError:
    normalized = None if advice is None else advice.normalized
    facts = normalized_error(error) if normalized is None else normalized
    if isinstance(error, (TimeoutError, ModelTimeoutError)):
        facts = replace(facts, is_timeout=True)
    if facts.retry_after is None and advice is not None:
        facts = replace(facts, retry_after=advice.retry_after)
    return facts


def counted(response: ModelResponse, failures: int) -> ModelResponse:
    """A response whose usage counts the attempts that failed, none of which reported tokens."""
    return replace(response, usage=with_failures(response.usage, failures))
