"""Where the runs of a chart can go: its states and moves as one graph.

The rows decide everything, whatever kind of state has them, so states of kinds that come later need
no change here. A row that happens only if the model disregards its tool choice or the tools on
offer is left out (``Transition.against``), and so are rows on which a run is cut short, unless an
edge of a step catches what it fails with.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeVar

from agentgraph_compiler.analysis.knots import knots
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.entries import entry_state
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    RESERVED,
    Emission,
    Event,
    GuardKind,
    Invoke,
    Premise,
    Rest,
    Source,
    State,
    StateKind,
    Transition,
    WorkKind,
)

_Place = TypeVar("_Place", bound=Hashable)
_NEXT_RUN = Transition(Event.STARTED, "")
_CUT_SHORT = frozenset({*INTERRUPTING, *RESERVED})
_FREE, _FIRST_CHOICE = Premise.NONE, Premise.FIRST_CHOICE
_BETWEEN_STEPS = (StateKind.LEAVING, StateKind.LOOPING, StateKind.FAILING)
_OTHERWISE, _SPENT = GuardKind.OTHERWISE, GuardKind.SPENT


class Place(NamedTuple):
    """A state in which a run can be.

    Args:
        state: The state.
        acted: Whether its agent has used a tool or handed off. Places differ in it only for agents
            whose tool choice resets.
    """

    state: State
    acted: bool


class Flow:
    """The graph of one chart. A place is a number, an index into ``places``.

    Args:
        chart: The chart.
        handled: Whether to include the rows to the handlers of faults: used-up turns, a refusal, an
            output that does not fit.

    Attributes:
        places: The places, in document order.
        rows: The rows that an obedient model can take from each place, with the place of each
            target.
        roots: The places in which a run can begin.
        modal: Ids of the agents whose tool choice resets.
        handled: Whether rows to the handlers of faults are among the rows.
    """

    def __init__(self, chart: Chart, *, handled: bool = False) -> None:
        self.chart, self.handled = chart, handled
        self.modal = modal = frozenset(_modal_agents(chart.states))
        self.places: list[Place] = []
        self._index: dict[str, int] = {}
        for state in chart.states:
            self._index[state.id] = len(self.places)
            self.places.append(Place(state, False))
            if state.agent in modal:
                self.places.append(Place(state, True))
        self._failing = {one.id for one in chart.states if one.kind is StateKind.FAILING}
        self.rows = [*self._rows()]
        if modal:
            self._arrive_again()
        self.roots = self._roots()
        if chart.multi_turn:
            self._go_on()

    def at(self, state: str, *, acted: bool = False) -> int:
        """The place of a state."""
        index = self._index[state]
        return index + (acted and self.places[index].state.agent in self.modal)

    @cached_property
    def reached(self) -> frozenset[int]:
        """The places that a run can reach."""
        return self.reached_from(self.roots)

    def reached_from(self, places: Iterable[int]) -> frozenset[int]:
        """The places that a run can reach from some places, themselves included."""
        return frozenset(reached_from(places, self._forward.__getitem__))

    @cached_property
    def ending(self) -> frozenset[int]:
        """The places from which a run can get to a final output."""
        return frozenset(reached_from(self._ends(), self._backward.__getitem__))

    @cached_property
    def trapped(self) -> frozenset[int]:
        """The places that a run can reach, but from which it cannot get to a final output."""
        return self.reached - self.ending

    @cached_property
    def agents(self) -> frozenset[str]:
        """Ids of the agents that a run can reach."""
        return frozenset(self.places[number].state.agent for number in self.reached) - {""}

    @cached_property
    def last_agents(self) -> frozenset[str]:
        """Ids of the agents with which a run can end in a final output."""
        return frozenset(
            place.state.agent
            for number, place in self._reached_places
            if place.state.agent and any(to in self._finishing for _, to in self.rows[number])
        )

    @cached_property
    def endings(self) -> dict[str, frozenset[Source]]:
        """What becomes the final output, for each agent with which a run can end, by id."""
        endings: dict[str, set[Source]] = {}
        for number, place in self._reached_places:
            for row, _ in self.rows[number]:
                # After an agent is over, a row may hand its output to the next step.
                within = place.state.agent and place.state.kind not in _BETWEEN_STEPS
                if within and row.output is not Source.NONE:
                    endings.setdefault(place.state.agent, set()).add(row.output)
        return {agent: frozenset(sources) for agent, sources in endings.items()}

    @cached_property
    def invokes(self) -> frozenset[tuple[str, str]]:
        """The lanes that can work in a run, as ids of states with symbols."""
        return frozenset((state.id, lane.symbol) for state, lane in self.lanes)

    def handoffs(self) -> Iterator[tuple[str, str]]:
        """The handoffs that a run can take, as ids of the agents that they connect."""
        for number, place in self._reached_places:
            for row, _ in self.rows[number]:
                if place.state.agent and is_handoff(row):
                    yield place.state.agent, row.arrives

    @cached_property
    def targets(self) -> dict[str, list[str]]:
        """The agents that each agent can hand off to, by id; every agent of the chart has a row."""
        targets: dict[str, list[str]] = {agent.id: [] for agent in self.chart.agents}
        for source, target in self.handoffs():
            targets[source].append(target)
        return targets

    @cached_property
    def onward(self) -> dict[str, list[str]]:
        """The agents that can come to work after each agent, by a handoff or along edges."""
        onward: dict[str, list[str]] = {agent.id: [] for agent in self.chart.agents}
        for agent in onward:
            reached: set[int] = set()
            waiting = [n for n, place in self._reached_places if place.state.agent == agent]
            while waiting:
                for row, to in self.rows[waiting.pop()]:
                    if row.arrives and row.arrives not in onward[agent]:
                        onward[agent].append(row.arrives)
                    elif not row.arrives and not self.places[to].state.agent and to not in reached:
                        reached.add(to)
                        waiting.append(to)
        return onward

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """The agents that can hand off to each agent, by id."""
        sources: dict[str, list[str]] = {agent.id: [] for agent in self.chart.agents}
        for source, target in self.handoffs():
            sources[target].append(source)
        return sources

    @cached_property
    def lanes(self) -> tuple[tuple[State, Invoke], ...]:
        """The lanes that can work in a run, each with its state."""
        return tuple(
            (place.state, lane)
            for _, place in self._reached_places
            for lane in self.lanes_of(place)
        )

    def lanes_of(self, place: Place) -> Iterator[Invoke]:
        """The lanes that can work in a place."""
        yield from place.state.invokes
        for offer in place.state.offers:
            if _obeys(offer.against, place.acted) and offer.kind is not WorkKind.MISSING:
                yield offer

    @cached_property
    def _reached_places(self) -> tuple[tuple[int, Place], ...]:
        return tuple((number, self.places[number]) for number in sorted(self.reached))

    def _rows(self) -> Iterator[list[tuple[Transition, int]]]:
        """The rows of each place. Places of one state differ only for agents whose tool choice
        resets, and then all handoffs to one agent share their rows."""
        if self.modal:
            yield from map(self._rows_of, self.places)
            return
        shared: dict[tuple[Rest, int], list[tuple[Transition, int]]] = {}
        for place in self.places:
            key = place.state.rest, id(place.state.transitions)
            if key not in shared:
                shared[key] = self._rows_of(place)
            yield shared[key]

    def _rows_of(self, place: Place) -> list[tuple[Transition, int]]:
        state, acted = place
        if state.rest is not Rest.NO:
            return []
        index, modal, handled = self._index, self.modal, self.handled
        rows: list[tuple[Transition, int]] = []
        decided: tuple[Event, ...] = ()
        shared = self.chart.rows if state.kind is StateKind.INITIAL else ()
        for row in (*state.transitions, *shared):
            event, kind = row.event, row.guard.kind
            if event in decided or row.target == BACK:
                continue
            if row.target in self._failing:  # an edge may catch what a run would fail with
                rows.append((row, self._target(place, row) if modal else index[row.target]))
                continue
            if event in _CUT_SHORT:
                continue
            if row.against is not _FREE and not _obeys(row.against, acted):
                continue
            if (row.cause or kind is _SPENT) and not (handled and self._state(row.target).agent):
                continue  # a fault without a handler
            if kind is _OTHERWISE:
                decided += (event,)
            rows.append((row, self._target(place, row) if modal else index[row.target]))
        return rows

    def _target(self, place: Place, row: Transition) -> int:
        """An agent that comes to work for the first time has not acted yet."""
        agent = place.state.agent
        same = bool(agent) and self._state(row.target).agent == agent and not row.visits
        return self.at(row.target, acted=same and acts(place, row))

    def _state(self, id: str) -> State:
        return self.places[self._index[id]].state

    def _arrive_again(self) -> None:
        """Add the rows by which handoffs come back to an agent that has acted.

        An agent can act and be handed to again exactly if the row is part of a circle through the
        agent. What this adds can close further circles, which the same search finds.
        """
        targets = [[to for _, to in rows] for rows in self.rows]

        def arrive(number: int, at: int) -> None:
            row, to = self.rows[number][at]
            arrives = row.arrives in self.modal and bool(self.places[number].state.agent)
            if arrives and not row.visits and not self.places[to].acted:
                self.rows[number].append((row, to + 1))
                targets[number].append(to + 1)

        knots(targets, arrive)

    def _roots(self) -> tuple[int, ...]:
        chart = self.chart
        entries = (entry_state(chart.agent[id]) for id in chart.starts)
        return (self.at(chart.initial), *map(self.at, entries))

    def _go_on(self) -> None:
        """Add the beginning of the next run of a chat to each place in which an agent is over."""
        for number, place in enumerate(self.places):
            agent = place.state.agent
            if agent and any(to in self._finishing for _, to in self.rows[number]):
                entry = entry_state(self.chart.agent[agent])
                self.rows[number] = [*self.rows[number], (_NEXT_RUN, self.at(entry))]

    def _ends(self) -> list[int]:
        return [n for n, place in enumerate(self.places) if place.state.kind is StateKind.DONE]

    @cached_property
    def _forward(self) -> list[list[int]]:
        return [[to for _, to in rows] for rows in self.rows]

    @cached_property
    def _backward(self) -> list[list[int]]:
        backward: list[list[int]] = [[] for _ in self.places]
        for number, rows in enumerate(self.rows):
            for _, to in rows:
                backward[to].append(number)
        return backward

    @cached_property
    def _finishing(self) -> frozenset[int]:
        """The places without an agent from which a run can only go on to a final output."""
        with_agent = [n for n, place in enumerate(self.places) if place.state.agent]
        before_agents = reached_from(with_agent, self._backward.__getitem__)
        return self.ending - before_agents


def is_handoff(row: Transition) -> bool:
    """Whether a run takes a handoff with a row, rather than an edge or its first step."""
    return Emission.HANDOFF in row.emits


def acts(place: Place, row: Transition) -> bool:
    """Whether the agent of a place has acted once a run has taken a row there."""
    return place.acted or bool(place.state.offers) or row.guard.kind is GuardKind.REQUESTS


def _obeys(premise: Premise, acted: bool) -> bool:
    return premise is _FREE or (acted and premise is _FIRST_CHOICE)


def _modal_agents(states: Iterable[State]) -> Iterator[str]:
    for state in states:
        parts: Iterable[Transition | Invoke] = chain(state.transitions, state.offers)
        for part in parts:
            if part.against is _FIRST_CHOICE:
                yield state.agent
                break


def reached_from(
    start: Iterable[_Place], onward: Callable[[_Place], Iterable[_Place]]
) -> set[_Place]:
    """Everything that can be reached from ``start``, itself included."""
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for place in onward(waiting.pop()):
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return seen
