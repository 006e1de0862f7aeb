"""Lowering of a workflow: agents become declarations, agents used as tools become sub-charts, and
together they make one chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.frontend.bind import bind, layout_of
from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.discover import Names
from agentgraph.frontend.lower_agent import LoweringContext, lower_agent
from agentgraph.frontend.lower_steps import judges_of_run, lower_steps
from agentgraph.frontend.origins import Overrides, origin_of
from agentgraph.frontend.reading import read
from agentgraph.frontend.readings import ChartReading, Reading
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope, plain
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Chart

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source


def lower(
    source: Source,
    scope: RunScope = DEFAULT_SCOPE,
    *,
    overrides: Overrides | None = None,
    starts: Sequence[Agent[Any]] = (),
    multi_turn: bool = False,
) -> tuple[Chart, Bindings]:
    """Lower an agent or a workflow.

    Args:
        source: A ``Workflow``, or the agent a run starts with.
        scope: What the run adds.
        overrides: Origins that take precedence, by ``id`` of the object.
        starts: Further agents that runs start with.
        multi_turn: Whether a run may go on with the agent that was last.

    Returns:
        The chart, and the objects behind its symbols.

    Raises:
        UserError: The chart does not contain one of ``starts``.
    """
    reading, _ = read(source, scope)
    declarations = Declarations(overrides)
    chart = chart_of(reading, declarations, starts=starts, multi_turn=multi_turn)
    return chart, bind(layout_of(chart), reading)


def chart_of(
    reading: Reading,
    declarations: Declarations,
    *,
    starts: Sequence[Agent[Any]] = (),
    multi_turn: bool = False,
) -> Chart:
    """The chart of a reading.

    Args:
        reading: The workflow.
        declarations: Makes the declarations: in full or bare, and from objects that may have
            changed since.
        starts: Further agents that runs start with.
        multi_turn: Whether a run may go on with the agent that was last.

    Raises:
        UserError: The chart does not contain one of ``starts``.
    """
    names = Names()
    subcharts = {n: names.take(part.name) for n, part in enumerate(reading.charts) if n}
    source = reading.source
    declared = reading.workflow is not None
    origin = origin_of(source, declarations.overrides)
    alone = declarations.bare and not reading.charts[0].steps
    identities = {} if alone else _identities(reading)
    if not declarations.bare:
        first = reading.charts[0]
        declarations.readers.begin_with(declarations.part(first.agents[first.start].shape))
    charts = [
        _chart(reading, number, name, subcharts, declarations, identities)
        for number, name in subcharts.items()
    ]
    starts_at = _numbers(reading.charts[0], starts)
    return _chart(
        reading,
        0,
        reading.charts[0].name,
        subcharts,
        declarations,
        identities,
        declared=declared,
        charts=tuple(charts),
        origin=origin,
        starts=starts_at,
        multi_turn=multi_turn,
    )


def _numbers(part: ChartReading, starts: Sequence[Agent[Any]]) -> list[int]:
    """The numbers of agents in a chart, in document order and without its own start."""
    numbers = {id(read.shape.part): number for number, read in enumerate(part.agents)}
    missing = [agent.name for agent in starts if id(agent) not in numbers]
    if missing:
        raise UserError(
            f"Agent '{missing[0]}' is not part of workflow '{part.name}': no agent of it hands"
            " over to that agent. Check it by itself."
        )
    return sorted({numbers[id(agent)] for agent in starts} - {part.start})


def _identities(reading: Reading) -> dict[int, int]:
    """The number of each agent, if one is in several charts or two have the same name."""
    names: dict[int, str] = {}
    for part in reading.charts:
        names |= {id(read.shape.part): read.shape.part.name for read in part.agents}
    apart = len(set(names.values())) == len(names) == len(reading.charts[0].agents)
    if len(reading.charts) == 1 and apart:
        return {}
    return {agent: number for number, agent in enumerate(names, 1)}


def _chart(
    reading: Reading,
    number: int,
    name: str,
    subcharts: dict[int, str],
    declarations: Declarations,
    identities: Mapping[int, int],
    *,
    declared: bool = False,
    charts: tuple[Chart, ...] = (),
    origin: Origin = UNKNOWN,
    starts: Sequence[int] = (),
    multi_turn: bool = False,
) -> Chart:
    part = reading.charts[number]
    agents = [declarations.part(read.shape) for read in part.agents]
    names = Names()
    ids = _ids(part, agents, names)
    counts = Counter(agent.name for agent in agents)
    only = {agent.name: n for n, agent in enumerate(agents) if counts[agent.name] == 1}
    context = LoweringContext(
        read=part,
        agents=agents,
        ids=ids,
        only=only,
        subcharts=subcharts,
        declarations=declarations,
        identities=identities,
    )
    return build(
        plain(name),
        ids[part.start],
        [lower_agent(n, context) for n in range(len(agents))],
        policy=part.scope.policy,
        declared=declared,
        charts=charts,
        origin=origin,
        starts=tuple(ids[number] for number in starts),
        multi_turn=multi_turn,
        steps=lower_steps(
            part, ids, _step_ids(part, ids, names), declarations, subcharts, reading.charts
        ),
        output_guardrails=tuple(judges_of_run(part, declarations)),
    )


def _ids(part: ChartReading, agents: Sequence[Any], names: Names) -> list[str]:
    """The ids of the agents of a chart. An agent of several steps has one for each of them."""
    ids = [""] * len(agents)
    times = Counter(id(read.shape.part) for read in part.agents)
    regions = {number: step.numbers[0] for step in part.steps for number in step.numbers[1:]}
    for number, agent in enumerate(agents):
        shared = times[id(part.agents[number].shape.part)] > 1
        name = names.stem(agent.name)
        ids[number] = names.claim(f"{ids[regions[number]]}/{name}" if shared else name)
    return ids


def _step_ids(part: ChartReading, ids: Sequence[str], names: Names) -> list[str]:
    return [ids[step.numbers[0]] if step.numbers else names.take(step.name) for step in part.steps]
