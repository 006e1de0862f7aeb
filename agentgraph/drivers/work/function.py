"""The subject of an approval rule for a call of a function tool, and the form of a refusal."""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.schemas.arguments import InvalidToolArguments, read_arguments


def subject(call: LocalCall) -> dict[str, Any] | None:
    """The arguments of a call; ``None`` if there are none or they are not a JSON object.

    A rule cannot judge a call without arguments, so a person is asked.
    """
    arguments = call.raw.arguments
    if not arguments or not arguments.strip():
        return None
    try:
        return read_arguments(arguments, call.raw.name)
    except InvalidToolArguments:
        return None


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, and as the caller sees it."""
    return ItemHelpers.tool_call_output_item(call.raw, message), message
