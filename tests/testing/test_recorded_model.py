"""`RecordedModel`: the replies of a recorded run, replayed strictly or extended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, RunConfig, Runner, RunState, UserError
from agentgraph.retry import ModelRetryAdvice, ModelRetrySettings, retry_policies
from agentgraph.testing import (
    FunctionModel,
    ModelStep,
    RecordedModel,
    RecordingMismatch,
    ScriptedModel,
    Scrubber,
    assistant_message,
    function_call,
    save_recording,
)
from tests.models.model_calls import events, function_tool, get

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


async def saved(path: Path, agent: Agent[Any], input: Any = "Hello") -> Path:
    save_recording(await Runner.run(agent, input), path)
    return path


def echo(reply: str = "Hi.", instructions: str = "Be brief.", **fields: Any) -> Agent[Any]:
    model = ScriptedModel([[assistant_message(reply)]])
    return Agent(name="Echo", instructions=instructions, model=model, **fields)


def answering(model: RecordedModel, **fields: Any) -> Agent[Any]:
    return Agent(**{"name": "Echo", "instructions": "Be brief.", **fields}, model=model)


@pytest.mark.parametrize("form", ["journal", "state", "memory"])
async def test_a_run_in_any_stored_form_is_a_recording(tmp_path: Path, form: str) -> None:
    state = (await Runner.run(echo(), "Hello")).to_state()
    path = tmp_path / "run"
    source: Path | RunState[Any, Any] = path
    match form:
        case "journal":
            path.write_text(state.to_journal())
        case "state":
            path.write_text(json.dumps(state.to_json(), indent=2))
        case _:
            source = state
    model = RecordedModel(source)
    result = await Runner.run(answering(model), "Hello")

    assert result.final_output == "Hi."
    model.assert_complete()


async def test_a_recording_stays_a_journal_that_a_run_resumes_from(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    again = await RunState.from_journal(echo(), path.read_text())

    assert (await Runner.run(echo(), again)).final_output == "Hi."


async def test_a_streamed_replay_has_the_same_events_reply_and_usage(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo("one two"))
    call: Any = {"system_instructions": "Be brief.", "input": HELLO}
    plain = await get(RecordedModel(path), **call)
    stream = await events(RecordedModel(path, words_per_delta=1), **call)

    deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
    assert deltas == ["one", " two"]
    assert stream[-1].response.output == plain.output
    assert stream[-1].response.id == plain.response_id == "resp-789"


async def test_a_call_that_does_not_fit_names_file_and_number_and_shows_the_difference(
    tmp_path: Path,
) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    model = RecordedModel(path)
    with pytest.raises(RecordingMismatch) as raised:
        await Runner.run(answering(model, instructions="Be long."), "Hello there")

    error = raised.value
    assert (error.recording, error.call_index) == (str(path), 0)
    text = str(error)
    assert f"Call 1 of the model does not fit the recording {path}" in text
    assert "agent 'Echo' has other instructions and input" in text
    assert "-Be brief.\n+Be long." in text
    assert '-    "content": "Hello",' in text
    assert '+    "content": "Hello there",' in text


async def test_tools_on_offer_are_part_of_a_request(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    with pytest.raises(RecordingMismatch, match="other tools") as raised:
        await Runner.run(answering(RecordedModel(path), tools=[function_tool("new")]), "Hello")

    assert "+new" in raised.value.diff


async def test_only_the_named_sections_are_compared(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    changed = {"instructions": "Be long.", "model_settings": ModelSettings(temperature=0.5)}
    model = RecordedModel(path, match_on=["input", "tools"])
    assert (await Runner.run(answering(model, **changed), "Hello")).final_output == "Hi."

    strict = RecordedModel(path, match_on=["settings"])
    with pytest.raises(RecordingMismatch, match="other settings"):
        await Runner.run(answering(strict, **changed), "Hello")
    with pytest.raises(UserError, match="no section 'prompt'"):
        RecordedModel(path, match_on=["prompt"])  # type: ignore[list-item]


async def test_a_call_after_the_last_and_a_call_never_made_are_told(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    model = RecordedModel(path)
    with pytest.raises(RecordingMismatch, match=r"call 1 of agent 'Echo'"):
        model.assert_complete()
    await Runner.run(answering(model), "Hello")
    with pytest.raises(RecordingMismatch, match="after the last of 1 recorded calls"):
        await Runner.run(answering(model), "Hello")


async def test_a_mismatch_that_a_tool_swallows_is_raised_at_the_next_call(tmp_path: Path) -> None:
    inner = Agent[Any](name="Inner", instructions="In.")
    outer = Agent[Any](name="Outer", tools=[inner.as_tool("ask", "Ask.")])
    script: list[Any] = [
        [function_call("ask", {"input": "q"}, call_id="c")],
        [assistant_message("inside")],
        [assistant_message("done")],
    ]
    config = RunConfig(model=ScriptedModel(script))
    save_recording(await Runner.run(outer, "go", run_config=config), tmp_path / "run.jsonl")

    inner.instructions = "Out."
    model = RecordedModel(tmp_path / "run.jsonl")
    with pytest.raises(RecordingMismatch, match="call 2 of agent 'Inner' has other instructions"):
        await Runner.run(outer, "go", run_config=RunConfig(model=model))
    assert model.mismatch is not None


async def test_beyond_the_recording_another_model_or_function_answers(tmp_path: Path) -> None:
    path = await saved(tmp_path / "run.jsonl", echo())
    live = ScriptedModel([[assistant_message("live")]])
    for other in (live, lambda call: [assistant_message("live")]):
        model = RecordedModel(path, extend=other)
        agent = answering(model)
        assert (await Runner.run(agent, "Something else")).final_output == "live"
        assert (await Runner.run(agent, "Hello")).final_output == "Hi."
    assert len(live.calls) == 1


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("is_new", [False, True])
async def test_appended_replies_are_replayed_and_the_run_in_the_file_stays(
    tmp_path: Path, streamed: bool, is_new: bool
) -> None:
    path = tmp_path / "run.jsonl"
    if not is_new:
        await saved(path, echo())

    async def ask(model: RecordedModel) -> Any:
        result = Runner.run_streamed(answering(model), "New")
        if not streamed:
            return (await Runner.run(answering(model), "New")).final_output
        async for _ in result.stream_events():
            pass
        return result.final_output

    live = FunctionModel(lambda call: [assistant_message("live")])
    assert await ask(RecordedModel(path, extend=live, append=True)) == "live"
    strict = RecordedModel(path)
    assert await ask(strict) == "live"
    assert strict.remaining_calls == (0 if is_new else 1)
    if not is_new:
        state = await RunState.from_journal(echo(), path.read_text())
        assert (await Runner.run(echo(), state)).final_output == "Hi."


async def test_an_appended_reply_keeps_its_usage_after_a_run_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    stream = Runner.run_streamed(Agent(name="A", model=ScriptedModel([TimeoutError()])), "go")
    with pytest.raises(TimeoutError):
        async for _ in stream.stream_events():
            pass
    save_recording(stream, path)
    live = RecordedModel(path, extend=lambda call: [assistant_message("live")], append=True)
    first = await Runner.run(answering(live), "New")
    again = await Runner.run(answering(RecordedModel(path)), "New")

    assert again.context_wrapper.usage == first.context_wrapper.usage
    assert first.context_wrapper.usage.requests == 1


async def test_each_recorded_request_is_read_once_in_whatever_order_calls_come(
    tmp_path: Path,
) -> None:
    read: list[str] = []

    def note(text: str) -> str:
        read.append(text)
        return text

    path, questions = tmp_path / "run.jsonl", [f"question {n}" for n in range(10)]
    live = RecordedModel(path, extend=lambda call: [assistant_message("live")], append=True)
    for question in questions:
        await Runner.run(answering(live), question)
    strict = RecordedModel(path, scrubber=Scrubber(function=note))
    for question in reversed(questions):
        await Runner.run(answering(strict), question)

    strict.assert_complete()
    assert [read.count(question) for question in questions] == [2] * 10  # recorded, and asked


async def test_appended_replies_hold_no_secrets(tmp_path: Path) -> None:
    path, secret = tmp_path / "run.jsonl", "sk-abcdefghijklmnopqrstuvwx"
    model = RecordedModel(
        path,
        extend=lambda call: [assistant_message("order ORD-77")],
        append=True,
        scrubber=Scrubber(patterns=[r"ORD-\d+"]),
    )
    await Runner.run(answering(model), f"my key {secret}")

    text = path.read_text()
    assert secret not in text
    assert "ORD-77" not in text
    # The same request still fits: it is compared without secrets.
    replayed = await Runner.run(answering(RecordedModel(path)), f"my key {secret}")
    assert replayed.final_output == "order [scrubbed]"


async def test_failed_attempts_fail_again_and_are_tried_again_at_once(tmp_path: Path) -> None:
    settings = ModelSettings(
        retry=ModelRetrySettings(max_retries=2, policy=retry_policies.provider_suggested())
    )
    lost = ModelStep.raise_error(
        ConnectionError("lost"), retry_advice=ModelRetryAdvice(suggested=True, retry_after=0.0)
    )
    script: list[Any] = [lost, [assistant_message("at last")]]
    agent = Agent[Any](name="A", model=ScriptedModel(script), model_settings=settings)
    first = await Runner.run(agent, "go")
    save_recording(first, tmp_path / "run.jsonl")
    agent.model = model = RecordedModel(tmp_path / "run.jsonl")
    result = await Runner.run(agent, "go")

    model.assert_complete()
    assert result.final_output == "at last"
    assert len(model.calls) == 2
    assert result.context_wrapper.usage == first.context_wrapper.usage


async def test_an_error_of_the_model_is_raised_again(tmp_path: Path) -> None:
    agent = Agent[Any](name="A", model=ScriptedModel([TimeoutError("no answer")]))
    stream = Runner.run_streamed(agent, "go")
    with pytest.raises(TimeoutError):
        async for _ in stream.stream_events():
            pass
    agent.model = RecordedModel(stream.to_state())
    with pytest.raises(Exception, match="no answer"):
        await Runner.run(agent, "go")


BAD_FILES = {
    "no journal": ("def f(): pass\n", "is no journal"),
    "empty": ("", "is no journal"),
    "JSON of something else": ('{"a": 1}\n', "is no journal"),
    "another version": ('{"$schemaVersion": "x/9", "kind": "journal"}\n', "version 'x/9'"),
    "a damaged row": (
        '{"$schemaVersion": "agentgraph/1", "kind": "journal", "run": "r"}\n{"index": 3}\n',
        "Line 2 of the journal is damaged",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path: Path, name: str) -> None:
    text, message = BAD_FILES[name]
    path = tmp_path / "wrong.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as raised:
        RecordedModel(path)
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.jsonl cannot be read"):
        RecordedModel(tmp_path / "nowhere.jsonl")
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no text in UTF-8"):
        RecordedModel(tmp_path / "image")


async def test_appending_needs_a_model_to_record_and_lines_to_append_to(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text((await Runner.run(echo(), "Hello")).to_state().to_string())
    with pytest.raises(UserError, match="extend="):
        RecordedModel(path, append=True)
    model = RecordedModel(path, extend=lambda call: [assistant_message("x")], append=True)
    with pytest.raises(UserError, match="journal"):
        await Runner.run(answering(model), "New")
