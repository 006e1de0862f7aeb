"""`explore`: every route that runs of a workflow can take, up to a bound.

Each route is a run of `Runner.run` over stand-ins, with a model that obeys its tool choice and
calls what is on offer. The routes come depth first: the search repeats a run up to its last open
decision and takes the next option there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentgraph.testing.choices import Planned
from agentgraph.testing.conditions import Conditions
from agentgraph.testing.decisions import Exhaustive
from agentgraph.testing.patterns import Pattern, matcher
from agentgraph.testing.routes import Route
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.weights import ROUTING, Weights

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["can_reach", "explore"]


def explore(
    source: Source | Program, depth: int = 6, *, alike: bool = True, input: str = "Go on."
) -> Iterator[Route]:
    """Run a workflow in every way that its models, guardrails and functions can decide.

    No tool and no other code of the workflow runs, and no model is called. Calls that need an
    approval get it. Tools that the provider runs and MCP servers take no part.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        depth: The most model calls of a run, those of agent tools included; at least 1.
        alike: Whether tools of one agent that the workflow treats alike come one by one; without
            it, the first of them stands for all.
        input: The user's message.

    Yields:
        The routes, depth first, each once. Their number grows exponentially with the depth.

    Raises:
        CompileError: The workflow has errors.
        UserError: A handoff does not say which agent it leads to.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; explore in a thread of its own there.
    """
    simulation = Simulation(source, Conditions(depth=depth, input=input, filters=False))
    weights = Weights(None, ROUTING)
    left_out = frozenset[tuple[str, str]]() if alike else simulation.represented()
    for choices in Planned.every():
        yield simulation.run(Exhaustive(choices, weights, left_out))


def can_reach(
    source: Source | Program, pattern: Pattern, depth: int = 6, *, input: str = "Go on."
) -> Route | None:
    """Search for a run in which something comes.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        pattern: What must come: a tool, agent, handoff, guardrail or answer, as `Pattern` says.
        depth: The most model calls of a run.
        input: The user's message.

    Returns:
        A run with the fewest model calls in which it comes; None if no run of this depth has it.

    Raises:
        UserError: The workflow has no part of that name.
        CompileError: The workflow has errors.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; search in a thread of its own there.
    """
    for bound in range(1, depth + 1):
        is_cut = False
        for route in explore(source, bound, input=input):
            if any(map(matcher(pattern, route.names), route.decisions)):
                return route
            is_cut = is_cut or route.end == "cut"
        if not is_cut:
            break
    return None
