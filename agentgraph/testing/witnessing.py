"""Witnesses: for each obligation of a workflow a run that meets it, made without a model.

The search explores runs of growing length, then walks at random for what needs several decisions
at once, and insists on calls until limits are reached. It keeps few runs: each meets obligations
that no kept run meets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from agentgraph.program import Program, compile
from agentgraph.run import RunMoves, observing_runs
from agentgraph.testing.choices import Planned, Seeded
from agentgraph.testing.conditions import Conditions
from agentgraph.testing.coverage.counting import keys_of
from agentgraph.testing.decisions import Decisions, Exhaustive, Settled
from agentgraph.testing.routes import Decision, Route
from agentgraph.testing.scripted import Completed, ScriptMismatch
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.weights import ROUTING, Weights
from agentgraph_compiler.analysis.obligations import obligations
from agentgraph_compiler.analysis.owed import MAX_TURNS, REACHED, Key, Obligation, Subject
from agentgraph_compiler.machine import GuardKind

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["Witness", "Witnesses", "witnesses"]

_REJECTING: Final[Mapping[str, int]] = {
    **ROUTING,
    "person.reject": 1,
    "guardrail.reject": 1,
}
_WALKED: Final = {"model.several": 5, "tool.raise": 0, "tool.time_out": 0}
_INSISTING: Final = {
    "model.answer": 1, "model.call": 200, "model.handoff": 200, "model.several": 0,
    "tool.raise": 0, "tool.time_out": 0,
    "guardrail.reject": 0, "guardrail.trip": 0,
    "person.reject": 0, "person.leave": 0,
}  # fmt: skip
_SILENT: Final = {**_INSISTING, "model.call": 1, "model.handoff": 1, "model.empty": 200}
"""A model that replies with nothing is called again, if it must give a structured output."""
_GOING_ROUND: Final = {"model.answer": 20, "model.empty": 4, "guardrail.trip": 0}
_OUTERMOST: Final = Key(Subject.LIMIT, "", MAX_TURNS, REACHED)
_MOST_INSISTING: Final = 20
_MOST_GOING_ROUND: Final = 50
_MOST_CALLS: Final = 250
_MOST_OF_LOOPS: Final = 2_000
"""The most model calls of a run that comes to the last round of a loop."""
_MOST_EXPLORED: Final = 2_000
_MOST_WALKED: Final = 2_000
_IDLE: Final = 500
"""Runs in a row that meet nothing new, after which a search ends."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A run, and the obligations that it meets and no earlier witness does.

    Attributes:
        route: The run.
        meets: The obligations.
        max_turns: The limit of turns that the run uses up; None if it does not.
    """

    route: Route
    meets: tuple[Obligation, ...]
    max_turns: int | None = None


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Witnesses for the obligations of a workflow.

    Attributes:
        runs: The witnesses; together they meet everything that was met.
        missing: Obligations for which the search ended without a run.
        excused: What no test owes, each with the reason in `excuse`.
    """

    runs: tuple[Witness, ...]
    missing: tuple[Obligation, ...]
    excused: tuple[Obligation, ...]


def witnesses(source: Source | Program, depth: int = 6) -> Witnesses:
    """Find runs that meet every obligation: each agent, tool, handoff, guardrail outcome,
    approval, edge, function, limit, state and transition of the compiled table.

    No model is called and no tool runs. The same workflow gives the same runs.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        depth: The most model calls of a run, those of agent tools included; at least 1. A run that
            reaches the limit of an agent tool may need more of them.

    Raises:
        CompileError: The workflow has errors.
        UserError: A handoff does not say which agent it leads to.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; search in a thread of its own there.
    """
    search = _Search(source, depth)
    search.explore()
    search.walk()
    search.go_round()
    search.insist()
    return search.result()


class _Search:
    def __init__(self, source: Source | Program, depth: int) -> None:
        self._source = source
        conditions = Conditions(depth=depth, weights=_WALKED, filters=False)
        self._simulation = Simulation(source, conditions)
        self._depth = depth
        program: Program = compile(self._simulation.start)
        rows = obligations(program.chart)
        rounds = [
            int(row.guard.names[1])
            for state in program.chart.states
            for row in state.transitions
            if row.guard.kind is GuardKind.ROUNDS
        ]
        # A round takes a call of each agent, and another one where a reply is empty.
        needed = 2 * (max(rounds, default=0) + 2) * len(program.chart.agents)
        self._longest = max(_MOST_CALLS, min(_MOST_OF_LOOPS, needed))
        self._owed = {row.key: row for row in rows if not row.excuse}
        self._limits = {key for key in self._owed if key.subject is Subject.LIMIT}
        self._excused = tuple(row for row in rows if row.excuse)
        self._met: set[Key] = set()
        self._kept: list[tuple[Route, frozenset[Key]]] = []

    @property
    def _is_complete(self) -> bool:
        return self._owed.keys() - self._limits <= self._met

    def _run(self, decisions: Decisions, depth: int | None = None) -> bool:
        """Make a run, and keep it if it meets something new."""
        route, keys = self._observed(self._simulation, decisions, depth)
        keys -= self._limits
        if keys <= self._met:
            return False
        if route.end == "cut":
            # A person reads a run that comes to an end more easily.
            completed = Completed(route.decisions)
            route, keys = self._observed(self._simulation, completed, len(route.agents) + 1)
        self._keep(route, keys)
        return True

    def _keep(self, route: Route, keys: set[Key]) -> None:
        self._met |= keys
        self._kept.append((route, frozenset(keys)))

    def _observed(
        self, simulation: Simulation, decisions: Decisions, depth: int | None = None
    ) -> tuple[Route, set[Key]]:
        keys: set[Key] = set()

        def observe(moves: RunMoves) -> None:
            for moved in moves:
                keys.update(keys_of(moved))

        with observing_runs(observe):
            route = simulation.run(decisions, depth=depth)
        return route, keys & self._owed.keys()

    def explore(self) -> None:
        """Explore runs of growing length, those with the fewest decisions first."""
        weights = Weights(None, _REJECTING)
        for bound in range(1, self._depth + 1):
            idle = 0
            for choices in islice(Planned.every(), _MOST_EXPLORED):
                if self._is_complete:
                    return
                if idle >= _IDLE:
                    break
                every = Exhaustive(choices, weights, in_pairs=True)
                idle = 0 if self._run(every, bound) else idle + 1

    def walk(self) -> None:
        """Walk at random."""
        idle = 0
        for seed in range(_MOST_WALKED):
            if self._is_complete or idle >= _IDLE:
                return
            idle = 0 if self._run(self._simulation.drawn(Seeded(seed))) else idle + 1

    def go_round(self) -> None:
        """Make runs in which each step gives the same output whenever it works, longer ones each
        time: they come to the last round of a loop of steps. Some replies are empty."""
        weights, bound = Weights(_GOING_ROUND, ROUTING), self._depth
        while bound < 2 * self._longest:
            for seed in range(_MOST_GOING_ROUND):
                if self._is_complete:
                    return
                steady = Settled(Seeded(seed), weights, self._simulation.generators)
                self._run(steady, min(bound, self._longest))
            bound *= 2

    def insist(self) -> None:
        """Make runs whose models answer as rarely as they can, longer ones each time, until every
        limit is reached."""
        for weights in (_INSISTING, _SILENT):
            self._insist(weights)

    def _insist(self, weights: Mapping[str, int]) -> None:
        bound = self._depth
        while not self._limits <= self._met and bound <= _MOST_CALLS:
            conditions = Conditions(
                depth=bound, max_turns=self._depth, weights=weights, filters=False
            )
            simulation = Simulation(self._source, conditions)
            for seed in range(_MOST_INSISTING):
                route, keys = self._observed(simulation, simulation.drawn(Seeded(seed)))
                for limit in sorted(keys & self._limits - self._met):
                    shortest, keys_of_it = self._shortest(simulation, route, limit)
                    # Each limit has a run of its own, which is easier to read.
                    self._keep(shortest, keys_of_it - self._limits | {limit})
            bound *= 2

    def _shortest(self, simulation: Simulation, route: Route, limit: Key) -> tuple[Route, set[Key]]:
        """The run that reaches a limit as a route does, with plain values unless a step comes by
        another one, and then answers."""
        plain = [replace(one, arguments=None, value=None) for one in route.decisions]
        try:
            return self._shortest_of(simulation, plain, limit)
        except ScriptMismatch:
            return self._shortest_of(simulation, route.decisions, limit)

    def _shortest_of(
        self, simulation: Simulation, decisions: Sequence[Decision], limit: Key
    ) -> tuple[Route, set[Key]]:
        def reaches(count: int) -> bool:
            return limit in self._observed(simulation, Completed(decisions[:count]))[1]

        count = bisect_left(range(len(decisions)), True, key=reaches)
        return self._observed(simulation, Completed(decisions[:count]))

    def result(self) -> Witnesses:
        """The fewest of the kept runs that meet everything, chosen greedily."""
        missing = tuple(row for key, row in self._owed.items() if key not in self._met)
        return Witnesses(tuple(self._chosen()), missing, self._excused)

    def _chosen(self) -> Iterator[Witness]:
        left, runs = set(self._met), list(self._kept)
        while left:
            best = max(runs, key=lambda run: (len(run[1] & left), -len(run[0].decisions)))
            meets = tuple(self._owed[key] for key in self._owed if key in best[1] & left)
            yield Witness(best[0], meets, self._depth if _OUTERMOST in best[1] else None)
            left -= best[1]
            runs.remove(best)
