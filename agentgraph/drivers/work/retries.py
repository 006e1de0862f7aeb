"""Making a failed model call again, where the agent's settings ask for it (`ModelSettings.retry`).

Without such settings a failure is the client's own to repeat. A call of which something was shown
to whoever watches is never made again, and neither is one that may have had an effect already.
Hooks hear of all attempts as one call.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from agentgraph.exceptions import ModelTimeoutError
from agentgraph.items import ModelResponse
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import normalized_error
from agentgraph.retry import (
    ModelRetryAdvice,
    ModelRetryAdviceRequest,
    ModelRetryBackoffSettings,
    ModelRetryNormalizedError,
    ModelRetrySettings,
    RetryDecision,
    RetryPolicyContext,
)
from agentgraph.usage import RequestUsage, Usage
from agentgraph.user_code.callbacks import resolve

# What SDK 0.24 waits where the settings do not say.
_INITIAL_DELAY: Final = 0.25
_MAX_DELAY: Final = 2.0
_MULTIPLIER: Final = 2.0
_JITTER: Final = 0.125


@dataclass(slots=True)
class Attempt:
    """One attempt at a call.

    Args:
        streamed: Whether the response is streamed.
        shown: Whether something of it was shown already.
        timer: The time that the model has, where the settings limit it.
    """

    streamed: bool
    shown: bool = False
    timer: asyncio.Timeout | None = None

    async def wait_for_watcher(self, full: Awaitable[None]) -> None:
        """Wait for a slow watcher, whose time is not the model's.

        Args:
            full: What to wait for.
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
        backoff: What the settings say of it.
        attempt: How many attempts were made.
        named: The wait that the policy or the provider asks for, if one does.
        chance: Gives a number from 0 to 1.
    """
    if named is not None:
        return named
    given = backoff or ModelRetryBackoffSettings()
    first = _INITIAL_DELAY if given.initial_delay is None else given.initial_delay
    longest = _MAX_DELAY if given.max_delay is None else given.max_delay
    factor = _MULTIPLIER if given.multiplier is None else given.multiplier
    try:
        delay = min(first * factor ** (attempt - 1), longest)
    except OverflowError:
        delay = longest
    if given.jitter is not False:
        delay = min(delay * (1 + _JITTER * (2 * chance() - 1)), longest)
    return delay


async def delay_after(
    model: Model,
    settings: ModelRetrySettings,
    attempt: Attempt,
    asked: ModelRetryAdviceRequest,
) -> float | None:
    """The wait before the next attempt.

    Args:
        model: The model, which may advise on a failure.
        settings: How often, when and after which failures a call is made again.
        attempt: The attempt that failed.
        asked: The failure.

    Returns:
        Seconds; ``None`` if there is to be no other attempt.

    Raises:
        Exception: What a policy raised.
    """
    most = settings.max_retries or 0
    if settings.policy is None or attempt.shown or asked.attempt > most:
        return None
    advice = await _advice(model, asked)
    facts = _facts(asked.error, advice)
    context = RetryPolicyContext(
        asked.error,
        asked.attempt,
        most,
        attempt.streamed,
        facts,
        advice,
        asked.previous_response_id,
        asked.conversation_id,
    )
    given = await resolve(settings.policy(context))
    decision = given if isinstance(given, RetryDecision) else RetryDecision(retry=bool(given))
    if not decision.retry or not _may_be_repeated(context, decision):
        return None
    backoff: Any = settings.backoff
    named = facts.retry_after if decision.delay is None else decision.delay
    return delay_before(backoff, asked.attempt, named)


def _may_be_repeated(context: RetryPolicyContext, decision: RetryDecision) -> bool:
    """Whether a repetition cannot double an effect, or is wanted all the same."""
    if context.stateful_request:
        # What the provider keeps may have grown already; only the model can know that it has not.
        return context.replay_safety == "safe"
    if context.replay_safety == "unsafe":
        return decision.approve_unsafe_replay and not context.stream
    return True


async def _advice(model: Model, asked: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
    # A model that somebody wrote against an older interface has nothing to say.
    advise = getattr(model, "get_retry_advice", None)
    advice: ModelRetryAdvice | None = None if advise is None else await resolve(advise(asked))
    return advice


def _facts(error: Exception, advice: ModelRetryAdvice | None) -> ModelRetryNormalizedError:
    known = None if advice is None else advice.normalized
    facts = normalized_error(error) if known is None else known
    if isinstance(error, (TimeoutError, ModelTimeoutError)):
        facts = replace(facts, is_timeout=True)
    if facts.retry_after is None and advice is not None:
        facts = replace(facts, retry_after=advice.retry_after)
    return facts


def counted(response: ModelResponse, failed: int) -> ModelResponse:
    """A response whose usage counts the attempts that failed, none of which reported tokens."""
    if not failed:
        return response
    usage = Usage(requests=failed)
    usage.request_usage_entries = [
        RequestUsage(0, 0, 0, usage.input_tokens_details, usage.output_tokens_details)
        for _ in range(failed)
    ]
    usage.add(response.usage)
    return replace(response, usage=usage)
