"""Walks through loops with more rounds than a search tells apart.

Each further round of a loop costs the same as the one before. So what a walk costs is linear in the
limit of each loop, and a product in those of loops inside each other: a search with two and with
three rounds of each loop says what any number of rounds costs, and one with four confirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, combinations, takewhile
from math import inf, prod
from typing import TypeAlias

from agentgraph_compiler.analysis.flow import Flow, Place
from agentgraph_compiler.analysis.longest import FREE, Price
from agentgraph_compiler.analysis.walks import Prices, Walk, Walks
from agentgraph_compiler.machine import GuardKind, Transition

_FEW = 2
"""The rounds from which on each further one costs the same."""
_MOST_LOOPS = 6
"""The most loops with many rounds: the searches double with each."""
_MOST_ROUNDS = 500
"""The most rounds that a search tells apart."""
_MOST_NODES = 5_000
"""The most nodes, beyond one for each place, of a search for what loops lead to."""
_CUT = "…"
_Search: TypeAlias = Callable[[Mapping[str, float]], Walk | None]
"""The walk if some loops have another limit."""


def cheapest(flow: Flow, root: int, prices: Prices, turns: int | None) -> Walk | None:
    """The cheapest walk to a final output; ``None`` if no walk gets to one."""
    walk = cheapest_by_rounds(flow, root, prices, turns) if _has_many_rounds(flow) else None
    return walk or Walks(flow, root, prices).cheapest(turns)


def dearest(flow: Flow, root: int, prices: Prices, turns: int | None) -> Walk:
    """The dearest walk, wherever it ends."""
    walk = dearest_by_rounds(flow, root, prices, turns) if _has_many_rounds(flow) else None
    return walk or Walks(flow, root, prices).dearest(turns)


def dearest_by_rounds(flow: Flow, root: int, prices: Prices, turns: int | None) -> Walk | None:
    """The dearest walk, from those with few rounds; ``None`` if they do not tell."""
    loops = _loops(flow)
    return _product(loops, lambda limits: Walks(flow, root, prices, limits=limits).dearest(turns))


def cheapest_by_rounds(flow: Flow, root: int, prices: Prices, turns: int | None) -> Walk | None:
    """The cheapest walk, from those with few rounds; ``None`` if they do not tell."""

    def search(limits: Mapping[str, float]) -> Walk | None:
        return Walks(flow, root, prices, limits=limits).cheapest(turns)

    loops = _loops(flow)
    few: dict[str, float] = dict.fromkeys(loops, _FEW)
    least = search(few)
    if least is None or not least.exact:
        return None
    # A walk goes round no more than it has to, unless only the last round leads on.
    left_early = {loop: search({**few, loop: inf}) for loop in loops}
    if any(walk is not None and not walk.exact for walk in left_early.values()):
        return None
    needed = {
        loop: limit
        for loop, limit in loops.items()
        if (early := left_early[loop]) is None or early.amount > least.amount
    }
    walk = _product(needed, lambda limits: search({**few, **limits}))
    ways = [way for loop in needed if (way := left_early[loop]) is not None]
    if not ways or walk is None:
        return walk
    return min(walk, *ways, key=lambda one: one.amount) if len(needed) == 1 else None


def places_in_reach(flow: Flow) -> frozenset[int] | None:
    """The places that a run can reach with the rounds of its loops; ``None`` if they combine in too
    many ways, or if there are no loops with limits, so that the flow itself says it."""
    if not any(row.counts for rows in flow.rows for row, _ in rows):
        return None
    reached: set[int] = set()
    for root in flow.roots:
        places = Walks(flow, root, _Free(), _MOST_NODES).places()
        if places is None:
            return None
        reached |= places
    return frozenset(reached)


class _Free(Prices):
    def entering(self, place: Place) -> Price:
        return FREE

    def taking(self, place: Place, row: Transition) -> Price | None:
        return FREE


def _has_many_rounds(flow: Flow) -> bool:
    """Whether a search that tells all rounds apart would get too large."""
    loops = _loops(flow)
    return bool(loops) and prod(loops.values()) * len(loops) > _MOST_ROUNDS


def _loops(flow: Flow) -> dict[str, int]:
    """The limits of the loops with many rounds, by their edges."""
    limits = {
        row.guard.names[0]: int(row.guard.names[1])
        for number in flow.reached
        for row, _ in flow.rows[number]
        if row.guard.kind is GuardKind.ROUNDS
    }
    return {edge: limit for edge, limit in limits.items() if limit > _FEW + 2}


def _product(loops: Mapping[str, int], search: _Search) -> Walk | None:
    """The walk with all rounds; ``None`` if that of few rounds does not tell."""
    if len(loops) > _MOST_LOOPS:
        return None
    amounts: dict[frozenset[str], float] = {}
    paths: list[tuple[str, ...]] = []
    for more in _subsets(loops):
        walk = search({loop: _FEW + (loop in more) for loop in loops})
        if walk is None or not walk.exact:
            return None
        if walk.amount == inf:
            return walk
        amounts[more] = walk.amount
        paths.append(walk.path)
    confirming = search(dict.fromkeys(loops, _FEW + 2))
    if confirming is None or confirming.amount != _extended(amounts, dict.fromkeys(loops, 2)):
        return None
    rounds = {loop: limit - _FEW for loop, limit in loops.items()}
    amount, path = _extended(amounts, rounds), confirming.path
    if loops:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(paths[0], paths[-1], strict=False))
        path = (*(name for name, _ in alike), _CUT)
    return Walk(amount, path, confirming.why)


def _extended(amounts: Mapping[frozenset[str], float], rounds: Mapping[str, int]) -> float:
    """What further rounds cost: the price of a round of each loop, and of loops within loops."""
    total = 0.0
    for loops in amounts:
        signed = (amounts[few] * (-1) ** (len(loops - few) % 2) for few in _subsets(loops))
        total += prod(rounds[loop] for loop in loops) * sum(signed)
    return total


def _subsets(loops: Mapping[str, int] | frozenset[str]) -> Iterator[frozenset[str]]:
    sizes = range(len(loops) + 1)
    return map(frozenset, chain.from_iterable(combinations(loops, size) for size in sizes))
