"""Lowering of one agent: its declaration in the chart, and its binding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentgraph.agent import Agent
from agentgraph.agent_validation import check_agent, check_agent_base
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.frontend.bindings import AgentBinding, HandoffBinding, ToolBinding
from agentgraph.frontend.declarations import Declarations, Listed
from agentgraph.frontend.digests import declared, digest, qualified_name
from agentgraph.frontend.discover import Discovered, Names, stem
from agentgraph.frontend.lower_tools import judged, screened
from agentgraph.frontend.lower_types import declared_context
from agentgraph.frontend.origins import allowed_on, origin_of
from agentgraph.frontend.shapes import shape_of, shape_of_part
from agentgraph_compiler.ir import chart
from agentgraph_compiler.ir.chart import Approval, Enabled, Stop, StopKind
from agentgraph_compiler.machine import WorkKind


@dataclass(frozen=True, slots=True)
class Lowered:
    """An agent lowered: the declaration for the chart, the binding, and what its other symbols
    stand for."""

    declaration: chart.Agent
    binding: AgentBinding
    symbols: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lowering one agent needs to know of the whole.

    Args:
        found: The agents of the chart.
        input_guardrails: Those of the run, for the start agent.
        output_guardrails: Those of the run, for every agent.
        tool_choice: The tool choice of the run, for every agent; ``None`` where it has none.
        tries: How often the run has failed model calls made again; ``None`` where it does not say.
        subchart_of: Gives the name of the sub-chart that an agent tool runs.
        declarations: What was read of the objects that agents list.
    """

    found: Discovered
    input_guardrails: tuple[Any, ...]
    output_guardrails: tuple[Any, ...]
    tool_choice: Any
    tries: int | None
    subchart_of: Callable[[Any], str]
    declarations: Declarations


def lower_agent(agent: Any, around: Surroundings) -> Lowered:
    """Lower one agent.

    Args:
        agent: The agent object.
        around: What is known of the whole.

    Raises:
        AgentDefinitionError: A field was given something unusable since the agent was constructed,
            or its class overrides what no run asks.
    """
    if isinstance(agent, Agent):
        # Fields and lists may be changed at any time; what construction refuses, lowering does.
        check_agent_base(agent)
        check_agent(agent)
        if type(agent).get_all_tools is not Agent.get_all_tools:
            raise AgentDefinitionError(
                f"Agent {agent.name!r}: {type(agent).__name__} overrides get_all_tools, which no"
                " run asks, because the tools of a run are compiled. List them in tools, with"
                " is_enabled where they depend on the run, or give the agent an MCP server."
            )
    return _Lowering(agent, around).lowered()


class _Lowering:
    def __init__(self, agent: Any, around: Surroundings) -> None:
        self.agent, self.around = agent, around
        self.id = around.found.ids[id(agent)]
        self.origin = origin_of(agent, around.declarations.overrides)
        self.names: dict[str, Names] = {}
        self.symbols: dict[str, Any] = {}
        read = around.declarations
        start = agent is around.found.start
        inputs = (*_list(agent, "input_guardrails"), *(around.input_guardrails if start else ()))
        outputs = (*_list(agent, "output_guardrails"), *around.output_guardrails)
        self.tools = [read.tool(tool) for tool in agent.tools]
        self.handoffs = [read.handoff(listed) for listed in agent.handoffs]
        self.inputs = [read.guardrail(guardrail) for guardrail in inputs]
        self.outputs = [read.guardrail(guardrail) for guardrail in outputs]
        self.servers = [
            (self._symbol("mcp", stem(server.name)), server)
            for server in _list(agent, "mcp_servers")
        ]

    def lowered(self) -> Lowered:
        agent = self.agent
        tools = [self._tool(listed) for listed in self.tools]
        handoffs = [self._handoff(listed) for listed in self.handoffs]
        declaration = chart.Agent(
            self.id,
            agent.name,
            declared_context(agent),
            self.around.declarations.output(agent),
            (*tools, *map(_server, self.servers)),
            tuple(handoffs),
            tuple(self._guardrails("input", self.inputs)),
            tuple(self._guardrails("output", self.outputs)),
            self._stop(),
            not self._forced(tools, handoffs),
            self._digest(),
            tuple(self._unseen(handoffs)),
            self.origin,
            allowed_on(agent),
            self._tries(),
        )
        return Lowered(declaration, self._binding(tools, handoffs), self.symbols)

    def _binding(self, tools: list[chart.Tool], handoffs: list[chart.Handoff]) -> AgentBinding:
        parts: tuple[Listed[Any], ...] = (
            *self.tools,
            *self.handoffs,
            *self.inputs,
            *self.outputs,
        )
        return AgentBinding(
            self.id,
            self.agent,
            tuple(
                ToolBinding("" if row.kind is None else row.symbol, listed.part)
                for row, listed in zip(tools, self.tools, strict=True)
            ),
            tuple(
                HandoffBinding(row.symbol, row.name, listed.part, row.target)
                for row, listed in zip(handoffs, self.handoffs, strict=True)
                if row.target and row.enabled is not Enabled.NEVER
            ),
            tuple(self.servers),
            (
                shape_of(self.agent),
                *(shape for part in parts for shape in part.shapes),
                *(shape_of_part(server) for _, server in self.servers),
            ),
        )

    def _symbol(self, family: str, wanted: str) -> str:
        names = self.names.get(family)
        if names is None:
            names = self.names[family] = Names()
        return f"{self.id}/{family}/{names.claim(wanted or family)}"

    def _tool(self, listed: Listed[chart.Tool]) -> chart.Tool:
        read = listed.declaration
        return replace(
            read,
            symbol=self._symbol("tool", listed.stem),
            machine=self.around.subchart_of(listed.part) if read.kind is WorkKind.AGENT else "",
        )

    def _handoff(self, listed: Listed[chart.Handoff]) -> chart.Handoff:
        read, found = listed.declaration, self.around.found
        # A handoff made by hand knows its target by name alone.
        target = listed.target or found.only.get(read.target_name)
        return chart.Handoff(
            self._symbol("handoff", listed.stem),
            read.name,
            found.ids.get(id(target), ""),
            read.target_name,
            read.enabled,
            read.digest,
            self.origin if listed.by_itself else read.origin,
            read.allowed,
        )

    def _guardrails(
        self, family: str, guardrails: Iterable[Listed[chart.Guardrail]]
    ) -> Iterator[chart.Guardrail]:
        for listed in guardrails:
            read = listed.declaration
            symbol = self._symbol(family, listed.stem)
            self.symbols[symbol] = listed.part
            yield chart.Guardrail(
                symbol, read.name, read.parallel, read.context, read.origin, read.allowed
            )

    def _stop(self) -> Stop:
        behavior = self.agent.tool_use_behavior
        if behavior == "run_llm_again":
            return _NEVER
        if behavior == "stop_on_first_tool":
            return Stop(StopKind.FIRST)
        if isinstance(behavior, dict):
            names = tuple(behavior.get("stop_at_tool_names", ()))
            # No name at all is no tool, whereas a guard without names is about every tool.
            return Stop(StopKind.NAMED, names) if names else _NEVER
        symbol = f"{self.id}/tool_use_behavior"
        self.symbols[symbol] = behavior
        return Stop(StopKind.ASKED, symbol=symbol)

    def _tries(self) -> int:
        """How often a failed model call is made again: as the run says, else as the agent says."""
        if self.around.tries is not None:
            return self.around.tries
        return retries_of(getattr(self.agent, "model_settings", None)) or 0

    def _forced(self, tools: list[chart.Tool], handoffs: list[chart.Handoff]) -> bool:
        """Whether every reply of the model must hold a call for this side to carry out, so that
        none is final. What the provider carries out leaves room for an answer beside it."""
        agent, choice = self.agent, self.around.tool_choice
        if choice is None:
            choice = getattr(agent.model_settings, "tool_choice", None)
        if agent.reset_tool_choice is not False:
            return False
        if choice == "required":
            # A stored prompt may bring hosted tools along.
            hosted = any(tool.kind is None and tool.enabled is not Enabled.NEVER for tool in tools)
            return not hosted and getattr(agent, "prompt", None) is None
        ours = {tool.name for tool in tools if tool.kind is not None}
        return isinstance(choice, str) and choice in ours.union(row.name for row in handoffs)

    def _digest(self) -> str:
        """The digest of what the agent declares and the states do not show."""
        agent, model = self.agent, self.agent.model
        named = model is None or isinstance(model, str)
        guardrails = [
            (row.declaration.name, row.declaration.parallel, row.part.guardrail_function)
            for row in (*self.inputs, *self.outputs)
        ]
        # What runs at the model's side has no state of its own, but a place among the tools.
        hosted = [
            row.declaration.digest if row.declaration.kind is None else ""
            for row in self.tools
            if row.declaration.enabled is not Enabled.NEVER
        ]
        return digest(
            declared(agent, _CONFIGURATION),
            model if named else qualified_name(type(model)),
            hosted,
            guardrails,
            [server.name for _, server in self.servers],
        )

    def _unseen(self, handoffs: list[chart.Handoff]) -> Iterator[str]:
        for listed in self.tools:
            tool = listed.declaration
            if tool.enabled is Enabled.SOMETIMES:
                yield f"whether tool '{tool.name}' is enabled is decided by a function on each turn"
        for row, listed_handoff in zip(handoffs, self.handoffs, strict=True):
            if row.enabled is Enabled.SOMETIMES:
                yield (
                    f"whether the handoff to '{row.target_name}' is enabled is decided by a"
                    " function on each turn"
                )
            if not row.target and listed_handoff.target is None:
                yield (
                    f"the handoff '{row.name}' does not say which agent it leads to, so no run"
                    f" takes it: make it with handoff(...), or declare one agent named"
                    f" '{row.target_name}' in a Workflow"
                )
        for _, server in self.servers:
            yield f"the tools of MCP server '{server.name}' are listed at run time"
        if self._stop().kind is StopKind.ASKED:
            yield "whether a tool output ends the run is decided by a function (tool_use_behavior)"


_NEVER = Stop()
_CONFIGURATION = (
    "instructions",
    "prompt",
    "model_settings",
    "tool_use_behavior",
    "reset_tool_choice",
    "mcp_config",
)


def _list(agent: Any, name: str) -> Iterable[Any]:
    return getattr(agent, name, None) or ()


def _server(bound: tuple[str, Any]) -> chart.Tool:
    symbol, server = bound
    # Which of its tools need an approval is only known once they are listed.
    return chart.Tool(
        symbol,
        server.name,
        WorkKind.FUNCTION,
        Enabled.SOMETIMES,
        server=True,
        approval=Approval.ASKED,
        screened=screened(server),
        judged=judged(server),
    )


def retries_of(settings: Any) -> int | None:
    """How often model settings have a failed call made again; ``None`` where they do not say."""
    times = getattr(getattr(settings, "retry", None), "max_retries", None)
    return times if isinstance(times, int) else None
