"""Deep copies of replies and requests, so that no side of a call changes what the other has."""

from __future__ import annotations

from copy import Error, copy, deepcopy
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from agentgraph.models.model_call import ModelCall

if TYPE_CHECKING:
    from pydantic import BaseModel

    from agentgraph.model_settings import ModelSettings

__all__ = ["copied", "copied_call"]

_T = TypeVar("_T")
_ATOMS: Final = frozenset({str, int, float, bool, bytes, type(None)})


def copied(value: _T) -> _T:
    """Return a deep copy of a value; an object that cannot be copied is shared.

    Args:
        value: Any value. JSON-like data and the client's objects are copied without `deepcopy`,
            which would cost more than the rest of a scripted call.
    """
    result: _T = _copied(value)
    return result


def copied_call(call: ModelCall) -> ModelCall:
    """Return a copy of a call; its tools, handoffs and schema are the program's own objects."""
    return ModelCall(
        system_instructions=call.system_instructions,
        input=copied(call.input),
        model_settings=_copied_settings(call.model_settings),
        tools=list(call.tools),
        output_schema=call.output_schema,
        handoffs=list(call.handoffs),
        tracing=call.tracing,
        previous_response_id=call.previous_response_id,
        conversation_id=call.conversation_id,
        prompt=copied(call.prompt),
        streamed=call.streamed,
    )


def _copied_settings(settings: ModelSettings) -> ModelSettings:
    twin = copy(settings)
    vars(twin).update({name: copied(value) for name, value in vars(settings).items()})
    return twin


def _copied(value: object) -> Any:
    if type(value) in _ATOMS:
        return value
    if type(value) is dict:
        return {key: _copied(entry) for key, entry in value.items()}
    if type(value) is list:
        return [_copied(entry) for entry in value]
    if _is_model(value):
        twin = object.__new__(type(value))
        twin.__setstate__({name: _copied(part) for name, part in value.__getstate__().items()})
        return twin
    try:
        return deepcopy(value)
    except (TypeError, Error):  # a lock, a client: what has no copy belongs to the program
        return value


def _is_model(value: object) -> TypeGuard[BaseModel]:
    return hasattr(type(value), "model_fields") and hasattr(value, "__pydantic_fields_set__")
