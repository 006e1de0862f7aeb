"""A small desk whose runs meet every subject of coverage: a handoff each way, tools with and
without approval, guardrails of agents and of tools, an agent used as a tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    function_tool,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call

ANSWER = [assistant_message("Done.")]
TO_REFUNDS = [function_call("transfer_to_refunds", {}, call_id="handoff")]
ASK = [function_call("ask", {"input": "?"}, call_id="ask")]
LOOK = [function_call("look", {"order": "1"}, call_id="look")]
PAY = [function_call("pay", {"order": "1"}, call_id="pay")]


def in_scope(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered="weather" in str(text))


def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered=output == "No.")


def small(data: Any) -> ToolGuardrailFunctionOutput:
    if "1000" in data.context.tool_arguments:
        return ToolGuardrailFunctionOutput.reject_content("Too much.")
    return ToolGuardrailFunctionOutput.allow()


def desk(
    triage: Sequence[Any],
    refunds: Sequence[Any] = (),
    expert: Sequence[Any] = (),
    *,
    instructions: str = "",
) -> Agent[Any]:
    """The desk, made anew, with the replies of its agents."""

    @function_tool
    def look(order: str) -> str:
        """Look an order up."""
        return order

    @function_tool(needs_approval=True, tool_input_guardrails=[ToolInputGuardrail(small)])
    def pay(order: str) -> str:
        """Pay an order back."""
        return "paid"

    knows = Agent(name="Expert", model=ScriptedModel(expert), tools=[look])
    pays = Agent(
        name="Refunds",
        model=ScriptedModel(refunds),
        tools=[pay],
        output_guardrails=[OutputGuardrail(polite)],
    )
    first = Agent(
        name="Triage",
        instructions=instructions,
        model=ScriptedModel(triage),
        tools=[knows.as_tool("ask", "Ask the expert.")],
        handoffs=[pays],
        input_guardrails=[InputGuardrail(in_scope)],
    )
    pays.handoffs.append(first)
    return first
