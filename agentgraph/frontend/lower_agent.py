"""Lowering of one agent: its declaration in the chart, and its binding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentgraph.agent import Agent
from agentgraph.frontend.bindings import (
    AgentBinding,
    HandoffBinding,
    ToolBinding,
    held_by,
    shape_of,
)
from agentgraph.frontend.discover import Names, is_agent, target_of
from agentgraph.frontend.lower_tools import enabled, kind_of, lower_tool, name_of
from agentgraph.frontend.lower_types import (
    context_of_callable,
    declared_context,
    digest,
    output_type,
)
from agentgraph.frontend.origins import Overrides, allowed_on, origin_of
from agentgraph.handoffs import Handoff, handoff
from agentgraph_compiler.ir import chart
from agentgraph_compiler.ir.chart import Enabled, Stop, StopKind
from agentgraph_compiler.machine import InvokeKind


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
        ids: Identity of every agent of the chart, by ``id`` of the object.
        input_guardrails: Those of the run, for the start agent.
        output_guardrails: Those of the run, for every agent.
        subchart_of: Gives the name of the sub-chart that an agent tool runs.
        overrides: Origins that take precedence.
    """

    ids: Mapping[int, str]
    input_guardrails: tuple[Any, ...]
    output_guardrails: tuple[Any, ...]
    subchart_of: Callable[[Any], str]
    overrides: Overrides | None


def lower_agent(agent: Any, around: Surroundings) -> Lowered:
    """Lower one agent.

    Args:
        agent: The agent object.
        around: What is known of the whole.
    """
    return _Lowering(agent, around).lowered()


class _Lowering:
    def __init__(self, agent: Any, around: Surroundings) -> None:
        self.agent, self.around = agent, around
        self.id = around.ids[id(agent)]
        self.names = Names()
        self.symbols: dict[str, Any] = {}

    def lowered(self) -> Lowered:
        agent = self.agent
        tools = [(self._symbol("tool", name_of(tool)), tool) for tool in agent.tools]
        servers = tuple(
            (self._symbol("mcp", server.name), server)
            for server in getattr(agent, "mcp_servers", ())
        )
        declared_tools = [
            lower_tool(tool, symbol, self.around.subchart_of, self.around.overrides)
            for symbol, tool in tools
        ]
        declared_tools += [
            chart.Tool(symbol, server.name, InvokeKind.FUNCTION, Enabled.SOMETIMES, server=True)
            for symbol, server in servers
        ]
        handoffs = list(self._handoffs())
        inputs = (*getattr(agent, "input_guardrails", ()), *self.around.input_guardrails)
        outputs = (*getattr(agent, "output_guardrails", ()), *self.around.output_guardrails)
        declaration = chart.Agent(
            self.id,
            agent.name,
            declared_context(agent),
            output_type(agent),
            tuple(declared_tools),
            tuple(row for row, _ in handoffs),
            tuple(self._guardrails("input", inputs)),
            tuple(self._guardrails("output", outputs)),
            self._stop(),
            not _forces_tools(agent),
            digest(agent.instructions, _model_name(agent), agent.model_settings),
            tuple(self._unseen(servers)),
            origin_of(agent, self.around.overrides),
            allowed_on(agent),
        )
        bound_tools = tuple(
            ToolBinding(symbol if kind_of(tool) is not None else "", tool) for symbol, tool in tools
        )
        bound_handoffs = tuple(
            HandoffBinding(row.symbol, entry, row.target)
            for row, entry in handoffs
            if row.target and row.enabled is not Enabled.NEVER
        )
        binding = AgentBinding(
            self.id, agent, bound_tools, bound_handoffs, servers, shape_of(agent), held_by(agent)
        )
        return Lowered(declaration, binding, self.symbols)

    def _symbol(self, family: str, name: str) -> str:
        return f"{self.id}/{family}/{self.names.take(f'{family} {name}')[len(family) + 1 :]}"

    def _handoffs(self) -> Iterator[tuple[chart.Handoff, Any]]:
        for listed in self.agent.handoffs:
            target: Any = target_of(listed)
            entry: Any = handoff(listed) if isinstance(listed, Agent) else listed
            name: str = getattr(entry, "tool_name", None) or Handoff.default_tool_name(target)
            row = chart.Handoff(
                self._symbol("handoff", name),
                name,
                self.around.ids.get(id(target), ""),
                str(getattr(target, "name", None) or getattr(entry, "agent_name", name)),
                enabled(entry),
                digest(
                    getattr(entry, "tool_description", ""),
                    getattr(entry, "input_json_schema", None),
                ),
                origin_of(self.agent if is_agent(listed) else listed, self.around.overrides),
                allowed_on(listed),
            )
            yield row, entry

    def _guardrails(self, family: str, listed: tuple[Any, ...]) -> Iterator[chart.Guardrail]:
        for guardrail in listed:
            name = guardrail.get_name()
            symbol = self._symbol(family, name)
            self.symbols[symbol] = guardrail
            yield chart.Guardrail(
                symbol,
                name,
                getattr(guardrail, "run_in_parallel", True),
                context_of_callable(guardrail.guardrail_function),
                origin_of(guardrail, self.around.overrides),
                allowed_on(guardrail),
            )

    def _stop(self) -> Stop:
        behavior = self.agent.tool_use_behavior
        if behavior == "run_llm_again":
            return Stop()
        if behavior == "stop_on_first_tool":
            return Stop(StopKind.FIRST)
        if isinstance(behavior, dict):
            return Stop(StopKind.NAMED, tuple(behavior.get("stop_at_tool_names", ())))
        symbol = f"{self.id}/tool_use_behavior"
        self.symbols[symbol] = behavior
        return Stop(StopKind.ASKED, symbol=symbol)

    def _unseen(self, servers: tuple[tuple[str, Any], ...]) -> Iterator[str]:
        for tool in self.agent.tools:
            if enabled(tool) is Enabled.SOMETIMES:
                yield f"whether tool '{tool.name}' is enabled is decided by a function on each turn"
        for listed in self.agent.handoffs:
            if enabled(listed) is Enabled.SOMETIMES:
                name = getattr(target_of(listed), "name", getattr(listed, "agent_name", "?"))
                yield (
                    f"whether the handoff to '{name}' is enabled is decided by a function"
                    " on each turn"
                )
        for _, server in servers:
            yield f"the tools of MCP server '{server.name}' are listed at run time"
        if self._stop().kind is StopKind.ASKED:
            yield "whether a tool output ends the run is decided by a function (tool_use_behavior)"


def _forces_tools(agent: Any) -> bool:
    """Whether the model must call a tool on every turn, so that no reply of it is final."""
    choice = getattr(agent.model_settings, "tool_choice", None)
    forced = choice is not None and choice not in ("auto", "none")
    return forced and agent.reset_tool_choice is False


def _model_name(agent: Any) -> object:
    model = agent.model
    return model if model is None or isinstance(model, str) else type(model).__qualname__
