"""The words that a model reads, as lowering finds them: instructions and descriptions."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from agentgraph import Agent, function_tool, handoff
from agentgraph.extensions.handoff_prompt import prompt_with_handoff_instructions
from agentgraph.frontend.words import (
    description_of_handoff,
    description_of_tool,
    has_default_name,
    instructions_of,
)

POLICY = "Be brief."


def plain(context: Any, agent: Any) -> str:
    return "Help."


async def filled(context: Any, agent: Any) -> str:
    return f"Help {context.context.name}. {POLICY}"


def assembled(context: Any, agent: Any) -> str:
    prompt = "Help. "
    prompt += POLICY
    return prompt


def chosen(context: Any, agent: Any) -> str:
    if context.context is None:
        return "Ask for the name."
    return "Help." if context.context.is_new else "Welcome back."


def prefixed(context: Any, agent: Any) -> str:
    return prompt_with_handoff_instructions(f"Help. {POLICY}")


def stripped(context: Any, agent: Any) -> str:
    return " Help them. ".strip()


def nested(context: Any, agent: Any) -> str:
    def other() -> str:
        return "Never said."

    return "Help." + other()


def loaded(context: Any, agent: Any) -> str:
    text: str = context.context.prompt
    return text


def greeting(word: str, context: Any, agent: Any) -> str:
    return f"{word} Help."


TWO = (lambda context, agent: "Help."), (lambda context, agent: "Wait.")
WITHOUT_SOURCE = eval("lambda context, agent: 'Help.'")


class Voice:
    def __call__(self, context: Any, agent: Any) -> str:
        return "Help."

    def speak(self, context: Any, agent: Any) -> str:
        return "Speak."


@pytest.mark.parametrize(
    ("instructions", "text"),
    [
        (None, None),
        ("  Help.\n", "Help."),
        (plain, "Help."),
        (filled, "Help …. Be brief."),
        (assembled, "Help. Be brief."),
        (chosen, "Ask for the name.\n\nHelp.\n\nWelcome back."),
        (prefixed, "Help. Be brief."),
        (stripped, "Help them."),
        (nested, "Help.…"),
        (loaded, "…"),
        (Voice().speak, "Speak."),
        (Voice(), "Help."),
        (lambda context, agent: "Help.", "Help."),
        (lambda context, agent: f"Help {context.context}. " + POLICY, "Help …. Be brief."),
        (partial(greeting, "Hello."), "… Help."),
        (TWO[0], "…"),  # either of the two
        (WITHOUT_SOURCE, "…"),
    ],
)
def test_instructions_are_read_without_calling_anything(
    instructions: Any, text: str | None
) -> None:
    agent = Agent[Any](name="A", instructions=instructions)
    assert instructions_of(agent) == text


def test_the_source_is_left_alone_where_only_a_fingerprint_is_needed() -> None:
    assert instructions_of(Agent(name="A", instructions=plain), reads_source=False) is None
    assert instructions_of(Agent(name="A", instructions="Help."), reads_source=False) == "Help."


def test_a_handoff_says_what_its_name_does_not() -> None:
    silent, speaking = Agent(name="A"), Agent(name="A", handoff_description=" Money back ")
    own = handoff(silent, tool_description_override="For refunds")
    assert description_of_handoff(handoff(silent), silent) == ""
    assert description_of_handoff(handoff(speaking), speaking) == "Money back"
    assert description_of_handoff(own, silent) == "For refunds"
    assert has_default_name("transfer_to_a", silent)
    assert not has_default_name("go", silent)


def test_only_tools_that_this_side_carries_out_have_a_description() -> None:
    @function_tool
    def look(name: str) -> str:
        return name

    assert description_of_tool(look) == ""
    assert description_of_tool(Agent(name="A").as_tool("a", "It.")) == "It."
    assert description_of_tool(object()) is None
