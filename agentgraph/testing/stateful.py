"""`machine_of`: a Hypothesis state machine of a workflow, each move of a conversation a rule.

After each move, session, journal and usage are checked. Needs the package `hypothesis`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from typing_extensions import Unpack

from agentgraph.memory.sqlite_session import SQLiteSession
from agentgraph.running.persist import rows_of
from agentgraph.running.state import RunState
from agentgraph.testing.conditions import Conditions, RunKeywords
from agentgraph.testing.invariants import faults_of_items, faults_of_order
from agentgraph.testing.offers import Offer
from agentgraph.testing.routes import KINDS, Decider, Decision, Kind, Route
from agentgraph.testing.script import Reply
from agentgraph.testing.simulation import Simulation
from agentgraph.testing.stepping import Ask, Stepping
from agentgraph.testing.strategies import DrawnChoices
from agentgraph.testing.verbs import OTHERS, RETURNING, VERBS

if TYPE_CHECKING:
    from agentgraph.memory.session import Session
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["WorkflowMachine", "machine_of"]

_T = TypeVar("_T")
_Rule: TypeAlias = Callable[..., None]


class WorkflowMachine(RuleBasedStateMachine):
    """Conversations with one workflow, move by move; `machine_of` makes its subclasses.

    Attributes:
        decisions: The decisions of the run that is going on, or was the last.
        items: The items of the session, oldest first.
        agent: The name of the agent at work; None before the first run.
        route: The last run, once it is at rest; None while one goes on.
    """

    simulation: ClassVar[Simulation]
    make_session: ClassVar[staticmethod[[], Session]]

    def __init__(self) -> None:
        super().__init__()
        self.simulation.at_work = None
        self._stepping = Stepping(self.simulation)
        self._session = self.make_session()
        self._start = self.simulation.start
        self._loop = asyncio.new_event_loop()
        self._said: list[str] = []
        self._story: list[str] = []
        self._replies = self._calls_before = self._logged = 0
        self._before: list[Any] = []
        self._rows = 0
        self._reused: set[str] = set()
        self._resting: RunState[Any] | None = None
        self.items: list[Any] = []

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """See the class."""
        return tuple(self.simulation.log) if self._said else ()

    @property
    def route(self) -> Route | None:
        """See the class."""
        return self._stepping.route

    @property
    def agent(self) -> str | None:
        """See the class."""
        at_work = self.simulation.at_work
        return None if at_work is None else at_work.current_agent.name

    def __str__(self) -> str:
        """The moves so far, as a numbered list."""
        width = len(str(len(self._story)))
        return "\n".join(f"{place:>{width}}. {one}" for place, one in enumerate(self._story, 1))

    # -- what is pending

    @property
    def _offer(self) -> Offer | None:
        pending = self._stepping.pending
        return pending if isinstance(pending, Offer) else None

    def _waits_for(self, by: Decider, kind: Kind) -> bool:
        pending = self._stepping.pending
        return isinstance(pending, Ask) and pending.draft.by == by and kind in pending.kinds

    def _can_reply(self, kind: Kind, name: str) -> bool:
        offer = self._offer
        if offer is None:
            return False
        menu = offer.menu
        match kind:
            case "answer" | "call" | "handoff":
                return any((one.kind, one.name) == (kind, name) for one in menu.obedient)
            case "malformed" | "wrong_types":
                return bool(menu.calls)
            case "reused_id":
                return bool(menu.calls) and offer.is_reuse_possible
            case _:
                return True

    # -- moves

    @precondition(lambda self: self._stepping.pending is None)
    @rule()
    def user_says_something(self) -> None:
        """The user sends a message, the first or that of the next turn; no two are the same,
        because a message that is repeated after a failure goes on with the same question."""
        text = f"Message {len(self._said) + 1}."
        self._calls_before += len(self.simulation._deciding.agents) if self._said else 0
        route = self._stepping.route
        if route is not None and route.result is not None:
            self._start = route.result.last_agent
        self._said.append(text)
        self._begin(f"user: {text!r}", text)

    @precondition(lambda self: self._stepping.pending is None and self._resting is not None)
    @rule(stored=st.booleans())
    def run_goes_on(self, stored: bool) -> None:
        """A run that waits or has failed goes on, from a state that was stored or not."""
        state = self._resting
        assert state is not None
        if stored:
            state = self._await(RunState.from_json(self.simulation.start, state.to_json()))
        self._calls_before += len(self.simulation._deciding.agents)
        self._begin(f"the run goes on{' from its stored state' if stored else ''}", state)

    def _begin(self, move: str, input: str | RunState[Any]) -> None:
        self._story.append(move)
        self._replies = 0 if isinstance(input, str) else self._replies
        self._logged = self._rows = 0
        self._resting = None
        self._before = self.items
        self._stepping.begin(self._start, input, self._session, self._calls_before)
        self._after()

    def _replied(self, reply: Reply) -> None:
        offer = self._offer
        assert offer is not None
        decided = [replace(one, reply=offer.number) for one in reply.decisions]
        self._replies += decided[0].kind not in ("raise", "cut")
        if decided[0].kind == "reused_id":
            self._reused.add(self.simulation._deciding._call_ids[-1])
        self._stepping.answer(*decided)
        self._after()

    def _decided(self, decision: Decision) -> None:
        self._stepping.answer(decision)
        self._after()

    def _draft(self, kind: Kind) -> Decision:
        pending = self._stepping.pending
        assert isinstance(pending, Ask)
        return replace(pending.draft, kind=kind)

    def _after(self) -> None:
        """Note what the move brought."""
        log = self.simulation.log
        self._story += map(str, log[self._logged :])
        self._logged = len(log)
        route = self._stepping.route
        if route is not None:
            error = "" if route.error is None else f": {type(route.error).__name__}"
            self._story.append(f"→ {route.end}{error}")
            at_work = self.simulation.at_work
            if route.end in ("waiting", "failed") and at_work is not None:
                self._resting = at_work.to_state()
        self.items = self._await(self._session.get_items())
        checks = (
            self._paired, self._grown, self._heard, self._answered, self._replayed, self._counted,
        )  # fmt: skip
        for fault in (fault for check in checks for fault in check()):
            raise AssertionError(f"{fault}:\n\n{self}")

    def _await(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)

    # -- what holds after each move

    def _paired(self) -> Iterator[str]:
        """Ids are unique, and each call in the session has one output, after it."""
        route = self.route
        is_open = route is None or route.end != "answered"
        return faults_of_items(self.items, is_open=is_open, reused=self._reused)

    def _grown(self) -> Iterator[str]:
        """What earlier turns have stored stays as it is."""
        return faults_of_order(self._before, self.items)

    def _heard(self) -> Iterator[str]:
        """The session has the messages of the user once each, in their order."""
        stored = [one.get("content") for one in self.items if one.get("role") == "user"]
        expected = self._said
        # A run stores its input with its first turn, or when it ends.
        if self.route is None and len(stored) < len(expected):
            expected = expected[:-1]
        if stored != expected:
            yield f"the user said {expected}, and the session has {stored}"

    def _answered(self) -> Iterator[str]:
        """Once a run has answered, the session ends with its items. Calls that were answered while
        others waited stand before those."""
        route = self.route
        if route is None or route.end != "answered" or route.result is None:
            return
        items = [one for one in route.result.new_items if one.type != "tool_approval_item"]
        made = [_key(item.to_input_item()) for item in items]
        stored = [_key(item) for item in self.items][-len(made) :] if made else []
        if sorted(stored, key=str) != sorted(made, key=str) or stored[-1:] != made[-1:]:
            yield f"the run made {made}, and the session ends with {stored}"

    def _replayed(self) -> Iterator[str]:
        """The rows of the journal, read back from their text, lead to the same state."""
        at_work = self.simulation.at_work
        if isinstance(self._stepping.pending, Ask) or at_work is None or at_work._state is None:
            return  # the rows of a turn are read when it is over
        state = at_work._state()
        rows = len(state.journal)
        if rows == self._rows:
            return
        self._rows = rows
        written = state.to_json()
        read = self._await(RunState.from_json(self.simulation.start, written))
        if rows_of(read.journal) != written["rows"]:
            yield "the rows of the journal read back as others"
        if (agent := read.current_agent.name) != written["current_agent"]:
            yield f"the run is at {written['current_agent']}, and its journal at {agent}"
        spent, kept = state.context.usage.requests, read.context.usage.requests
        if spent != kept:
            yield f"the run counts {spent} requests, and its journal {kept}"

    def _counted(self) -> Iterator[str]:
        """The usage has one request for each reply of a model."""
        at_work, route = self.simulation.at_work, self.route
        if at_work is None:
            return
        counted = at_work.context_wrapper.usage.requests
        is_over = route is not None and route.end == "answered"
        if counted > self._replies or (is_over and counted != self._replies):
            yield f"{self._replies} replies, and a usage of {counted} requests"

    def teardown(self) -> None:
        """End what still goes on."""
        self._stepping.abandon()
        close = getattr(self._session, "close", None)
        if close is not None:
            close()
        self._loop.close()


def _key(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return item.get("type", "message"), item.get("call_id"), item.get("role")


def machine_of(
    source: Source | Program,
    *,
    session: Callable[[], Session] = lambda: SQLiteSession("simulated"),
    **keywords: Unpack[RunKeywords],
) -> type[WorkflowMachine]:
    """A state machine whose rules are the moves of a workflow: what users say, each call and
    handoff, answers, results and failures of tools, verdicts, rulings of people, and going on.

    Its `TestCase` is a test. A subclass may add invariants of Hypothesis, which read the attributes
    of `WorkflowMachine`.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        session: Makes the session of a conversation.
        keywords: The conditions of the runs, see `Conditions`. Kinds of weight 0 have no rule; how
            often the others come, Hypothesis decides. Each run is streamed, and each message of
            the user is another, so `streamed` and `input` change nothing.

    Raises:
        UserError: A name of `weights`, `real` or `results` does not exist.
        ValueError: The depth is below 1.
    """
    keywords["streamed"] = True  # so that a run has a state while it goes on
    conditions = Conditions(**keywords)
    simulation = Simulation(source, conditions)
    rules: dict[str, _Rule] = {}
    for kind, name in _replies_of(simulation):
        if conditions.drawn.of("model")[kind]:
            rule_name = _rule_name(f"model_{VERBS[kind]}_{name}", rules)
            rules[rule_name] = _reply_rule(rule_name, kind, name)
    for by, verbs in OTHERS.items():
        for kind, verb in verbs.items():
            if conditions.drawn.of(by)[kind] and _is_there(simulation, by, kind):
                rules[f"{by}_{verb}"] = _decision_rule(f"{by}_{verb}", by, kind)
    for by in RETURNING:
        name = f"{by}_{OTHERS[by]['return']}"
        if name in rules and (conditions.results or by != "tool"):
            rules[name] = _result_rule(name, by)
    fields = {
        "simulation": simulation,
        "make_session": staticmethod(session),
        "__doc__": f"Conversations with {getattr(source, 'name', 'a workflow')!r}.",
    }
    return type("Machine", (WorkflowMachine,), {**fields, **rules})


def _is_there(simulation: Simulation, by: Decider, kind: Kind) -> bool:
    """Whether a workflow has what decides so: a function of its edges, a question."""
    if by == "function" and kind in ("return", "raise"):
        return bool(simulation.names.functions)
    return (by, kind) != ("person", "return") or bool(simulation.names.questions)


def _replies_of(simulation: Simulation) -> Iterator[tuple[Kind, str]]:
    yield "answer", ""
    for name in sorted(simulation.names.tools):
        yield "call", name
    for name in sorted(simulation.names.handoffs):
        yield "handoff", name
    for kind in KINDS["model"]:
        if kind not in ("answer", "call", "handoff", "slow"):
            yield kind, ""


def _rule_name(words: str, taken: Collection[str]) -> str:
    name = re.sub(r"\W+", "_", words).strip("_")
    return name if name not in taken else f"{name}_{len(taken)}"


def _reply_rule(rule_name: str, kind: Kind, name: str) -> _Rule:
    def move(self: WorkflowMachine, reply: Reply) -> None:
        self._replied(reply)

    move.__name__ = rule_name
    possible = precondition(lambda self: self._can_reply(kind, name))
    return possible(rule(reply=_reply(kind, name))(move))


def _decision_rule(rule_name: str, by: Decider, kind: Kind) -> _Rule:
    def move(self: WorkflowMachine) -> None:
        draft = self._draft(kind)
        self._decided(replace(draft, value=None) if by == "function" else draft)

    move.__name__ = rule_name
    return precondition(lambda self: self._waits_for(by, kind))(rule()(move))


def _result_rule(rule_name: str, by: Decider) -> _Rule:
    """A tool returns one of the results that the caller lists, a function of the edges one of its
    outputs, and a person gives an answer."""

    def move(self: WorkflowMachine, value: object) -> None:
        self._decided(replace(self._draft("return"), value=value))

    move.__name__ = rule_name
    possible = precondition(lambda self: self._waits_for(by, "return"))
    return possible(rule(value=_result())(move))


@st.composite
def _result(draw: st.DrawFn) -> object:
    machine: WorkflowMachine = draw(st.runner())
    drawn = machine.simulation.drawn(DrawnChoices(draw))
    pending = machine._stepping.pending
    assert isinstance(pending, Ask)
    return drawn.with_result(machine._draft("return"), pending.outputs).value


@st.composite
def _reply(draw: st.DrawFn, kind: Kind, name: str) -> Reply:
    """A reply that begins with one move; further calls may stand beside a call."""
    machine: WorkflowMachine = draw(st.runner())
    offer = machine._offer
    assert offer is not None
    menu = offer.menu
    if kind in ("call", "handoff"):
        first = next(one for one in menu.obedient if (one.kind, one.name) == (kind, name))
    else:
        first = Decision("model", kind, menu.agent)
    drawn = machine.simulation.drawn(DrawnChoices(draw))
    return Reply(menu.agent, drawn.beginning_with(first, offer))
