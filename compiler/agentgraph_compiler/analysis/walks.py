"""The cheapest walk through a flow to a final output, and the dearest of all walks.

A node is a place together with the agents that have acted by then, so a walk never enters an agent
as if it had acted before it has. Turns bound a walk: it enters at most so many states that begin
one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import inf
from typing import Protocol, TypeAlias

from agentgraph_compiler.analysis.flow import Flow, Place, acts
from agentgraph_compiler.analysis.knots import knots
from agentgraph_compiler.machine import GuardKind, StateKind, Transition

MOST_NODES = 20_000
"""The most nodes, beyond one for each place, of a graph that tells apart which agents have
acted."""
_MOST_WORK, _FEWEST_ROUNDS = 500_000, 20
"""The most rows times turns of a search for the dearest walk, and its turns whatever the rows."""
_MOST_TURNS = 100
"""The most turns with which the search for the cheapest walk to a handler of used-up turns tells
apart how many were taken."""
_MOST_NAMES = 1_000
_CUT = "…"
_SHOWN = 12
"""The most parts of a path in words."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a part of a walk costs.

    Args:
        amount: The amount; ``inf`` if nothing bounds it.
        path: The agents of the model calls in it, in order, one name for each call.
        why: Why it has no bound.
    """

    amount: float = 0
    path: tuple[str, ...] = ()
    why: str = ""


FREE = Price()
_Node: TypeAlias = tuple[int, frozenset[str]]
"""A place, and the agents that have acted."""


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
    """

    amount: float
    path: tuple[str, ...]
    why: str = ""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Step:
    """A row with its price, that of entering its target included. ``turn`` is for one that begins a
    turn, ``spent`` for one to the handler that answers if there is none left."""

    taking: Price
    entering: Price
    to: int
    turn: bool
    spent: bool

    @property
    def amount(self) -> float:
        return self.taking.amount + self.entering.amount


class Walks:
    """The walks through a flow from one of its roots, with their prices.

    Args:
        flow: The flow.
        root: The place in which they begin.
        prices: What they cost.
        most: The most nodes beyond one for each place; if there are more, the nodes are the places
            of the flow, and amounts are bounds.
    """

    def __init__(self, flow: Flow, root: int, prices: Prices, most: int = MOST_NODES) -> None:
        self._flow, self._root, self._prices, self._most = flow, root, prices, most
        self._entering: dict[int, Price] = {}
        self._taking: dict[tuple[int, int], Price | None] = {}
        self._begin(exact=True)

    def _begin(self, *, exact: bool) -> None:
        self.exact = exact
        start = self._root, frozenset[str]()
        self._nodes: list[_Node] = [start]
        self._index: dict[_Node, int] = {start: 0}
        self._expanded: dict[int, list[_Step]] = {}

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
        labels: list[tuple[int, int, _Step | None]] = [(0, -1, None)]
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
            if self._place(node).state.kind is StateKind.DONE:
                return Walk(amount, _path(first, _way(labels, label)), exact=exact)
            for step in self._steps(node):
                if step.spent and taken != turns:
                    continue
                labels.append((step.to, label, step))
                entry = amount + step.amount, taken + step.turn, len(labels) - 1
                heapq.heappush(waiting, entry)
        return None

    def dearest(self, turns: int | None = None) -> Walk:
        """The dearest walk, wherever it ends.

        Args:
            turns: The most turns; ``None`` for no limit.
        """
        first, begun = self._first()
        if turns is not None and begun > turns:
            return Walk(0, (), "max_turns=0")
        self._explore()
        if turns is None and self._may_circle:
            return Walk(inf, (), "nothing limits the turns of the run", self.exact)
        left = None if turns is None else turns - begun
        values, choices, changes = self._values(left)
        amount, why = values[-1][0], first.why
        if amount == inf:
            why = next(step.why for step in self._infinite(choices))
        elif left is not None and changes and not why:
            why = f"max_turns={turns}"
        exact = self.exact
        if left is not None and changes and len(values) <= left:
            amount += (left + 1 - len(values)) * self._dearest_turn(values[0])
            exact = False
        path = _path(first, self._taken(choices))
        return Walk(first.amount + amount, path, why, exact)

    def _values(self, turns: int | None) -> tuple[list[list[float]], list[list[int]], bool]:
        """The price of the dearest walk from each node with 0, 1, … turns left, and the steps with
        which these walks begin.

        Returns:
            The prices, the steps, and whether a further turn would raise the price of the root.
        """
        order, size = self._order, sum(map(len, self._all)) or 1
        rounds = max(_FEWEST_ROUNDS, _MOST_WORK // size)
        values: list[list[float]] = []
        choices: list[list[int]] = []
        while True:
            before = values[-1] if values else None
            value, choice = self._value(order, before)
            if value == before:
                return values, choices, False
            enough = turns is not None and len(values) > min(turns, rounds)
            if enough and before is not None:
                return values, choices, value[0] > before[0]
            values.append(value)
            choices.append(choice)

    def _value(
        self, order: Sequence[int], before: Sequence[float] | None
    ) -> tuple[list[float], list[int]]:
        value, choice = [0.0] * len(order), [-1] * len(order)
        for node in order:
            best = 0.0
            for number, step in enumerate(self._all[node]):
                if step.spent and before is not None:
                    continue  # there are turns left
                if not step.turn:
                    amount = step.amount + value[step.to]
                elif before is None:  # the run ends here, but its calls have happened
                    amount = step.taking.amount
                else:
                    amount = step.amount + before[step.to]
                if amount > best:
                    best, choice[node] = amount, number
            value[node] = best
        return value, choice

    def _taken(self, choices: Sequence[Sequence[int]]) -> Iterator[Price]:
        node, left = 0, len(choices) - 1
        while (number := choices[left][node]) >= 0:
            step = self._all[node][number]
            yield step.taking
            if step.turn and left == 0:
                return
            yield step.entering
            node, left = step.to, left - step.turn

    def _infinite(self, choices: Sequence[Sequence[int]]) -> Iterator[Price]:
        return (price for price in self._taken(choices) if price.amount == inf)

    def _dearest_turn(self, value: Sequence[float]) -> float:
        steps = (step for steps in self._all for step in steps if step.turn)
        return max((step.amount + value[step.to] for step in steps), default=0)

    @cached_property
    def _order(self) -> list[int]:
        """The nodes, each after those to which rows lead without a new turn."""
        inside = [[step.to for step in steps if not step.turn] for steps in self._all]
        knot_of = knots(inside)
        return sorted(range(len(inside)), key=knot_of.__getitem__)

    @cached_property
    def _may_circle(self) -> bool:
        """Whether a walk can go in a circle that costs something."""
        knot_of = knots([[step.to for step in steps] for steps in self._all])
        return any(
            step.amount > 0 and knot_of[node] == knot_of[step.to]
            for node, steps in enumerate(self._all)
            for step in steps
        )

    @cached_property
    def _all(self) -> list[list[_Step]]:
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

    def _steps(self, node: int) -> list[_Step]:
        steps = self._expanded.get(node)
        if steps is None:
            onward = self._onward(node) if self.exact else self._flowing(node)
            steps = self._expanded[node] = [
                step for row, target in onward for step in self._step(node, row, target)
            ]
        return steps

    def _onward(self, node: int) -> Iterator[tuple[Transition, _Node]]:
        """The rows from a node, with the agents that have acted by then."""
        flow, (number, acted) = self._flow, self._nodes[node]
        place, seen = flow.places[number], set[int]()
        agent = place.state.agent
        for row, to in flow.rows[number]:
            if id(row) in seen or not row.target:
                continue
            seen.add(id(row))
            after = acted
            if agent in flow.modal and acts(place, row):
                after = acted | {agent}
            has_acted = flow.places[to].state.agent in after
            yield row, (flow.at(row.target, acted=has_acted), after)

    def _flowing(self, node: int) -> Iterator[tuple[Transition, _Node]]:
        """The rows of the flow itself from a node."""
        number, acted = self._nodes[node]
        return ((row, (to, acted)) for row, to in self._flow.rows[number] if row.target)

    def _step(self, node: int, row: Transition, target: _Node) -> Iterator[_Step]:
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
            yield _Step(taking, self._enter(target[0]), to, turn=turn, spent=spent)

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


def _way(labels: Sequence[tuple[int, int, _Step | None]], label: int) -> Iterator[Price]:
    steps: list[_Step] = []
    while label >= 0:
        _, label, step = labels[label]
        steps += [] if step is None else [step]
    for step in reversed(steps):
        yield step.taking
        yield step.entering


def _path(first: Price, prices: Iterator[Price]) -> tuple[str, ...]:
    path = list(first.path)
    for price in prices:
        path += price.path
        if len(path) > _MOST_NAMES:
            return (*path[:_MOST_NAMES], _CUT)
    return tuple(path)
