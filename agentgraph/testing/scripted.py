"""Decisions that a script makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgraph.testing.decisions import Decisions
from agentgraph.testing.offers import Offer, with_minimal_value
from agentgraph.testing.outputs import Outputs
from agentgraph.testing.routes import Decider, Decision, Kind

__all__ = ["Completed", "ScriptMismatch", "Scripted"]


class ScriptMismatch(AssertionError):
    """A script and the run that it drives do not fit together."""


class Scripted(Decisions):
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
        """See `Decisions`.

        Raises:
            ScriptMismatch: The script has another decision here, or is at its end.
        """
        script, start = self._script, self._next
        if start == len(script):
            raise ScriptMismatch(
                f"The model of {offer.menu.agent} is called, but the script is at its end"
                f" after {start} decisions."
            )
        first = script[start]
        self._expect(first, "model", offer.menu.agent, "")
        self._next += 1
        decided = [first]
        while self._next < len(script) and self._belongs(script[self._next], first, decided[-1]):
            decided.append(script[self._next])
            self._next += 1
        names = offer.menu.calls
        for one in decided:
            if one.kind in ("call", "handoff") and one.name not in names:
                raise ScriptMismatch(
                    f"Decision {start + 1} of the script: {one.name!r} is not on offer to"
                    f" {offer.menu.agent}; on offer are {', '.join(sorted(names)) or 'no calls'}."
                )
        return [with_minimal_value(_placed(one, offer), offer) for one in decided]

    @staticmethod
    def _belongs(one: Decision, first: Decision, last: Decision) -> bool:
        if one.by != "model" or one.agent != first.agent:
            return False
        return last.kind == "slow" or (one.reply == first.reply and one.reply > 0)

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> Decision:
        """See `Decisions`.

        Raises:
            ScriptMismatch: The script decides something here that is not possible.
        """
        one = self._taken(decision, kinds)
        if one is None:
            return replace(decision, kind=kinds[0])
        fails = (one.by, one.kind) == ("function", "raise")
        value = decision.value if one.value is None and not fails else one.value
        return replace(decision, kind=one.kind, value=value)

    def heard(self, decision: Decision) -> None:
        """See `Decisions`. Of what the workflow's own code does, a script may say the kind.

        Raises:
            ScriptMismatch: The script says another kind.
        """
        self._taken(decision, [decision.kind])

    def _taken(self, decision: Decision, kinds: Sequence[Kind]) -> Decision | None:
        """Take the next decision of the script about the same; None if it has none."""
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
                return one
        return None

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


class Completed(Scripted):
    """Decisions of a script that need not be complete: what the run does not come to is passed
    over, and after its end each model takes the simplest way to an answer."""

    def reply(self, offer: Offer) -> list[Decision]:
        """See `Decisions`."""
        while self._next < len(self._script) and self._script[self._next].by != "model":
            self._next += 1
        if self._next < len(self._script):
            return super().reply(offer)
        simplest = offer.menu.obedient[-1]  # the answer, where it is allowed
        return [with_minimal_value(replace(simplest, reply=offer.number), offer)]

    def assert_complete(self) -> None:
        """Nothing: the run may end before the script."""


def _placed(decision: Decision, offer: Offer) -> Decision:
    """A decision of a script with what follows from the run."""
    targets = (one.target for one in offer.menu.free if one.name == decision.name)
    return replace(decision, target=next(targets, None), reply=offer.number)
