"""Checks on the input and the final output of a run.

A guardrail is a callable that returns a verdict; a verdict with a triggered tripwire ends the run.
A guardrail only judges: it never changes the input or the output.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, overload

from typing_extensions import TypeVar

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.origin import UNKNOWN_ORIGIN, SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.items.weak_agents import HoldsAgents
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.user_code.arity import check_guardrail_function
from agentgraph.user_code.callbacks import MaybeAwaitable, name_of, resolve

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem
else:
    TResponseInputItem = Any  # pydantic reads the annotations of a guardrail with parameters

__all__ = [
    "GuardrailFunctionOutput",
    "InputGuardrail",
    "InputGuardrailResult",
    "OutputGuardrail",
    "OutputGuardrailResult",
    "TContext_co",
    "input_guardrail",
    "output_guardrail",
]

TContext_co = TypeVar("TContext_co", bound=Any, covariant=True)


@dataclass
class GuardrailFunctionOutput:
    """The verdict of a guardrail.

    Attributes:
        output_info: The guardrail's findings, for the caller; the run does not read them.
        tripwire_triggered: Whether the run ends.
    """

    output_info: Any
    tripwire_triggered: bool


@dataclass
class InputGuardrailResult:
    """The result of an input guardrail.

    Attributes:
        guardrail: The guardrail.
        output: Its verdict.
    """

    guardrail: InputGuardrail[Any]
    output: GuardrailFunctionOutput


@dataclass
class OutputGuardrailResult(HoldsAgents):
    """The result of an output guardrail.

    Attributes:
        guardrail: The guardrail.
        agent_output: The final output that it judged.
        agent: The agent that produced the output. After `release_agent` the result refers to it
            weakly, and the field is `None` once the agent is collected.
        output: Its verdict.
    """

    guardrail: OutputGuardrail[Any]
    agent_output: Any
    agent: AnyAgent
    output: GuardrailFunctionOutput


@kept_as_is()
@dataclass
class InputGuardrail(Generic[TContext]):
    """A check on the input of a run, made for the first agent only.

    Attributes:
        guardrail_function: Receives the run's context, the agent and the input (text or input
            items), and returns a verdict, directly or as an awaitable.
        name: The guardrail's name; that of the function when left out.
        run_in_parallel: Whether the model call may run concurrently with the check. If not, the
            run finishes the check before it does anything else.

    Raises:
        AgentDefinitionError: The function cannot be called with these arguments.
    """

    guardrail_function: Callable[
        [RunContextWrapper[TContext], Any, str | list[TResponseInputItem]],
        MaybeAwaitable[GuardrailFunctionOutput],
    ]
    name: str | None = None
    run_in_parallel: bool = True
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_guardrail_function(self, "the context", "the agent", "the input")

    def get_name(self) -> str:
        """Return the guardrail's name, else that of its function."""
        return self.name or name_of(self.guardrail_function)

    async def run(
        self,
        agent: AnyAgent,
        input: str | list[TResponseInputItem],
        context: RunContextWrapper[TContext],
    ) -> InputGuardrailResult:
        """Judge an input.

        Args:
            agent: The agent that receives the input.
            input: The input, as text or as input items.
            context: The run's context.

        Returns:
            The verdict, with this guardrail.
        """
        verdict = self.guardrail_function(context, agent, input)
        return InputGuardrailResult(guardrail=self, output=await resolve(verdict))


@kept_as_is()
@dataclass
class OutputGuardrail(Generic[TContext]):
    """A check on the final output of a run, made for the agent that produced it.

    Attributes:
        guardrail_function: Receives the run's context, the agent and the final output, and returns
            a verdict, directly or as an awaitable.
        name: The guardrail's name; that of the function when left out.

    Raises:
        AgentDefinitionError: The function cannot be called with these arguments.
    """

    guardrail_function: Callable[
        [RunContextWrapper[TContext], Any, Any], MaybeAwaitable[GuardrailFunctionOutput]
    ]
    name: str | None = None
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_guardrail_function(self, "the context", "the agent", "the output")

    def get_name(self) -> str:
        """Return the guardrail's name, else that of its function."""
        return self.name or name_of(self.guardrail_function)

    async def run(
        self, context: RunContextWrapper[TContext], agent: AnyAgent, agent_output: object
    ) -> OutputGuardrailResult:
        """Judge a final output.

        Args:
            context: The run's context.
            agent: The agent that produced the output.
            agent_output: The final output.

        Returns:
            The verdict, with this guardrail, the agent and the output.
        """
        verdict = self.guardrail_function(context, agent, agent_output)
        return OutputGuardrailResult(
            guardrail=self,
            agent_output=agent_output,
            agent=agent,
            output=await resolve(verdict),
        )


_FuncSync: TypeAlias = Callable[[RunContextWrapper[TContext_co], Any, Any], GuardrailFunctionOutput]
_FuncAsync: TypeAlias = Callable[
    [RunContextWrapper[TContext_co], Any, Any], Awaitable[GuardrailFunctionOutput]
]


@overload
def input_guardrail(func: _FuncSync[TContext_co]) -> InputGuardrail[TContext_co]: ...


@overload
def input_guardrail(func: _FuncAsync[TContext_co]) -> InputGuardrail[TContext_co]: ...


@overload
def input_guardrail(
    *, name: str | None = None, run_in_parallel: bool = True
) -> Callable[[_FuncSync[TContext_co] | _FuncAsync[TContext_co]], InputGuardrail[TContext_co]]: ...


def input_guardrail(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    run_in_parallel: bool = True,
) -> InputGuardrail[Any] | Callable[[Callable[..., Any]], InputGuardrail[Any]]:
    """Turn a function into an input guardrail; used bare or with arguments.

    Args:
        func: Receives the run's context, the agent and the input, and returns a verdict. It may be
            async.
        name: The guardrail's name; that of the function when left out.
        run_in_parallel: Whether the model call may run concurrently with the check.

    Returns:
        The guardrail, or a decorator that makes it.
    """

    def decorate(function: Callable[..., Any]) -> InputGuardrail[Any]:
        return InputGuardrail(
            guardrail_function=function,
            name=name or name_of(function),
            run_in_parallel=run_in_parallel,
        )

    return decorate if func is None else decorate(func)


@overload
def output_guardrail(func: _FuncSync[TContext_co]) -> OutputGuardrail[TContext_co]: ...


@overload
def output_guardrail(func: _FuncAsync[TContext_co]) -> OutputGuardrail[TContext_co]: ...


@overload
def output_guardrail(
    *, name: str | None = None
) -> Callable[[_FuncSync[TContext_co] | _FuncAsync[TContext_co]], OutputGuardrail[TContext_co]]: ...


def output_guardrail(
    func: Callable[..., Any] | None = None, *, name: str | None = None
) -> OutputGuardrail[Any] | Callable[[Callable[..., Any]], OutputGuardrail[Any]]:
    """Turn a function into an output guardrail; used bare or with arguments.

    Args:
        func: Receives the run's context, the agent and the final output, and returns a verdict. It
            may be async.
        name: The guardrail's name; that of the function when left out.

    Returns:
        The guardrail, or a decorator that makes it.
    """

    def decorate(function: Callable[..., Any]) -> OutputGuardrail[Any]:
        return OutputGuardrail(guardrail_function=function, name=name or name_of(function))

    return decorate if func is None else decorate(func)
