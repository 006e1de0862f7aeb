"""The work of a child process: it loads one file and tells what it found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, NoReturn

from agentgraph.cli.capture.absent_imports import absent_imports
from agentgraph.cli.capture.bounds import bounded
from agentgraph.cli.capture.chart_text import chart_of
from agentgraph.cli.capture.factories import run_factories
from agentgraph.cli.capture.findings import findings_of
from agentgraph.cli.capture.keywords import without_unknown_keywords
from agentgraph.cli.capture.kinds import is_workflow_source
from agentgraph.cli.capture.loading import Ending, Loading, loading
from agentgraph.cli.capture.messages import (
    AgentsChecked,
    AgentSeen,
    Cost,
    FactorySeen,
    FaultSeen,
    FilesRead,
    Message,
    MutantSeen,
    ReadOnly,
    Refusal,
    StartSeen,
)
from agentgraph.cli.capture.named import named_sources
from agentgraph.cli.capture.recorder import ProgramRecorder, place_in
from agentgraph.cli.capture.refusals import refuse_connections_and_processes
from agentgraph.cli.capture.run_tables import bounds_of, coverage_of
from agentgraph.cli.capture.source import SourceError, SourceText, read_source
from agentgraph.cli.capture.source_file import SourceFile, files_of
from agentgraph.cli.capture.starts import Start, starts_of
from agentgraph.cli.capture.static import read_unexecuted
from agentgraph.cli.capture.taking import taken
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.target import Target
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.origins import origin_of
from agentgraph.workflow import Source
from agentgraph_compiler.analysis.bounds import RunBounds
from agentgraph_compiler.analysis.coverage import Coverage
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.options import OptionValues

__all__ = ["Limits", "Request", "capture"]

Send = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may use while it is loaded.

    Args:
        seconds: The most time.
        megabytes: The most memory, 2**20 bytes each.
        network: Whether it may open connections and start processes.
    """

    seconds: float = 20.0
    megabytes: int = 4096
    network: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a child should do with a file.

    Args:
        target: The file.
        work: Check every start, count what its runs cost, list its mutants, or print the chart of
            one.
        limits: The limits.
        options: What the project sets about rules.
    """

    target: Target
    work: Literal["check", "bounds", "coverage", "mutants", "chart"] = "check"
    limits: Limits = Limits()
    options: OptionValues = field(default_factory=dict)


def capture(request: Request, send: Send) -> None:
    """Load a file and send what it defines. This process is not usable for anything else after.

    Args:
        request: The file, and the work.
        send: Takes each message as it arises.
    """
    target = request.target
    try:
        source = read_source(Path(target.file), target.text)
    except SourceError as error:
        details = own_traceback(error.__cause__) if error.__cause__ else ""
        fault = f"{target.path} cannot be read: {error}"
        send(FaultSeen(fault, details=details, line=error.line))
        return
    _Capture(request, source, send).run()


class _Capture:
    def __init__(self, request: Request, source: SourceText, send: Send) -> None:
        self._request = request
        self._send = send
        self._source = source
        self._began = time.process_time()
        recorder = ProgramRecorder(source.file, self._give_up)
        self._preparation = loading(source, recorder)
        self._loaded: Loading | None = None
        self._lift: Callable[[], None] = lambda: None

    def run(self) -> None:
        limits = self._request.limits
        if not limits.network:
            refuse_connections_and_processes(self._refused)
        with (
            self._preparation as self._loaded,
            bounded(limits.seconds, limits.megabytes, self._give_up) as self._lift,
        ):
            source, names = self._source, self._loaded.names
            absent = absent_imports(source, names)
            self._loaded.findings += absent.values()
            self._loaded.findings += without_unknown_keywords(source, names, absent)
            self._loaded.run_module()
            self._loaded.run_main()
            results = run_factories(self._loaded)
            self._finish(self._loaded)
            del results

    def _give_up(self) -> NoReturn:
        """End the process from inside the program, which does not stop by itself."""
        loaded = self._loaded
        assert loaded is not None
        origin = place_in(self._source.file) or UNKNOWN
        loaded.endings.append(Ending(loaded.recorder.entry, "stopped", "", origin))
        self._finish(loaded)
        os._exit(0)

    def _finish(self, loaded: Loading) -> None:
        self._lift()
        loading_time = time.process_time() - self._began
        for ending in loaded.endings:
            self._send(ending)
        try:
            self._work(loaded)
        except CommandFault as fault:
            self._send(FaultSeen(fault.message, fault.help, fault.details))
        modules = [getattr(module, "__file__", None) for module in loaded.own_modules]
        self._send(FilesRead(tuple(file for file in modules if isinstance(file, str))))
        checking_time = time.process_time() - self._began - loading_time
        self._send(Cost(loading_time, checking_time))

    def _work(self, loaded: Loading) -> None:
        read = read_unexecuted(loaded)
        ending = loaded.module_ending()
        if not loaded.imported:
            self._send(ReadOnly(ending.reason, ending.origin, read, ending.details))
        if self._request.work == "chart":
            self._send(chart_of(loaded, taken(loaded, self._request.target)))
            return
        files = files_of(loaded)
        starts = self._starts(loaded, files[0])
        for one in loaded.recorder.objects:
            if not is_workflow_source(one.authored):
                self._send(AgentSeen(one.authored.name, one.origin))
        for start in starts:
            self._send(_seen(start))
        sources = [start.source for start in starts]
        if self._request.work in _TABLES:
            for table in _TABLES[self._request.work](loaded, files, sources):
                self._send(table)
            return
        findings = findings_of(loaded, files, sources, self._request.options)
        self._send(AgentsChecked(findings.places))
        for finding in findings.diagnostics:
            self._send(finding)

    def _starts(self, loaded: Loading, source: SourceFile) -> list[Start]:
        target = self._request.target
        if target.name is None:
            return starts_of(loaded, source)
        return [
            Start(source, target.name, "named")
            for source in named_sources(loaded, target, target.name)
        ]

    def _refused(self, action: str) -> None:
        self._send(Refusal(action, place_in(self._source.file) or Origin(self._source.file)))


def _seen(start: Start) -> StartSeen:
    options = start.run.options if start.run else {}
    return StartSeen(
        name=start.source.name,
        label=start.label,
        reason=start.reason,
        origin=origin_of(start.source),
        place=start.place,
        context=_kind(options.get("context")),
        max_turns=options.get("max_turns"),
        session=_kind(options.get("session")),
    )


def _kind(value: object) -> str:
    return "" if value is None else type(value).__qualname__


_MUTANTS: Final = "agentgraph.cli.capture.mutants"
"""Loaded only if mutants are asked for: it needs what runs need."""


def _mutants_in(
    loaded: Loading, files: Sequence[SourceFile], sources: Sequence[Source]
) -> Iterator[MutantSeen | FactorySeen]:
    yield from import_module(_MUTANTS).mutants_in(loaded, files, sources)


_Tables = Callable[
    [Loading, Sequence[SourceFile], Sequence[Source]],
    Iterator[RunBounds] | Iterator[Coverage] | Iterator[MutantSeen | FactorySeen],
]
_TABLES: Final[dict[str, _Tables]] = {
    "bounds": bounds_of,
    "coverage": coverage_of,
    "mutants": _mutants_in,
}
"""What makes the tables that are asked for instead of findings."""
