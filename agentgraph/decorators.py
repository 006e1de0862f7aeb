"""Every decorator of the package in one place; `tool` is a shorter name of `function_tool`."""

from __future__ import annotations

from agentgraph.guardrail import input_guardrail, output_guardrail
from agentgraph.tool_guardrails import tool_input_guardrail, tool_output_guardrail
from agentgraph.tools.decorator import function_tool

__all__ = [
    "function_tool",
    "input_guardrail",
    "output_guardrail",
    "tool",
    "tool_input_guardrail",
    "tool_output_guardrail",
]

tool = function_tool
