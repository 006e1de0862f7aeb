"""Both APIs of OpenAI on this machine, in a process of its own, and the cost of a request to it.

usage: python loopback.py      serve; print the port, and end when the standard input ends

The server answers every request with the same bytes, so the figures are the cost of the client's
side: of the bare ``openai`` client, and of a run that uses one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from measuring import Cost, Figures, Work, best, once

__all__ = ["over_loopback"]

BATCH = 5
ROUNDS = 80
REPETITIONS = 10
DELTAS = 1_000
# What a run sends for the text "go": the bare client has the same request to write.
INPUT: Any = [{"role": "user", "content": "go"}]
MESSAGES: Any = [{"role": "system", "content": "Answer."}, *INPUT]

ANSWER = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-4.1",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "done", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    },
}

COMPLETION = {
    "id": "chatcmpl_1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "done", "refusal": None},
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
}


async def over_loopback(runs: Callable[[Any], tuple[Work, Work, Work]]) -> Figures:
    """Start a server, and measure a request by the bare client and by a run, whole and streamed.

    Args:
        runs: Receives a client; returns functions that start a run with one request of the
            Responses API, one of Chat Completions, and one that starts and reads a streamed run.
    """
    from openai import AsyncOpenAI

    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    async with AsyncOpenAI(api_key="none", base_url=f"http://127.0.0.1:{port}/v1") as client:
        one_run, one_chat, one_stream = runs(client)
        ask, chat = client.responses.create, client.chat.completions.create
        request, whole = await _side_by_side(
            lambda: ask(model="gpt-4.1", input=INPUT, instructions="Answer."), one_run
        )
        completion, whole_chat = await _side_by_side(
            lambda: chat(model="gpt-4.1", messages=MESSAGES), one_chat
        )
        streamed = await _streams(client, one_stream)
    server.stdin.close()
    await server.wait()
    return {
        "loopback: request of the bare client": request,
        "loopback: run of one request": whole,
        "loopback: run above the bare client": whole - request,
        "loopback: chat request of the bare client": completion,
        "loopback: run of one chat request": whole_chat,
        "loopback: chat run above the bare client": whole_chat - completion,
        **streamed,
    }


async def _side_by_side(*works: Work) -> list[Cost]:
    """Return the best cost of each work. They take turns, so that both have the same machine."""
    costs: list[list[Cost]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, mine in zip(works, costs, strict=True):

            async def batch(work: Work = work) -> None:
                for _ in range(BATCH):
                    await work()

            mine.append(await once(batch) / BATCH)
    return [Cost(min(cost.cpu for cost in mine), min(cost.wall for cost in mine)) for mine in costs]


async def _streams(client: Any, one_stream: Callable[[], Awaitable[object]]) -> Figures:
    async def bare() -> None:
        stream = await client.responses.create(
            model="gpt-4.1", input=INPUT, instructions="Answer.", stream=True
        )
        async for _ in stream:
            pass

    await bare()
    await one_stream()
    request, whole = await best(bare, REPETITIONS), await best(one_stream, REPETITIONS)
    return {
        "loopback: delta of the bare client": request / DELTAS,
        "loopback: delta above the bare client": (whole - request) / DELTAS,
    }


def _stream() -> bytes:
    """A response in a thousand pieces."""
    message = {**ANSWER["output"][0], "status": "in_progress", "content": []}  # type: ignore[index]
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    done = [{"type": "output_text", "text": "word " * DELTAS, "annotations": []}]
    whole = {**message, "status": "completed", "content": done}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**ANSWER, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", "part": part, **place},
        *[{"type": "response.output_text.delta", "delta": "word ", **place}] * DELTAS,
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {"type": "response.completed", "response": {**ANSWER, "output": [whole]}},
    ]
    lines = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    ]
    body = "".join(lines).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _whole(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve() -> None:
    """Answer until the standard input ends."""
    reply, chat, stream = _whole(ANSWER), _whole(COMPLETION), _stream()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                fields = request.lower().split(b"\r\n")
                lengths = [field[15:] for field in fields if field.startswith(b"content-length:")]
                sent = await reader.readexactly(int(lengths[0]) if lengths else 0)
                whole = chat if b"/chat/" in fields[0] else reply
                writer.write(stream if b'"stream":true' in sent else whole)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
