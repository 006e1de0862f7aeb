"""Builds a chart from declarations: the statechart that every agent becomes.

A front end says what the agents are; this module says what can happen (ARCHITECTURE.md, "One agent,
lowered"). The order of transitions is the order of resolution of a reply: unknown names, calls,
handoffs, final output, refusals, the turn limit, another turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Stop, StopKind
from agentgraph_compiler.machine import (
    MISSING_TOOL,
    OTHERWISE,
    Emission,
    Event,
    Guard,
    GuardKind,
    Invoke,
    InvokeKind,
    State,
    StateKind,
    Transition,
    Verdict,
)

INITIAL = "initial"
DONE, BLOCKED, FAILED = "done", "blocked", "failed"

_SUFFIX = {kind: f".{kind.value}" for kind in StateKind}
_REPLY = (Emission.REPLY,)
_OUTPUT = (Emission.OUTPUT,)
_ARRIVAL = (Emission.HANDOFF, Emission.AGENT)
_CALLS = Guard(GuardKind.CALLS)
_SPENT = Guard(GuardKind.SPENT)
_UNKNOWN = Guard(GuardKind.VERDICT, (Verdict.UNKNOWN.value,))
_FINAL = Guard(GuardKind.VERDICT, (Verdict.FINAL.value,))
_FAULTS = {
    "model_refusal": Guard(GuardKind.VERDICT, (Verdict.REFUSED.value,)),
    "invalid_final_output": Guard(GuardKind.VERDICT, (Verdict.INVALID.value,)),
}
# What is the same for every agent is one object, however many agents there are.
_ON_FAILED = Transition(Event.FAILED, FAILED)
_ON_TRIPPED = Transition(Event.TRIPPED, BLOCKED)
_ON_UNKNOWN = Transition(Event.REPLIED, FAILED, _UNKNOWN)
# What the model said is shown although it cannot be used; an unknown call is not.
_ON_FAULT = {
    fault: Transition(Event.REPLIED, FAILED, guard, _REPLY) for fault, guard in _FAULTS.items()
}
_ENDED = (Transition(Event.DONE, DONE), _ON_FAILED)
_CHECKED = (Transition(Event.PASSED, DONE), _ON_TRIPPED, _ON_FAILED)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the run, rather than an agent, decides about the shape of the machine.

    Args:
        recovers: Faults that an error handler answers: ``max_turns``, ``model_refusal``,
            ``invalid_final_output``.
        answers_missing_tools: Whether calling a tool that nobody has gets an error output instead
            of failing.
    """

    recovers: frozenset[str] = frozenset()
    answers_missing_tools: bool = False


DEFAULT_POLICY = Policy()


def build(
    name: str,
    start: str,
    agents: Iterable[Agent],
    *,
    policy: Policy = DEFAULT_POLICY,
    declared: bool = False,
    charts: tuple[Chart, ...] = (),
    origin: Origin = UNKNOWN,
) -> Chart:
    """Build the chart of a workflow.

    Args:
        name: Name of the workflow.
        start: Id of the agent a run starts with; it must be among ``agents``.
        agents: The declarations, in document order.
        policy: What the run decides.
        declared: Whether the set of agents is closed by declaration.
        charts: Sub-charts that agents used as tools run.
        origin: Where the workflow was constructed.

    Returns:
        A chart whose states handle every outcome of what they invoke.
    """
    known = tuple(agents)
    by_id = {agent.id: agent for agent in known}
    states: list[State] = [_initial(by_id[start], policy)]
    arrivals = _Arrivals(policy)
    for agent in known:
        states.extend(_AgentStates(agent, arrivals, entry=agent.id == start, policy=policy))
    states.extend(
        State(final.value, final) for final in (StateKind.DONE, StateKind.BLOCKED, StateKind.FAILED)
    )
    return Chart(name, start, INITIAL, known, tuple(states), declared, charts, origin)


def _initial(agent: Agent, policy: Policy) -> State:
    return State(
        INITIAL,
        StateKind.INITIAL,
        agent.id,
        transitions=(
            Transition(Event.STARTED, _exhaustion(agent.id, policy), _SPENT, (Emission.AGENT,)),
            Transition(Event.STARTED, _entry(agent), OTHERWISE, (Emission.AGENT,)),
        ),
    )


def _entry(agent: Agent) -> str:
    if any(not guardrail.parallel for guardrail in agent.input_guardrails):
        return f"{agent.id}.screening"
    return _first_turn(agent)


def _first_turn(agent: Agent) -> str:
    if any(guardrail.parallel for guardrail in agent.input_guardrails):
        return f"{agent.id}.guarding"
    return f"{agent.id}.thinking"


def _exhaustion(agent_id: str, policy: Policy) -> str:
    """Where an agent goes when no turn is left; the final state is its own, so that it stays the
    last agent."""
    recovers = "max_turns" in policy.recovers
    return f"{agent_id}.recovering.max_turns" if recovers else f"{agent_id}.exhausted"


def callable_handoffs(agent: Agent) -> tuple[Handoff, ...]:
    """The handoffs of an agent that a run can take: with a target in the chart and not disabled for
    good."""
    return tuple(row for row in agent.handoffs if row.target and row.enabled is not Enabled.NEVER)


class _Arrivals:
    """The transitions with which handoffs reach an agent; all handoffs to it share them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[str, tuple[Transition, ...]] = {}

    def at(self, agent_id: str) -> tuple[Transition, ...]:
        """The transitions of a handoff state whose target is the agent."""
        known = self._known.get(agent_id)
        if known is None:
            exhausted = _exhaustion(agent_id, self._policy)
            known = self._known[agent_id] = (
                Transition(Event.DONE, exhausted, _SPENT, _ARRIVAL),
                Transition(Event.DONE, f"{agent_id}.thinking", OTHERWISE, _ARRIVAL),
                _ON_FAILED,
            )
        return known


class _AgentStates:
    """The states of one agent, in document order."""

    def __init__(self, agent: Agent, arrivals: _Arrivals, *, entry: bool, policy: Policy) -> None:
        self.agent, self.arrivals, self.entry, self.policy = agent, arrivals, entry, policy
        self.prefix = agent.id
        self.model = Invoke(f"{agent.id}/model", InvokeKind.MODEL, digest=agent.digest)
        self.handoffs = tuple(
            (row, row.symbol.rpartition("/")[2], Guard(GuardKind.REQUESTS, (row.symbol,)))
            for row in callable_handoffs(agent)
        )
        self.offers = self._offers()
        self.again = (
            (_SPENT, _exhaustion(agent.id, policy)),
            (OTHERWISE, f"{agent.id}.thinking"),
        )

    def __iter__(self) -> Iterator[State]:
        replied = tuple(self._replied())
        if self.entry:
            yield from self._guards(replied)
        yield self._state(StateKind.THINKING, (self.model,), replied)
        if self.offers:
            yield self._acting()
            yield self._state(
                StateKind.SUSPENDED, (), (Transition(Event.RESUMED, f"{self.prefix}.acting"),)
            )
            if self.agent.stop.kind is StopKind.ASKED:
                yield self._deciding(self.agent.stop)
        for handoff, name, _ in self.handoffs:
            yield self._handoff(handoff, name)
        yield from (self._recovering(fault) for fault in sorted(self.policy.recovers))
        yield from self._ending()
        yield self._state(StateKind.EXHAUSTED, (), ())

    def _state(
        self,
        kind: StateKind,
        invokes: tuple[Invoke, ...],
        transitions: tuple[Transition, ...],
        offers: tuple[Invoke, ...] = (),
        suffix: str = "",
    ) -> State:
        id = f"{self.prefix}{_SUFFIX[kind]}{suffix}"
        return State(id, kind, self.prefix, invokes, offers, transitions)

    def _offers(self) -> tuple[Invoke, ...]:
        offers = [
            Invoke(tool.symbol, tool.kind, tool.machine, _OUTPUT, tool.digest)
            for tool in self.agent.tools
            if tool.kind is not None and tool.enabled is not Enabled.NEVER
        ]
        if self.policy.answers_missing_tools:
            offers.append(Invoke(f"{self.prefix}/{MISSING_TOOL}", InvokeKind.ACTION, emits=_OUTPUT))
        return tuple(offers)

    def _guards(self, replied: tuple[Transition, ...]) -> Iterator[State]:
        guardrails = self.agent.input_guardrails
        first = tuple(
            Invoke(row.symbol, InvokeKind.INPUT_GUARDRAIL) for row in guardrails if not row.parallel
        )
        beside = tuple(
            Invoke(row.symbol, InvokeKind.INPUT_GUARDRAIL) for row in guardrails if row.parallel
        )
        if first:
            passed = Transition(Event.PASSED, _first_turn(self.agent))
            yield self._state(StateKind.SCREENING, first, (passed, _ON_TRIPPED, _ON_FAILED))
        if beside:
            yield self._state(StateKind.GUARDING, (*beside, self.model), (*replied, _ON_TRIPPED))

    def _replied(self) -> Iterator[Transition]:
        yield _ON_UNKNOWN
        if self.offers:
            yield Transition(Event.REPLIED, f"{self.prefix}.acting", _CALLS, _REPLY)
        for _, name, requested in self.handoffs:
            yield Transition(Event.REPLIED, self._handoff_state(name), requested, _REPLY)
        yield Transition(Event.REPLIED, f"{self.prefix}.ending", _FINAL, _REPLY)
        for fault, guard in _FAULTS.items():
            if fault in self.policy.recovers:
                target = f"{self.prefix}.recovering.{fault}"
                yield Transition(Event.REPLIED, target, guard, _REPLY)
            else:
                yield _ON_FAULT[fault]
        for guard, target in self.again:
            yield Transition(Event.REPLIED, target, guard, _REPLY)
        yield _ON_FAILED

    def _acting(self) -> State:
        stop = self.agent.stop
        transitions = [Transition(Event.AWAITING, f"{self.prefix}.suspended")]
        transitions += [
            Transition(Event.RETURNED, self._handoff_state(name), requested)
            for _, name, requested in self.handoffs
        ]
        match stop.kind:
            case StopKind.FIRST | StopKind.NAMED:
                stops = Guard(GuardKind.STOPS, stop.names)
                transitions.append(Transition(Event.RETURNED, f"{self.prefix}.ending", stops))
            case StopKind.ASKED:
                # Asked after function tools only; a reply of other calls alone goes on (SDK:
                # tool_use_behavior).
                stops = Guard(GuardKind.STOPS, ())
                transitions.append(Transition(Event.RETURNED, f"{self.prefix}.deciding", stops))
            case StopKind.NEVER:
                pass
        transitions += [Transition(Event.RETURNED, target, guard) for guard, target in self.again]
        return self._state(StateKind.ACTING, (), (*transitions, _ON_FAILED), self.offers)

    def _deciding(self, stop: Stop) -> State:
        transitions = [Transition(Event.ACCEPTED, f"{self.prefix}.ending")]
        transitions += [Transition(Event.DECLINED, target, guard) for guard, target in self.again]
        decide = Invoke(stop.symbol, InvokeKind.DECIDE)
        return self._state(StateKind.DECIDING, (decide,), (*transitions, _ON_FAILED))

    def _handoff_state(self, name: str) -> str:
        return f"{self.prefix}.handoff.{name}"

    def _handoff(self, handoff: Handoff, name: str) -> State:
        invoke = Invoke(handoff.symbol, InvokeKind.HANDOFF, digest=handoff.digest)
        arrival = self.arrivals.at(handoff.target)
        return self._state(StateKind.HANDOFF, (invoke,), arrival, suffix=f".{name}")

    def _recovering(self, fault: str) -> State:
        # A fault that its handler declines is the fault it was: exhausted turns, or a failed reply.
        declined = f"{self.prefix}.exhausted" if fault == "max_turns" else FAILED
        transitions = (
            Transition(Event.ACCEPTED, f"{self.prefix}.ending", OTHERWISE, _OUTPUT),
            Transition(Event.DECLINED, declined),
            _ON_FAILED,
        )
        invoke = Invoke(f"{self.prefix}/recover/{fault}", InvokeKind.RECOVER)
        return self._state(StateKind.RECOVERING, (invoke,), transitions, suffix=f".{fault}")

    def _ending(self) -> Iterator[State]:
        checks = tuple(
            Invoke(row.symbol, InvokeKind.OUTPUT_GUARDRAIL) for row in self.agent.output_guardrails
        )
        end = (Invoke(f"{self.prefix}/end", InvokeKind.END),)
        if not checks:
            yield self._state(StateKind.ENDING, end, _ENDED)
            return
        after = Transition(Event.DONE, f"{self.prefix}.checking")
        yield self._state(StateKind.ENDING, end, (after, _ON_FAILED))
        yield self._state(StateKind.CHECKING, checks, _CHECKED)
