"""`walk` and `play`: one run of a workflow, with random decisions or with those of a script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.testing.choices import Seeded
from agentgraph.testing.decisions import Drawn
from agentgraph.testing.routes import Route
from agentgraph.testing.script import ScriptPart, in_order
from agentgraph.testing.scripted import Scripted
from agentgraph.testing.simulation import Conditions, Simulation
from agentgraph.testing.values import Generators
from agentgraph.testing.weights import HOSTILE, ORDINARY, Weights

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = ["play", "walk"]


def walk(
    source: Source,
    seed: int = 0,
    runs: int = 1,
    *,
    depth: int = 12,
    hostile: bool = False,
    weights: Mapping[str, int] | None = None,
    real: Collection[str] = (),
    results: Mapping[str, Sequence[object]] | None = None,
    context: object = None,
    input: str = "Go on.",
) -> Iterator[Route]:
    """Run a workflow again and again with random decisions; fast, and without Hypothesis.

    Args:
        source: An agent or a workflow; it is not changed.
        seed: The seed of the first run. The run after it has the next seed, so the seed of each
            route repeats it.
        runs: How many runs to make.
        depth: The most model calls of a run, those of agent tools included; at least 1.
        hostile: Whether models also reply what no provider should send: unknown tools, malformed
            arguments, reused ids, nothing, refusals, faults.
        weights: How often each kind of decision comes, as `{"model.answer": 4, "tool.raise": 0}`;
            kinds that it does not name keep their weight in `ORDINARY` or `HOSTILE`.
        real: The names of tools, guardrails, handoffs and agents whose code runs. All other tools
            return a text, and all other guardrails and functions are decided at random.
        results: The results from which tools draw, by their names.
        context: The context object, or a function that makes one for each run.
        input: The user's message.

    Yields:
        The routes.

    Raises:
        CompileError: The workflow has errors.
        UserError: A name of `real`, `results` or `weights` does not exist.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; walk in a thread of its own there.
    """
    simulation = Simulation(source, Conditions(depth=depth, real=real, context=context))
    weighing = Weights(weights, HOSTILE if hostile else ORDINARY)
    generators = Generators(simulation.checked_results(results))
    for number in range(seed, seed + runs):
        yield simulation.run(Drawn(Seeded(number), weighing, generators), input)


def play(
    source: Source,
    script: Iterable[ScriptPart],
    *,
    depth: int | None = None,
    real: Collection[str] = (),
    context: object = None,
    input: str | list[Any] = "Go on.",
) -> Route:
    """Run a workflow with the decisions of a script.

    A decision that the script does not mention takes the simplest way: tools return a text,
    guardrails pass, people approve. Each reply of a model must be in the script.

    Args:
        source: An agent or a workflow; it is not changed.
        script: Decisions, as in `Route.decisions` or in the words of `agentgraph.testing.script`.
        depth: The most model calls of the run; by default as many as the script has.
        real: The names of tools, guardrails, handoffs and agents whose code runs.
        context: The context object, or a function that makes it.
        input: The user's message.

    Returns:
        What the run did.

    Raises:
        ScriptMismatch: The run and the script do not fit together; the message names the decision.
        CompileError: The workflow has errors.
        UserError: A name of `real` does not exist.
        RuntimeError: The caller is a coroutine; play in a thread of its own there.
    """
    decisions = in_order(script)
    calls = sum(one.by == "model" for one in decisions)
    conditions = Conditions(
        depth=max(calls, 1) if depth is None else depth, real=real, context=context
    )
    scripted = Scripted(decisions)
    route = Simulation(source, conditions).run(scripted, input)
    scripted.assert_complete()
    return route
