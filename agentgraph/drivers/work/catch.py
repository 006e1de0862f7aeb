"""The work of a workflow's edges after exceptions: choosing one, and what the next step gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agentgraph.drivers.work.step_values import (
    HandedOver,
    PassedOutputs,
    RunInput,
    choice_of,
    handed_over,
)
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
)
from agentgraph.frontend.bindings import StepBinding
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.record.payloads import GuardrailVerdict
from agentgraph.record.step_payloads import Chosen
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.stored.faults import RecordedError
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.declared import Case, ErrorEdge
from agentgraph_compiler.machine import Event


async def catch(bench: Workbench, command: Perform) -> Outcome:
    """Choose the edge that catches what a step failed with; without one the run fails with it.

    Raises:
        UserError: What the next step gets has no JSON form.
    """
    binding: StepBinding = bench.bound(command.invoke.symbol)
    raised = _raised(bench, command.source)
    edge = next((one for one in binding.step.errors if _catches(one, raised)), None)
    if edge is None:
        return Outcome(command.id, Event.DECLINED)
    payload = Chosen(
        step=binding.id,
        source=None,
        agent=command.agent,
        case=edge.case.label,
        inputs=dict(_inputs(bench, binding, edge.case)),
        entered=bench.view.entered,
    )
    reply = Reply(case=f"{binding.id}/error/{edge.case.label}")
    return Outcome(command.id, Event.CHOSEN, payload, reply)


def _inputs(
    bench: Workbench, binding: StepBinding, case: Case
) -> Iterator[tuple[str, str | tuple[Any, ...]]]:
    """The first inputs of the agents to which a case leads; none for those that go on with the
    conversation."""
    outputs = PassedOutputs(bench, binding)
    for target in (case.target, case.exhausted):
        if not hasattr(target, "handoffs"):
            continue
        id_of = binding.ids[id(target)]
        if case.gives and target is case.target:
            yield id_of, HandedOver(case, target, case.target, outputs).text()
        elif not _in_conversation(bench, binding):
            handed = handed_over(bench, binding, bench.view.entered)
            if isinstance(handed, RunInput) and not isinstance(handed.input, str):
                yield id_of, tuple(ItemHelpers.input_to_new_input_list(bench.facts.input))
            else:
                yield id_of, handed.text()


def _in_conversation(bench: Workbench, binding: StepBinding) -> bool:
    """Whether a step went on with the conversation rather than with what an edge handed over."""
    part, entered = binding.step.part, bench.view.entered
    if isinstance(part, Budget):
        return False
    if entered is None:
        return part is not bench.caches.bindings.start.agent
    chosen: Chosen = bench.view.payload(entered)
    _, case = choice_of(bench, chosen)
    if part is not case.target and part is not case.exhausted:
        return True  # a handoff led to it
    return hasattr(part, "handoffs") and binding.id not in chosen.inputs


def _raised(bench: Workbench, source: CommandId | None) -> BaseException | type[BaseException]:
    """The exception of a step, or its class."""
    if source is None:
        return MaxTurnsExceeded
    payload = bench.view.payload(source)
    if isinstance(payload, GuardrailVerdict):
        if payload.about_output:
            return OutputGuardrailTripwireTriggered
        return InputGuardrailTripwireTriggered
    return bench.error(source)


def _catches(edge: ErrorEdge, raised: BaseException | type[BaseException]) -> bool:
    """Whether an edge catches an exception.

    Of an exception of an earlier process only the name of its class is there. It is looked up among
    the classes that the program has loaded.
    """
    if isinstance(raised, type):
        return issubclass(raised, edge.errors)
    if not isinstance(raised, RecordedError):
        return isinstance(raised, edge.errors)
    return Exception in edge.errors or raised.class_path in _paths(edge.errors)


def _paths(classes: Sequence[type[Exception]]) -> set[str]:
    """The paths of some classes and of their subclasses."""
    seen, waiting = set[type[Exception]](), list(classes)
    while waiting:
        cls = waiting.pop()
        if cls not in seen:
            seen.add(cls)
            waiting += cls.__subclasses__()
    return {f"{cls.__module__}.{cls.__qualname__}" for cls in seen}
