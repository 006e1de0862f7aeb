"""The runs that a file and the modules beside it are seen to begin, and what they say of a chart:
with which of its agents runs start, and whether they go on with the agent that was last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentgraph.cli.capture.kinds import as_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.recorder import RunStart
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.frontend.followed import ProjectRun
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
    runs = [ProjectRun(as_source(run.source)) for run in loaded.recorder.runs]
    for file in files:
        runs += [ProjectRun(as_source(run.source), goes_on) for run, goes_on in _written(file)]
    return runs


def _written(file: SourceFile) -> Iterator[tuple[RunStart, bool]]:
    """The runs in the source of a file, each with every object that it may start with and whether
    it may go on with the agent that was last; one without an object if the source does not say."""
    for run in file.runs:
        function = run.function.name if run.function else ""
        place = Origin(file.path, run.call.lineno)
        objects = file.values.of(run.start, run.function)
        for started in objects or ([None] if run.is_certain else []):
            yield RunStart(started, place, function), run.goes_on
