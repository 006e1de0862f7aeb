"""The chart: a front end lowers to it and every check reads it.

A chart says two things about a workflow. Its *declarations* (agents with their tools, handoffs and
guardrails) keep what the user wrote, with the origin of each part; its *states* say what can
happen, in the machine's own vocabulary. ``emit`` keeps the states and drops the declarations: a
check may read both, and a run needs only the states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from agentgraph_compiler.diagnostics import UNKNOWN, Origin, Rule
from agentgraph_compiler.ir.steps import Step
from agentgraph_compiler.machine import State, Transition, WorkKind
from agentgraph_compiler.machine.quick import quick
from agentgraph_compiler.types import ANY, TEXT, Type


class Enabled(StrEnum):
    """Whether a tool or handoff is on offer: fixed in the source, or decided by a callable on each
    turn (``SOMETIMES``)."""

    ALWAYS = "always"
    NEVER = "never"
    SOMETIMES = "sometimes"


FUNCTION_TOOLS = frozenset({WorkKind.FUNCTION, WorkKind.AGENT})
"""Tools whose output can be the final one (SDK guide, ``tool_use_behavior``)."""


USUAL_TURNS = 10
"""The most turns of a run that says nothing else (SDK guide, ``max_turns``)."""


class Approval(StrEnum):
    """Whether a person decides on a call first: never, always, or if a callable asks for it."""

    NEVER = "never"
    ALWAYS = "always"
    ASKED = "asked"


@quick
@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of an agent.

    Args:
        symbol: Its name in the bindings.
        name: The name the model calls it by.
        kind: The kind of work of a call; ``None`` for a hosted tool, which runs at the model's
            side.
        enabled: Whether it is on offer.
        machine: Name of the sub-chart it runs, for an agent used as a tool.
        turns: The most turns of a run of that sub-chart.
        digest: Digest of its declared configuration (description, argument schema).
        origin: Where the user constructed it.
        allowed: Rules that the user suppressed on it.
        server: Whether it stands for the tools of a server, which the run lists.
        remote: Whether its calls run at the model's side, although this side may decide on them.
        acts: Whether a call at the model's side can change something before this side hears of it.
        approval: Whether a person decides on its calls first.
        screened: Whether guardrails look at its arguments.
        judged: Whether guardrails look at its output.
        extracts: Whether a function makes its output from the result of an inner run.
        derived: Whether its name is made from that of the agent that it runs.
        description: What the model reads about it; ``None`` if it was not read.
        returns: The type that its function returns.
        handoff: Whether it is a handoff that returns: the sub-chart is what the target does, and
            the agent that calls goes on with its answer.
    """

    symbol: str
    name: str
    kind: WorkKind | None
    enabled: Enabled = Enabled.ALWAYS
    machine: str = ""
    turns: int = USUAL_TURNS
    digest: str = ""
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()
    server: bool = False
    remote: bool = False
    acts: bool = False
    approval: Approval = Approval.NEVER
    screened: bool = False
    judged: bool = False
    extracts: bool = False
    derived: bool = False
    description: str | None = None
    returns: Type = ANY
    handoff: bool = False

    @property
    def hosted(self) -> bool:
        """Whether its calls run at the model's side."""
        return self.kind is None or self.remote


@quick
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
        origin: Where the user constructed it; the origin of the listing agent if the user listed
            the target agent itself.
        allowed: Rules that the user suppressed on it.
        filters: Whether a filter chooses the input of the target.
        acts: Whether the handoff calls a function of the user (``on_handoff``).
        derived: Whether its name is made from that of the target.
        description: What the model reads about it beyond the name of the target; ``None`` if it was
            not read.
        input: The type of the input that the model writes.
        takes: The type of the input that its function takes (``on_handoff``).
    """

    symbol: str
    name: str
    target: str
    target_name: str
    enabled: Enabled = Enabled.ALWAYS
    digest: str = ""
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()
    filters: bool = False
    acts: bool = False
    derived: bool = False
    description: str | None = None
    input: Type = ANY
    takes: Type = ANY


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A guardrail of an agent. A ``parallel`` one runs beside the first model call, any other one
    before it. One that ``passes`` never trips, whatever it sees. One ``of_run`` judges the input of
    the run, not what an edge hands to its agent."""

    symbol: str
    name: str
    parallel: bool = True
    passes: bool = False
    of_run: bool = False
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inner:
    """An agent that the code of a tool or a guardrail runs. The machine has no state for its run.

    Args:
        symbol: The symbol of the tool or guardrail.
        name: The agent's own name.
        origin: Where the user constructed the agent.
        certain: Whether each call of the code runs it, and does so once.
    """

    symbol: str
    name: str
    origin: Origin = UNKNOWN
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """A callable of an agent that reads the context of the run.

    Args:
        what: What it is, in words: ``tool 'refund'``, ``is_enabled of tool 'refund'``.
        context: The context type that it expects.
        reads: The attributes of the context that it reads for certain.
        writes: Those that it assigns.
        whole: Whether it may use the context in another way, such as pass it on.
        origin: Where the user constructed the tool, handoff, guardrail or agent that has it.
        allowed: Rules that the user suppressed there.
    """

    what: str
    context: Type
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    whole: bool = False
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
    """Which tool outputs end the run: none, the first one, those of ``names``, or those that a
    callable selects.

    Args:
        kind: Which of the four.
        names: Tool names, for ``NAMED``.
        symbol: Name of the callable in the bindings, for ``ASKED``.
    """

    kind: StopKind = StopKind.NEVER
    names: tuple[str, ...] = ()
    symbol: str = ""


class ChoiceKind(StrEnum):
    """What the tool choice asks of the model: nothing, no call, some call, or one of the named
    calls."""

    FREE = "free"
    NONE = "none"
    SOME = "some"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Choice:
    """The tool choice of an agent.

    Args:
        kind: Which of the four.
        names: Names of tools and handoffs, for ``NAMED``.
        resets: Whether it ends once the agent has used a tool or handed off.
        hosted: Whether a stored prompt at the provider may bring tools and instructions that the
            compiler cannot see, so that a reply with a call of such a tool may be the final one.
    """

    kind: ChoiceKind = ChoiceKind.FREE
    names: tuple[str, ...] = ()
    resets: bool = True
    hosted: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the workflow.

    Args:
        id: Stable identity in the chart, made from the name and, if names repeat, a number.
        name: The name the user gave it.
        context: The context type it declares.
        members: The attributes that a context of that type may have; empty if that is not known.
        output: The type of its final output.
        schema: The JSON schema of its final output as a JSON text; empty if that is plain text.
        not_strict: Why the schema has no strict form, where the agent needs one.
        tools: In the user's order.
        handoffs: In the user's order.
        input_guardrails: In the user's order; they run where a run starts with the agent or an edge
            enters it.
        output_guardrails: In the user's order.
        stop: Whether the output of a tool can end the run.
        choice: What its tool choice asks of the model.
        digest: Digest of the declared configuration (instructions, model, settings).
        unseen: What the compiler cannot see, in words: dynamic tools, callables that decide later.
        origin: Where the user constructed it.
        allowed: Rules that the user suppressed on it.
        tries: How often the run repeats a failed call of its model.
        inner: The agents that the code of its tools and guardrails runs.
        readers: The callables of the agent, its tools, handoffs and guardrails that read the
            context of the run, where they say which they expect.
        instructions: The text that its model reads first, with ``…`` for each part that only a run
            knows; ``None`` if it was not read.
        single_call: Whether the request permits one call a reply (``parallel_tool_calls=False``).
        identity: A number that is equal for the same agent in several charts, and different for two
            agents; 0 if the front end gives none.
    """

    id: str
    name: str
    context: Type = ANY
    members: tuple[str, ...] = ()
    output: Type = TEXT
    schema: str = ""
    not_strict: str = ""
    tools: tuple[Tool, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    input_guardrails: tuple[Guardrail, ...] = ()
    output_guardrails: tuple[Guardrail, ...] = ()
    stop: Stop = Stop()
    choice: Choice = Choice()
    digest: str = ""
    unseen: tuple[str, ...] = ()
    origin: Origin = UNKNOWN
    allowed: tuple[str, ...] = ()
    tries: int = 0
    inner: tuple[Inner, ...] = ()
    readers: tuple[Reader, ...] = ()
    instructions: str | None = None
    single_call: bool = False
    identity: int = 0


def is_allowed(rule: Rule, *parts: Agent | Tool | Handoff | Guardrail | Reader) -> bool:
    """Whether the user suppressed a rule, by name or by code, on any of the parts of a finding."""
    return any(rule.name in part.allowed or rule.code in part.allowed for part in parts)


@dataclass(frozen=True)
class Chart:
    """The root of the IR.

    Args:
        name: Name of the workflow.
        start: Id of the agent a run starts with.
        initial: Id of the initial state.
        agents: In document order: all that the user declared, or else all that a run can reach.
        states: In document order.
        rows: Transitions that hold in every state that is not at rest, after the state's own.
        declared: Whether the user declared the set of agents (``Workflow``), so that it is closed.
        charts: The sub-charts that agents used as tools run, in one flat tuple; they refer to each
            other by name.
        origin: Where the user constructed the workflow.
        starts: Ids of the further agents that runs of the project start with, in document order.
        multi_turn: Whether a run may go on with the agent that was last in the run before it.
        steps: The steps of a workflow with edges, its first one first; none without edges.
        output_guardrails: The guardrails of the run on an output that leaves it from a function or
            by an end; an agent without an edge has them among its own.
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
    starts: tuple[str, ...] = ()
    multi_turn: bool = False
    steps: tuple[Step, ...] = ()
    output_guardrails: tuple[Guardrail, ...] = ()

    @cached_property
    def agent(self) -> Mapping[str, Agent]:
        """The agents by id."""
        return {agent.id: agent for agent in self.agents}

    @cached_property
    def state(self) -> Mapping[str, State]:
        """The states by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def step(self) -> Mapping[str, Step]:
        """The steps by id."""
        return {step.id: step for step in self.steps}

    @cached_property
    def subchart(self) -> Mapping[str, Chart]:
        """The sub-charts by name."""
        return {chart.name: chart for chart in self.charts}

    def judges(self, agent: Agent) -> tuple[Guardrail, ...]:
        """The guardrails that judge an output of an agent before it leaves the run."""
        of_run = self.output_guardrails if agent.id in self._led_on else ()
        return (*agent.output_guardrails, *of_run)

    @cached_property
    def _led_on(self) -> frozenset[str]:
        """Ids of the agents after which an edge comes."""
        return frozenset(id for step in self.steps if step.cases for id in step.agents)

    def walk(self) -> Iterator[Chart]:
        """This chart, then every sub-chart."""
        yield self
        yield from self.charts
