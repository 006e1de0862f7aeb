"""Check a model's reply, and make it a ``ModelResponse`` with items of the client's types.

Models of third parties may return items as dictionaries, as the SDK allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items import ModelResponse
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_VALIDATED_TYPES = frozenset({"message", "function_call"})


def usable(response: Any, agent: Any) -> ModelResponse:
    """Return a model's reply with items of the client's types.

    Args:
        response: What the model returned.
        agent: The agent whose model it is, for messages.

    Raises:
        ModelBehaviorError: There is no reply, or an item of it cannot be read.
    """
    output: Any = getattr(response, "output", None)
    # The exact type first: this check runs in every turn.
    if type(output) is not list and not isinstance(output, Sequence):
        raise ModelBehaviorError(
            f"The model of agent '{agent.name}' gave no response: expected a ModelResponse with a"
            f" list of output items, got {type(response).__name__}."
        )
    reply: ModelResponse = response
    if response.usage is None:  # A third party's model may ignore the annotation.
        reply = replace(reply, usage=Usage())
    for item in output:
        if isinstance(item, dict):
            return replace(reply, output=[_typed(one, agent) for one in output])
    return reply


def _typed(item: Any, agent: Any) -> Any:
    if not isinstance(item, dict):
        return item
    from pydantic import ValidationError

    try:
        return _items().validate_python(item)
    except ValidationError as error:
        kind = item.get("type")
        if isinstance(kind, str) and kind not in _VALIDATED_TYPES:
            return item  # The client does not know this type of item: pass it on unchanged.
        raise ModelBehaviorError(
            f"The model of agent '{agent.name}' gave an output item that cannot be read: a"
            f" dictionary of type {kind!r} whose fields are not those of such an item."
        ) from error


@cache
def _items() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseOutputItem
    from pydantic import TypeAdapter

    return TypeAdapter(ResponseOutputItem)
