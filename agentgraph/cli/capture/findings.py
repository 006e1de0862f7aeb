"""The findings in a loaded file: of every start, and the mistakes in its definitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentgraph.authoring.mistakes import wrong_field_type
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.project_runs import Root, roots_of, runs_of_project
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.source_rules import SOURCE_RULES, uncaught_tripwire, unused_agent
from agentgraph.cli.source_rules.project import Project
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.collection import collector_paused
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.origins import Overrides
from agentgraph.workflow import Source
from agentgraph_compiler import pipeline
from agentgraph_compiler.checks import input_guardrail_never_runs, output_guardrail_never_runs
from agentgraph_compiler.diagnostics import Diagnostic, Origin, in_source_order
from agentgraph_compiler.ir.chart import Chart

__all__ = ["Checked", "Findings", "findings_of", "united"]

_ABOUT_ALL_RUNS: Final = frozenset(
    rule.code
    for rule in (
        input_guardrail_never_runs.RULE,
        output_guardrail_never_runs.RULE,
        unused_agent.RULE,
        uncaught_tripwire.RULE,
    )
)
"""Rules that say "never" or "nowhere": they hold for an agent or a run only if they hold in each
chart and in each file that has it."""

Checked = tuple[frozenset[Origin], Sequence[Diagnostic]]
"""The places of the agents that were checked together, and the findings about them."""


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
    loaded: Loading, files: Sequence[SourceFile], sources: Sequence[Source]
) -> Findings:
    """Check the starts of a file.

    Args:
        loaded: The loaded file.
        files: The sources of its project.
        sources: Its starts.

    Raises:
        CommandFault: A start cannot be lowered.
    """
    file, overrides = loaded.source.file, loaded.overrides
    runs = runs_of_project(loaded, files)
    charts = [_lowered(root, file, overrides) for root in roots_of(sources, runs)]
    starts = frozenset(
        chart.agent[id].origin for chart in charts for id in (chart.start, *chart.starts)
    )
    checked = [
        (frozenset(_places(chart)), pipeline.check(_with_checked_runs(chart, starts)))
        for chart in charts
    ]
    project = Project(files, loaded.recorder.objects, loaded.recorder.runs)
    findings = [*united(checked), *_mistakes(loaded), *_of_the_source(project)]
    unique = {_key(finding): finding for finding in reversed(findings)}
    places = {place for places, _ in checked for place in places}
    places |= {read.origin(run.call) for read in files for run in read.runs}
    in_order = sorted(places, key=lambda place: (place.file, place.line))
    return Findings(in_source_order(unique.values()), tuple(in_order))


def _of_the_source(project: Project) -> Iterator[Diagnostic]:
    for rule in SOURCE_RULES:
        yield from rule.check(project)


def united(checked: Sequence[Checked]) -> list[Diagnostic]:
    """The findings of charts or files that hold for all of them.

    Args:
        checked: What each of them says.
    """
    return [
        finding
        for _, diagnostics in checked
        for finding in diagnostics
        if finding.rule.code not in _ABOUT_ALL_RUNS or _holds_for_all(finding, checked)
    ]


def _mistakes(loaded: Loading) -> Iterator[Diagnostic]:
    yield from loaded.findings
    for mistake in loaded.recorder.mistakes:
        rule = getattr(mistake.error, "rule", None) or wrong_field_type.RULE
        yield Diagnostic(rule, str(mistake.error), mistake.origin)


def _lowered(root: Root, file: str, overrides: Overrides) -> Chart:
    source = root.source
    try:
        chart, _ = lower(
            source, overrides=overrides, starts=root.starts, multi_turn=root.multi_turn
        )
    except Exception as error:
        raise CommandFault(
            f"agent '{source.name}' of {file} cannot be checked: {error}",
            details=own_traceback(error),
        ) from error
    return chart


def _with_checked_runs(chart: Chart, starts: frozenset[Origin]) -> Chart:
    """A chart that does not say of a run in a tool's code that no check covers it, if the agent of
    that run is a start, which is checked too."""
    agents = []
    for agent in chart.agents:
        covered = tuple(
            f"agent '{run.name}', and no check covers that run"
            for run in agent.inner
            if run.origin in starts
        )
        unseen = tuple(fact for fact in agent.unseen if not covered or not fact.endswith(covered))
        agents.append(replace(agent, unseen=unseen))
    parts = tuple(_with_checked_runs(part, starts) for part in chart.charts)
    return replace(chart, agents=tuple(agents), charts=parts)


def _places(chart: Chart) -> Iterator[Origin]:
    for part in chart.walk():
        yield from (agent.origin for agent in part.agents)


def _holds_for_all(finding: Diagnostic, checked: Sequence[Checked]) -> bool:
    return all(
        any(_key(finding) == _key(one) for one in diagnostics)
        for places, diagnostics in checked
        if finding.origin in places
    )


def _key(finding: Diagnostic) -> tuple[str, Origin, str]:
    """What two findings share that say the same: their notes may name different starts."""
    return finding.rule.code, finding.origin, finding.message
