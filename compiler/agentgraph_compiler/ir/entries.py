"""How runs begin: the rows that lead to the first state of an agent."""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.ir.chart import Agent, Guardrail
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.ir.shared import (
    BEFORE_THE_LOAD,
    EXHAUSTED,
    INITIAL,
    LOAD,
    LOADING,
    SESSION,
    saving,
)
from agentgraph_compiler.machine import (
    OTHERWISE,
    Emission,
    Event,
    Guard,
    GuardKind,
    State,
    StateKind,
    Transition,
)

SPENT = Guard(GuardKind.SPENT)


def beginning(agent: Agent, policy: Policy) -> Iterator[State]:
    """The states before the first agent. The run loads a session even if it has no turn left."""
    exhausted = exhaustion(agent.id, policy)
    entry = f"{agent.id}.thinking" if policy.handed else entry_state(agent)
    emits = (Emission.AGENT,)
    yield State(
        INITIAL,
        StateKind.INITIAL,
        transitions=(
            Transition(Event.STARTED, LOADING, guard=SESSION, emits=emits, arrives=agent.id),
            Transition(Event.STARTED, exhausted, guard=SPENT, emits=emits, arrives=agent.id),
            Transition(Event.STARTED, entry, guard=OTHERWISE, emits=emits, arrives=agent.id),
        ),
    )
    yield State(
        LOADING,
        StateKind.LOADING,
        invokes=(LOAD,),
        transitions=(
            Transition(Event.DONE, exhausted, SPENT),
            Transition(Event.DONE, entry),
            *BEFORE_THE_LOAD,
        ),
    )


def entry_state(agent: Agent, *, by_edge: bool = False) -> str:
    """Id of the state with which a run begins, if it starts with the agent.

    Args:
        agent: The agent.
        by_edge: Whether an edge enters it instead.
    """
    if any(not guardrail.parallel for guardrail in judges(agent, by_edge)):
        return f"{agent.id}.screening{entered_suffix(agent, by_edge)}"
    return first_turn(agent, by_edge=by_edge)


def first_turn(agent: Agent, *, by_edge: bool = False) -> str:
    """Id of the state of the first turn of such a run."""
    if any(guardrail.parallel for guardrail in judges(agent, by_edge)):
        return f"{agent.id}.guarding{entered_suffix(agent, by_edge)}"
    return f"{agent.id}.thinking"


def judges(agent: Agent, by_edge: bool) -> tuple[Guardrail, ...]:
    """The input guardrails that run as an agent is entered. Those of the run judge its input only,
    so none of them runs if an edge enters the agent."""
    guardrails = agent.input_guardrails
    return tuple(row for row in guardrails if not row.of_run) if by_edge else guardrails


def entered_suffix(agent: Agent, by_edge: bool) -> str:
    """What tells the guarding states behind an edge from those at the start of a run."""
    apart = by_edge and any(row.of_run for row in agent.input_guardrails)
    return ".entered" if apart else ""


def exhaustion(agent_id: str, policy: Policy) -> str:
    """Id of the state that follows an agent when no turn is left."""
    recovers = "max_turns" in policy.recovers
    return f"{agent_id}.recovering.max_turns" if recovers else saving(EXHAUSTED)
