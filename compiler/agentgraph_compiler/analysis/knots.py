"""The knots of a graph (strongly connected components), in linear time and without recursion.

The rules that gate every run need them, and loading a graph library would cost more than the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def knots(
    targets: Sequence[Sequence[int]], on_circle: Callable[[int, int], None] | None = None
) -> list[int]:
    """The knot of each place: two places have the same number exactly if each can be reached from
    the other (Tarjan 1972).

    Args:
        targets: The successors of each place.
        on_circle: Called once for each successor in the knot of its place, with the place and the
            position of the successor. It may append successors to that place: no search leaves a
            knot before it has followed all of them.

    Returns:
        For each place the number of its knot. A place that leads to another knot has the larger
        number, so in the order of numbers every knot comes after those that it leads to.
    """
    unseen, knot_of = -1, [-1] * len(targets)
    order, low = [unseen] * len(targets), [0] * len(targets)
    stack: list[int] = []
    count = number = 0
    for root in range(len(targets)):
        if order[root] != unseen:
            continue
        path = [(root, 0)]
        while path:
            place, at = path.pop()
            onward = targets[place]
            if order[place] == unseen:
                order[place] = low[place] = count
                count += 1
                stack.append(place)
            while at < len(onward) and order[onward[at]] != unseen:
                if knot_of[onward[at]] == unseen:
                    # A successor that the search has left may reach further back than itself.
                    low[place] = min(low[place], low[onward[at]])
                    if on_circle is not None:
                        on_circle(place, at)
                at += 1
            if at < len(onward):
                path += [(place, at), (onward[at], 0)]  # and look at that successor again
            elif low[place] == order[place]:
                while True:
                    member = stack.pop()
                    knot_of[member] = number
                    if member == place:
                        break
                number += 1
    return knot_of
