"""The pytest plugin of agentgraph (entry point `agentgraph` of the group `pytest11`).

pytest imports this module in every project where agentgraph is installed, so it imports nothing of
ours at the top: a hook or a fixture loads what it needs once an option or a test asks for it.
"""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line(
        "markers", "allow_model_calls: the test may call real models where the project forbids it"
    )
