"""`ScriptedModel`: a model with replies that a test writes in advance, and builders for them.

The model uses no network and is deterministic, including its ids. It records calls as copies, so
that a test reads the request as it was, even if the run has changed its lists since.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.models.copies import copied_call
from agentgraph.models.fake_id import SCRIPTED_MESSAGE_ID
from agentgraph.models.model_call import ModelCall
from agentgraph.testing.doubles.step_model import ModelOfSteps
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
    )

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


class ScriptedModel(ModelOfSteps):
    """A model that replies from a script, with one step for each call.

    Args:
        steps: The replies in order: `ModelStep`s, their dictionaries, `ModelResponse`s, sequences
            of output items, or exceptions. Or a function, which answers the calls after the last
            step as a `FunctionModel` does.
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
        words_per_delta: int | None = None,
    ) -> None:
        super().__init__(
            default_usage=default_usage,
            record_calls=record_calls,
            words_per_delta=words_per_delta,
        )
        self.emit_traces = emit_traces
        self._steps: deque[ModelStep] = deque()
        self._after: ModelStep | None = None
        if callable(steps):
            self._after = ModelStep.respond(steps)
        else:
            self.extend(steps)

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

    def _step(self, call: ModelCall, index: int) -> ModelStep:
        if self._steps:
            return self._steps.popleft()
        if self._after is not None:
            return self._after
        manner = "streamed" if call.streamed else "not streamed"
        raise UnexpectedModelCall(
            f"Model call #{index + 1} ({manner}) came after the last scripted step.",
            call=copied_call(call),
            call_index=index,
        )


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
        item_id: The item's id; None means the call's id, as in the published SDK.
        namespace: The namespace that the tool belongs to.

    Returns:
        The output item.
    """
    from openai.types.responses import ResponseFunctionToolCall as Call

    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    call = Call(
        type="function_call",
        id=call_id if item_id is None else item_id,
        call_id=call_id,
        name=name,
        arguments=arguments,
    )
    if namespace is not None:
        call.namespace = namespace
    return call
