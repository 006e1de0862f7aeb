"""Checks on the calls of function tools and on their results.

A verdict allows the call, gives the model a message in place of the result, or ends the run. Input
guardrails judge a call before the function is called, output guardrails judge its result. The first
verdict that does not allow the call decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, overload

from typing_extensions import TypedDict, TypeVar

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.origin import UNKNOWN_ORIGIN, SourceLine, caller_origin
from agentgraph.tool_context import ToolContext
from agentgraph.user_code.arity import check_guardrail_function
from agentgraph.user_code.callbacks import MaybeAwaitable, name_of, resolve

__all__ = [
    "AllowBehavior",
    "RaiseExceptionBehavior",
    "RejectContentBehavior",
    "TContext_co",
    "ToolGuardrailFunctionOutput",
    "ToolInputGuardrail",
    "ToolInputGuardrailData",
    "ToolInputGuardrailResult",
    "ToolOutputGuardrail",
    "ToolOutputGuardrailData",
    "ToolOutputGuardrailResult",
    "tool_input_guardrail",
    "tool_output_guardrail",
]

TContext_co = TypeVar("TContext_co", bound=Any, covariant=True)


class RejectContentBehavior(TypedDict):
    """The model receives `message` in place of the result, and the run continues."""

    type: Literal["reject_content"]
    message: str


class RaiseExceptionBehavior(TypedDict):
    """The run ends with a tripwire exception."""

    type: Literal["raise_exception"]


class AllowBehavior(TypedDict):
    """The call continues unchanged."""

    type: Literal["allow"]


ToolGuardrailBehavior: TypeAlias = RejectContentBehavior | RaiseExceptionBehavior | AllowBehavior


def _allow() -> ToolGuardrailBehavior:
    return AllowBehavior(type="allow")


@dataclass
class ToolGuardrailFunctionOutput:
    """The verdict of a tool guardrail; made with `allow`, `reject_content` or `raise_exception`.

    Attributes:
        output_info: The guardrail's findings, for the caller; the run does not read them.
        behavior: The effect of the verdict.
    """

    output_info: Any
    behavior: ToolGuardrailBehavior = field(default_factory=_allow)

    @classmethod
    def allow(cls, output_info: object = None) -> ToolGuardrailFunctionOutput:
        """Allow the call."""
        return cls(output_info=output_info, behavior=AllowBehavior(type="allow"))

    @classmethod
    def reject_content(
        cls, message: str, output_info: object = None
    ) -> ToolGuardrailFunctionOutput:
        """Give the model a message in place of the result.

        Args:
            message: The message for the model.
            output_info: The guardrail's findings.
        """
        behavior = RejectContentBehavior(type="reject_content", message=message)
        return cls(output_info=output_info, behavior=behavior)

    @classmethod
    def raise_exception(cls, output_info: object = None) -> ToolGuardrailFunctionOutput:
        """End the run with a tripwire exception."""
        return cls(output_info=output_info, behavior=RaiseExceptionBehavior(type="raise_exception"))


@dataclass
class ToolInputGuardrailData:
    """The argument of a guardrail on a tool call.

    Attributes:
        context: The call: its tool, id and arguments, and the run's context.
        agent: The agent that makes the call.
    """

    context: ToolContext[Any]
    agent: AnyAgent


@dataclass
class ToolOutputGuardrailData(ToolInputGuardrailData):
    """The argument of a guardrail on a tool's result.

    Attributes:
        output: The return value of the tool.
    """

    output: Any


@dataclass
class ToolInputGuardrailResult:
    """The result of a guardrail on a tool call.

    Attributes:
        guardrail: The guardrail.
        output: Its verdict.
    """

    guardrail: ToolInputGuardrail[Any]
    output: ToolGuardrailFunctionOutput


@dataclass
class ToolOutputGuardrailResult:
    """The result of a guardrail on a tool's result.

    Attributes:
        guardrail: The guardrail.
        output: Its verdict.
    """

    guardrail: ToolOutputGuardrail[Any]
    output: ToolGuardrailFunctionOutput


@dataclass
class ToolInputGuardrail(Generic[TContext_co]):
    """A check of each call of a function tool, before the function is called.

    Attributes:
        guardrail_function: Receives the call and returns a verdict, directly or as an awaitable.
        name: The guardrail's name; that of the function when left out.

    Raises:
        AgentDefinitionError: The function cannot be called with these arguments.
    """

    guardrail_function: Callable[
        [ToolInputGuardrailData], MaybeAwaitable[ToolGuardrailFunctionOutput]
    ]
    name: str | None = None
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_guardrail_function(self, "the call")

    def get_name(self) -> str:
        """Return the guardrail's name, else that of its function."""
        return self.name or name_of(self.guardrail_function)

    async def run(self, data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
        """Judge a call.

        Args:
            data: The call.

        Returns:
            The verdict.
        """
        return await resolve(self.guardrail_function(data))


@dataclass
class ToolOutputGuardrail(Generic[TContext_co]):
    """A check of each result of a function tool.

    Attributes:
        guardrail_function: Receives the call with its result and returns a verdict, directly or as
            an awaitable.
        name: The guardrail's name; that of the function when left out.

    Raises:
        AgentDefinitionError: The function cannot be called with these arguments.
    """

    guardrail_function: Callable[
        [ToolOutputGuardrailData], MaybeAwaitable[ToolGuardrailFunctionOutput]
    ]
    name: str | None = None
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_guardrail_function(self, "the call")

    def get_name(self) -> str:
        """Return the guardrail's name, else that of its function."""
        return self.name or name_of(self.guardrail_function)

    async def run(self, data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
        """Judge a result.

        Args:
            data: The call with its result.

        Returns:
            The verdict.
        """
        return await resolve(self.guardrail_function(data))


_InputFunc: TypeAlias = (
    Callable[[ToolInputGuardrailData], ToolGuardrailFunctionOutput]
    | Callable[[ToolInputGuardrailData], Awaitable[ToolGuardrailFunctionOutput]]
)
_OutputFunc: TypeAlias = (
    Callable[[ToolOutputGuardrailData], ToolGuardrailFunctionOutput]
    | Callable[[ToolOutputGuardrailData], Awaitable[ToolGuardrailFunctionOutput]]
)


@overload
def tool_input_guardrail(func: _InputFunc) -> ToolInputGuardrail[Any]: ...


@overload
def tool_input_guardrail(
    *, name: str | None = None
) -> Callable[[_InputFunc], ToolInputGuardrail[Any]]: ...


def tool_input_guardrail(
    func: _InputFunc | None = None, *, name: str | None = None
) -> ToolInputGuardrail[Any] | Callable[[_InputFunc], ToolInputGuardrail[Any]]:
    """Turn a function into a guardrail on tool calls; used bare or with arguments.

    Args:
        func: Receives the call and returns a verdict. It may be async.
        name: The guardrail's name; that of the function when left out.

    Returns:
        The guardrail, or a decorator that makes it.
    """

    def decorate(function: _InputFunc) -> ToolInputGuardrail[Any]:
        return ToolInputGuardrail(guardrail_function=function, name=name or name_of(function))

    return decorate if func is None else decorate(func)


@overload
def tool_output_guardrail(func: _OutputFunc) -> ToolOutputGuardrail[Any]: ...


@overload
def tool_output_guardrail(
    *, name: str | None = None
) -> Callable[[_OutputFunc], ToolOutputGuardrail[Any]]: ...


def tool_output_guardrail(
    func: _OutputFunc | None = None, *, name: str | None = None
) -> ToolOutputGuardrail[Any] | Callable[[_OutputFunc], ToolOutputGuardrail[Any]]:
    """Turn a function into a guardrail on tool results; used bare or with arguments.

    Args:
        func: Receives the call with its result and returns a verdict. It may be async.
        name: The guardrail's name; that of the function when left out.

    Returns:
        The guardrail, or a decorator that makes it.
    """

    def decorate(function: _OutputFunc) -> ToolOutputGuardrail[Any]:
        return ToolOutputGuardrail(guardrail_function=function, name=name or name_of(function))

    return decorate if func is None else decorate(func)
