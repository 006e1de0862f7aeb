"""The rooms of `agentgraph`: what stands at its top, and which room knows which.

A room is a file or a folder at the top. An arrow means that one imports from another when it is
imported or run; an import for type checkers alone is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import networkx as nx

from tests.architecture.source_tree import Place, imports_of, modules

MODULES_AT_THE_TOP = 38
ARROWS = 292


def rooms() -> Iterator[tuple[str, str]]:
    """Every arrow between two rooms, as often as it is drawn."""
    for module in modules().values():
        if belongs_to_a_room(module.name):
            for it in imports_of(module):
                if it.place is not Place.TYPE_CHECKING and belongs_to_a_room(it.target):
                    yield room_of(module.name), room_of(it.target)


def belongs_to_a_room(module: str) -> bool:
    return module.startswith("agentgraph.")


def room_of(module: str) -> str:
    return module.split(".")[1]


def graph() -> nx.DiGraph[str]:
    return nx.DiGraph((here, there) for here, there in rooms() if here != there)


def test_few_modules_stand_at_the_top() -> None:
    at_the_top = [
        name
        for name, module in modules().items()
        if name.count(".") == 1 and belongs_to_a_room(name) and not module.is_package
    ]
    assert len(at_the_top) <= MODULES_AT_THE_TOP, at_the_top


def test_rooms_know_few_other_rooms(record_property: Callable[[str, object], None]) -> None:
    arrows = graph().number_of_edges()
    record_property("arrows_between_rooms", arrows)
    assert arrows <= ARROWS


def test_no_room_leads_back_to_itself() -> None:
    knots = [sorted(knot) for knot in nx.strongly_connected_components(graph()) if len(knot) > 1]
    assert knots == []
