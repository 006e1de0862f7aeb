"""OpenTelemetry: the spans of runs by the GenAI semantic conventions, in memory and at a collector
that runs in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentgraph import (
    Agent,
    RunConfig,
    Runner,
    RunState,
    Usage,
    custom_span,
    flush_traces,
    function_tool,
    set_trace_processors,
    set_trace_provider,
)
from agentgraph.extensions.tracing import OpenTelemetryProcessor, RunIdGenerator
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tracing import get_trace_provider
from agentgraph.tracing.provider import DefaultTraceProvider
from tests.tracing import traced_runs

SDK = traced_runs.package("agentgraph")
BYE = [assistant_message("a secret bye")]


class Memory:
    """A provider of OpenTelemetry whose spans stay in memory."""

    def __init__(self, *, content: bool = False) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(id_generator=RunIdGenerator())
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        set_trace_processors([OpenTelemetryProcessor(self.provider, capture_content=content)])

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that ended, in the order of their starts."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> Any:
        """The one span with a name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def tree(self) -> list[Any]:
        """Names of spans, each with those inside it."""
        ids = {span.context.span_id for span in self.spans}
        return [
            self._inside(span)
            for span in self.spans
            if span.parent is None or span.parent.span_id not in ids
        ]

    def _inside(self, span: ReadableSpan) -> list[Any]:
        children = [
            one
            for one in self.spans
            if one.parent is not None and one.parent.span_id == span.context.span_id
        ]
        return [span.name, *map(self._inside, children)]


@pytest.fixture(autouse=True)
def _own_provider() -> Iterator[None]:
    before = get_trace_provider()
    set_trace_provider(DefaultTraceProvider())
    yield
    set_trace_provider(before)


def call(name: str, arguments: object = "{}") -> Any:
    return function_call(name, arguments, call_id=f"call_{name}")  # type: ignore[arg-type]


@function_tool
def look(city: str) -> str:
    with custom_span("reading the map"):
        return "a secret answer"


def clerk(*steps: Any, **options: Any) -> Agent[Any]:
    usage = Usage(requests=1, input_tokens=3, output_tokens=2, total_tokens=5)
    return Agent("Clerk", model=ScriptedModel(steps, default_usage=usage), **options)


async def test_a_run_is_a_tree_of_operations() -> None:
    memory = Memory()
    inner = clerk(BYE)
    inner.name = "Reader"
    target = clerk([call("read", {"input": "x"})], BYE, tools=[inner.as_tool("read", "Reads")])
    target.name = "B"
    agent = clerk([call("look", {"city": "x"})], [call("transfer_to_b")], handoffs=[target])
    agent.tools = [look]
    await Runner.run(agent, "go", run_config=RunConfig(workflow_name="desk", group_id="chat-7"))
    assert memory.tree() == [
        [
            "invoke_workflow desk",
            [
                "invoke_agent Clerk",
                ["chat ScriptedModel"],
                ["execute_tool look", ["reading the map"]],
                ["chat ScriptedModel"],
                ["handoff B"],
            ],
            [
                "invoke_agent B",
                ["chat ScriptedModel"],
                ["execute_tool read", ["invoke_agent Reader", ["chat ScriptedModel"]]],
                ["chat ScriptedModel"],
            ],
        ]
    ]
    whole = memory.named("invoke_workflow desk")
    assert whole.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert whole.attributes["gen_ai.conversation.id"] == "chat-7"
    assert memory.named("handoff B").attributes["agentgraph.handoff.target"] == "B"


async def test_operations_have_the_attributes_of_the_conventions() -> None:
    memory = Memory()
    await Runner.run(clerk([call("look", {"city": "x"})], BYE, tools=[look]), "go")
    chat, _ = [span for span in memory.spans if span.name == "chat ScriptedModel"]
    assert chat.kind is otel.SpanKind.CLIENT
    assert dict(chat.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "ScriptedModel",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    }
    tool = memory.named("execute_tool look")
    assert dict(tool.attributes) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.type": "function",
    }
    assert memory.named("invoke_agent Clerk").attributes["gen_ai.agent.name"] == "Clerk"
    assert chat.instrumentation_scope is not None
    assert chat.instrumentation_scope.schema_url.startswith("https://opentelemetry.io/schemas/")


@pytest.mark.parametrize("content", [False, True])
async def test_texts_are_attributes_only_on_request(content: bool) -> None:
    memory = Memory(content=content)
    agent = clerk([call("look", {"city": "a secret city"})], BYE, tools=[look])
    agent.instructions = "a secret rule"
    await Runner.run(agent, "a secret question")
    written = "".join(span.to_json() for span in memory.spans)
    assert ("secret" in written) == content
    if content:
        tool = memory.named("execute_tool look").attributes
        assert tool["gen_ai.tool.call.arguments"] == '{"city":"a secret city"}'
        assert tool["gen_ai.tool.call.result"] == "a secret answer"
        _, chat = [span for span in memory.spans if span.name == "chat ScriptedModel"]
        values = dict(chat.attributes or {})
        sent = json.loads(str(values["gen_ai.input.messages"]))
        assert [one["role"] for one in sent] == ["user", "assistant", "tool"]
        assert sent[0]["parts"] == [{"type": "text", "content": "a secret question"}]
        assert sent[1]["parts"][0]["name"] == "look"
        assert sent[2]["parts"][0]["response"] == "a secret answer"
        assert json.loads(str(values["gen_ai.output.messages"])) == [
            {"role": "assistant", "parts": [{"type": "text", "content": "a secret bye"}]}
        ]
        assert "a secret rule" in str(values["gen_ai.system_instructions"])


class Behind(ScriptedModel):
    """A model behind the Responses API."""

    span_type = "response"
    model = "a-model"


async def test_a_response_of_the_responses_api_is_a_chat_too() -> None:
    memory = Memory(content=True)
    await Runner.run(Agent("Clerk", model=Behind([BYE]), instructions="Be brief."), "go")
    chat = memory.named("chat a-model").attributes
    assert chat["gen_ai.provider.name"] == "openai"
    assert "a secret bye" in chat["gen_ai.output.messages"]
    assert "Be brief." in chat["gen_ai.system_instructions"]


@pytest.mark.parametrize(("name", "verdict"), [("guardrails", "false"), ("input_trips", "true")])
async def test_the_verdict_of_a_guardrail_is_an_event(name: str, verdict: str) -> None:
    memory = Memory()
    agent, options = traced_runs.cases(SDK)[name]()
    await traced_runs.run(SDK, agent, "go", options, streamed=False)
    span = next(span for span in memory.spans if span.name.startswith("apply_guardrail"))
    (event,) = span.events
    assert event.name == "gen_ai.guardrail.result"
    values = dict(event.attributes or {})
    assert values["gen_ai.guardrail.result.type"] == "tripwire_triggered"
    assert values["gen_ai.guardrail.result.value"] == verdict


async def test_an_error_is_the_status_of_its_span() -> None:
    memory = Memory()
    with pytest.raises(RuntimeError):
        await Runner.run(clerk(RuntimeError("a secret")), "go")
    chat, agent = memory.named("chat ScriptedModel"), memory.named("invoke_agent Clerk")
    assert chat.attributes["error.type"] == "Error getting response"
    assert agent.status.status_code is otel.StatusCode.ERROR
    assert "secret" not in "".join(span.to_json() for span in memory.spans)


async def test_a_run_inside_a_span_of_the_program_belongs_to_its_trace() -> None:
    memory = Memory()
    with memory.provider.get_tracer("web").start_as_current_span("GET /") as request:
        await Runner.run(clerk(BYE), "go")
    whole = memory.named("invoke_workflow Agent workflow")
    assert whole.parent.span_id == request.get_span_context().span_id


async def test_what_a_tool_instruments_is_inside_the_span_of_its_call() -> None:
    memory = Memory()
    web = memory.provider.get_tracer("web")

    @function_tool
    async def fetch() -> str:
        with web.start_as_current_span("GET /orders"):
            return "fine"

    def instructions(context: object, agent: object) -> str:
        with web.start_as_current_span("GET /rules"):
            return "Be brief."

    calls = [function_call("fetch", "{}", call_id=id) for id in "ab"]
    agent = clerk(calls, BYE, tools=[fetch], instructions=instructions)
    await Runner.run(agent, "go")
    around = {span.context.span_id: span.name for span in memory.spans}
    parents = [
        (span.name, around[span.parent.span_id])
        for span in memory.spans
        if span.name.startswith("GET") and span.parent is not None
    ]
    assert sorted(parents) == [
        ("GET /orders", "execute_tool fetch"),
        ("GET /orders", "execute_tool fetch"),
        ("GET /rules", "invoke_agent Clerk"),
        ("GET /rules", "invoke_agent Clerk"),
    ]


@function_tool(needs_approval=True)
def pay() -> str:
    return "paid"


async def test_a_run_that_waited_goes_on_in_its_trace() -> None:
    first = Memory()
    agent = clerk([call("pay")], BYE, tools=[pay])
    waiting = await Runner.run(agent, "go")
    text = json.dumps(waiting.to_state().to_json())
    state = await RunState.from_json(agent, json.loads(text))
    state.approve(state.get_interruptions()[0])
    second = Memory()  # as in another process
    await Runner.run(agent, state)
    traces = {span.context.trace_id for memory in (first, second) for span in memory.spans}
    assert len(traces) == 1
    ids = [span.context.span_id for span in [*first.spans[1:], *second.spans[1:]]]
    assert len(ids) == len({*ids})


class Collector(HTTPServer):
    """A collector on loopback that decodes what it gets (OTLP over HTTP, protobuf)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.server.spans += [
            span
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_a_collector_receives_the_spans_of_a_run(collector: Collector) -> None:
    provider = TracerProvider()
    exporter = OTLPSpanExporter(collector.url, compression=Compression.NoCompression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    set_trace_processors([OpenTelemetryProcessor(provider)])
    await Runner.run(clerk([call("look", {"city": "x"})], BYE, tools=[look]), "go")
    flush_traces()
    provider.shutdown()
    names = sorted(span.name for span in collector.spans)
    assert names == [
        "chat ScriptedModel",
        "chat ScriptedModel",
        "execute_tool look",
        "invoke_agent Clerk",
        "invoke_workflow Agent workflow",
        "reading the map",
    ]
    (tool,) = [span for span in collector.spans if span.name == "execute_tool look"]
    (agent,) = [span for span in collector.spans if span.name == "invoke_agent Clerk"]
    assert tool.parent_span_id == agent.span_id
    assert agent.start_time_unix_nano <= tool.start_time_unix_nano < tool.end_time_unix_nano


def test_without_its_packages_the_error_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from agentgraph.extensions.tracing import OpenTelemetryProcessor"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert 'pip install "agentgraph-workflows[otel]"' in done.stderr
