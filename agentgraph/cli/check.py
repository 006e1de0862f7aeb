"""`agentgraph check`: the compiler's findings about files."""

from __future__ import annotations

import glob
import linecache
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from agentgraph.cli.capture.child import Limits, Request
from agentgraph.cli.capture.children import Captured, capture_files, processors
from agentgraph.cli.capture.warming import warm
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.fixing.plan import contents_of, plan_of
from agentgraph.cli.fixing.rounds import Fixes, check_and_fix
from agentgraph.cli.linting.baseline import Baseline
from agentgraph.cli.linting.files import FileToCheck, files_to_check
from agentgraph.cli.linting.formats import ReportFormat, write_report
from agentgraph.cli.linting.outcome import FileOutcome, Outcome, outcome_of
from agentgraph.cli.linting.selection import Selection
from agentgraph.cli.linting.settings import Settings, settings_of
from agentgraph.cli.linting.tables import TableKind, write_tables
from agentgraph.cli.linting.watching import stamps, wait_for_a_change
from agentgraph.cli.reports import shown_path
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, printable, say_fault

__all__ = ["CheckOptions", "check_files", "watch_files"]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How to check, and how to report.

    Args:
        report_format: The form of the report.
        strict: Whether warnings count as errors.
        select: The rules that count instead of the project's, if there are any.
        ignore: Rules that do not count, beside the project's.
        baseline: The file of the findings to leave out, instead of the project's.
        write_baseline: Where to write all findings as a baseline.
        statistics: Whether to count the findings of each rule.
        unknowns: Whether to list what is only known at run time; so does a choice of rules.
        table: What to show instead of the findings: what runs cost at the least and the most, or
            which guardrails cover them.
        fix: Whether to change the source where that is safe, and check again.
        diff: Whether to show what `fix` would change, instead of the findings.
        jobs: The most processes at a time; 0 for one a processor.
        limits: What a file may use while it is loaded.
    """

    report_format: ReportFormat = ReportFormat.TEXT
    strict: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: Path | None = None
    write_baseline: Path | None = None
    statistics: bool = False
    unknowns: bool = False
    table: TableKind | None = None
    fix: bool = False
    diff: bool = False
    jobs: int = 0
    limits: Limits = field(default_factory=Limits)


def check_files(terminal: Terminal, arguments: Sequence[str], options: CheckOptions) -> Status:
    """Check files and report the findings.

    Args:
        terminal: Where to report.
        arguments: Files, each with a name or without, folders and patterns; none for the project's.
        options: How to check, and how to report.

    Returns:
        `DONE`; `FOUND` if a finding counts as an error, or if `diff` shows a change; `UNUSABLE` if
        a file could not be checked, whatever the findings in the other files.

    Raises:
        CommandFault: A setting, a rule or the baseline cannot be used.
    """
    if options.table is not None:
        outcome = _outcome(terminal, _files(arguments), options)
        _say_faults(terminal, outcome)
        write_tables(terminal, outcome, options.table, options.report_format)
        return outcome.status(strict=options.strict)
    if options.diff:
        return _show_changes(terminal, arguments, options)
    return _check(terminal, arguments, options).status(strict=options.strict)


def watch_files(
    terminal: Terminal,
    arguments: Sequence[str],
    options: CheckOptions,
    wait: Callable[..., set[str]] = wait_for_a_change,
) -> Status:
    """Check files, and again whenever one of them or a module that they import changes, until the
    person ends it.

    Args:
        terminal: Where to report.
        arguments: See `check_files`.
        options: See `check_files`.
        wait: Waits for a change.
    """
    imported: set[str] = set()

    def files() -> Iterator[str]:
        yield from imported
        yield from _paths(arguments)

    while True:
        before = stamps(files())
        try:
            outcome = _check(terminal, arguments, options)
            imported |= {path for file in outcome.files for path in file.files}
            before = {**stamps(files()), **before}
        except CommandFault as fault:
            say_fault(terminal, fault)
        terminal.err.print(Text("waiting for a change; Ctrl-C ends it", "quiet"))
        changes = ", ".join(os.path.relpath(file) for file in sorted(wait(files, before)))
        terminal.err.print(Text(printable(f"changed: {changes}"), "quiet"), soft_wrap=True)


def _files(arguments: Sequence[str]) -> list[FileToCheck]:
    settings = settings_of(Path.cwd())
    return files_to_check(arguments or _paths_of(settings), settings.exclude, settings.root)


def _paths_of(settings: Settings) -> list[str]:
    """What the project says to check, or else the working folder."""
    paths = [settings.here(path) for path in settings.paths]
    for path in paths:
        if not glob.glob(path, recursive=True):
            raise CommandFault(
                f"{settings.place('paths')}: there is no '{path}'",
                help="paths are files, folders and patterns below the folder of that file",
            )
    return paths or ["."]


def _paths(arguments: Sequence[str]) -> list[str]:
    return [os.path.abspath(file.text.partition(":")[0]) for file in _files(arguments)]


def _check(terminal: Terminal, arguments: Sequence[str], options: CheckOptions) -> Outcome:
    """Check, fix if that is asked for, and report."""

    def check() -> Outcome:
        return _selected(terminal, arguments, options)

    if options.fix:
        outcome, fixes = check_and_fix(check, lambda: _paths(arguments))
        _say_fixes(terminal, fixes)
    else:
        outcome = check()
    _say_faults(terminal, outcome)
    write_report(
        terminal,
        outcome,
        options.report_format,
        strict=options.strict,
        statistics=options.statistics,
        unknowns=options.unknowns or bool(options.select),
    )
    return outcome


def _show_changes(terminal: Terminal, arguments: Sequence[str], options: CheckOptions) -> Status:
    contents = contents_of(_paths(arguments))
    outcome = _selected(terminal, arguments, options)
    _say_faults(terminal, outcome)
    files = plan_of(outcome.diagnostics, contents)
    for file in files:
        terminal.out.print(Text(printable(file.diff())), end="", soft_wrap=True)
    number = sum(len(file.fixed) for file in files)
    _say(terminal, f"{_counted(number, 'finding')} can be fixed: agentgraph check --fix")
    status = outcome.status(strict=options.strict)
    return Status.FOUND if files and status is Status.DONE else status


def _selected(terminal: Terminal, arguments: Sequence[str], options: CheckOptions) -> Outcome:
    """The outcome for the files as they are now, with the findings that count."""
    linecache.checkcache()  # a file may have changed since the last check of this process
    settings = settings_of(Path.cwd())
    selection = Selection.of(settings, options.select, options.ignore)
    path = options.baseline or (
        Path(settings.here(settings.baseline)) if settings.baseline else None
    )
    place = "--baseline" if options.baseline else settings.place("baseline")
    baseline = Baseline.read(path, place) if path and not options.write_baseline else None
    outcome = _outcome(terminal, _files(arguments), options)
    findings = selection.applied(outcome.diagnostics)
    if options.write_baseline is not None:
        Baseline.of(findings).write(options.write_baseline)
        baseline = Baseline.of(findings)
    new = findings if baseline is None else baseline.without(findings)
    return replace(outcome, diagnostics=tuple(new), hidden=len(findings) - len(new))


def _say_faults(terminal: Terminal, outcome: Outcome) -> None:
    for file in outcome.files:
        if file.output and file.fault is not None and len(outcome.files) == 1:
            terminal.err.print(Text(printable(file.output)), end="", soft_wrap=True)
        if file.fault is not None:
            say_fault(terminal, file.fault)


def _say_fixes(terminal: Terminal, fixes: Fixes) -> None:
    for finding in fixes.made:
        assert finding.fix is not None
        place = f"{shown_path(finding.origin.file)}:{finding.origin.line}"
        _say(terminal, f"fixed {place}: {finding.rule.code} {finding.fix.title}")
    for path in fixes.changed:
        _say(terminal, f"{shown_path(path)} changed during the check and was left alone")
    for path in fixes.taken_back:
        _say(terminal, f"{shown_path(path)} could not be loaded with its fixes; they were undone")


def _say(terminal: Terminal, text: str) -> None:
    terminal.err.print(Text(printable(text), "quiet"), soft_wrap=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _outcome(terminal: Terminal, files: Sequence[FileToCheck], options: CheckOptions) -> Outcome:
    settings, outcomes = settings_of(Path.cwd()), dict[str, FileOutcome]()
    requests: dict[str, Request] = {}
    for file in files:
        if file.defines_no_agents:
            outcomes[file.text] = FileOutcome(file.text, "without agents")
            continue
        try:
            work = options.table or "check"
            requests[file.text] = Request(
                Target.parse(file.text), work, options.limits, settings.options
            )
        except CommandFault as fault:
            outcomes[file.text] = FileOutcome(
                file.text, "not loadable", reason=fault.message, fault=fault
            )
    if len(requests) > 1:
        warm([request.target for request in requests.values()])
    with _progress(terminal, len(requests)) as report:
        results = capture_files(
            [*requests.values()], jobs=options.jobs or processors(), report=report
        )
    for text, captured in zip(requests, results, strict=True):
        outcomes[text] = outcome_of(captured, text)
    return Outcome.of(outcomes[file.text] for file in files)


@contextmanager
def _progress(terminal: Terminal, files: int) -> Iterator[Callable[[Captured], None]]:
    """Show on the standard error how many files are done; only on a terminal."""
    if not terminal.err.is_terminal or not files:
        yield lambda captured: None
        return
    columns = (
        TextColumn("checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[file]}"),
    )
    # A thread that draws would keep this process from forking.
    with Progress(*columns, console=terminal.err, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("checking", total=files, file="")

        def report(captured: Captured) -> None:
            file = printable(str(captured.request.target))
            bar.update(task, advance=1, file=file, refresh=True)

        bar.refresh()
        yield report
