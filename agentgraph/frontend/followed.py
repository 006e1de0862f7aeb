"""What is checked together: the charts of the agents that runs start with, and of those that the
code of their tools and guardrails runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.frontend.declarations import code_of
from agentgraph.frontend.discover import is_workflow
from agentgraph.frontend.inner_agents import inner_runs
from agentgraph.frontend.lower_tools import agent_of
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.origins import Overrides, origin_of
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope, plain
from agentgraph.frontend.targets import target_of
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import Chart

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """A run that the project begins.

    Args:
        source: The agent or workflow that it starts with; `None` if the source does not say.
        goes_on: Whether it may start with the agent that was last in another run.
        scope: What it adds, as far as the source says.
    """

    source: Source | None
    goes_on: bool = False
    scope: RunScope = DEFAULT_SCOPE


@dataclass(frozen=True, slots=True)
class Root:
    """What one chart is made of.

    Args:
        source: An agent or a workflow.
        starts: The further agents of its chart that runs start with.
        multi_turn: Whether runs go on with the agent that was last.
        scope: What all of its runs add.
    """

    source: Source
    starts: tuple[Agent[Any], ...] = ()
    multi_turn: bool = False
    scope: RunScope = DEFAULT_SCOPE


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
    scopes: dict[int, list[RunScope]] = {}
    for run in runs:
        scopes.setdefault(id(run.source), []).append(run.scope)
    return [
        Root(
            source,
            tuple(agent for key, agent in agents.items() if key in started and agent is not source),
            multi_turn=not going_on.isdisjoint((id(None), id(source), *agents)),
            scope=_common_scope(
                scope for key in {id(source), *agents} for scope in scopes.get(key, ())
            ),
        )
        for source, agents in reversed(last_first)
    ]


def _common_scope(scopes: Iterable[RunScope]) -> RunScope:
    """What all of some runs add, if it is the same."""
    different = {scope.key: scope for scope in scopes}
    return next(iter(different.values())) if len(different) == 1 else DEFAULT_SCOPE


def agents_of_chart(source: Source) -> dict[int, Agent[Any]]:
    """The agents that the chart of an agent or workflow holds, by id: all that a workflow declares,
    or all to which handoffs lead."""
    if is_workflow(source):
        return {id(agent): agent for agent in source.agents}
    agents: dict[int, Agent[Any]] = {}
    waiting = [source]
    while waiting:
        agent = waiting.pop()
        if id(agent) not in agents:
            agents[id(agent)] = agent
            waiting.extend(filter(None, map(target_of, agent.handoffs)))
    return agents


def run_by_code(source: Source) -> list[Agent[Any]]:
    """The agents that the code of tools and guardrails runs, of a workflow and of these agents."""
    agents_run: dict[int, Agent[Any]] = {}
    seen: set[int] = set()
    waiting = [*agents_of_chart(source).values()]
    while waiting:
        agent = waiting.pop()
        if id(agent) in seen:
            continue
        seen.add(id(agent))
        waiting += filter(None, map(target_of, agent.handoffs))
        waiting += filter(None, map(agent_of, agent.tools))
        code = [function for function in _code_of(agent) if id(function) not in seen]
        seen.update(map(id, code))
        for run in inner_runs(*code):
            if run.agent is not None and id(run.agent) not in agents_run:
                agents_run[id(run.agent)] = run.agent
                waiting.append(run.agent)
    return list(agents_run.values())


def charts_together(root: Root, overrides: Overrides | None = None) -> list[Chart]:
    """The chart of a workflow, and those of the agents that its code runs.

    Args:
        root: The workflow.
        overrides: Origins that take precedence, by ``id`` of the object.

    Raises:
        UserError: One of the starts is not part of the workflow.
    """
    inner, own = run_by_code(root.source), agents_of_chart(root.source)
    entered = (*root.starts, *(one for one in inner if id(one) in own))
    others = [one for one in inner if id(one) not in own]
    first = replace(root, starts=entered)
    roots = [first, *roots_of(others, map(ProjectRun, others))]
    charts = [
        lower(one.source, overrides=overrides, starts=one.starts, multi_turn=one.multi_turn)[0]
        for one in roots
    ]
    return with_checked_runs(charts)


def charts_apart(
    source: Source, overrides: Overrides | None = None
) -> dict[tuple[str, Origin], Chart]:
    """The charts of the agents that the code of a workflow runs, by the name and the origin of the
    agent that each starts with; an agent that cannot be lowered has none.

    Args:
        source: An agent or a ``Workflow``.
        overrides: Origins that take precedence, by ``id`` of the object.
    """
    charts: dict[tuple[str, Origin], Chart] = {}
    for agent in run_by_code(source):
        with contextlib.suppress(UserError):
            key = plain(str(agent.name)), origin_of(agent, overrides)
            charts[key], _ = lower(agent, overrides=overrides)
    return charts


def _code_of(agent: Agent[Any]) -> Iterator[object]:
    """The functions of the tools and guardrails of an agent."""
    for tool in agent.tools:
        yield from code_of(tool)
    guardrails: list[Any] = [*agent.input_guardrails, *agent.output_guardrails]
    yield from (one.guardrail_function for one in guardrails)


def with_checked_runs(charts: Sequence[Chart]) -> list[Chart]:
    """Charts that do not say of a run in a tool's code that no check covers it, if the agent of
    that run is a start of one of them."""
    starts = {chart.agent[id].origin for chart in charts for id in (chart.start, *chart.starts)}
    return [_with_checked_runs(chart, starts) for chart in charts]


def _with_checked_runs(chart: Chart, starts: Set[Origin]) -> Chart:
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
