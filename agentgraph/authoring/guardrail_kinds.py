"""The kind of a guardrail: what it judges decides where it may stand.

All kinds have a `guardrail_function`, so one in the wrong place would be called with the arguments
of another kind. A guardrail of the published SDK is known by the name of its class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

from agentgraph.exceptions import AgentDefinitionError

__all__ = ["GuardrailKind", "check_guardrails", "guardrail_problem", "kind_name"]

GuardrailKind: TypeAlias = Literal[
    "InputGuardrail", "OutputGuardrail", "ToolInputGuardrail", "ToolOutputGuardrail"
]

_DECORATORS: Final[dict[str, str]] = {
    "InputGuardrail": "input_guardrail",
    "OutputGuardrail": "output_guardrail",
    "ToolInputGuardrail": "tool_input_guardrail",
    "ToolOutputGuardrail": "tool_output_guardrail",
}


def check_guardrails(place: str, guardrails: Iterable[Any], kind: GuardrailKind) -> None:
    """Refuse objects that are not guardrails of a kind.

    Args:
        place: The object and its field, for the message.
        guardrails: The elements of the field.
        kind: The kind that the field holds.

    Raises:
        AgentDefinitionError: An element is another kind of guardrail, or none.
    """
    for position, guardrail in enumerate(guardrails):
        problem = guardrail_problem(guardrail, kind)
        if problem is not None:
            raise AgentDefinitionError(f"{place}[{position}] must be {problem}.")


def guardrail_problem(guardrail: object, kind: GuardrailKind) -> str | None:
    """Say what an object must be, if it is not a guardrail of a kind."""
    if _is_of_kind(guardrail, kind):
        return None
    article = "an" if kind[0] in "IO" else "a"
    problem = f"{article} {kind}, not {kind_name(guardrail)}"
    return (
        f"{problem}: decorate the function with @{_DECORATORS[kind]}"
        if callable(guardrail)
        else problem
    )


def _is_of_kind(guardrail: object, kind: GuardrailKind) -> bool:
    kinds = _DECORATORS.keys() & {cls.__name__ for cls in type(guardrail).__mro__}
    return kind in kinds if kinds else hasattr(guardrail, "guardrail_function")


def kind_name(value: object) -> str:
    """Name what a value is, for a message: its class, or `None`."""
    return "None" if value is None else type(value).__name__
