"""`result.outputs`: the outputs of the steps of a workflow with edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from agentgraph.drivers.run import Run
from agentgraph.drivers.work.outputs import final_output
from agentgraph.frontend.bindings import StepBinding
from agentgraph.record.step_payloads import FinalOutput, Split
from agentgraph.runtime.commands import CommandId, Rest
from agentgraph_compiler.machine import StateKind


class StepOutputs(dict[Any, Any]):
    """The outputs of the steps that a run has left, by step: an agent, a function, a workflow, or
    what `parallel` or `each` returned. What works in one branch of all has its output, too.

    Of a step that worked several times it has the last output.
    """

    def __missing__(self, step: object) -> Any:
        """
        Raises:
            KeyError: The run has not left that step.
        """
        has = ", ".join(map(_name_of, self)) or "none"
        raise KeyError(f"the run has no output of step '{_name_of(step)}'; it has {has}")


def outputs_of(run: Run, rest: Rest) -> StepOutputs:
    """The outputs of the steps of a run at rest."""
    bindings, steps = run.caches.bindings, run.bench.view.outputs
    outputs = StepOutputs()
    if not bindings.steps:
        return outputs
    last = _last(run, rest)
    for step in bindings.steps:
        row = last if last is not None and last[0] == step.id else None
        if row is None and step.id in steps:
            row = step.id, *steps[step.id]
        if row is not None:
            _, source, agent = row
            outputs[step.step.part] = final_output(run.bench, source, bindings.agents[agent].agent)
            outputs.update(_of_branches(run, step, source))
    return outputs


def _of_branches(run: Run, step: StepBinding, source: CommandId) -> Iterator[tuple[Any, Any]]:
    """The outputs of the branches of one step, each with what works there and nowhere else."""
    read = step.step.branches
    if not step.step.is_labelled:
        return
    steps = run.caches.bindings.steps
    everywhere = [one.step.part for one in steps]
    everywhere += [branch.part for one in steps for branch in one.step.branches]
    times = Counter(map(id, everywhere))
    for lane, (_, payload) in run.bench.view.branches(source).items():
        if times[id(read[lane].part)] == 1:
            yield read[lane].part, payload.output


def _last(run: Run, rest: Rest) -> tuple[str, Any, str] | None:
    """The step with which a run ended, the outcome with its output, and the agent at work last."""
    if rest.kind is not StateKind.DONE or rest.source is None:
        return None
    payload = run.record.payloads[rest.source]
    if isinstance(payload, FinalOutput | Split) and payload.step:
        return payload.step, rest.source, rest.agent
    for step in run.caches.bindings.steps:
        if rest.agent in step.agents:
            return step.id, rest.source, rest.agent
    return None


def _name_of(step: object) -> str:
    return str(getattr(step, "name", None) or getattr(step, "__name__", step))
