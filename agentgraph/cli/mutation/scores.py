"""Outcomes of mutants, and their score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agentgraph.cli.capture.messages import MutantSeen
from agentgraph.cli.mutation.orders import Ended, Result

__all__ = ["Judged", "Outcome", "Score", "judged"]


class Outcome(StrEnum):
    """What became of a mutant.

    A mutant that is `EQUIVALENT` or `REFUSED` is not run: its table is that of the workflow, or the
    compiler finds the fault without a test. Only the first three count in a score.
    """

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    ERROR = "error"
    EQUIVALENT = "equivalent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutant and what became of it.

    Attributes:
        mutant: The mutant.
        outcome: What became of it.
        test: The test that noticed it.
        reason: Why that test failed, or why the mutant was not run, in a line.
        planted: Whether any test came to what it changes.
        seconds: How long its tests took; 0 if they did not run.
    """

    mutant: MutantSeen
    outcome: Outcome
    test: str = ""
    reason: str = ""
    planted: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """The mutants of a file by outcome.

    Attributes:
        mutants: All of them, in the order of the operators.
    """

    mutants: tuple[Judged, ...]

    def of(self, *outcomes: Outcome) -> list[Judged]:
        """The mutants with these outcomes."""
        return [one for one in self.mutants if one.outcome in outcomes]

    @property
    def percent(self) -> float | None:
        """How many of the mutants that count the tests noticed; `None` if none counts. A run that
        does not end is noticed."""
        noticed = len(self.of(Outcome.KILLED, Outcome.TIMEOUT))
        counting = noticed + len(self.of(Outcome.SURVIVED))
        return 100 * noticed / counting if counting else None


def judged(mutant: MutantSeen, ended: Ended | None) -> Judged:
    """What became of a mutant.

    Args:
        mutant: The mutant.
        ended: How its tests ended; `None` if they were not run.
    """
    if ended is None:
        if mutant.refusal:
            return Judged(mutant, Outcome.REFUSED, reason=mutant.refusal)
        return Judged(mutant, Outcome.EQUIVALENT, reason="no table of the workflow differs")
    failed = next((result for result in ended.results if result.failed), None)
    outcome = _outcome(ended, has_failure=failed is not None)
    return Judged(
        mutant,
        outcome,
        test=failed.failed if failed else "",
        reason=failed.reason if failed else _reason(ended, outcome),
        planted=ended.planted,
        seconds=ended.seconds,
    )


def _outcome(ended: Ended, *, has_failure: bool) -> Outcome:
    if has_failure:
        return Outcome.KILLED
    if ended.status is None:
        return Outcome.TIMEOUT
    if ended.status == 0 and _passed(ended.results):
        return Outcome.SURVIVED
    return Outcome.ERROR


def _passed(results: Sequence[Result]) -> bool:
    return bool(results) and all(result.status == 0 for result in results)


def _reason(ended: Ended, outcome: Outcome) -> str:
    if outcome is not Outcome.ERROR:
        return ""
    status = next((one.status for one in ended.results if one.status), ended.status)
    result = "without a failed test" if ended.results else "and no result"
    return f"the tests ended with status {status} {result}"
