"""Faults of limits: a cap is higher than it should be, or a time-out is missing."""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph.testing.mutation.changes import Change, Parts, label_of

__all__ = ["drop_timeout", "raise_cap"]


def raise_cap(parts: Parts) -> Iterator[Change]:
    """Let the run inside each agent tool have twice the turns."""
    for agent in parts.agents:
        for tool in agent.tools:
            turns = getattr(tool, "max_turns", None)
            if isinstance(turns, int):
                name, more = label_of(tool), max(2 * turns, 1)
                yield Change(
                    owner=tool,
                    values={"max_turns": more},
                    agent=agent,
                    part=name,
                    text=f"a run inside {name} has {more} turns, not {turns}",
                    moves=(
                        f"'{agent.name}' calls {name}",
                        f"the run inside needs {turns + 1} turns and ends after {turns}",
                    ),
                    place=tool,
                )


def drop_timeout(parts: Parts) -> Iterator[Change]:
    """Let each tool with a time-out take as long as it likes."""
    for agent in parts.agents:
        for tool in agent.tools:
            seconds = getattr(tool, "timeout_seconds", None)
            if seconds is not None:
                name = label_of(tool)
                yield Change(
                    owner=tool,
                    values={"timeout_seconds": None},
                    agent=agent,
                    part=name,
                    text=f"{name} has no time-out",
                    moves=(
                        f"'{agent.name}' calls {name}, which takes longer than {seconds:g} seconds",
                        "the model reads that the time is up, or the run ends",
                    ),
                    place=tool,
                )
