"""`FallbackModel`: the next model answers if one is not available.

A reply is never mixed: once a part of a model's reply was streamed, no other model takes over. What
happens before that, such as the event that a response was created, is held back until output comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.logger import logger
from agentgraph.models.gate.responses import ANSWERS
from agentgraph.models.gate.server import Server
from agentgraph.models.gate.stream import close_all, closed
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.multi_provider import default_provider
from agentgraph.models.openai_retry import normalized_error
from agentgraph.models.streamed_response import Takeover
from agentgraph.usage import Usage
from agentgraph.usage.failures import with_failures

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

    from agentgraph.items.responses import ModelResponse
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest

__all__ = ["FallBackOn", "FallbackModel", "unavailable"]

FallBackOn: TypeAlias = tuple[type[Exception], ...] | Callable[[Exception], bool]
"""The errors after which the next model answers: their classes, or a function that decides."""

_BEFORE_OUTPUT: Final = frozenset(
    f"response.{kind}" for kind in ("created", "queued", "in_progress", "failed", "incomplete")
) | {"error"}


def unavailable(error: Exception) -> bool:
    """Whether a model cannot answer now: its connection failed, its time ran out, or its server
    answered with status 429 or 5xx.

    Args:
        error: An exception of a model call, after the client's retries.
    """
    facts = normalized_error(error)
    status = facts.status_code
    return (
        facts.is_network_error
        or facts.is_timeout
        or (status is not None and (status == 429 or status >= 500))
    )


class FallbackModel(ModelOfCalls):
    """A model made of several: the first one answers, and the next one where it is not available.

    The response says which model answered (`ModelResponse.answered_by`), and its usage counts the
    failed requests. A call that needs something which a server stores (a conversation, a previous
    response, a prompt) goes only to models of the same server.

    Args:
        models: Models, or names of models, in the order in which they are asked. A name is looked
            up when the model is needed.
        fall_back_on: The errors after which the next model is asked: exception classes, or a
            function of the exception. By default those of `unavailable`.
        provider: Where names are looked up; None is a `MultiProvider`.

    Raises:
        UserError: There is no model.
    """

    def __init__(
        self,
        models: Sequence[Model | str],
        *,
        fall_back_on: FallBackOn = unavailable,
        provider: ModelProvider | None = None,
    ) -> None:
        if isinstance(models, str) or not models:
            raise UserError("FallbackModel needs a list of models or names of models.")
        for model in models:
            if not isinstance(model, str) and not hasattr(model, "get_response"):
                raise UserError(
                    "The models of a FallbackModel must be Models or names of models, got "
                    f"{type(model).__name__}."
                )
        self.models = tuple(models)
        self._fall_back_on = fall_back_on
        self._provider = provider

    async def close(self) -> None:
        """Close all models that are not names.

        Raises:
            Exception: A model could not be closed; the others are. The first such error counts.
        """
        await close_all(model for model in self.models if not isinstance(model, str))

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Advise whether to ask all models again: the advice of the last model that has any."""
        for model in reversed(self.models):
            # A model written for an older interface has no such method.
            advise = getattr(self.find(model), "get_retry_advice", None)
            advice: ModelRetryAdvice | None = None if advise is None else advise(request)
            if advice is not None:
                return advice
        return None

    def falls_back_on(self, error: Exception) -> bool:
        """Whether the next model is asked after an error."""
        if isinstance(self._fall_back_on, tuple):
            return isinstance(error, self._fall_back_on)
        return self._fall_back_on(error)

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Reply in one piece.

        Raises:
            Exception: No model answered; the error is that of the last one that was asked.
        """
        asked = _Asked(self, call)
        while True:
            try:
                reply = await asked.model.get_response(*_by_position(call), **_by_name(call))
            except Exception as error:
                if not asked.pass_on(error):
                    raise
                continue
            return replace(
                reply,
                answered_by=_name(asked.model),
                usage=with_failures(reply.usage or Usage(), asked.failures),
            )

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Reply event by event; the events are those of the model that answers.

        Raises:
            Exception: No model answered, or the one that did broke off; the error is its own.
        """
        asked = _Asked(self, call)
        while True:
            held, has_output = list[Any](), False
            stream = asked.model.stream_response(*_by_position(call), **_by_name(call))
            try:
                async for event in stream:
                    kind = getattr(event, "type", None)
                    if kind in ANSWERS:
                        Takeover(_name(asked.model), asked.failures).mark(event)
                    if not has_output and kind in _BEFORE_OUTPUT:
                        held.append(event)
                        continue
                    while held:
                        yield held.pop(0)
                    has_output = True
                    yield event
            except Exception as error:
                if not has_output and asked.pass_on(error):
                    continue
                while held:
                    yield held.pop(0)
                raise
            finally:
                await closed(stream)  # now, not at garbage collection
            while held:
                yield held.pop(0)
            return

    def find(self, model: Model | str) -> Model:
        """Return a model that may be a name.

        Raises:
            Exception: The provider has no such model.
        """
        if not isinstance(model, str):
            return model
        return (self._provider or default_provider()).get_model(model)


class _Asked:
    """Which model is asked, and which were asked before."""

    def __init__(self, fallback: FallbackModel, call: ModelCall) -> None:
        self._fallback = fallback
        self._call = call
        self._left = list(fallback.models)
        self._failed: list[str] = []
        self.model = fallback.find(self._left.pop(0))

    @property
    def failures(self) -> int:
        """How many models failed."""
        return len(self._failed)

    def pass_on(self, error: Exception) -> bool:
        """Go on to the next model; return whether there is one and the error allows it."""
        failed = self.model
        if self._fallback.falls_back_on(error) and not self._may_have_acted(error):
            self._failed.append(f"{_name(failed)}: {type(error).__name__}")
            while self._left:
                model = self._fallback.find(self._left.pop(0))
                if self._can_answer(model, failed):
                    logger.warning("%s; %s is asked", self._failed[-1], _name(model))
                    self.model = model
                    return True
        if len(self._failed) > 1:
            error.add_note(f"Models that failed before: {'; '.join(self._failed[:-1])}.")
        return False

    def _may_have_acted(self, error: Exception) -> bool:
        """Whether a stored conversation may have the failed call already."""
        call, facts = self._call, normalized_error(error)
        stored = call.previous_response_id is not None or call.conversation_id is not None
        return stored and (facts.is_network_error or facts.is_timeout)

    def _can_answer(self, model: Model, failed: Model) -> bool:
        """Whether a model knows what the call refers to: only its own server stores it."""
        call = self._call
        if all(x is None for x in (call.previous_response_id, call.conversation_id, call.prompt)):
            return True
        url = Server.of(model).url
        return type(model) is type(failed) and url is not None and url == Server.of(failed).url


def _by_position(call: ModelCall) -> tuple[Any, ...]:
    # As the published SDK passes them: a model may name its positional parameters differently.
    return (
        call.system_instructions,
        call.input,
        call.model_settings,
        call.tools,
        call.output_schema,
        call.handoffs,
        call.tracing,
    )


def _by_name(call: ModelCall) -> dict[str, Any]:
    names = ("previous_response_id", "conversation_id", "prompt")
    return {name: getattr(call, name) for name in names}


def _name(model: Model) -> str:
    server = Server.of(model)
    return f"{server.model} at {server.url}" if server.url else server.model
