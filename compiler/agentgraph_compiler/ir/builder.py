"""Builds a chart from declarations: the statechart that every agent becomes.

The order of transitions is the order in which a reply is resolved (docs/design/behaviour.md,
section 1). Below is what this module builds for one agent with one tool, row by row, as
``agentgraph ir`` prints it; ``tests/compiler/test_builder.py`` builds it and compares. What lanes
walk is printed at the head of ``ir/phases.py``; the states and rows that all agents share, at the
head of ``ir/shared.py``::

    state initial initial
      on started when session -> loading emits agent arrives a
      on started when spent -> saving.exhausted emits agent arrives a
      on started -> a.thinking emits agent arrives a

    state loading loading
      invoke session/load walks load
      on done when spent -> saving.exhausted
      on done -> a.thinking
      on failed -> failed cause keeps
      on stopped -> stopped keeps
      on cancelled -> stopped keeps
      on expired -> exhausted cause keeps

    state a.thinking thinking of a
      invoke a/model walks save-greet-model-tell turn
      on replied when verdict unknown -> saving.failed cause
      on replied when calls -> a.acting emits reply
      on replied when verdict final -> a.ending emits reply output reply
      on replied when verdict refused -> saving.failed emits reply cause
      on replied when verdict invalid -> saving.failed emits reply cause
      on replied when spent -> saving.exhausted emits reply
      on replied -> a.thinking emits reply

    state a.acting acting of a
      offer a/tool/add walks function-tell stops emits output
      offer a/missing_tool missing emits output
      on awaiting -> saving.suspended keeps
      on returned when spent -> saving.exhausted
      on returned -> a.thinking

    phases end
      phase end end about output when hooked

    state a.ending ending of a
      invoke a/end walks end
      on done -> a.over

    state a.over over of a
      on done -> saving.done
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.catching import Catching
from agentgraph_compiler.ir.chart import Agent, Chart, Guardrail, Handoff, Stop, StopKind
from agentgraph_compiler.ir.entries import (
    SPENT,
    beginning,
    entered_suffix,
    exhaustion,
    first_turn,
    judges,
)
from agentgraph_compiler.ir.obedience import Obedience, callable_handoffs, callable_tools
from agentgraph_compiler.ir.phases import HOOKED, call_lane, missing_lane, model_lane
from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy
from agentgraph_compiler.ir.shared import (
    DONE,
    EXHAUSTED,
    FAILED,
    INITIAL,
    ON_AWAITING,
    ON_CHECK_CUT_SHORT,
    RESTS,
    ROWS,
    checking_lanes,
    saving,
    saving_states,
)
from agentgraph_compiler.ir.steps import Step
from agentgraph_compiler.ir.ways import Arrivals, Ways
from agentgraph_compiler.machine import (
    MISSING_TOOL,
    OTHERWISE,
    About,
    Emission,
    Event,
    Guard,
    GuardKind,
    Invoke,
    Phase,
    Premise,
    Source,
    State,
    StateKind,
    Transition,
    Verdict,
    WorkKind,
    plain,
)

_SUFFIX = {kind: f".{kind.value}" for kind in StateKind}
_REPLY = (Emission.REPLY,)
_OUTPUT = (Emission.OUTPUT,)
_CALLS = Guard(GuardKind.CALLS)
_UNKNOWN = Guard(GuardKind.VERDICT, (Verdict.UNKNOWN.value,))
_FINAL = Guard(GuardKind.VERDICT, (Verdict.FINAL.value,))
_INVALID = "invalid_final_output"
_FAULTS = {
    "model_refusal": Guard(GuardKind.VERDICT, (Verdict.REFUSED.value,)),
    _INVALID: Guard(GuardKind.VERDICT, (Verdict.INVALID.value,)),
}
_EMPTY = Guard(GuardKind.VERDICT, (Verdict.EMPTY.value,))
_HANDING_OFF = plain(WorkKind.HANDOFF)
# For each agent anew, the member of an enumeration takes longer to look up than a name here.
_DONE, _REPLIED, _RETURNED = Event.DONE, Event.REPLIED, Event.RETURNED
_REQUESTS = GuardKind.REQUESTS
# Transitions that are the same for every agent are one object, however many agents there are.
_ON_UNKNOWN = Transition(Event.REPLIED, saving(FAILED), _UNKNOWN, cause=True)
# The run shows a reply of the model although it cannot use it; an unknown call it does not show.
_ON_FAULT = {
    fault: Transition(Event.REPLIED, saving(FAILED), guard=guard, emits=_REPLY, cause=True)
    for fault, guard in _FAULTS.items()
}
_ON_OVER = Transition(Event.DONE, saving(DONE))
_END = (Phase("end", WorkKind.END, about=About.OUTPUT, when=HOOKED),)


def build(
    name: str,
    start: str,
    agents: Iterable[Agent],
    *,
    policy: Policy = DEFAULT_POLICY,
    declared: bool = False,
    charts: tuple[Chart, ...] = (),
    origin: Origin = UNKNOWN,
    starts: tuple[str, ...] = (),
    multi_turn: bool = False,
    steps: tuple[Step, ...] = (),
    output_guardrails: tuple[Guardrail, ...] = (),
) -> Chart:
    """Build the chart of a workflow.

    Args:
        name: Name of the workflow.
        start: Id of the agent a run starts with; it must be among ``agents``.
        agents: The declarations, in document order.
        policy: What the run decides.
        declared: Whether the user declared the set of agents, so that it is closed.
        charts: Sub-charts that agents used as tools run.
        origin: Where the user constructed the workflow.
        starts: Ids of the further agents that runs start with. A run of the program itself starts
            with ``start``, but the states in which the others begin are there for the analyses.
        multi_turn: Whether a run may go on with the agent that was last.
        steps: The steps of a workflow with edges, its first one first.
        output_guardrails: Those of the run on what leaves it from a function or by an end.

    Returns:
        A chart whose states handle every outcome of what they invoke.
    """
    declarations = tuple(agents)
    by_id = {agent.id: agent for agent in declarations}
    ways = Ways(steps, by_id, output_guardrails)
    arrivals, catching = Arrivals(policy, ways), Catching(ways)
    states = list(catching.before(start, beginning(by_id[start], policy)))
    first = () if policy.handed else (start,)
    entered = {*first, *(by_id if multi_turn else starts), *ways.entered}
    for agent in declarations:
        own = _AgentStates(agent, arrivals, entry=agent.id in entered, policy=policy)
        states.extend(catching.of_agent(agent.id, own))
    judged = bool(output_guardrails) or any(agent.output_guardrails for agent in declarations)
    states.extend((*catching.states(), *saving_states(judged=judged), *RESTS))
    return Chart(
        name=name,
        start=start,
        initial=INITIAL,
        agents=declarations,
        states=tuple(states),
        rows=(*catching.rows(), *ROWS),
        declared=declared,
        charts=charts,
        origin=origin,
        starts=starts,
        multi_turn=multi_turn,
        steps=steps,
        output_guardrails=output_guardrails,
    )


class _AgentStates:
    """The states of one agent, in document order."""

    def __init__(self, agent: Agent, arrivals: Arrivals, *, entry: bool, policy: Policy) -> None:
        self.agent, self.arrivals, self.entry, self.policy = agent, arrivals, entry, policy
        self.prefix = agent.id
        self.model, self.obedience = model_lane(agent), Obedience(agent)
        self.handoffs = [
            (row, row.symbol.rpartition("/")[2], Guard(_REQUESTS, (row.symbol,)))
            for row in callable_handoffs(agent)
        ]
        self.offers = [
            call_lane(
                tool,
                places=policy.places,
                prescreens=policy.prescreens,
                against=self.obedience.of(tool),
            )
            for tool in callable_tools(agent)
        ]
        self.again = (
            (SPENT, exhaustion(agent.id, policy)),
            (OTHERWISE, f"{agent.id}.thinking"),
        )

    def __iter__(self) -> Iterator[State]:
        replied = tuple(self._replied())
        if self.entry:
            yield from self._guards(replied)
        if entered_suffix(self.agent, self.agent.id in self.arrivals.ways.entered):
            yield from self._guards(replied, by_edge=True)
        yield self._state(StateKind.THINKING, (self.model,), replied)
        yield self._acting()
        if self.offers and self.agent.stop.kind is StopKind.ASKED:
            yield self._deciding(self.agent.stop)
        for handoff, name, _ in self.handoffs:
            yield self._handoff(handoff, name)
        if _INVALID in self.policy.recovers:
            yield self._recovering_from_empty_reply()
        yield from (self._recovering(fault) for fault in sorted(self.policy.recovers))
        yield from self._ending()

    def _state(
        self,
        kind: StateKind,
        invokes: tuple[Invoke, ...],
        transitions: tuple[Transition, ...],
        offers: tuple[Invoke, ...] = (),
        suffix: str = "",
    ) -> State:
        id = f"{self.prefix}{_SUFFIX[kind]}{suffix}"
        return State(
            id, kind, agent=self.prefix, invokes=invokes, offers=offers, transitions=transitions
        )

    def _guards(self, replied: tuple[Transition, ...], by_edge: bool = False) -> Iterator[State]:
        phases, guardrails = plain(WorkKind.INPUT_GUARDRAIL), judges(self.agent, by_edge)
        suffix = entered_suffix(self.agent, by_edge)
        first = tuple(Invoke(row.symbol, phases) for row in guardrails if not row.parallel)
        beside = tuple(Invoke(row.symbol, phases) for row in guardrails if row.parallel)
        if first:
            passed = Transition(Event.PASSED, first_turn(self.agent, by_edge=by_edge))
            yield self._state(StateKind.SCREENING, first, (passed,), suffix=suffix)
        if beside:
            yield self._state(StateKind.GUARDING, (*beside, self.model), replied, suffix=suffix)

    def _replied(self) -> Iterator[Transition]:
        obedience, answers = self.obedience, self.obedience.answers
        yield _ON_UNKNOWN
        if self.offers or self.policy.answers_missing_tools:
            yield Transition(
                _REPLIED,
                f"{self.prefix}.acting",
                guard=_CALLS,
                emits=_REPLY,
                against=obedience.calls,
            )
        for row, name, requested in self.handoffs:
            yield Transition(
                _REPLIED,
                self._handoff_state(name),
                guard=requested,
                emits=_REPLY,
                against=obedience.of(row),
            )
        yield Transition(
            _REPLIED,
            f"{self.prefix}.ending",
            guard=_FINAL,
            emits=_REPLY,
            output=Source.REPLY,
            against=answers,
        )
        for fault, guard in _FAULTS.items():
            if fault in self.policy.recovers:
                target = f"{self.prefix}.recovering.{fault}"
                yield Transition(_REPLIED, target, guard=guard, emits=_REPLY, cause=True)
            else:
                yield _ON_FAULT[fault]
        if _INVALID in self.policy.recovers:
            target = f"{self.prefix}.recovering.empty_final_output"
            yield Transition(_REPLIED, target, guard=_EMPTY, emits=_REPLY, against=Premise.SCHEMA)
        for guard, target in self.again:
            yield Transition(_REPLIED, target, guard=guard, emits=_REPLY, against=answers)

    def _acting(self) -> State:
        """The state of calls. An agent without tools has it too: a run that waits for a decision
        about a call may come back to an agent that has lost its tools."""
        stop, obedience = self.agent.stop, self.obedience
        transitions = [ON_AWAITING]
        transitions += [
            Transition(_RETURNED, self._handoff_state(name), requested, against=obedience.of(row))
            for row, name, requested in self.handoffs
        ]
        stops = Guard(GuardKind.STOPS, stop.names)
        match stop.kind:
            case StopKind.FIRST | StopKind.NAMED:
                ending = f"{self.prefix}.ending"
                transitions.append(
                    Transition(
                        _RETURNED,
                        ending,
                        stops,
                        output=Source.STOPPING,
                        against=obedience.stops,
                    )
                )
            case StopKind.ASKED if self.offers:
                # The callable decides after function tools only; after other calls alone the run
                # goes on (SDK: tool_use_behavior).
                transitions.append(
                    Transition(_RETURNED, f"{self.prefix}.deciding", stops, against=obedience.stops)
                )
            case _:
                pass
        # Without tools, only a call of a missing tool can lead here.
        goes_on = obedience.goes_on if self.offers else Premise.NONE
        transitions += [
            Transition(_RETURNED, target, guard, against=goes_on) for guard, target in self.again
        ]
        offers = (*self.offers, missing_lane(f"{self.prefix}/{MISSING_TOOL}"))
        return self._state(StateKind.ACTING, (), tuple(transitions), offers)

    def _deciding(self, stop: Stop) -> State:
        ending = f"{self.prefix}.ending"
        transitions = [Transition(Event.ACCEPTED, ending, output=Source.OUTCOME)]
        transitions += [Transition(Event.DECLINED, target, guard) for guard, target in self.again]
        decide = Invoke(stop.symbol, plain(WorkKind.DECIDE))
        return self._state(StateKind.DECIDING, (decide,), tuple(transitions))

    def _handoff_state(self, name: str) -> str:
        return f"{self.prefix}.handoff.{name}"

    def _handoff(self, handoff: Handoff, name: str) -> State:
        invoke = Invoke(handoff.symbol, _HANDING_OFF, digest=handoff.digest)
        arrival = self.arrivals.at(handoff.target, self.agent.id)
        return self._state(StateKind.HANDOFF, (invoke,), arrival, suffix=f".{name}")

    def _recovering(self, fault: str) -> State:
        # If the handler declines, the run ends with the fault itself: exhausted turns, or failure.
        declined = saving(EXHAUSTED if fault == "max_turns" else FAILED)
        return self._asking(fault, f".{fault}", (Transition(Event.DECLINED, declined),))

    def _recovering_from_empty_reply(self) -> State:
        # An empty reply is not a fault yet: if its handler declines, the run asks the model again.
        declined = [Transition(Event.DECLINED, target, guard) for guard, target in self.again]
        return self._asking(_INVALID, ".empty_final_output", declined)

    def _asking(self, fault: str, suffix: str, declined: Iterable[Transition]) -> State:
        """The state in which the run asks the handler of a fault for an output."""
        ending = f"{self.prefix}.ending"
        accepted = Transition(Event.ACCEPTED, ending, emits=_OUTPUT, output=Source.OUTCOME)
        invoke = Invoke(f"{self.prefix}/recover/{fault}", plain(WorkKind.RECOVER))
        return self._state(StateKind.RECOVERING, (invoke,), (accepted, *declined), suffix=suffix)

    def _ending(self) -> Iterator[State]:
        checks = checking_lanes(self.agent.output_guardrails)
        end, over = (Invoke(f"{self.prefix}/end", _END),), f"{self.prefix}.over"
        if checks:
            checking = f"{self.prefix}.checking"
            yield self._state(StateKind.ENDING, end, (Transition(_DONE, checking),))
            passed = Transition(Event.PASSED, over)
            yield self._state(StateKind.CHECKING, checks, (passed, *ON_CHECK_CUT_SHORT))
        else:
            yield self._state(StateKind.ENDING, end, (Transition(_DONE, over),))
        yield self._state(StateKind.OVER, (), (self.arrivals.ways.over(self.agent.id) or _ON_OVER,))
