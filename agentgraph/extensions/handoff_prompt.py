"""A prompt for agents that hand over to each other: the person has one conversation with them."""

from __future__ import annotations

from typing import Final

__all__ = ["RECOMMENDED_PROMPT_PREFIX", "prompt_with_handoff_instructions"]

RECOMMENDED_PROMPT_PREFIX: Final = """# How you work with others
You are one of several agents that serve the same person. Each has its own instructions and \
tools. Where another agent is better placed, hand the conversation over by calling its function; \
such functions are usually named `transfer_to_<agent>`. The person sees one conversation: do not \
announce, explain or mention a transfer, and carry on as if you had been there from the start.
"""
"""The beginning of an agent's instructions; `prompt_with_handoff_instructions` adds it."""


def prompt_with_handoff_instructions(prompt: str) -> str:
    """Put the prompt about handoffs in front of an agent's instructions.

    Args:
        prompt: The agent's own instructions.

    Returns:
        The prompt, an empty line and the instructions.
    """
    return f"{RECOMMENDED_PROMPT_PREFIX}\n{prompt}"
