"""`RecordedModel`: a recorded run in place of a model.

A call is answered by the next recorded call of a run (the run itself or one inside it) with the
same request. If none fits, a strict replay fails with the difference, and an extended one asks
another model.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import agentgraph
from agentgraph.exceptions import UserError
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.items.responses import ModelResponse
from agentgraph.models.copies import copied, copied_call
from agentgraph.models.interface import Model
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.response_events import response_events
from agentgraph.models.streamed_response import StreamedResponse
from agentgraph.running.recorded import RecordedCall, Recording
from agentgraph.running.recorded_tools import added_row
from agentgraph.running.state import RunState
from agentgraph.testing.doubles.cassette import RecordingSource, append_row, load_recording
from agentgraph.testing.doubles.function_model import FunctionModel
from agentgraph.testing.doubles.requests import (
    Section,
    SectionedRequest,
    checked_sections,
    names_on_offer,
)
from agentgraph.testing.doubles.scrubbing import Scrubber
from agentgraph.testing.steps import ModelResponder, ModelScriptError

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest

__all__ = ["RecordedModel", "RecordingMismatch"]

MATCHED: Final[tuple[Section, ...]] = ("instructions", "input", "tools")
UNANSWERED: Final = 30.0
"""How long, in seconds, a call waits that a guardrail ended in the recorded run."""


class RecordingMismatch(ModelScriptError):
    """A call of a model does not fit a recording, or recorded calls were never made.

    Attributes:
        recording: The file.
        call_index: The number of the call among those of the model, from zero.
        call: The request; None if a recorded call was never made.
        diff: The difference to the recorded request, as a unified diff; empty without one.
    """

    def __init__(
        self, message: str, *, recording: str, call_index: int, call: ModelCall | None, diff: str
    ) -> None:
        super().__init__(message)
        self.recording, self.call_index, self.call = recording, call_index, call
        self.diff = diff


class RecordedModel(ModelOfCalls):
    """A model that replies what a recorded run was replied.

    Args:
        recording: The file with the journal or the state of a run, or a `RunState`.
        extend: Answers a call that fits no recorded one: a model, or a function as `FunctionModel`
            takes it. None lets such a call fail.
        append: Whether such replies are added to the file, without secrets, so that the next test
            replays them. The file may be new.
        match_on: The sections of a request that must be equal: `instructions`, `input`, `tools`
            (the names of tools and handoffs), `settings`.
        scrubber: What is secret, beside the usual secrets: it neither counts in a comparison nor
            enters the file.
        words_per_delta: Words in one streamed delta of text; None means one delta for each text.

    Raises:
        UserError: The file cannot be read, holds no journal or is damaged, or `append` is set
            without `extend`.
    """

    def __init__(
        self,
        recording: RecordingSource | Recording,
        *,
        extend: Model | ModelResponder | None = None,
        append: bool = False,
        match_on: Collection[Section] = MATCHED,
        scrubber: Scrubber | None = None,
        words_per_delta: int | None = None,
    ) -> None:
        if append and extend is None:
            raise UserError("RecordedModel: append=True needs extend=, the model to record.")
        if append and isinstance(recording, RunState | Recording):
            raise UserError("RecordedModel: append=True needs a file to append to, not a state.")
        self._file = None if isinstance(recording, RunState | Recording) else Path(recording)
        self.recording = (
            recording
            if isinstance(recording, Recording)
            else load_recording(recording, may_be_new=append)
        )
        if extend is not None and not isinstance(extend, Model):
            extend = FunctionModel(extend, record_calls=False)
        self._extend = extend
        self._append, self._matched = append, checked_sections(match_on)
        self._scrubber = Scrubber() if scrubber is None else scrubber
        self._words_per_delta = words_per_delta
        self._left = list(self.recording.calls)
        self._requests: dict[int, SectionedRequest] = {}
        self._calls: list[ModelCall] = []
        self._raised: list[BaseException] = []
        self._mismatch: RecordingMismatch | None = None

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """Copies of the requests, oldest first."""
        return tuple(map(copied_call, self._calls))

    @property
    def remaining_calls(self) -> int:
        """How many recorded calls were not made yet."""
        return len(self._left)

    @property
    def mismatch(self) -> RecordingMismatch | None:
        """The first call that did not fit, which a tool or a handler may have caught."""
        return self._mismatch

    def assert_complete(self) -> None:
        """Check that every call fitted and that every recorded call was made.

        Raises:
            RecordingMismatch: A call did not fit, or was not made.
        """
        if self._mismatch is not None:
            raise self._mismatch
        if self._left:
            raise RecordingMismatch(
                f"{len(self._left)} recorded call(s) of {self.recording.name} were never made; the"
                f" next is {self._title(self._left[0])}.",
                recording=self.recording.name,
                call_index=len(self._calls),
                call=None,
                diff="",
            )

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Advise to try again at once what the recorded run tried again."""
        if any(error is request.error for error in self._raised):
            return agentgraph.ModelRetryAdvice(suggested=True, retry_after=0.0)
        if self._extend is None:
            return None
        return self._extend.get_retry_advice(request)

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Reply what was recorded.

        Raises:
            RecordingMismatch: The call fits no recorded one.
        """
        recorded = await self._answer(call)
        if recorded is not None:
            return recorded
        assert self._extend is not None
        reply = await self._extend.get_response(**_arguments(call))
        self._add(call, reply)
        return reply

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Stream what was recorded.

        Raises:
            RecordingMismatch: The call fits no recorded one.
        """
        recorded = await self._answer(call)
        if recorded is not None:
            for event in response_events(
                recorded.output,
                usage=recorded.usage,
                response_id=recorded.response_id,
                request_id=recorded.request_id,
                raw_usage=recorded.raw_usage,
                model="recorded-model",
                words_per_delta=self._words_per_delta,
            ):
                yield event
            return
        assert self._extend is not None
        whole = StreamedResponse(self._extend)
        async for event in self._extend.stream_response(**_arguments(call)):
            whole.see(event)
            yield event
        self._add(call, whole.finish())

    async def _answer(self, call: ModelCall) -> ModelResponse | None:
        """The recorded response to a call; None if another model answers it."""
        self._calls.append(copied_call(call))
        if self._mismatch is not None:
            raise self._mismatch
        recorded = self._find(call)
        if recorded is None:
            return None
        failed = self._failures_before(recorded)
        self._left.remove(recorded)
        error = recorded.error
        if error is not None:
            self._raised.append(error)
            raise error
        if recorded.response is None:
            await asyncio.sleep(UNANSWERED)
            what = "a guardrail ended it in the recorded run, and none did so now"
            raise self._refusal(call, what)
        response = copied(recorded.response)
        if failed:  # the runner adds the attempts that fail now
            response.usage.requests -= failed
            del response.usage.request_usage_entries[:failed]
        return response

    def _find(self, call: ModelCall) -> RecordedCall | None:
        asked = SectionedRequest.of_call(call, self._scrubber)
        candidates = self._candidates()
        for recorded in candidates:
            if not self._request_of(recorded).differing(asked, self._matched):
                return recorded
        if self._extend is not None:
            return None
        if not candidates:
            count = len(self.recording.calls)
            raise self._refusal(call, f"it comes after the last of {count} recorded calls")
        request = self._request_of(candidates[0])
        sections = request.differing(asked, self._matched)
        what = f"the recorded {self._title(candidates[0])} has other {' and '.join(sections)}"
        raise self._refusal(call, what, request.difference(asked, sections))

    def _request_of(self, recorded: RecordedCall) -> SectionedRequest:
        """The request of a recorded call, which many calls may be compared with."""
        key = id(recorded)
        if key not in self._requests:
            self._requests[key] = SectionedRequest.of_recorded(recorded, self._scrubber)
        return self._requests[key]

    def _candidates(self) -> list[RecordedCall]:
        """The recorded calls that may answer the next one: of each run the next, in their order. A
        call beside a run, and any call of a run that left the recording, may come at any time."""
        if self._extend is not None:
            return list(self._left)
        firsts: dict[object, RecordedCall] = {}
        for recorded in self._left:
            firsts.setdefault(recorded.path if recorded.row >= 0 else id(recorded), recorded)
        return list(firsts.values())

    def _failures_before(self, recorded: RecordedCall) -> int:
        """The failed attempts at a recorded call, which its usage counts."""
        if recorded.row < 0:  # beside the run, not in it
            return 0
        run = [one for one in self.recording.calls if one.path == recorded.path]
        failures = 0
        for one in reversed(run[: run.index(recorded)]):
            if one.fault is None:
                break
            failures += 1
        return failures

    def _title(self, recorded: RecordedCall) -> str:
        """The number and the agent of a recorded call, for messages."""
        number = next(n for n, one in enumerate(self.recording.calls, 1) if one is recorded)
        return f"call {number}" + (f" of agent '{recorded.agent}'" if recorded.agent else "")

    def _refusal(self, call: ModelCall, what: str, diff: str = "") -> RecordingMismatch:
        """The error for a call that does not fit; it is kept, since a tool may catch it."""
        name, index = self.recording.name, len(self._calls) - 1
        lines = [
            f"Call {index + 1} of the model does not fit the recording {name}: {what}.",
            *([diff] if diff else []),
            "Record the run again, compare less with match_on=, or let another model answer with"
            " extend=.",
        ]
        self._mismatch = RecordingMismatch(
            "\n".join(lines), recording=name, call_index=index, call=copied_call(call), diff=diff
        )
        return self._mismatch

    def _add(self, call: ModelCall, reply: ModelResponse) -> None:
        if not self._append:
            return
        assert self._file is not None
        row = added_row(
            reply,
            instructions=call.system_instructions,
            input=ItemHelpers.input_to_new_input_list(call.input),
            settings=call.model_settings,
            offered=names_on_offer(call),
        )
        append_row(self._file, row, self._scrubber)


def _arguments(call: ModelCall) -> dict[str, Any]:
    names = (name for name in call.__slots__ if name != "streamed")
    return {name: getattr(call, name) for name in names}
