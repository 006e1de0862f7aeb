"""A run goes on in another machine: the agents were changed in mid-run, or the program between two
processes (docs/design/replay.md, section 6).

Only the control data moves. The ids of everything that was asked for stay, so what is owed is given
again with the lanes of the new machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentgraph.runtime.commands import Command
from agentgraph.runtime.enter import lane_of, perform, rest_of
from agentgraph.runtime.lanes import count, members, read, record
from agentgraph.runtime.outcomes import Reply
from agentgraph.runtime.state import ControlState, Facts
from agentgraph_compiler.machine import MISSING_TOOL, Event, Invoke, Machine, Rest, State, WorkKind

MIGRATED: Final = -4
"""The lane of the ids under which a journal holds migrations."""


class MigrationError(Exception):
    """The run cannot go on in the other machine; the message says why."""


def migrate(
    machine: Machine,
    state: ControlState,
    new: Machine,
    agents: Mapping[str, str],
    *,
    facts: Facts | None = None,
) -> tuple[ControlState, tuple[Command, ...]]:
    """Move a run to another machine.

    Args:
        machine: The machine the run is in.
        state: Where the run is: at rest, or before its model is asked.
        new: The machine it is to go on in.
        agents: The ids of the agents there, by their ids here; one that is gone is left out.
        facts: What holds for the run from now on; ``None`` leaves it.

    Returns:
        The state in the new machine, and everything that is owed once more: the commands of a run
        at work, or that it rests.

    Raises:
        MigrationError: The run is in the midst of something, or what it needs is not in the new
            machine.
    """
    here = machine.state[state.state]
    if here.rest is Rest.NO:
        _require_unasked(here, state)
    moving = _Moving(machine, new, agents, state.facts if facts is None else facts)
    moved = moving.place(state)
    if moved.kept is not None:
        moved = moved._replace(kept=moving.place(moved.kept))
    there = new.state[moved.state]
    if there.rest is not Rest.NO:
        return moved, (rest_of(there, moved),)
    commands = list[Command]()
    for lane in members(moved.owed):
        at, given, result = read(moved.lanes, lane)
        id = (moved.sequence, lane, given - 1)
        commands.append(perform(there, moved, id, lane_of(there, moved, lane), at, result))
    return moved, tuple(commands)


def _require_unasked(here: State, state: ControlState) -> None:
    """The model of a turn must not have been asked: what it was shown stands in the old machine.

    Its command may have been given; the driver migrates before it begins that.
    """
    for lane, invoke in enumerate(here.invokes):
        at, _, _ = read(state.lanes, lane)
        asked = next((n for n, row in enumerate(invoke.phases) if row.kind is WorkKind.MODEL), 0)
        if invoke.turn and at <= asked and not state.retries:
            return
    raise MigrationError(
        f"the run is in the midst of '{here.id}'; an agent can be changed before its model is asked"
        " or while the run rests"
    )


@dataclass(frozen=True, slots=True)
class _Moving:
    machine: Machine
    new: Machine
    agents: Mapping[str, str]
    facts: Facts

    def place(self, state: ControlState) -> ControlState:
        """A state of the run, or one that is kept, in the new machine."""
        here = self.machine.state[state.state]
        if state.agent not in self.agents:
            raise MigrationError(f"agent '{state.agent}', which is at work, is gone")
        id = self._named(here.agent, here.id, ".")
        there = self.new.state.get(id)
        if there is None:
            raise MigrationError(f"state '{here.id}', where the run is, has no counterpart '{id}'")
        moved = state._replace(
            state=id,
            facts=self.facts,
            agent=self.agents[state.agent],
            reply=None if state.reply is None else self._reply(state, state.reply, there),
            acted=frozenset(self.agents[agent] for agent in state.acted if agent in self.agents),
        )
        return self._with_lanes(here, state, there, moved)

    def _named(self, owner: str, name: str, mark: str) -> str:
        """A name that begins with the id of an agent, as the new machine has it."""
        if not owner or not name.startswith(owner + mark):
            return name
        return self.agents.get(owner, owner) + name[len(owner) :]

    def _reply(self, state: ControlState, reply: Reply, there: State) -> Reply:
        """The reply held; where its calls are at work, a tool that is gone is a missing one."""
        missing = f"{self.agents[state.agent]}/{MISSING_TOOL}"
        calls = [
            call._replace(symbol=self._named(state.agent, call.symbol, "/")) for call in reply.calls
        ]
        requests = tuple(
            request._replace(symbol=self._named(state.agent, request.symbol, "/"))
            for request in reply.requests
        )
        if there.offers:
            calls = [
                call if call.symbol in there.offered else call._replace(symbol=missing)
                for call in calls
            ]
            if any(call.symbol not in there.offered for call in calls):
                raise MigrationError(f"state '{there.id}' has no answer to calls of missing tools")
            if requests and requests[0].symbol not in there.requestable:
                raise MigrationError(
                    f"handoff '{requests[0].symbol}', which was asked for, is gone"
                )
        return reply._replace(calls=tuple(calls), requests=requests)

    def _with_lanes(
        self, here: State, state: ControlState, there: State, moved: ControlState
    ) -> ControlState:
        lanes = count(state.lanes)
        if not here.offers and lanes != len(there.invokes):
            raise MigrationError(
                f"state '{there.id}' starts other work than when the run came there"
            )
        records: list[bytes] = []
        owed, held, queued, joined = state.owed, state.held, state.queued, state.joined
        for lane in range(lanes):
            old, invoke = lane_of(here, state, lane), lane_of(there, moved, lane)
            at, given, result = read(state.lanes, lane)
            unfinished = at < len(old.phases)
            if unfinished and not here.offers:
                self._require_counterpart(here, old, invoke)
            standing = _standing(old, invoke, at, given, result)
            if unfinished and invoke.turn and moved.arriving and self.facts.hooked:
                # The hooks are new, and have not heard of the agent that is about to work.
                standing = min(standing, _place_of(invoke, WorkKind.GREET))
            records.append(record(standing, given, result))
            if unfinished and standing == len(invoke.phases):
                others = ~(1 << lane)
                owed, held, queued = owed & others, held & others, queued & others
                joined |= {Event.RETURNED}
        return moved._replace(
            lanes=b"".join(records), owed=owed, held=held, queued=queued, joined=joined
        )

    def _require_counterpart(self, here: State, old: Invoke, invoke: Invoke) -> None:
        if invoke.symbol != self._named(here.agent, old.symbol, "/"):
            raise MigrationError(f"'{old.symbol}' is at work in '{here.id}' and has no counterpart")


def _place_of(invoke: Invoke, kind: WorkKind) -> int:
    """The index of the first phase of a kind; the number of the phases if there is none."""
    found = (index for index, phase in enumerate(invoke.phases) if phase.kind is kind)
    return next(found, len(invoke.phases))


def _standing(old: Invoke, invoke: Invoke, at: int, given: int, result: int) -> int:
    """Where a lane stands in its counterpart; the number of its phases where it is over."""
    names = {phase.name: index for index, phase in enumerate(invoke.phases)}
    if at == len(old.phases):
        return len(invoke.phases)
    if not given:  # it has not begun, so what is new around the call counts
        return 0
    missing = invoke.phases[0].kind is WorkKind.MISSING
    if old.phases[at].kind is WorkKind.HOLD and "hold" not in names and not missing:
        raise MigrationError(
            f"a person was asked about a call of '{old.symbol}', which no longer asks for approval"
        )
    if missing:
        return len(invoke.phases) if result else 0
    following = (names[phase.name] for phase in old.phases[at:] if phase.name in names)
    return next(following, len(invoke.phases))
