"""The homework workflow of the SDK guide, with a tool and an agent used as a tool beside it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from agentgraph import Agent, GuardrailFunctionOutput, InputGuardrail, function_tool


class Homework(BaseModel):
    is_homework: bool


@function_tool
def calculate(expression: str) -> str:
    """Evaluate an arithmetic expression."""
    return expression


async def homework_guardrail(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


checker = Agent[Any](name="Homework checker", output_type=Homework)
math_tutor = Agent[Any](name="Math Tutor", tools=[calculate])
history_tutor = Agent[Any](
    name="History Tutor",
    tools=[
        checker.as_tool(tool_name="is_homework", tool_description="Ask whether it is homework.")
    ],
)
triage = Agent[Any](
    name="Triage Agent",
    handoffs=[history_tutor, math_tutor],
    input_guardrails=[InputGuardrail(guardrail_function=homework_guardrail)],
)
