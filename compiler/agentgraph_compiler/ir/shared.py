"""The states that do not depend on an agent, and the rows that hold in every state.

A run comes to rest through a saving state, which says what is kept of the turn; where there is no
session its lane is not due, so it is passed through at once. If the save fails, the run rests in
the ``unsaved`` state beside it, from where the save is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.machine import (
    BACK,
    About,
    Event,
    Guard,
    GuardKind,
    Invoke,
    Keep,
    Phase,
    Rest,
    State,
    StateKind,
    Transition,
    WorkKind,
)

INITIAL, LOADING = "initial", "loading"
DONE, BLOCKED, EXHAUSTED, FAILED = "done", "blocked", "exhausted", "failed"
SUSPENDED, STOPPED = "suspended", "stopped"
JUDGED = "failed.judged"
"""What is saved of a run that failed while its output was checked: that output is there."""
UNJUDGED = "stopped.unjudged"
"""What is saved of a run that was stopped while its output was checked: that output is there."""

SESSION = Guard(GuardKind.SESSION)
_LOAD = Phase("load", WorkKind.LOAD, when=SESSION, boundary=True)
LOAD = Invoke("session/load", (_LOAD,))


def saving(final: str) -> str:
    """Id of the state that saves before a run comes to rest in ``final``."""
    return f"saving.{final}"


ROWS = (
    Transition(Event.TRIPPED, saving(BLOCKED), cause=True),
    Transition(Event.FAILED, saving(FAILED), cause=True, keeps=True),
    Transition(Event.STOPPED, saving(STOPPED), keeps=True),
    Transition(Event.CANCELLED, saving(STOPPED), keeps=True),
    Transition(Event.EXPIRED, saving(EXHAUSTED), cause=True, keeps=True),
)
"""What holds in every state that is not at rest, where the state has no row of its own."""

BEFORE_THE_LOAD = (
    Transition(Event.FAILED, FAILED, cause=True, keeps=True),
    Transition(Event.STOPPED, STOPPED, keeps=True),
    Transition(Event.CANCELLED, STOPPED, keeps=True),
    Transition(Event.EXPIRED, EXHAUSTED, cause=True, keeps=True),
)
"""The same while the session is being loaded: there is nothing to save yet."""

_KEPT = (
    (DONE, DONE, Keep.ALL, About.OUTPUT),
    (BLOCKED, BLOCKED, Keep.WITHHELD, About.CAUSE),
    (EXHAUSTED, EXHAUSTED, Keep.ALL, About.CAUSE),
    (FAILED, FAILED, Keep.SETTLED, About.CAUSE),
    (JUDGED, FAILED, Keep.ALL, About.CAUSE),
    (SUSPENDED, SUSPENDED, Keep.ALL, About.NOTHING),
    (STOPPED, STOPPED, Keep.SETTLED, About.NOTHING),
    (UNJUDGED, STOPPED, Keep.ALL, About.NOTHING),
)
_OF_CHECKS = frozenset(
    {f"{kind}.{name}" for kind in ("saving", "unsaved") for name in (JUDGED, UNJUDGED)}
)


def _saving(name: str, rest: str, kept: Keep, about: About) -> Iterator[State]:
    unsaved = f"unsaved.{name}"
    save = Phase("save", WorkKind.SAVE, about, SESSION, keep=kept)
    outside = (Event.FAILED, Event.STOPPED, Event.CANCELLED, Event.EXPIRED)
    yield State(
        saving(name),
        StateKind.SAVING,
        invokes=(Invoke("session/save", (save,)),),
        transitions=(
            Transition(Event.DONE, rest),
            *(Transition(event, unsaved) for event in outside),
        ),
    )
    again = Transition(Event.RESUMED, saving(name))
    yield State(unsaved, StateKind.UNSAVED, transitions=(again,), rest=Rest.WAIT)


_BACK = Transition(Event.RESUMED, BACK)
_BACK_IF_KEPT = Transition(Event.RESUMED, BACK, Guard(GuardKind.KEPT))
_SAVING = tuple(state for row in _KEPT for state in _saving(*row))


def saving_states(*, judged: bool) -> Iterator[State]:
    """The saving states and where a run rests if a save fails.

    Args:
        judged: Whether any agent has its output checked.
    """
    return (state for state in _SAVING if judged or state.id not in _OF_CHECKS)


RESTS = (
    State(SUSPENDED, StateKind.SUSPENDED, transitions=(_BACK,), rest=Rest.WAIT),
    State(STOPPED, StateKind.STOPPED, transitions=(_BACK,), rest=Rest.WAIT),
    State(DONE, StateKind.DONE, rest=Rest.END),
    State(BLOCKED, StateKind.BLOCKED, rest=Rest.END),
    State(EXHAUSTED, StateKind.EXHAUSTED, rest=Rest.END),
    State(FAILED, StateKind.FAILED, transitions=(_BACK_IF_KEPT,), rest=Rest.END),
)
"""Where a run rests."""
