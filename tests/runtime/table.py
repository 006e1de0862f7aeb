"""The workflow that the tables of ``step`` are about, with short names for states and outcomes."""

from __future__ import annotations

from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import RunState
from agentgraph_compiler.ir.builder import Policy
from agentgraph_compiler.machine import Event, Verdict
from tests.runtime.declarations import agent, ask, machine_of

MACHINE = machine_of(
    agent(
        "desk",
        functions="search fetch",
        actions="shell",
        handoffs="expert",
        blocking="tone",
        parallel="topic",
        checks="polite short",
        stop=ask("desk"),
    ),
    agent("expert"),
    policy=Policy(frozenset({"max_turns"})),
)
INVOKES = {
    invoke.symbol: invoke for state in MACHINE.states for invoke in (*state.invokes, *state.offers)
}

SEARCH, FETCH, SHELL = (
    Call(f"desk/{name}", name, place) for place, name in enumerate(("search", "fetch", "shell"), 1)
)
CALLS = Reply((SEARCH, FETCH, SHELL), verdict=Verdict.AGAIN)
TRANSFER = Reply(requests=(Request("desk/to_expert", 3), Request("desk/to_expert", 4)))
CALLS_AND_TRANSFER = Reply((SEARCH,), TRANSFER.requests)
ACTIONS = Reply((SHELL,))
FINAL, AGAIN, REFUSED = (
    Reply(verdict=verdict) for verdict in (Verdict.FINAL, Verdict.AGAIN, Verdict.REFUSED)
)


def at(
    state: str,
    sequence: int,
    turn: int = 1,
    *,
    order: tuple[int, ...] = (0,),
    pending: tuple[int, ...] | None = None,
    limit: int | None = 5,
    **rest: object,
) -> RunState:
    """A run state; what is pending is all that was issued, unless said otherwise."""
    owed = frozenset(order if pending is None else pending)
    known = RunState(state, sequence, turn, limit, owed, order)
    return known._replace(**rest)  # type: ignore[arg-type]


def perform(
    id: CommandId, symbol: str, about: CommandId | None = None, position: int = -1
) -> Perform:
    """Work of an invoke of the machine, by the agent that its symbol names."""
    return Perform(id, INVOKES[symbol], symbol.partition("/")[0], about, position)


def told(id: CommandId, event: Event, reply: Reply | None = None) -> Outcome:
    """An outcome."""
    return Outcome(id, event, reply=reply)


ID = CommandId

THOUGHT = at("desk.thinking", 3)
ACTED = at("desk.acting", 4, order=(0, 1, 2), performed=(4, 4, 4), reply=CALLS, replied=ID(3, 0))
