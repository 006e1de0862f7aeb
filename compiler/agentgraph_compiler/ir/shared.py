"""The states that do not depend on an agent, and the rows that hold in every state.

A run comes to rest through a saving state, which says what the session keeps of the turn. Without a
session its lane is not due, and the run passes through at once. If the save fails, the run rests in
the ``unsaved`` state beside it and tries the save again when it is resumed. ``agentgraph ir``
prints these states and rows so::

    rows
      on tripped -> saving.blocked cause
      on failed -> saving.failed cause keeps
      on stopped -> saving.stopped keeps
      on cancelled -> saving.stopped keeps
      on expired -> saving.exhausted cause keeps

    phases load
      phase load load boundary when session

    state saving.done saving
      invoke session/save walks save
      on done -> done
      on failed -> unsaved.done
      on stopped -> unsaved.done
      on cancelled -> unsaved.done
      on expired -> unsaved.done

    state unsaved.done unsaved wait
      on resumed -> saving.done

    state suspended suspended wait
      on resumed -> back

    state stopped stopped wait
      on resumed -> back

    state done done end

    state blocked blocked end

    state exhausted exhausted end

    state failed failed end
      on resumed when kept -> back

The saving states of the other rests differ in their names and in what they keep. In the order
``done``, ``blocked``, ``exhausted``, ``failed``, ``suspended``, ``stopped``::

    phases save
      phase save save about output keep all when session

    phases save.2
      phase save save about cause keep withheld when session

    phases save.3
      phase save save about cause keep all when session

    phases save.4
      phase save save about cause keep settled when session

    phases save.5
      phase save save keep all when session

    phases save.6
      phase save save keep settled when session
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentgraph_compiler.ir.chart import Guardrail
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
    plain,
)

INITIAL, LOADING = "initial", "loading"
CHECKING = "checking"
DONE, BLOCKED, EXHAUSTED, FAILED = "done", "blocked", "exhausted", "failed"
SUSPENDED, STOPPED = "suspended", "stopped"
JUDGED = "failed.judged"
"""The save of a run that fails while output guardrails check its output, so the output exists."""
UNJUDGED = "stopped.unjudged"
"""The save of a run that stops while output guardrails check its output, so the output exists."""

SESSION = Guard(GuardKind.SESSION)
_LOAD = Phase("load", WorkKind.LOAD, when=SESSION, boundary=True)
LOAD = Invoke("session/load", (_LOAD,))


def saving(final: str) -> str:
    """Id of the state that saves before a run comes to rest in ``final``."""
    return f"saving.{final}"


ON_CHECK_CUT_SHORT = (
    Transition(Event.FAILED, saving(JUDGED), cause=True, keeps=True),
    Transition(Event.STOPPED, saving(UNJUDGED), keeps=True),
    Transition(Event.CANCELLED, saving(UNJUDGED), keeps=True),
)
"""The rows of a state in which output guardrails run."""

ROWS = (
    Transition(Event.TRIPPED, saving(BLOCKED), cause=True),
    Transition(Event.FAILED, saving(FAILED), cause=True, keeps=True),
    Transition(Event.STOPPED, saving(STOPPED), keeps=True),
    Transition(Event.CANCELLED, saving(STOPPED), keeps=True),
    Transition(Event.EXPIRED, saving(EXHAUSTED), cause=True, keeps=True),
)
"""The rows for every state that is not at rest, for events without a row of the state's own."""
ON_AWAITING = Transition(Event.AWAITING, saving(SUSPENDED), keeps=True)
"""The row of a state in which a run may wait for a person."""

BEFORE_THE_LOAD = (
    Transition(Event.FAILED, FAILED, cause=True, keeps=True),
    Transition(Event.STOPPED, STOPPED, keeps=True),
    Transition(Event.CANCELLED, STOPPED, keeps=True),
    Transition(Event.EXPIRED, EXHAUSTED, cause=True, keeps=True),
)
"""The same rows while the run loads the session and has nothing to save yet."""


def checking_lanes(guardrails: Iterable[Guardrail]) -> tuple[Invoke, ...]:
    """The lanes in which output guardrails run."""
    return tuple(Invoke(row.symbol, plain(WorkKind.OUTPUT_GUARDRAIL)) for row in guardrails)


def checking(guardrails: Iterable[Guardrail]) -> State:
    """The state in which the guardrails of the run judge what leaves a workflow with edges."""
    passed = Transition(Event.PASSED, saving(DONE))
    return State(
        CHECKING,
        StateKind.CHECKING,
        invokes=checking_lanes(guardrails),
        transitions=(passed, *ON_CHECK_CUT_SHORT),
    )


_SAVES = (
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


def _saving(name: str, rest: str, keep: Keep, about: About) -> Iterator[State]:
    unsaved = f"unsaved.{name}"
    save = Phase("save", WorkKind.SAVE, about=about, when=SESSION, keep=keep)
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
_SAVING = tuple(state for row in _SAVES for state in _saving(*row))


def saving_states(*, judged: bool) -> Iterator[State]:
    """The saving states, each with the state in which a run rests if that save fails.

    Args:
        judged: Whether any agent has output guardrails.
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
"""The states in which a run rests."""
