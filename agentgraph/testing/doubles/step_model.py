"""What the doubles share whose every reply is a step of a script.

They record each call as a copy, run responders until there is a reply, and give the reply in one
piece or as events, with the same usage and the same ids.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import TYPE_CHECKING, Final

from agentgraph.items.responses import ModelResponse
from agentgraph.models.copies import copied, copied_call
from agentgraph.models.gate.stream import closed
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.response_events import response_events
from agentgraph.testing.steps import InvalidModelStep, ModelStep, model_step
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest

__all__ = ["ModelOfSteps"]

_NO_USAGE: Final = Usage()
_RESPONDERS: Final = 100
"""Responders in a row, after which one that returns itself is taken for endless."""


class ModelOfSteps(ModelOfCalls):
    """A model that answers each call with a step.

    Args:
        default_usage: The usage of steps without one; None means one request without tokens.
        record_calls: Whether `calls` records the requests. Recording copies the whole input of each
            call; without it the cost of a call does not grow with the run.
        words_per_delta: Words in one streamed delta of text; None means one delta for each text.
    """

    def __init__(
        self,
        *,
        default_usage: Usage | None = None,
        record_calls: bool = True,
        words_per_delta: int | None = None,
    ) -> None:
        self._calls: list[ModelCall] = []
        self._call_count = 0
        self._record_calls = record_calls
        self._words_per_delta = words_per_delta
        self._advice: list[tuple[Exception, ModelRetryAdvice]] = []
        self.set_default_usage(default_usage)

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """Copies of the requests, oldest first; empty if calls are not recorded."""
        return tuple(map(copied_call, self._calls))

    @property
    def first_call(self) -> ModelCall | None:
        """A copy of the first request, or None before it."""
        return copied_call(self._calls[0]) if self._calls else None

    @property
    def last_call(self) -> ModelCall | None:
        """A copy of the latest request, or None before the first."""
        return copied_call(self._calls[-1]) if self._calls else None

    def set_default_usage(self, usage: Usage | None) -> None:
        """Set the usage of steps without one.

        Args:
            usage: The usage of each such reply; None means one request without tokens.
        """
        self._default_usage = Usage(requests=1) if usage is None else copied(usage)

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Return the advice that the latest step with this very error object attached to it."""
        return next(
            (copied(advice) for error, advice in self._advice if error is request.error), None
        )

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Reply with the next step.

        Raises:
            ModelScriptError: There is no such step, or a responder returned something else.
        """
        step = await self._next_step(call)
        response = ModelResponse(
            list(step.output), self._usage(step), step.response_id, step.request_id
        )
        if call.model_settings.preserve_raw_usage:
            response.raw_usage = step.raw_usage
        return response

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Stream the next step: its own events, or the events of its output.

        Raises:
            ModelScriptError: There is no such step, or a responder returned something else.
        """
        step = await self._next_step(call)
        events = step.stream_events
        if events is None:
            for event in response_events(
                step.output,
                usage=self._usage(step),
                response_id=step.response_id,
                request_id=step.request_id,
                raw_usage=step.raw_usage,
                words_per_delta=self._words_per_delta,
            ):
                yield event
        elif callable(events):
            stream = events(copied_call(call))
            try:
                async for event in stream:
                    yield event
            finally:
                await closed(stream)
        else:
            for event in events:
                yield event

    @abstractmethod
    def _step(self, call: ModelCall, index: int) -> ModelStep:
        """The step that answers a call.

        Args:
            call: The request.
            index: The call's number, from zero.

        Raises:
            ModelScriptError: There is none.
        """

    async def _next_step(self, call: ModelCall) -> ModelStep:
        """Record a call as it is now, and find the step with its reply or with its events."""
        self._call_count += 1
        if self._record_calls:
            call = copied_call(call)
            self._calls.append(call)
        step = self._step(call, self._call_count - 1)
        if step.responder is not None and self._record_calls:
            call = copied_call(call)  # a responder may change its call
        for _ in range(_RESPONDERS):
            if step.responder is None:
                break
            reply = step.responder(call)
            step = model_step(await reply if isawaitable(reply) else reply)
        else:
            raise InvalidModelStep(
                f"Model call #{self._call_count} has no reply: {_RESPONDERS} responders in a row"
                " returned a responder.",
                reason="invalid_responder",
                input_index=0,
            )
        if step.error is not None:
            self._advise(step.error, step.retry_advice)
            raise step.error
        return step

    def _advise(self, error: Exception, advice: ModelRetryAdvice | None) -> None:
        self._advice = [pair for pair in self._advice if pair[0] is not error]
        if advice is not None:
            self._advice.append((error, advice))

    def _usage(self, step: ModelStep) -> Usage:
        return copied(self._default_usage) if step.usage == _NO_USAGE else step.usage
