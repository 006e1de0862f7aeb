"""What lowering reads of tools, handoffs and guardrails: once for each object, however many agents
list it.

A declaration here has no symbol yet, because that depends on the agent that lists the object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agentgraph.frontend.digests import declared, digest
from agentgraph.frontend.discover import is_agent, stem, target_of
from agentgraph.frontend.lower_tools import (
    approval,
    configuration,
    enabled,
    judged,
    kind_of,
    name_of,
    screened,
)
from agentgraph.frontend.lower_types import context_of_callable, output_type
from agentgraph.frontend.origins import Overrides, allowed_on, origin_of
from agentgraph.frontend.shapes import Shape, shape_of_part, shape_of_run_config
from agentgraph.handoffs import handoff
from agentgraph_compiler.diagnostics import UNKNOWN
from agentgraph_compiler.ir import chart
from agentgraph_compiler.types import Type

Part = TypeVar("Part", chart.Tool, chart.Handoff, chart.Guardrail)

_OF_HANDOFFS = (
    "tool_name",
    "tool_description",
    "input_json_schema",
    "strict_json_schema",
    "is_enabled",
    "input_filter",
    "nest_handoff_history",
    "on_invoke_handoff",
    "_on_handoff",
)
_CODE_OF_TOOLS = ("on_invoke_tool", "_function")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Part]):
    """Something that agents list.

    Args:
        declaration: Its declaration, without symbol.
        stem: What its symbol ends with, where no other of the agent has it.
        part: The object.
        target: The agent it leads to, if it is a handoff that knows it.
        by_itself: Whether it is an agent instead of a handoff to one; the agent that lists it is
            then the place where the handoff was written.
        shapes: What it was when it was read.
    """

    declaration: Part
    stem: str
    part: Any
    target: Any = None
    by_itself: bool = False
    shapes: tuple[Shape, ...] = ()


class Declarations:
    """The declarations of one workflow.

    Args:
        overrides: Origins that take precedence.
    """

    def __init__(self, overrides: Overrides | None) -> None:
        # By id: whatever is looked up here is held by the agents for as long as they are lowered.
        self.overrides = overrides
        self._tools: dict[int, Listed[chart.Tool]] = {}
        self._handoffs: dict[int, Listed[chart.Handoff]] = {}
        self._guardrails: dict[int, Listed[chart.Guardrail]] = {}
        self._outputs: dict[int, Type] = {}

    def tool(self, tool: Any) -> Listed[chart.Tool]:
        """The declaration of a tool, without the sub-chart that it may run."""
        return _once(self._tools, tool, self._tool)

    def handoff(self, listed: Any) -> Listed[chart.Handoff]:
        """The declaration of an entry of ``handoffs``, without what depends on the chart: the
        target's id and, for an agent listed by itself, the origin."""
        return _once(self._handoffs, listed, self._handoff)

    def guardrail(self, guardrail: Any) -> Listed[chart.Guardrail]:
        """The declaration of a guardrail."""
        return _once(self._guardrails, guardrail, self._guardrail)

    def output(self, agent: Any) -> Type:
        """The type of an agent's final output."""
        wanted = getattr(agent, "output_type", None)
        known = self._outputs.get(id(wanted))
        if known is None:
            known = self._outputs[id(wanted)] = output_type(wanted)
        return known

    def _tool(self, tool: Any) -> Listed[chart.Tool]:
        name = name_of(tool)
        declaration = chart.Tool(
            "",
            name,
            kind_of(tool),
            enabled(tool),
            context=context_of_callable(getattr(tool, "_function", None)),
            digest=digest(configuration(tool), declared(tool, _CODE_OF_TOOLS)),
            origin=origin_of(tool, self.overrides),
            allowed=allowed_on(tool),
            approval=approval(tool),
            screened=screened(tool),
            judged=judged(tool),
        )
        shapes: tuple[Shape, ...] = (shape_of_part(tool),)
        run_config = getattr(tool, "run_config", None)
        if run_config is not None:
            shapes = (*shapes, shape_of_run_config(run_config))
        return Listed(declaration, stem(name), tool, shapes=shapes)

    def _handoff(self, listed: Any) -> Listed[chart.Handoff]:
        bare = is_agent(listed)
        entry: Any = handoff(listed) if bare else listed
        target = target_of(listed)
        described = {name: getattr(entry, name, None) for name in _OF_HANDOFFS}
        declaration = chart.Handoff(
            "",
            entry.tool_name,
            "",
            str(getattr(target, "name", None) or getattr(entry, "agent_name", entry.tool_name)),
            enabled(entry),
            digest(described),
            UNKNOWN if bare else origin_of(listed, self.overrides),
            allowed_on(listed),
        )
        # What an agent listed by itself is called and described by is part of its own shape.
        shapes = () if bare else (shape_of_part(listed),)
        return Listed(declaration, stem(entry.tool_name), listed, target, bare, shapes)

    def _guardrail(self, guardrail: Any) -> Listed[chart.Guardrail]:
        name = guardrail.get_name()
        declaration = chart.Guardrail(
            "",
            name,
            getattr(guardrail, "run_in_parallel", True),
            context_of_callable(guardrail.guardrail_function),
            origin_of(guardrail, self.overrides),
            allowed_on(guardrail),
        )
        return Listed(declaration, stem(name), guardrail, shapes=(shape_of_part(guardrail),))


def _once(
    known: dict[int, Listed[Part]], listed: Any, read: Callable[[Any], Listed[Part]]
) -> Listed[Part]:
    found = known.get(id(listed))
    if found is None:
        found = known[id(listed)] = read(listed)
    return found
