"""Judging and mending a history: the names that `docs/sessions.md` uses.

They live in `agentgraph.memory.transcripts`.
"""

from __future__ import annotations

from agentgraph.memory.transcripts.histories import legal, repair, violations

__all__ = ["legal", "repair", "violations"]
