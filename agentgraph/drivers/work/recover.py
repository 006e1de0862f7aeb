"""Asking the caller's error handlers for a final output in place of a fault
(``error_handlers``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.callbacks import resolve
from agentgraph.drivers.payloads import FinalOutput
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.offer import output_schema
from agentgraph.exceptions import MaxTurnsExceeded, ModelBehaviorError, UserError
from agentgraph.items import MessageOutputItem
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.run_error_handlers import RunErrorData, RunErrorHandlerInput, RunErrorHandlerResult
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from openai.types.responses import ResponseOutputMessage


async def recover(run: Run, command: Perform) -> Outcome:
    """Ask the handler of a fault; without a handler, or an answer of it, the fault stands.

    Raises:
        UserError: The handler's answer is unusable.
    """
    fault = command.invoke.symbol.rpartition("/")[2]
    handler = run.handlers.get(fault)
    if handler is None:  # the run began with one and was resumed without
        return Outcome(command.id, Event.DECLINED)
    agent = run.binding(command.agent).agent
    error = turns_exceeded(run) if fault == "max_turns" else run.payload(command.source).fault
    log = run.transcript
    answer = await resolve(
        handler(
            RunErrorHandlerInput(
                error=error,
                context=run.context,
                run_data=RunErrorData(
                    input=log.input,
                    new_items=list(log.new_items),
                    history=log.normalized(),
                    output=[
                        item.to_input_item()
                        for item in log.new_items
                        if item.type != "tool_approval_item"
                    ],
                    raw_responses=list(run.raw_responses),
                    last_agent=agent,
                ),
            )
        )
    )
    if answer is None:
        return Outcome(command.id, Event.DECLINED)
    if isinstance(answer, dict) and "final_output" in answer:
        answer = RunErrorHandlerResult(**answer)
    elif not isinstance(answer, RunErrorHandlerResult):
        answer = RunErrorHandlerResult(answer)
    output, text = _validated(agent, answer.final_output)
    items: tuple[MessageOutputItem, ...] = ()
    if answer.include_in_history:
        items = (MessageOutputItem(agent=agent, raw_item=_message(text)),)
    return Outcome(command.id, Event.ACCEPTED, FinalOutput(output, items))


def turns_exceeded(run: Run) -> MaxTurnsExceeded:
    """The exception for a run that used up its turns."""
    return MaxTurnsExceeded(f"Max turns ({run.limit}) exceeded")


def _validated(agent: Any, output: Any) -> tuple[Any, str]:
    """The output as the agent's type has it, and its text."""
    schema = output_schema(agent)
    if schema is None or schema.is_plain_text():
        return output, str(output)
    from pydantic_core import to_json

    # A type whose schema is not an object of its own travels wrapped (agent_output).
    for form in (output, {"response": output}):
        text = to_json(form).decode()
        try:
            return schema.validate_json(text), text
        except ModelBehaviorError:
            continue
    raise UserError(
        f"An error handler gave a final output that is no {schema.name()},"
        f" the output type of agent '{agent.name}'"
    )


def _message(text: str) -> ResponseOutputMessage:
    from openai.types.responses import ResponseOutputMessage, ResponseOutputText

    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(
        id=FAKE_RESPONSES_ID,
        content=[part],
        role="assistant",
        status="completed",
        type="message",
    )
