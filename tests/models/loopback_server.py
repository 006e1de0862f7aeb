"""A small HTTP server on loopback that records what a client sends and answers from a list."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers to one request.

    Attributes:
        body: A JSON value, or a list of events when `stream` is set.
        status: The HTTP status.
        headers: Further headers.
        stream: Send `body` as server-sent events.
        hold: Do not answer before the server is closed.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stream: bool = False
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came: `path` with its query, `headers` in lower case, `json` the body."""

    path: str
    headers: dict[str, str]
    json: Any


class LoopbackServer:
    """Serves the queued answers in order, each once, and keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._answers: deque[Answer] = deque()
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet an answer: two would meet the client's delayed acknowledgement, 40 ms each.
            wbufsize = -1

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                raw = self.rfile.read(length)
                server.requests.append(
                    Recorded(
                        self.path,
                        {name.lower(): value for name, value in self.headers.items()},
                        json.loads(raw) if raw else None,
                    )
                )
                server._reply(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL for the client."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def answer(self, *answers: Answer) -> None:
        """Queue answers."""
        self._answers.extend(answers)

    def close(self) -> None:
        """Stop serving and let go of held requests."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _reply(self, handler: BaseHTTPRequestHandler) -> None:
        answer = self._answers.popleft() if self._answers else Answer({"error": {}}, status=500)
        if answer.hold:
            self._closing.wait()
            handler.close_connection = True
            return
        body = _events(answer.body) if answer.stream else json.dumps(answer.body).encode()
        kind = "text/event-stream" if answer.stream else "application/json"
        handler.send_response(answer.status)
        for name, value in {"content-type": kind, **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def _events(events: Sequence[dict[str, Any]]) -> bytes:
    """Write events as the API does; what has no `event:` line of its own is a chunk."""
    lines = [
        f"data: {json.dumps(event)}\n\n"
        if event["type"] == "chunk"
        else f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        for event in events
    ]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()
