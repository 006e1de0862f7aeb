"""What the walks of a run cost: in model calls, requests, tool calls or handoffs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from math import inf
from typing import TypeAlias

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.flow import Flow, Place, is_handoff
from agentgraph_compiler.analysis.longest import FREE, Price
from agentgraph_compiler.analysis.walks import Prices, Walk
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import USUAL_TURNS, Agent, Chart, Enabled, Tool
from agentgraph_compiler.ir.steps import Branches
from agentgraph_compiler.machine import (
    Event,
    Guard,
    GuardKind,
    Invoke,
    State,
    StateKind,
    Transition,
    WorkKind,
)

Apart: TypeAlias = Mapping[tuple[str, Origin], Chart]
"""The charts of the agents that the code of tools and guardrails runs, by name and origin."""
_SAYS_NOTHING = frozenset({GuardKind.OTHERWISE, GuardKind.SPENT})
_MOST_NAMES = 1_000
_REFUSING = frozenset({WorkKind.HOLD, WorkKind.SCREEN})


class Quantity(StrEnum):
    """What a bound counts. ``REQUESTS`` are model calls with their repetitions after a failure."""

    MODEL_CALLS = "model calls"
    REQUESTS = "requests"
    TOOL_CALLS = "tool calls"
    HANDOFFS = "handoffs"


@dataclass(frozen=True)
class Run:
    """A run, or one inside it.

    Args:
        analysis: The analysis of the workflow to which its chart belongs.
        chart: Its chart.
        root: The place in which it begins.
        turns: Its most turns.
    """

    analysis: Analysis
    chart: Chart
    root: int
    turns: int | None

    @property
    def flow(self) -> Flow:
        """The flow of its chart, with the handler of used-up turns if the run has one."""
        return self.analysis.flow_to_handlers(self.chart)

    @property
    def key(self) -> tuple[int, int, int | None]:
        """What distinguishes it from other runs."""
        return id(self.chart), self.root, self.turns


@dataclass(frozen=True)
class Whole:
    """A workflow with the agents that its code runs."""

    analysis: Analysis
    apart: Apart

    @cached_property
    def _runs_apart(self) -> dict[tuple[str, Origin], Run]:
        runs = {}
        for key, chart in self.apart.items():
            analysis = Analysis(chart)
            root = analysis.flow(chart).roots[0]
            runs[key] = Run(analysis, chart, root, USUAL_TURNS)
        return runs

    def of_tool(self, run: Run, tool: Tool) -> Run:
        """The run of an agent tool, or of a handoff that returns, which has one turn less than the
        run around it."""
        chart = run.analysis.chart.subchart[tool.machine]
        turns: int | None = tool.turns
        if tool.handoff:
            turns = None if run.turns is None else max(0, run.turns - 1)
        return Run(run.analysis, chart, run.analysis.flow(chart).roots[0], turns)

    def of_branch(self, run: Run, lane: Invoke) -> Run:
        """The run of an agent or a workflow in a branch."""
        chart = run.analysis.chart.subchart[lane.machine]
        return Run(run.analysis, chart, run.analysis.flow(chart).roots[0], run.turns)

    def of_code(self, agent: Agent, symbol: str) -> Iterator[tuple[Run | None, bool]]:
        """The runs that the code of a tool or guardrail starts, each with whether it is certain;
        ``None`` for one that was not seen."""
        for inner in agent.inner:
            if inner.symbol == symbol:
                yield self._runs_apart.get((inner.name, inner.origin)), inner.certain


Inner: TypeAlias = Callable[[Run], Walk | None]


class _Prices(Prices):
    """What both ends of a bound have in common.

    Args:
        whole: The workflow.
        run: The run.
        quantity: What counts.
        inner: The walk of a run inside it.
    """

    def __init__(self, whole: Whole, run: Run, quantity: Quantity, inner: Inner) -> None:
        self.whole, self.run, self.quantity, self.inner = whole, run, quantity, inner

    def agent_of(self, place: Place) -> Agent:
        return self.run.chart.agent[place.state.agent]

    def model(self, agent: Agent, lane: Invoke) -> Price:
        """The price of a model call, at the least."""
        counts = self.quantity in (Quantity.MODEL_CALLS, Quantity.REQUESTS)
        return Price(int(counts), (agent.name,))

    def inside(self, agent: Agent, lane: Invoke) -> Price:
        """The price of the runs inside a lane."""
        raise NotImplementedError

    def entering(self, place: Place) -> Price:
        prices = [
            self.model(self.agent_of(place), lane)
            if lane.turn
            else self.inside(self.agent_of(place), lane)
            for lane in place.state.invokes
            if place.state.agent
        ]
        return _sum(*prices) if prices else FREE

    def happens(self, place: Place, row: Transition) -> bool:
        """Whether a run of models that reply as they should can take a row."""
        if self.fails(row):
            return True
        if row.cause:
            return False  # a handler answers for a faulty reply
        says_nothing = row.event is Event.REPLIED and row.guard.kind in _SAYS_NOTHING
        return not says_nothing or _may_say_nothing(self.agent_of(place))

    def fails(self, row: Transition) -> bool:
        """Whether a row is that of a failure for which a step may have an edge."""
        return self.run.chart.state[row.target].kind is StateKind.FAILING

    def handoff(self, place: Place, row: Transition) -> Price:
        """The price of arriving at an agent."""
        counts = self.quantity is Quantity.HANDOFFS and is_handoff(row)
        return Price(1) if counts else FREE

    def call(self, agent: Agent, lane: Invoke) -> Price:
        """The price of one call of a tool."""
        handoff = lane.machine and tool_of(agent, lane).handoff
        counted = Quantity.HANDOFFS if handoff else Quantity.TOOL_CALLS
        one = Price(int(self.quantity is counted))
        return _sum(one, self.inside(agent, lane))

    def branches(self, place: Place) -> tuple[Branches, list[Price]]:
        """The branches that begin in a place, with the price of each."""
        step = self.run.chart.step[place.state.id.removesuffix(f".{StateKind.BRANCHING}")]
        assert step.branches is not None  # it has such a state
        runs = (
            self.inner(self.whole.of_branch(self.run, lane)) if lane.machine else FREE
            for lane in place.state.offers
        )
        return step.branches, [one if isinstance(one, Price) else _price(one) for one in runs]

    def lanes(self, place: Place, row: Transition) -> list[Invoke]:
        """The calls of which each alone can lead to a row."""
        tools = {tool.symbol: tool for tool in self.agent_of(place).tools}
        return [
            lane
            for lane in self.run.flow.lanes_of(place)
            if _can_lead(tools.get(lane.symbol), lane, place.state, row)
        ]


class Least(_Prices):
    """The prices of the cheapest walk."""

    def taking(self, place: Place, row: Transition) -> Price | None:
        if self.fails(row) or not self.happens(place, row):
            return None
        price = self.handoff(place, row)
        if not place.state.offers:
            return price
        if place.state.kind is StateKind.BRANCHING:
            branches, prices = self.branches(place)
            return _sum(*sorted(prices, key=_amount)[: branches.needs or None])
        if row.guard.kind is GuardKind.REQUESTS:
            return None  # a handoff alone costs less
        agent = self.agent_of(place)
        calls = [self.call(agent, lane) for lane in self.lanes(place, row)]
        return _sum(price, min(calls, key=_amount)) if calls else None

    def inside(self, agent: Agent, lane: Invoke) -> Price:
        runs = [
            self.inner(run)
            for run, certain in self.whole.of_code(agent, lane.symbol)
            if run is not None and certain
        ]
        # A call that a person or a guardrail refuses starts no run, and the run goes on.
        if any(phase.kind in _REFUSING for phase in lane.phases):
            return FREE
        if lane.machine:
            runs.append(self.inner(self.whole.of_tool(self.run, tool_of(agent, lane))))
        return _sum(*map(_price, runs))


class Most(_Prices):
    """The prices of the dearest walk."""

    def model(self, agent: Agent, lane: Invoke) -> Price:
        price = super().model(agent, lane)
        if self.quantity is not Quantity.REQUESTS:
            return price
        return Price(price.amount * (1 + lane.tries), price.path)

    def taking(self, place: Place, row: Transition) -> Price | None:
        if not self.happens(place, row):
            return None
        state, price = place.state, self.handoff(place, row)
        if not state.offers:
            return price
        if state.kind is StateKind.BRANCHING:
            branches, prices = self.branches(place)
            return _times(_sum(*prices), branches.most or 1)
        agent = self.agent_of(place)
        with_handoff = row.guard.kind is GuardKind.REQUESTS
        if agent.single_call:
            lanes = [] if with_handoff else self.lanes(place, row)
            calls = [self.call(agent, lane) for lane in lanes]
            return _sum(price, max(calls, key=_amount)) if calls else None
        if with_handoff or row.guard.kind is GuardKind.STOPS:
            # Beside the call that stops, or the handoff, the reply may hold any others.
            lanes = list(self.run.flow.lanes_of(place))
        else:
            lanes = self.lanes(place, row)
        for lane in lanes:
            if self.call(agent, lane).amount > 0:
                tool = tool_of(agent, lane)
                called = f"tools of '{tool.name}'" if tool.server else f"'{tool.name}'"
                return Price(inf, (), f"a reply may call {called} any number of times")
        return price

    def inside(self, agent: Agent, lane: Invoke) -> Price:
        runs = [
            self.inner(run) for run, _ in self.whole.of_code(agent, lane.symbol) if run is not None
        ]
        if lane.machine:
            runs.append(self.inner(self.whole.of_tool(self.run, tool_of(agent, lane))))
        return _sum(*map(_price, runs))


def _price(walk: Walk | None) -> Price:
    """The price of a run inside; a run that cannot succeed has none."""
    if walk is None:
        return Price(inf)
    return Price(walk.amount, walk.path, walk.why if walk.amount == inf else "")


def _sum(*prices: Price) -> Price:
    path = tuple(name for price in prices for name in price.path)
    why = next((price.why for price in prices if price.why), "")
    return Price(sum(price.amount for price in prices), path, why)


def _times(price: Price, count: int) -> Price:
    return Price(price.amount * count, (price.path * count)[:_MOST_NAMES], price.why)


def _amount(price: Price) -> float:
    return price.amount


def tool_of(agent: Agent, lane: Invoke) -> Tool:
    """The tool of a lane."""
    return next(tool for tool in agent.tools if tool.symbol == lane.symbol)


def _may_say_nothing(agent: Agent) -> bool:
    """Whether a reply may neither answer nor call: it may hold what ran at the model's side."""
    return agent.choice.hosted or any(
        tool.kind is None and tool.enabled is not Enabled.NEVER for tool in agent.tools
    )


def _can_lead(tool: Tool | None, lane: Invoke, state: State, row: Transition) -> bool:
    """Whether a run can take a row of a state after one call."""
    stops = partial(_stops, tool, lane)
    if row.guard.kind is GuardKind.STOPS:
        return stops(row.guard) is not False
    guards = (one.guard for one in state.transitions if one.guard.kind is GuardKind.STOPS)
    return not any(stops(guard) for guard in guards)


def _stops(tool: Tool | None, lane: Invoke, guard: Guard) -> bool | None:
    """Whether a guard holds after one call; ``None`` if only the run knows."""
    if not lane.stops:
        return False
    if not guard.names:
        return True
    if tool is not None and tool.server:
        return None
    return tool is not None and tool.name in guard.names
