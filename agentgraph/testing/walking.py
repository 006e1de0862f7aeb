"""`walk` and `play`: one run of a workflow, with random decisions or with those of a script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from agentgraph.testing.choices import Seeded
from agentgraph.testing.conditions import Conditions, RunKeywords
from agentgraph.testing.routes import Route
from agentgraph.testing.script import ScriptPart, in_order
from agentgraph.testing.scripted import Completed, Scripted
from agentgraph.testing.simulation import Simulation

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["play", "walk"]


def walk(
    source: Source | Program, seed: int = 0, runs: int = 1, **keywords: Unpack[RunKeywords]
) -> Iterator[Route]:
    """Run a workflow again and again with random decisions; fast, and without Hypothesis.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        seed: The seed of the first run. The run after it has the next seed, so the seed of each
            route repeats it.
        runs: How many runs to make.
        keywords: The conditions of the runs, see `Conditions`.

    Yields:
        The routes.

    Raises:
        CompileError: The workflow has errors.
        UserError: A name of `real`, `results` or `weights` does not exist.
        ValueError: The depth is below 1.
        RuntimeError: The caller is a coroutine; walk in a thread of its own there.
    """
    simulation = Simulation(source, Conditions(**keywords))
    for number in range(seed, seed + runs):
        yield simulation.run(simulation.drawn(Seeded(number)))


def play(
    source: Source | Program,
    script: Iterable[ScriptPart],
    *,
    depth: int | None = None,
    max_turns: int | None = None,
    strict: bool = True,
    real: Collection[str] = (),
    context: object = None,
    input: str | list[Any] = "Go on.",
) -> Route:
    """Run a workflow with the decisions of a script.

    A decision that the script does not mention takes the simplest way: tools return a text,
    guardrails pass, people approve. Each reply of a model must be in the script.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        script: Decisions, as in `Route.decisions` or in the words of `agentgraph.testing.script`.
        depth: The most model calls of the run; by default as many as the script has, and 12 if it
            is not strict.
        max_turns: The limit of turns of the run, as in `Runner.run`; by default as many as `depth`.
        strict: Whether the run must make every decision of the script, and no call of a model
            after them. Without it, the run passes over decisions that it does not come to, and
            after the last one each model takes the simplest way to an answer.
        real: The names of tools, guardrails, handoffs, agents and functions whose code runs.
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
    keywords: RunKeywords = {
        "max_turns": max_turns,
        "real": real,
        "context": context,
        "input": input,
    }
    if depth is not None:
        keywords["depth"] = depth
    elif strict:
        keywords["depth"] = max(1, sum(one.by == "model" for one in decisions))
    scripted = Scripted(decisions) if strict else Completed(decisions)
    route = Simulation(source, Conditions(**keywords)).run(scripted)
    scripted.assert_complete()
    return route
