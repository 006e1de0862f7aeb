"""Warming: this process loads and uses what many children will need, so that each fork has it
already."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    check,
    function_tool,
)
from agentgraph.cli.target import Target

__all__ = ["warm"]

_LIBRARY: Final = (
    "agentgraph.run",
    "agentgraph.tool",
    "agentgraph.handoffs",
    "agentgraph.guardrail",
    "agentgraph.schemas.signatures",
    "pydantic",
)
_IF_MENTIONED: Final = ("openai", "mcp")


def warm(targets: Sequence[Target]) -> None:
    """Load the library, and the packages that a file among several imports.

    Args:
        targets: The files that the children will load.
    """
    content = b"".join(target.path.read_bytes() for target in targets if target.text is None)
    mentioned = [
        name for name in _IF_MENTIONED if re.search(rf"\b(from|import) {name}\b".encode(), content)
    ]
    for name in (*_LIBRARY, *mentioned):
        if name not in sys.modules:
            try:
                import_module(name)
            except ImportError:  # an optional package; a child that needs it says so
                continue
    _use()


def _use() -> None:
    """Do once what nearly every file makes its child do, because first uses are slow: pydantic
    looks for its plugins, and the regular expressions that read source are compiled."""

    def answer(question: str, most: int = 3) -> str:
        """Answer."""
        return question

    def passes(context: object, agent: object, message: object) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, False)

    check(
        Agent(
            name="agent",
            instructions="Answer.",
            tools=[function_tool(answer)],
            input_guardrails=[InputGuardrail(passes)],
        )
    )
