"""The runs that a file and the modules beside it are seen to begin, and what they say of a chart:
with which of its agents runs start, whether they go on with the agent that was last, and what they
add.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.recorder import RunStart
from agentgraph.cli.capture.run_scopes import scope_of, written_scope
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.cli.capture.uses import WrittenRun
from agentgraph.frontend.followed import ProjectRun
from agentgraph.frontend.scope import RunScope
from agentgraph_compiler.diagnostics import Origin

__all__ = [
    "recorded_and_written",
    "runs_of_project",
]


def recorded_and_written(loaded: Loading, file: SourceFile) -> Iterator[tuple[RunStart, bool]]:
    """The runs of a file with an object that they start with: those that it began as it was loaded,
    then those in its source, each with whether it is written only.

    Args:
        loaded: The file.
        file: Its source.
    """
    for run in loaded.recorder.runs:
        yield run, False
    for run, _ in _written(file):
        if run.source is not None:
            yield run, True


def runs_of_project(loaded: Loading, files: Iterable[SourceFile]) -> list[ProjectRun]:
    """All runs that a project begins.

    Args:
        loaded: The file of the command.
        files: The files of its project.
    """
    runs, begun = list[ProjectRun](), dict[Origin, RunScope]()
    for run in loaded.recorder.runs:
        scope = begun[run.place] = scope_of(run.options)
        runs.append(ProjectRun(as_source(run.source), scope=scope))
    for file in files:
        for run, written in _written(file):
            scope = begun[run.place] if run.place in begun else written_scope(file, written)
            runs.append(ProjectRun(as_source(run.source), written.goes_on, scope))
    return runs


def _written(file: SourceFile) -> Iterator[tuple[RunStart, WrittenRun]]:
    """The runs in the source of a file, each once for every object that it may start with; once
    without an object if the source does not say."""
    for run in file.runs:
        function = run.function.name if run.function else ""
        place = Origin(file.path, run.call.lineno)
        objects = file.values.of(run.start, run.function)
        for started in objects or ([None] if run.is_certain else []):
            yield RunStart(started, place, function), run
