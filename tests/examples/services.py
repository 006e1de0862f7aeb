"""Services of the examples, as processes that tests kill."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.command import environment


class Service:
    """A process that serves, on files that outlive it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        """Send a request; its status and what came back."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def text(self, path: str) -> str:
        """What a path answers, as text."""
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            text: str = answer.read().decode()
        return text


@contextmanager
def serving(program: Path, **variables: str) -> Iterator[Service]:
    """A server process; it is killed, not asked to end.

    Args:
        program: The example.
        variables: Environment variables of the process.
    """
    process = subprocess.Popen(
        [sys.executable, str(program), "0"],
        env=environment(AGENTGRAPH_MODEL="rehearsal", **variables),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            if match := re.search(r"running on (http://[\d.:]+)", line):
                break
        else:
            raise AssertionError(said)
        yield Service(match[1])
    finally:
        process.kill()
        process.stderr.close()
        process.wait()
