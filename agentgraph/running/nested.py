"""Making a run inside another one: of an agent that is a tool, or of a branch of a workflow.

It shares journal, context object and decisions with the outer run. Its rows stand under the
identity of the call or branch, so work that was cut short is resumed, never repeated.
"""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.run import Run, make_run
from agentgraph.drivers.workbench import Workbench
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import Failure, Question, Resumed
from agentgraph.run_context import RunContextWrapper
from agentgraph.running.recompile import Recompile
from agentgraph.runtime.commands import Perform, Rest

__all__ = ["nested_run", "questions_in"]


def nested_run(
    bench: Workbench,
    command: Perform,
    facts: RunFacts,
    recompile: Recompile,
    *,
    outer: RunContextWrapper[Any],
    tool_input: object = None,
) -> Run:
    """Make a run inside another one.

    Args:
        bench: The outer run.
        command: The work in which it runs.
        facts: The inputs of the inner run; they name its sub-machine.
        recompile: Compiles again after an agent has changed.
        outer: The context of the work.
        tool_input: For an agent tool, the arguments of the call.
    """
    caches = bench.caches
    bindings = caches.bindings.machines[facts.machine]
    start = bindings.start
    # An agent may have changed since the outer run was compiled.
    current = (caches.submachines[facts.machine], bindings)
    run = make_run(
        facts,
        current if start.current else recompile(start.agent),
        recompile,
        caches.journal,
        inner=caches.inner,
        context=bench.context.context,
        tool_input=tool_input,
        outer=outer,
        resumption=Resumed(tuple(caches.rulings), again=_repeats(bench, command)),
    )
    run.caches.stand_in = caches.stand_in
    run.caches.meters = (*caches.meters, *run.caches.meters)
    return run


def _repeats(bench: Workbench, command: Perform) -> bool:
    """Whether the work failed before and is repeated, so that the inner run continues."""
    id = command.id
    before = id._replace(attempt=id.attempt - 1)
    return id.attempt > 0 and isinstance(bench.view.payload(before), Failure)


def questions_in(inner: Run, rest: Rest) -> tuple[Question, ...]:
    """The calls that wait in an inner run."""
    payloads = inner.record.payloads
    return tuple(one for id in rest.awaiting for one in payloads[id].questions)
