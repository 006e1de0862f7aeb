"""The machine: frozen tables of states, lanes, phases, transitions and guards.

The vocabulary is SCXML's (https://www.w3.org/TR/scxml/): a state invokes work on entry (6.4), an
event selects the first enabled transition in document order (3.13), a guard is its condition. A
machine holds symbols, never callables; it is plain data with a JSON form and a fingerprint. Read
``words.py`` (the closed sets), ``lanes.py`` (work), ``table.py`` (states), ``whole.py`` (the
machine).
"""

from __future__ import annotations

from agentgraph_compiler.machine.lanes import (
    MISSING_TOOL,
    OTHERWISE,
    Guard,
    Invoke,
    Move,
    Phase,
    Route,
    plain,
)
from agentgraph_compiler.machine.table import BACK, State, Transition, by_event
from agentgraph_compiler.machine.whole import FORMAT_VERSION, AgentEntry, Machine, PhaseNames
from agentgraph_compiler.machine.words import (
    INTERRUPTING,
    OUTCOMES,
    RESERVED,
    About,
    Emission,
    Event,
    GuardKind,
    Keep,
    Premise,
    Rest,
    Source,
    StateKind,
    Verdict,
    WorkKind,
)

__all__ = [
    "BACK",
    "FORMAT_VERSION",
    "INTERRUPTING",
    "MISSING_TOOL",
    "OTHERWISE",
    "OUTCOMES",
    "RESERVED",
    "About",
    "AgentEntry",
    "Emission",
    "Event",
    "Guard",
    "GuardKind",
    "Invoke",
    "Keep",
    "Machine",
    "Move",
    "Phase",
    "PhaseNames",
    "Premise",
    "Rest",
    "Route",
    "Source",
    "State",
    "StateKind",
    "Transition",
    "Verdict",
    "WorkKind",
    "by_event",
    "plain",
]
