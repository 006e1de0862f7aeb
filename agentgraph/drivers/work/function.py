"""What a rule of approval is asked about a call of a function tool, and how a refusal is sent."""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.schemas.arguments import InvalidToolArguments, read_arguments


def asked(call: LocalCall) -> dict[str, Any] | None:
    """The arguments of a call; ``None`` where there are none or they are no JSON object.

    Arguments that a model left out are no arguments that a rule could clear.
    """
    written = call.raw.arguments
    if not written or not written.strip():
        return None
    try:
        return read_arguments(written, call.raw.name)
    except InvalidToolArguments:
        return None


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal as the provider is sent it, and as the caller sees it."""
    return ItemHelpers.tool_call_output_item(call.raw, message), message
