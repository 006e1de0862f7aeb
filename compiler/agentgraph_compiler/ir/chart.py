"""The chart: what a front end lowers to and what every check reads.

A chart says two things about a workflow. Its *declarations* (agents with their tools, handoffs and
guardrails) keep what the user wrote, with the origin of each; its *states* say what can happen, in
the machine's own vocabulary. ``emit`` keeps the second and drops the first, so a check may look at
both and a run needs only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from agentgraph_compiler.diagnostics import UNKNOWN, Origin, Rule
from agentgraph_compiler.machine import State, Transition, WorkKind
from agentgraph_compiler.types import ANY, TEXT, Type


class Enabled(StrEnum):
    """Whether a tool or handoff is on offer: decided when it was written, or asked of a callable
    each turn."""

    ALWAYS = "always"
    NEVER = "never"
    SOMETIMES = "sometimes"


FUNCTION_TOOLS = frozenset({WorkKind.FUNCTION, WorkKind.AGENT})
"""Tools whose output can be the final one (SDK guide, ``tool_use_behavior``)."""


class Approval(StrEnum):
    """Whether a person decides on a call before it is made: never, always, or where a callable asks
    for it."""

    NEVER = "never"
    ALWAYS = "always"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of an agent.

    Args:
        symbol: Its name in the bindings.
        name: The name the model calls it by.
        kind: The work that a call of it is; ``None`` for a hosted tool, which runs at the model's
            side.
        enabled: Whether it is on offer.
        machine: Name of the sub-chart it runs, for an agent used as a tool.
        context: The context type it declares.
        digest: Digest of its declared configuration (description, argument schema).
        origin: Where it was constructed.
        allowed: Rules suppressed on it.
        server: Whether it stands for the tools of a server, which are only listed at run time.
        approval: Whether a person decides on its calls first.
        screened: Whether guardrails look at its arguments.
        judged: Whether guardrails look at its output.
    """

    symbol: str
    name: str
    kind: WorkKind | None
    enabled: Enabled = Enabled.ALWAYS
    machine: str = ""
    context: Type = ANY
    digest: str = ""
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()
    server: bool = False
    approval: Approval = Approval.NEVER
    screened: bool = False
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Handoff:
    """A handoff of an agent.

    Args:
        symbol: Its name in the bindings.
        name: The tool name the model calls it by.
        target: Id of the target agent; empty when the target is not in the chart.
        target_name: The target's own name, for messages.
        enabled: Whether it is on offer.
        digest: Digest of its declared configuration (description, argument schema).
        origin: Where it was constructed (the agent's origin when the agent itself was listed).
        allowed: Rules suppressed on it.
    """

    symbol: str
    name: str
    target: str
    target_name: str
    enabled: Enabled = Enabled.ALWAYS
    digest: str = ""
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A guardrail of an agent: ``parallel`` ones run beside the first model call, the others before
    it."""

    symbol: str
    name: str
    parallel: bool = True
    context: Type = ANY
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()


class StopKind(StrEnum):
    """When the output of a tool is the final output."""

    NEVER = "never"
    FIRST = "first"
    NAMED = "named"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Stop:
    """Whether tool outputs end the run: never, the first one, those of ``names``, or as a callable
    decides.

    Args:
        kind: Which of the four.
        names: Tool names, for ``NAMED``.
        symbol: Name of the callable in the bindings, for ``ASKED``.
    """

    kind: StopKind = StopKind.NEVER
    names: tuple[str, ...] = ()
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the workflow.

    Args:
        id: Stable identity in the chart; made from the name and, where names repeat, a number.
        name: The name the user gave it.
        context: The context type it declares.
        output: The type of its final output.
        tools: In the user's order.
        handoffs: In the user's order.
        input_guardrails: In the user's order; they run only on the agent a run starts with.
        output_guardrails: In the user's order.
        stop: Whether the output of a tool can end the run.
        final: Whether a reply of its model can end the run (false where a tool call is forced on
            every turn).
        digest: Digest of the declared configuration (instructions, model, settings).
        unseen: What the compiler could not see, in words: dynamic tools, callables that decide
            later.
        origin: Where it was constructed.
        allowed: Rules suppressed on it.
        tries: How often a failed call of its model is made again.
    """

    id: str
    name: str
    context: Type = ANY
    output: Type = TEXT
    tools: tuple[Tool, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    input_guardrails: tuple[Guardrail, ...] = ()
    output_guardrails: tuple[Guardrail, ...] = ()
    stop: Stop = Stop()
    final: bool = True
    digest: str = ""
    unseen: tuple[str, ...] = ()
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()
    tries: int = 0


def is_allowed(rule: Rule, *parts: Agent | Tool | Handoff | Guardrail) -> bool:
    """Whether the user suppressed a rule, by name or by code, on any of the parts that a finding is
    about."""
    return any(rule.name in part.allowed or rule.code in part.allowed for part in parts)


@dataclass(frozen=True)
class Chart:
    """The root of the IR.

    Args:
        name: Name of the workflow.
        start: Id of the agent a run starts with.
        initial: Id of the initial state.
        agents: In document order. Of a declared workflow this is the declaration; otherwise what is
            reachable.
        states: In document order.
        rows: Transitions that hold in every state that is not at rest, after the state's own.
        declared: Whether the user declared the set of agents (``Workflow``), so that it is closed.
        charts: The sub-charts that agents used as tools run, flat; they refer to each other by
            name.
        origin: Where the workflow was constructed.
    """

    name: str
    start: str
    initial: str
    agents: tuple[Agent, ...]
    states: tuple[State, ...]
    rows: tuple[Transition, ...] = ()
    declared: bool = False
    charts: tuple[Chart, ...] = ()
    origin: Origin = UNKNOWN

    @cached_property
    def agent(self) -> Mapping[str, Agent]:
        """The agents by id."""
        return {agent.id: agent for agent in self.agents}

    @cached_property
    def state(self) -> Mapping[str, State]:
        """The states by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def subchart(self) -> Mapping[str, Chart]:
        """The sub-charts by name."""
        return {chart.name: chart for chart in self.charts}

    def walk(self) -> Iterator[Chart]:
        """This chart, then every sub-chart."""
        yield self
        yield from self.charts
