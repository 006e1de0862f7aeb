"""The conditions of simulated runs: one list of keywords for everything that makes such runs.

`walk`, `runs`, `conversations`, `@routing_test`, `machine_of` and `same_behaviour` take those of
`RunKeywords`, the strategies for single decisions those of `DrawnKeywords`. `Conditions` checks
them and says what each means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError
from agentgraph.testing.weights import HOSTILE, ORDINARY, Weights

__all__ = ["Conditions", "DrawnKeywords", "RunKeywords"]


class DrawnKeywords(TypedDict, total=False):
    """The keywords of single decisions; see `Conditions` for each."""

    hostile: bool
    weights: Mapping[str, int] | None
    results: Mapping[str, Sequence[object]] | None


class RunKeywords(DrawnKeywords, total=False):
    """The keywords of simulated runs; see `Conditions` for each."""

    depth: int
    max_turns: int | None
    real: Collection[str]
    context: object
    streamed: bool
    input: str | list[Any]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions under which the runs of a simulation are made.

    Args:
        depth: The most model calls of a run, those of agent tools included; at least 1.
        max_turns: The limit of turns of a run, as in `Runner.run`; None for that of `depth`.
        hostile: Whether models also reply what no provider should send: unknown tools, malformed
            arguments, reused ids, nothing, refusals, faults.
        weights: How often each kind of decision comes, as `{"model.answer": 4, "tool.raise": 0}`;
            kinds that it does not name keep their weight in `ORDINARY` or `HOSTILE`.
        real: The names of tools, guardrails, handoffs, agents and functions whose code runs. All
            other tools return a text, and all other guardrails and functions are decided at random.
        results: The results from which tools draw, by their names.
        context: The context object, or a function that makes one for each run.
        streamed: Whether the runs are streamed.
        input: The user's message.
        filters: Whether the input filters of handoffs run.

    Attributes:
        drawn: The weights, checked.

    Raises:
        UserError: A kind of `weights` does not exist, or cannot have its weight; `real` is a text.
        ValueError: The depth or the limit of turns is below 1.
    """

    depth: int = 12
    max_turns: int | None = None
    hostile: bool = False
    weights: Mapping[str, int] | None = None
    real: Collection[str] = ()
    results: Mapping[str, Sequence[object]] | None = None
    context: object = None
    streamed: bool = False
    input: str | list[Any] = "Go on."
    filters: bool = True
    drawn: Weights = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, not {self.depth}")
        if self.max_turns is not None and self.max_turns < 1:
            raise ValueError(f"max_turns must be at least 1, not {self.max_turns}")
        if isinstance(self.real, str):
            raise UserError(f"real lists names, as in real=[{self.real!r}]; it is a text.")
        weights = Weights(self.weights, HOSTILE if self.hostile else ORDINARY)
        object.__setattr__(self, "drawn", weights)
