"""`output_of(step)`: the output of a step that has worked, or a field of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from agentgraph.exceptions import AgentDefinitionError

__all__ = ["OutputOf", "output_of", "output_read_by", "path_of", "step_behind"]

_STEP: Final = "_OutputOf__step"
_PATH: Final = "_OutputOf__path"


class OutputOf:
    """Stands for the output of a step; an attribute of it stands for that field.

    It has no value before a run, so using it as one raises an error.
    """

    __slots__ = ("__path", "__step")

    def __init__(self, step: object, path: tuple[str, ...] = ()) -> None:
        self.__step = step
        self.__path = path

    def __getattr__(self, name: str) -> OutputOf:
        if name.startswith("__"):
            raise AttributeError(name)
        return OutputOf(self.__step, (*self.__path, name))

    def __bool__(self) -> bool:
        raise AgentDefinitionError(
            f"{self!r} has no value before a run. Name the cases in route(..., cases=...) instead"
            " of testing it with if, and, or."
        )

    def __repr__(self) -> str:
        return ".".join((f"output_of({name_of_step(self.__step)})", *self.__path))


def output_of(step: object) -> Any:
    """The output of a step, to give it to a later step or to route on it.

    Args:
        step: An agent, a function or a question that is a step of the workflow.

    Returns:
        A stand-in: `output_of(triage).amount` stands for the field `amount` of that output. Its
        static type is `Any`.
    """
    return OutputOf(step)


def output_read_by(function: Callable[[Any], object], step: object) -> OutputOf:
    """The output, or the field of one, that a lambda reads.

    Args:
        function: The lambda. It is called with a stand-in for the output.
        step: The step whose output it gets.

    Raises:
        AgentDefinitionError: It does more than read a field.
    """
    try:
        read = function(OutputOf(step))
    except Exception as error:
        raise AgentDefinitionError(f"{_MORE_THAN_A_FIELD} It raises: {error}") from error
    if not isinstance(read, OutputOf):
        raise AgentDefinitionError(f"{_MORE_THAN_A_FIELD} It returns {read!r}.")
    return read


_MORE_THAN_A_FIELD: Final = (
    "a lambda names the field that decides, as in lambda ticket: ticket.kind, and this one does"
    " more. Cases are data: name the values in cases, or decide in a function that declares its"
    " labels (-> Literal[...])."
)


def step_behind(output: OutputOf) -> object:
    """The step whose output it is."""
    return getattr(output, _STEP)


def path_of(output: OutputOf) -> tuple[str, ...]:
    """The fields that lead to it, from the output on."""
    path: tuple[str, ...] = getattr(output, _PATH)
    return path


def name_of_step(step: object) -> str:
    """The name of a step."""
    name = getattr(step, "name", None) or getattr(step, "__name__", None)
    return name if isinstance(name, str) else type(step).__name__
