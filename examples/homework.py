"""Homework help: triage, two tutors, and a guardrail that keeps other questions out.

    agentgraph run --rehearse examples/homework.py "who was the first president?"
    AGENTGRAPH_MODEL=rehearsal python examples/homework.py

These are rehearsals, which need no key: they really take a path through the workflow, but the words
are made up. With OPENAI_API_KEY leave out `--rehearse` and AGENTGRAPH_MODEL.
"""

import asyncio

from pydantic import BaseModel

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    RunContextWrapper,
    Runner,
    TResponseInputItem,
    input_guardrail,
)


class Verdict(BaseModel):
    """The guardrail agent's verdict."""

    is_homework: bool
    """Whether someone asks for help with school work: history, maths, a person, a number."""
    reason: str


homework_check = Agent(
    name="Homework Check",
    instructions="Decide whether the message asks for help with homework.",
    output_type=Verdict,
)


@input_guardrail
async def only_homework(
    context: RunContextWrapper[None],
    agent: Agent[None],
    message: str | list[TResponseInputItem],
) -> GuardrailFunctionOutput:
    """Stop whatever is not homework."""
    result = await Runner.run(homework_check, message, context=context.context)
    verdict = result.final_output_as(Verdict)
    return GuardrailFunctionOutput(verdict, tripwire_triggered=not verdict.is_homework)


math_tutor = Agent(
    name="Math Tutor",
    handoff_description="Explains numbers, equations, geometry and how to calculate them",
    instructions="Help with maths. Show every step and give one example.",
)
history_tutor = Agent(
    name="History Tutor",
    handoff_description="Explains history: events, dates, presidents, kings, wars and states",
    instructions="Help with history. Say what happened, when, and why it mattered.",
)
triage = Agent(
    name="Triage",
    instructions="Hand over to the tutor who can help with the question.",
    handoffs=[history_tutor, math_tutor],
    input_guardrails=[only_homework],
)


async def main() -> None:
    """Ask one question that is homework and one that is not."""
    for question in (
        "who was the first president of the united states?",
        "What is the meaning of life?",
    ):
        print(f"? {question}")
        try:
            result = await Runner.run(triage, question)
        except InputGuardrailTripwireTriggered as stopped:
            print(f"! {stopped}")
        else:
            print(f"= {result.last_agent.name}: {result.final_output}")


if __name__ == "__main__":
    asyncio.run(main())
