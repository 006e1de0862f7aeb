"""Asking the caller's error handlers for a final output in place of a fault
(``error_handlers``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.agent_output import AgentOutputSchema, output_schema_of
from agentgraph.drivers.work.copies import copies_of, copy_of
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import MaxTurnsExceeded, ModelBehaviorError, UserError
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.record.step_payloads import FinalOutput
from agentgraph.run_error_handlers import RunErrorData, RunErrorHandlerInput, RunErrorHandlerResult
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.user_code.callbacks import resolve
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from openai.types.responses import ResponseOutputMessage

    from agentgraph.agent import Agent


async def recover(bench: Workbench, command: Perform) -> Outcome:
    """Ask the handler of a fault for an output; without a handler or an answer the fault stands.

    Raises:
        UserError: The handler's answer is unusable.
    """
    fault = command.invoke.symbol.rpartition("/")[2]
    handler = bench.facts.handlers.get(fault)
    if handler is None:  # the run began with a handler and was resumed without it
        return Outcome(command.id, Event.DECLINED)
    agent, view = bench.agent(command), bench.view
    error: Any = turns_exceeded(bench.facts.limit)
    if fault != "max_turns":
        error = bench.error(command.source)
    items = list(copies_of(view.items))
    handler_input = RunErrorHandlerInput(
        error=error,
        context=bench.context,
        run_data=RunErrorData(
            input=copy_of(view.input),
            new_items=items,
            history=copy_of(view.normalized()),
            output=[item.to_input_item() for item in items if item.type != "tool_approval_item"],
            raw_responses=list(view.raw_responses),
            last_agent=agent,
        ),
    )
    answer: object = await resolve(handler(handler_input))
    if answer is None:
        return Outcome(command.id, Event.DECLINED)
    result = _result(answer, fault)
    output, text = _validated(agent, result.final_output)
    message = assistant_message(text) if result.include_in_history else None
    return Outcome(command.id, Event.ACCEPTED, FinalOutput(output, message))


def _result(answer: object, fault: str) -> RunErrorHandlerResult:
    """Read a handler's answer: a result, a dictionary of its fields, or a bare final output."""
    if isinstance(answer, RunErrorHandlerResult):
        return answer
    if not isinstance(answer, dict) or "final_output" not in answer:
        return RunErrorHandlerResult(answer)
    more = answer.keys() - {"final_output", "include_in_history"}
    if more:
        raise UserError(
            f"The error handler for '{fault}' gave a dictionary with 'final_output' and"
            f" {', '.join(sorted(map(repr, more)))}. Return RunErrorHandlerResult(...) to make such"
            " a dictionary the final output."
        )
    return RunErrorHandlerResult(**answer)


def turns_exceeded(limit: int | None) -> MaxTurnsExceeded:
    """The exception for a run that used up its turns."""
    return MaxTurnsExceeded(f"Max turns ({limit}) exceeded")


def _validated(agent: Agent[Any], output: object) -> tuple[Any, str]:
    """Validate an output against the agent's type; return it with the text of a model's reply."""
    schema = output_schema_of(agent.output_type)
    if schema is None or schema.is_plain_text():
        return output, str(output)
    from pydantic_core import PydanticSerializationError, to_json

    # If the schema of a type is not an object, the output is wrapped in one (agent_output).
    wrapped = isinstance(schema, AgentOutputSchema) and schema._is_wrapped
    for form in (output, {"response": output}) if wrapped else (output,):
        try:
            value = schema.validate_json(to_json(form).decode())
            return value, to_json({"response": value} if wrapped else value).decode()
        except (ModelBehaviorError, PydanticSerializationError):
            continue
    raise UserError(
        f"An error handler returned a final output that does not fit {schema.name()},"
        f" the output type of agent '{agent.name}'"
    )


def assistant_message(text: str) -> ResponseOutputMessage:
    """A text as a message of the assistant."""
    from openai.types.responses import ResponseOutputMessage, ResponseOutputText

    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(
        id=FAKE_RESPONSES_ID,
        content=[part],
        role="assistant",
        status="completed",
        type="message",
    )
