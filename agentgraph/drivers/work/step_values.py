"""What an edge hands over: the outputs of the steps that a run has left, as values and as text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from agentgraph.drivers.work.outputs import final_output
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import StepBinding
from agentgraph.record.step_payloads import Chosen
from agentgraph.runtime.commands import CommandId
from agentgraph.user_code.callbacks import call_in_thread
from agentgraph.workflow.branches import Branches
from agentgraph.workflow.declared import Case, value_at
from agentgraph.workflow.outputs import OutputOf, name_of_step, path_of, step_behind
from agentgraph.workflow.steps import FunctionStep


class PassedOutputs:
    """The outputs of the steps that a run has left, by step."""

    def __init__(self, bench: Workbench, binding: StepBinding) -> None:
        self._bench, self._binding = bench, binding
        self._here: dict[int, tuple[CommandId, str]] = {}

    def add(self, step: object, source: CommandId, agent: str) -> None:
        """Note the step that the run is leaving: the outcome with its output, and its agent."""
        self._here[id(step)] = source, agent

    def of(self, step: object) -> object:
        """The output of a step.

        Raises:
            UserError: The run has not left that step.
        """
        source, agent = self._row(step)
        return final_output(self._bench, source, self._bench.binding(agent).agent)

    def for_agent(self, step: object) -> object:
        """The output of a step as an agent reads it: that of branches labelled by their names.

        Raises:
            UserError: The run has not left that step.
        """
        source, _ = self._row(step)
        split = self._bench.view.payload(source)
        if not isinstance(step, Branches) or step.each or split.single:
            return self.of(step)
        over = self._bench.view.branches(source)
        return {step.parts[lane].name: payload.output for lane, (_, payload) in over.items()}

    def _row(self, step: object) -> tuple[CommandId, str]:
        row = self._here.get(id(step))
        if row is None:
            row = self._bench.view.outputs.get(self._binding.ids.get(id(step), ""))
        if row is None:
            raise UserError(
                f"Step '{self._binding.step.name}' needs the output of '{name_of_step(step)}',"
                " which this run has not passed. Let every way to here pass it."
            )
        return row

    def at(self, output: OutputOf) -> object:
        """What `output_of(step).field` stands for."""
        return value_at(self.of(step_behind(output)), path_of(output))


class HandedOver(NamedTuple):
    """What a case hands over to a step.

    Args:
        case: The case.
        target: The step that it leads to: its target, or the one after its last round.
        step: The step before.
        outputs: The outputs of the steps that the run has left.
    """

    case: Case
    target: object
    step: object
    outputs: PassedOutputs

    @property
    def _gives(self) -> Sequence[OutputOf]:
        """The outputs that the case names; after its last round it hands over the plain output."""
        return self.case.gives if self.target is self.case.target else ()

    def values(self) -> list[object]:
        """The values for a function."""
        return [self.outputs.at(one) for one in self._gives] or [self.outputs.of(self.step)]

    def text(self) -> str:
        """The first input of an agent: the text of one output, or several as one JSON object.

        Raises:
            UserError: An output has no JSON form.
        """
        gives, name, outputs = self._gives, name_of_step(self.target), self.outputs
        if not gives:
            return text_for(outputs.for_agent(self.step), name)
        values = {
            ".".join((name_of_step(step_behind(one)), *path_of(one))): (
                outputs.at(one) if path_of(one) else outputs.for_agent(step_behind(one))
            )
            for one in gives
        }
        return text_for(values if len(gives) > 1 else next(iter(values.values())), name)


class RunInput(NamedTuple):
    """The input of the run, which its first step gets.

    Args:
        input: The input.
        step: The name of the step that gets it.
    """

    input: object
    step: str

    def values(self) -> list[object]:
        """The values for a function."""
        return [self.input]

    def text(self) -> str:
        """The first input of an agent.

        Raises:
            UserError: It has no JSON form.
        """
        return text_for(self.input, self.step)


def handed_over(
    bench: Workbench, binding: StepBinding, source: CommandId | None
) -> HandedOver | RunInput:
    """What an edge has handed over to a step; after an exception, what the failed step had got.

    Args:
        bench: The run.
        binding: The step.
        source: The outcome that chose the edge; ``None`` for the first step.
    """
    part = binding.step.part
    while source is not None:
        chosen: Chosen = bench.view.payload(source)
        before, case = choice_of(bench, chosen)
        if chosen.source is not None or (case.gives and part is case.target):
            return HandedOver(case, part, before, PassedOutputs(bench, binding))
        source, part = chosen.entered, before
    return RunInput(bench.facts.input, binding.step.name)


def choice_of(bench: Workbench, chosen: Chosen) -> tuple[object, Case]:
    """The step that a choice left, and the way that it took."""
    step = bench.bound(f"{chosen.step}/edge").step
    failed = chosen.source is None
    cases = [one.case for one in step.errors] if failed else step.edges.cases
    return step.part, next(one for one in cases if one.label == chosen.case)


async def called(bench: Workbench, function: FunctionStep, values: Sequence[object]) -> object:
    """What a function returns.

    Args:
        bench: The run.
        function: The function.
        values: The values for it; a function without parameters gets none.

    Raises:
        Exception: The function raised it.
    """
    taken = [] if function.most == 0 else values
    arguments: list[Any] = [bench.context, *taken] if function.takes_context else [*taken]
    call = partial(function.function, *arguments)
    if iscoroutinefunction(function.function):
        return await call()
    return await call_in_thread(f"step '{function.name}'", call)


def text_for(value: object, step: str) -> str:
    """The text of a value for an agent.

    Raises:
        UserError: The value has none.
    """
    text = json_or_text(value)
    if text is None:
        raise UserError(
            f"Step '{step}' cannot get the output before it, of type {type(value).__name__}: it has"
            " no JSON form. Return text, a pydantic model or plain data, or give it to a function."
        )
    return text


def json_or_text(value: object) -> str | None:
    """A text as it is, any other value as JSON; ``None`` for one without a JSON form."""
    if isinstance(value, str):
        return value
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(value).decode()
    except (PydanticSerializationError, ValueError):
        return None
