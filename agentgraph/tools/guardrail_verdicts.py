"""Verdicts of tool guardrails as words."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from agentgraph.tool_guardrails import ToolGuardrailFunctionOutput

__all__ = ["ToolVerdict", "output_of", "verdict_of"]

ToolVerdict: TypeAlias = Literal["pass", "reject", "trip"]
"""The call goes on, the model gets a message in place of the result, or the run ends."""

_WORDS: Final[dict[str, ToolVerdict]] = {
    "allow": "pass",
    "reject_content": "reject",
    "raise_exception": "trip",
}


def verdict_of(output: ToolGuardrailFunctionOutput) -> ToolVerdict:
    """The word for a verdict."""
    return _WORDS[output.behavior["type"]]


def output_of(verdict: ToolVerdict, message: str) -> ToolGuardrailFunctionOutput:
    """The output of a guardrail with this verdict.

    Args:
        verdict: The verdict.
        message: For the model, if the guardrail rejects.
    """
    match verdict:
        case "pass":
            return ToolGuardrailFunctionOutput.allow()
        case "reject":
            return ToolGuardrailFunctionOutput.reject_content(message)
        case "trip":
            return ToolGuardrailFunctionOutput.raise_exception()
