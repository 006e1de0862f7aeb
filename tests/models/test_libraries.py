"""The tests of LiteLLM and any-llm, in the environment that has them."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.architecture.source_tree import REPOSITORY

PYTHON = "AGENTGRAPH_PROVIDERS_PYTHON"
"""The environment variable that names the Python of that environment; `make` sets it."""


@pytest.mark.slow
@pytest.mark.skipif(
    PYTHON not in os.environ, reason=f"set {PYTHON} to a Python that has LiteLLM and any-llm"
)
@pytest.mark.parametrize("file", ["test_library_models.py", "test_paths.py", "test_websocket.py"])
def test_the_models_of_libraries(file: str) -> None:
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "compiler")])
    # The libraries warn about themselves.
    options = ["-q", "-W", "ignore", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [os.environ[PYTHON], "-m", "pytest", *options, f"tests/models/{file}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": search_path, "HYPOTHESIS_PROFILE": "ci"},
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr
    assert "skipped" not in done.stdout
