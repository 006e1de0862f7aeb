"""Running the agent or the workflow of a branch: its sub-machine runs inside the outer run.

The inner run shares context, hooks, configuration and journal with the outer one, and no session.
Its rows stand under the identity of the branch, so a branch that was cut short is resumed, never
repeated. The guardrails of the run configuration judge what enters and leaves the outer run.
"""

from __future__ import annotations

from typing import Any

from agentgraph.approvals import CallKey
from agentgraph.drivers.run import Run
from agentgraph.drivers.workbench import Workbench
from agentgraph.frontend.bindings import BranchBinding
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.scope import RunScope
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import Waiting
from agentgraph.running.ending import carry_out, output_of
from agentgraph.running.nested import nested_run, questions_in
from agentgraph.running.recompile import Recompile
from agentgraph.running.watching import watcher_of_branch
from agentgraph.runtime.commands import Perform
from agentgraph_compiler.machine import StateKind


async def run_branch(
    bench: Workbench, command: Perform, branch: BranchBinding, input: str
) -> tuple[Any, str] | Waiting:
    """Run the agent or workflow of a branch.

    Args:
        bench: The run of the workflow.
        command: The work of the branch; its invoke names the sub-machine.
        branch: The branch.
        input: What its first agent reads.

    Returns:
        The output and the id of the agent that gave it, or ``Waiting`` if the inner run was
        suspended.

    Raises:
        AgentsException: It ended the inner run.
    """
    inner = _inner(bench, command, branch, input)
    rest = await carry_out(inner)
    if rest.kind is StateKind.SUSPENDED:
        return Waiting(questions_in(inner, rest))
    return output_of(inner, rest), inner.record.agent_id


def _inner(bench: Workbench, command: Perform, branch: BranchBinding, input: str) -> Run:
    outer = bench.facts
    scope = RunScope.of(outer.config).without_guardrails()
    facts = RunFacts(
        run_id=outer.run_id,
        path=CallKey(outer.path, tuple(command.source or ()), command.id.lane).inside,
        machine=command.invoke.machine,
        input=input,
        config=outer.config,
        provider=outer.provider,
        limit=outer.limit,
        hooks=outer.hooks,
    )
    part = branch.read.part
    assert is_agent(part) or is_workflow(part)  # functions run no machine
    run = nested_run(bench, command, facts, Recompile(part, scope), outer=bench.context)
    watcher = bench.caches.watcher
    if watcher.branches is not None:
        lane, step = command.id.lane, branch.read.name
        run.caches.watcher = watcher_of_branch(watcher, watcher.branches, lane, step)
    return run
