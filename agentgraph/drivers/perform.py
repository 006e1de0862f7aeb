"""How each kind of work is done. Every function gives an outcome of a kind that the machine's table
knows.

What user code or a model raises becomes the outcome ``FAILED`` with the exception as payload; a
cancelled task is cancelled and has no outcome. Code that raises ``CancelledError`` by itself has
failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agentgraph.agent import ToolsToFinalOutputResult
from agentgraph.callbacks import resolve
from agentgraph.cancellation import is_cancelled
from agentgraph.drivers.payloads import FinalOutput
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.act import act
from agentgraph.drivers.work.actions import perform_action
from agentgraph.drivers.work.hooks import call_hooks, context_of
from agentgraph.drivers.work.recover import recover
from agentgraph.drivers.work.think import think
from agentgraph.drivers.work.transfer import transfer
from agentgraph.exceptions import UserError
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event, InvokeKind


async def perform(run: Run, command: Perform) -> Outcome:
    """Do the work of a command.

    Args:
        run: The run it belongs to.
        command: What to do.

    Returns:
        Its outcome; whatever was raised is the payload of a failed one.
    """
    try:
        return await _PERFORMS[command.invoke.kind](run, command)
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        return Outcome(command.id, Event.FAILED, _cancelled_itself(run, command, error))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return Outcome(command.id, Event.FAILED, error)


def _cancelled_itself(run: Run, command: Perform, error: asyncio.CancelledError) -> UserError:
    """What is raised for work that cancelled itself: nobody cancelled the run, so it has failed."""
    fault = UserError(
        f"'{command.invoke.symbol}' of agent '{run.binding(command.agent).agent.name}' raised"
        " CancelledError although nobody cancelled the run. Something that it awaits was cancelled."
    )
    fault.__cause__ = error
    return fault


async def _action(run: Run, command: Perform) -> Outcome:
    known = run.payload(command.source).tools.get(command.position) is not None
    return await (perform_action if known else act)(run, command)


async def _input_guardrail(run: Run, command: Perform) -> Outcome:
    agent = run.binding(command.agent).agent
    guardrail = run.bindings.symbols[command.invoke.symbol]
    history = run.transcript.history
    given = history if isinstance(history, str) else list(history)
    return _verdict(command, agent, await guardrail.run(agent, given, run.context))


async def _output_guardrail(run: Run, command: Perform) -> Outcome:
    agent = run.binding(command.agent).agent
    guardrail = run.bindings.symbols[command.invoke.symbol]
    judged = final_output(run, command.source, agent)
    return _verdict(command, agent, await guardrail.run(run.context, agent, judged))


def _verdict(command: Perform, agent: Any, result: Any) -> Outcome:
    tripped = getattr(result.output, "tripwire_triggered", None)
    if tripped is None:
        raise UserError(
            f"Guardrail '{result.guardrail.get_name()}' of agent '{agent.name}' must return"
            f" GuardrailFunctionOutput, got {type(result.output).__name__}"
        )
    return Outcome(command.id, Event.TRIPPED if tripped else Event.PASSED, result)


async def _end(run: Run, command: Perform) -> Outcome:
    agent = run.binding(command.agent).agent
    if run.hooked(agent):
        context, output = context_of(run, []), final_output(run, command.source, agent)
        await call_hooks(run, agent, ("on_agent_end", "on_end"), agent, output, context=context)
    return Outcome(command.id, Event.DONE)


async def _decide(run: Run, command: Perform) -> Outcome:
    agent = run.binding(command.agent).agent
    results = [payload.result for payload in run.returned() if payload.result is not None]
    decision = await resolve(agent.tool_use_behavior(run.context, results))
    if not isinstance(decision, ToolsToFinalOutputResult):
        raise UserError(
            f"tool_use_behavior of agent '{agent.name}' must return ToolsToFinalOutputResult,"
            f" got {type(decision).__name__}"
        )
    if not decision.is_final_output:
        return Outcome(command.id, Event.DECLINED)
    return Outcome(command.id, Event.ACCEPTED, FinalOutput(decision.final_output))


def final_output(run: Run, source: CommandId | None, agent: Any) -> Any:
    """The final output that an outcome holds.

    What a tool returned is text for an agent of text, and is passed on unparsed for a structured
    one.
    """
    output = run.payload(source).output
    plain = agent.output_type is None or agent.output_type is str
    return str(output) if plain and not isinstance(output, str) else output


_PERFORMS: Mapping[InvokeKind, Callable[[Run, Perform], Awaitable[Outcome]]] = {
    InvokeKind.MODEL: think,
    InvokeKind.FUNCTION: act,
    InvokeKind.AGENT: act,
    InvokeKind.ACTION: _action,
    InvokeKind.INPUT_GUARDRAIL: _input_guardrail,
    InvokeKind.OUTPUT_GUARDRAIL: _output_guardrail,
    InvokeKind.HANDOFF: transfer,
    InvokeKind.DECIDE: _decide,
    InvokeKind.RECOVER: recover,
    InvokeKind.END: _end,
}
