"""Where the decisions of a simulated run come from: drawn from choices, all or at random."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentgraph.exceptions import UserError
from agentgraph.models.instances import Schema
from agentgraph.testing.choices import Choices, weighted
from agentgraph.testing.offers import Offer, with_minimal_value
from agentgraph.testing.routes import Decision, Kind
from agentgraph.testing.values import Generators, without_types
from agentgraph.testing.weights import Weights

if TYPE_CHECKING:
    pass

__all__ = ["Decisions", "Drawn", "Exhaustive"]

_MOST_CALLS: Final = 3
_HOSTILE_WITHOUT_CALLS: Final[tuple[Kind, ...]] = (
    "slow", "refuse", "empty", "unknown_tool", "cut", "raise",
)  # fmt: skip
_HOSTILE: Final[tuple[Kind, ...]] = (
    *_HOSTILE_WITHOUT_CALLS, "malformed", "wrong_types", "reused_id",
)  # fmt: skip
_ANSWERS: Final = ("Done.", "", "No.", "ÄÖ 猫")


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
        left_out: Tools that no model calls, each with its agent.
        in_pairs: Whether a reply may also have the first tool and a handoff together.
    """

    __slots__ = ("_choices", "_in_pairs", "_left_out", "_weights")

    def __init__(
        self,
        choices: Choices,
        weights: Weights,
        left_out: Collection[tuple[str, str]] = (),
        *,
        in_pairs: bool = False,
    ) -> None:
        self._choices, self._weights = choices, weights
        self._left_out, self._in_pairs = left_out, in_pairs

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`."""
        of = self._weights.of("model")
        options = [
            [one]
            for one in offer.menu.obedient
            if of[one.kind] and (one.agent, one.name) not in self._left_out
        ]
        if self._in_pairs and offer.call.model_settings.parallel_tool_calls is not False:
            options += self._pairs(options)
        chosen = options[self._choices.index(len(options))]
        return [with_minimal_value(replace(one, reply=offer.number), offer) for one in chosen]

    @staticmethod
    def _pairs(options: Sequence[Sequence[Decision]]) -> Iterator[list[Decision]]:
        calls = [one for one, *_ in options if one.kind == "call"]
        for handoff, *_ in options:
            if handoff.kind == "handoff" and calls:
                yield [calls[0], handoff]

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
        choices, several = self._choices, self._weights.several
        options, weights = self._options(offer)
        first = options[weighted(choices, weights)]
        if first.kind == "slow":
            return [replace(first, reply=offer.number), *self._calm(offer)]
        decided = [self.with_value(first, offer)]
        is_one = offer.call.model_settings.parallel_tool_calls is False
        if several and first.kind in ("call", "handoff") and not is_one:
            calls = [one for one in options if one.kind in ("call", "handoff")]
            while len(decided) < _MOST_CALLS and choices.index(10 + several) >= 10:
                decided.append(self.with_value(calls[choices.index(len(calls))], offer))
        return decided

    def _options(self, offer: Offer) -> tuple[list[Decision], list[int]]:
        """The options, the answer first, and their weights."""
        menu, weights = offer.menu, self._weights
        kept = menu.by_weights.get(weights)
        if kept is None:
            of = weights.of("model")
            usual = menu.obedient
            answers = [one for one in usual if one.kind == "answer"]
            calls = [one for one in usual if one.kind != "answer"]
            kinds = _HOSTILE if calls else _HOSTILE_WITHOUT_CALLS
            hostile = [Decision("model", kind, menu.agent) for kind in kinds]
            options = [one for one in (*answers, *calls, *hostile) if of[one.kind]]
            kept = menu.by_weights[weights] = options, [of[one.kind] for one in options]
        if not kept[0]:
            raise UserError(
                f"Agent {menu.agent!r}: every reply that is possible here has weight 0."
            )
        if not offer.is_reuse_possible and weights.of("model")["reused_id"]:
            pairs = [pair for pair in zip(*kept, strict=True) if pair[0].kind != "reused_id"]
            return [one for one, _ in pairs], [weight for _, weight in pairs]
        return kept

    def _calm(self, offer: Offer) -> list[Decision]:
        of = self._weights.of("model")
        usual = offer.menu.obedient
        weights = [of[one.kind] or 1 for one in usual]
        return [self.with_value(usual[weighted(self._choices, weights)], offer)]

    def with_value(self, decision: Decision, offer: Offer) -> Decision:
        """A part of a reply with drawn arguments, or a drawn answer."""
        choices, number = self._choices, offer.number
        match decision.kind:
            case "answer":
                schema = offer.menu.moves[-1].schema
                text = _ANSWERS[choices.index(len(_ANSWERS))] if schema is None else None
                value = text if schema is None else self._draw(schema)
                return Decision("model", "answer", decision.agent, value=value, reply=number)
            case "call" | "handoff":
                schema = offer.menu.move(decision).schema
                return Decision(
                    by="model",
                    kind=decision.kind,
                    agent=decision.agent,
                    name=decision.name,
                    arguments=self._draw(schema) if schema else {},
                    target=decision.target,
                    reply=number,
                )
            case "unknown_tool":
                return replace(decision, name="no_such_tool", arguments={}, reply=number)
            case "malformed" | "wrong_types" | "reused_id":
                return replace(self._broken_call(decision, offer), reply=number)
            case _:
                return replace(decision, reply=number)

    def _broken_call(self, decision: Decision, offer: Offer) -> Decision:
        calls = offer.menu.free[:-1]
        call = calls[self._choices.index(len(calls))]
        schema = offer.menu.move(call).schema or {}
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
        if kind == "return":
            results = self._generators.results.get(decision.name)
            if results:
                result = results[self._choices.index(len(results))]
                return replace(decision, kind=kind, value=result)
        return decision if kind == decision.kind else replace(decision, kind=kind)
