"""The workflow that the tables of ``step`` are about, with short names for states and outcomes."""

from __future__ import annotations

from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.lanes import mask, record
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import ControlState, Facts
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import Event, Invoke, Verdict
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
        approved="fetch",
        judged="search",
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
CALLS_AND_TRANSFER = Reply((SHELL,), TRANSFER.requests)
ACTIONS = Reply((SHELL,))
FINAL, AGAIN, REFUSED = (
    Reply(verdict=verdict) for verdict in (Verdict.FINAL, Verdict.AGAIN, Verdict.REFUSED)
)

ID = CommandId


def at(
    state: str,
    sequence: int,
    turn: int = 1,
    lanes: str | None = None,
    **registers: object,
) -> ControlState:
    """A run state.

    Args:
        state: Its id.
        sequence: Its number, the last that was given out.
        turn: Turns begun.
        lanes: One word a lane: the name of the phase where it stands, which is owed; with ``-``
            before it, it stands there and is not owed; ``over`` once it is over. Behind it the
            commands it was given, if not 1, and behind ``=`` the attempt of its result. Left out,
            every lane stands in its only or in its ``try`` phase.
        registers: Everything else.
    """
    state = ControlState(
        state, Facts(limit=5), "desk", sequence, sequence, turn, joined=frozenset()
    )
    state = state._replace(**registers)  # type: ignore[arg-type]
    invokes = _lanes_of(state)
    words = [_usual(invoke) for invoke in invokes] if lanes is None else lanes.split()
    records, owed = list[bytes](), list[int]()
    for lane, (invoke, word) in enumerate(zip(invokes, words, strict=True)):
        stands, _, result = word.partition("=")
        name, _, given = stands.lstrip("-").partition(":")
        names = [*(phase.name for phase in invoke.phases), "over"]
        records.append(record(names.index(name), int(given or 1), int(result or -1) + 1))
        if name != "over" and not word.startswith("-"):
            owed.append(lane)
    return state._replace(lanes=b"".join(records), owed=mask(owed))


def _lanes_of(state: ControlState) -> list[Invoke]:
    here = MACHINE.state[state.state]
    if not here.offers:
        return list(here.invokes)
    assert state.reply is not None
    return [here.offered[call.symbol] for call in state.reply.calls]


def _usual(invoke: Invoke) -> str:
    names = [phase.name for phase in invoke.phases]
    return next((name for name in ("try", "call") if name in names), names[0])


def perform(
    id: CommandId,
    symbol: str,
    about: CommandId | None = None,
    position: int = -1,
    phase: str | None = None,
) -> Perform:
    """Work of a lane of the machine, by the agent that its symbol names."""
    invoke = INVOKES[symbol]
    name = phase or _usual(invoke)
    found = next(row for row in invoke.phases if row.name == name)
    return Perform(id, invoke, found, symbol.partition("/")[0], about, position)


def told(id: CommandId, event: Event, reply: Reply | None = None) -> Outcome:
    """An outcome."""
    return Outcome(id, event, reply=reply)


def seen(*events: Event) -> frozenset[Event]:
    """What the lanes that are over ended with."""
    return frozenset(events)


THOUGHT = at("desk.thinking", 3)
ACTED = at(
    "desk.acting",
    4,
    lanes="call hold call",
    reply=CALLS,
    replied=ID(3, 0),
    acted=frozenset({"desk"}),
)
