"""The edges of a workflow as the user declared them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agentgraph.authoring.origin import SourceLine
from agentgraph.exceptions import RoutingError
from agentgraph.workflow.keys import Interval, json_text
from agentgraph.workflow.outputs import OutputOf

__all__ = ["ALWAYS", "Case", "Edges", "ErrorEdge", "Selector", "value_at"]

ALWAYS: Final = "always"
"""The label of the only way out of a step."""


@dataclass(frozen=True, slots=True)
class Selector:
    """What a route decides on.

    Args:
        words: What it is, for messages and drawings.
        path: The fields from an output to the value.
        step: The step whose output it reads; `None` for the step that the route leaves.
        function: Takes that output in place of a path.
        by_value: Whether an output that has no path is compared as a value, not only by its class.
    """

    words: str
    path: tuple[str, ...] = ()
    step: object = None
    function: Callable[[Any], object] | None = None
    by_value: bool = False

    def __call__(self, output: object) -> object:
        """The value to decide on."""
        return value_at(output, self.path) if self.function is None else self.function(output)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A way out of a step.

    Args:
        label: Its name, unique among the cases of the step.
        target: The step that it leads to.
        keys: The values that take it; empty if every other value does.
        at_most: How often a run takes it before it goes to `exhausted`; `None` for no limit.
        exhausted: The step that comes then.
        gives: The outputs that the target gets; empty for that of the step before it.
        carries: Whether the target goes on with the conversation.
    """

    label: str
    target: object
    keys: tuple[Any, ...] = ()
    at_most: int | None = None
    exhausted: object = None
    gives: tuple[OutputOf, ...] = ()
    carries: bool = False

    def takes(self, value: object) -> bool:
        """Whether a value takes this way."""
        return not self.keys or any(_matches(key, value) for key in self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The ways out of a step.

    Args:
        step: The step.
        cases: In the user's order; a default comes last.
        on: What decides; `None` if there is only one way.
        origin: Where the user declared them.
    """

    step: object
    cases: tuple[Case, ...]
    on: Selector | None
    origin: SourceLine

    def chosen(self, value: object, step: str) -> Case:
        """The case of a value.

        Raises:
            RoutingError: No case takes the value.
        """
        for case in self.cases:
            if case.takes(value):
                return case
        file, line = self.origin
        words = "" if self.on is None else self.on.words
        raise RoutingError(
            f"Step '{step}' ({file}:{line}): no case of the route on {words} takes the value that"
            f" the step gave, of type {type(value).__name__}. Its cases are"
            f" {', '.join(one.label for one in self.cases)}."
        )


@dataclass(frozen=True, slots=True, eq=False)
class ErrorEdge:
    """The way out of a step after some exceptions.

    Args:
        step: The step.
        case: The way; its keys are the classes of the exceptions.
        origin: Where the user declared it.
    """

    step: object
    case: Case
    origin: SourceLine

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The classes of the exceptions that take it."""
        return self.case.keys

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of these classes."""
        return tuple(f"{cls.__module__}.{cls.__qualname__}" for cls in self.errors)


def value_at(output: object, path: tuple[str, ...]) -> object:
    """The value at the end of a path of fields; of a mapping, a field is a key. A field of a part
    that is `None` is `None`."""
    for place, name in enumerate(path):
        if place and output is None:
            return None
        output = output[name] if isinstance(output, dict) else getattr(output, name)
    return output


def _matches(key: object, value: object) -> bool:
    if isinstance(key, Interval):
        return value in key
    if isinstance(key, type):
        return isinstance(value, key)
    text = json_text(key)
    return text is not None and text == json_text(value)
