"""Exceptions as data: the form of a failure in a journal, and the exception made from it again.

Exceptions of this package come back by a table, those of the `openai` client from status, body and
request id. All others come back as a `RecordedError`, which names their class and message, because
reading never imports a class. Tracebacks, causes and `run_data` are not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from agentgraph.exceptions import (
    AgentDefinitionError,
    AgentsException,
    BudgetExceeded,
    InputGuardrailTripwireTriggered,
    MachineChanged,
    MaxTurnsExceeded,
    MCPToolCancellationError,
    ModelBehaviorError,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
    RoutingError,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    ToolTimeoutError,
    UserError,
)
from agentgraph.guardrail import (
    GuardrailFunctionOutput,
    InputGuardrailResult,
    OutputGuardrailResult,
)
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from agentgraph.stored.client_faults import client_data, client_error
from agentgraph.stored.stand_ins import Gone, Lookup, SymbolOf, symbol_or_name
from agentgraph.stored.value_types import NotReadable, Types, class_path
from agentgraph.stored.values import decode, encode
from agentgraph.tool_guardrails import ToolGuardrailFunctionOutput

__all__ = ["Fault", "RecordedError", "decode_fault", "encode_fault", "error_of", "fault_of"]


class RecordedError(AgentsException):
    """An exception of an earlier process, whose class this package cannot make again.

    Args:
        class_path: The path of its class.
        message: Its message.

    Attributes:
        class_path: As above.
        message: As above.
    """

    class_path: str
    message: str

    def __init__(self, class_path: str, message: str) -> None:
        self.class_path = class_path
        self.message = message
        super().__init__(f"{class_path}: {message}" if message else class_path)


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception as data.

    Attributes:
        name: The path of its class.
        message: Its message.
        data: Its data, as values that `encode_fault` can store.
    """

    name: str
    message: str
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def fault_of(error: BaseException, symbol_of: SymbolOf | None = None) -> Fault:
    """Turn an exception into data.

    Args:
        error: Any exception.
        symbol_of: Returns the symbol of a guardrail or an agent of the exception. Without it, or if
            it returns `None`, the name is the symbol.

    Returns:
        The fault. It holds no live guardrail, agent or response.
    """
    if isinstance(error, RecordedError):
        return Fault(error.class_path, error.message)
    cls = type(error)
    if cls in _TABLE:
        data = _TABLE[cls].data(error, partial(symbol_or_name, symbol_of))
        return Fault(class_path(cls), _message(error), MappingProxyType(data))
    client = client_data(error)
    return Fault(class_path(cls), _message(error), MappingProxyType(client or {}))


def error_of(fault: Fault, lookup: Lookup | None = None) -> BaseException:
    """Make an exception from its data.

    Args:
        fault: The result of `fault_of`.
        lookup: Returns the guardrail or the agent of a symbol. Without it, or if it returns `None`,
            an inert object with the name takes the place.

    Returns:
        An exception of the class that the fault names, if this package or the `openai` client
        defines it, else a `RecordedError`.

    Raises:
        NotReadable: The fault lacks what its class needs.
    """
    kind = _BY_NAME.get(fault.name)
    try:
        if kind is not None:
            return kind.again(fault, partial(_resolved, lookup))
        error_of_client = client_error(fault.name, fault.message, fault.data)
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadable("fault", f"{fault.name} cannot be made from it: {error!r}") from error
    return RecordedError(fault.name, fault.message) if error_of_client is None else error_of_client


def encode_fault(fault: Fault) -> dict[str, Any]:
    """Turn a fault into JSON data.

    Raises:
        NotStorable: The data of the exception has no stored form.
    """
    return {
        "name": fault.name,
        "message": encode(fault.message),
        "data": {name: encode(value, f"fault.{name}") for name, value in fault.data.items()},
    }


def decode_fault(data: Mapping[str, Any], types: Types | None = None) -> Fault:
    """Read what `encode_fault` wrote.

    Args:
        data: The stored form.
        types: The classes of the program, as `decode` takes them.

    Raises:
        NotReadable: The form is damaged.
    """
    try:
        name, message, carried = data["name"], data["message"], dict(data["data"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadable("fault", f"it lacks a part: {error!r}") from error
    values = {key: decode(value, types, f"fault.{key}") for key, value in carried.items()}
    return Fault(name, decode(message), MappingProxyType(values))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - the program's own __str__ may raise anything
        return f"(its message cannot be read: {type(broken).__name__})"


_Symbol: TypeAlias = Callable[[Any], dict[str, str] | None]
_Resolved: TypeAlias = Callable[[Mapping[str, Any] | None], Any]


def _resolved(lookup: Lookup | None, named: Mapping[str, Any] | None) -> Any:
    if named is None:
        return None
    live = None if lookup is None else lookup(named["symbol"])
    return Gone(named["name"]) if live is None else live


@dataclass(frozen=True, slots=True)
class _Kind:
    """How exceptions of one class become data and come back."""

    data: Callable[[Any, _Symbol], dict[str, Any]]
    again: Callable[[Fault, _Resolved], BaseException]


def _by_message(cls: Callable[[str], BaseException]) -> _Kind:
    return _Kind(lambda _error, _symbol: {}, lambda fault, _: cls(fault.message))


def _by_arguments(cls: Callable[..., BaseException], *names: str) -> _Kind:
    return _Kind(
        lambda error, _: {name: getattr(error, name) for name in names},
        lambda fault, _: cls(*(fault.data[name] for name in names)),
    )


def _input_trip(error: InputGuardrailTripwireTriggered, symbol: _Symbol) -> dict[str, Any]:
    result = error.guardrail_result
    return {"guardrail": symbol(result.guardrail), **_verdict(result.output)}


def _verdict(output: GuardrailFunctionOutput) -> dict[str, Any]:
    return {"info": output.output_info, "tripwire": output.tripwire_triggered}


def _read_verdict(fault: Fault) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(fault.data["info"], fault.data["tripwire"])


def _input_trip_again(fault: Fault, resolved: _Resolved) -> BaseException:
    guardrail = resolved(fault.data["guardrail"])
    return InputGuardrailTripwireTriggered(InputGuardrailResult(guardrail, _read_verdict(fault)))


def _output_trip(error: OutputGuardrailTripwireTriggered, symbol: _Symbol) -> dict[str, Any]:
    result = error.guardrail_result
    return {
        "guardrail": symbol(result.guardrail),
        "agent": symbol(result.agent),
        "agent_output": result.agent_output,
        **_verdict(result.output),
    }


def _output_trip_again(fault: Fault, resolved: _Resolved) -> BaseException:
    return OutputGuardrailTripwireTriggered(
        OutputGuardrailResult(
            guardrail=resolved(fault.data["guardrail"]),
            agent_output=fault.data["agent_output"],
            agent=resolved(fault.data["agent"]),
            output=_read_verdict(fault),
        )
    )


def _tool_trip(
    error: ToolInputGuardrailTripwireTriggered | ToolOutputGuardrailTripwireTriggered,
    symbol: _Symbol,
) -> dict[str, Any]:
    output = error.output
    return {
        "guardrail": symbol(error.guardrail),
        "info": output.output_info,
        "behavior": dict(output.behavior),
    }


def _tool_trip_again(cls: Callable[[Any, Any], BaseException]) -> Callable[..., BaseException]:
    def again(fault: Fault, resolved: _Resolved) -> BaseException:
        behavior: Any = dict(fault.data["behavior"])
        output = ToolGuardrailFunctionOutput(fault.data["info"], behavior)
        return cls(resolved(fault.data["guardrail"]), output)

    return again


_TABLE: Final[Mapping[type[BaseException], _Kind]] = {
    AgentsException: _by_message(AgentsException),
    MaxTurnsExceeded: _by_message(MaxTurnsExceeded),
    RoutingError: _by_message(RoutingError),
    BudgetExceeded: _by_arguments(BudgetExceeded, "workflow", "limit", "most", "where"),
    ModelBehaviorError: _by_message(ModelBehaviorError),
    ModelRefusalError: _by_arguments(ModelRefusalError, "refusal"),
    ModelTimeoutError: _by_arguments(ModelTimeoutError, "timeout_seconds"),
    UserError: _by_message(UserError),
    MachineChanged: _by_arguments(MachineChanged, "needs"),
    AgentDefinitionError: _by_message(AgentDefinitionError),
    MCPToolCancellationError: _by_message(MCPToolCancellationError),
    ToolTimeoutError: _by_arguments(ToolTimeoutError, "tool_name", "timeout_seconds"),
    InputGuardrailTripwireTriggered: _Kind(_input_trip, _input_trip_again),
    OutputGuardrailTripwireTriggered: _Kind(_output_trip, _output_trip_again),
    ToolInputGuardrailTripwireTriggered: _Kind(
        _tool_trip, _tool_trip_again(ToolInputGuardrailTripwireTriggered)
    ),
    ToolOutputGuardrailTripwireTriggered: _Kind(
        _tool_trip, _tool_trip_again(ToolOutputGuardrailTripwireTriggered)
    ),
    SessionError: _by_message(SessionError),
    SessionClosedError: _by_message(SessionClosedError),
    InvalidSessionInput: _by_message(InvalidSessionInput),
}
_BY_NAME: Final = {class_path(cls): kind for cls, kind in _TABLE.items()}
