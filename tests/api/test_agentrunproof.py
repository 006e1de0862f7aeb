"""The probes of the public package `agentrunproof`, which others wrote for the SDK, pass here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = "AGENTGRAPH_AGENTRUNPROOF"
"""The environment variable that names the folder which holds the package."""


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"set {FOLDER} to a folder with agentrunproof")
def test_every_probe_passes() -> None:
    script = Path(__file__).with_name("agentrunproof_probes.py")
    done = subprocess.run(
        [sys.executable, str(script), os.environ[FOLDER]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout)
    assert len(verdicts) == 7
    assert {name: said for name, said in verdicts.items() if said[0] != "PASS"} == {}
