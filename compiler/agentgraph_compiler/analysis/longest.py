"""The dearest walk through a graph of priced steps, by the number of turns that are left.

In a workflow with edges turns count anew in each visit of a step. So each visit is a search of its
own, and the price of a step into another visit includes the dearest walk from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from agentgraph_compiler.analysis.knots import knots

_MOST_WORK, _FEWEST_ROUNDS = 500_000, 20
"""The most rows times turns of a search for the dearest walk, and its turns whatever the rows."""
_MOST_NAMES = 1_000
_CUT = "…"
_NO_LIMIT = "nothing limits the turns of the run"
NO_BACK_EDGE = "nothing limits how often a run comes back to a step"


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


@dataclass(frozen=True, slots=True)
class Step:
    """A row with its price, that of entering its target included. ``turn`` is for one that begins a
    turn, ``spent`` for one to the handler that answers if there is none left, ``visit`` for one
    with which turns count anew."""

    taking: Price
    entering: Price
    to: int
    turn: bool
    spent: bool
    visit: bool = False

    @property
    def amount(self) -> float:
        return self.taking.amount + self.entering.amount


@dataclass(frozen=True, slots=True)
class Dearest:
    """The dearest walk from a node.

    Args:
        amount: What it costs; ``inf`` if nothing bounds it.
        taken: The prices on the way.
        why: Why it has no bound.
        limited: Whether more turns would make it dearer.
        exact: Whether the amount is not only a bound of the true one.
    """

    amount: float
    taken: tuple[Price, ...] = ()
    why: str = ""
    limited: bool = False
    exact: bool = True


class Longest:
    """The dearest walk from node 0 of a graph within one visit.

    Args:
        steps: The steps from each node.
    """

    def __init__(self, steps: Sequence[Sequence[Step]]) -> None:
        self._steps = steps

    def dearest(self, turns: int | None) -> Dearest:
        """The walk.

        Args:
            turns: The turns that are left; ``None`` for no limit.
        """
        if turns is None and self._may_circle:
            return Dearest(inf, why=_NO_LIMIT)
        values, choices, changes = self._values(turns)
        amount, taken = values[-1][0], tuple(self._taken(choices))
        if amount == inf:
            why = next(price.why for price in taken if price.amount == inf)
            return Dearest(inf, taken, why)
        limited = turns is not None and changes
        exact = True
        if turns is not None and changes and len(values) <= turns:
            amount += (turns + 1 - len(values)) * self._dearest_turn(values[0])
            exact = False
        return Dearest(
            amount=amount,
            taken=taken,
            limited=limited or any(price.why for price in taken),
            exact=exact,
        )

    def _values(self, turns: int | None) -> tuple[list[list[float]], list[list[int]], bool]:
        """The price of the dearest walk from each node with 0, 1, … turns left, and the steps with
        which these walks begin.

        Returns:
            The prices, the steps, and whether a further turn would raise the price of the root.
        """
        order, size = self._order, sum(map(len, self._steps)) or 1
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
            for number, step in enumerate(self._steps[node]):
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
            step = self._steps[node][number]
            yield step.taking
            if step.turn and left == 0:
                return
            yield step.entering
            node, left = step.to, left - step.turn

    def _dearest_turn(self, value: Sequence[float]) -> float:
        steps = (step for steps in self._steps for step in steps if step.turn)
        return max((step.amount + value[step.to] for step in steps), default=0)

    @cached_property
    def _order(self) -> list[int]:
        """The nodes, each after those to which rows lead without a new turn."""
        inside = [[step.to for step in steps if not step.turn] for steps in self._steps]
        knot_of = knots(inside)
        return sorted(range(len(inside)), key=knot_of.__getitem__)

    @cached_property
    def _may_circle(self) -> bool:
        """Whether a walk can go in a circle that costs something."""
        knot_of = knots([[step.to for step in steps] for steps in self._steps])
        return any(
            step.amount > 0 and knot_of[node] == knot_of[step.to]
            for node, steps in enumerate(self._steps)
            for step in steps
        )


def visit_prices(steps: Sequence[Sequence[Step]], turns: int | None) -> dict[int, Dearest]:
    """The dearest walk from each node with which a visit begins, except the first.

    Args:
        steps: The steps from each node of the whole graph.
        turns: The most turns of a visit; ``None`` for no limit.
    """
    entries = list(dict.fromkeys(step.to for row in steps for step in row if step.visit))
    if not entries:
        return {}
    knot_of = knots([[step.to for step in row] for row in steps])
    inside = [
        (knot_of[node], step)
        for node, row in enumerate(steps)
        for step in row
        if knot_of[node] == knot_of[step.to]
    ]
    endless = {knot for knot, step in inside if step.visit}
    endless &= {knot for knot, step in inside if step.amount > 0}
    begun = {step.to: int(step.turn) for row in steps for step in row if step.visit}
    knotted: dict[int, list[int]] = {}
    for entry in entries:
        knotted.setdefault(knot_of[entry], []).append(entry)
    onward: dict[int, Dearest] = {}
    for knot in sorted(knotted):
        visits = [
            _visit(steps, entry, onward, None if turns is None else turns - begun[entry])
            for entry in knotted[knot]
        ]
        # Ways inside a knot cost nothing here, so each of its visits is worth as much as the best.
        best = max(visits, key=lambda one: one.amount)
        if knot in endless:
            best = Dearest(inf, why=NO_BACK_EDGE)
        onward |= dict.fromkeys(knotted[knot], best)
    return onward


def _visit(
    steps: Sequence[Sequence[Step]], entry: int, onward: Mapping[int, Dearest], turns: int | None
) -> Dearest:
    if turns is not None and turns < 0:
        return Dearest(0, limited=True)
    return Longest(within_visit(steps, entry, onward)).dearest(turns)


def within_visit(
    steps: Sequence[Sequence[Step]], entry: int, onward: Mapping[int, Dearest]
) -> list[list[Step]]:
    """The steps of one visit, from node 0; the price of a step into another visit includes what
    follows.

    Args:
        steps: The steps from each node of the whole graph.
        entry: The node with which the visit begins.
        onward: The dearest walks from where other visits begin; a visit that is missing is free.
    """
    place, order = {entry: 0}, [entry]
    for node in order:
        for step in steps[node]:
            if not step.visit and step.to not in place:
                place[step.to] = len(order)
                order.append(step.to)
    over = len(order)  # stands for every other visit
    local: list[list[Step]] = [
        [
            _leap(step, onward.get(step.to), over)
            if step.visit
            else replace(step, to=place[step.to])
            for step in steps[node]
        ]
        for node in order
    ]
    return [*local, []]


def _leap(step: Step, rest: Dearest | None, over: int) -> Step:
    if rest is None:
        return replace(step, to=over, turn=False)
    path = path_of(step.entering, rest.taken)
    why = rest.why or ("max_turns" if rest.limited else "")
    return replace(
        step, entering=Price(step.entering.amount + rest.amount, path, why), to=over, turn=False
    )


def path_of(first: Price, prices: Iterable[Price]) -> tuple[str, ...]:
    """The agents of the model calls of a walk; a long path is cut."""
    path = list(first.path)
    for price in prices:
        path += price.path
        if len(path) > _MOST_NAMES:
            return (*path[:_MOST_NAMES], _CUT)
    return tuple(path)
