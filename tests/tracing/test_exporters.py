"""Exporters that a program may add: batches, retries, keys; against a server on loopback."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agentgraph import Span, Trace, set_tracing_export_api_key, trace
from agentgraph.openai_defaults import openai_defaults
from agentgraph.tracing.processor_interface import TracingExporter
from agentgraph.tracing.processors import (
    BackendSpanExporter,
    BatchTraceProcessor,
    ConsoleSpanExporter,
    default_exporter,
    default_processor,
)
from agentgraph.tracing.provider import DefaultTraceProvider
from agentgraph.tracing.span_data import CustomSpanData


class Server:
    """Answers with each of `answers`, then with 200, and keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[tuple[dict[str, str], Any]] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((headers, json.loads(body)))
                self.send_response(server.answers.pop(0) if server.answers else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[tuple[Server, str]]:
    own = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), own.handler())
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield own, f"http://127.0.0.1:{http.server_port}/ingest"
    http.shutdown()
    thread.join()
    http.server_close()


def items(*names: str, api_key: str | None = None) -> list[Trace | Span[Any]]:
    provider = DefaultTraceProvider()
    whole = provider.create_trace(
        "desk", "trace_1", tracing=None if api_key is None else {"api_key": api_key}
    )
    spans = [provider.create_span(CustomSpanData(name, {}), parent=whole) for name in names]
    return [whole, *spans]


def test_a_batch_is_sent_with_the_key_and_the_ids(server: tuple[Server, str]) -> None:
    own, endpoint = server
    exporter = BackendSpanExporter("key", organization="org", project="p", endpoint=endpoint)
    exporter.export(items("a", "b"))
    [(headers, body)] = own.requests
    assert headers["authorization"] == "Bearer key"
    assert headers["openai-organization"] == "org"
    assert headers["openai-project"] == "p"
    assert [item["object"] for item in body["data"]] == ["trace", "trace.span", "trace.span"]
    assert {item.get("trace_id", "trace_1") for item in body["data"]} == {"trace_1"}


def test_a_trace_with_a_key_of_its_own_is_sent_with_it(server: tuple[Server, str]) -> None:
    own, endpoint = server
    exporter = BackendSpanExporter("key", endpoint=endpoint)
    exporter.export([*items(), *items("a", api_key="other")])
    sent = {headers["authorization"]: len(body["data"]) for headers, body in own.requests}
    assert sent == {"Bearer key": 1, "Bearer other": 2}


@pytest.mark.parametrize(
    ("answers", "requests", "lost"),
    [([503, 429], 3, False), ([500, 500, 500], 3, True), ([400], 1, True)],
)
def test_a_batch_is_sent_again_while_that_may_help(
    server: tuple[Server, str],
    caplog: pytest.LogCaptureFixture,
    answers: list[int],
    requests: int,
    lost: bool,
) -> None:
    own, endpoint = server
    own.answers += answers
    BackendSpanExporter("key", endpoint=endpoint, base_delay=0).export(items())
    assert len(own.requests) == requests
    assert ("Traces were not sent: the server answered" in caplog.text) is lost


def test_what_json_does_not_have_is_sent_all_the_same(server: tuple[Server, str]) -> None:
    own, endpoint = server
    [whole] = items()
    span = DefaultTraceProvider().create_span(
        CustomSpanData("odd", {"nan": math.nan, "object": object, "half": "\ud800"}), parent=whole
    )
    BackendSpanExporter("key", endpoint=endpoint).export([span])
    [(_, body)] = own.requests
    [sent] = body["data"]
    assert sent["span_data"]["data"]["nan"] is None
    assert "object" in sent["span_data"]["data"]["object"]


def test_without_a_key_nothing_is_sent(
    server: tuple[Server, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, endpoint = server
    monkeypatch.setattr(openai_defaults, "key_for_tracing", None)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    exporter = BackendSpanExporter(endpoint=endpoint)
    exporter.export(items())
    assert own.requests == []
    assert "OPENAI_API_KEY is not set" in caplog.text
    monkeypatch.setenv("OPENAI_API_KEY", "late")
    exporter.export(items())
    assert own.requests[0][0]["authorization"] == "Bearer late"


def test_a_server_that_is_not_there_costs_the_batch(caplog: pytest.LogCaptureFixture) -> None:
    endpoint = "http://127.0.0.1:9/"
    BackendSpanExporter("key", endpoint=endpoint, max_retries=2, base_delay=0).export(items())
    assert "Traces were not sent: URLError" in caplog.text


def test_the_key_of_the_process_is_the_one_of_the_default_exporter() -> None:
    before = default_exporter().api_key
    set_tracing_export_api_key("set")
    assert default_exporter().api_key == "set"
    default_exporter().api_key = before


def test_the_default_processor_sends_what_it_is_told_once_a_program_adds_it(
    server: tuple[Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, endpoint = server
    monkeypatch.setattr(default_exporter(), "endpoint", endpoint)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    tell(default_processor(), "a")
    default_processor().force_flush()
    assert [len(body["data"]) for _, body in own.requests] == [2]


class Kept(TracingExporter):
    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.arrived = threading.Event()

    def export(self, items: list[Trace | Span[Any]]) -> None:
        self.batches.append([_name(item) for item in items])
        self.arrived.set()


class Failing(Kept):
    def export(self, items: list[Trace | Span[Any]]) -> None:
        super().export(items)
        if len(self.batches) == 1:
            raise RuntimeError("down")


def _name(item: Trace | Span[Any]) -> str:
    return item.name if isinstance(item, Trace) else item.span_data.name


def processor_with(exporter: TracingExporter, **settings: Any) -> BatchTraceProcessor:
    return BatchTraceProcessor(exporter, **{"schedule_delay": 60, **settings})


def tell(processor: BatchTraceProcessor, *names: str) -> None:
    whole, *spans = items(*names)
    assert isinstance(whole, Trace)
    processor.on_trace_start(whole)
    for span in spans:
        assert isinstance(span, Span)
        processor.on_span_start(span)
        processor.on_span_end(span)
    processor.on_trace_end(whole)


def test_a_flush_exports_in_batches_what_waits() -> None:
    exporter = Kept()
    processor = processor_with(exporter, max_batch_size=2)
    tell(processor, "a", "b")
    processor.force_flush()
    assert exporter.batches == [["desk", "a"], ["b"]]
    processor.shutdown()


def test_a_queue_that_fills_is_exported_at_once() -> None:
    exporter = Kept()
    processor = processor_with(exporter, max_queue_size=4, export_trigger_ratio=0.5)
    tell(processor, "a")
    assert exporter.arrived.wait(30)
    processor.shutdown()
    assert [name for batch in exporter.batches for name in batch] == ["desk", "a"]


def test_the_end_of_the_program_exports_the_rest() -> None:
    exporter = Kept()
    processor = processor_with(exporter)
    tell(processor, "a")
    processor.shutdown()
    assert exporter.batches == [["desk", "a"]]
    tell(processor)
    processor.shutdown()
    assert exporter.batches[1:] == [["desk"]]


def test_a_full_queue_drops_what_comes_last(caplog: pytest.LogCaptureFixture) -> None:
    exporter = Kept()
    processor = processor_with(exporter, max_queue_size=2, export_trigger_ratio=9)
    tell(processor, "a", "b")
    processor.force_flush()
    assert exporter.batches == [["desk", "a"]]
    assert "A trace item is lost" in caplog.text
    processor.shutdown()


def test_an_exporter_that_fails_costs_one_batch(caplog: pytest.LogCaptureFixture) -> None:
    exporter = Failing()
    processor = processor_with(exporter, max_batch_size=1)
    tell(processor, "a")
    processor.force_flush()
    assert exporter.batches == [["desk"], ["a"]]
    assert "A trace exporter failed; 1 items are lost (RuntimeError)" in caplog.text
    processor.shutdown()


def test_the_console_has_one_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleSpanExporter().export([*items("a"), trace("off", disabled=True)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["object"] for line in lines if line] == ["trace", "trace.span"]
