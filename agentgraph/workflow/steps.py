"""Steps of a workflow beside agents: functions and ends."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.schemas.type_hints import is_context_annotation, resolve_hints

__all__ = ["STEP_BEGINS", "End", "FunctionStep", "function_step"]

STEP_BEGINS: Final[ContextVar[Callable[[str], None] | None]] = ContextVar(
    "step_begins", default=None
)
"""Gets the name of each function or end as its work begins, for displays; the stream of a run
announces agents only."""

_EVERYTHING: Final = object()
_BY_POSITION: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class End:
    """The end of a workflow.

    Args:
        output: The final output of the run; left out, the output of the step before it.
    """

    __slots__ = ("output",)

    def __init__(self, output: object = _EVERYTHING) -> None:
        self.output = output

    @property
    def passes_on(self) -> bool:
        """Whether the output of the step before it is the final output."""
        return self.output is _EVERYTHING

    def __repr__(self) -> str:
        return "End()" if self.passes_on else f"End({self.output!r})"


@dataclass(frozen=True, slots=True)
class FunctionStep:
    """A function as a step.

    Args:
        function: The function.
        name: Its name.
        takes_context: Whether its first parameter receives the context of the run.
        fewest: The fewest values that it takes.
        most: The most; `None` if it takes any number.
        returns: The type that it declares to return; `None` if it declares none.
        takes: The types of its values, `None` for one that it does not declare.
    """

    function: Callable[..., Any]
    name: str
    takes_context: bool
    fewest: int
    most: int | None
    returns: object
    takes: tuple[object, ...] = ()


def function_step(function: Callable[..., Any], workflow: str) -> FunctionStep:
    """Read the signature of a function that is a step.

    Args:
        function: A plain function, sync or async.
        workflow: The name of the workflow, for messages.

    Raises:
        AgentDefinitionError: Its signature cannot be read, an annotation names what does not exist,
            or it has keyword-only parameters without a default.
    """
    name = getattr(function, "__name__", "") or type(function).__name__
    try:
        parameters = list(inspect.signature(function).parameters.values())
        hints = resolve_hints(function)
    except (TypeError, ValueError, UserError) as error:
        raise AgentDefinitionError(f"Workflow '{workflow}': step '{name}': {error}") from error
    positional = [one for one in parameters if one.kind in _BY_POSITION]
    takes_context = bool(positional) and is_context_annotation(hints.get(positional[0].name))
    values = positional[takes_context:]
    empty = inspect.Parameter.empty
    needed = [
        one.name
        for one in parameters
        if one.kind is inspect.Parameter.KEYWORD_ONLY and one.default is empty
    ]
    if needed:
        raise AgentDefinitionError(
            f"Workflow '{workflow}': step '{name}' gets its values by position, but"
            f" {', '.join(needed)} can only be named. Make a function without '*' before them."
        )
    spreads = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
    return FunctionStep(
        function=function,
        name=name,
        takes_context=takes_context,
        fewest=sum(one.default is empty for one in values),
        most=None if spreads else len(values),
        returns=hints.get("return"),
        takes=tuple(hints.get(one.name) for one in values),
    )
