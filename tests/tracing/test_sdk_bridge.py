"""Spans leave through the published Agents SDK, where the instrumentation of vendors reads them."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from agentgraph.extensions.tracing import sdk_bridge
from tests.architecture.source_tree import REPOSITORY
from tests.published_sdk import needs_the_published_sdk, published

PROGRAM = """
import asyncio, json, logging, sys

sys.path[:0] = [sys.argv[1], sys.argv[1] + "/compiler"]
import agents
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logs = []
handler = logging.Handler(logging.WARNING)
handler.emit = lambda record: logs.append(record.getMessage())
logging.getLogger().addHandler(handler)
agents.set_tracing_disabled(False)
agents.set_trace_processors([])  # nothing goes to OpenAI
exporter = InMemorySpanExporter()
to_memory = SimpleSpanProcessor(exporter)
if sys.argv[2] == "openinference":
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    provider = TracerProvider()
    provider.add_span_processor(to_memory)
    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
else:
    import logfire

    logfire.configure(
        send_to_logfire=False, console=False, additional_span_processors=[to_memory]
    )
    logfire.instrument_openai_agents()

from agentgraph import Agent, Runner, custom_span, function_tool
from agentgraph import set_trace_processors, set_tracing_disabled
from agentgraph.extensions.tracing import sdk_bridge
from agentgraph.testing import ScriptedModel, assistant_message, function_call


class Behind(ScriptedModel):
    span_type = "response"
    model = "a-model"


@function_tool
def look(city: str) -> str:
    with custom_span("map"):
        return "sunny"


@function_tool
def fails() -> str:
    raise ValueError("boo")


@function_tool(needs_approval=True)
def pay() -> str:
    return "paid"


def call(name, id, arguments="{}"):
    return function_call(name, arguments, call_id=id)


async def main():
    second = Agent("B", model=Behind([[assistant_message("bye")]]))
    steps = [
        [call("look", "1", {"city": "x"}), call("look", "2", {"city": "y"}), call("fails", "3")],
        [call("pay", "4")],
        [call("transfer_to_b", "5")],
    ]
    first = Agent(
        "A",
        instructions="Be brief.",
        model=ScriptedModel(steps),
        tools=[look, fails, pay],
        handoffs=[second],
    )
    set_tracing_disabled(False)  # the variable of the environment turns both off
    set_trace_processors([sdk_bridge()])
    state = (await Runner.run(first, "go")).to_state()
    state.approve(state.get_interruptions()[0])
    assert (await Runner.run(first, state)).final_output == "bye"


asyncio.run(main())
spans = sorted(exporter.get_finished_spans(), key=lambda span: span.start_time)
names = {span.context.span_id: span.name for span in spans}
rows = [
    {
        "name": span.name,
        "parent": span.parent and names.get(span.parent.span_id),
        "error": span.status.status_code.name == "ERROR",
        "attributes": {key: str(value) for key, value in span.attributes.items()},
    }
    for span in spans
]
print(json.dumps({"spans": rows, "logs": [text for text in logs if "etach" in text]}))
"""


def spans_of(vendor: str) -> list[dict[str, Any]]:
    seen = published(PROGRAM, str(REPOSITORY), vendor)
    assert seen["logs"] == []  # what a processor made current was taken back in its own context
    spans: list[dict[str, Any]] = seen["spans"]
    return spans


@needs_the_published_sdk
def test_openinference_reads_the_spans_of_a_run() -> None:
    spans = spans_of("openinference")
    edges = [(span["name"], span["parent"]) for span in spans]
    assert edges[:4] == [
        ("Agent workflow", None),
        ("Agent workflow", "Agent workflow"),
        ("A", "Agent workflow"),
        ("turn", "A"),
    ]
    assert edges.count(("look", "turn")) == edges.count(("map", "look")) == 2
    assert ("handoff to B", "turn") in edges
    assert ("response", "turn") in edges
    generation = next(span["attributes"] for span in spans if span["name"] == "generation")
    assert generation["llm.input_messages.0.message.content"] == "Be brief."
    assert generation["llm.input_messages.1.message.content"] == "go"
    calls = "llm.output_messages.0.message.tool_calls"
    assert generation[f"{calls}.1.tool_call.function.arguments"] == '{"city":"y"}'
    tool = next(span["attributes"] for span in spans if span["name"] == "look")
    assert (tool["input.value"], tool["output.value"]) == ('{"city":"x"}', "sunny")
    response = next(span["attributes"] for span in spans if span["name"] == "response")
    assert response["llm.output_messages.0.message.content"] == "bye"
    assert response["llm.model_name"] == "a-model"
    assert [span["name"] for span in spans if span["error"]] == ["fails"]
    assert [span["attributes"].get("output.value") for span in spans if span["name"] == "pay"] == [
        None,
        "paid",
    ]


@needs_the_published_sdk
def test_logfire_reads_the_spans_of_a_run() -> None:
    messages = [span["attributes"]["logfire.msg"] for span in spans_of("logfire")]
    assert messages[0] == "OpenAI Agents trace: Agent workflow"
    assert "Agent run: 'A'" in messages
    assert "Function: look" in messages
    assert "Handoff: A → B" in messages
    assert "Chat completion with 'ScriptedModel'" in messages


def test_without_the_published_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "agents", None)
    with pytest.raises(ImportError, match="pip install openai-agents"):
        sdk_bridge()
