"""Declarations of tools, handoffs and guardrails, made once for each object, however many agents
list it.

A declaration here has no symbol yet, because the symbol depends on the agent that lists the object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentgraph.agent_tool import ReturningHandoff
from agentgraph.authoring.function_names import OF_HANDOFFS, derived_name
from agentgraph.frontend.context_use import attributes_of_class
from agentgraph.frontend.digests import attributes_of, digest, public_fields
from agentgraph.frontend.discover import stem
from agentgraph.frontend.inner_agents import InnerRun, inner_runs
from agentgraph.frontend.lower_tools import (
    approval,
    configuration,
    enabled,
    is_remote,
    judged,
    kind_of,
    name_of,
    screened,
    turns_of,
)
from agentgraph.frontend.lower_types import (
    nominal,
    output_schema,
    output_type,
    returned_type,
    taken_type,
)
from agentgraph.frontend.origins import Overrides, allowed_on, origin_of
from agentgraph.frontend.readers import Readers
from agentgraph.frontend.readings import HandoffReading
from agentgraph.frontend.scope import plain
from agentgraph.frontend.shapes import Shape, as_it_was
from agentgraph.frontend.verdicts import always_passes
from agentgraph.frontend.words import (
    description_of_handoff,
    description_of_tool,
    has_default_name,
    instructions_of,
    is_derived,
)
from agentgraph.handoffs import Handoff, handoff_by_itself
from agentgraph.tools.actions import acts_at_provider
from agentgraph_compiler.diagnostics import UNKNOWN
from agentgraph_compiler.ir import chart
from agentgraph_compiler.ir.chart import Enabled
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.types import ANY, TEXT, Type

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.guardrail import InputGuardrail, OutputGuardrail

Part = TypeVar("Part", chart.Tool, chart.Handoff, chart.Guardrail)

_NOT_IN_DIGESTS = frozenset({"agent_name", "returns"})
_OF_HANDOFFS = (*(n for n in public_fields(Handoff) if n not in _NOT_IN_DIGESTS), "_on_handoff")
_CODE_OF_TOOLS = ("on_invoke_tool", "_function")


@dataclass(frozen=True, slots=True)
class Declared(Generic[Part]):
    """A tool, handoff or guardrail with its declaration, shared by the agents that list it.

    Args:
        declaration: Its declaration, without a symbol.
        stem: The end of its symbol, unless another part of the agent already has that.
        part: The object, as it was read.
        runs: The runs that the code of the object starts by itself.
        readers: The callables of the object that read the context.
    """

    declaration: Part
    stem: str
    part: Any
    runs: tuple[InnerRun, ...] = ()
    readers: tuple[chart.Reader, ...] = ()


class Declarations:
    """The declarations of one workflow.

    Args:
        overrides: Origins that take precedence.
        bare: Whether to leave out types and digests, on which no table depends.
        later: Whether the objects may have changed since they were read.
    """

    def __init__(
        self, overrides: Overrides | None = None, *, bare: bool = False, later: bool = False
    ) -> None:
        # Lookups by id are safe: the reading holds every object during lowering.
        self.overrides, self.bare, self.later = overrides, bare, later
        self._parts: dict[int, Any] = {}
        self._tools: dict[int, Declared[chart.Tool]] = {}
        self._handoffs: dict[int, Declared[chart.Handoff]] = {}
        self._guardrails: dict[int, Declared[chart.Guardrail]] = {}
        self._outputs: dict[int, Type] = {}
        self._members: dict[int, tuple[str, ...]] = {}
        self._schemas: dict[int, tuple[str, str]] = {}
        self.readers = Readers()

    def part(self, shape: Shape) -> Any:
        """An object in the state in which it was read."""
        if not self.later:
            return shape.part
        part = self._parts.get(id(shape.part))
        if part is None:
            part = self._parts[id(shape.part)] = as_it_was(shape)
        return part

    def tool(self, shape: Shape) -> Declared[chart.Tool]:
        """The declaration of a tool, without the sub-chart that it may run."""
        return _once(self._tools, shape.part, lambda: self._tool(self.part(shape)))

    def handoff(self, read: HandoffReading, target: object) -> Declared[chart.Handoff]:
        """The declaration of an entry of ``handoffs``.

        It leaves out what depends on the chart: the target's id and, if the user listed the agent
        itself, the origin.

        Args:
            read: The entry.
            target: The agent that it leads to, as it was read; ``None`` if it does not say.
        """
        entry = target if read.shape is None else self.part(read.shape)
        return _once(
            self._handoffs, read.entry, lambda: self._handoff(entry, read.shape is None, target)
        )

    def guardrail(self, shape: Shape) -> Declared[chart.Guardrail]:
        """The declaration of a guardrail."""
        return _once(self._guardrails, shape.part, lambda: self._guardrail(self.part(shape)))

    def output(self, agent: Agent[Any]) -> Type:
        """The type of an agent's final output."""
        if self.bare:
            return TEXT
        python_type = getattr(agent, "output_type", None)
        term = self._outputs.get(id(python_type))
        if term is None:
            term = self._outputs[id(python_type)] = output_type(python_type)
        return term

    def schema(self, agent: Agent[Any]) -> tuple[str, str]:
        """The JSON schema of an agent's final output, and why it has no strict form; a fingerprint
        needs neither."""
        if self.bare or self.later:
            return "", ""
        python_type = getattr(agent, "output_type", None)
        schema = self._schemas.get(id(python_type))
        if schema is None:
            schema = self._schemas[id(python_type)] = output_schema(python_type)
        return schema

    def members(self, context: object) -> tuple[str, ...]:
        """The attributes that a context of a type may have; a fingerprint needs none."""
        if self.bare or self.later or context is None:
            return ()
        members = self._members.get(id(context))
        if members is None:
            members = self._members[id(context)] = attributes_of_class(context)
        return members

    def digest(self, *parts: object) -> str:
        """The digest of declared values."""
        return "" if self.bare else digest(*parts)

    def instructions(self, agent: object) -> str | None:
        """The text of an agent's instructions; a fingerprint needs none, and no source is read for
        it."""
        return None if self.bare else instructions_of(agent, reads_source=not self.later)

    def _tool(self, tool: object) -> Declared[chart.Tool]:
        if isinstance(tool, ReturningHandoff):
            return self._returning(tool)
        name = plain(name_of(tool))
        code = {} if self.bare else attributes_of(tool, _CODE_OF_TOOLS)
        declaration = chart.Tool(
            symbol="",
            name=name,
            kind=kind_of(tool),
            enabled=enabled(tool),
            turns=turns_of(tool),
            digest="" if self.bare else digest(configuration(tool), code),
            origin=origin_of(tool, self.overrides),
            allowed=allowed_on(tool),
            approval=approval(tool),
            screened=screened(tool),
            judged=judged(tool),
            remote=is_remote(tool),
            acts=acts_at_provider(tool),
            extracts=getattr(tool, "custom_output_extractor", None) is not None,
            derived=not self.bare and is_derived(tool),
            description=None if self.bare else description_of_tool(tool),
            returns=ANY if self.bare else returned_type(getattr(tool, "_function", None)),
        )
        functions = code_of(tool)
        readers = () if self.bare else self.readers.of_tool(tool, name, declaration.origin)
        runs = self._runs(*functions)
        return Declared(declaration, stem(name), tool, runs=runs, readers=readers)

    def _returning(self, tool: ReturningHandoff) -> Declared[chart.Tool]:
        """The declaration of a handoff that returns."""
        handoff, target = tool.handoff, tool.agent
        name = plain(handoff.tool_name)
        attributes = {name: getattr(handoff, name, None) for name in _OF_HANDOFFS}
        origin = origin_of(handoff, self.overrides)
        declaration = chart.Tool(
            symbol="",
            name=name,
            kind=kind_of(tool),
            enabled=enabled(handoff),
            digest=self.digest("returns", attributes),
            origin=origin,
            allowed=allowed_on(handoff),
            derived=not self.bare and has_default_name(name, target),
            description=None if self.bare else description_of_handoff(handoff, target),
            handoff=True,
        )
        readers: tuple[chart.Reader, ...] = ()
        if not self.bare:
            readers = self.readers.of_handoff(handoff, plain(str(target.name)), origin)
        return Declared(declaration, stem(name), tool, readers=readers)

    def _handoff(self, entry: Any, by_itself: bool, target: object) -> Declared[chart.Handoff]:
        name, attributes, enabled_now = "", {}, Enabled.ALWAYS
        description: str | None = None
        if by_itself and self.bare:
            name = Handoff.default_tool_name(entry)
        else:
            authored: Handoff[Any, Any] = entry
            if by_itself:
                authored = handoff_by_itself(entry, derived_name(str(entry.name), OF_HANDOFFS))
            name, enabled_now = plain(authored.tool_name), enabled(authored)
            attributes = {name: getattr(authored, name, None) for name in _OF_HANDOFFS}
            description = None if self.bare else description_of_handoff(authored, target)
        target_name = getattr(target, "name", None) or getattr(entry, "agent_name", name)
        declaration = chart.Handoff(
            symbol="",
            name=name,
            target="",
            target_name=plain(str(target_name)),
            enabled=enabled_now,
            digest=self.digest(attributes),
            origin=UNKNOWN if by_itself else origin_of(entry, self.overrides),
            allowed=allowed_on(entry),
            filters=getattr(entry, "input_filter", None) is not None,
            acts=getattr(entry, "_on_handoff", None) is not None,
            derived=not self.bare and (by_itself or has_default_name(name, target)),
            description=description,
            input=ANY if self.bare else nominal(getattr(entry, "_input_type", None)),
            takes=ANY if self.bare else taken_type(getattr(entry, "_on_handoff", None)),
        )
        readers: tuple[chart.Reader, ...] = ()
        if not self.bare and not by_itself:
            origin = declaration.origin
            readers = self.readers.of_handoff(entry, declaration.target_name, origin)
        return Declared(declaration, stem(name), entry, readers=readers)

    def _guardrail(
        self, guardrail: InputGuardrail[Any] | OutputGuardrail[Any]
    ) -> Declared[chart.Guardrail]:
        name = plain(guardrail.get_name())
        declaration = chart.Guardrail(
            symbol="",
            name=name,
            parallel=getattr(guardrail, "run_in_parallel", True),
            passes=not self.bare and always_passes(guardrail.guardrail_function),
            origin=origin_of(guardrail, self.overrides),
            allowed=allowed_on(guardrail),
        )
        runs = self._runs(guardrail.guardrail_function)
        readers: tuple[chart.Reader, ...] = ()
        if not self.bare:
            readers = self.readers.of_guardrail(guardrail, name, declaration.origin)
        return Declared(declaration, stem(name), guardrail, runs=runs, readers=readers)

    def _runs(self, *functions: object) -> tuple[InnerRun, ...]:
        return () if self.bare else inner_runs(*functions)


def _once(
    memo: dict[int, Declared[Part]], part: object, declare: Callable[[], Declared[Part]]
) -> Declared[Part]:
    declared = memo.get(id(part))
    if declared is None:
        declared = memo[id(part)] = declare()
    return declared


def code_of(tool: object) -> list[object]:
    """The functions of the user that a call of a tool runs: its guardrails and its own."""
    guards = (
        *(getattr(tool, "tool_input_guardrails", None) or ()),
        *(getattr(tool, "tool_output_guardrails", None) or ()),
    )
    functions: list[object] = [one.guardrail_function for one in guards]
    if kind_of(tool) is not WorkKind.AGENT:
        functions.append(getattr(tool, "_function", None) or getattr(tool, "on_invoke_tool", None))
    return functions
