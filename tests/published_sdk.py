"""The published Agents SDK beside ours: a script that runs in a Python of its own which has it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

SDK_PYTHON = "AGENTGRAPH_SDK_PYTHON"
"""The environment variable that names that Python."""

needs_the_published_sdk = pytest.mark.skipif(
    SDK_PYTHON not in os.environ,
    reason=f"set {SDK_PYTHON} to a Python that has the published Agents SDK",
)


def published(script: str, *arguments: str) -> Any:
    """What a script prints as JSON in its last line; `PACKAGE` in it becomes `agents`.

    Args:
        script: The program.
        arguments: Its arguments.
    """
    done = subprocess.run(
        [os.environ[SDK_PYTHON], "-c", script.replace("PACKAGE", "agents"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
            "OPENAI_API_KEY": "no key",
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
