"""What a model can do in a call, and small values for what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from agentgraph.exceptions import UserError
from agentgraph.models.instances import NoInstance
from agentgraph.models.rehearsal import Move, every_move, made_up
from agentgraph.testing.routes import Decision, Kind

if TYPE_CHECKING:
    from agentgraph.models.model_call import ModelCall
    from agentgraph.testing.outputs import Outputs
    from agentgraph.testing.weights import Weights

__all__ = ["Menu", "Offer", "Options", "with_minimal_value"]


class Options(NamedTuple):
    """What `Drawn` draws from.

    Attributes:
        every: The options, without their values; the simplest first.
        weights: The weight of each.
        calls: Those that are calls or handoffs.
    """

    every: list[Decision]
    weights: list[int]
    calls: list[Decision]


class Menu:
    """What one agent's model can do in a call; calls with the same tools and handoffs share it.

    Args:
        agent: The agent's name.
        call: A request.
        answers: What its answer may be, if routes of the workflow read it.
        failures: What it may fail with, one for each edge that catches it; see `PlantedFaults`.

    Attributes:
        agent: The agent's name.
        answers, failures: See above.
        moves: What the model may do without regard to its tool choice; the answer is the last.
        free: The same as decisions without values.
        obedient: Those that obey the tool choice; one that it cannot obey leaves it free.
        by_weights: What `Drawn` derives from it, for each set of weights, and with a reply that
            reuses an id or without.
    """

    __slots__ = ("_kept", "agent", "answers", "by_weights", "failures", "free", "moves", "obedient")

    def __init__(
        self,
        agent: str,
        call: ModelCall,
        answers: Outputs | None = None,
        failures: tuple[str | None, ...] = (),
    ) -> None:
        self.agent, self.answers, self.failures = agent, answers, failures
        self._kept = (call.tools, call.handoffs)  # their ids stay theirs as long as they live
        self.moves = every_move(call)
        targets = {one.tool_name: one.agent_name for one in call.handoffs}
        self.free = [self._decision(move, targets) for move in self.moves]
        self.obedient = self._obedient(call)
        self.by_weights: dict[tuple[Weights, bool], Options] = {}

    def _decision(self, move: Move, targets: Mapping[str, str]) -> Decision:
        if move.kind == "answer":
            return Decision("model", "answer", self.agent)
        kind: Kind = "call" if move.kind == "tool" else "handoff"
        target = targets.get(move.name) if kind == "handoff" else None
        return Decision("model", kind, self.agent, move.name, target=target)

    def _obedient(self, call: ModelCall) -> list[Decision]:
        free = self.free
        match call.model_settings.tool_choice:
            case None | "auto":
                return free
            case "none":
                return free[-1:]
            case "required":
                # A call that the provider carries out may come with an answer.
                tools = sum(move.kind == "tool" for move in self.moves)
                return free if tools < len(call.tools) else free[:-1] or free
            case str(choice):
                return [one for one in free[:-1] if one.name == choice] or free
            case _:
                return free

    def move(self, decision: Decision) -> Move:
        """The move that a call or handoff makes; the answer if the decision is none of them."""
        named = (one for one in self.moves[:-1] if one.name == decision.name)
        return next(named, self.moves[-1])

    @property
    def calls(self) -> list[str]:
        """The names that the model may call, as tools or as handoffs."""
        return [move.name for move in self.moves[:-1]]


@dataclass(slots=True)
class Offer:
    """What a model can do in one call.

    Attributes:
        call: The request.
        menu: What is on offer.
        number: The number of the model call in its run, from 1.
        is_reuse_possible: Whether the run has an earlier call.
    """

    call: ModelCall
    menu: Menu
    number: int
    is_reuse_possible: bool


def with_minimal_value(decision: Decision, offer: Offer) -> Decision:
    """A decision with a small value, unless it has one."""
    match decision.kind:
        case "answer" if decision.value is None:
            if offer.menu.answers is not None:
                return replace(decision, value=offer.menu.answers.telling[0])
            answer = offer.menu.moves[-1]
            made = "Done." if answer.schema is None else json.loads(_made_up(answer, offer))
            return replace(decision, value=made)
        case "call" | "handoff" if decision.arguments is None:
            move = offer.menu.move(decision)
            return replace(
                decision, arguments=json.loads(_made_up(move, offer)) if move.schema else {}
            )
        case _:
            return decision


def _made_up(move: Move, offer: Offer) -> str:
    try:
        return made_up(move, offer.call)
    except NoInstance as fault:
        what = "answers" if move.kind == "answer" else f"arguments of {move.name!r}"
        raise UserError(
            f"Agent {offer.menu.agent!r}: no {what} can be made up: {fault}. Give the schema a"
            " default or an example."
        ) from None
