"""The fixes of one round: those that do not touch each other, by file, and their writing."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.fixing.placing import edits_of
from agentgraph.cli.fixing.source import Edit, SourceFile, are_apart
from agentgraph.cli.reports import shown_path
from agentgraph_compiler.diagnostics import Diagnostic, Fix

__all__ = ["FixedFile", "contents_of", "plan_of", "replaced"]


@dataclass(slots=True)
class FixedFile:
    """A file and its next content.

    Attributes:
        source: The file as it was read.
        edits: The edits.
        fixed: The findings whose fixes they make.
        content: The content with the edits.
    """

    source: SourceFile
    edits: list[Edit] = field(default_factory=list)
    fixed: list[Diagnostic] = field(default_factory=list)
    content: bytes = b""

    def diff(self) -> str:
        """The edits as a unified diff."""
        path = shown_path(self.source.path)
        before = self.source.content.decode(errors="replace").splitlines(keepends=True)
        after = self.content.decode(errors="replace").splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
        # The last line of a file may have no end.
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def contents_of(files: Iterable[str]) -> dict[str, bytes]:
    """The contents of the Python files among some, by resolved path."""
    contents = {}
    for file in files:
        path = Path(file).resolve()
        if path.suffix == ".py":
            with contextlib.suppress(OSError):
                contents[str(path)] = path.read_bytes()
    return contents


def plan_of(diagnostics: Iterable[Diagnostic], contents: Mapping[str, bytes]) -> list[FixedFile]:
    """Choose the fixes that can be made together.

    Args:
        diagnostics: The findings, in the order in which they come first.
        contents: The files that may change, as the check read them.

    Returns:
        The files that change. A fix that overlaps one before it, or that would leave a file that is
        no Python, is left for the next round or for a person.
    """
    files: dict[str, FixedFile] = {}
    for finding in diagnostics:
        fix = finding.fix
        path = str(Path(finding.origin.file).resolve())
        if fix is None or path not in contents:
            continue
        if path not in files:
            try:
                files[path] = FixedFile(SourceFile(path, contents[path]))
            except (SyntaxError, ValueError):
                continue
        _add(files[path], finding, fix)
    return [file for file in files.values() if file.fixed]


def _add(file: FixedFile, finding: Diagnostic, fix: Fix) -> None:
    edits = list(file.edits)
    for change in fix.changes:
        more = edits_of(file.source, change) if change.origin.file == finding.origin.file else None
        if not more:
            return
        edits += [edit for edit in more if edit not in edits]
    content = file.source.edited(edits) if are_apart(edits) else None
    if content is not None and content != file.source.content:
        file.edits, file.content = edits, content
        file.fixed.append(finding)


def replaced(path: str, before: bytes, after: bytes) -> bool:
    """Replace the content of a file as a whole, so that a reader sees the old one or the new one.

    Args:
        path: The file.
        before: Its content as it was read.
        after: The new content.

    Returns:
        Whether it was replaced; not so if the file changed since it was read.

    Raises:
        CommandFault: The file cannot be written.
    """
    try:
        if Path(path).read_bytes() != before:
            return False
        _replace(Path(path), after)
    except OSError as error:
        reason = error.strerror or error
        raise CommandFault(f"{shown_path(path)} cannot be written: {reason}") from error
    return True


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
