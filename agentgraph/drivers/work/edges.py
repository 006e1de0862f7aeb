"""The work of a workflow's edges: choosing a case and what the next step gets, and calling a
function that is a step."""

from __future__ import annotations

from agentgraph.drivers.work.recover import assistant_message
from agentgraph.drivers.work.step_values import (
    HandedOver,
    PassedOutputs,
    called,
    handed_over,
    json_or_text,
)
from agentgraph.drivers.workbench import Workbench
from agentgraph.frontend.bindings import StepBinding
from agentgraph.record.step_payloads import Chosen, FinalOutput
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.workflow.steps import STEP_BEGINS, End
from agentgraph_compiler.machine import Event


async def leave(bench: Workbench, command: Perform) -> Outcome:
    """Choose the case that the output of a step takes, and what the agent of the next step reads.

    Raises:
        RoutingError: No case takes the value.
        UserError: What the next step gets has no JSON form.
    """
    binding: StepBinding = bench.bound(command.invoke.symbol)
    edges = binding.step.edges
    assert edges is not None  # the table says so
    assert command.source is not None
    bench.caches.watcher.branches = None  # what is left of their events comes too late
    outputs = PassedOutputs(bench, binding)
    outputs.add(edges.step, command.source, command.agent)
    case = edges.cases[0]
    if edges.on is not None:
        source = edges.step if edges.on.step is None else edges.on.step
        case = edges.chosen(edges.on(outputs.of(source)), binding.step.name)
    inputs = {}
    for target in (case.target, case.exhausted):
        if hasattr(target, "handoffs") and not case.carries:
            handed = HandedOver(case, target, edges.step, outputs)
            inputs[binding.ids[id(target)]] = handed.text()
    payload = Chosen(
        step=binding.id,
        source=command.source,
        agent=command.agent,
        case=case.label,
        inputs=inputs,
    )
    reply = Reply(case=f"{binding.id}/case/{case.label}")
    return Outcome(command.id, Event.CHOSEN, payload, reply)


async def work(bench: Workbench, command: Perform) -> Outcome:
    """Call the function of a step; an end gives its output.

    Raises:
        Exception: The function raised it.
    """
    binding: StepBinding = bench.bound(command.invoke.symbol)
    part = binding.step.part
    begins = STEP_BEGINS.get()
    if begins is not None:
        begins(binding.step.name)
    output = part.output if isinstance(part, End) else await _called(bench, command, binding)
    return finished(command, binding, output)


def finished(command: Perform, binding: StepBinding, output: object) -> Outcome:
    """The outcome of a step that has its output and no agent."""
    message = None
    if binding.step.edges is None:  # the run ends here
        text = json_or_text(output)
        message = assistant_message(str(output) if text is None else text)
    return Outcome(command.id, Event.DONE, FinalOutput(output, message, step=binding.id))


def received(bench: Workbench, command: Perform, binding: StepBinding) -> str:
    """What a person who is asked gets, in the form in which an agent would.

    Raises:
        UserError: It has no JSON form.
    """
    return handed_over(bench, binding, command.source).text()


async def _called(bench: Workbench, command: Perform, binding: StepBinding) -> object:
    function = binding.step.function
    assert function is not None  # the reading says so
    values = [] if function.most == 0 else handed_over(bench, binding, command.source).values()
    return await called(bench, function, values)
