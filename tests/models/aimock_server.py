"""Starts `@copilotkit/aimock`, a server of the OpenAI API that is not ours, on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.models.install_aimock import CLI

KEY = "key-of-the-test"

FIXTURES: list[dict[str, Any]] = [
    {
        "match": {"userMessage": "hello"},
        "response": {
            "content": "Good day to you, and welcome to the loopback.",
            "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
        },
    },
    {
        "match": {"userMessage": "weather", "hasToolResult": False},
        "response": {
            "toolCalls": [
                {"name": "get_weather", "arguments": '{"city":"Oslo"}', "id": "call_oslo"},
                {"name": "get_weather", "arguments": '{"city":"Rome"}', "id": "call_rome"},
            ]
        },
    },
    {
        "match": {"userMessage": "weather", "hasToolResult": True},
        "response": {"content": "Sunny in both."},
    },
    {
        "match": {"userMessage": "think"},
        "response": {"content": "Forty-two.", "reasoning": "Six by nine, roughly."},
    },
    {"match": {"userMessage": "structured"}, "response": {"content": '{"city":"Oslo","days":3}'}},
    {
        "match": {"userMessage": "slow down", "sequenceIndex": 0},
        "response": {"error": {"message": "too fast", "type": "rate_limit_error"}, "status": 429},
    },
    {
        "match": {"userMessage": "slow down", "sequenceIndex": 1},
        "response": {"content": "At last."},
    },
    {
        "match": {"userMessage": "always too fast"},
        "response": {"error": {"message": "too fast", "type": "rate_limit_error"}, "status": 429},
    },
    {
        "match": {"userMessage": "break"},
        "response": {"error": {"message": "broken", "type": "server_error"}, "status": 500},
    },
]


@contextmanager
def running_aimock(folder: Path) -> Iterator[str]:
    """Run the server with `FIXTURES`.

    Args:
        folder: Where the fixtures are written.

    Yields:
        The base URL for a client, which must send `KEY`.
    """
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    node = shutil.which("node")
    assert node is not None
    arguments = [node, str(CLI), "--port", "0", "--fixtures", str(fixtures), "--chunk-size", "8"]
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "AIMOCK_API_KEYS": KEY},
    )
    try:
        yield f"{_announced_url(process)}/v1"
    finally:
        process.terminate()
        process.wait(timeout=120)
        if process.stdout is not None:
            process.stdout.close()


def _announced_url(process: subprocess.Popen[str]) -> str:
    """Read what the server says until it says where it listens."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if match := re.search(r"listening on (http://\S+)", line):
            return match[1]
    raise RuntimeError(f"aimock ended before it listened:\n{said}")
