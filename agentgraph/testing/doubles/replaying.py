"""`replay`: a recorded run as a test. The model replies what was recorded, tools return what they
returned, people decide what they decided; all other code of the program runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.models.interface import Model
from agentgraph.run import Runner, every_model_is
from agentgraph.running.recorded import Recording
from agentgraph.running.recorded_tools import RecordedTools
from agentgraph.running.thread_loop import wait_for
from agentgraph.testing.doubles.cassette import RecordingSource, load_recording
from agentgraph.testing.doubles.recorded_model import MATCHED, RecordedModel
from agentgraph.testing.doubles.requests import Section
from agentgraph.testing.doubles.scrubbing import Scrubber
from agentgraph.testing.steps import ModelResponder

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from agentgraph.result import RunResult
    from agentgraph.run_config import RunOptions
    from agentgraph.workflow import Source

__all__ = ["replay", "replay_sync"]


async def replay(
    source: Source,
    recording: RecordingSource,
    *,
    run_tools: Collection[str] = (),
    extend: Model | ModelResponder | None = None,
    match_on: Collection[Section] = MATCHED,
    scrubber: Scrubber | None = None,
    **options: Unpack[RunOptions[Any]],
) -> RunResult:
    """Run a workflow as a recorded run went.

    Tools return what they returned then and do nothing; their guardrails and hooks run. Handoffs,
    guardrails, filters, instructions and agents used as tools are the program's. The input, the
    limit of turns and the history of the session are the recorded ones.

    Args:
        source: The agent or the workflow.
        recording: The file with the journal or the state of the run, or a `RunState`.
        run_tools: The names of tools that run nevertheless.
        extend: Answers model calls that fit no recorded one; None lets such a call fail.
        match_on: The sections of a request that must be equal.
        scrubber: What is secret, beside the usual secrets.
        options: Arguments of `Runner.run`, such as `context`, `run_config` or `session`.

    Returns:
        The result. Its state is that of the new run.

    Raises:
        RecordingMismatch: A model was asked something else, or a recorded call was not made.
        UserError: The recording cannot be read, or it lacks the result of a call.
        AgentsException: The run ended with it, as perhaps the recorded one did.
    """
    recorded = load_recording(recording, program=source)
    if recorded.machine is None:
        raise UserError(f"{recorded.name} holds no run to replay, only single calls of a model.")
    model = RecordedModel(recorded, extend=extend, match_on=match_on, scrubber=scrubber)
    tools = RecordedTools(recorded, run_tools)
    try:
        with every_model_is(model, tools):
            result = await _run(source, recorded, options)
    except Exception:
        if model.mismatch is not None:
            raise model.mismatch from None
        raise
    if extend is None:
        model.assert_complete()
    return result


def replay_sync(
    source: Source,
    recording: RecordingSource,
    *,
    run_tools: Collection[str] = (),
    extend: Model | ModelResponder | None = None,
    match_on: Collection[Section] = MATCHED,
    scrubber: Scrubber | None = None,
    **options: Unpack[RunOptions[Any]],
) -> RunResult:
    """Run a workflow as a recorded run went, from code that is not async; see `replay`."""
    return wait_for(
        replay(
            source,
            recording,
            run_tools=run_tools,
            extend=extend,
            match_on=match_on,
            scrubber=scrubber,
            **options,
        )
    )


async def _run(source: Source, recording: Recording, options: Mapping[str, Any]) -> RunResult:
    input = recording.input
    if recording.history is not None and "session" not in options:
        input = list(recording.history)  # the history of the session, with the input
    assert input is not None
    first = {"max_turns": recording.header["limit"], **_conversation(recording), **options}
    stored = recording.header.get("context") or {}
    if stored.get("form") == "mapping":
        first.setdefault("context", stored["value"])
    result = await Runner.run(source, input, **first)
    again = {key: value for key, value in options.items() if key != "context"}
    for resumption in recording.resumptions:
        state = result.to_state()
        for ruling in resumption.rulings:
            waiting = [
                item
                for item in state.get_interruptions()
                if (item.name, item.call_id) == (ruling.name.rpartition(".")[2], ruling.call_id)
            ]
            if not waiting:
                raise UserError(
                    f"The recorded run {recording.name} waited for a decision on call"
                    f" {ruling.call_id!r} of tool {ruling.name!r}, and this run did not."
                )
            if ruling.decision.approved:
                state.approve(waiting[0], always_approve=ruling.sticky)
            else:
                state.reject(
                    waiting[0],
                    always_reject=ruling.sticky,
                    rejection_message=ruling.decision.message,
                )
        if resumption.input:
            state.add_input(list(resumption.input))
        result = await Runner.run(source, state, **again)
    return result


def _conversation(recording: Recording) -> dict[str, Any]:
    """The options that name the conversation which the server kept."""
    conversation, previous, chained = recording.header["conversation"]
    named = {"conversation_id": conversation, "previous_response_id": previous}
    options = {name: value for name, value in named.items() if value is not None}
    return {**options, "auto_previous_response_id": True} if chained and not previous else options
