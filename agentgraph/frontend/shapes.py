"""Shapes: the attributes that lowering reads of an object, stored so that every run can cheaply
check for changes.

A shape holds the attribute values and a copy of each list and dictionary among them; a check is one
comparison in C for each object. Shapes compare objects as lists do, by identity first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce
from operator import attrgetter
from typing import Any, NamedTuple

from agentgraph.agent import Agent
from agentgraph.agent_tool import AgentTool
from agentgraph.frontend.digests import public_fields
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff
from agentgraph.model_settings import ModelSettings
from agentgraph.tools.function import FunctionTool
from agentgraph.workflow import Workflow

_SETTINGS = "model_settings.__dict__"
OF_AGENTS = tuple(_SETTINGS if name == "model_settings" else name for name in public_fields(Agent))
_OF_RUN_CONFIGS = (
    "input_guardrails",
    "output_guardrails",
    "tool_not_found_behavior",
    "tool_execution",
    "model_settings.parallel_tool_calls",
    "model_settings.tool_choice",
    "model_settings.retry",
)
_OF_WORKFLOWS = (*public_fields(Workflow), "_edges")
_OF_TARGETS = ("name", "handoff_description")

BEHAVIOR, HOOKS = OF_AGENTS.index("tool_use_behavior"), OF_AGENTS.index("hooks")
INPUTS, OUTPUTS = OF_AGENTS.index("input_guardrails"), OF_AGENTS.index("output_guardrails")
PROMPT, RESET = OF_AGENTS.index("prompt"), OF_AGENTS.index("reset_tool_choice")
OUTPUT_TYPE = OF_AGENTS.index("output_type")
SERVERS, SETTINGS = OF_AGENTS.index("mcp_servers"), OF_AGENTS.index(_SETTINGS)
_MODEL, (_NAME, _DESCRIPTION) = OF_AGENTS.index("model"), map(OF_AGENTS.index, _OF_TARGETS)
"""Positions in the values of the shape of an agent."""

_CONTAINERS_OF_AGENTS = (
    *map(OF_AGENTS.index, ("tools", "handoffs", "mcp_config")),
    *(SERVERS, SETTINGS, INPUTS, OUTPUTS, BEHAVIOR, PROMPT),
)
"""The positions that may hold lists and dictionaries in an agent that has passed its checks."""
_read_agent, _read_target = attrgetter(*OF_AGENTS), attrgetter(*_OF_TARGETS)
_READERS: dict[type, tuple[tuple[str, ...], Callable[[Any], object]]] = {
    kind: (names := public_fields(kind), attrgetter(*names))
    for kind in (FunctionTool, AgentTool, Handoff, InputGuardrail, OutputGuardrail)
}
"""Names and readers for parts of our own classes; parts of user classes are inspected each time."""
OWN_CLASSES = _READERS.keys()
"""The classes of ours whose shapes cover all that lowering reads."""


class Shape(NamedTuple):
    """The attributes of one object that lowering read.

    Args:
        part: The object.
        names: The names of the attributes.
        read: Reads them.
        values: The result of ``read`` at the time of lowering.
    """

    part: Any
    names: tuple[str, ...]
    read: Callable[[Any], object]
    values: Any


class AnyOf:
    """Stands for a model. It equals every model of one class, because all of them lower equally.

    Args:
        kind: The class.
    """

    __slots__ = ("kind",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return type(other) is self.kind


def unchanged(shapes: Iterable[Shape]) -> bool:
    """Whether objects are unchanged since lowering."""
    try:
        for part, _, read, values in shapes:
            if read(part) != values:
                return False
    except AttributeError:
        return False
    return True


def as_it_was(shape: Shape) -> Any:
    """The object of a shape with the attributes that it had at the time of lowering: the object
    itself if it is unchanged, else a copy."""
    part = shape.part
    if unchanged((shape,)):
        return part
    values = shape.values if len(shape.names) > 1 else (shape.values,)
    try:
        copy = object.__new__(type(part))
        copy.__dict__.update(part.__dict__)
    except (AttributeError, TypeError):
        return part  # an object of a foreign class that has no attribute dictionary
    for name, value in zip(shape.names, values, strict=True):
        if name == _SETTINGS:
            settings = object.__new__(type(part.model_settings))
            settings.__dict__.update(value or {})
            copy.__dict__["model_settings"] = settings
        elif "." not in name:
            copy.__dict__[name] = value
    return copy


def shape_of(agent: Agent[Any]) -> Shape:
    """The shape of an agent, without the shapes of the objects that it lists."""
    read: Callable[[Any], tuple[Any, ...]] = _read_agent
    try:
        values = read(agent)
    except AttributeError:
        read = partial(_read_present, OF_AGENTS)
        values = read(agent)
    copies = list(values)
    for place in _CONTAINERS_OF_AGENTS:
        kind = type(values[place])
        if kind in _EMPTY:
            copies[place] = _copy(values[place], kind)
    model = copies[_MODEL]
    if model is not None and not isinstance(model, str):
        copies[_MODEL] = AnyOf(type(model))
    return Shape(agent, OF_AGENTS, read, tuple(copies))


def shape_of_part(part: object) -> Shape:
    """The shape of a tool, handoff, guardrail or server: all of its public attributes."""
    reader = _READERS.get(type(part))
    if reader is not None:
        return _shape(part, *reader)
    return _shape(part, public_fields(part) or ("name",))


def shape_of_run_config(run_config: object) -> Shape:
    """The shape of the run configuration of an agent used as a tool."""
    return _shape(run_config, _OF_RUN_CONFIGS)


def shape_of_workflow(workflow: object) -> Shape:
    """The shape of a declared workflow, without the shapes of its agents."""
    return _shape(workflow, _OF_WORKFLOWS)


def target_shape(agent: Shape) -> Shape:
    """The part of an agent's shape that the model sees of it as a handoff target.

    Args:
        agent: The shape of an agent that another agent lists in its ``handoffs``.
    """
    values = agent.values[_NAME], agent.values[_DESCRIPTION]
    return Shape(agent.part, _OF_TARGETS, _read_target, values)


def _shape(
    part: object, names: tuple[str, ...], read: Callable[[Any], object] | None = None
) -> Shape:
    read = read or attrgetter(*names)
    try:
        values = read(part)
    except AttributeError:
        read = partial(_read_present, names)
        values = read(part)
    kind = type(values)
    return Shape(part, names, read, _copy(values, kind) if kind in _EMPTY else values)


def _read_present(names: tuple[str, ...], part: object) -> tuple[object, ...]:
    """Read an object that lacks some of the attributes; a missing one counts as ``None``."""
    return tuple(
        reduce(lambda value, step: getattr(value, step, None), name.split("."), part)
        for name in names
    )


def _copy(value: Any, kind: type) -> Any:
    """A copy of a container, so that the shape does not change with it.

    Args:
        value: A list, a tuple or a dictionary.
        kind: Its class.
    """
    if not value:
        return _EMPTY[kind]
    if kind is dict:
        if len(value) == _NUMBER_OF_SETTINGS and value == _UNSET:
            return _UNSET
        if _CONTAINERS.isdisjoint(map(type, value.values())):
            return value.copy()
        return {
            key: _copy(item, of) if (of := type(item)) in _EMPTY else item
            for key, item in value.items()
        }
    if _CONTAINERS.isdisjoint(map(type, value)):
        return value[:]
    return kind([_copy(item, of) if (of := type(item)) in _EMPTY else item for item in value])


_UNSET = vars(ModelSettings())
"""The copy of settings without any value set; most agents have such settings and share it."""
_NUMBER_OF_SETTINGS = len(_UNSET)

_EMPTY: dict[type, Any] = {tuple: (), list: [], dict: {}}
"""The copies of empty containers; all shapes share them."""
_CONTAINERS = _EMPTY.keys()
