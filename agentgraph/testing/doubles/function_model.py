"""`FunctionModel`: a model whose replies a function makes from the requests."""

from __future__ import annotations

from agentgraph.exceptions import UserError
from agentgraph.models.model_call import ModelCall
from agentgraph.testing.doubles.step_model import ModelOfSteps
from agentgraph.testing.steps import ModelResponder, ModelStep
from agentgraph.usage import Usage

__all__ = ["FunctionModel"]


class FunctionModel(ModelOfSteps):
    """A model that answers every call with what a function returns, any number of times.

    Args:
        function: Takes the request; returns a reply in any form of a step: output items, a
            `ModelStep` or its dictionary, a `ModelResponse`, or an exception, which the call
            raises. It may be async.
        default_usage: The usage of replies without one; None means one request without tokens.
        record_calls: Whether `calls` records the requests. Recording copies the whole input of each
            call; without it the cost of a call does not grow with the run.
        words_per_delta: Words in one streamed delta of text; None means one delta for each text.

    Raises:
        UserError: The function cannot be called.
    """

    def __init__(
        self,
        function: ModelResponder,
        *,
        default_usage: Usage | None = None,
        record_calls: bool = True,
        words_per_delta: int | None = None,
    ) -> None:
        if not callable(function):
            raise UserError(
                f"FunctionModel needs a function from a request to a reply, got"
                f" {type(function).__name__}. For a list of replies use ScriptedModel."
            )
        super().__init__(
            default_usage=default_usage,
            record_calls=record_calls,
            words_per_delta=words_per_delta,
        )
        self.function = function

    def _step(self, call: ModelCall, index: int) -> ModelStep:
        return ModelStep.respond(self.function)
