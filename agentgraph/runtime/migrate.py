"""Moving a run to another machine: the agents changed during the run, or the program changed
between two processes (docs/design/replay.md, section 6).

Only the control data moves. Commands keep their ids, so every command that is owed is given again
for the lanes of the new machine.
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
        state: Where the run is: at rest, or before the call of its model.
        new: The machine in which the run continues.
        agents: The ids of the agents in the new machine, by their ids in the old one, without those
            that the new machine no longer has.
        facts: What holds for the run from now on; ``None`` keeps the present facts.

    Returns:
        The state in the new machine, and the commands to give again: those that are owed, or the
        one that says that the run rests.

    Raises:
        MigrationError: The run is in the middle of a turn, or the new machine lacks something that
            the run needs.
    """
    here = machine.state[state.state]
    if here.rest is Rest.NO:
        _require_before_model_call(here, state)
    moving = _Moving(machine, new, agents, state.facts if facts is None else facts)
    moved = moving.place(state)
    if moved.kept is not None:
        moved = moved._replace(kept=moving.place(moved.kept))
    there = new.state[moved.state]
    if there.rest is not Rest.NO:
        return moved, (rest_of(there, moved),)
    commands = list[Command]()
    for lane in members(moved.owed):
        at, attempts, result = read(moved.lanes, lane)
        id = (moved.sequence, lane, attempts - 1)
        commands.append(perform(there, moved, id, lane_of(there, moved, lane), at, result))
    return moved, tuple(commands)


def _require_before_model_call(here: State, state: ControlState) -> None:
    """Refuse to move a run whose model call of this turn has begun under the old machine.

    The command for that call may exist already: the driver migrates before it begins the call.
    """
    for lane, invoke in enumerate(here.invokes):
        at, _, _ = read(state.lanes, lane)
        model = next((n for n, row in enumerate(invoke.phases) if row.kind is WorkKind.MODEL), 0)
        if invoke.turn and at <= model and not state.retries:
            return
    raise MigrationError(
        f"the run is in the middle of '{here.id}'; change an agent before its model is called or"
        " while the run rests"
    )


@dataclass(frozen=True, slots=True)
class _Moving:
    machine: Machine
    new: Machine
    agents: Mapping[str, str]
    facts: Facts

    def place(self, state: ControlState) -> ControlState:
        """Translate a state of the run, current or kept, to the new machine."""
        here = self.machine.state[state.state]
        if state.agent not in self.agents:
            raise MigrationError(f"the new machine has no agent '{state.agent}', which is at work")
        id = self._renamed(here.agent, here.id, ".")
        there = self.new.state.get(id)
        if there is None:
            raise MigrationError(f"state '{here.id}', where the run is, has no counterpart '{id}'")
        moved = state._replace(
            state=id,
            facts=self.facts,
            agent=self.agents[state.agent],
            reply=None if state.reply is None else self._reply(here, state, state.reply, there),
            acted=frozenset(self.agents[agent] for agent in state.acted if agent in self.agents),
        )
        return self._with_lanes(here, state, there, moved)

    def _renamed(self, owner: str, name: str, mark: str) -> str:
        """Translate a name that begins with the id of an agent to the new machine."""
        if not owner or not name.startswith(owner + mark):
            return name
        return self.agents.get(owner, owner) + name[len(owner) :]

    def _reply(self, here: State, state: ControlState, reply: Reply, there: State) -> Reply:
        """Translate the reply; a call at work whose tool is gone gets the missing tool's symbol."""
        missing_tool = f"{self.agents[state.agent]}/{MISSING_TOOL}"
        calls = [
            call._replace(symbol=self._renamed(state.agent, call.symbol, "/"))
            for call in reply.calls
        ]
        requests = tuple(
            request._replace(symbol=self._renamed(state.agent, request.symbol, "/"))
            for request in reply.requests
        )
        if there.offers:
            for lane, call in enumerate(calls):
                old = here.offered.get(reply.calls[lane].symbol)
                if _is_action(old) is not _is_action(there.offered.get(call.symbol)):
                    calls[lane] = call._replace(symbol=missing_tool)
            if any(call.symbol not in there.offered for call in calls):
                raise MigrationError(f"state '{there.id}' has no answer to calls of missing tools")
            if requests and requests[0].symbol not in there.requestable:
                raise MigrationError(
                    f"the new machine has no handoff '{requests[0].symbol}', which was requested"
                )
        return reply._replace(calls=tuple(calls), requests=requests)

    def _with_lanes(
        self, here: State, state: ControlState, there: State, moved: ControlState
    ) -> ControlState:
        lanes = count(state.lanes)
        if not here.offers and lanes != len(there.invokes):
            raise MigrationError(
                f"state '{there.id}' starts other work than when the run entered it"
            )
        records: list[bytes] = []
        owed, held, queued, joined = state.owed, state.held, state.queued, state.joined
        for lane in range(lanes):
            old, invoke = lane_of(here, state, lane), lane_of(there, moved, lane)
            at, attempts, result = read(state.lanes, lane)
            unfinished = at < len(old.phases)
            if unfinished and not here.offers:
                self._require_counterpart(here, old, invoke)
            standing = _standing(old, invoke, at, attempts, result)
            if unfinished and invoke.turn and moved.arriving and self.facts.hooked:
                # The hooks are new: the agent that is about to work has not called them yet.
                standing = min(standing, _place_of(invoke, WorkKind.GREET))
            records.append(record(standing, attempts, result))
            if unfinished and standing == len(invoke.phases):
                others = ~(1 << lane)
                owed, held, queued = owed & others, held & others, queued & others
                joined |= {Event.RETURNED}
        return moved._replace(
            lanes=b"".join(records), owed=owed, held=held, queued=queued, joined=joined
        )

    def _require_counterpart(self, here: State, old: Invoke, invoke: Invoke) -> None:
        if invoke.symbol != self._renamed(here.agent, old.symbol, "/"):
            raise MigrationError(f"'{old.symbol}' is at work in '{here.id}' and has no counterpart")


def _is_action(invoke: Invoke | None) -> bool | None:
    """Whether a tool answers calls of actions rather than of functions; ``None`` without a tool."""
    return None if invoke is None else WorkKind.ACTION in [row.kind for row in invoke.phases]


def _place_of(invoke: Invoke, kind: WorkKind) -> int:
    """The index of the first phase of a kind; the number of phases if there is none."""
    indices = (index for index, phase in enumerate(invoke.phases) if phase.kind is kind)
    return next(indices, len(invoke.phases))


def _standing(old: Invoke, invoke: Invoke, at: int, attempts: int, result: int) -> int:
    """The phase of a lane in its counterpart; the number of phases if the lane is over."""
    names = {phase.name: index for index, phase in enumerate(invoke.phases)}
    if at == len(old.phases):
        return len(invoke.phases)
    if not attempts:  # it has not begun, so new phases around the call apply
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
