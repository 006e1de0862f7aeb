"""The runs that a file and the modules beside it are seen to begin, and what they say of a chart:
with which of its agents runs start, and whether they go on with the agent that was last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.agent import Agent
from agentgraph.cli.capture.kinds import as_source, is_workflow_source
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.recorder import RunStart
from agentgraph.cli.capture.source_file import SourceFile
from agentgraph.frontend.targets import target_of
from agentgraph.workflow import Source
from agentgraph_compiler.diagnostics import Origin

__all__ = [
    "ProjectRun",
    "Root",
    "agents_of_chart",
    "recorded_and_written",
    "roots_of",
    "runs_of_project",
]


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


def roots_of(sources: Sequence[Source], runs: Iterable[ProjectRun]) -> list[Root]:
    """The charts that cover the starts of a file: a start that another chart holds has none of its
    own, because a chart is checked for all of its starts at once.

    Args:
        sources: The starts.
        runs: The runs of the project.
    """
    kept: list[tuple[Source, dict[int, Agent[Any]]]] = []
    held: set[int] = set()
    for source in sources:
        if id(source) not in held:
            agents = agents_of_chart(source)
            kept.append((source, agents))
            held |= agents.keys()
    held.clear()
    last_first = []
    for source, agents in reversed(kept):  # a later start may hold an earlier one
        if id(source) not in held:
            last_first.append((source, agents))
            held |= agents.keys()
    runs = list(runs)
    started = {id(one) for one in (*sources, *(run.source for run in runs))}
    going_on = {id(run.source) for run in runs if run.goes_on}
    return [
        Root(
            source,
            tuple(agent for key, agent in agents.items() if key in started and agent is not source),
            multi_turn=not going_on.isdisjoint((id(None), id(source), *agents)),
        )
        for source, agents in reversed(last_first)
    ]


def agents_of_chart(source: Source) -> dict[int, Agent[Any]]:
    """The agents that the chart of an agent or workflow holds, by id: all that a workflow declares,
    or all to which handoffs lead."""
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


def _written(file: SourceFile) -> Iterator[tuple[RunStart, bool]]:
    """The runs in the source of a file, each with every object that it may start with and whether
    it may go on with the agent that was last; one without an object if the source does not say."""
    for run in file.runs:
        function = run.function.name if run.function else ""
        place = Origin(file.path, run.call.lineno)
        objects = file.values.of(run.start, run.function)
        for started in objects or ([None] if run.is_certain else []):
            yield RunStart(started, place, function), run.goes_on
