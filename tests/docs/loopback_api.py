"""A server on loopback with the few calls of the OpenAI API that one example of the guide makes.

It keeps conversations in memory and answers every model request with one message. The tests of the
OpenAI models themselves run against a server that is not ours; see tests/models.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self


class LoopbackAPI:
    """Serves `/v1` on a free port while it is entered.

    Attributes:
        url: The base URL for the client.
        conversations: The items of each conversation by its id, oldest first.
    """

    def __init__(self) -> None:
        self.conversations: dict[str, list[dict[str, Any]]] = {}
        self._ids = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, parts: list[str], body: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request; the path comes in parts, without `/v1`."""
        match method, parts:
            case "POST", ["responses"]:
                return self._response()
            case "POST", ["conversations"]:
                name = f"conv_{next(self._ids)}"
                self.conversations[name] = []
                return {"id": name, "object": "conversation", "created_at": 0, "metadata": {}}
            case "POST", ["conversations", name, "items"]:
                added = [self._stored(item) for item in body["items"]]
                self.conversations[name].extend(added)
                return _page(added)
            case "GET", ["conversations", name, "items"]:
                return _page(self.conversations[name])
        raise LookupError(f"{method} /{'/'.join(parts)}")

    def _stored(self, item: dict[str, Any]) -> dict[str, Any]:
        """An item as the API gives it back: with an id, and text as a part of the content."""
        content = item.get("content")
        if isinstance(content, str):
            item = {**item, "content": [{"type": "input_text", "text": content}]}
        return {"id": f"item_{next(self._ids)}", "type": "message", **item}

    def _response(self) -> dict[str, Any]:
        number = next(self._ids)
        text = {"type": "output_text", "text": f"answer {number}", "annotations": []}
        message = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 0,
            "model": "loopback",
            "output": [message],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 1,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 1,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 2,
            },
        }


def _page(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list as the API pages it, with everything on the first page."""
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else "",
        "last_id": items[-1]["id"] if items else "",
        "has_more": False,
    }


def _handler_for(api: LoopbackAPI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._reply(json.loads(self.rfile.read(length) or b"{}"))

        def do_GET(self) -> None:
            self._reply({})

        def _reply(self, body: dict[str, Any]) -> None:
            parts = self.path.partition("?")[0].strip("/").split("/")[1:]
            try:
                status, reply = 200, api.answer(self.command, parts, body)
            except LookupError as missing:
                status, reply = 404, {"error": {"message": f"loopback has no {missing}"}}
            payload = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
