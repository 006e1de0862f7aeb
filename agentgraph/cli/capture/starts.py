"""The starts of a file: the agents and workflows that a run begins with.

`check` takes all of them. A command that needs one takes the only workflow, else the agent that
`Runner` gets, else the agent to which no other agent leads; in a cycle of handoffs that is the
agent that lists its handoffs when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agentgraph.cli.capture.kinds import as_source, is_workflow_source, sources_in
from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.project_runs import recorded_and_written
from agentgraph.cli.capture.recorder import RunStart
from agentgraph.cli.capture.source_file import SourceFile, file_itself
from agentgraph.cli.capture.uses import Uses, covered_by
from agentgraph.workflow import Source
from agentgraph_compiler.diagnostics import UNKNOWN, Origin

__all__ = ["AmbiguousStart", "Choice", "Start", "choose", "starts_of"]

Reason = Literal["named", "workflow", "run", "written", "unled"]


@dataclass(frozen=True, slots=True)
class Start:
    """An agent or workflow that a run begins with.

    Args:
        source: The object.
        label: The name in the file, else its own name.
        reason: The user named it, it is a workflow, `Runner` got it, the source passes it to
            `Runner`, or no other agent leads to it.
        place: The line that begins the run; unknown for the others.
        lists_handoffs: Whether it had handoffs when it was made.
        run: The recorded run.
    """

    source: Source
    label: str
    reason: Reason
    place: Origin = UNKNOWN
    lists_handoffs: bool = False
    run: RunStart | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The start that a command takes.

    Args:
        start: The start.
        why: Why this one, in words; empty if there is no other.
        others: The labels of the others.
    """

    start: Start
    why: str = ""
    others: tuple[str, ...] = ()


class AmbiguousStart(LookupError):
    """A file has several starts, and nothing says which one a command should take.

    Args:
        what: What there are several of.
        labels: Their names.
    """

    def __init__(self, what: str, labels: Sequence[str]) -> None:
        super().__init__(f"{len(labels)} {what}: {', '.join(labels)}")
        self.labels = tuple(labels)


class _File:
    """The agents of a loaded file, by identity, with what is known of each."""

    def __init__(self, loaded: Loading, text: SourceFile | None = None) -> None:
        self.loaded = loaded
        self.text = text or file_itself(loaded)
        self.uses = Uses(loaded.namespace, loaded.source.tree)
        self.labels: dict[int, str] = {}
        self.sources: dict[int, Source] = {}
        made = {id(one.authored): one for one in loaded.recorder.objects}
        self._made = made
        for label, source in sources_in(loaded.namespace):
            self._add(source, label)
        latest: dict[tuple[Origin, str], Any] = {}
        for one in loaded.recorder.objects:
            if one.origin.file == loaded.source.file:
                latest[one.origin, one.authored.name] = one.authored
        for authored in latest.values():
            self._add(authored, authored.name)

    def start(self, source: Source, reason: Reason, run: RunStart | None = None) -> Start:
        self._add(source, str(source.name))
        made = self._made.get(id(source))
        lists = made.lists_handoffs if made else bool(getattr(source, "handoffs", None))
        place = UNKNOWN if run is None else run.place
        return Start(
            source, self.labels[id(source)], reason, place=place, lists_handoffs=lists, run=run
        )

    def _add(self, source: Source, label: str) -> None:
        if id(source) not in self.sources:
            self.sources[id(source)] = source
            self.labels[id(source)] = label


def starts_of(loaded: Loading, source: SourceFile) -> list[Start]:
    """All starts of a file, so that every agent is part of at least one.

    Args:
        loaded: The file.
        source: Its source.
    """
    file = _File(loaded, source)
    explicit = [*_workflows(file), *_runs(file)]
    covered = {id(start.source) for start in explicit}
    for start in explicit:
        covered |= covered_by(start.source)
    rest = {key: one for key, one in file.sources.items() if key not in covered}
    return [*explicit, *(_first(group) for group in _unled(file, rest, covered_by))]


def choose(loaded: Loading) -> Choice | None:
    """The start that a command takes from a file by default.

    Returns:
        The start; `None` if the file has no agent.

    Raises:
        AmbiguousStart: Several could be meant.
    """
    file = _File(loaded)
    workflows, runs = _workflows(file), _runs(file)
    if workflows:
        run = {id(start.source) for start in runs}
        taken = [start for start in workflows if id(start.source) in run] or workflows
        if len(taken) > 1:
            raise AmbiguousStart("workflows", [start.label for start in taken])
        return _choice(taken[0], "the workflow", workflows)
    mains = [start for start in runs if not _is_inner(start, file)]
    if mains:
        where = f" in line {mains[0].place.line}" if mains[0].place.line else ""
        return _choice(mains[0], f"the agent that Runner gets{where}", mains)
    groups = _unled(file, file.sources, file.uses.reached)
    if not groups:
        return None
    starts = [start for group in groups for start in group]
    listing = [start for start in starts if start.lists_handoffs]
    if len(starts) == 1 or len(listing) == 1:
        return _choice((listing or starts)[0], "the agent that lists its handoffs", starts)
    what = (
        "agents in a cycle of handoffs"
        if len(groups) == 1
        else "agents that a run could start with"
    )
    raise AmbiguousStart(what, [start.label for start in starts])


def _is_inner(start: Start, file: _File) -> bool:
    """Whether the code of another agent leads to a start, and the start does not lead back."""
    key = id(start.source)
    reached = file.uses.reached(start.source)
    return any(
        key in file.uses.reached(one)
        for other, one in file.sources.items()
        if other != key and other not in reached
    )


def _choice(start: Start, why: str, starts: Iterable[Start]) -> Choice:
    others = tuple(one.label for one in starts if one is not start)
    return Choice(start, why if others else "", others)


def _workflows(file: _File) -> list[Start]:
    sources = [source for source in file.sources.values() if is_workflow_source(source)]
    return [file.start(source, "workflow") for source in sources]


def _runs(file: _File) -> list[Start]:
    """The agents that `Runner` got, then those that the source passes to it; workflows aside."""
    starts: dict[int, Start] = {}
    for run, is_written in recorded_and_written(file.loaded, file.text):
        source = as_source(run.source)
        if source is not None and not is_workflow_source(source):
            reason: Reason = "written" if is_written else "run"
            starts.setdefault(id(source), file.start(source, reason, run))
    return list(starts.values())


def _unled(
    file: _File, sources: dict[int, Any], reached: Callable[[Any], set[int]]
) -> list[list[Start]]:
    """The agents to which no other agent leads, grouped by cycle."""
    agents = {key: one for key, one in sources.items() if not is_workflow_source(one)}
    reach = {key: reached(agent) for key, agent in agents.items()}
    groups: dict[frozenset[int], list[Start]] = {}
    for key in agents:
        before = {other for other in agents if other != key and key in reach[other]}
        cycle = {other for other in before if other in reach[key]}
        if before == cycle:
            group = frozenset((key, *cycle))
            groups.setdefault(
                group, [file.start(agents[one], "unled") for one in agents if one in group]
            )
    return list(groups.values())


def _first(group: list[Start]) -> Start:
    return next((start for start in group if start.lists_handoffs), group[0])
