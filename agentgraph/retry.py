"""When a failed model call is made again, and how long to wait before.

The settings are data; whether a call may be repeated is decided by a policy, a callable from
`RetryPolicyContext` to `bool` or `RetryDecision`. A call that already streamed something to the
caller is never repeated, whatever a policy says.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentgraph.authoring.amounts import check_number
from agentgraph.exceptions import UserError

__all__ = [
    "ModelRetryAdvice",
    "ModelRetryAdviceRequest",
    "ModelRetryBackoffInput",
    "ModelRetryBackoffSettings",
    "ModelRetryNormalizedError",
    "ModelRetrySettings",
    "RetryDecision",
    "RetryPolicies",
    "RetryPolicy",
    "RetryPolicyContext",
    "retry_policies",
]

ReplaySafety = Literal["safe", "unsafe"]


def _check_not_negative(owner: str, **amounts: float | None) -> None:
    for name, amount in amounts.items():
        if amount is not None:
            check_number(f"{owner}.{name}", amount, "zero or more", zero=True)


@dataclass
class ModelRetryBackoffSettings:
    """How long to wait between attempts; `None` leaves a value at its default.

    Attributes:
        initial_delay: Seconds before the first repetition; 0.25 when left out.
        max_delay: The longest wait, in seconds; 2 when left out.
        multiplier: The factor by which the wait grows with each attempt; 2 when left out.
        jitter: Whether each wait is varied at random, by up to an eighth, so that callers do not
            march in step.

    Raises:
        UserError: A number is negative or not finite.
    """

    initial_delay: float | None = None
    max_delay: float | None = None
    multiplier: float | None = None
    jitter: bool | None = None

    def __post_init__(self) -> None:
        _check_not_negative(
            type(self).__name__,
            initial_delay=self.initial_delay,
            max_delay=self.max_delay,
            multiplier=self.multiplier,
        )

    def to_json_dict(self) -> dict[str, Any]:
        """Return the values as a plain dictionary."""
        return {
            "initial_delay": self.initial_delay,
            "max_delay": self.max_delay,
            "multiplier": self.multiplier,
            "jitter": self.jitter,
        }


ModelRetryBackoffInput = ModelRetryBackoffSettings | dict[str, Any]
"""Backoff settings, or a dictionary with the same keys."""


@dataclass
class ModelRetryNormalizedError:
    """The facts about a failed call that do not depend on the provider.

    Attributes:
        status_code: The HTTP status, when there was a response.
        error_code: The provider's own code.
        message: The provider's own words.
        request_id: The provider's id of the request.
        retry_after: Seconds that the provider asks to wait.
        is_abort: The caller gave up on the call.
        is_network_error: The connection failed.
        is_timeout: The call took too long.
    """

    status_code: int | None = None
    error_code: str | None = None
    message: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    is_abort: bool = False
    is_network_error: bool = False
    is_timeout: bool = False


@dataclass
class ModelRetryAdvice:
    """What a model says about repeating one of its failed calls.

    Attributes:
        suggested: Whether it would repeat the call; `None` when it has no opinion.
        retry_after: Seconds to wait first.
        replay_safety: Whether the call can have had an effect that a repetition would double.
        reason: Why, for people.
        normalized: The failure in neutral terms.
        response_started: Whether part of the response had already arrived.
    """

    suggested: bool | None = None
    retry_after: float | None = None
    replay_safety: ReplaySafety | None = None
    reason: str | None = None
    normalized: ModelRetryNormalizedError | None = None
    response_started: bool = False


@dataclass
class ModelRetryAdviceRequest:
    """A failed call that a model is asked about.

    Attributes:
        error: What was raised.
        attempt: How many attempts were made, this one included.
        stream: Whether the response was being streamed.
        previous_response_id: The response that the call continued, if any.
        conversation_id: The conversation that the call belonged to, if any.
    """

    error: Exception
    attempt: int
    stream: bool
    previous_response_id: str | None = None
    conversation_id: str | None = None


@dataclass
class RetryDecision:
    """What a policy decided.

    Attributes:
        retry: Whether to make the call again.
        delay: Seconds to wait, in place of the backoff settings.
        reason: Why, for people.
        approve_unsafe_replay: Repeat even a call whose effect a repetition may double.
    """

    retry: bool
    delay: float | None = None
    reason: str | None = None
    approve_unsafe_replay: bool = False


@dataclass
class RetryPolicyContext:
    """What a policy decides on.

    Attributes:
        error: What was raised.
        attempt: How many attempts were made.
        max_retries: How many repetitions the settings allow.
        stream: Whether the response was being streamed.
        normalized: The failure in neutral terms.
        provider_advice: What the model itself says, if anything.
        previous_response_id: The response that the call continued, if any.
        conversation_id: The conversation that the call belonged to, if any.
    """

    error: Exception
    attempt: int
    max_retries: int
    stream: bool
    normalized: ModelRetryNormalizedError
    provider_advice: ModelRetryAdvice | None = None
    previous_response_id: str | None = None
    conversation_id: str | None = None

    @property
    def response_started(self) -> bool:
        """Whether part of the response had already arrived."""
        return self.provider_advice is not None and self.provider_advice.response_started

    @property
    def replay_safety(self) -> str | None:
        """Whether a repetition may double an effect, as far as the model knows."""
        return None if self.provider_advice is None else self.provider_advice.replay_safety

    @property
    def stateful_request(self) -> bool:
        """Whether the provider keeps the conversation, so that a repetition may be seen twice."""
        return self.previous_response_id is not None or self.conversation_id is not None


RetryPolicy = Callable[[RetryPolicyContext], bool | RetryDecision | Awaitable[bool | RetryDecision]]
"""Decides whether a failed call is made again."""


@dataclass
class ModelRetrySettings:
    """How often, when and after which failures a model call is repeated.

    Attributes:
        max_retries: Repetitions after the first attempt; `None` or zero means none.
        backoff: How long to wait in between. A dictionary is turned into settings.
        policy: Which failures qualify; without one, none does. It is not part of the JSON form.

    Raises:
        UserError: `max_retries` is negative, or `backoff` has unknown keys.
    """

    max_retries: int | None = None
    backoff: ModelRetryBackoffInput | None = None
    # The metadata is pydantic's: a function has no written form.
    policy: RetryPolicy | None = field(default=None, repr=False, metadata={"exclude": True})

    def __post_init__(self) -> None:
        _check_not_negative(type(self).__name__, max_retries=self.max_retries)
        if isinstance(self.backoff, dict):
            try:
                self.backoff = ModelRetryBackoffSettings(**self.backoff)
            except TypeError as error:
                raise UserError(f"ModelRetrySettings.backoff: {error}") from error

    def to_json_dict(self) -> dict[str, Any]:
        """Return the values as a plain dictionary, without the policy."""
        backoff = self.backoff
        return {
            "max_retries": self.max_retries,
            "backoff": backoff.to_json_dict()
            if isinstance(backoff, ModelRetryBackoffSettings)
            else backoff,
        }


class RetryPolicies:
    """Ready policies, and ways to put policies together; use the instance `retry_policies`."""

    def never(self) -> RetryPolicy:
        """Repeat nothing."""
        return lambda _context: False

    def provider_suggested(self) -> RetryPolicy:
        """Repeat what the model itself would repeat, after the wait it asks for."""

        def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            advice = context.provider_advice
            if advice is None or not advice.suggested:
                return False
            return RetryDecision(retry=True, delay=advice.retry_after, reason=advice.reason)

        return decide

    def network_error(self) -> RetryPolicy:
        """Repeat calls whose connection failed or that timed out."""
        return lambda context: context.normalized.is_network_error or context.normalized.is_timeout

    def http_status(self, statuses: Iterable[int]) -> RetryPolicy:
        """Repeat calls that were answered with one of these HTTP statuses."""
        wanted = frozenset(statuses)
        return lambda context: context.normalized.status_code in wanted

    def retry_after(self) -> RetryPolicy:
        """Repeat calls for which the provider named a wait, after that wait."""

        def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            delay = context.normalized.retry_after
            return delay is not None and RetryDecision(retry=True, delay=delay)

        return decide

    def any(self, *policies: RetryPolicy) -> RetryPolicy:
        """Repeat what at least one policy repeats; the first that does decides the wait."""

        async def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            for policy in policies:
                decision = await _ask(policy, context)
                if _wants_retry(decision):
                    return decision
            return False

        return decide

    def all(self, *policies: RetryPolicy) -> RetryPolicy:
        """Repeat what every one of the policies repeats; the first wait that one names counts."""

        async def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            named: RetryDecision | None = None
            for policy in policies:
                decision = await _ask(policy, context)
                if not _wants_retry(decision):
                    return False
                if named is None and isinstance(decision, RetryDecision):
                    named = decision
            return named or bool(policies)

        return decide


retry_policies: Final = RetryPolicies()
"""The ready policies."""


async def _ask(policy: RetryPolicy, context: RetryPolicyContext) -> bool | RetryDecision:
    decision = policy(context)
    return await decision if inspect.isawaitable(decision) else decision


def _wants_retry(decision: bool | RetryDecision) -> bool:
    return decision.retry if isinstance(decision, RetryDecision) else decision
