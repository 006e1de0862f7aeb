"""How often each kind of decision comes in generated runs."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from agentgraph.exceptions import UserError
from agentgraph.testing.routes import KINDS, Decider, Kind

__all__ = ["HOSTILE", "ORDINARY", "ROUTING", "Weights"]

ORDINARY: Final[Mapping[str, int]] = {
    "model.answer": 2, "model.call": 3, "model.handoff": 3, "model.several": 1,
    "tool.return": 8, "tool.raise": 1, "tool.time_out": 1,
    "guardrail.pass": 8, "guardrail.reject": 1, "guardrail.trip": 1,
    "person.approve": 6, "person.reject": 2, "person.return": 8, "person.leave": 1,
    "function.no": 1, "function.yes": 3, "function.return": 8, "function.raise": 1,
}  # fmt: skip
"""A model that keeps to what is on offer; tools, guardrails and people that decide either way."""

HOSTILE: Final[Mapping[str, int]] = {
    **ORDINARY,
    **{f"model.{kind}": 1 for kind in KINDS["model"] if f"model.{kind}" not in ORDINARY},
    "guardrail.raise": 1,
}
"""`ORDINARY`, and replies that no provider should send."""

ROUTING: Final[Mapping[str, int]] = {
    "model.answer": 1, "model.call": 1, "model.handoff": 1,
    "tool.return": 1,
    "guardrail.pass": 1, "guardrail.trip": 1,
    "person.approve": 1, "person.return": 1,
    "function.no": 1, "function.yes": 1, "function.return": 1,
}  # fmt: skip
"""What decides on the route of a run, and nothing else: `explore` takes each of these."""

_NAMES: Final = frozenset(
    {"model.several", *(f"{by}.{kind}" for by, kinds in KINDS.items() for kind in kinds)}
)


class Weights:
    """The weights of the kinds of each decider, checked.

    Args:
        weights: The weight of each kind, as `model.refuse`, a whole number; 0 switches it off. The
            weights of `model.call`, `model.handoff` and `model.several` count for each tool, for
            each handoff, and for one more call in the same reply.
        base: The weights of the kinds that `weights` does not name.

    Raises:
        UserError: A kind does not exist, a weight is below 0, or a decider
            has no kind left.
    """

    __slots__ = ("_of", "_unplanted", "several")

    def __init__(self, weights: Mapping[str, int] | None, base: Mapping[str, int]) -> None:
        merged = {**base, **(weights or {})}
        for name, weight in merged.items():
            if name not in _NAMES:
                close = get_close_matches(name, _NAMES, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise UserError(f"There is no kind of decision {name!r} to weigh.{hint}")
            if weight < 0 or weight % 1:
                raise UserError(
                    f"The weight of {name!r} must be a whole number, 0 or more, not {weight!r}."
                )
        self._unplanted = {name for name, weight in (weights or {}).items() if not weight}
        self.several = merged.get("model.several", 0)
        self._of: dict[Decider, dict[Kind, int]] = {}
        for by, kinds in KINDS.items():
            of = self._of[by] = {kind: merged.get(f"{by}.{kind}", 0) for kind in kinds}
            if not any(of.values()):
                raise UserError(f"Every kind of decision of a {by} has weight 0.")

    def of_failure(self, by: Decider, *, planted: bool) -> int:
        """The weight of the failures of one decider. Those that an edge of the workflow catches
        come in any run, unless the caller has set their weight to 0.

        Args:
            by: The decider.
            planted: Whether there are such failures.
        """
        return self._of[by]["raise"] or int(planted and f"{by}.raise" not in self._unplanted)

    def of(self, by: Decider) -> Mapping[Kind, int]:
        """The weight of each kind of one decider."""
        return self._of[by]
