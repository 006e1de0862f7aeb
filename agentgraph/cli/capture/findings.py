"""The findings in a loaded file: of every start, and the mistakes in its definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from agentgraph.authoring.mistakes import wrong_field_type
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.origins import Overrides
from agentgraph.workflow import Source
from agentgraph_compiler import pipeline
from agentgraph_compiler.checks import input_guardrail_never_runs, output_guardrail_never_runs
from agentgraph_compiler.diagnostics import Diagnostic, Origin, in_source_order
from agentgraph_compiler.ir.chart import Chart

__all__ = ["findings_of"]

_ABOUT_ALL_RUNS: Final = frozenset(
    {input_guardrail_never_runs.RULE, output_guardrail_never_runs.RULE}
)
"""Rules that say "never": they hold for a file only if they hold for each start."""


def findings_of(loaded: Loading, sources: Iterable[Any]) -> tuple[Diagnostic, ...]:
    """Check the starts of a file.

    Args:
        loaded: The loaded file.
        sources: Its starts.

    Returns:
        Each finding once, in the order of the source.

    Raises:
        CommandFault: A start cannot be lowered.
    """
    overrides = loaded.overrides
    charts = [_lowered(source, loaded.source.file, overrides) for source in sources]
    starts = frozenset(chart.agent[chart.start].origin for chart in charts)
    checked = [
        (frozenset(_places(chart)), pipeline.check(_with_checked_runs(chart, starts)))
        for chart in charts
    ]
    findings = [
        finding
        for _, diagnostics in checked
        for finding in diagnostics
        if finding.rule not in _ABOUT_ALL_RUNS or _holds_for_all(finding, checked)
    ]
    findings += _mistakes(loaded)
    return in_source_order({_key(finding): finding for finding in reversed(findings)}.values())


def _mistakes(loaded: Loading) -> Iterator[Diagnostic]:
    yield from loaded.findings
    for mistake in loaded.recorder.mistakes:
        rule = getattr(mistake.error, "rule", None) or wrong_field_type.RULE
        yield Diagnostic(rule, str(mistake.error), mistake.origin)


_Checked = tuple[frozenset[Origin], tuple[Diagnostic, ...]]


def _lowered(source: Source, file: str, overrides: Overrides) -> Chart:
    try:
        chart, _ = lower(source, overrides=overrides)
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


def _holds_for_all(finding: Diagnostic, checked: Sequence[_Checked]) -> bool:
    return all(
        any(_key(finding) == _key(one) for one in diagnostics)
        for places, diagnostics in checked
        if finding.origin in places
    )


def _key(finding: Diagnostic) -> tuple[str, Origin, str]:
    """What two findings share that say the same: their notes may name different starts."""
    return finding.rule.code, finding.origin, finding.message
