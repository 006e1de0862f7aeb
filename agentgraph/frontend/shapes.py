"""Shapes: what lowering reads of an object, remembered so cheaply that every run can look again.

A shape holds what was read and, for lists and dictionaries, a copy of what they held; looking again
is one comparison in C for each object. Shapes compare objects as lists do, by identity first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce
from operator import attrgetter
from typing import Any, NamedTuple

from agentgraph.agent_tool import AgentTool
from agentgraph.frontend.digests import public_fields
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff
from agentgraph.model_settings import ModelSettings
from agentgraph.tools.function import FunctionTool

_SETTINGS = "model_settings.__dict__"
OF_AGENTS = (
    "model",
    "name",
    "handoff_description",
    "tools",
    "mcp_servers",
    "mcp_config",
    "instructions",
    "prompt",
    "handoffs",
    _SETTINGS,
    "input_guardrails",
    "output_guardrails",
    "output_type",
    "tool_use_behavior",
    "reset_tool_choice",
    "hooks",
)
_OF_RUN_CONFIGS = (
    "input_guardrails",
    "output_guardrails",
    "tool_not_found_behavior",
    "tool_execution",
    "model_settings.tool_choice",
    "model_settings.retry",
)
_OF_WORKFLOWS = ("name", "start", "agents")
_OF_TARGETS = ("name", "handoff_description")

BEHAVIOR, HOOKS, INPUTS, OUTPUTS, PROMPT, RESET, SERVERS, SETTINGS, _NAME, _DESCRIPTION = map(
    OF_AGENTS.index,
    (
        "tool_use_behavior",
        "hooks",
        "input_guardrails",
        "output_guardrails",
        "prompt",
        "reset_tool_choice",
        "mcp_servers",
        _SETTINGS,
        *_OF_TARGETS,
    ),
)
"""Where these stand in what the shape of an agent was."""

_read_agent, _read_target = attrgetter(*OF_AGENTS), attrgetter(*_OF_TARGETS)
_KNOWN = {
    kind: (names := public_fields(kind), attrgetter(*names))
    for kind in (FunctionTool, AgentTool, Handoff, InputGuardrail, OutputGuardrail)
}
"""How parts of our own classes are read; those of the user's classes are looked at each time."""


class Shape(NamedTuple):
    """What lowering read of one object.

    Args:
        part: The object.
        names: The attributes that were read.
        read: Reads them.
        was: What it read when the object was lowered.
    """

    part: Any
    names: tuple[str, ...]
    read: Callable[[Any], object]
    was: Any


class AnyOf:
    """Stands for a model: one of the same class is lowered the same.

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
    """Whether objects are still what they were when they were lowered."""
    try:
        for part, _, read, was in shapes:
            if read(part) != was:
                return False
    except AttributeError:
        return False
    return True


def as_it_was(shape: Shape) -> Any:
    """The object of a shape with the attributes that it had when it was lowered: the object itself
    where it did not change, else a copy."""
    part = shape.part
    if unchanged((shape,)):
        return part
    was = shape.was if len(shape.names) > 1 else (shape.was,)
    try:
        copy = object.__new__(type(part))
        copy.__dict__.update(part.__dict__)
    except (AttributeError, TypeError):
        return part  # an object of another make that is not made of attributes
    for name, value in zip(shape.names, was, strict=True):
        if name == _SETTINGS:
            settings = object.__new__(type(part.model_settings))
            settings.__dict__.update(value or {})
            copy.__dict__["model_settings"] = settings
        elif "." not in name:
            copy.__dict__[name] = value
    return copy


def shape_of(agent: Any) -> Shape:
    """The shape of an agent, without that of what it lists."""
    read: Callable[[Any], tuple[Any, ...]] = _read_agent
    try:
        values = read(agent)
    except AttributeError:
        read = partial(_read_what_is_there, OF_AGENTS)
        values = read(agent)
    was = [_kept(value, kind) if (kind := type(value)) in _NOTHING else value for value in values]
    model = was[0]
    if model is not None and not isinstance(model, str):
        was[0] = AnyOf(type(model))
    return Shape(agent, OF_AGENTS, read, tuple(was))


def shape_of_part(part: Any) -> Shape:
    """The shape of a tool, handoff, guardrail or server: everything that it shows."""
    known = _KNOWN.get(type(part))
    if known is not None:
        return _shape(part, *known)
    return _shape(part, public_fields(part) or ("name",))


def shape_of_run_config(run_config: Any) -> Shape:
    """The shape of the run configuration of an agent used as a tool."""
    return _shape(run_config, _OF_RUN_CONFIGS)


def shape_of_workflow(workflow: Any) -> Shape:
    """The shape of a declared workflow, without that of its agents."""
    return _shape(workflow, _OF_WORKFLOWS)


def target_shape(agent: Shape) -> Shape:
    """The shape of an agent as far as the model of one that lists it by itself is shown it.

    Args:
        agent: The shape of the agent that is listed.
    """
    return Shape(agent.part, _OF_TARGETS, _read_target, (agent.was[_NAME], agent.was[_DESCRIPTION]))


def _shape(part: Any, names: tuple[str, ...], read: Callable[[Any], object] | None = None) -> Shape:
    read = read or attrgetter(*names)
    try:
        was = read(part)
    except AttributeError:
        read = partial(_read_what_is_there, names)
        was = read(part)
    return Shape(part, names, read, _kept(was, kind) if (kind := type(was)) in _NOTHING else was)


def _read_what_is_there(names: tuple[str, ...], part: Any) -> tuple[object, ...]:
    """Read an object of another shape than ours; what it does not have counts as ``None``."""
    return tuple(
        reduce(lambda value, step: getattr(value, step, None), name.split("."), part)
        for name in names
    )


def _kept(value: Any, kind: type) -> Any:
    """A value that does not change with what was read: lists and dictionaries are copied.

    Args:
        value: A list, a tuple or a dictionary.
        kind: Which of them.
    """
    if not value:
        return _NOTHING[kind]
    if kind is dict:
        if len(value) == _NUMBER_OF_SETTINGS and value == _UNSET:
            return _UNSET
        if _CONTAINERS.isdisjoint(map(type, value.values())):
            return value.copy()
        return {
            key: _kept(item, of) if (of := type(item)) in _NOTHING else item
            for key, item in value.items()
        }
    if _CONTAINERS.isdisjoint(map(type, value)):
        return value[:]
    return kind([_kept(item, of) if (of := type(item)) in _NOTHING else item for item in value])


_UNSET = vars(ModelSettings())
"""What is kept of settings none of which is set: one for all agents, for there are many."""
_NUMBER_OF_SETTINGS = len(_UNSET)

_NOTHING: dict[type, Any] = {tuple: (), list: [], dict: {}}
"""What is kept of an empty list or dictionary: one for all of them."""
_CONTAINERS = _NOTHING.keys()
