"""The checks of an agent at its construction.

Every message names the agent, the field, its value and the expected type. Where objects of the
published SDK are accepted too, a check looks at the attributes of a value instead of its class. A
check never calls or awaits a value.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from itertools import product
from operator import attrgetter
from types import FunctionType
from typing import Any, Final, get_origin

from agentgraph.agent_output import AgentOutputSchemaBase
from agentgraph.agent_tool import AgentTool
from agentgraph.authoring.any_agent import AnyAgent, AnyAgentBase
from agentgraph.authoring.guardrail_kinds import GuardrailKind, guardrail_problem, kind_name
from agentgraph.authoring.mistakes import (
    not_a_guardrail,
    not_a_handoff,
    not_a_tool,
    wrong_field_type,
)
from agentgraph.authoring.recording import current_recorder
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import Handoff
from agentgraph.lifecycle import AgentHooksBase, RunHooksBase
from agentgraph.model_settings import DefaultModelSettings, ModelSettings
from agentgraph.tools.function import FunctionTool
from agentgraph.user_code.arity import CONTEXT_AND_AGENT, accepts, callback_problem
from agentgraph_compiler.diagnostics import Rule

__all__ = ["check_agent", "check_agent_base", "default_of", "is_plainly_right"]

_TOOL_USE: Final = ("run_llm_again", "stop_on_first_tool")
_TOOLS: Final = frozenset({FunctionTool, AgentTool})
_INPUTS: Final = frozenset({InputGuardrail})
_OUTPUTS: Final = frozenset({OutputGuardrail})
_TEXTS: Final = frozenset({str})
_NONE: Final = type(None)
_USUAL_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "name": (str,),
    "handoff_description": (_NONE, str),
    "instructions": (_NONE, str, FunctionType),
    "hooks": (_NONE,),
    "prompt": (_NONE,),
    "tools": (list,),
    "mcp_servers": (list,),
    "handoffs": (list,),
    "input_guardrails": (list,),
    "output_guardrails": (list,),
    "mcp_config": (dict,),
    "model_settings": (ModelSettings, DefaultModelSettings),
    "tool_use_behavior": (str,),
    "reset_tool_choice": (bool,),
}
"""The usual types of the fields; `model` and `output_type` have no usual type."""
_USUAL: Final = frozenset(product(*_USUAL_TYPES.values()))
_INSTRUCTIONS: Final = list(_USUAL_TYPES).index("instructions")
_read_name = attrgetter("name")
_read_fields = attrgetter(*_USUAL_TYPES)


def check_agent_base(agent: Any) -> None:
    """Check the fields that all kinds of agents have.

    Args:
        agent: The agent.

    Raises:
        AgentDefinitionError: A field has a value of the wrong type.
    """
    if not isinstance(agent.name, str):
        error = AgentDefinitionError(f"Agent.name must be a string, not {kind_name(agent.name)}.")
        _refuse(agent, error, wrong_field_type.RULE)
        agent.name = str(agent.name)
    _require(agent, "handoff_description", "a string or None", _is_text_or_none)
    _require(agent, "tools", "a list", _is_list)
    _require(agent, "mcp_servers", "a list", _is_list)
    _require(agent, "mcp_config", "a dict", lambda value: isinstance(value, dict))
    _check_entries(agent, "tools", not_a_tool.RULE, _wrong_tool)


def check_agent(agent: Any) -> None:
    """Check the fields that only `Agent` has.

    Args:
        agent: The agent.

    Raises:
        AgentDefinitionError: A field has a value of the wrong type.
    """
    _require(agent, "instructions", "a string, a callable or None", _is_text_callable_or_none)
    _require(agent, "prompt", "a Prompt dict, a callable or None", _is_prompt)
    _require(agent, "handoffs", "a list", _is_list)
    _check_entries(agent, "handoffs", not_a_handoff.RULE, _wrong_handoff)
    _require(agent, "model", "a model's name, a Model or None", _is_model)
    _require(agent, "model_settings", "a ModelSettings", lambda v: isinstance(v, ModelSettings))
    _check_guardrails(agent, "input_guardrails", "InputGuardrail")
    _check_guardrails(agent, "output_guardrails", "OutputGuardrail")
    _require(agent, "output_type", "a type, an AgentOutputSchemaBase or None", _is_output_type)
    if isinstance(agent.hooks, RunHooksBase):
        instead = "an AgentHooks; pass RunHooks to the runner instead"
        _refuse(agent, _wrong(agent, "hooks", instead), wrong_field_type.RULE)
        agent.hooks = None
    _require(agent, "hooks", "an AgentHooks or None", _is_agent_hooks)
    _require(
        agent,
        "tool_use_behavior",
        "'run_llm_again', 'stop_on_first_tool', a StopAtTools dict or a callable",
        _is_tool_use_behavior,
    )
    _require(agent, "reset_tool_choice", "a bool", lambda value: isinstance(value, bool))
    for name, (arguments, without) in _CALLBACKS.items():
        wrong = callback_problem(getattr(agent, name), arguments)
        if wrong is not None:
            _refuse(agent, _wrong(agent, name, wrong), wrong_field_type.RULE)
            setattr(agent, name, without)


# The arguments of each callback, and the value of its field without one.
_CALLBACKS: Final = {
    "instructions": (CONTEXT_AND_AGENT, None),
    "prompt": (("the data of the run",), None),
    "tool_use_behavior": (("the context", "the results"), "run_llm_again"),
}


def is_plainly_right(agent: AnyAgent) -> bool:
    """Whether an agent needs no further check, because every field is unset or of the usual type.

    Args:
        agent: An object of the class `Agent` itself, not of a subclass. Each run makes this check,
            so it must be fast.

    Returns:
        `True` if `check_agent_base` and `check_agent` would pass. They may also pass if it is
        `False`.
    """
    kinds = tuple(map(type, _read_fields(agent)))
    model, tools, handoffs = agent.model, agent.tools, agent.handoffs
    inputs, outputs = agent.input_guardrails, agent.output_guardrails
    return (
        kinds in _USUAL
        and (not tools or _TOOLS.issuperset(map(type, tools)))
        and (not tools or _TEXTS.issuperset(map(type, map(_read_name, tools))))
        and (not handoffs or {type(agent), Handoff}.issuperset(map(type, handoffs)))
        and (not inputs or _INPUTS.issuperset(map(type, inputs)))
        and (not outputs or _OUTPUTS.issuperset(map(type, outputs)))
        and (agent.output_type is None or isinstance(agent.output_type, type))
        and (model is None or type(model) is str or hasattr(model, "get_response"))
        and agent.tool_use_behavior in _TOOL_USE
        and (kinds[_INSTRUCTIONS] is not FunctionType or accepts(agent.instructions, 2))
    )


def _check_entries(
    agent: AnyAgentBase, name: str, rule: Rule, problem_of: Callable[[Any], str | None]
) -> None:
    """Refuse the wrong entries of a list; a recorder notes them, and the agent loses them."""
    right = []
    entries = getattr(agent, name)
    for position, entry in enumerate(entries):
        problem = problem_of(entry)
        if problem is None:
            right.append(entry)
        else:
            _refuse(agent, _wrong(agent, f"{name}[{position}]", problem), rule)
    if len(right) < len(entries):
        setattr(agent, name, right)


def _wrong_tool(tool: object) -> str | None:
    name = getattr(tool, "name", None)
    if hasattr(tool, "handoffs") and hasattr(tool, "as_tool"):
        return f"a tool, not the agent {name!r}: use its as_tool(...)"
    if inspect.isroutine(tool):
        return f"a tool, not the function {tool.__name__!r}: decorate it with @function_tool"
    if not isinstance(name, str):
        return f"a tool, not {kind_name(tool)}"
    return None


def _wrong_handoff(target: object) -> str | None:
    if _is_handoff(target) or (hasattr(target, "start") and hasattr(target, "then")):
        return None
    return f"an Agent, a Handoff or a Workflow, not {kind_name(target)}"


def _check_guardrails(agent: AnyAgent, name: str, kind: GuardrailKind) -> None:
    _require(agent, name, "a list", _is_list)
    _check_entries(agent, name, not_a_guardrail.RULE, lambda it: guardrail_problem(it, kind))


def _require(agent: AnyAgentBase, name: str, expected: str, holds: Callable[[Any], bool]) -> None:
    value = getattr(agent, name)
    if not holds(value):
        _refuse(
            agent, _wrong(agent, name, f"{expected}, not {kind_name(value)}"), wrong_field_type.RULE
        )
        setattr(agent, name, default_of(agent.__dataclass_fields__[name]))


def default_of(definition: dataclasses.Field[Any]) -> Any:
    """Return the default value of a field, made anew if the field has a factory."""
    if definition.default_factory is not dataclasses.MISSING:
        return definition.default_factory()
    return definition.default


def _refuse(agent: object, error: AgentDefinitionError, rule: Rule) -> None:
    """Raise an error; if a recorder is set, it notes the error instead."""
    error.rule = rule
    recorder = current_recorder()
    if recorder is None:
        raise error
    recorder.mistaken(error, agent)


def _wrong(agent: AnyAgentBase, place: str, problem: str) -> AgentDefinitionError:
    return AgentDefinitionError(f"Agent {agent.name!r}: {place} must be {problem}.")


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_text_callable_or_none(value: object) -> bool:
    return _is_text_or_none(value) or callable(value)


def _is_prompt(value: object) -> bool:
    return value is None or isinstance(value, dict) or callable(value)


def _is_handoff(value: object) -> bool:
    return isinstance(value, Handoff) or hasattr(value, "handoffs") or _has_handoff_shape(value)


def _has_handoff_shape(value: object) -> bool:
    return hasattr(value, "on_invoke_handoff") and hasattr(value, "agent_name")


def _is_model(value: object) -> bool:
    return _is_text_or_none(value) or hasattr(value, "get_response")


def _is_output_type(value: object) -> bool:
    if value is None or isinstance(value, type | AgentOutputSchemaBase):
        return True
    # list[Foo], Foo | Bar and the special forms of typing are types without being classes.
    return get_origin(value) is not None or type(value).__module__ == "typing"


def _is_agent_hooks(value: object) -> bool:
    return value is None or isinstance(value, AgentHooksBase) or hasattr(value, "on_start")


def _is_tool_use_behavior(value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("stop_at_tool_names"), list)
    return value in _TOOL_USE if isinstance(value, str) else callable(value)
