"""Bounds: the least and the most model calls, tool calls and handoffs of a run.

The least is over the runs that end with a final output, without a failure. The most is over all
runs, those included that use up their turns. Every model obeys its tool choice, and a reply
answers, calls or hands off; only where tools run at the model's side may a reply do none of these.
Calls of tools at the model's side do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.prices import Apart, Least, Most, Quantity, Run, Whole, tool_of
from agentgraph_compiler.analysis.rounds import cheapest, dearest
from agentgraph_compiler.analysis.walks import Walk, Walks, in_words
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import USUAL_TURNS, Agent
from agentgraph_compiler.ir.entries import entry_state

_INEXACT = (
    "the true ends may lie inside: agents that have acted and rounds of loops combine in more ways"
    " than the search tells apart"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """An interval, with the runs that attain its ends.

    Attributes:
        least: The fewest in a run that ends with a final output; ``None`` if no run does.
        most: The most in any run; ``None`` if nothing bounds it.
        why: What sets the most: ``max_turns=10``, or why there is no bound; empty if no run goes on
            any longer.
        least_path: The agents of the model calls of a run with the least, one name for each call.
        most_path: The same of a run with the most; of one that gets to what has no bound.
        exact: Whether runs attain both ends. Otherwise there were too many combinations of agents
            that have acted and rounds of loops, and the interval holds every run without being the
            smallest.
    """

    least: int | None
    most: int | None
    why: str = ""
    least_path: tuple[str, ...] = ()
    most_path: tuple[str, ...] = ()
    exact: bool = True

    def __str__(self) -> str:
        return " to ".join(self.words())

    def words(self) -> tuple[str, str]:
        """Both ends in words."""
        least = "none" if self.least is None else str(self.least)
        return least, "no bound" if self.most is None else str(self.most)


@dataclass(frozen=True, slots=True)
class RunBounds:
    """The bounds of the runs that start with one agent.

    Attributes:
        start: The name of the agent.
        model_calls: Calls of models, those of agent tools included.
        requests: The same, with every repetition after a failure.
        tool_calls: Calls of tools on this side; a call of an agent tool is one, and its run adds
            its own.
        handoffs: Handoffs.
        notes: What the bounds rest on or leave out.
    """

    start: str
    model_calls: Bound
    requests: Bound
    tool_calls: Bound
    handoffs: Bound
    notes: tuple[str, ...] = ()

    def rows(self) -> tuple[tuple[str, Bound], ...]:
        """Each bound with what it counts."""
        bounds = self.model_calls, self.requests, self.tool_calls, self.handoffs
        return tuple(zip(map(str, Quantity), bounds, strict=True))

    def __str__(self) -> str:
        rows = [(f"runs from {self.start}", "least", "most", "")]
        rows += [(f"  {name}", *row.words(), row.why) for name, row in self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{name:{widths[0]}}  {least:>{widths[1]}}  {most:{widths[2]}}  {why}".rstrip()
            for name, least, most, why in rows
        ]
        calls = self.model_calls
        if calls.least_path:
            lines.append(f"  fewest model calls: {in_words(calls.least_path)}")
        if calls.most_path and calls.most_path != calls.least_path:
            lines.append(f"  most model calls: {in_words(calls.most_path)}")
        if not all(row.exact for _, row in self.rows()):
            lines.append(f"  note: {_INEXACT}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def bounds(
    analysis: Analysis,
    *,
    turns: int | None = USUAL_TURNS,
    turns_of: Mapping[str, int | None] | None = None,
    apart: Apart | None = None,
) -> tuple[RunBounds, ...]:
    """The bounds of the runs of a workflow.

    Args:
        analysis: The analysis of the chart.
        turns: The most turns of a run; ``None`` for no limit.
        turns_of: The same by the id of the agent that a run starts with, where it differs.
        apart: The charts of the agents that code runs. A run of any other agent does not count, and
            a note says so.

    Returns:
        One entry for each agent with which a run starts: that of the workflow, the further starts,
        and in a chat that goes on with the last agent each agent that can be last.
    """
    whole = Whole(analysis, apart or {})
    chart = analysis.chart
    flow = analysis.flow(chart)
    roots = dict(zip((chart.start, *chart.starts), flow.roots, strict=True))
    if chart.multi_turn:
        for id in sorted(flow.last_agents):
            roots.setdefault(id, flow.at(entry_state(chart.agent[id])))
    limits = turns_of or {}
    return tuple(_bounds_from(whole, id, root, limits.get(id, turns)) for id, root in roots.items())


def calls_before(analysis: Analysis, edge: str, rounds: int) -> Walk | None:
    """The walk with the fewest model calls on which a limited edge was taken a number of times and
    is chosen once more, without failures; ``None`` if there is none, or the search is too large."""
    whole, chart = Whole(analysis, {}), analysis.chart
    run = Run(analysis, chart, analysis.flow(chart).roots[0], None)
    reckoning = _Reckoning(whole, Quantity.MODEL_CALLS)
    reckoning.least(run)
    prices = Least(whole, run, Quantity.MODEL_CALLS, reckoning.least_of)
    return Walks(run.flow, run.root, prices, goal=(edge, rounds)).cheapest()


def _bounds_from(whole: Whole, start: str, root: int, turns: int | None) -> RunBounds:
    chart = whole.analysis.chart
    run = Run(whole.analysis, chart, root, turns)
    reckonings = {quantity: _Reckoning(whole, quantity) for quantity in Quantity}
    least = {quantity: one.least(run) for quantity, one in reckonings.items()}
    most = {quantity: one.most(run) for quantity, one in reckonings.items()}
    intervals = {
        quantity: _bound(least[quantity], most[quantity], one.exact)
        for quantity, one in reckonings.items()
    }
    requests = intervals[Quantity.REQUESTS]
    tries = 1 + max(agent.tries for agent in _agents_of(whole, run))
    if tries > 1 and requests.most is not None:
        causes = [cause for cause in (requests.why, f"up to {tries} tries of a call") if cause]
        requests = replace(requests, why=", ".join(causes))
    return RunBounds(
        start=chart.agent[start].name,
        model_calls=intervals[Quantity.MODEL_CALLS],
        requests=requests,
        tool_calls=intervals[Quantity.TOOL_CALLS],
        handoffs=intervals[Quantity.HANDOFFS],
        notes=tuple(_notes(whole, run)),
    )


def _bound(least: Walk | None, most: Walk, exact: bool) -> Bound:
    return Bound(
        least=None if least is None else int(least.amount),
        most=None if most.amount == inf else int(most.amount),
        why=most.why,
        least_path=() if least is None else least.path,
        most_path=most.path,
        exact=exact,
    )


class _Reckoning:
    """The bounds of one quantity.

    Args:
        whole: The workflow.
        quantity: What counts.

    Attributes:
        exact: Whether every walk so far was exact.
    """

    def __init__(self, whole: Whole, quantity: Quantity) -> None:
        self.whole, self.quantity = whole, quantity
        self._least: dict[object, Walk | None] = {}
        self._before: dict[object, Walk | None] = {}
        self._most: dict[object, Walk] = {}
        self._first: dict[object, float] = {}
        self._open: set[object] = set()
        self._circular, self.exact = False, True

    def least(self, run: Run) -> Walk | None:
        """The cheapest walk of a run."""
        # A run inside itself never makes it cheaper, so what is open counts as impossible at first;
        # what rests on that is computed again.
        while True:
            self._circular, self._least = False, {}
            walk = self.least_of(run)
            if not self._circular or _amounts(self._least) == _amounts(self._before):
                return walk
            self._before = self._least

    def least_of(self, run: Run) -> Walk | None:
        """The cheapest walk of a run or of one inside it."""
        key = run.key
        if key in self._open:
            self._circular = True
            return self._before.get(key)
        if key not in self._least:
            self._open.add(key)
            prices = Least(self.whole, run, self.quantity, self.least_of)
            walk = self._least[key] = cheapest(run.flow, run.root, prices, run.turns)
            self.exact &= walk is None or walk.exact
            self._open.discard(key)
        return self._least[key]

    def most(self, run: Run) -> Walk:
        """The dearest walk of a run."""
        # What is open costs nothing at first. What costs something even so has no bound if a run of
        # it may start another one; what costs nothing then never does.
        self._circular = False
        walk = self.most_of(run)
        if self._circular:
            self._first, self._most = _amounts(self._most), {}
            walk = self.most_of(run)
        return walk

    def most_of(self, run: Run) -> Walk:
        """The dearest walk of a run or of one inside it."""
        key = run.key
        if key in self._open:
            self._circular = True
            if not self._first.get(key):
                return Walk(0, ())
            name = run.chart.agent[run.chart.start].name
            return Walk(inf, (), f"a run of '{name}' may start another one of '{name}'")
        if key not in self._most:
            self._open.add(key)
            prices = Most(self.whole, run, self.quantity, self.most_of)
            walk = self._most[key] = dearest(run.flow, run.root, prices, run.turns)
            self.exact &= walk.exact
            self._open.discard(key)
        return self._most[key]


def _amounts(walks: Mapping[object, Walk | None]) -> dict[object, float]:
    return {key: inf if walk is None else walk.amount for key, walk in walks.items()}


def _notes(whole: Whole, run: Run) -> Iterator[str]:
    """What the bounds of a run rest on or leave out."""
    agents = _agents_of(whole, run)
    if run.flow.handled:
        yield "a handler of used-up turns gives an output; other error handlers do not count"
    single = [agent.name for agent in agents if agent.single_call]
    if single:
        yield (
            f"the model of {_named(single)} obeys parallel_tool_calls=False: one call in a reply"
        )
    for agent in agents:
        for inner in agent.inner:
            counts = (inner.name, inner.origin) in whole.apart
            runs = f"code of '{agent.name}' runs agent '{inner.name}'"
            yield f"{runs}: {'counted once' if counts else 'not counted'}"


def _agents_of(whole: Whole, run: Run) -> list[Agent]:
    """The agents that a run or one inside it can reach, each once."""
    seen: set[object] = set()
    agents: dict[tuple[str, Origin], Agent] = {}
    waiting = [run]
    while waiting:
        one = waiting.pop()
        if one.key in seen:
            continue
        seen.add(one.key)
        flow = one.flow
        for number in sorted(flow.reached_from([one.root])):
            place = flow.places[number]
            agent = one.chart.agent.get(place.state.agent)
            if agent is None:
                inner = (lane for lane in flow.lanes_of(place) if lane.machine)
                waiting += [whole.of_branch(one, lane) for lane in inner]
                continue
            agents.setdefault((agent.name, agent.origin), agent)
            for lane in flow.lanes_of(place):
                inside = [inner for inner, _ in whole.of_code(agent, lane.symbol)]
                if lane.machine:
                    inside.append(whole.of_tool(one, tool_of(agent, lane)))
                waiting += [inner for inner in inside if inner is not None]
    return list(agents.values())


def _named(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
