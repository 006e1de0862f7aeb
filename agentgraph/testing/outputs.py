"""What the steps of a workflow with edges may give, as far as its routes tell it apart.

For each way out of a route there is a value that takes it, and one that takes none if the type
allows it. The values fit the declared type: they are tried with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.frontend.output_readers import FunctionOutput, OutputReaders, RouteOver
from agentgraph.frontend.part_names import answer_type
from agentgraph.models.instances import NoInstance
from agentgraph.testing.choices import Choices, Planned, Seeded
from agentgraph.testing.planted import PlantedFaults
from agentgraph.testing.routes import plain_result
from agentgraph.testing.values import Draw, values_of

if TYPE_CHECKING:
    from agentgraph.workflow import QuestionStep, Source

__all__ = ["Outputs", "StepOutputs"]

_Read: TypeAlias = Callable[[Any], object]
_MOST_TRIED: Final = 40
"""Values drawn from a type, beside those that the cases name."""
_MOST_TOLD_APART: Final = 64
_WRAPPED: Final = "response"
_JSON: Final = (dict, list, str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of a step, as JSON values.

    Attributes:
        telling: One for each combination of ways that the routes over it can take, the simplest
            first; at least one.
        draw: Draws any output; `None` for text.
        read: Makes the output from a JSON value.
        failures: What a function may fail with in place of it, one for each edge that catches it;
            see `PlantedFaults`.
    """

    telling: Sequence[object]
    draw: Draw | None
    read: _Read
    failures: tuple[str | None, ...] = ()

    def drawn(self, choices: Choices) -> object:
        """An output from a source of choices; every way of a route comes often."""
        if self.draw is not None and choices.index(2):
            return self.draw(choices, 0)
        count = len(self.telling)
        return self.telling[choices.index(count) if count > 1 else 0]


class StepOutputs:
    """The outputs of the steps of one workflow.

    Args:
        source: The workflow; an agent has no steps.
        real: The names of the parts whose own code runs.

    Attributes:
        planted: What they may fail with.
    """

    def __init__(self, source: Source, real: Collection[str] = ()) -> None:
        self.planted = PlantedFaults(source)
        self._readers = OutputReaders(source, real)
        self._of_agents: dict[str, Outputs | None] = {}
        self._of_functions: dict[int, Outputs] = {}
        self._of_questions: dict[int, Outputs] = {}

    def of_agent(self, name: str) -> Outputs | None:
        """What an agent may answer; `None` if no route reads it."""
        if name not in self._of_agents:
            self._of_agents[name] = self._answers(name)
        return self._of_agents[name]

    def _answers(self, name: str) -> Outputs | None:
        readers = self._readers.over_agent(name)
        if readers is None:
            return None
        agent, routes = readers
        schema = answer_type(agent)
        if schema is None or schema.is_plain_text():
            return _told_apart(routes, str, ["Done."], None, _itself)
        draw = values_of(schema.json_schema())

        def read(value: object) -> object:
            return schema.validate_json(_text(value))

        return _told_apart(routes, agent.output_type, _bases(draw), draw, read)

    def of_function(self, function: object) -> Outputs:
        """What a function may return: one that is a step, or one that a route decides with.

        Raises:
            UserError: No value of its type can be made up.
        """
        if id(function) not in self._of_functions:
            of = self._readers.over_function(function)
            made = _made_up(of, "returns", _RUN_IT)
            failures = self.planted.of_function(function)
            self._of_functions[id(function)] = replace(made, failures=failures)
        return self._of_functions[id(function)]

    def of_question(self, step: QuestionStep) -> Outputs:
        """What a person may answer to a question.

        Raises:
            UserError: No value of its type can be made up.
        """
        if id(step) not in self._of_questions:
            of = self._readers.over_question(step)
            self._of_questions[id(step)] = _made_up(of, "asks for", _ASK_OTHERWISE)
        return self._of_questions[id(step)]


_RUN_IT: Final = "Name the step in real=, so that its own code runs."
_ASK_OTHERWISE: Final = "Ask for a type of which values can be made up."


def _made_up(of: FunctionOutput, gives: str, advice: str) -> Outputs:
    name, declared, routes = of
    if declared is None or declared is Any or declared is object:
        has_fields = any(route.on.path for route in routes)
        return _told_apart(routes, None, [{} if has_fields else plain_result(name)], None, _itself)
    if declared is str:
        return _told_apart(routes, str, [plain_result(name)], None, _itself)
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        adapter: TypeAdapter[object] = TypeAdapter(declared)  # type: ignore[arg-type]
        draw = values_of(adapter.json_schema())
        bases = _bases(draw)
    except (PydanticUserError, NoInstance, ValueError, TypeError) as fault:
        raise UserError(
            f"Step '{name}' {gives} {getattr(declared, '__name__', declared)}, of which no value"
            f" can be made up: {str(fault).partition('. ')[0]}. {advice}"
        ) from fault

    def read(value: object) -> object:
        if isinstance(value, _JSON):
            return adapter.validate_json(_text(value))
        return adapter.validate_python(value)

    return _told_apart(routes, declared, bases, draw, read)


def _bases(draw: Draw) -> list[object]:
    """Values of a type, the simplest first."""
    return [draw(Planned(), 0), *(draw(Seeded(seed), 0) for seed in range(_MOST_TRIED))]


def _told_apart(
    routes: Sequence[RouteOver],
    declared: object,
    bases: list[object],
    draw: Draw | None,
    read: _Read,
) -> Outputs:
    """The outputs with one value for each combination of ways."""
    tried = list(bases)
    for route in routes:
        values = list(route.candidates(declared))
        path = route.on.path
        tried += [new for base in tried for value in values for new in _with(base, path, value)]
        tried = _one_each(routes, tried, read)
    return Outputs(_one_each(routes, tried, read) or bases[:1], draw, read)


def _one_each(routes: Sequence[RouteOver], values: Iterable[object], read: _Read) -> list[object]:
    """The first value that takes each combination of ways, among those that fit the type."""
    each: dict[tuple[str, ...], object] = {}
    for value in values:
        try:
            output = read(value)
        except (ModelBehaviorError, ValueError):
            continue
        if len(each) < _MOST_TOLD_APART:
            each.setdefault(tuple(route.way(output) for route in routes), value)
    return list(each.values())


def _with(base: object, path: Sequence[str], value: object) -> Iterator[object]:
    """A JSON value with another value at the end of a path; none if there is no such place."""
    if isinstance(base, dict) and base.keys() == {_WRAPPED} and path[:1] != (_WRAPPED,):
        yield from ({_WRAPPED: inner} for inner in _with(base[_WRAPPED], path, value))
    elif not path:
        yield value
    elif isinstance(base, dict):
        first, *rest = path
        yield from ({**base, first: inner} for inner in _with(base.get(first, {}), rest, value))


def _itself(value: object) -> object:
    return value


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
