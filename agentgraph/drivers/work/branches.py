"""The work of a step with branches: what each of them gets, and one of them."""

from __future__ import annotations

from agentgraph.drivers.branch_events import BranchEvents
from agentgraph.drivers.work.recover import assistant_message
from agentgraph.drivers.work.step_values import called, handed_over, json_or_text, text_for
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import RoutingError, UserError
from agentgraph.frontend.bindings import BranchBinding, StepBinding
from agentgraph.record.payloads import Waiting
from agentgraph.record.step_payloads import BranchOutput, Split
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Call, Outcome, Reply
from agentgraph.workflow.branches import Branches
from agentgraph.workflow.declared import value_at
from agentgraph.workflow.steps import STEP_BEGINS
from agentgraph_compiler.machine import Event


async def split(bench: Workbench, command: Perform) -> Outcome:
    """Say which branches of a step there are, and what the agents in them read first.

    Raises:
        RoutingError: There are more items than the step allows.
        UserError: There is no list where the step reads one, or an item has no JSON form.
    """
    binding: StepBinding = bench.bound(command.invoke.symbol)
    step, part, source = binding.step, binding.step.part, command.source
    handed = handed_over(bench, binding, source)
    named = zip(binding.branches, step.branches, strict=True)
    calls = [Call(symbol, one.name, place) for place, (symbol, one) in enumerate(named)]
    runs = any(branch.inner >= 0 for branch in step.branches)
    inputs: list[str] = []
    if isinstance(part, Branches) and part.each:
        items = _items(part, handed.values()[0])
        calls = [calls[0]._replace(position=place) for place in range(len(items))]
        inputs = [text_for(item, step.branches[0].name) for item in items] if runs else []
    elif runs:
        inputs = [handed.text()]
    single = not isinstance(part, Branches) or part.join.kind == "first_of"
    payload = Split(binding.id, source, tuple(inputs), single)
    return Outcome(command.id, Event.CHOSEN, payload, Reply(tuple(calls)))


async def work_in_branch(bench: Workbench, command: Perform) -> Outcome:
    """Do the work of one branch.

    Raises:
        Exception: Whatever the function raises, or the run of the agent or workflow.
    """
    events = _events_of(bench, command)
    outcome = await _worked(bench, command)
    if events is not None:
        events.ends(command.id.lane, waits=outcome.event is Event.AWAITING)
    return outcome


def _events_of(bench: Workbench, command: Perform) -> BranchEvents | None:
    """The order of the events of the branches; ``None`` if the run has no watcher."""
    watcher, split = bench.caches.watcher, command.source
    if watcher.publish is None or split is None:
        return None
    if watcher.branches is None or watcher.branches.split != split:
        part = bench.bound(command.invoke.symbol).step.step.part
        watcher.branches = BranchEvents(
            split,
            watcher.publish,
            bench.view.branches(split),
            ordered=not (isinstance(part, Branches) and part.interleaved),
            # A branch that hangs must not hold up one that is enough.
            bounded=not (isinstance(part, Branches) and part.join.needs),
        )
    return watcher.branches


async def _worked(bench: Workbench, command: Perform) -> Outcome:
    binding: BranchBinding = bench.bound(command.invoke.symbol)
    assert command.source is not None
    split: Split = bench.view.payload(command.source)
    agent = machine = ""
    if binding.read.function is None:
        place = command.position if len(split.inputs) > 1 else 0
        ended = await bench.caches.inner.run_branch(bench, command, binding, split.inputs[place])
        if isinstance(ended, Waiting):
            return Outcome(command.id, Event.AWAITING, ended)
        output, agent = ended
        machine = command.invoke.machine
    else:
        part = binding.step.step.part
        values = handed_over(bench, binding.step, split.source).values()
        if isinstance(part, Branches) and part.each:
            values = [_items(part, values[0])[command.position]]
        begins = STEP_BEGINS.get()
        if begins is not None:
            begins(binding.read.name)
        output = await called(bench, binding.read.function, values)
    text = json_or_text(output)
    payload = BranchOutput(
        output=output,
        message=assistant_message(str(output) if text is None else text),
        step=split.step,
        split=command.source,
        agent=agent,
        machine=machine,
    )
    return Outcome(command.id, Event.RETURNED, payload)


def _items(part: Branches, output: object) -> list[object]:
    """The items that a step works on.

    Raises:
        RoutingError: There are too many.
        UserError: There is no list.
    """
    file, line = part.origin
    where = f"Step '{part.name}' ({file}:{line})"
    field = ".".join(part.path)
    try:
        items = value_at(output, part.path)
    except (AttributeError, KeyError) as error:
        raise UserError(
            f"{where} reads the field '{field}' of the output before it, of type"
            f" {type(output).__name__}, which has no such field."
        ) from error
    if not isinstance(items, list | tuple):
        what = f"the field '{field}'" if field else "the output before it"
        raise UserError(f"{where} works on a list, but {what} is {type(items).__name__}.")
    if len(items) > part.at_most:
        raise RoutingError(
            f"{where} works on {part.at_most} items at most, and there are {len(items)}. Let the"
            " step before it give fewer, or raise at_most."
        )
    return list(items)
