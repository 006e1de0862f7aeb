"""The work of a workflow's edges: choosing a case and what the next step gets, and calling a
function that is a step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from agentgraph.drivers.work.outputs import final_output
from agentgraph.drivers.work.recover import assistant_message
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import StepBinding
from agentgraph.record.payloads import Chosen, FinalOutput
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.user_code.callbacks import call_in_thread
from agentgraph.workflow.declared import Case, value_at
from agentgraph.workflow.outputs import OutputOf, name_of_step, path_of, step_behind
from agentgraph.workflow.steps import STEP_BEGINS, End
from agentgraph_compiler.machine import Event


async def leave(bench: Workbench, command: Perform) -> Outcome:
    """Choose the case that the output of a step takes, and what the agent of the next step reads.

    Raises:
        RoutingError: No case takes the value.
        UserError: What the next step gets has no JSON form.
    """
    binding: StepBinding = bench.caches.bindings.symbols[command.invoke.symbol]
    edges = binding.step.edges
    assert edges is not None  # the table says so
    assert command.source is not None
    outputs = _Outputs(bench, binding)
    outputs.add(edges.step, final_output(bench, command.source, bench.agent(command)))
    case = edges.cases[0]
    if edges.on is not None:
        source = edges.step if edges.on.step is None else edges.on.step
        case = edges.chosen(edges.on(outputs.of(source)), binding.step.name)
    inputs = {}
    for target in (case.target, case.exhausted):
        if hasattr(target, "handoffs") and not case.carries:
            inputs[binding.ids[id(target)]] = _input(case, target, edges.step, outputs)
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
    binding: StepBinding = bench.caches.bindings.symbols[command.invoke.symbol]
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
        text = _json_or_text(output)
        message = assistant_message(str(output) if text is None else text)
    return Outcome(command.id, Event.DONE, FinalOutput(output, message, step=binding.id))


def received(bench: Workbench, command: Perform, binding: StepBinding) -> str:
    """What a person who is asked gets, in the form in which an agent would.

    Raises:
        UserError: It has no JSON form.
    """
    case, before, outputs = _entered(bench, command, binding)
    return _input(case, binding.step.part, before.step.part, outputs)


def _entered(
    bench: Workbench, command: Perform, binding: StepBinding
) -> tuple[Case, StepBinding, _Outputs]:
    """The case by which a run came to a step, the step before, and the outputs of steps."""
    assert command.source is not None
    chosen: Chosen = bench.view.payload(command.source)
    before: StepBinding = bench.caches.bindings.symbols[f"{chosen.step}/edge"]
    assert before.step.edges is not None  # the table says so
    case = next(one for one in before.step.edges.cases if one.label == chosen.case)
    return case, before, _Outputs(bench, binding)


class _Outputs:
    """The outputs of the steps that a run has left, by step."""

    def __init__(self, bench: Workbench, binding: StepBinding) -> None:
        self._bench, self._binding = bench, binding
        self._here: dict[int, object] = {}

    def add(self, step: object, output: object) -> None:
        """Note the output of a step that the run is leaving."""
        self._here[id(step)] = output

    def of(self, step: object) -> object:
        """The output of a step.

        Raises:
            UserError: The run has not left that step.
        """
        if id(step) in self._here:
            return self._here[id(step)]
        row = self._bench.view.outputs.get(self._binding.ids.get(id(step), ""))
        if row is None:
            raise UserError(
                f"Step '{self._binding.step.name}' needs the output of '{name_of_step(step)}',"
                " which this run has not passed. Let every way to here pass it."
            )
        source, agent = row
        return final_output(self._bench, source, self._bench.binding(agent).agent)

    def at(self, output: OutputOf) -> object:
        """What `output_of(step).field` stands for."""
        return value_at(self.of(step_behind(output)), path_of(output))


async def _called(bench: Workbench, command: Perform, binding: StepBinding) -> object:
    function = binding.step.function
    assert function is not None  # the reading says so
    case, before, outputs = _entered(bench, command, binding)
    values: Sequence[object] = [outputs.at(one) for one in _gives(case, binding.step.part)]
    if not values and function.most != 0:
        values = [outputs.of(before.step.part)]
    arguments: list[Any] = [bench.context, *values] if function.takes_context else [*values]
    call = partial(function.function, *arguments)
    if iscoroutinefunction(function.function):
        return await call()
    return await call_in_thread(f"step '{function.name}'", call)


def _input(case: Case, target: object, step: object, outputs: _Outputs) -> str:
    """What an agent or a person gets: the text of one output, or several as one JSON object."""
    gives = _gives(case, target)
    name = name_of_step(target)
    if not gives:
        return _text(outputs.of(step), name)
    if len(gives) == 1:
        return _text(outputs.at(gives[0]), name)
    named = {
        ".".join((name_of_step(step_behind(one)), *path_of(one))): outputs.at(one) for one in gives
    }
    return _text(named, name)


def _gives(case: Case, target: object) -> Sequence[OutputOf]:
    """What a case hands over; after its last round the plain output."""
    return case.gives if target is case.target else ()


def _text(value: object, step: str) -> str:
    """The text of a value for an agent or a person.

    Raises:
        UserError: The value has none.
    """
    text = _json_or_text(value)
    if text is None:
        raise UserError(
            f"Step '{step}' cannot get the output before it, of type {type(value).__name__}: it has"
            " no JSON form. Return text, a pydantic model or plain data, or give it to a function."
        )
    return text


def _json_or_text(value: object) -> str | None:
    """A text as it is, any other value as JSON; ``None`` for one without a JSON form."""
    if isinstance(value, str):
        return value
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(value).decode()
    except (PydanticSerializationError, ValueError):
        return None
