"""The runs that a file and the modules beside it are seen to begin, and what they say of a chart:
with which of its agents runs start, and whether they go on with the agent that was last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentgraph.agent import Agent
from agentgraph.cli.capture.imported_names import library_names
from agentgraph.cli.capture.kinds import as_source, is_workflow_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.recorder import RunStart
from agentgraph.cli.capture.source import SourceError, SourceText, read_source
from agentgraph.cli.capture.uses import written_runs
from agentgraph.cli.capture.values import Values
from agentgraph.frontend.targets import target_of
from agentgraph.workflow import Source
from agentgraph_compiler.diagnostics import Origin

__all__ = ["ProjectRun", "Root", "recorded_and_written", "roots_of", "runs_of_project"]

_BEGINS_RUNS: Final = ("Runner", "run_demo_loop")


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """A run that the project begins.

    Args:
        source: The agent or workflow that it starts with; `None` if the source does not say.
        goes_on: Whether it may start with the agent that was last in another run.
    """

    source: Source | None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """What one chart is made of.

    Args:
        source: An agent or a workflow.
        starts: The further agents of its chart that runs start with.
        multi_turn: Whether runs go on with the agent that was last.
    """

    source: Source
    starts: tuple[Agent[Any], ...] = ()
    multi_turn: bool = False


def recorded_and_written(loaded: Loading) -> Iterator[tuple[RunStart, bool]]:
    """The runs of a file with an object that they start with: those that it began as it was loaded,
    then those in its source, each with whether it is written only."""
    for run in loaded.recorder.runs:
        yield run, False
    for run in _written(loaded, loaded.source):
        if run.source is not None:
            yield run, True


def runs_of_project(loaded: Loading) -> list[ProjectRun]:
    """All runs that a file and the modules beside it that it imports begin."""
    runs = [ProjectRun(as_source(run.source)) for run in loaded.recorder.runs]
    for source in (loaded.source, *_modules_beside(loaded)):
        runs += [ProjectRun(as_source(run.source), run.goes_on) for run in _written(loaded, source)]
    return runs


def roots_of(sources: Sequence[Source], runs: Iterable[ProjectRun]) -> list[Root]:
    """The charts that cover the starts of a file: a start that another chart holds has none of its
    own, because a chart is checked for all of its starts at once.

    Args:
        sources: The starts.
        runs: The runs of the project.
    """
    runs = list(runs)
    held = {id(source): _agents_of_chart(source) for source in sources}
    roots = []
    for number, source in enumerate(sources):
        holders = [
            other
            for place, other in enumerate(sources)
            if other is not source
            and id(source) in held[id(other)]
            and (place < number or id(other) not in held[id(source)])
        ]
        if not holders:
            roots.append(_root(source, held[id(source)], [*sources], runs))
    return roots


def _root(
    source: Source, agents: dict[int, Agent[Any]], sources: list[Source], runs: list[ProjectRun]
) -> Root:
    started = [*sources, *(run.source for run in runs)]
    starts = {id(one) for one in started if id(one) in agents and one is not source}
    multi_turn = any(
        run.goes_on and (run.source is None or run.source is source or id(run.source) in agents)
        for run in runs
    )
    return Root(source, tuple(agents[key] for key in agents if key in starts), multi_turn)


def _agents_of_chart(source: Source) -> dict[int, Agent[Any]]:
    """The agents that the chart of a source holds, by id: all that a workflow declares, or all to
    which handoffs lead."""
    if is_workflow_source(source):
        return {id(agent): agent for agent in source.agents}
    agents: dict[int, Agent[Any]] = {}
    waiting = [source]
    while waiting:
        agent = waiting.pop()
        if id(agent) not in agents:
            agents[id(agent)] = agent
            waiting.extend(filter(None, map(target_of, agent.handoffs)))
    return agents


def _written(loaded: Loading, source: SourceText) -> Iterator[RunStart]:
    """The runs in the source of a file, each with every object that it may start with; one without
    an object if the source does not say."""
    is_itself = source is loaded.source
    names = loaded.names if is_itself else library_names(source.tree, "agentgraph", "agents")
    values = Values(
        source.tree,
        loaded.namespace if is_itself else _namespace(loaded, source.file),
        loaded.locals if is_itself else None,
        {
            one.origin.line: one.authored
            for one in loaded.recorder.objects
            if one.origin.file == source.file
        },
    )
    for written in written_runs(source.tree, names):
        function = written.function.name if written.function else ""
        place = Origin(source.file, written.line)
        objects = values.of(written.start, written.function)
        if not objects and written.is_certain:
            objects = [None]
        for started in objects:
            yield RunStart(started, place, function, goes_on=written.goes_on)


def _modules_beside(loaded: Loading) -> Iterator[SourceText]:
    """The sources of the modules that a file imports from its project and that begin runs."""
    for module in loaded.own_modules:
        file = getattr(module, "__file__", None)
        if file is None or file == loaded.source.file or not file.endswith(".py"):
            continue
        try:
            text = Path(file).read_text(encoding="utf-8")
            if any(word in text for word in _BEGINS_RUNS):
                yield read_source(Path(file), text)
        except (OSError, ValueError, SourceError):  # its import would have told
            continue


def _namespace(loaded: Loading, file: str) -> dict[str, Any]:
    return next(vars(one) for one in loaded.own_modules if getattr(one, "__file__", "") == file)
