"""Traces and spans that a program makes: how they nest, who is told, and what is never sent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import agentgraph.tracing
from agentgraph import (
    Agent,
    Runner,
    Span,
    Trace,
    TracingProcessor,
    add_trace_processor,
    agent_span,
    custom_span,
    flush_traces,
    function_span,
    function_tool,
    gen_span_id,
    gen_trace_id,
    get_current_span,
    get_current_trace,
    set_trace_processors,
    set_trace_provider,
    set_tracing_disabled,
    trace,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tracing import TraceCtxManager, get_trace_provider
from agentgraph.tracing.provider import DefaultTraceProvider
from tests.published_sdk import needs_the_published_sdk, published


class Notes(TracingProcessor):
    """Writes down what it is told."""

    def __init__(self, name: str = "", told: list[str] | None = None) -> None:
        self.name = name
        self.told: list[str] = [] if told is None else told
        self.spans: list[Span[Any]] = []

    def on_trace_start(self, trace: Trace) -> None:
        self.told.append(f"{self.name}trace {trace.name} starts")

    def on_trace_end(self, trace: Trace) -> None:
        self.told.append(f"{self.name}trace {trace.name} ends")

    def on_span_start(self, span: Span[Any]) -> None:
        self.told.append(f"{self.name}{span.span_data.type} starts")

    def on_span_end(self, span: Span[Any]) -> None:
        self.told.append(f"{self.name}{span.span_data.type} ends")
        self.spans.append(span)

    def shutdown(self) -> None:
        self.told.append(f"{self.name}shutdown")

    def force_flush(self) -> None:
        self.told.append(f"{self.name}flush")


class Broken(Notes):
    def on_span_start(self, span: Span[Any]) -> None:
        raise RuntimeError("a secret")

    on_trace_start = on_span_start  # type: ignore[assignment]
    on_span_end = on_trace_end = on_span_start  # type: ignore[assignment]


@pytest.fixture
def notes() -> Iterator[Notes]:
    """The processor of a provider that is in place for one test."""
    before, own = get_trace_provider(), Notes()
    set_trace_provider(DefaultTraceProvider())
    set_trace_processors([own])
    yield own
    set_trace_provider(before)


def test_spans_nest_in_the_order_of_their_blocks(notes: Notes) -> None:
    with trace("desk", group_id="chat", metadata={"k": 1}) as whole:
        assert get_current_trace() is whole
        with agent_span("Clerk", tools=["look"]) as outer:
            with function_span("look", input="{}") as inner:
                assert get_current_span() is inner
                inner.span_data.output = 3
            assert get_current_span() is outer
        assert get_current_span() is None
    assert get_current_trace() is None
    assert notes.told == [
        "trace desk starts",
        "agent starts",
        "function starts",
        "function ends",
        "agent ends",
        "trace desk ends",
    ]
    assert outer.parent_id is None
    assert inner.parent_id == outer.span_id
    assert {span.trace_id for span in notes.spans} == {whole.trace_id}
    exported: Any = inner.export()
    assert exported["span_data"] == {
        "type": "function",
        "name": "look",
        "input": "{}",
        "output": "3",
        "mcp_data": None,
    }
    assert exported["started_at"] <= exported["ended_at"]
    assert inner.trace_metadata == {"k": 1}


async def test_tasks_and_threads_inherit_what_is_current_and_keep_their_own(notes: Notes) -> None:
    seen: dict[str, str | None] = {}

    async def work(name: str, meet: asyncio.Barrier) -> None:
        with custom_span(name) as span:
            await meet.wait()
            seen[name] = span.parent_id
            assert get_current_span() is span

    with trace("desk"), custom_span("around") as around:
        meet = asyncio.Barrier(2)
        await asyncio.gather(work("a", meet), work("b", meet))
        await asyncio.to_thread(lambda: seen.update(thread=custom_span("t").parent_id))
        assert get_current_span() is around
        alone = threading.Thread(target=lambda: seen.update(alone=str(get_current_span())))
        alone.start()
        alone.join()
    parent = around.span_id
    assert seen == {"a": parent, "b": parent, "thread": parent, "alone": "None"}


async def test_a_tool_of_a_run_is_inside_the_traces_of_the_program(notes: Notes) -> None:
    inside: list[Any] = []

    @function_tool
    async def look() -> str:
        with custom_span("looking"):
            inside.append((get_current_trace(), notes.told[-1]))
        return "fine"

    model = ScriptedModel(
        [[function_call("look", {}, call_id="c1")], [assistant_message("It is fine.")]]
    )
    with trace("desk") as whole:
        await Runner.run(Agent(name="A", model=model, tools=[look]), "go")
    assert inside == [(whole, "custom starts")]


def test_processors_are_told_in_order_and_a_failing_one_stops_no_other(
    notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    set_trace_processors([Notes("1 ", told), Broken("2 ", told)])
    add_trace_processor(Notes("3 ", told))
    with trace("desk"), custom_span("x"):
        pass
    flush_traces()
    assert told == [
        "1 trace desk starts",
        "3 trace desk starts",
        "1 custom starts",
        "3 custom starts",
        "1 custom ends",
        "3 custom ends",
        "1 trace desk ends",
        "3 trace desk ends",
        "1 flush",
        "2 flush",
        "3 flush",
    ]
    assert "on_span_start of the trace processor Broken failed (RuntimeError)" in caplog.text
    assert "a secret" not in caplog.text


def test_an_exception_ends_the_blocks_and_passes(notes: Notes) -> None:
    def fail() -> None:
        with trace("desk"), custom_span("x") as span:
            span.set_error({"message": "gone", "data": None})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert notes.told[-2:] == ["custom ends", "trace desk ends"]
    assert notes.spans[0].error == {"message": "gone", "data": None}
    assert get_current_trace() is get_current_span() is None


def test_nothing_is_recorded_without_a_trace_or_where_it_is_disabled(notes: Notes) -> None:
    with custom_span("no trace") as span:
        assert get_current_span() is span
        assert (span.span_id, span.export(), span.started_at) == ("no-op", None, None)
    with trace("off", disabled=True), custom_span("x"):
        pass
    with trace("on"):
        with custom_span("off", disabled=True), custom_span("inside"):
            pass
        with TraceCtxManager("run", None, None, None, None, True), custom_span("masked"):
            pass
        set_tracing_disabled(True)
        with custom_span("late"):
            pass
        set_tracing_disabled(False)
        with custom_span("again"):
            pass
    assert notes.told == ["trace on starts", "custom starts", "custom ends", "trace on ends"]


def test_facts_that_a_program_adds_to_its_own_dict_are_exported(notes: Notes) -> None:
    facts: dict[str, Any] = {}
    with trace("desk"), custom_span("work", facts) as span:
        facts["rows"] = 3
    exported: Any = span.export()
    assert exported["span_data"]["data"] == {"rows": 3}


def test_the_variable_of_the_sdk_turns_tracing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, recorded in (("1", False), ("true", False), ("0", True), ("", True)):
        monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", value)
        made = DefaultTraceProvider().create_trace("t")
        assert (made.export() is not None) is recorded


def test_a_run_inside_a_trace_makes_no_trace_of_its_own(notes: Notes) -> None:
    with trace("mine") as mine, TraceCtxManager("run", None, None, None, None, False) as inside:
        assert inside.trace is None
        assert get_current_trace() is mine
    with TraceCtxManager("run", "trace_1", "g", {"a": 1}, {"api_key": "k"}, False) as alone:
        made = alone.trace
        assert made is get_current_trace()
    assert made is not None
    assert made.to_json(include_tracing_api_key=True) == {
        "object": "trace",
        "id": "trace_1",
        "workflow_name": "run",
        "group_id": "g",
        "metadata": {"a": 1},
        "tracing_api_key": "k",
    }
    assert "tracing_api_key" not in (made.to_json() or {})


def test_a_parent_may_be_named(notes: Notes) -> None:
    whole = trace("whole")
    whole.start()
    first = custom_span("first", parent=whole)
    second = custom_span("second", parent=first, span_id="span_mine")
    assert (first.trace_id, first.parent_id) == (whole.trace_id, None)
    assert (second.trace_id, second.parent_id) == (whole.trace_id, first.span_id)
    assert second.span_id == "span_mine"
    assert get_current_trace() is None


def test_processors_hear_of_one_start_and_one_finish(
    notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    whole = trace("whole")
    whole.finish()
    for _ in range(2):
        whole.start()
    span = custom_span("x", parent=whole)
    for _ in range(2):
        span.start()
    for _ in range(2):
        span.finish()
        whole.finish()
    assert notes.told == ["trace whole starts", "custom starts", "custom ends", "trace whole ends"]
    assert caplog.text.count("second time") == 2


async def test_a_generator_that_another_task_closes_ends_its_span(notes: Notes) -> None:
    async def numbers() -> AsyncIterator[int]:
        with trace("desk"), custom_span("x"):
            yield 1

    async def begin() -> AsyncIterator[int]:
        generator = numbers()
        await anext(generator)
        return generator

    generator: Any = await asyncio.create_task(begin())
    await generator.aclose()
    assert notes.told[-2:] == ["custom ends", "trace desk ends"]


def test_ids_have_the_form_of_the_sdk() -> None:
    assert gen_trace_id().startswith("trace_")
    assert len(gen_trace_id()) == len("trace_") + 32
    assert len(gen_span_id()) == len("span_") + 24
    assert gen_trace_id() != gen_trace_id()


def test_processors_are_shut_down_when_the_program_ends() -> None:
    program = (
        "from agentgraph import trace, add_trace_processor, TracingProcessor\n"
        "from tests.tracing.test_traces import Notes\n"
        "class Last(Notes):\n"
        "    def shutdown(self): print('shut down')\n"
        "add_trace_processor(Last())\n"
        "print('end')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "end\nshut down\n"


SAME = """
import json
from PACKAGE import *
from PACKAGE.tracing import set_trace_provider
from PACKAGE.tracing.provider import DefaultTraceProvider
from PACKAGE.tracing import TracingProcessor

class Notes(TracingProcessor):
    told = []
    def on_trace_start(self, trace): self.told.append(["trace starts", self.plain(trace)])
    def on_trace_end(self, trace): self.told.append(["trace ends", self.plain(trace)])
    def on_span_start(self, span): self.told.append(["span starts", self.plain(span)])
    def on_span_end(self, span): self.told.append(["span ends", self.plain(span)])
    def shutdown(self): pass
    def force_flush(self): self.told.append(["flush", None])
    ids = {}
    def plain(self, item):
        exported = item.export()
        for key in ("id", "trace_id", "parent_id"):
            if exported.get(key):
                exported[key] = self.ids.setdefault(exported[key], len(self.ids))
        for key in ("started_at", "ended_at"):
            if key in exported:
                exported[key] = exported[key] is not None
        return exported

set_trace_provider(DefaultTraceProvider())
set_tracing_disabled(False)
set_trace_processors([Notes()])
with trace("desk", group_id="g", metadata={"k": [1]}):
    with agent_span("A", handoffs=["B"], tools=["t"], output_type="str"):
        with generation_span([{"role": "user"}], [{"role": "assistant"}], "m", {"t": 1}, {"in": 1}):
            pass
        with response_span():
            pass
        with function_span("f", "{}", "out") as span:
            span.set_error({"message": "no", "data": {"a": 1}})
        with guardrail_span("g", triggered=True):
            pass
        with handoff_span("A", "B"):
            pass
    with task_span("desk"), turn_span(1, "A"):
        pass
    with custom_span("c", {"x": 1}) as span:
        span.span_data.data["y"] = 2
    with custom_span("d"):
        pass
    with speech_group_span("text"), speech_span("m", "in", "out", model_config={}):
        pass
    with transcription_span("m", "audio", output="text"), mcp_tools_span("s", ["t"]):
        pass
with custom_span("outside"):
    pass
with trace("off", disabled=True), custom_span("off"):
    pass
flush_traces()
print(json.dumps(Notes.told))
"""


@needs_the_published_sdk
def test_processors_hear_the_same_as_with_the_published_sdk(
    capsys: pytest.CaptureFixture[str], notes: Notes
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ours == published(SAME)
    assert len(ours) == 31


def test_tracing_loads_no_client_and_nothing_that_sends() -> None:
    program = (
        "import sys\n"
        "from agentgraph import add_trace_processor, trace, custom_span\n"
        "with trace('t'), custom_span('c'):\n"
        "    pass\n"
        "assert not {'openai', 'pydantic', 'asyncio', 'urllib.request', 'ssl'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_module_exports_what_it_says() -> None:
    missing = [name for name in agentgraph.tracing.__all__ if not hasattr(agentgraph.tracing, name)]
    assert missing == []
