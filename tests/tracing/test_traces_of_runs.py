"""The traces that runs make: the same trees as the published SDK, once for each piece of work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from mcp.types import Tool

from agentgraph import (
    Agent,
    RunConfig,
    Runner,
    RunState,
    Usage,
    add_trace_processor,
    custom_span,
    function_tool,
    get_current_span,
    get_current_trace,
    set_trace_processors,
    set_trace_provider,
    set_tracing_disabled,
    trace,
)
from agentgraph.drivers.journal import MemoryJournal, Row
from agentgraph.drivers.workbench import UNWATCHED
from agentgraph.exceptions import AgentsException
from agentgraph.models.interface import ModelTracing
from agentgraph.running.ending import carry_out
from agentgraph.running.launch import launch, live_state
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tracing import get_trace_provider
from agentgraph.tracing.processor_interface import TracingProcessor
from agentgraph.tracing.provider import DefaultTraceProvider
from tests.mcp.mcp_servers import HandmadeServer
from tests.published_sdk import needs_the_published_sdk, published
from tests.tracing import traced_runs

SDK = traced_runs.package("agentgraph")
CASES = sorted(traced_runs.cases(SDK))
STREAMED_ON_PURPOSE = {
    # A streamed run of the published SDK keeps guardrails outside the turn that they guard.
    "guardrails",
    "input_trips",
}


@pytest.fixture(autouse=True)
def kept() -> Iterator[Any]:
    """The processor of a provider that is in place for one test."""
    before, own = get_trace_provider(), traced_runs.processor(SDK)
    set_trace_provider(DefaultTraceProvider())
    set_trace_processors([own])
    yield own
    set_trace_provider(before)


@pytest.fixture(scope="module")
def of_the_sdk() -> Any:
    """The trees of the published SDK."""
    return published(Path(traced_runs.__file__).read_text(), "agents")


def plain(value: object) -> Any:
    return json.loads(json.dumps(value))


@needs_the_published_sdk
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", CASES)
async def test_a_run_makes_the_tree_of_the_published_sdk(
    name: str, streamed: bool, of_the_sdk: Any
) -> None:
    ours = plain(traced_runs.trees(await traced_runs.observe(SDK, name, streamed=streamed)))
    theirs = of_the_sdk[name]
    assert ours == theirs["plain"]
    assert (ours != theirs["streamed"]) == (name in STREAMED_ON_PURPOSE)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", CASES)
async def test_every_span_ends_once_inside_the_one_trace(name: str, streamed: bool) -> None:
    kept = await traced_runs.observe(SDK, name, streamed=streamed)
    ids = [span.span_id for span in kept.ended]
    assert sorted(ids) == sorted({span.span_id for span in kept.spans})
    assert len(kept.traces) == len(kept.ended_traces) == 1
    assert {span.trace_id for span in kept.spans} == {kept.traces[0].trace_id}
    ended = [span.ended_at for span in kept.spans]
    assert all(ended)


def clerk(*steps: Any, **options: Any) -> Agent[Any]:
    return Agent("Clerk", model=ScriptedModel(steps), **options)


BYE = [assistant_message("bye")]


def call(name: str, arguments: object = "{}") -> Any:
    return function_call(name, arguments, call_id=f"call_{name}")  # type: ignore[arg-type]


@function_tool(needs_approval=True)
def pay() -> str:
    with custom_span("paying"):
        return "paid"


def of_kind(kept: Any, kind: str) -> list[Any]:
    return [span for span in kept.spans if span.span_data.type == kind]


async def test_a_resumed_run_goes_on_in_its_trace_and_repeats_no_span(kept: Any) -> None:
    agent = clerk([call("pay")], BYE, tools=[pay])
    waiting = await Runner.run(agent, "go")
    before = [span.span_id for span in kept.spans]
    text = json.dumps(waiting.to_state().to_json())
    for _ in range(2):
        state = await RunState.from_json(agent, json.loads(text))
        state.approve(state.get_interruptions()[0])
    await Runner.run(agent, state)
    after = [span.span_id for span in kept.spans[len(before) :]]
    assert not {*before} & {*after}
    assert len({span.trace_id for span in kept.spans}) == 1
    assert [span.span_data.output for span in of_kind(kept, "function")] == [None, "paid"]
    # The state was read from a text, as another process would read it, and announces the trace.
    assert [one.trace_id for one in kept.traces] == [kept.traces[0].trace_id] * 2


async def test_a_run_that_is_over_makes_no_span_when_it_is_run_again(kept: Any) -> None:
    agent = clerk([call("pay")], BYE, tools=[pay])
    state = (await Runner.run(agent, "go")).to_state()
    state.approve(state.get_interruptions()[0])
    done = await Runner.run(agent, state)
    count = len(kept.spans)
    assert (await Runner.run(agent, done.to_state())).final_output == "bye"
    assert len(kept.spans) == count
    assert len(kept.traces) == len(kept.ended_traces) == 1


async def test_the_spans_of_a_cancelled_run_end(kept: Any) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        begun.set()
        await stop.wait()
        return "done"

    agent = clerk([call("wait")], BYE, tools=[wait])
    running = asyncio.create_task(Runner.run(agent, "go"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(one.span_id for one in kept.ended) == sorted(one.span_id for one in kept.spans)
    (cancelled,) = of_kind(kept, "function")
    assert cancelled.error == {"message": "Cancelled", "data": None}
    assert len(kept.ended_traces) == 1


class Cut(Exception):
    """The process ends here."""


@pytest.mark.parametrize("rows", range(1, 5))
async def test_work_that_was_cut_short_keeps_its_id_and_recorded_work_makes_no_span(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @function_tool
    def look() -> str:
        return "fine"

    replies = [*([function_call("look", "{}", call_id=id)] for id in "ab"), BYE]
    agent = clerk(*replies, tools=[look])
    launched = launch(agent, "go", {}, UNWATCHED)
    append = MemoryJournal.append

    async def append_some(self: MemoryJournal, expected: int, new: Sequence[Row]) -> None:
        if expected == rows:
            raise Cut
        await append(self, expected, new)

    before = traced_runs.processor(SDK)
    set_trace_processors([before])
    with monkeypatch.context() as patch:
        patch.setattr(MemoryJournal, "append", append_some)
        with pytest.raises(Cut):
            await carry_out(launched.run)
    agent.model = ScriptedModel(replies[(rows + 1) // 2 :])  # what was not recorded
    after = traced_runs.processor(SDK)
    set_trace_processors([after])
    await carry_out(launch(agent, live_state(launched), {}, UNWATCHED).run)
    first, second = (
        [span.span_id for span in kept.spans if span.span_data.type in ("generation", "function")]
        for kept in (before, after)
    )
    assert len(first) == rows + 1
    assert {*first} & {*second} == {first[-1]}
    assert len({*first, *second}) == 5


async def test_all_settings_of_a_trace_reach_its_processors(kept: Any) -> None:
    config = RunConfig(
        workflow_name="desk",
        trace_id="trace_" + "1" * 32,
        group_id="chat",
        trace_metadata={"customer": "c1"},
        tracing={"api_key": "a key of its own"},
    )
    await Runner.run(clerk(BYE), "go", run_config=config)
    (one,) = kept.traces
    assert (one.name, one.trace_id, one.group_id) == ("desk", "trace_" + "1" * 32, "chat")
    assert one.metadata == {"customer": "c1"}
    assert {span.tracing_api_key for span in kept.spans} == {"a key of its own"}
    assert kept.spans[0].trace_metadata == {"customer": "c1"}


async def test_a_run_inside_a_trace_belongs_to_it(kept: Any) -> None:
    with trace("mine") as mine, custom_span("around") as around:
        await Runner.run(clerk(BYE), "go", run_config=RunConfig(workflow_name="other"))
        assert get_current_span() is around
    assert [one.name for one in kept.traces] == ["mine"]
    assert {span.trace_id for span in kept.spans} == {mine.trace_id}
    (task,) = of_kind(kept, "task")
    assert task.parent_id == around.span_id


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside a trace"])
async def test_a_run_without_tracing_hides_the_spans_of_its_tools(kept: Any, inside: bool) -> None:
    @function_tool
    def look() -> str:
        with custom_span("looking"):
            return "fine"

    agent = clerk([call("look")], BYE, tools=[look])
    with trace("mine") if inside else nullcontext():
        await Runner.run(agent, "go", run_config=RunConfig(tracing_disabled=True))
    assert kept.spans == []


async def test_tracing_that_is_off_for_the_process_makes_nothing(kept: Any) -> None:
    set_tracing_disabled(True)
    await Runner.run(clerk(BYE), "go")
    assert (kept.traces, kept.spans) == ([], [])


async def test_texts_are_left_out_on_request(kept: Any) -> None:
    @function_tool
    def look(city: str) -> str:
        raise ValueError("a secret of the tool")

    agent = clerk([call("look", {"city": "a secret city"})], BYE, tools=[look])
    agent.instructions = "a secret rule"
    config = RunConfig(trace_include_sensitive_data=False)
    await Runner.run(agent, "a secret question", run_config=config)
    written = json.dumps([span.export() for span in kept.spans])
    assert "secret" not in written
    assert "bye" not in written
    assert '"usage"' in written


async def test_texts_stand_in_the_spans_by_default(kept: Any) -> None:
    agent = clerk(BYE, instructions="Be brief.")
    await Runner.run(agent, "a question")
    (generation,) = of_kind(kept, "generation")
    assert [one["role"] for one in generation.span_data.input] == ["system", "user"]
    assert generation.span_data.output[0]["content"][0]["text"] == "bye"
    assert generation.span_data.model == "ScriptedModel"


class Behind(ScriptedModel):
    """A model behind the Responses API."""

    span_type = "response"


async def test_a_model_behind_the_responses_api_makes_a_response_span(kept: Any) -> None:
    usage = Usage(requests=1, input_tokens=3, output_tokens=2, total_tokens=5)
    model = Behind([BYE], default_usage=usage)
    await Runner.run(Agent("Clerk", model=model, instructions="Be brief."), "go")
    assert model.calls[0].tracing is ModelTracing.DISABLED  # the run makes the span
    (span,) = of_kind(kept, "response")
    response = span.span_data.response
    assert response.output[0].content[0].text == "bye"
    assert (response.usage.input_tokens, response.instructions) == (3, "Be brief.")
    assert span.span_data.input[0]["content"] == "go"
    assert span.span_data.usage["total_tokens"] == 5


class Broken(TracingProcessor):
    """Raises whatever it is told."""

    def on_trace_start(self, trace: Any) -> None:
        raise RuntimeError("broken")

    on_trace_end = on_span_start = on_span_end = on_trace_start

    def inside(self, span: Any) -> Any:
        raise RuntimeError("broken")

    def shutdown(self) -> None:
        raise RuntimeError("broken")

    force_flush = shutdown


async def test_a_processor_that_raises_never_reaches_the_run(
    kept: Any, caplog: pytest.LogCaptureFixture
) -> None:
    after = traced_runs.processor(SDK)
    set_trace_processors([kept, Broken()])
    add_trace_processor(after)
    result = await Runner.run(clerk(BYE), "go")
    assert result.final_output == "bye"
    assert [span.span_id for span in after.spans] == [span.span_id for span in kept.spans]
    assert "on_span_start of the trace processor Broken failed" in caplog.text


async def test_the_trace_and_the_span_of_a_call_are_current_inside_a_tool(kept: Any) -> None:
    inside: list[Any] = []

    @function_tool
    async def look() -> str:
        inside.extend([get_current_trace(), get_current_span()])
        return "fine"

    await Runner.run(clerk([call("look")], BYE, tools=[look]), "go")
    assert inside == [kept.traces[0], of_kind(kept, "function")[0]]
    assert get_current_trace() is get_current_span() is None


async def test_the_trace_is_current_in_the_first_work_of_a_run(kept: Any) -> None:
    seen: list[Any] = []

    def instructions(context: object, agent: object) -> str:
        seen.append(get_current_trace())
        return "Be brief."

    await Runner.run(clerk(BYE, instructions=instructions), "go")
    assert seen == kept.traces


async def test_a_failure_of_the_run_stands_on_the_agent(kept: Any) -> None:
    with pytest.raises(RuntimeError):
        await Runner.run(clerk(RuntimeError("boo")), "go")
    (agent,) = of_kind(kept, "agent")
    assert agent.error == {"message": "Error in agent run", "data": {"error": "boo"}}


async def test_the_agent_of_an_exhausted_run_names_the_limit(kept: Any) -> None:
    @function_tool
    def look() -> str:
        return "fine"

    agent = clerk([call("look")], BYE, tools=[look])
    with pytest.raises(AgentsException):
        await Runner.run(agent, "go", max_turns=1)
    assert of_kind(kept, "agent")[0].error["data"] == {"max_turns": 1}


async def test_a_list_of_a_server_is_a_span_of_its_turn_and_a_call_names_the_server(
    kept: Any,
) -> None:
    server = HandmadeServer("files", [Tool(name="read", input_schema={"type": "object"})])
    agent = clerk([call("read")], BYE, mcp_servers=[server])
    await Runner.run(agent, "go")
    turn, (listing, _) = of_kind(kept, "turn")[0], of_kind(kept, "mcp_tools")
    assert listing.parent_id == turn.span_id
    assert (listing.span_data.server, listing.span_data.result) == ("files", ["read"])
    (span,) = of_kind(kept, "function")
    assert span.span_data.mcp_data == {"server": "files"}
