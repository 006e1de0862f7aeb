"""One file in a child process, as `check` loads it."""

from __future__ import annotations

from pathlib import Path

from agentgraph.cli.capture.child import Limits, Request
from agentgraph.cli.capture.children import Captured, capture_files
from agentgraph.cli.capture.messages import StartSeen
from agentgraph.cli.target import Target


def captured(target: str | Path, limits: Limits = Limits(), text: str | None = None) -> Captured:  # noqa: B008 - frozen
    """What the child of a target sends."""
    parsed = Target.parse(str(target)) if text is None else Target(Path("-"), None, text)
    (result,) = capture_files([Request(parsed, "check", limits)], jobs=1)
    return result


def starts(target: str | Path, text: str | None = None) -> list[str]:
    """The names of the agents and workflows that a run of a target begins with."""
    return [start.name for start in captured(target, text=text).of(StartSeen)]
