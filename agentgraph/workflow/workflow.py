"""A declared workflow: the agent that a run starts with, a closed set of agents or edges between
steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from typing_extensions import TypeVar, Unpack

from agentgraph.authoring.notebook import ShownInNotebooks
from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.recording import current_recorder
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.workflow.as_tool import UsedAsTool
from agentgraph.workflow.branches import Branches, Join
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.declared import Edges, ErrorEdge
from agentgraph.workflow.keys import Key
from agentgraph.workflow.making import EdgeMaker
from agentgraph.workflow.making_branches import each_step, parallel_step
from agentgraph.workflow.outputs import name_of_step
from agentgraph.workflow.parts import check_parts
from agentgraph.workflow.questions import QuestionStep
from agentgraph.workflow.routes import Cases, Route, TKey
from agentgraph.workflow.steps import End, FunctionStep

if TYPE_CHECKING:
    from agentgraph.agent import Agent

__all__ = ["Source", "Step", "Workflow"]

Source: TypeAlias = "Agent[Any] | Workflow"
"""What can be compiled: an agent stands for the workflow of all agents that it can reach."""
Step: TypeAlias = "Agent[Any] | Callable[..., Any] | QuestionStep | Branches | Workflow | End"
"""A step of a workflow: an agent with all that it hands over to, a typed function, a question to a
person, what `parallel` and `each` return, another workflow, or an end."""
Part: TypeAlias = "Agent[Any] | Callable[..., Any] | Workflow"
"""What works in a branch of `parallel` and `each`."""
Given: TypeAlias = "Any | Sequence[Any]"
"""What an edge hands over: `output_of(step)` or several of them."""
TOutput = TypeVar("TOutput", default=Any)
"""The type of the output of a step."""
_COMPILED = "_agentgraph_programs"


@dataclass(eq=False)
class Workflow(UsedAsTool, ShownInNotebooks):
    """A workflow with a name: a closed set of agents, or steps with edges between them.

    An agent by itself stands for the workflow of all agents that it can reach. A declared set lets
    the compiler also report omissions: an agent that no handoff leads to, a handoff that leads
    outside the set. `then` and `route` say what comes after an agent is over (docs/workflows.md).

    Args:
        name: The name of the workflow, for diagnostics and drawings.
        start: The agent that a run starts with.
        agents: Every agent of the workflow, in the order of listings and drawings. ``start`` may be
            left out and then comes first.
        handoff_description: The description of the workflow for the models of agents that hand over
            to it.

    Raises:
        AgentDefinitionError: A field has the wrong type; the message names it.
    """

    name: str
    start: Agent[Any]
    agents: Sequence[Agent[Any]] = ()
    handoff_description: str | None = None
    _origin: SourceLine = field(init=False, repr=False)
    _declared: bool = field(init=False, repr=False, default=False)
    _edges: list[Edges] = field(init=False, repr=False, default_factory=list)
    _errors: list[ErrorEdge] = field(init=False, repr=False, default_factory=list)
    _budget: Budget | None = field(init=False, repr=False, default=None)
    _functions: dict[int, FunctionStep] = field(init=False, repr=False, default_factory=dict)
    _questions: list[QuestionStep] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        self.agents = list(self.agents)
        self._declared = bool(self.agents)
        check_parts(self.name, self.start, self.agents)
        if not any(agent is self.start for agent in self.agents):
            self.agents = [self.start, *self.agents]
        self._origin = caller_origin()
        recorder = current_recorder()
        if recorder is not None:
            recorder.made(self)

    def then(
        self,
        step: Step,
        next: Step,
        *,
        give: Given | None = None,
        carry: Literal["conversation"] | None = None,
        at_most: int | None = None,
        exhausted: Step | None = None,
    ) -> None:
        """Let a step come after another one.

        Args:
            step: The step before; it is over when the agent at work in it has its final output, or
                when the function returns.
            next: The step after. It gets the output of the step before: an agent as its input, as
                text or JSON text, a function as its argument.
            give: `output_of(step)`, or several, which `next` gets instead.
            carry: `"conversation"` lets an agent go on with the conversation, as a handoff does.
            at_most: How often a run may come this way. A run that comes back to a loop from outside
                counts anew.
            exhausted: The step that comes after that.

        Raises:
            AgentDefinitionError: What it is called with cannot be an edge; the message says why.
            UserError: The workflow has run.
        """
        self._add(
            self._maker.way(
                step, next, give=give, carry=carry, at_most=at_most, exhausted=exhausted
            )
        )

    @overload
    def route(self, step: Agent[Any, TOutput], on: Callable[[TOutput], TKey]) -> Route[TKey]: ...

    @overload
    def route(
        self, step: Callable[..., Awaitable[TOutput]], on: Callable[[TOutput], TKey]
    ) -> Route[TKey]: ...

    @overload
    def route(self, step: Callable[..., TOutput], on: Callable[[TOutput], TKey]) -> Route[TKey]: ...

    @overload
    def route(
        self, step: QuestionStep | Branches | Workflow, on: Callable[[Any], TKey]
    ) -> Route[TKey]: ...

    @overload
    def route(self, step: Step, on: str | None = None) -> Route[Any]: ...

    @overload
    def route(
        self,
        step: Step,
        on: object = None,
        *,
        cases: Mapping[Key, Step],
        default: Step | None = None,
        give: Mapping[Any, Given] | None = None,
        carry: Literal["conversation"] | None = None,
        at_most: Mapping[Key, int] | None = None,
        exhausted: Step | None = None,
    ) -> None: ...

    def route(
        self,
        step: Step,
        on: object = None,
        *,
        cases: Mapping[Key, Step] | None = None,
        default: Step | None = None,
        give: Mapping[Any, Given] | None = None,
        carry: Literal["conversation"] | None = None,
        at_most: Mapping[Key, int] | None = None,
        exhausted: Step | None = None,
    ) -> Route[Any] | None:
        """Choose the step that comes after another one, by a value.

        Args:
            step: The step before.
            on: The field of its output that decides, as `"kind"`, `"person.country"` or
                `lambda ticket: ticket.kind`; or `output_of(step).field` of an earlier step; or a
                function that takes the output and declares the labels that it returns
                (`-> Literal["a", "b"]`). Left out, the output itself decides, by its class or as
                one of the values that `cases` names.
            cases: The steps by values: texts, whole numbers, `True` and `False`, `None`, members of
                an enum, intervals (`below(10)`, `between(10, 99)`, `at_least(100)`), classes.
            default: The step for all other values.
            give: What a step gets in place of the output before it, by step.
            carry: `"conversation"` lets agents go on with the conversation.
            at_most: How often a run may take a case, by its value.
            exhausted: The step that comes after that.

        Returns:
            Nothing. Without `cases` a route whose `cases(...)` adds them: type checkers compare
            the keys there with the type of the value, if `on` is a lambda or a function.

        Raises:
            AgentDefinitionError: What it is called with cannot be a route; the message says why.
            UserError: The workflow has run.
        """
        if cases is None:
            if (default, give, carry, at_most, exhausted) != (None,) * 5:
                raise AgentDefinitionError(
                    f"Workflow '{self.name}': a route has cases. Pass cases={{...}}, or all of this"
                    " to route(...).cases({...})."
                )
            return self._undecided(step, on)
        self._add(
            self._maker.ways(
                step,
                on,
                cases=cases,
                default=default,
                give=give or {},
                carry=carry,
                at_most=at_most or {},
                exhausted=exhausted,
            )
        )
        return None

    def _undecided(self, step: Step, on: object) -> Route[Any]:
        """A route that has no cases yet."""
        undecided = self._maker.undecided(step, on)
        self._add(undecided)

        def complete(**options: Unpack[Cases]) -> None:
            maker = self._maker
            if undecided not in self._edges:
                raise AgentDefinitionError(
                    f"Workflow '{self.name}': the route of step '{name_of_step(step)}' has cases"
                    " already."
                )
            edges = maker.ways(step, on, **options)
            self._edges[self._edges.index(undecided)] = edges

        return Route(complete)

    def on_error(
        self,
        step: Step,
        target: Step,
        errors: type[Exception] | tuple[type[Exception], ...] = Exception,
        *,
        give: Given | None = None,
        at_most: int | None = None,
        exhausted: Step | None = None,
    ) -> None:
        """Go on with another step if a step fails.

        Edges are tried in their order. Tripwires and used-up turns are exceptions; cancelling not.

        Args:
            step: The step that may fail.
            target: The step that comes then, perhaps `step` again. It gets what `step` had got.
            errors: The class of the exceptions, or several.
            give: `output_of(step)` of earlier steps, or several, which `target` gets instead.
            at_most: How often a run may come this way.
            exhausted: The step that comes after that.

        Raises:
            AgentDefinitionError: What it is called with cannot be an edge; the message says why.
            UserError: The workflow has run.
        """
        edge = self._maker.error_way(
            step,
            target,
            errors,
            earlier=[one for one in self._errors if one.step is step],
            give=give,
            at_most=at_most,
            exhausted=exhausted,
        )
        self._errors.append(edge)

    def budget(
        self,
        *,
        model_calls: int | None = None,
        tokens: int | None = None,
        seconds: float | None = None,
        on_exhausted: Step | None = None,
    ) -> None:
        """Limit what a run may spend, its nested runs included; then it is cut short.

        Args:
            model_calls: The most model calls.
            tokens: The most tokens, looked at before each model call.
            seconds: The longest time at work; time in which the run waits for a person is none.
            on_exhausted: The step that comes then; `None` ends the run with `BudgetExceeded`.

        Raises:
            AgentDefinitionError: A limit is wrong, or the workflow has a budget already.
            UserError: The workflow has run.
        """
        self._budget = self._maker.budget(
            self._budget,
            model_calls=model_calls,
            tokens=tokens,
            seconds=seconds,
            exhausted=on_exhausted,
        )

    def ask(self, name: str, question: str, *, answer: object = str) -> QuestionStep:
        """Make a step in which a person answers a question.

        A run that comes to it is suspended, as before a call that waits for approval: the question
        is an item of `result.interruptions`, and `RunState.answer` gives the answer.

        Args:
            name: The name of the step, unique among the questions of the workflow.
            question: The text that the person reads.
            answer: The type of the answer, which is the output of the step: text, `bool`, an enum,
                a `Literal`, a pydantic model, or any other type that pydantic reads from JSON.

        Returns:
            The step, for `then`, `route` and `output_of`.

        Raises:
            AgentDefinitionError: A text is empty, the name is taken, or the type has no JSON
                schema.
            UserError: The workflow has run.
        """
        return self._maker.question(name, question, answer)

    def parallel(
        self,
        name: str,
        steps: Sequence[Part],
        *,
        join: Join | None = None,
        interleaved: bool = False,
    ) -> Branches:
        """Make a step whose branches work side by side. It is entered and left by edges, as any
        step.

        Args:
            name: The name of the step.
            steps: Agents, functions and workflows. Each gets what the edge to the step hands over.
            join: `all_of()` gives a list of the outputs in the order of the branches, `first_of()`
                the output of the branch that is over first, `quorum(n)` a list of those of the
                first `n`. A type in it is compared with what the branches give.
            interleaved: Whether the events of the branches come as they happen; without it they
                come one branch at a time.

        Raises:
            AgentDefinitionError: What it is called with cannot be such a step; the message says
                why.
        """
        return parallel_step(self.name, name, steps, join, interleaved=interleaved)

    def each(
        self,
        step: Step,
        on: str | None = None,
        *,
        run: Part,
        at_most: int,
        concurrency: int | None = None,
        name: str | None = None,
        interleaved: bool = False,
    ) -> Branches:
        """Let a step come after another one that works on each item of a list, side by side.

        Args:
            step: The step before.
            on: The field of its output that is the list; left out, the output itself.
            run: The agent, function or workflow that gets an item.
            at_most: How many items there may be; for more, the run ends with `RoutingError`.
            concurrency: How many work at the same time; `None` for all.
            name: The name of the step; left out, `"each"` and the name of what runs.
            interleaved: As for `parallel`.

        Returns:
            The step. Its output is the list of the outputs, in the order of the items.

        Raises:
            AgentDefinitionError: What it is called with cannot be such a step; the message says
                why.
            UserError: The workflow has run.
        """
        made = each_step(
            self.name,
            on,
            run,
            at_most=at_most,
            concurrency=concurrency,
            name=name,
            interleaved=interleaved,
        )
        self.then(step, made)
        return made

    @property
    def _maker(self) -> EdgeMaker:
        """Makes edges, before the first run."""
        if _COMPILED in self.__dict__:
            raise UserError(
                f"Workflow '{self.name}' has run, so its edges stay as they are. Declare all of"
                " them before the first run, or make a new Workflow."
            )
        agents = self.agents if self._declared else None
        return EdgeMaker(self.name, self._functions, self._questions, agents)

    def _add(self, edges: Edges) -> None:
        self._maker.check_first(edges, self._edges)
        self._edges.append(edges)
