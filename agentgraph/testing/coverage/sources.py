"""What `--agentgraph-cov=SOURCE` names: a folder, or a workflow that counts even if no test runs
it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agentgraph.exceptions import UserError
from agentgraph.testing.coverage.whole import Coverage
from agentgraph.testing.coverage.workflows import Identity, Version
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.text import parse_chart

__all__ = ["Selection", "selection_of"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The workflows that count.

    Args:
        expected: Workflows that count even if none of their runs is seen.
        files: Files whose workflows count.
        folders: Folders in which they count.
    """

    expected: tuple[Version, ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    def of(self, coverage: Coverage) -> Coverage:
        """The part of a coverage that counts, with the workflows that no run has."""
        if not (self.expected or self.files or self.folders):
            return coverage
        whole = Coverage(self.expected)
        whole.merge(coverage)
        return whole.only(one.identity for one in whole.workflows if self._counts(one.identity))

    def _counts(self, identity: Identity) -> bool:
        file = Path(identity.file)
        return (
            any(identity == one.identity for one in self.expected)
            or any(_is_same(file, one) for one in self.files)
            or any(file.resolve().is_relative_to(folder) for folder in self.folders)
        )


def selection_of(sources: Iterable[str]) -> Selection:
    """Read the sources of the command line; an empty one selects nothing.

    Raises:
        UserError: A source cannot be loaded.
    """
    expected: list[Version] = []
    files: list[str] = []
    folders: list[Path] = []
    for source in filter(None, sources):
        if Path(source).is_dir():
            folders.append(Path(source).resolve())
            continue
        expected.append(_loaded(source))
        if Path(source).is_file():
            files.append(os.path.abspath(source))
    return Selection(tuple(expected), tuple(files), tuple(folders))


def _loaded(source: str) -> Version:
    """The workflow of a file, as `agentgraph ir` prints it: in a process of its own, without a
    run."""
    done = subprocess.run(
        [sys.executable, "-m", "agentgraph", "ir", source],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode != 0:
        raise UserError(
            f"--agentgraph-cov={source}: this is no folder, and no workflow can be loaded from it."
            f" `agentgraph ir {source}` says:\n{done.stderr.strip() or done.stdout.strip()}"
        )
    return Version(emit(parse_chart(done.stdout)).fingerprint, done.stdout)


def _is_same(file: Path, other: str) -> bool:
    try:
        return file.samefile(other)
    except OSError:
        return str(file) == other
