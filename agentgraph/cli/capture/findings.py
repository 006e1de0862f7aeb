"""The findings in a loaded file: of every start, and the mistakes in its definitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agentgraph.authoring.mistakes import wrong_field_type
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.project_runs import runs_of_project
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.rules import rule_pages
from agentgraph.cli.source_rules import SOURCE_RULES, uncaught_tripwire, unused_agent
from agentgraph.cli.source_rules.project import Project
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.collection import collector_paused
from agentgraph.frontend.followed import Root, roots_of, with_checked_runs
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.origins import Overrides
from agentgraph.workflow import Source
from agentgraph_compiler import pipeline
from agentgraph_compiler.diagnostics import Diagnostic, Origin, in_source_order
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.options import NO_OPTIONS, OptionValues

__all__ = ["Findings", "findings_of", "lowered", "united"]

_ABOUT_ALL_RUNS: Final = pipeline.ABOUT_ALL_RUNS | {
    unused_agent.RULE.code,
    uncaught_tripwire.RULE.code,
}
"""Rules that say "never" or "nowhere": they hold for an agent or a run only if they hold in each
chart and in each file that has it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of checking a file.

    Args:
        diagnostics: Each finding once, in the order of the source.
        places: Where the agents of its charts are made, and where its runs begin.
    """

    diagnostics: tuple[Diagnostic, ...]
    places: tuple[Origin, ...]


@collector_paused()
def findings_of(
    loaded: Loading,
    files: Sequence[SourceFile],
    sources: Sequence[Source],
    options: OptionValues = NO_OPTIONS,
) -> Findings:
    """Check the starts of a file.

    Args:
        loaded: The loaded file.
        files: The sources of its project.
        sources: Its starts.
        options: What its project sets about rules.

    Raises:
        CommandFault: A start cannot be lowered.
    """
    runs = runs_of_project(loaded, files)
    overrides = loaded.overrides
    charts = [lowered(root, loaded, overrides)[0] for root in roots_of(sources, runs)]
    checked = [
        (pipeline.places_of(chart), pipeline.check(chart, options=options))
        for chart in with_checked_runs(charts)
    ]
    recorder, rules = loaded.recorder, tuple(rule_pages())
    project = Project(
        files=files, made=recorder.objects, begun=recorder.runs, options=options, rules=rules
    )
    findings = [*united(checked), *_mistakes(loaded), *_of_the_source(project)]
    unique = {pipeline.key(finding): finding for finding in reversed(findings)}
    places = {place for places, _ in checked for place in places}
    places |= {read.origin(run.call) for read in files for run in read.runs}
    in_order = sorted(places, key=lambda place: (place.file, place.line))
    return Findings(in_source_order(unique.values()), tuple(in_order))


def _of_the_source(project: Project) -> Iterator[Diagnostic]:
    for rule in SOURCE_RULES:
        yield from rule.check(project)


def united(checked: Sequence[pipeline.Checked]) -> list[Diagnostic]:
    """The findings of charts or files that hold for all of them.

    Args:
        checked: What each of them says.
    """
    return pipeline.united(checked, _ABOUT_ALL_RUNS)


def _mistakes(loaded: Loading) -> Iterator[Diagnostic]:
    yield from loaded.findings
    for mistake in loaded.recorder.mistakes:
        rule = getattr(mistake.error, "rule", None) or wrong_field_type.RULE
        yield Diagnostic(rule, str(mistake.error), mistake.origin)


def lowered(root: Root, loaded: Loading, overrides: Overrides) -> tuple[Chart, Bindings]:
    """The chart of a start of a file, and the objects behind it.

    Args:
        root: The start, with what belongs to its chart.
        loaded: The loaded file.
        overrides: Its origins that take precedence; computed once for all starts.

    Raises:
        CommandFault: It cannot be lowered.
    """
    source = root.source
    try:
        return lower(
            source,
            root.scope,
            overrides=overrides,
            starts=root.starts,
            multi_turn=root.multi_turn,
        )
    except Exception as error:
        raise CommandFault(
            f"agent '{source.name}' of {loaded.source.file} cannot be checked: {error}",
            details=own_traceback(error),
        ) from error
