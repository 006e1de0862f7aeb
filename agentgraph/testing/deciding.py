"""The oracle of a simulation: it makes the decisions of one run at a time, and keeps them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from agentgraph.drivers.work.questions import step_of
from agentgraph.exceptions import AgentsException, ModelBehaviorError, UserError
from agentgraph.items.question_item import QuestionItem
from agentgraph.items.responses import ModelResponse
from agentgraph.models.model_call import ModelCall
from agentgraph.testing.decisions import Decisions
from agentgraph.testing.offers import Menu, Offer
from agentgraph.testing.outputs import Outputs, StepOutputs
from agentgraph.testing.routes import KINDS, Decider, Decision, Kind, plain_result
from agentgraph.testing.simulated_model import SimulatedFault, arguments_text, response_of

if TYPE_CHECKING:
    from agentgraph.items import Interruption
    from agentgraph.run_state import RunState
    from agentgraph.tools.function import FunctionTool
    from agentgraph.tools.guardrail_verdicts import ToolVerdict

__all__ = ["ANSWERS", "RULINGS", "BoundReached", "Deciding", "kinds_of_guardrail", "kinds_of_tool"]

_T = TypeVar("_T")
_MOST_MENUS: Final = 1_000
_MOST_FUNCTIONS_IN_A_ROW: Final = 100
_WITHOUT_REJECTION: Final[tuple[Kind, ...]] = tuple(
    kind for kind in KINDS["guardrail"] if kind != "reject"
)


RULINGS: Final[tuple[Kind, ...]] = ("approve", "reject", "leave")
"""What a person can do with a call; the simplest first."""
ANSWERS: Final[tuple[Kind, ...]] = ("return", "leave")
"""What a person can do with a question; the simplest first."""


class BoundReached(BaseException):
    """Ends a run that has made as many model calls as it may; no handler of errors catches it."""


def kinds_of_tool(tool: FunctionTool) -> tuple[Kind, ...]:
    """What a tool can do; the simplest first."""
    return tuple(
        kind for kind in KINDS["tool"] if kind != "time_out" or tool.timeout_seconds is not None
    )


def kinds_of_guardrail(*, rejects: bool) -> tuple[Kind, ...]:
    """What a guardrail can say, if it can reject or not; the simplest first."""
    return KINDS["guardrail"] if rejects else _WITHOUT_REJECTION


class _Undecided(Decisions):
    """Decides nothing: a simulation between two runs."""

    def reply(self, offer: Offer) -> NoReturn:
        raise AgentsException("a stand-in of a simulation ran outside of it")

    def decide(
        self, decision: Decision, kinds: Sequence[Kind], outputs: Outputs | None = None
    ) -> NoReturn:
        raise AgentsException("a stand-in of a simulation ran outside of it")


_UNDECIDED: Final = _Undecided()


class Deciding:
    """Makes the decisions of a run (see `frontend.stand_ins.Oracle`).

    Args:
        depth: Its first value.

    Attributes:
        depth: The most model calls of a run.
        outputs: What the steps of a workflow with edges may give.
        log: The decisions of the run.
        agents: The name of the agent of each model call.
        requests: The request of each model call.
        interrupt: What ends the run, even if the workflow's code handles the exception.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.outputs: StepOutputs | None = None
        self._menus: dict[tuple[object, ...], Menu] = {}
        self.begin(_UNDECIDED)

    def begin(self, decisions: Decisions, calls_before: int = 0) -> None:
        """Begin a run.

        Args:
            decisions: Decides in it.
            calls_before: The model calls of the conversation before it; call ids count on.
        """
        self._decisions, self._calls_before = decisions, calls_before
        self.log: list[Decision] = []
        self.agents: list[str] = []
        self.requests: list[ModelCall] = []
        self._call_ids: list[str] = []
        self._unfit: set[str] = set()
        self._functions_in_a_row = 0
        self.interrupt: BaseException | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the run has come to its first decision or model call."""
        return bool(self.log or self.agents)

    def _decide(
        self,
        by: Decider,
        agent: str,
        name: str,
        kinds: Sequence[Kind],
        arguments: Mapping[str, Any] | str | None = None,
        value: object = None,
        outputs: Outputs | None = None,
    ) -> Decision:
        draft = Decision(
            by=by,
            kind=kinds[0],
            agent=agent,
            name=name,
            arguments=arguments,
            value=value,
            reply=len(self.agents),
        )
        decision = self._guarded(lambda: self._decisions.decide(draft, kinds, outputs))
        self.log.append(decision)
        return decision

    def _guarded(self, decide: Callable[[], _T]) -> _T:
        """Decide, and remember an exception that ends the run, even if user code handles it."""
        if self.interrupt is not None:
            raise BoundReached
        try:
            return decide()
        except BaseException as stop:
            self.interrupt = stop
            raise

    def function(self, agent: str, question: str) -> bool:
        """See `Oracle`."""
        return self._decide("function", agent, question, ("no", "yes")).kind == "yes"

    def verdict(self, agent: str, guardrail: str, *, rejects: bool) -> ToolVerdict:
        """See `Oracle`."""
        kinds = kinds_of_guardrail(rejects=rejects)
        decided = self._decide("guardrail", agent, guardrail, kinds).kind
        match decided:
            case "pass" | "reject" | "trip":
                return decided
            case _:
                raise SimulatedFault(f"guardrail {guardrail} of {agent}")

    async def tool(self, agent: str, tool: FunctionTool, arguments: str) -> object:
        """See `Oracle`."""
        if arguments in self._unfit:
            # The tool itself does not run, and reports this as it reports any error.
            raise SimulatedFault(f"arguments of tool {tool.name} of {agent}")
        kinds, result = kinds_of_tool(tool), plain_result(tool.name)
        decided = self._decide("tool", agent, tool.name, kinds, _read(arguments), result)
        match decided.kind:
            case "return":
                return decided.value
            case "time_out":
                return await asyncio.Event().wait()
            case _:
                raise SimulatedFault(f"tool {tool.name} of {agent}")

    def ran(self, agent: str, tool: str, arguments: str, value: object) -> None:
        """See `Oracle`."""
        self._hear(
            Decision(
                by="tool",
                kind="raise" if isinstance(value, Exception) else "return",
                agent=agent,
                name=tool,
                arguments=_read(arguments),
                value=value,
                reply=len(self.agents),
            )
        )

    def judged(self, agent: str, guardrail: str, verdict: ToolVerdict) -> None:
        """See `Oracle`."""
        place = len(self.agents)
        self._hear(Decision("guardrail", verdict, agent=agent, name=guardrail, reply=place))

    def _hear(self, decision: Decision) -> None:
        self.log.append(decision)
        self._guarded(lambda: self._decisions.heard(decision))

    def output(self, function: object, name: str, *, fails: bool) -> Any:
        """See `Oracle`."""
        assert self.outputs is not None
        self._count_function()
        outputs = self._guarded(partial(self.outputs.of_function, function))
        kinds: tuple[Kind, ...] = ("return", "raise") if fails else ("return",)
        decided = self._decide("function", "", name, kinds, None, outputs.telling[0], outputs)
        if decided.kind == "raise":
            raise self.outputs.planted.fault(decided.value, f"function {name}")
        return self._guarded(lambda: _made(outputs, decided))

    def returned(self, name: str, value: object) -> None:
        """See `Oracle`."""
        self._count_function()
        kind: Kind = "raise" if isinstance(value, Exception) else "return"
        place = len(self.agents)
        self._hear(Decision("function", kind, name=name, value=value, reply=place))

    def _count_function(self) -> None:
        """End a run that goes round in functions without calling a model."""
        self._functions_in_a_row += 1
        if self._functions_in_a_row > _MOST_FUNCTIONS_IN_A_ROW:
            self.interrupt = self.interrupt or BoundReached()
            raise self.interrupt

    def settle(self, state: RunState[Any], item: Interruption) -> bool:
        """Decide on what waits for a person.

        Args:
            state: The state of the run; it takes the decision.
            item: The call or the question.

        Returns:
            Whether the person does not leave it waiting.
        """
        if isinstance(item, QuestionItem):
            return self._answer(state, item)
        arguments, name = _read(item.arguments or "{}"), item.name or ""
        kind = self._decide("person", item.agent.name, name, RULINGS, arguments).kind
        if kind == "approve":
            state.approve(item)
        elif kind == "reject":
            state.reject(item)
        return kind != "leave"

    def _answer(self, state: RunState[Any], item: QuestionItem) -> bool:
        assert self.outputs is not None
        self._count_function()
        step = step_of(item, state.program.bindings)
        outputs = self._guarded(partial(self.outputs.of_question, step))
        agent, first = item.agent.name, outputs.telling[0]
        decided = self._decide("person", agent, item.name, ANSWERS, None, first, outputs)
        if decided.kind == "leave":
            return False
        self._guarded(lambda: state.answer(item, _made(outputs, decided)))
        return True

    async def reply(self, agent: str, call: ModelCall) -> ModelResponse:
        """Decide on the reply of an agent's model, and write it."""
        if len(self.agents) == self.depth or self.interrupt is not None:
            self.interrupt = self.interrupt or BoundReached()
            raise self.interrupt
        self.agents.append(agent)
        self._functions_in_a_row = 0
        self.requests.append(call)
        offer = self._offer(agent, call)
        decided = self._guarded(lambda: self._decisions.reply(offer))
        self.log += decided
        for one in decided:
            if one.kind in ("malformed", "wrong_types"):
                self._unfit.add(arguments_text(one))
        if decided[0].kind == "slow":
            for _ in range(3):
                await asyncio.sleep(0)
            decided = decided[1:]
        if decided[0].kind == "raise" and self.outputs is not None:
            raise self.outputs.planted.fault(decided[0].value, f"model of {agent}: raise")
        number = self._calls_before + len(self.agents)
        return response_of(decided, number, self._call_ids)

    def _offer(self, agent: str, call: ModelCall) -> Offer:
        key = (
            agent,
            *map(id, call.tools),
            None,
            *map(id, call.handoffs),
            call.model_settings.tool_choice,
        )
        menu = self._menus.get(key)
        if menu is None:
            if len(self._menus) >= _MOST_MENUS:
                self._menus.clear()
            outputs = self.outputs
            answers = None if outputs is None else outputs.of_agent(agent)
            failures = () if outputs is None else outputs.planted.of_agent(agent)
            menu = self._menus[key] = Menu(agent, call, answers, failures)
        return Offer(call, menu, len(self.agents), bool(self._call_ids))


def _made(outputs: Outputs, decision: Decision) -> object:
    try:
        return outputs.read(decision.value)
    except (ModelBehaviorError, ValueError) as fault:
        declares = "question asks for" if decision.by == "person" else "function declares"
        raise UserError(
            f"“{decision}” does not fit the type that the {declares}: {fault}"
        ) from fault


def _read(arguments: str) -> Mapping[str, Any] | str:
    try:
        value = json.loads(arguments)
    except ValueError:
        return arguments
    return value if isinstance(value, dict) else arguments
