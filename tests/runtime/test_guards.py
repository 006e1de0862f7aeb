"""The table of guards: what each of the closed set means, also where there was no reply at all."""

from __future__ import annotations

import pytest

from agentgraph.runtime.guards import MEANINGS, holds
from agentgraph.runtime.lanes import record
from agentgraph.runtime.outcomes import Call, Reply, Request
from agentgraph.runtime.state import ControlState, Edges, Facts
from agentgraph_compiler.machine import OTHERWISE, Guard, GuardKind, Verdict
from tests.runtime.declarations import agent, machine_of

ACTING = machine_of(
    agent("desk", functions="search fetch", actions="shell", agents="expert")
).state["desk.acting"]
SEARCH, FETCH, SHELL, EXPERT = (
    Call(f"desk/{name}", name, 0) for name in ("search", "fetch", "shell", "expert")
)
TO_MATH, TO_ART = Request("desk/to_math", 0), Request("desk/to_art", 1)

CALLS, SPENT = Guard(GuardKind.CALLS), Guard(GuardKind.SPENT)
ASKED_FOR_MATH = Guard(GuardKind.REQUESTS, ("desk/to_math",))
REFUSED = Guard(GuardKind.VERDICT, ("refused",))
ANY_TOOL, ON_FETCH = Guard(GuardKind.STOPS), Guard(GuardKind.STOPS, ("fetch",))

GUARDS: list[tuple[str, Guard, Reply | None, bool]] = [
    ("otherwise holds without a reply", OTHERWISE, None, True),
    ("otherwise holds whatever the reply", OTHERWISE, Reply((SEARCH,)), True),
    ("calls: none without a reply", CALLS, None, False),
    ("calls: none in a reply of a handoff", CALLS, Reply(requests=(TO_MATH,)), False),
    ("calls: one is enough", CALLS, Reply((SHELL,)), True),
    ("requests: none without a reply", ASKED_FOR_MATH, None, False),
    ("requests: none in a reply of a call", ASKED_FOR_MATH, Reply((SEARCH,)), False),
    ("requests: the first counts", ASKED_FOR_MATH, Reply(requests=(TO_MATH, TO_ART)), True),
    ("requests: the second does not", ASKED_FOR_MATH, Reply(requests=(TO_ART, TO_MATH)), False),
    ("verdict: the one named", REFUSED, Reply(verdict=Verdict.REFUSED), True),
    ("verdict: no other", REFUSED, Reply(verdict=Verdict.FINAL), False),
    ("verdict: none without a reply", REFUSED, None, False),
    ("stops: not without a reply", ANY_TOOL, None, False),
    ("stops: a function tool", ANY_TOOL, Reply((SEARCH,)), True),
    ("stops: an agent used as a tool", ANY_TOOL, Reply((EXPERT,)), True),
    ("stops: no other local work", ANY_TOOL, Reply((SHELL,)), False),
    ("stops: a function tool beside other work", ANY_TOOL, Reply((SHELL, SEARCH)), True),
    ("stops: a tool that is named", ON_FETCH, Reply((SEARCH, FETCH)), True),
    ("stops: no tool that is not", ON_FETCH, Reply((SEARCH,)), False),
    ("stops: nothing that is not on offer", ANY_TOOL, Reply((Call("x/gone", "gone", 0),)), False),
]


@pytest.mark.parametrize(
    ("guard", "reply", "expected"), [row[1:] for row in GUARDS], ids=[row[0] for row in GUARDS]
)
def test_guard(guard: Guard, reply: Reply | None, expected: bool) -> None:
    # Turns are left, so that SPENT has no part in it.
    assert holds(guard, ACTING, ControlState(ACTING.id, Facts(10), turn=1, reply=reply)) is expected


@pytest.mark.parametrize(
    ("turn", "limit", "expected"),
    [
        (0, None, False),
        (1000, None, False),
        (0, 0, True),
        (1, 2, False),
        (2, 2, True),
        (3, 2, True),
    ],
)
def test_turns_are_spent_when_as_many_began_as_are_allowed(
    turn: int, limit: int | None, expected: bool
) -> None:
    assert holds(SPENT, ACTING, ControlState(ACTING.id, Facts(limit), turn=turn)) is expected


SESSION, HOOKS = Facts(session=True), Facts(hooked=True)
OPERANDS = {GuardKind.CASE: ("x",), GuardKind.ROUNDS: ("x", "3"), GuardKind.JOINED: ("2",)}
THREE = b"".join(record(1, 1) for _ in range(3))
OF_THE_RUN = [
    ("session: a run that has one", GuardKind.SESSION, ControlState("s", SESSION), True),
    ("session: a run without", GuardKind.SESSION, ControlState("s", HOOKS), False),
    (
        "unsaved: a turn before this one",
        GuardKind.UNSAVED,
        ControlState("s", SESSION, turn=2),
        True,
    ),
    (
        "unsaved: not in the first turn",
        GuardKind.UNSAVED,
        ControlState("s", SESSION, turn=1),
        False,
    ),
    ("unsaved: not without a session", GuardKind.UNSAVED, ControlState("s", turn=2), False),
    ("hooked: a run with hooks", GuardKind.HOOKED, ControlState("s", HOOKS), True),
    ("hooked: a run without", GuardKind.HOOKED, ControlState("s", SESSION), False),
    ("arriving: with hooks", GuardKind.ARRIVING, ControlState("s", HOOKS, arriving=True), True),
    ("arriving: without hooks", GuardKind.ARRIVING, ControlState("s", arriving=True), False),
    ("arriving: was greeted", GuardKind.ARRIVING, ControlState("s", HOOKS), False),
    ("kept: something", GuardKind.KEPT, ControlState("s", kept=ControlState("t")), True),
    ("kept: nothing", GuardKind.KEPT, ControlState("s"), False),
    (
        "acted: this agent",
        GuardKind.ACTED,
        ControlState("s", agent="a", acted=frozenset("a")),
        True,
    ),
    ("case: the one chosen", GuardKind.CASE, ControlState("s", reply=Reply(case="x")), True),
    ("case: another", GuardKind.CASE, ControlState("s", reply=Reply(case="y")), False),
    ("case: none without a choice", GuardKind.CASE, ControlState("s"), False),
    ("rounds: none yet", GuardKind.ROUNDS, ControlState("s"), True),
    ("rounds: one less", GuardKind.ROUNDS, ControlState("s", edges=Edges(taken=(("x", 2),))), True),
    ("rounds: all", GuardKind.ROUNDS, ControlState("s", edges=Edges(taken=(("x", 3),))), False),
    ("joined: enough", GuardKind.JOINED, ControlState("s", lanes=THREE, owed=0b100), True),
    ("joined: one works", GuardKind.JOINED, ControlState("s", lanes=THREE, owed=0b110), False),
    (
        "joined: one waits",
        GuardKind.JOINED,
        ControlState("s", lanes=THREE, owed=1, held=2),
        False,
    ),
    (
        "joined: one has no place",
        GuardKind.JOINED,
        ControlState("s", lanes=THREE, owed=1, queued=2),
        False,
    ),
    ("acted: another", GuardKind.ACTED, ControlState("s", agent="b", acted=frozenset("a")), False),
]


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [row[1:] for row in OF_THE_RUN],
    ids=[row[0] for row in OF_THE_RUN],
)
def test_guard_of_a_run(kind: GuardKind, state: ControlState, expected: bool) -> None:
    guard = Guard(kind, OPERANDS.get(kind, ()))
    assert holds(guard, ACTING, state) is expected


def test_every_kind_of_guard_stands_in_these_tables() -> None:
    of_replies = {guard.kind for _, guard, _, _ in GUARDS}
    assert of_replies | {SPENT.kind} | {row[1] for row in OF_THE_RUN} == set(GuardKind)
    assert set(MEANINGS) == set(GuardKind)
