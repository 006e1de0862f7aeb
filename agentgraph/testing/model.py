"""`ScriptedModel`: a model with replies that a test writes in advance, and builders for them.

The model uses no network and is deterministic, including its ids. It records calls as copies, so
that a test reads the request as it was, even if the run has changed its lists since.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from copy import copy
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from agentgraph.items.responses import ModelResponse
from agentgraph.models.fake_id import FAKE_RESPONSES_ID, SCRIPTED_MESSAGE_ID
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.response_events import response_events
from agentgraph.testing.steps import (
    InvalidModelStep,
    ModelResponder,
    ModelScriptError,
    ModelScriptItem,
    ModelStep,
    ModelStepSpec,
    UnconsumedModelSteps,
    UnexpectedModelCall,
    model_step,
)
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseStreamEvent,
    )

    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest

__all__ = [
    "InvalidModelStep",
    "ModelCall",
    "ModelScriptError",
    "ModelStep",
    "ModelStepSpec",
    "ScriptedModel",
    "UnconsumedModelSteps",
    "UnexpectedModelCall",
    "assistant_message",
    "function_call",
]


class ScriptedModel(ModelOfCalls):
    """A model that replies from a script, with one step for each call.

    Args:
        steps: The replies in order: `ModelStep`s, their dictionaries, `ModelResponse`s, sequences
            of output items, or exceptions. Or a function that answers every call, any number of
            times; it may be async, and may return any form of a step.
        emit_traces: An attribute for tracing; the model itself opens no span.
        default_usage: The usage of steps without one; None means one request without tokens.
        record_calls: Whether `calls` records the requests. Recording copies the whole input of each
            call; without it the cost of a call does not grow with the run.
        words_per_delta: Words in one streamed delta of text; None means one delta for each text.

    Raises:
        InvalidModelStep: A step is invalid.
    """

    def __init__(
        self,
        steps: Iterable[ModelScriptItem] | ModelResponder = (),
        *,
        emit_traces: bool = False,
        default_usage: Usage | None = None,
        record_calls: bool = True,
        words_per_delta: int | None = 1,
    ) -> None:
        self.emit_traces = emit_traces
        self._responder: Callable[[ModelCall], Any] | None = None
        self._steps: deque[ModelStep] = deque()
        self._calls: list[ModelCall] = []
        self._call_count = 0
        self._record_calls = record_calls
        self._words_per_delta = words_per_delta
        self._advice: list[tuple[Exception, ModelRetryAdvice]] = []
        self._no_usage = Usage(requests=1)
        self._default_usage = default_usage
        if callable(steps):
            self._responder = steps
        else:
            self.extend(steps)

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """The request of each call, oldest first; empty if calls are not recorded."""
        return tuple(self._calls)

    @property
    def first_call(self) -> ModelCall | None:
        """The request of the first call, or None before it."""
        return self._calls[0] if self._calls else None

    @property
    def last_call(self) -> ModelCall | None:
        """The request of the latest call, or None before the first."""
        return self._calls[-1] if self._calls else None

    @property
    def remaining_steps(self) -> int:
        """How many steps no call has used yet."""
        return len(self._steps)

    def enqueue(self, step: ModelScriptItem) -> None:
        """Append one step to the script.

        Args:
            step: The step, in any form that the constructor accepts.

        Raises:
            InvalidModelStep: The step is invalid; the script is unchanged.
        """
        self._steps.append(model_step(step))

    def extend(self, steps: Iterable[ModelScriptItem]) -> None:
        """Append steps to the script, all of them or none.

        Args:
            steps: The steps, in any form that the constructor accepts.

        Raises:
            InvalidModelStep: A step is invalid; the script is unchanged.
        """
        if isinstance(steps, Mapping):
            raise InvalidModelStep(
                "A script is a list of steps: put the step's dictionary into a list.",
                reason="invalid_input",
                input_index=0,
            )
        self._steps.extend([model_step(step, index) for index, step in enumerate(steps)])

    def set_default_usage(self, usage: Usage | None) -> None:
        """Set the usage of steps without one.

        Args:
            usage: The usage of each such reply; None means one request without tokens.
        """
        self._default_usage = usage

    def assert_complete(self) -> None:
        """Check that every step was used.

        Raises:
            UnconsumedModelSteps: Some steps were not used.
        """
        if remaining := len(self._steps):
            raise UnconsumedModelSteps(
                f"{remaining} scripted model step(s) were never used: the run made fewer model "
                "calls than the script has steps.",
                remaining_steps=remaining,
            )

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Return the advice that the script attached to this very error object."""
        return next((advice for error, advice in self._advice if error is request.error), None)

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Reply with the next step.

        Raises:
            UnexpectedModelCall: The script is at its end.
        """
        step = await self._next_step(call)
        return self._response(step, call)

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Stream the next step: its own events, or the events of its output.

        Raises:
            UnexpectedModelCall: The script is at its end.
        """
        step = await self._next_step(call)
        events = step.stream_events
        if events is None:
            response = self._response(step, call)
            for event in response_events(
                response.output,
                usage=response.usage,
                response_id=response.response_id,
                words_per_delta=self._words_per_delta,
            ):
                yield event
        elif callable(events):
            async for event in events(call):
                yield event
        else:
            for event in events:
                yield event

    async def _next_step(self, call: ModelCall) -> ModelStep:
        index = self._call_count
        self._call_count += 1
        if self._record_calls:
            call = _detached_call(call)
            self._calls.append(call)
        responder = self._responder
        step: ModelStep | None = None
        if responder is None:
            if not self._steps:
                manner = "streamed" if call.streamed else "not streamed"
                raise UnexpectedModelCall(
                    f"Model call #{index + 1} ({manner}) came after the last scripted step.",
                    call=call,
                    call_index=index,
                )
            step = self._steps.popleft()
            responder = step.responder
        if responder is not None:
            reply = responder(call)
            step = model_step(await reply if isawaitable(reply) else reply, index)
            if step.responder is not None:
                raise InvalidModelStep(
                    f"The responder of model call #{index + 1} returned a responder, not a reply.",
                    reason="invalid_responder",
                    input_index=index,
                )
        assert step is not None
        if step.error is not None:
            if step.retry_advice is not None:
                self._advice.append((step.error, step.retry_advice))
            raise step.error
        return step

    def _response(self, step: ModelStep, call: ModelCall) -> ModelResponse:
        usage = step.usage
        if usage is None or not (usage.requests or usage.total_tokens or usage.input_tokens):
            usage = self._default_usage or self._no_usage
        response = ModelResponse(list(step.output), usage, step.response_id, step.request_id)
        if step.raw_usage is not None and call.model_settings.preserve_raw_usage:
            response.raw_usage = dict(step.raw_usage)
        return response


def assistant_message(text: str, *, item_id: str = SCRIPTED_MESSAGE_ID) -> ResponseOutputMessage:
    """Make an assistant's message.

    Args:
        text: The text of the message.
        item_id: The item's id. The default is a placeholder that any number of items may have, so
            that a session can store the replies of several runs of the same script.

    Returns:
        A completed output item with one part of text.
    """
    from openai.types.responses import ResponseOutputMessage as Message
    from openai.types.responses import ResponseOutputText as Text

    part = Text(type="output_text", text=text, annotations=[], logprobs=[])
    return Message(id=item_id, type="message", role="assistant", status="completed", content=[part])


def function_call(
    name: str,
    arguments: str | Mapping[str, Any],
    *,
    call_id: str,
    item_id: str | None = None,
    namespace: str | None = None,
) -> ResponseFunctionToolCall:
    """Make a call of a function tool or of a handoff.

    Args:
        name: The tool's name.
        arguments: The arguments, as JSON text or as values that JSON can hold.
        call_id: The call's id; the item with its output refers to it.
        item_id: The item's id; None means a placeholder, as in `assistant_message`.
        namespace: The namespace that the tool belongs to.

    Returns:
        The output item.
    """
    from openai.types.responses import ResponseFunctionToolCall as Call

    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    call = Call(
        type="function_call",
        id=item_id or FAKE_RESPONSES_ID,
        call_id=call_id,
        name=name,
        arguments=arguments,
    )
    if namespace is not None:
        call.namespace = namespace
    return call


def _detached_call(call: ModelCall) -> ModelCall:
    return ModelCall(
        system_instructions=call.system_instructions,
        input=_detached(call.input),
        model_settings=copy(call.model_settings),
        tools=list(call.tools),
        output_schema=call.output_schema,
        handoffs=list(call.handoffs),
        tracing=call.tracing,
        previous_response_id=call.previous_response_id,
        conversation_id=call.conversation_id,
        prompt=_detached(call.prompt),
        streamed=call.streamed,
    )


def _detached(value: object) -> Any:
    """Copy the lists and dictionaries of a JSON-like value; objects of other types stay shared."""
    if isinstance(value, dict):
        return {key: _detached(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_detached(entry) for entry in value]
    return value
