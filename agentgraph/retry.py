"""When a failed model call is repeated, and how long the run waits before.

The settings are data. A policy, which is a callable from `RetryPolicyContext` to `bool` or
`RetryDecision`, decides whether a call is repeated. A call that has streamed a part of its response
to the caller is never repeated, whatever the policy decides.
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
    """The waits between attempts; `None` stands for the default of a value.

    Attributes:
        initial_delay: Seconds before the first repetition; 0.25 when left out.
        max_delay: The longest wait, in seconds; 2 when left out.
        multiplier: The factor by which the wait grows with each attempt; 2 when left out.
        jitter: Whether each wait varies at random, by up to an eighth, so that many callers do not
            repeat their calls at the same moment.

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
        retry_after: The wait that the provider requests, in seconds.
        is_abort: The caller aborted the call.
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
    """A model's advice on repeating one of its failed calls.

    Attributes:
        suggested: Whether the model advises to repeat the call; `None` if it has no advice.
        retry_after: Seconds to wait first.
        replay_safety: Whether the call can have had an effect that a repetition would double.
        reason: The reason, for people.
        normalized: The failure in terms that do not depend on the provider.
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
    """A failed call for which a run requests a model's advice.

    Attributes:
        error: The exception.
        attempt: The number of attempts so far, including this one.
        stream: Whether the call was a streamed one.
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
    """The decision of a policy.

    Attributes:
        retry: Whether to repeat the call.
        delay: Seconds to wait, in place of the backoff settings.
        reason: The reason, for people.
        approve_unsafe_replay: Whether to repeat the call even if that may double an effect.
    """

    retry: bool
    delay: float | None = None
    reason: str | None = None
    approve_unsafe_replay: bool = False


@dataclass
class RetryPolicyContext:
    """The failed call on which a policy decides.

    Attributes:
        error: The exception.
        attempt: The number of attempts so far.
        max_retries: The number of repetitions that the settings allow.
        stream: Whether the call was a streamed one.
        normalized: The failure in terms that do not depend on the provider.
        provider_advice: The model's own advice, if any.
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
        """Whether a repetition may double an effect, according to the model's advice."""
        return None if self.provider_advice is None else self.provider_advice.replay_safety

    @property
    def stateful_request(self) -> bool:
        """Whether the provider stores the conversation, where a repetition may appear twice."""
        return self.previous_response_id is not None or self.conversation_id is not None


RetryPolicy = Callable[[RetryPolicyContext], bool | RetryDecision | Awaitable[bool | RetryDecision]]
"""Decides whether a failed call is repeated."""


@dataclass
class ModelRetrySettings:
    """How often, when and after which failures a model call is repeated.

    Attributes:
        max_retries: The most repetitions after the first attempt; `None` and zero mean none.
        backoff: The waits between attempts. A dictionary is converted into settings.
        policy: Decides which failures qualify; without a policy, none does. It is not part of the
            JSON form.

    Raises:
        UserError: `max_retries` is negative, or `backoff` has unknown keys.
    """

    max_retries: int | None = None
    backoff: ModelRetryBackoffInput | None = None
    # For pydantic: a dump excludes the policy, because a function has no JSON form.
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
    """Predefined policies, and combinations of policies; use the instance `retry_policies`."""

    def never(self) -> RetryPolicy:
        """Repeat nothing."""
        return lambda _context: False

    def provider_suggested(self) -> RetryPolicy:
        """Repeat the calls that the model advises to repeat, after the wait that it advises."""

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
        """Repeat calls whose response has one of these HTTP statuses."""
        codes = frozenset(statuses)
        return lambda context: context.normalized.status_code in codes

    def retry_after(self) -> RetryPolicy:
        """Repeat calls for which the provider requests a wait, after that wait."""

        def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            delay = context.normalized.retry_after
            return delay is not None and RetryDecision(retry=True, delay=delay)

        return decide

    def any(self, *policies: RetryPolicy) -> RetryPolicy:
        """Repeat a call if one of the policies repeats it. All are asked; the last one that names a
        wait sets it."""

        async def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            decisions = [await _ask(policy, context) for policy in policies]
            return _merged([decision for decision in decisions if decision.retry])

        return decide

    def all(self, *policies: RetryPolicy) -> RetryPolicy:
        """Repeat a call if every policy repeats it. The last one that names a wait sets it."""

        async def decide(context: RetryPolicyContext) -> bool | RetryDecision:
            decisions: list[RetryDecision] = []
            for policy in policies:
                decision = await _ask(policy, context)
                if not decision.retry:
                    return decision
                decisions.append(decision)
            return _merged(decisions)

        return decide


retry_policies: Final = RetryPolicies()
"""The predefined policies."""


async def _ask(policy: RetryPolicy, context: RetryPolicyContext) -> RetryDecision:
    answer = policy(context)
    decision = await answer if inspect.isawaitable(answer) else answer
    return decision if isinstance(decision, RetryDecision) else RetryDecision(bool(decision))


def _merged(decisions: list[RetryDecision]) -> RetryDecision:
    """Return one decision to repeat a call from several; none decides against it."""
    merged = RetryDecision(retry=bool(decisions))
    for decision in decisions:
        merged.delay = merged.delay if decision.delay is None else decision.delay
        merged.reason = decision.reason or merged.reason
        merged.approve_unsafe_replay |= decision.approve_unsafe_replay
    return merged
