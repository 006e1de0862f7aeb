"""Processors and exporters that a program may add. Nothing here is added by default.

`add_trace_processor(default_processor())` sends traces to OpenAI, as the published SDK does by
itself.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from functools import cache
from typing import Any, Final

from agentgraph.logger import log_model_and_tool_action_error, logger
from agentgraph.openai_defaults import openai_defaults
from agentgraph.tracing.processor_interface import TracingExporter, TracingProcessor
from agentgraph.tracing.spans import Span
from agentgraph.tracing.traces import Trace

__all__ = [
    "BackendSpanExporter",
    "BatchTraceProcessor",
    "ConsoleSpanExporter",
    "default_exporter",
    "default_processor",
]

_TIMEOUT: Final = 60.0
"""How long one request may take, in seconds."""

_SHUTDOWN: Final = 5.0
"""How long the end of the program may wait for the last batch, in seconds."""


class ConsoleSpanExporter(TracingExporter):
    """Prints traces and spans."""

    def export(self, items: list[Trace | Span[Any]]) -> None:
        for item in items:
            print(json.dumps(item.export(), default=str))  # noqa: T201 - its purpose


class BackendSpanExporter(TracingExporter):
    """Sends traces and spans to OpenAI, or to another server that takes the same requests.

    Args:
        api_key: The key; when left out, that of `set_default_openai_key`, then `OPENAI_API_KEY`. A
            trace may have a key of its own.
        organization: The organization; `OPENAI_ORG_ID` when left out.
        project: The project; `OPENAI_PROJECT_ID` when left out.
        endpoint: Where to send them.
        max_retries: How often a batch is sent at most.
        base_delay: The wait before it is sent again, in seconds; it doubles each time.
        max_delay: The longest such wait, in seconds.
    """

    def __init__(
        self,
        api_key: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        endpoint: str = "https://api.openai.com/v1/traces/ingest",
        max_retries: int = 3,
        base_delay: float = 1.0,
        max_delay: float = 30.0,
    ) -> None:
        self._api_key = api_key
        self._organization = organization
        self._project = project
        self.endpoint = endpoint
        self.max_retries = max_retries
        self.base_delay = base_delay
        self.max_delay = max_delay

    @property
    def api_key(self) -> str | None:
        """The key for traces without a key of their own."""
        default = openai_defaults.key_for_tracing
        return self._api_key or default or os.environ.get("OPENAI_API_KEY")

    @api_key.setter
    def api_key(self, api_key: str | None) -> None:
        self._api_key = api_key

    def set_api_key(self, api_key: str) -> None:
        """Set the key for traces without a key of their own."""
        self._api_key = api_key

    def export(self, items: list[Trace | Span[Any]]) -> None:
        by_key: dict[str | None, list[dict[str, Any]]] = {}
        for item in items:
            exported = item.export()
            if exported is not None:
                by_key.setdefault(item.tracing_api_key or self.api_key, []).append(exported)
        for key, batch in by_key.items():
            if key is None:
                logger.warning("Traces are not sent, because OPENAI_API_KEY is not set")
            else:
                self._send(key, _json(batch))

    def _send(self, key: str, body: bytes) -> None:
        delay = self.base_delay
        for attempt in range(1, self.max_retries + 1):
            problem, is_final = self._post(key, body)
            if problem is None:
                return
            if is_final or attempt == self.max_retries:
                logger.error("Traces were not sent: %s", problem)
                return
            time.sleep(min(delay, self.max_delay))
            delay *= 2

    def _post(self, key: str, body: bytes) -> tuple[str | None, bool]:
        """Send a batch once; return what went wrong, and whether it will again."""
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "OpenAI-Beta": "traces=v1",
            "OpenAI-Organization": self._organization or os.environ.get("OPENAI_ORG_ID"),
            "OpenAI-Project": self._project or os.environ.get("OPENAI_PROJECT_ID"),
        }
        present = {name: value for name, value in headers.items() if value}
        request = Request(self.endpoint, body, present, method="POST")
        try:
            with urlopen(request, timeout=_TIMEOUT):
                return None, True
        except HTTPError as error:
            error.close()
            return f"the server answered {error.code}", error.code < 500 and error.code != 429
        except (OSError, HTTPException) as error:
            return type(error).__name__, False


def _json(batch: list[dict[str, Any]]) -> bytes:
    from pydantic_core import to_jsonable_python

    data = to_jsonable_python(batch, inf_nan_mode="null", fallback=str)
    return json.dumps({"data": data}, allow_nan=False).encode()


class BatchTraceProcessor(TracingProcessor):
    """Exports traces and spans in batches, in a thread of its own.

    Args:
        exporter: Sends the batches. An exception costs the batch and is logged.
        max_queue_size: How many items may wait; further ones are dropped.
        max_batch_size: How many items a batch has at most.
        schedule_delay: How long an item waits at most, in seconds.
        export_trigger_ratio: The part of the queue that, when full, is exported at once.
    """

    def __init__(
        self,
        exporter: TracingExporter,
        max_queue_size: int = 8192,
        max_batch_size: int = 128,
        schedule_delay: float = 5.0,
        export_trigger_ratio: float = 0.7,
    ) -> None:
        self._exporter = exporter
        self._max_queue_size = max_queue_size
        self._max_batch_size = max_batch_size
        self._schedule_delay = schedule_delay
        self._trigger = max(1, int(max_queue_size * export_trigger_ratio))
        self._waiting: deque[Trace | Span[Any]] = deque()
        self._changed = threading.Condition()
        self._exporting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def on_trace_start(self, trace: Trace) -> None:
        self._put(trace)

    def on_trace_end(self, trace: Trace) -> None:
        pass

    def on_span_start(self, span: Span[Any]) -> None:
        pass

    def on_span_end(self, span: Span[Any]) -> None:
        self._put(span)

    def force_flush(self) -> None:
        with self._exporting:
            while batch := self._take():
                try:
                    self._exporter.export(batch)
                except Exception as error:  # noqa: BLE001 - tracing never breaks the program
                    message = f"A trace exporter failed; {len(batch)} items are lost"
                    log_model_and_tool_action_error(logger, message, error)

    def shutdown(self, timeout: float | None = _SHUTDOWN) -> None:
        """Export what waits and end the thread.

        Args:
            timeout: How long to wait for it, in seconds.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                logger.warning("The last traces are lost: sending them takes too long")
                return
        self.force_flush()

    def _put(self, item: Trace | Span[Any]) -> None:
        with self._changed:
            if len(self._waiting) >= self._max_queue_size:
                logger.warning("A trace item is lost: too many wait for the exporter")
                return
            self._waiting.append(item)
            # A process that forked has the queue and not the thread.
            if not self._stopped and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
                self._thread.start()
            if len(self._waiting) >= self._trigger:
                self._changed.notify()

    def _take(self) -> list[Trace | Span[Any]]:
        with self._changed:
            number = min(len(self._waiting), self._max_batch_size)
            return [self._waiting.popleft() for _ in range(number)]

    def _work(self) -> None:
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopped or len(self._waiting) >= self._trigger,
                    self._schedule_delay,
                )
            self.force_flush()


@cache
def default_exporter() -> BackendSpanExporter:
    """Return the exporter to which `set_tracing_export_api_key` gives the key."""
    return BackendSpanExporter()


@cache
def default_processor() -> BatchTraceProcessor:
    """Return the processor that sends traces to OpenAI, once a program adds it."""
    return BatchTraceProcessor(default_exporter())
