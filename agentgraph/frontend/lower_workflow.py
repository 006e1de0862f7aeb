"""Lowering of a workflow: agents become declarations, agents used as tools become sub-charts, and
together they make one chart."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agentgraph.frontend.bind import bind, layout_of
from agentgraph.frontend.bindings import Bindings
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.discover import Names
from agentgraph.frontend.lower_agent import LoweringContext, lower_agent
from agentgraph.frontend.origins import Overrides, origin_of
from agentgraph.frontend.reading import Reading, read
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope, plain
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Chart

if TYPE_CHECKING:
    from agentgraph.workflow import Source


def lower(
    source: Source, scope: RunScope = DEFAULT_SCOPE, *, overrides: Overrides | None = None
) -> tuple[Chart, Bindings]:
    """Lower an agent or a workflow.

    Args:
        source: A ``Workflow``, or the agent a run starts with.
        scope: What the run adds.
        overrides: Origins that take precedence, by ``id`` of the object.

    Returns:
        The chart, and the objects behind its symbols.
    """
    reading, _ = read(source, scope)
    chart = chart_of(reading, Declarations(overrides))
    return chart, bind(layout_of(chart), reading)


def chart_of(reading: Reading, declarations: Declarations) -> Chart:
    """The chart of a reading.

    Args:
        reading: The workflow.
        declarations: Makes the declarations: in full or bare, and from objects that may have
            changed since.
    """
    names = Names()
    subcharts = {n: names.take(part.name) for n, part in enumerate(reading.charts) if n}
    source = reading.source
    declared = reading.workflow is not None
    origin = origin_of(source, declarations.overrides)
    charts = [
        _chart(reading, number, name, subcharts, declarations) for number, name in subcharts.items()
    ]
    return _chart(
        reading,
        0,
        reading.charts[0].name,
        subcharts,
        declarations,
        declared=declared,
        charts=tuple(charts),
        origin=origin,
    )


def _chart(
    reading: Reading,
    number: int,
    name: str,
    subcharts: dict[int, str],
    declarations: Declarations,
    *,
    declared: bool = False,
    charts: tuple[Chart, ...] = (),
    origin: Origin = UNKNOWN,
) -> Chart:
    part = reading.charts[number]
    agents = [declarations.part(read.shape) for read in part.agents]
    names = Names()
    ids = [names.take(agent.name) for agent in agents]
    counts = Counter(agent.name for agent in agents)
    only = {agent.name: n for n, agent in enumerate(agents) if counts[agent.name] == 1}
    context = LoweringContext(
        read=part, agents=agents, ids=ids, only=only, subcharts=subcharts, declarations=declarations
    )
    return build(
        plain(name),
        ids[part.start],
        [lower_agent(n, context) for n in range(len(agents))],
        policy=part.scope.policy,
        declared=declared,
        charts=charts,
        origin=origin,
    )
