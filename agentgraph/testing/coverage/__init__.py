"""Coverage of workflows: what runs met of what the compiled table offers.

Works without pytest; the plugin's `--agentgraph-cov` is a `Collection` around a session. A workflow
is its name and the line that makes it; agents made anew for each test are one workflow, and its
versions (other tools, another model) are merged. docs/testing.md, "Coverage", says what counts.
"""

from __future__ import annotations

from agentgraph.testing.coverage.collecting import Collection, collect, start
from agentgraph.testing.coverage.document import CoverageDocument
from agentgraph.testing.coverage.whole import Coverage
from agentgraph.testing.coverage.workflows import Identity, Item, Tally, WorkflowCoverage

__all__ = [
    "Collection",
    "Coverage",
    "CoverageDocument",
    "Identity",
    "Item",
    "Tally",
    "WorkflowCoverage",
    "collect",
    "start",
]
