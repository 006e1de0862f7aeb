"""The cheapest walk through a flow to a final output, and the dearest of all walks.

A node is a place together with the agents that have acted by then, so a walk never enters an agent
as if it had acted before it has. Turns bound a walk: it enters at most so many states that begin
one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import inf
from types import MappingProxyType
from typing import Protocol, TypeAlias

from agentgraph_compiler.analysis.flow import Flow, Place, acts
from agentgraph_compiler.analysis.longest import (
    NO_BACK_EDGE,
    Longest,
    Price,
    Step,
    path_of,
    visit_prices,
    within_visit,
)
from agentgraph_compiler.machine import GuardKind, StateKind, Transition

MOST_NODES = 20_000
"""The most nodes, beyond one for each place, of a graph that tells apart which agents have
acted."""
_MANY_ROUNDS = "a run may come back to a step more often than the search tells apart"
_MOST_TURNS = 100
"""The most turns with which the search for the cheapest walk to a handler of used-up turns tells
apart how many were taken."""
_SHOWN = 12
"""The most parts of a path in words."""


_Node: TypeAlias = tuple[int, frozenset[str], frozenset[tuple[str, int]]]
"""A place, the agents that have acted, and how often limited edges were taken."""


class Prices(Protocol):
    """What walks through a flow cost."""

    def entering(self, place: Place) -> Price:
        """The price of the work that starts in a place by itself."""
        ...

    def taking(self, place: Place, row: Transition) -> Price | None:
        """The price of the calls and the handoff with which a run takes a row; ``None`` if this
        search leaves the row out."""
        ...


@dataclass(frozen=True, slots=True)
class Walk:
    """The cheapest or the dearest walk.

    Args:
        amount: What it costs.
        path: The agents of its model calls; a long path ends with ``…``.
        why: What bounds it, or why nothing does; empty if no walk goes on any longer.
        exact: Whether the amount is not only a bound of the true one.
        visits: The same path by visits of steps; only of the cheapest walk.
    """

    amount: float
    path: tuple[str, ...]
    why: str = ""
    exact: bool = True
    visits: tuple[tuple[str, ...], ...] = ()


class Walks:
    """The walks through a flow from one of its roots, with their prices.

    Args:
        flow: The flow.
        root: The place in which they begin.
        prices: What they cost.
        most: The most nodes beyond one for each place; if there are more, the nodes are the places
            of the flow, and amounts are bounds.
        limits: How often a run takes limited edges, in place of what they say.
        goal: A limited edge and a number of rounds: the cheapest walk is one to the end of so many
            rounds, rather than to a final output.
    """

    def __init__(
        self,
        flow: Flow,
        root: int,
        prices: Prices,
        most: int = MOST_NODES,
        *,
        limits: Mapping[str, float] = MappingProxyType({}),
        goal: tuple[str, int] | None = None,
    ) -> None:
        self._flow, self._root, self._prices, self._most = flow, root, prices, most
        self._limits, self._goal = limits, goal
        self._entering: dict[int, Price] = {}
        self._taking: dict[tuple[int, int], Price | None] = {}
        self._begin(exact=True)

    def _begin(self, *, exact: bool) -> None:
        self.exact = exact
        start: _Node = self._root, frozenset(), frozenset()
        self._nodes: list[_Node] = [start]
        self._index: dict[_Node, int] = {start: 0}
        self._expanded: dict[int, list[Step]] = {}

    def cheapest(self, turns: int | None = None) -> Walk | None:
        """The cheapest walk to a final output; ``None`` if no walk gets to one.

        Args:
            turns: The most turns; ``None`` for no limit.
        """
        walk = self._cheapest(turns)
        if self._is_too_large:
            self._begin(exact=False)
            walk = self._cheapest(turns)
        return walk

    def _cheapest(self, turns: int | None) -> Walk | None:
        first, begun = self._first()
        tells_turns_apart = self._flow.handled and (turns or 0) <= _MOST_TURNS
        exact = self.exact and tells_turns_apart is self._flow.handled
        labels: list[tuple[int, int, Step | None]] = [(0, -1, None)]
        waiting = [(first.amount, begun, 0)]
        fewest: dict[object, float] = {}
        while waiting and not self._is_too_large:
            amount, taken, label = heapq.heappop(waiting)
            node = labels[label][0]
            if amount == inf or (turns is not None and taken > turns):
                continue
            # Amounts only rise, so a later label of a node counts only if it has turns left, or if
            # it may lead to the handler of used-up turns.
            key = (node, taken) if tells_turns_apart else node
            if taken >= fewest.get(key, inf):
                continue
            fewest[key] = taken if turns is not None else 0
            if self._is_end(node):
                return _walk_along(amount, first, _way(labels, label), exact=exact)
            for step in self._steps(node):
                if step.spent and taken != turns:
                    continue
                labels.append((step.to, label, step))
                begun = 0 if step.visit else taken
                entry = amount + step.amount, begun + step.turn, len(labels) - 1
                heapq.heappush(waiting, entry)
        return None

    def _is_end(self, node: int) -> bool:
        """Whether the cheapest walk ends in a node."""
        if self._goal is None:
            return self._place(node).state.kind is StateKind.DONE
        edge, rounds = self._goal
        place, (_, _, taken) = self._place(node), self._nodes[node]
        counts = any(one.counts == edge for one in place.state.transitions)
        return counts and dict(taken).get(edge, 0) == rounds

    def dearest(self, turns: int | None = None) -> Walk:
        """The dearest walk, wherever it ends.

        Args:
            turns: The most turns; ``None`` for no limit.
        """
        first, begun = self._first()
        if turns is not None and begun > turns:
            return Walk(0, (), "max_turns=0")
        self._explore()
        onward = visit_prices(self._all, turns)
        longest = Longest(within_visit(self._all, 0, onward))
        dearest = longest.dearest(None if turns is None else turns - begun)
        exact = self.exact and dearest.exact and all(one.exact for one in onward.values())
        amount, why = first.amount + dearest.amount, dearest.why or first.why
        if why == NO_BACK_EDGE and not self.exact:
            why = _MANY_ROUNDS
        if amount != inf and dearest.limited:
            visits = " in each visit of a step" if onward else ""
            why = f"max_turns={turns}{visits}"
        return Walk(amount, path_of(first, dearest.taken), why, exact)

    def places(self) -> set[int] | None:
        """The places of all walks; ``None`` if there are too many nodes."""
        self._explore()
        return {number for number, _, _ in self._nodes} if self.exact else None

    @cached_property
    def _all(self) -> list[list[Step]]:
        """The steps from each node."""
        return [self._expanded[node] for node in range(len(self._nodes))]

    def _explore(self) -> None:
        """Find every node."""
        node = 0
        while node < len(self._nodes):
            self._steps(node)
            node += 1
            if self._is_too_large:
                self._begin(exact=False)
                node = 0

    @property
    def _is_too_large(self) -> bool:
        return self.exact and len(self._nodes) > self._most + len(self._flow.places)

    def _steps(self, node: int) -> list[Step]:
        steps = self._expanded.get(node)
        if steps is None:
            onward = self._onward(node) if self.exact else self._flowing(node)
            steps = self._expanded[node] = [
                step for row, target in onward for step in self._step(node, row, target)
            ]
        return steps

    def _onward(self, node: int) -> Iterator[tuple[Transition, _Node]]:
        """The rows from a node, with the agents that have acted by then."""
        flow, (number, acted, taken) = self._flow, self._nodes[node]
        place, seen = flow.places[number], set[int]()
        agent = place.state.agent
        for row, to in flow.rows[number]:
            if id(row) in seen or not row.target or not self._has_rounds(place, row, dict(taken)):
                continue
            seen.add(id(row))
            after = acted
            if agent in flow.modal and acts(place, row):
                after = acted | {agent}
            if row.visits:
                after = frozenset()
            has_acted = flow.places[to].state.agent in after
            yield row, (flow.at(row.target, acted=has_acted), after, self._rounds(row, taken))

    def _has_rounds(self, place: Place, row: Transition, taken: dict[str, int]) -> bool:
        """Whether the rounds that are left let a run take a row."""
        guards = [one.guard.names for one in place.state.transitions if _is_limited(one)]
        left = any(
            taken.get(edge, 0) < self._limits.get(edge, int(limit)) for edge, limit in guards
        )
        return not guards or left is _is_limited(row)

    def _rounds(
        self, row: Transition, taken: frozenset[tuple[str, int]]
    ) -> frozenset[tuple[str, int]]:
        """How often limited edges were taken after a row."""
        if not row.counts and not row.resets:
            return taken
        rounds = {edge: times for edge, times in taken if edge not in row.resets}
        if row.counts and self._limits.get(row.counts) != inf:
            rounds[row.counts] = rounds.get(row.counts, 0) + 1
        return frozenset(rounds.items())

    def _flowing(self, node: int) -> Iterator[tuple[Transition, _Node]]:
        """The rows of the flow itself from a node."""
        number, acted, taken = self._nodes[node]
        return ((row, (to, acted, taken)) for row, to in self._flow.rows[number] if row.target)

    def _step(self, node: int, row: Transition, target: _Node) -> Iterator[Step]:
        number = self._nodes[node][0]
        key = number, id(row)
        if key not in self._taking:
            self._taking[key] = self._prices.taking(self._flow.places[number], row)
        taking = self._taking[key]
        if taking is not None:
            to = self._index.setdefault(target, len(self._nodes))
            if to == len(self._nodes):
                self._nodes.append(target)
            turn = self._flow.places[target[0]].state.turns
            spent = row.guard.kind is GuardKind.SPENT
            entering = self._enter(target[0])
            yield Step(
                taking=taking,
                entering=entering,
                to=to,
                turn=turn,
                spent=spent,
                visit=row.visits,
            )

    def _first(self) -> tuple[Price, int]:
        """The price of the first place, and the turns that it begins."""
        return self._enter(self._root), int(self._flow.places[self._root].state.turns)

    def _enter(self, number: int) -> Price:
        if number not in self._entering:
            self._entering[number] = self._prices.entering(self._flow.places[number])
        return self._entering[number]

    def _place(self, node: int) -> Place:
        return self._flow.places[self._nodes[node][0]]


def in_words(path: Sequence[str]) -> str:
    """The agents of model calls in words, as ``A ×3 → B``; a long path ends with ``…``."""
    groups = [(name, sum(1 for _ in group)) for name, group in groupby(path)]
    words = [name if count == 1 else f"{name} ×{count}" for name, count in groups]
    return " → ".join([*words[:_SHOWN], *(["…"] if len(words) > _SHOWN else [])])


def _way(labels: Sequence[tuple[int, int, Step | None]], label: int) -> list[Step]:
    steps: list[Step] = []
    while label >= 0:
        _, label, step = labels[label]
        steps += [] if step is None else [step]
    return steps[::-1]


def _walk_along(amount: float, first: Price, steps: Sequence[Step], *, exact: bool) -> Walk:
    visits = [first.path]
    for step in steps:
        visits[-1] += step.taking.path
        if step.visit:
            visits.append(())
        visits[-1] += step.entering.path
    prices = [price for step in steps for price in (step.taking, step.entering)]
    return Walk(amount, path_of(first, prices), exact=exact, visits=tuple(visits))


def _is_limited(row: Transition) -> bool:
    return row.guard.kind is GuardKind.ROUNDS
