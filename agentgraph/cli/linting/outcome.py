"""The outcome of a check: for each file, and for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from agentgraph.authoring.mistakes import file_not_loadable, not_in_agentgraph
from agentgraph.cli.capture.children import Captured
from agentgraph.cli.capture.findings import united
from agentgraph.cli.capture.messages import (
    AgentsChecked,
    AgentSeen,
    FaultSeen,
    FilesRead,
    ReadOnly,
    Refusal,
    StartSeen,
)
from agentgraph.cli.faults import CommandFault, Status
from agentgraph_compiler.analysis.bounds import RunBounds
from agentgraph_compiler.analysis.coverage import Coverage
from agentgraph_compiler.diagnostics import (
    UNKNOWN,
    Diagnostic,
    Note,
    Origin,
    Severity,
    in_source_order,
)

__all__ = ["FileOutcome", "FileStatus", "Outcome", "outcome_of"]

FileStatus = Literal["checked", "without agents", "not loadable"]

Table: TypeAlias = RunBounds | Coverage


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The outcome for one file.

    Args:
        target: The file, as the user named it.
        status: Whether it was checked, has no agents, or could not be loaded.
        diagnostics: The findings.
        starts: The agents and workflows that were checked.
        agents: The number of its agents.
        reason: Why it could not be loaded.
        place: The line at fault.
        fault: The fault, if nothing of the file could be checked.
        files: The files that it consists of.
        output: What it printed.
        places: Where the agents are made that were checked in it.
        tables: What its runs cost or what guardrails cover, if that is the question.
    """

    target: str
    status: FileStatus
    diagnostics: tuple[Diagnostic, ...] = ()
    starts: tuple[StartSeen, ...] = ()
    agents: int = 0
    reason: str = ""
    place: Origin = UNKNOWN
    fault: CommandFault | None = None
    files: tuple[str, ...] = ()
    output: str = ""
    places: frozenset[Origin] = frozenset()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for all files.

    Args:
        files: The files, in order.
        diagnostics: The findings that count, each once, in source order.
        hidden: The number of findings that the baseline leaves out.
    """

    files: tuple[FileOutcome, ...]
    diagnostics: tuple[Diagnostic, ...]
    hidden: int = 0

    @classmethod
    def of(cls, files: Iterable[FileOutcome]) -> Outcome:
        """The outcome of files with all their findings. The files are parts of one project: what a
        rule says of all runs holds only if no file runs the agent in another way."""
        kept = tuple(files)
        findings = united([(file.places, file.diagnostics) for file in kept])
        return cls(kept, in_source_order(dict.fromkeys(findings)))

    def with_diagnostics(self, diagnostics: Iterable[Diagnostic], hidden: int = 0) -> Outcome:
        """The same outcome with other findings."""
        return replace(self, diagnostics=tuple(diagnostics), hidden=self.hidden + hidden)

    def faults(self) -> list[CommandFault]:
        """The faults of files of which nothing could be checked."""
        return [file.fault for file in self.files if file.fault is not None]

    def count(self, status: FileStatus) -> int:
        """The number of files with a status."""
        return sum(file.status == status for file in self.files)

    def status(self, *, strict: bool) -> Status:
        """The exit status.

        Args:
            strict: Whether warnings count as errors, and so do files that were only read.
        """
        if self.faults():
            return Status.UNUSABLE
        failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
        only_read = {file_not_loadable.RULE.code} if strict else ()
        fails = any(
            one.severity in failing or one.rule.code in only_read for one in self.diagnostics
        )
        return Status.FOUND if fails else Status.DONE


def outcome_of(captured: Captured, target: str) -> FileOutcome:
    """The outcome for the file of a child process."""
    file = captured.request.target.file
    diagnostics = captured.of(Diagnostic)
    agents = len(captured.of(AgentSeen))
    starts = tuple(captured.of(StartSeen))
    files = tuple(path for one in captured.of(FilesRead) for path in one.files)
    outcome = FileOutcome(
        target,
        "checked" if agents or starts else "without agents",
        diagnostics=tuple(diagnostics),
        starts=starts,
        agents=agents,
        files=(file, *files),
        output=captured.output,
        places=frozenset(place for one in captured.of(AgentsChecked) for place in one.places),
        tables=(*captured.of(RunBounds), *captured.of(Coverage)),
    )
    for unread in captured.of(ReadOnly):
        place = unread.origin if unread.origin != UNKNOWN else Origin(file, 1)
        causes = [one for one in diagnostics if one.rule == not_in_agentgraph.RULE]
        if all(one.origin != place for one in causes):
            diagnostics.insert(0, _not_loadable(unread, place, captured.of(Refusal)))
        return replace(
            outcome,
            status="not loadable",
            reason=unread.reason,
            place=place,
            diagnostics=tuple(diagnostics),
        )
    fault = _fault(captured)
    if fault is None:
        return outcome
    line = next((one.line for one in captured.of(FaultSeen)), 0)
    place = Origin(file, line or 1)
    return replace(outcome, status="not loadable", reason=fault.message, place=place, fault=fault)


def _fault(captured: Captured) -> CommandFault | None:
    for fault in captured.of(FaultSeen):
        return CommandFault(fault.message, help=fault.help, details=fault.details)
    if captured.problem:
        path = captured.request.target.path
        return CommandFault(
            f"{path} cannot be checked: {captured.problem}", details=captured.output
        )
    return None


def _not_loadable(unread: ReadOnly, place: Origin, refusals: Sequence[Refusal]) -> Diagnostic:
    if unread.agents:
        read = f"{unread.agents} agent{'s' if unread.agents > 1 else ''} of its source"
        message = f"the file cannot be imported ({unread.reason}); {read} were read without it"
    else:
        message = f"the file cannot be imported: {unread.reason}"
    notes = tuple(Note(f"it tried {one.action}", one.origin) for one in refusals[:3])
    help_text = "--allow-network permits connections and processes" if notes else ""
    return Diagnostic(file_not_loadable.RULE, message, place, notes=notes, help=help_text)
