"""A loaded agent or workflow in this process, for the commands that run it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from agentgraph.authoring.recording import recording
from agentgraph.cli.capture.bounds import bounded
from agentgraph.cli.capture.child import Limits
from agentgraph.cli.capture.factories import run_factories
from agentgraph.cli.capture.kinds import as_source, sources_in
from agentgraph.cli.capture.loading import Loading, loading
from agentgraph.cli.capture.named import value_of
from agentgraph.cli.capture.recorder import ProgramRecorder
from agentgraph.cli.capture.refusals import (
    allow_connections_and_processes,
    refuse_connections_and_processes,
)
from agentgraph.cli.capture.source import SourceError, read_source
from agentgraph.cli.capture.starts import Choice
from agentgraph.cli.capture.taking import import_fault, taken
from agentgraph.cli.capture.uses import written_runs
from agentgraph.cli.capture.values import Values
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.target import Target
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.origins import Overrides

__all__ = ["Workload", "loaded"]


@dataclass(frozen=True, slots=True)
class Workload:
    """The agent or workflow of a target.

    Attributes:
        target: The target.
        choice: The agent or workflow, and why this one.
    """

    target: Target
    choice: Choice
    _loading: Loading

    @property
    def overrides(self) -> Overrides:
        """Origins of objects that do not record their own."""
        return self._loading.overrides

    @property
    def source(self) -> Any:
        """The agent or workflow."""
        return self.choice.start.source

    def named(self, name: str) -> Any:
        """The object behind a name of the file; for a function without arguments its result.

        Raises:
            CommandFault: The file has no such name, or the function failed.
        """
        return value_of(self._loading, self.target, name)


@contextlib.contextmanager
def loaded(target: Target, limits: Limits | None = None) -> Iterator[Workload]:
    """Load a target's file in this process and take its agent or workflow. No run begins, and the
    file reads nothing from the standard input.

    Args:
        target: The target.
        limits: What the file may use while it is loaded; `None` for no limits.

    Yields:
        The workload; its modules stay in `sys.modules` while the context is open.

    Raises:
        CommandFault: The file cannot be imported, or it has no single agent or workflow to take.
    """
    try:
        source = read_source(Path(target.file), target.text)
    except SourceError as error:
        details = own_traceback(error.__cause__) if error.__cause__ else ""
        raise CommandFault(f"{target.path} cannot be read: {error}", details=details) from error
    with loading(source, ProgramRecorder(source.file)) as file:
        with contextlib.redirect_stdout(sys.stderr), _empty_input(), _within(limits, target):
            _run_entries(file, target)
            choice = taken(file, target)
        with recording(None):
            yield Workload(target, choice, file)


@contextlib.contextmanager
def _within(limits: Limits | None, target: Target) -> Iterator[None]:
    """Bound the loading of a file as `check` does; the run that follows is free."""
    if limits is None:
        yield
        return

    def give_up() -> NoReturn:
        text = f"error: {target.path} cannot be loaded: it did not end after {limits.seconds:g} s\n"
        os.write(2, text.encode())
        os._exit(Status.UNUSABLE)

    if not limits.network:
        refuse_connections_and_processes(lambda action: None)
    try:
        with bounded(limits.seconds, limits.megabytes, give_up):
            yield
    finally:
        allow_connections_and_processes()


def _run_entries(file: Loading, target: Target) -> None:
    file.run_module()
    if not file.imported:
        raise import_fault(file, target)
    if target.name is None and not _shows_its_starts(file):
        file.run_main()
        run_factories(file)


def _shows_its_starts(file: Loading) -> bool:
    """Whether the import alone shows which agents the file runs."""
    values = Values(file.source.tree, file.namespace)
    runs = (
        values.of(run.start, run.function)
        for run in written_runs(file.source.tree, file.names)
        if run.is_certain
    )
    return any(True for _ in sources_in(file.namespace)) and all(
        any(map(as_source, objects)) for objects in runs
    )


@contextlib.contextmanager
def _empty_input() -> Iterator[None]:
    previous, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = previous
