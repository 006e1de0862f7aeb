"""Running the guardrails of agents and of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.drivers.work.copies import copy_of
from agentgraph.drivers.work.outputs import final_output
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.record.facts import ConversationIds
from agentgraph.record.payloads import GuardrailVerdict
from agentgraph.run_config import RunConfig
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.guardrail import GuardrailFunctionOutput, InputGuardrail, OutputGuardrail


async def guard_input(bench: Workbench, command: Perform) -> Outcome:
    """Run an input guardrail on the first input of the model."""
    agent, guardrail = bench.agent(command), bench.bound(command.invoke.symbol)
    result = await guardrail.run(agent, copy_of(bench.view.history), bench.context)
    return _verdict(command, agent, guardrail, result.output)


async def guard_output(bench: Workbench, command: Perform) -> Outcome:
    """Run an output guardrail on the final output."""
    agent, guardrail = bench.agent(command), bench.bound(command.invoke.symbol)
    judged = final_output(bench, command.source, agent)
    result = await guardrail.run(bench.context, agent, judged)
    return _verdict(command, agent, guardrail, result.output, about_output=True, judged=judged)


def check_outputs_can_be_withheld(
    agent: Agent[Any], config: RunConfig, ids: ConversationIds
) -> None:
    """Refuse output guardrails if the server keeps the conversation.

    An output that they block is in that conversation already and cannot be removed.

    Args:
        agent: The agent at work.
        config: The run's configuration.
        ids: The conversation that the server keeps.

    Raises:
        UserError: The agent or the run has output guardrails, and the server keeps a conversation.
    """
    if (agent.output_guardrails or config.output_guardrails) and ids.kept_by_server:
        raise UserError(
            f"Output guardrails of agent '{agent.name}' cannot be combined with conversation_id,"
            " previous_response_id or auto_previous_response_id: an output that they block stays in"
            " the conversation that the server keeps. Use a session, or judge the output after the"
            " run."
        )


def _verdict(
    command: Perform,
    agent: Agent[Any],
    guardrail: InputGuardrail[Any] | OutputGuardrail[Any],
    verdict: GuardrailFunctionOutput,
    about_output: bool = False,
    judged: object = None,
) -> Outcome:
    tripped = getattr(verdict, "tripwire_triggered", None)
    if tripped is None:
        raise UserError(
            f"Guardrail '{guardrail.get_name()}' of agent '{agent.name}' must return"
            f" GuardrailFunctionOutput, got {type(verdict).__name__}"
        )
    payload = GuardrailVerdict(
        symbol=command.invoke.symbol,
        agent=command.agent,
        tripped=bool(tripped),
        info=verdict.output_info,
        about_output=about_output,
        judged=judged,
    )
    return Outcome(command.id, Event.TRIPPED if tripped else Event.PASSED, payload)
