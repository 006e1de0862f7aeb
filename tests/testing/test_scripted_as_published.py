"""`ScriptedModel` behaves as the published SDK's: one script through both gives the same replies,
events, usage, refusals and copies. `scripted_model_script.txt` is the script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.published_sdk import needs_the_published_sdk, published

SCRIPT = (Path(__file__).parent / "scripted_model_script.txt").read_text()


def ours() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("PACKAGE", "agentgraph")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def differences(theirs: Any, here: Any, place: tuple[object, ...] = ()) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(here, dict):
        for key in sorted({*theirs, *here}):
            yield from differences(theirs.get(key), here.get(key), (*place, key))
    elif isinstance(theirs, list) and isinstance(here, list) and len(theirs) == len(here):
        for at, (one, other) in enumerate(zip(theirs, here, strict=True)):
            yield from differences(one, other, (*place, at))
    elif theirs != here:
        yield f"{place}: {theirs!r} there, {here!r} here"


@needs_the_published_sdk
def test_one_script_gives_the_same_on_both() -> None:
    theirs = published(SCRIPT)

    assert len(theirs["steps"]) > 25
    assert list(differences(theirs, ours())) == []
