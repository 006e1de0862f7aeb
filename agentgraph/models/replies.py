"""What a model gave, in the form that everything else reads: a ``ModelResponse`` of the client's
items.

Models of third parties may give items as dictionaries, as the SDK lets them.
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

_READ_CLOSELY = frozenset({"message", "function_call"})


def usable(response: Any, agent: Any) -> ModelResponse:
    """A model's reply with its items as the client's models.

    Args:
        response: What the model returned.
        agent: The agent whose model it is, for messages.

    Raises:
        ModelBehaviorError: There is no reply, or an item of it cannot be read.
    """
    output: Any = getattr(response, "output", None)
    # The common case first: it stands on the path of every turn.
    if type(output) is not list and not isinstance(output, Sequence):
        raise ModelBehaviorError(
            f"The model of agent '{agent.name}' gave no response: expected a ModelResponse with a"
            f" list of output items, got {type(response).__name__}."
        )
    reply: ModelResponse = response
    if response.usage is None:  # a third party's model need not keep to the annotation
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
        if isinstance(kind, str) and kind not in _READ_CLOSELY:
            return item  # a kind of item that the client does not know is passed on as it is
        raise ModelBehaviorError(
            f"The model of agent '{agent.name}' gave an output item that cannot be read: a"
            f" dictionary of type {kind!r} that lacks what such an item has."
        ) from error


@cache
def _items() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseOutputItem
    from pydantic import TypeAdapter

    return TypeAdapter(ResponseOutputItem)
