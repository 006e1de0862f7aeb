"""What each agent can do if its model obeys: the premises of its rows (docs/design/architecture.md,
rule 3).

A model obeys the tool choice of its agent and asks only for what is on offer. A row that happens
only if it disregards one of the two names it (``against``), so analyses leave that row out. A tool
choice binds only if a model can obey it: a name must be on offer on every turn, and for a call of
some tool at least one must be.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgraph_compiler.ir.chart import (
    FUNCTION_TOOLS,
    Agent,
    ChoiceKind,
    Enabled,
    Handoff,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.machine import Premise


def callable_handoffs(agent: Agent) -> tuple[Handoff, ...]:
    """The handoffs of an agent that a run can take: each has a target in the chart and is not
    disabled for good."""
    return tuple([row for row in agent.handoffs if row.target and row.enabled is not _NEVER])


def callable_tools(agent: Agent) -> tuple[Tool, ...]:
    """The tools of an agent that have a lane: each runs at our side and is not disabled for
    good."""
    return tuple(
        [tool for tool in agent.tools if tool.kind is not None and tool.enabled is not _NEVER]
    )


class Obedience:
    """The premises of the rows of one agent.

    Args:
        agent: Its declaration.

    Attributes:
        answers: Of a reply without calls.
        calls: Of a reply with calls of tools.
        stops: Of calls whose output is the final one.
        goes_on: Of calls after which the model is asked again.
    """

    def __init__(self, agent: Agent) -> None:
        self._names: frozenset[str] | None = None
        self._premise = Premise.FIRST_CHOICE if agent.choice.resets else Premise.CHOICE
        self.answers = _FREE
        tools = callable_tools(agent)
        if agent.choice.kind is not ChoiceKind.FREE:
            self._choose(agent, tools)
        chosen = [tool for tool in tools if self.of(tool) is _FREE]
        self.calls = self._among(bool(tools), bool(chosen))
        self.stops = self._among(_stopping(agent.stop, tools), _stopping(agent.stop, chosen))
        self.goes_on = self._among(_lasting(agent.stop, tools), _lasting(agent.stop, chosen))

    def _choose(self, agent: Agent, tools: Iterable[Tool]) -> None:
        """Set the premises of a tool choice."""
        choice = agent.choice
        fixed = [tool for tool in tools if tool.enabled is Enabled.ALWAYS]
        handoffs = [row for row in callable_handoffs(agent) if row.enabled is Enabled.ALWAYS]
        match choice.kind:
            case ChoiceKind.NONE:
                self._names, self._premise = frozenset(), Premise.CHOICE
            case ChoiceKind.SOME if fixed or handoffs:
                hosted = choice.hosted or any(
                    tool.hosted and tool.enabled is not _NEVER for tool in agent.tools
                )
                self.answers = _FREE if hosted else self._premise
            case ChoiceKind.NAMED:
                on_offer = {tool.name for tool in fixed} | {row.name for row in handoffs}
                names = on_offer.intersection(choice.names)
                if names:
                    self._names, self.answers = frozenset(names), self._premise
            case _:
                pass

    @property
    def can_answer(self) -> bool:
        """Whether a reply can be the final output, on some turn."""
        return self.answers is not Premise.CHOICE

    @property
    def can_end(self) -> bool:
        """Whether the agent can give a final output: a reply or the output of a tool."""
        return self.can_answer or self.stops in (Premise.NONE, Premise.FIRST_CHOICE)

    def of(self, call: Tool | Handoff) -> Premise:
        """The premise of a call."""
        return self._premise if self._names is not None and call.name not in self._names else _FREE

    def _among(self, on_offer: bool, chosen: bool) -> Premise:
        if chosen:
            return _FREE
        return self._premise if on_offer else _OFFER


_FREE, _OFFER, _NEVER = Premise.NONE, Premise.OFFER, Enabled.NEVER


def _stopping(stop: Stop, tools: Iterable[Tool]) -> bool:
    """Whether a call of one of the tools may give the final output."""
    return any(_may_stop(stop, tool) for tool in tools)


def _lasting(stop: Stop, tools: Iterable[Tool]) -> bool:
    """Whether the run may go on after a call of one of the tools."""
    return any(not _may_stop(stop, tool) or (tool.server and stop.names) for tool in tools)


def _may_stop(stop: Stop, tool: Tool) -> bool:
    if tool.kind not in FUNCTION_TOOLS or tool.handoff or stop.kind is StopKind.NEVER:
        return False
    # The run learns the names of the tools of a server only when it lists them.
    return stop.kind is not StopKind.NAMED or tool.server or tool.name in stop.names
