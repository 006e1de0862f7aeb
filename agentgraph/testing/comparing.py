"""`same_behaviour`: whether two versions of a workflow do the same under the same decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Final

from typing_extensions import Unpack

from agentgraph.exceptions import UserError
from agentgraph.testing.choices import Planned, Seeded
from agentgraph.testing.conditions import Conditions, RunKeywords
from agentgraph.testing.decisions import Decisions, Exhaustive
from agentgraph.testing.routes import Decision, Route
from agentgraph.testing.scripted import Scripted, ScriptMismatch
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.weights import ROUTING, Weights

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["Difference", "same_behaviour"]

_MOST_EXPLORED: Final = 100
_MOST_CALLS: Final = 8
_MOST_CALLS_EXPLORED: Final = 3
_WIDTH: Final = 76


@dataclass(frozen=True, slots=True)
class Difference:
    """A run that differs between two versions of a workflow.

    Attributes:
        old: What the old version does.
        new: What the new version does under the same decisions; None if it cannot take one of
            them.
        fault: Why it cannot take them, or how the two runs differ.
    """

    old: Route
    new: Route | None
    fault: str

    def __str__(self) -> str:
        old, new = _lines(self.old), [] if self.new is None else _lines(self.new)
        rows = [
            f"{'  ' if one == other else '! '}{one:<{_WIDTH}}{'' if one == other else other}"
            for one, other in zip_longest(old, new, fillvalue="")
        ]
        return "\n".join([self.fault, "", *(row.rstrip() for row in rows)])


def _lines(route: Route) -> list[str]:
    return str(route).splitlines()


def same_behaviour(
    old: Source | Program,
    new: Source | Program,
    *,
    runs: int = 500,
    seed: int = 0,
    renamed: Mapping[str, str] | None = None,
    **keywords: Unpack[RunKeywords],
) -> Difference | None:
    """Compare two versions of a workflow under the same decisions.

    The short runs of the old version come first, each way of them, then random ones. Each is
    played in the new version, and random runs of the new version in the old one, so an addition
    is noticed as well. No model is called, and no tool runs unless `real` names it.

    Args:
        old: An agent, a workflow or a program.
        new: Its new version.
        runs: How many random runs of each version to compare.
        seed: The seed of the first of them.
        renamed: The new names of agents, by their old names.
        keywords: The conditions of the runs, see `Conditions`; a run has at most 8 model calls,
            unless `depth` says otherwise.

    Returns:
        The shortest difference that was noticed first; None if there is none.

    Raises:
        CompileError: A version has errors.
        UserError: A handoff does not say which agent it leads to, a name of `renamed` is no
            agent, or one of another keyword does not exist.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; compare in a thread of its own there.
    """
    names = dict(renamed or {})
    keywords.setdefault("depth", _MOST_CALLS)
    conditions = Conditions(**keywords)
    before, after = Simulation(old, conditions), Simulation(new, conditions)
    _check_agents(before, names.keys(), "old")
    _check_agents(after, names.values(), "new")
    for decisions, most in _every_way():
        difference = _compared(before, after, decisions, names, min(most, conditions.depth))
        if difference is not None:
            return difference
    back = {name: other for other, name in names.items()}
    for number in range(seed, seed + runs):
        difference = _compared(before, after, before.drawn(Seeded(number)), names)
        if difference is not None:
            return difference
        difference = _compared(after, before, after.drawn(Seeded(number)), back)
        if difference is not None:
            added = f"Only the new version takes this run: {difference.fault}"
            return Difference(difference.old, difference.new, added)
    return None


def _check_agents(simulation: Simulation, names: Iterable[str], version: str) -> None:
    agents = simulation.names.agents
    for name in names:
        if name not in agents:
            raise UserError(
                f"renamed names {name!r}, but the {version} version has no agent of that name. It"
                f" has {', '.join(sorted(agents))}."
            )


def _every_way() -> Iterator[tuple[Decisions, int]]:
    """The decisions of short runs, with the most model calls; the run of each makes the next."""
    weights = Weights(None, ROUTING)
    for depth in range(1, _MOST_CALLS_EXPLORED + 1):
        for choices in islice(Planned.every(), _MOST_EXPLORED):
            yield Exhaustive(choices, weights), depth


def _compared(
    first: Simulation,
    second: Simulation,
    decisions: Decisions,
    names: Mapping[str, str],
    depth: int | None = None,
) -> Difference | None:
    route = first.run(decisions, depth=depth)
    expected = [_renamed(one, names) for one in route.decisions]
    script = Scripted(expected)
    other: Route | None = None
    try:
        other = second.run(script, depth=depth)
        script.assert_complete()
    except ScriptMismatch as mismatch:
        return Difference(route, other, str(mismatch))
    if list(other.decisions) == expected and other.end == route.end:
        return None
    if other.end != route.end:
        return Difference(route, other, f"One run is {route.end}, the other {other.end}.")
    return Difference(route, other, "The runs decide differently.")


def _renamed(decision: Decision, names: Mapping[str, str]) -> Decision:
    if not names:
        return decision
    target = None if decision.target is None else names.get(decision.target, decision.target)
    return replace(decision, agent=names.get(decision.agent, decision.agent), target=target)
