"""Rounds of check and fix: each fix is checked again, and taken back if it breaks its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentgraph.cli.fixing.plan import FixedFile, contents_of, plan_of, replaced
from agentgraph.cli.linting.outcome import Outcome
from agentgraph_compiler.diagnostics import Diagnostic

__all__ = ["Fixes", "check_and_fix"]

_ROUNDS: Final = 10
"""The most rounds: fixes that undo each other must end."""


@dataclass(slots=True)
class Fixes:
    """What the rounds did.

    Attributes:
        made: The findings that were fixed.
        changed: The files that were left alone because another program changed them meanwhile.
        taken_back: The files that could not be loaded after their fixes, which were undone.
    """

    made: list[Diagnostic] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)


def check_and_fix(
    check: Callable[[], Outcome], files: Callable[[], list[str]]
) -> tuple[Outcome, Fixes]:
    """Check and fix until nothing changes.

    Args:
        check: Checks the files as they are now.
        files: The files that may change.

    Returns:
        The outcome for the files as they are in the end, and what was done.
    """
    fixes = Fixes()
    written: list[FixedFile] = []
    for _ in range(_ROUNDS):
        contents = contents_of(files())
        outcome = check()
        undone = _undo(written, outcome, fixes)
        left_alone = {*fixes.changed, *fixes.taken_back}
        written = []
        for file in plan_of(
            outcome.diagnostics, {path: contents[path] for path in contents.keys() - left_alone}
        ):
            if replaced(file.source.path, file.source.content, file.content):
                fixes.made += file.fixed
                written.append(file)
            else:
                fixes.changed.append(file.source.path)
        if not written and not undone:
            return outcome, fixes
    return check(), fixes


def _undo(written: list[FixedFile], outcome: Outcome, fixes: Fixes) -> bool:
    """Undo the fixes of the last round in files that can no longer be loaded."""
    broken = {
        str(Path(path).resolve())
        for file in outcome.files
        if file.status == "not loadable"
        for path in file.files[:1]
    }
    undone = [
        file
        for file in written
        if file.source.path in broken
        and replaced(file.source.path, file.content, file.source.content)
    ]
    for file in undone:
        fixes.made = [finding for finding in fixes.made if finding not in file.fixed]
        fixes.taken_back.append(file.source.path)
    return bool(undone)
