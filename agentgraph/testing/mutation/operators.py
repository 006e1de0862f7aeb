"""`OPERATORS`: the only list of operators. A new one is a function in a file of its family, and a
line here."""

from __future__ import annotations

from typing import Final

from agentgraph.testing.mutation import choices, edges, guardrails, handoffs, limits, tools
from agentgraph.testing.mutation.changes import Operator

__all__ = ["OPERATORS", "operator_named"]

OPERATORS: Final = (
    Operator("drop-handoff", "takes a handoff away", handoffs.drop_handoff),
    Operator("swap-handoffs", "exchanges the targets of two handoffs", handoffs.swap_handoffs),
    Operator("enable-handoff", "ignores is_enabled of a handoff", handoffs.enable_handoff),
    Operator("drop-input-filter", "takes the filter of a handoff", handoffs.drop_input_filter),
    Operator("drop-guardrail", "takes a guardrail of an agent away", guardrails.drop_guardrail),
    Operator(
        "run-guardrail-in-parallel",
        "lets the model start before a guardrail has passed",
        guardrails.run_guardrail_in_parallel,
    ),
    Operator(
        "block-on-guardrail",
        "lets the model wait for a guardrail that runs an agent",
        guardrails.block_on_guardrail,
    ),
    Operator(
        "drop-tool-guardrail", "takes a guardrail of a tool away", guardrails.drop_tool_guardrail
    ),
    Operator("drop-tool", "takes a tool, or a server of tools, away", tools.drop_tool),
    Operator("enable-tool", "ignores is_enabled of a tool", tools.enable_tool),
    Operator("drop-approval", "lets a tool run without approval", tools.drop_approval),
    Operator("raise-cap", "doubles max_turns of an agent tool", limits.raise_cap),
    Operator("drop-timeout", "takes the time-out of a tool", limits.drop_timeout),
    Operator("drop-tool-choice", "lets the model choose its calls", choices.drop_tool_choice),
    Operator("flip-tool-choice-reset", "inverts reset_tool_choice", choices.flip_tool_choice_reset),
    Operator("drop-stop", "calls the model again after each tool", choices.drop_stop),
    Operator("stop-at-first-tool", "ends with the first tool's output", choices.stop_at_first_tool),
    Operator("drop-output-type", "lets an agent answer with text", choices.drop_output_type),
    Operator("drop-case", "takes a case of a route away", edges.drop_case),
    Operator("swap-cases", "exchanges the targets of two cases", edges.swap_cases),
    Operator("raise-at-most", "lets a loop go round twice as often", edges.raise_at_most),
    Operator("drop-at-most", "takes the limit of a loop", edges.drop_at_most),
)


def operator_named(name: str) -> Operator | None:
    """The operator of a name; `None` if there is none."""
    return next((one for one in OPERATORS if one.name == name), None)
