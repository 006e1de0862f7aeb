"""Where the decisions of a simulated run come from: drawn from choices, all or at random."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from agentgraph.exceptions import UserError
from agentgraph.models.instances import Schema
from agentgraph.testing.choices import Choices, weighted
from agentgraph.testing.offers import Offer, Options, with_minimal_value
from agentgraph.testing.outputs import Outputs
from agentgraph.testing.routes import Decision, Kind
from agentgraph.testing.values import Generators, without_types
from agentgraph.testing.weights import Weights

__all__ = ["Decisions", "Drawn", "Exhaustive", "Settled"]

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

    __slots__ = ()

    def reply(self, offer: Offer) -> list[Decision]:
        """Decide on a reply of a model: one answer, or calls and handoffs."""
        ...

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """Decide on one of some kinds.

        Args:
            decision: The decision as far as it stands.
            kinds: The kinds that are possible here; the first is the simplest.
            outputs: What a function of the edges may return.
        """
        ...

    def heard(self, decision: Decision) -> None:
        """Hear of a decision that the workflow's own code made."""
        return None


class Exhaustive(Decisions):
    """Decisions of a search that takes each option. It varies no values but those that decide on
    the ways of routes: of these it takes one for each way.

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
            for one in _told_apart(offer)
            if of[one.kind] and (one.agent, one.name) not in self._left_out
        ]
        if self._weights.of_failure("model", planted=True):
            fails = Decision("model", "raise", offer.menu.agent)
            options += [[replace(fails, value=value)] for value in offer.menu.failures]
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

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """See :class:`Decisions`."""
        of = _weights_of(self._weights, decision, outputs)
        options = [replace(decision, kind=kind) for kind in kinds if of[kind]]
        if outputs is not None:
            options = [
                replace(one, value=value)
                for one in options
                for value in _values_of(one.kind, outputs)
            ]
        return options[self._choices.index(len(options)) if len(options) > 1 else 0]


def _weights_of(
    weights: Weights, decision: Decision, outputs: Outputs | None
) -> Mapping[Kind, int]:
    """The weights of what is decided, with those of failures that edges catch."""
    of = weights.of(decision.by)
    if outputs is None or not outputs.failures:
        return of
    return {**of, "raise": weights.of_failure(decision.by, planted=True)}


def _values_of(kind: Kind, outputs: Outputs) -> Sequence[object]:
    """What a function may return, or fail with."""
    if kind == "return":
        return outputs.telling
    return (kind == "raise" and outputs.failures) or (None,)


def _told_apart(offer: Offer) -> Iterator[Decision]:
    """What a model can do, its answer once for each way of the routes that read it."""
    answers = offer.menu.answers
    for one in offer.menu.obedient:
        if one.kind == "answer" and answers is not None:
            yield from (replace(one, value=value) for value in answers.telling)
        else:
            yield one


class Drawn(Decisions):
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
        options = self._options(offer)
        first = options.every[weighted(self._choices, options.weights)]
        if first.kind == "slow":
            return [replace(first, reply=offer.number), *self._calm(offer)]
        return self.beginning_with(first, offer)

    def beginning_with(self, first: Decision, offer: Offer) -> list[Decision]:
        """A reply that begins with one of the options, without its value; further calls may stand
        beside a call or a handoff."""
        choices, several = self._choices, self._weights.several
        decided = [self.with_value(first, offer)]
        is_one = offer.call.model_settings.parallel_tool_calls is False
        if several and first.kind in ("call", "handoff") and not is_one:
            calls = self._options(offer).calls
            while len(decided) < _MOST_CALLS and choices.index(10 + several) >= 10:
                decided.append(self.with_value(calls[choices.index(len(calls))], offer))
        return decided

    def _options(self, offer: Offer) -> Options:
        """The options, the answer first, with their weights."""
        menu, weights = offer.menu, self._weights
        key = weights, offer.is_reuse_possible
        options = menu.by_weights.get(key)
        if options is None:
            of = weights.of("model")
            answers = [one for one in menu.obedient if one.kind == "answer"]
            calls = [one for one in menu.obedient if one.kind != "answer"]
            kinds = _HOSTILE if calls else _HOSTILE_WITHOUT_CALLS
            hostile = [
                Decision("model", kind, menu.agent)
                for kind in kinds
                if kind != "reused_id" or offer.is_reuse_possible
            ]
            planted = bool(menu.failures)
            of = {**of, "raise": weights.of_failure("model", planted=planted)}
            every = [one for one in (*answers, *calls, *hostile) if of[one.kind]]
            if not every:
                raise UserError(
                    f"Agent {menu.agent!r}: every reply that is possible here has weight 0."
                )
            options = menu.by_weights[key] = Options(
                every,
                [of[one.kind] for one in every],
                [one for one in every if one.kind in ("call", "handoff")],
            )
        return options

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
                if offer.menu.answers is not None:
                    value = self._output(decision, offer.menu.answers)
                    return replace(decision, value=value, reply=number)
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
            case "raise":
                return replace(
                    decision, value=self._failure(decision, offer.menu.failures), reply=number
                )
            case _:
                return replace(decision, reply=number)

    def _failure(self, decision: Decision, failures: Sequence[str | None]) -> str | None:
        """What a part fails with."""
        return failures[self._choices.index(len(failures))] if failures else None

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

    def _output(self, decision: Decision, outputs: Outputs) -> object:
        """What a step gives."""
        return outputs.drawn(self._choices)

    def _draw(self, schema: Schema) -> Any:
        return self._generators.of(schema)(self._choices, 0)

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """See :class:`Decisions`."""
        of = _weights_of(self._weights, decision, outputs)
        weights = [of[kind] for kind in kinds]
        kind = kinds[weighted(self._choices, weights) if any(weights) else 0]
        decided = decision if kind == decision.kind else replace(decision, kind=kind)
        if kind == "raise" and outputs is not None:
            return replace(decided, value=self._failure(decided, outputs.failures))
        return self.with_result(decided, outputs) if kind == "return" else decided

    def with_result(self, decision: Decision, outputs: Outputs | None = None) -> Decision:
        """The return of a tool or function with one of the results that are listed for it, if any
        are; else that of a function with one of its outputs."""
        results = self._generators.results.get(decision.name)
        if outputs is not None and not results:
            return replace(decision, value=self._output(decision, outputs))
        if not results:
            return decision
        return replace(decision, value=results[self._choices.index(len(results))])


class Settled(Drawn):
    """Decisions of a run in which each step gives the same output whenever it works, or fails in
    the same way.

    Args:
        choices: The source.
        weights: The weights.
        generators: The generators of values.
    """

    __slots__ = ("_failing", "_failures", "_settled")

    def __init__(self, choices: Choices, weights: Weights, generators: Generators) -> None:
        super().__init__(choices, weights, generators)
        self._settled: dict[tuple[str, str], object] = {}
        self._failing: dict[tuple[str, str], bool] = {}
        self._failures: dict[tuple[str, str], str | None] = {}

    def _output(self, decision: Decision, outputs: Outputs) -> object:
        of, count = (decision.agent, decision.name), len(outputs.telling)
        if of not in self._settled:
            self._settled[of] = outputs.telling[self._choices.index(count)]
        return self._settled[of]

    def reply(self, offer: Offer) -> list[Decision]:
        """See :class:`Decisions`."""
        if offer.menu.failures and self._fails(offer.menu.agent, ""):
            fails = Decision("model", "raise", offer.menu.agent)
            return [self.with_value(fails, offer)]
        return super().reply(offer)

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """See :class:`Decisions`."""
        if outputs is None or not outputs.failures or "raise" not in kinds:
            return super().decide(decision, kinds, outputs)
        kind: Kind = "raise" if self._fails(decision.agent, decision.name) else "return"
        return super().decide(decision, (kind,), outputs)

    def _fails(self, agent: str, name: str) -> bool:
        if (agent, name) not in self._failing:
            self._failing[agent, name] = bool(self._choices.index(2))
        return self._failing[agent, name]

    def _failure(self, decision: Decision, failures: Sequence[str | None]) -> str | None:
        of = (decision.agent, decision.name)
        if of not in self._failures:
            self._failures[of] = super()._failure(decision, failures)
        return self._failures[of]
