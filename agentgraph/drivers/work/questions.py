"""The work of a question that is a step: to wait for the answer of a person, and to read it."""

from __future__ import annotations

from itertools import chain

from agentgraph.approvals import CallKey
from agentgraph.drivers.work.edges import finished, received
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import Bindings, StepBinding
from agentgraph.items.question_item import QuestionItem, question_data, question_digest
from agentgraph.record.payloads import Question, Waiting
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.workflow.questions import QuestionStep
from agentgraph_compiler.machine import Event


async def answer(bench: Workbench, command: Perform) -> Outcome:
    """Take the answer to a question.

    Returns:
        ``DONE`` with the answer as a value of its type, or ``AWAITING`` while there is none.

    Raises:
        UserError: The answer does not fit the type, or what the person gets has no JSON form.
    """
    symbol = command.invoke.symbol
    binding: StepBinding = bench.bound(symbol)
    step = binding.step.part
    assert isinstance(step, QuestionStep)  # the table says so
    asked = _question(bench, command, binding, step)
    decision = bench.view.ruling_on(asked.key, asked.tool, asked.content)
    if decision is None or decision.answer is None:
        return Outcome(command.id, Event.AWAITING, Waiting((asked,)))
    return finished(command, binding, step.read(decision.answer))


def step_of(item: QuestionItem, bindings: Bindings) -> QuestionStep:
    """The step that asks a question.

    Raises:
        UserError: The program no longer has it.
    """
    data = item.raw_item
    row = bindings.machines.get(data["machine"], bindings).symbols.get(data["step"])
    part = row.step.part if isinstance(row, StepBinding) else None
    if not isinstance(part, QuestionStep):
        raise UserError(f"Question {item.name!r} is no longer asked: the program has changed.")
    return part


def _question(
    bench: Workbench, command: Perform, binding: StepBinding, step: QuestionStep
) -> Question:
    """The question; its key is the choice that led to it, so it stays the same when a resumed run
    asks again, and differs in each round of a loop."""
    assert command.source is not None  # the table says so
    chosen = tuple(command.source)
    data = question_data(
        id=".".join(map(str, (binding.id, *chain(*bench.facts.path), *chosen))),
        step=command.invoke.symbol,
        machine=bench.facts.machine,
        name=step.name,
        question=step.question,
        schema=step.schema,
        received=received(bench, command, binding),
    )
    return Question(
        key=CallKey(bench.facts.path, chosen, command.id.lane),
        tool=(command.invoke.symbol, step.name),
        content=question_digest(data),
        agent=command.agent,
        machine=bench.facts.machine,
        raw=data,
        name=step.name,
    )
