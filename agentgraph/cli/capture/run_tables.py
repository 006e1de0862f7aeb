"""The bounds of the runs of a loaded file, and which guardrails cover them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from agentgraph.cli.capture.findings import lowered
from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.project_runs import runs_of_project
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.frontend.followed import charts_apart, roots_of
from agentgraph.frontend.origins import origin_of
from agentgraph.frontend.scope import plain
from agentgraph.workflow import Source
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import RunBounds, bounds
from agentgraph_compiler.analysis.coverage import Coverage, coverage
from agentgraph_compiler.ir.chart import USUAL_TURNS

__all__ = ["bounds_of", "coverage_of"]


def bounds_of(
    loaded: Loading, files: Sequence[SourceFile], sources: Sequence[Source]
) -> Iterator[RunBounds]:
    """The bounds of the runs from each start of a file, each start once.

    Args:
        loaded: The loaded file.
        files: The sources of its project.
        sources: Its starts.

    Raises:
        CommandFault: A start cannot be lowered.
    """
    overrides, limits = loaded.overrides, _limits(loaded, files)
    for root in roots_of(sources, runs_of_project(loaded, files)):
        chart, _ = lowered(root, loaded, overrides)
        ids = {(agent.name, agent.origin): agent.id for agent in chart.agents}
        turns_of = {chart.start: _most(limits.get(id(root.source), []))}
        for agent in root.starts:
            key = plain(str(agent.name)), origin_of(agent, overrides)
            turns_of[ids[key]] = _most(limits.get(id(agent), []))
        apart = charts_apart(root.source, overrides)
        yield from bounds(Analysis(chart), turns_of=turns_of, apart=apart)


def coverage_of(
    loaded: Loading, files: Sequence[SourceFile], sources: Sequence[Source]
) -> Iterator[Coverage]:
    """Which guardrails cover the agents of each workflow of a file.

    Args:
        loaded: The loaded file.
        files: The sources of its project.
        sources: Its starts.

    Raises:
        CommandFault: A start cannot be lowered.
    """
    overrides = loaded.overrides
    for root in roots_of(sources, runs_of_project(loaded, files)):
        chart, _ = lowered(root, loaded, overrides)
        yield coverage(Analysis(chart))


def _limits(loaded: Loading, files: Sequence[SourceFile]) -> dict[int, list[int | None]]:
    """The most turns of the runs that the project begins, by the id of what they start with."""
    limits: dict[int, list[int | None]] = {}
    for run in loaded.recorder.runs:
        limits.setdefault(id(as_source(run.source)), []).append(
            run.options.get(_LIMIT, USUAL_TURNS)
        )
    for file in files:
        for written in file.runs:
            for started in file.values.of(written.start, written.function):
                limits.setdefault(id(as_source(started)), []).append(_written_limit(file, written))
    return limits


def _written_limit(file: SourceFile, run: WrittenRun) -> int | None:
    """The most turns of a run in the source; the usual number if the source does not say."""
    words = {word.arg: word.value for word in run.call.keywords}
    written = words.get(_LIMIT)
    if isinstance(written, ast.Constant) and isinstance(written.value, int | None):
        return written.value
    values = [] if written is None else file.values.of(written, run.function)
    return values[0] if len(values) == 1 and isinstance(values[0], int) else USUAL_TURNS


def _most(limits: Sequence[int | None]) -> int | None:
    """The largest limit; the usual one if no run was seen."""
    if None in limits:
        return None
    return max((limit for limit in limits if limit is not None), default=USUAL_TURNS)


_LIMIT: Final = "max_turns"
