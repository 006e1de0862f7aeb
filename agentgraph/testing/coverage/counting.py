"""From the moves of a run to the obligations that it meets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from agentgraph_compiler.analysis.edges import exhausted_case
from agentgraph_compiler.analysis.moves import EVERY_STATE, words_of
from agentgraph_compiler.analysis.owed import (
    ANSWERED,
    APPROVED,
    CALLED,
    EXHAUSTED,
    FAILED,
    MAX_TURNS,
    PASSED,
    REACHED,
    REJECTED,
    TAKEN,
    TRIPPED,
    VISITED,
    Key,
    Subject,
)
from agentgraph_compiler.machine import BACK, Event, GuardKind, WorkKind

if TYPE_CHECKING:
    from agentgraph.run import Moved

__all__ = ["keys_of", "tool_guardrail"]

_Outcomes = Mapping[Event, tuple[str, ...]]
_NO_OUTCOMES: Final[_Outcomes] = {}
_OUTCOMES: Final[Mapping[WorkKind, tuple[Subject, _Outcomes]]] = {
    **dict.fromkeys(
        (WorkKind.INPUT_GUARDRAIL, WorkKind.OUTPUT_GUARDRAIL),
        (Subject.GUARDRAIL, {Event.PASSED: (PASSED,), Event.TRIPPED: (TRIPPED,)}),
    ),
    **dict.fromkeys(
        (WorkKind.FUNCTION, WorkKind.ACTION, WorkKind.AGENT),
        (
            Subject.TOOL,
            {
                Event.RETURNED: (CALLED,),
                Event.AWAITING: (CALLED,),
                Event.FAILED: (CALLED, FAILED),
            },
        ),
    ),
    WorkKind.HOLD: (Subject.TOOL, {Event.PASSED: (APPROVED,), Event.REJECTED: (REJECTED,)}),
    WorkKind.HANDOFF: (Subject.HANDOFF, {Event.DONE: (TAKEN,)}),
    WorkKind.ANSWER: (Subject.QUESTION, {Event.DONE: (ANSWERED,)}),
    WorkKind.BRANCH: (
        Subject.FUNCTION,
        {Event.RETURNED: (CALLED,), Event.FAILED: (CALLED, FAILED)},
    ),
    WorkKind.STEP: (Subject.FUNCTION, {Event.DONE: (CALLED,), Event.FAILED: (CALLED, FAILED)}),
}


def tool_guardrail(tool: str, name: str, *, about_output: bool) -> str:
    """The name of a tool's guardrail in keys.

    Args:
        tool: The symbol of the tool.
        name: The name of the guardrail.
        about_output: Whether it judges the output rather than the arguments.
    """
    return f"{tool}/{'output' if about_output else 'input'}/{name}"


def keys_of(moved: Moved) -> Iterator[Key]:
    """The obligations that one outcome of a run meets, each as often as it does."""
    part = moved.part
    if moved.outcome is None and moved.taken:
        yield Key(Subject.STATE, part, moved.taken[0][0].id, VISITED)
    for state, row in moved.taken:
        here = state.id if row in state.transitions else EVERY_STATE
        yield Key(Subject.TRANSITION, part, words_of(here, row), TAKEN)
        if row.guard.kind is GuardKind.CASE:
            yield Key(Subject.EDGE, part, row.guard.names[0], TAKEN)
        elif case := exhausted_case(state, row):
            yield Key(Subject.EDGE, part, case, EXHAUSTED)
        if row.guard.kind is GuardKind.SPENT:
            yield Key(Subject.LIMIT, part, MAX_TURNS, REACHED)
        target = moved.state if row.target == BACK else row.target
        yield Key(Subject.STATE, part, target, VISITED)
        if row.arrives:
            yield Key(Subject.AGENT, part, row.arrives, VISITED)
    if moved.command is None or moved.outcome is None:
        return
    symbol = moved.command.invoke.symbol
    subject, outcomes = _OUTCOMES.get(moved.command.phase.kind, (Subject.TOOL, _NO_OUTCOMES))
    if moved.command.phase.kind is WorkKind.BRANCH and moved.command.invoke.machine:
        return  # the agents in it count, each in its own part
    for outcome in outcomes.get(moved.outcome.event, ()):
        yield Key(subject, part, symbol, outcome)
    if moved.failed:
        yield Key(Subject.TOOL, part, symbol, FAILED)
    for verdict in moved.verdicts:
        name = tool_guardrail(symbol, verdict.name, about_output=verdict.about_output)
        yield Key(Subject.GUARDRAIL, part, name, PASSED if verdict.passed else TRIPPED)
