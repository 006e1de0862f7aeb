"""A server that speaks the protocol badly, over the standard streams; its argument says how."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

TOOLS = [
    {"name": "first", "inputSchema": {"type": "object", "properties": {}}},
    {"name": "second", "inputSchema": {"type": "object", "properties": {}}},
]
fault = sys.argv[1]
failures = 0


def write(line: str) -> None:
    print(line, flush=True)


def answer(request: Any, **reply: Any) -> None:
    write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **reply}))


def tools_of_page(cursor: str | None) -> dict[str, Any]:
    """The second page names a third one only if the fault is that pages never end."""
    number = int(cursor or 0)
    page: dict[str, Any] = {"tools": [TOOLS[number % 2]]}
    if fault == "endless" or (fault == "pages" and number == 0):
        page["nextCursor"] = str(number + 1)
    if fault == "circle":
        page["nextCursor"] = str((number + 1) % 2)
    return page


def call(request: Any) -> None:
    global failures
    match fault:
        case "garbage":
            write("this is no JSON")
            write('{"jsonrpc": "2.0"}')
        case "no-text":
            sys.stdout.buffer.write(b"\xff\xfe\x80\n")
            answer(request, result={"content": [{"type": "text", "text": "fine"}]})
        case "wrong-shape":
            answer(request, result={"content": 7})
        case "internal-error":
            answer(request, error={"code": -32603, "message": "out of order"})
        case "flaky" if failures < 2:
            failures += 1
            answer(request, error={"code": -32603, "message": "come back later"})
        case "refusal":
            failures += 1
            answer(request, error={"code": -32602, "message": f"no, {failures} times no"})
        case _:
            answer(request, result={"content": [{"type": "text", "text": "fine"}]})


if fault == "never-speaks":
    # Ends when its input does, as a server should.
    sys.stdin.read()
if fault == "speaks-nonsense":
    write("welcome to my server")
    sys.stdin.read()
for line in iter(sys.stdin.readline, None if fault == "deaf" else ""):
    if not line:
        # Deaf to the end of its input, as a server should not be.
        signal.pause()
    message = json.loads(line)
    match message.get("method"):
        case "initialize":
            answer(
                message,
                result={
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "faulty", "version": "1"},
                },
            )
        case "tools/list":
            if fault == "no-list":
                answer(message, error={"code": -32603, "message": "nothing to see"})
            elif fault == "no-name":
                answer(message, result={"tools": [TOOLS[0], {**TOOLS[1], "name": ""}]})
            elif fault == "wrong-list":
                answer(message, result={"tools": "many"})
            else:
                answer(
                    message,
                    result=tools_of_page(
                        message["params"].get("cursor") if message.get("params") else None
                    ),
                )
        case "tools/call":
            call(message)
