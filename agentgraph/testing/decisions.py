"""Where the decisions of a simulated run come from: drawn from choices, or read from a script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentgraph.exceptions import UserError
from agentgraph.models.instances import NoInstance, Schema
from agentgraph.models.rehearsal import Move, made_up
from agentgraph.testing.choices import Choices, weighted
from agentgraph.testing.routes import Decider, Decision, Kind
from agentgraph.testing.values import Generators, without_types
from agentgraph.testing.weights import Weights

if TYPE_CHECKING:
    from agentgraph.models.model_call import ModelCall

__all__ = ["Decisions", "Drawn", "Exhaustive", "Offer", "ScriptMismatch", "Scripted"]

_MOST_CALLS: Final = 3
_ANSWERS: Final = ("Done.", "", "No.", "ÄÖ 猫")


@dataclass(slots=True)
class Offer:
    """What a model can do in one call.

    Attributes:
        call: The request.
        agent: The agent's name.
        number: The number of the model call in its run, from 1.
        moves: What the model may do without regard to its tool choice; the answer is the last.
        targets: The name of the agent that each handoff leads to, by the handoff's name.
        is_reuse_possible: Whether the run has an earlier call.
    """

    call: ModelCall
    agent: str
    number: int
    moves: Sequence[Move]
    targets: Mapping[str, str]
    is_reuse_possible: bool

    def move(self, decision: Decision) -> Move:
        """The move that a call or handoff makes; the answer if the decision is none of them."""
        named = (one for one in self.moves[:-1] if one.name == decision.name)
        return next(named, self.moves[-1])

    @property
    def calls(self) -> list[str]:
        """The names that the model may call, as tools or as handoffs."""
        return [move.name for move in self.moves[:-1]]

    def free(self) -> list[Decision]:
        """What a model may do without regard to its tool choice; the answer is the last."""
        agent, number = self.agent, self.number
        options = []
        for move in self.moves[:-1]:
            kind: Kind = "call" if move.kind == "tool" else "handoff"
            target = self.targets.get(move.name) if kind == "handoff" else None
            options.append(Decision("model", kind, agent, move.name, target=target, reply=number))
        options.append(Decision("model", "answer", agent, reply=number))
        return options

    def obedient(self) -> list[Decision]:
        """What a model may do that obeys its tool choice; one that it cannot obey leaves it
        free."""
        free = self.free()
        match self.call.model_settings.tool_choice:
            case None | "auto":
                return free
            case "none":
                return free[-1:]
            case "required":
                # A call that the provider carries out may come with an answer.
                tools = sum(move.kind == "tool" for move in self.moves)
                return free if tools < len(self.call.tools) else free[:-1] or free
            case str(choice):
                return [one for one in free[:-1] if one.name == choice] or free
            case _:
                return free


class Decisions(Protocol):
    """A source of decisions."""

    def reply(self, offer: Offer) -> list[Decision]:
        """Decide on a reply of a model: one answer, or calls and handoffs."""
        ...

    def decide(self, decision: Decision, kinds: Sequence[Kind]) -> Decision:
        """Decide on one of some kinds.

        Args:
            decision: The decision as far as it stands.
            kinds: The kinds that are possible here; the first is the simplest.
        """
        ...


class Exhaustive:
    """Decisions of a search that takes each option; it varies no values.

    Args:
        choices: The source.
        weights: Kinds of weight 0 are left out.
    """

    __slots__ = ("_choices", "_weights")

    def __init__(self, choices: Choices, weights: Weights) -> None:
        self._choices, self._weights = choices, weights

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`."""
        of = self._weights.of("model")
        options = [one for one in offer.obedient() if of[one.kind]]
        chosen = options[self._choices.index(len(options))]
        return [_with_minimal_value(chosen, offer)]

    def decide(self, decision: Decision, kinds: Sequence[Kind]) -> Decision:
        """See :class:`Decisions`."""
        of = self._weights.of(decision.by)
        kinds = [kind for kind in kinds if of[kind]]
        index = self._choices.index(len(kinds)) if len(kinds) > 1 else 0
        return replace(decision, kind=kinds[index])


class Drawn:
    """Decisions with values, by weights.

    Args:
        choices: The source.
        weights: The weights.
        generators: The generators of values; all runs of a workflow share them.
    """

    __slots__ = ("_choices", "_generators", "_weights")

    def __init__(self, choices: Choices, weights: Weights, generators: Generators) -> None:
        self._choices, self._weights, self._generators = choices, weights, generators

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`."""
        of, choices = self._weights.of("model"), self._choices
        options = offer.obedient()
        if options[-1].kind == "answer":
            options.insert(0, options.pop())
        calls = [one for one in options if one.kind != "answer"]
        options += self._hostile(offer, calls)
        weights = [of[one.kind] for one in options]
        if not any(weights):
            raise UserError(
                f"Agent {offer.agent!r}: every reply that is possible here has weight 0."
            )
        first = options[weighted(choices, weights)]
        if first.kind == "slow":
            return [first, *self._calm(offer, options)]
        decided = [self._with_value(first, offer)]
        several = self._weights.several
        if (
            several
            and first.kind in ("call", "handoff")
            and offer.call.model_settings.parallel_tool_calls is not False
        ):
            while len(decided) < _MOST_CALLS and choices.index(10 + several) >= 10:
                more = calls[choices.index(len(calls))]
                decided.append(self._with_value(more, offer))
        return decided

    def _calm(self, offer: Offer, options: Sequence[Decision]) -> list[Decision]:
        of = self._weights.of("model")
        usual = [one for one in options if one.kind in ("answer", "call", "handoff")]
        weights = [of[one.kind] or 1 for one in usual]
        return [self._with_value(usual[weighted(self._choices, weights)], offer)]

    def _hostile(self, offer: Offer, calls: Sequence[Decision]) -> list[Decision]:
        of = self._weights.of("model")
        about_calls: list[Kind] = ["malformed", "wrong_types"] if calls else []
        if calls and offer.is_reuse_possible:
            about_calls.append("reused_id")
        kinds: list[Kind] = [
            "slow",
            "refuse",
            "empty",
            "unknown_tool",
            *about_calls,
            "cut",
            "raise",
        ]
        return [
            Decision("model", kind, offer.agent, reply=offer.number) for kind in kinds if of[kind]
        ]

    def _with_value(self, decision: Decision, offer: Offer) -> Decision:
        choices = self._choices
        match decision.kind:
            case "answer":
                schema = offer.moves[-1].schema
                if schema is not None:
                    return replace(decision, value=self._draw(schema))
                return replace(decision, value=_ANSWERS[choices.index(len(_ANSWERS))])
            case "call" | "handoff":
                schema = offer.move(decision).schema
                return replace(decision, arguments=self._draw(schema) if schema else {})
            case "unknown_tool":
                return replace(decision, name="no_such_tool", arguments={})
            case "malformed" | "wrong_types" | "reused_id":
                return self._broken_call(decision, offer)
            case _:
                return decision

    def _broken_call(self, decision: Decision, offer: Offer) -> Decision:
        calls = offer.free()[:-1]
        call = calls[self._choices.index(len(calls))]
        schema = offer.move(call).schema or {}
        arguments: dict[str, Any] | str
        match decision.kind:
            case "malformed":
                arguments = ("{", "", "[1", "{'a': 1}")[self._choices.index(4)]
            case "wrong_types":
                wrong = without_types(schema, self._choices)
                arguments = wrong if isinstance(wrong, dict) else json.dumps(wrong)
            case _:
                arguments = self._draw(schema)
        return replace(decision, name=call.name, target=call.target, arguments=arguments)

    def _draw(self, schema: Schema) -> Any:
        return self._generators.of(schema)(self._choices, 0)

    def decide(self, decision: Decision, kinds: Sequence[Kind]) -> Decision:
        """See :class:`Decisions`."""
        of = self._weights.of(decision.by)
        weights = [of[kind] for kind in kinds]
        kind = kinds[weighted(self._choices, weights) if any(weights) else 0]
        value = decision.value
        results = self._generators.results.get(decision.name)
        if kind == "return" and results:
            value = results[self._choices.index(len(results))]
        return replace(decision, kind=kind, value=value)


class ScriptMismatch(AssertionError):
    """A script and the run that it drives do not fit together."""


class Scripted:
    """Decisions of a script, in their order.

    A decision that the script does not mention takes the simplest option, if it is not a model's.

    Args:
        decisions: The script.
    """

    __slots__ = ("_next", "_script")

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._script = list(decisions)
        self._next = 0

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`.

        Raises:
            ScriptMismatch: The script has another decision here, or is at its end.
        """
        script, start = self._script, self._next
        if start == len(script):
            raise ScriptMismatch(
                f"The model of {offer.agent} is called, but the script is at its end"
                f" after {start} decisions."
            )
        first = script[start]
        self._expect(first, "model", offer.agent, "")
        self._next += 1
        decided = [first]
        while self._next < len(script) and self._belongs(script[self._next], first, decided[-1]):
            decided.append(script[self._next])
            self._next += 1
        names = offer.calls
        for one in decided:
            if one.kind in ("call", "handoff") and one.name not in names:
                raise ScriptMismatch(
                    f"Decision {start + 1} of the script: {one.name!r} is not on offer to"
                    f" {offer.agent}; on offer are {', '.join(sorted(names)) or 'no calls'}."
                )
        return [_with_minimal_value(_placed(one, offer), offer) for one in decided]

    @staticmethod
    def _belongs(one: Decision, first: Decision, last: Decision) -> bool:
        if one.by != "model" or one.agent != first.agent:
            return False
        return last.kind == "slow" or (one.reply == first.reply and one.reply > 0)

    def decide(self, decision: Decision, kinds: Sequence[Kind]) -> Decision:
        """See :class:`Decisions`.

        Raises:
            ScriptMismatch: The script decides something here that is not possible.
        """
        script = self._script
        for place in range(self._next, len(script)):
            one = script[place]
            if one.by == "model":
                break
            same_agent = not one.agent or one.agent == decision.agent
            if (one.by, one.name) == (decision.by, decision.name) and same_agent:
                if one.kind not in kinds:
                    raise ScriptMismatch(
                        f"Decision {place + 1} of the script, {one}: possible are"
                        f" {', '.join(kinds)}."
                    )
                # Decisions that are due at the same time may come in any order.
                script.insert(self._next, script.pop(place))
                self._next += 1
                value = decision.value if one.value is None else one.value
                return replace(decision, kind=one.kind, value=value)
        return replace(decision, kind=kinds[0])

    def _expect(self, one: Decision, by: Decider, agent: str, name: str) -> None:
        if one.by != by or one.agent != agent:
            raise ScriptMismatch(
                f"Decision {self._next + 1} of the script is “{one}”, but the run is at the"
                f" {by} of {agent}."
            )

    def assert_complete(self) -> None:
        """Check that the run made every decision of the script.

        Raises:
            ScriptMismatch: It ended before.
        """
        if self._next < len(self._script):
            raise ScriptMismatch(
                f"The run ended before decision {self._next + 1} of the script,"
                f" “{self._script[self._next]}”."
            )


def _placed(decision: Decision, offer: Offer) -> Decision:
    """A decision of a script with what follows from the run."""
    target = offer.targets.get(decision.name) if decision.kind == "handoff" else decision.target
    return replace(decision, target=target, reply=offer.number)


def _with_minimal_value(decision: Decision, offer: Offer) -> Decision:
    """A decision with a small value, unless it has one."""
    match decision.kind:
        case "answer" if decision.value is None:
            answer = offer.moves[-1]
            made = "Done." if answer.schema is None else json.loads(_made_up(answer, offer))
            return replace(decision, value=made)
        case "call" | "handoff" if decision.arguments is None:
            move = offer.move(decision)
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
            f"Agent {offer.agent!r}: no {what} can be made up: {fault}. Give the schema a default"
            " or an example."
        ) from None
