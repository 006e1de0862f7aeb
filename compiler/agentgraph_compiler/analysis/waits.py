"""Which runs can wait for a person: for a decision or an answer."""

from __future__ import annotations

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.machine import Invoke, State, WorkKind

_HOLDING = (WorkKind.HOLD, WorkKind.ANSWER)


def waiting_charts(analysis: Analysis) -> frozenset[str]:
    """The names of the charts whose runs can wait."""
    waiting = frozenset[str]()
    while True:
        more = frozenset(
            part.name
            for part in analysis.chart.charts
            if any(may_wait(state, waiting) for state in part.states)
        )
        if more == waiting:
            return waiting
        waiting = more


def may_wait(state: State, waiting: frozenset[str]) -> bool:
    """Whether a lane of a state can wait, on its own call or question or on one inside.

    Args:
        state: The state.
        waiting: The names of the charts whose runs can wait.
    """
    lanes = (*state.invokes, *state.offers)
    return any(_holds(lane) or lane.machine in waiting for lane in lanes)


def _holds(lane: Invoke) -> bool:
    return any(phase.kind in _HOLDING for phase in lane.phases)
