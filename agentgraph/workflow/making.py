"""Making the edges of a workflow from what `then` and `route` are called with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

from agentgraph.authoring.origin import caller_origin
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.workflow.branches import Branches
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.declared import ALWAYS, Case, Edges, ErrorEdge, Selector
from agentgraph.workflow.keys import label_of
from agentgraph.workflow.outputs import (
    OutputOf,
    name_of_step,
    output_read_by,
    path_of,
    step_behind,
)
from agentgraph.workflow.parts import runs_by_itself
from agentgraph.workflow.questions import QuestionStep
from agentgraph.workflow.steps import End, FunctionStep, function_step

__all__ = ["OTHERS", "EdgeMaker"]

OTHERS: Final = "others"
"""The label of the case for every value that no other case takes."""
CONVERSATION: Final = "conversation"


class EdgeMaker:
    """Makes the edges of one workflow, and knows its steps.

    Args:
        workflow: The name of the workflow, for messages.
        functions: The functions that are steps of it, by `id`; it adds to them.
        questions: The questions that are steps of it; it adds to them.
        agents: The declared set of agents; `None` if the workflow declares none.
    """

    def __init__(
        self,
        workflow: str,
        functions: dict[int, FunctionStep],
        questions: list[QuestionStep],
        agents: Sequence[object] | None,
    ) -> None:
        self._workflow, self._functions, self._questions = workflow, functions, questions
        self._agents = None if agents is None else set(map(id, agents))

    def question(self, name: object, question: object, answer: object) -> QuestionStep:
        """A question to a person; see `Workflow.ask`."""
        if not isinstance(name, str) or not name:
            self._refuse(f"ask: the name must be a non-empty string, not {name!r}.")
        if not isinstance(question, str) or not question:
            self._refuse(f"ask: the question must be a non-empty string, not {question!r}.")
        if any(one.name == name for one in self._questions):
            self._refuse(f"ask: there is a question {name!r} already.")
        step = QuestionStep(name, question, answer)
        try:
            step.check()
        except AgentDefinitionError as error:
            raise AgentDefinitionError(f"Workflow '{self._workflow}': {error}") from error
        self._questions.append(step)
        return step

    def way(
        self,
        step: object,
        target: object,
        *,
        give: object,
        carry: object,
        at_most: object,
        exhausted: object,
    ) -> Edges:
        """The only way out of a step; see `Workflow.then`."""
        case = Case(
            ALWAYS,
            self.step(target),
            at_most=self._limit(at_most, exhausted, "at_most"),
            exhausted=None if exhausted is None else self.step(exhausted),
        )
        handed = self._handed(case, {target: give} if give is not None else {}, carry)
        return Edges(self._leaving(step), (handed,), None, caller_origin())

    def ways(
        self,
        step: object,
        on: object,
        *,
        cases: Mapping[Any, Any],
        default: object,
        give: Mapping[Any, object],
        carry: object,
        at_most: Mapping[Any, object],
        exhausted: object,
    ) -> Edges:
        """The ways out of a step, by a value; see `Workflow.route`."""
        if not cases:
            self._refuse("route needs cases: a mapping from values to steps, with one at least.")
        for names, what in ((cases, "cases"), (at_most, "at_most"), (give, "give")):
            if not isinstance(names, Mapping):
                self._refuse(f"route: {what} must be a mapping, not {type(names).__name__}.")
        made = [
            Case(
                label_of(key),
                self.step(target),
                keys=(key,),
                at_most=self._limit(at_most.get(key), exhausted, f"at_most[{key!r}]"),
                exhausted=None if key not in at_most else self.step(exhausted),
            )
            for key, target in cases.items()
        ]
        if unused := [key for key in at_most if key not in cases]:
            self._refuse(f"route: at_most names {unused[0]!r}, which is none of its cases.")
        if default is not None:
            made.append(Case(OTHERS, self.step(default)))
        labels = [case.label for case in made]
        if repeated := {label for label in labels if labels.count(label) > 1}:
            self._refuse(f"route: two cases are called {repeated.pop()!r}.")
        targets = [case.target for case in made]
        for target in give:
            if not any(target is one for one in targets):
                self._refuse(f"route: give names {name_of_step(target)!r}, where no case leads.")
        ways = tuple(self._handed(case, give, carry) for case in made)
        return self.undecided(step, on, cases, ways)

    def undecided(
        self, step: object, on: object, keys: Iterable[object] = (), ways: tuple[Case, ...] = ()
    ) -> Edges:
        """The ways out of a step, by a value; without ways, a route that is not complete."""
        step = self._leaving(step)
        if getattr(on, "__name__", "") == "<lambda>" and callable(on):
            try:
                on = output_read_by(on, step)
            except AgentDefinitionError as error:
                self._refuse(f"route: {error}")
        selector = self._selector(on, keys)
        if isinstance(on, OutputOf) and step_behind(on) is step:
            selector = replace(selector, words=".".join(path_of(on)) or "the output", step=None)
        return Edges(step, ways, selector, caller_origin())

    def error_way(
        self,
        step: object,
        target: object,
        errors: object,
        *,
        earlier: Sequence[ErrorEdge],
        give: object,
        at_most: object,
        exhausted: object,
    ) -> ErrorEdge:
        """The way out of a step after some exceptions; see `Workflow.on_error`.

        Args:
            earlier: The ways that the step has already.
        """
        step, classes = self._leaving(step), self._classes(errors)
        for one in earlier:
            if all(issubclass(cls, one.errors) for cls in classes):
                file, line = one.origin
                self._refuse(
                    f"on_error: this edge is never taken, because line {line} of {file} has one for"
                    f" {one.case.label}. Declare the more special exceptions first."
                )
        for end in (target, exhausted):
            if isinstance(end, End) and end.passes_on:
                self._refuse(
                    "on_error: End() passes on the output of the step before it, and a step that"
                    " failed has none. Use End(value)."
                )
        names = [cls.__name__ for cls in classes]
        if any(one.case.label == ", ".join(names) for one in earlier):
            names = [f"{cls.__module__}.{cls.__qualname__}" for cls in classes]
        case = Case(
            ", ".join(names),
            self.step(target),
            keys=classes,
            at_most=self._limit(at_most, exhausted, "at_most"),
            exhausted=None if exhausted is None else self.step(exhausted),
        )
        handed = self._handed(case, {target: give} if give is not None else {}, None)
        return ErrorEdge(step, handed, caller_origin())

    def budget(
        self,
        earlier: Budget | None,
        *,
        model_calls: object,
        tokens: object,
        seconds: object,
        exhausted: object,
    ) -> Budget:
        """The budget of the workflow; see `Workflow.budget`.

        Args:
            earlier: The one that it has already.
        """
        if earlier is not None:
            file, line = earlier.origin
            self._refuse(f"a workflow has one budget, and line {line} of {file} has declared it.")
        for name, limit in (("model_calls", model_calls), ("tokens", tokens)):
            if limit is not None and (type(limit) is not int or limit < 1):
                self._refuse(f"budget: {name} must be a whole number from 1 on, not {limit!r}.")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0
        ):
            self._refuse(f"budget: seconds must be a number above 0, not {seconds!r}.")
        if model_calls is tokens is seconds is None:
            self._refuse("budget needs a limit: model_calls, tokens or seconds.")
        if isinstance(exhausted, End) and exhausted.passes_on:
            self._refuse(
                "budget: End() passes on the output of the step before it, and a step that was cut"
                " short has none. Use End(value)."
            )
        return Budget(
            workflow=self._workflow,
            model_calls=model_calls,  # type: ignore[arg-type]
            tokens=tokens,  # type: ignore[arg-type]
            seconds=seconds,
            exhausted=None if exhausted is None else self.step(exhausted),
            origin=caller_origin(),
        )

    def _classes(self, errors: object) -> tuple[type[Exception], ...]:
        classes: tuple[Any, ...] = errors if isinstance(errors, tuple) else (errors,)
        if not classes:
            self._refuse("on_error: errors needs one class of exceptions at least.")
        for cls in classes:
            if not (isinstance(cls, type) and issubclass(cls, Exception)):
                self._refuse(
                    "on_error: errors takes subclasses of Exception, such as"
                    f" (TimeoutError, ValueError), not {cls!r}."
                )
        return classes

    def step(self, step: object) -> object:
        """A step as its object; a function becomes one.

        Raises:
            AgentDefinitionError: The object cannot be a step.
        """
        if isinstance(step, End | Branches) or runs_by_itself(step):
            is_agent = hasattr(step, "handoffs")
            if is_agent and self._agents is not None and id(step) not in self._agents:
                self._refuse(
                    f"agent '{name_of_step(step)}' has an edge, but 'agents' does not list it. List"
                    " every agent there, or leave 'agents' out."
                )
            return step
        if isinstance(step, QuestionStep):
            if step not in self._questions:
                self._refuse(
                    f"question {step.name!r} is of another workflow. Call ask of this one."
                )
            return step
        if callable(step) and not isinstance(step, type):
            if id(step) not in self._functions:
                self._functions[id(step)] = function_step(step, self._workflow)
            return step
        self._refuse(
            "a step is an agent, a function, a workflow, what ask(...) or parallel(...) makes, or"
            f" End(...), not {step!r} ({type(step).__name__})."
        )

    def _leaving(self, step: object) -> object:
        if isinstance(step, End):
            self._refuse("nothing follows an End.")
        return self.step(step)

    def _handed(self, case: Case, give: Mapping[Any, object], carry: object) -> Case:
        """A case with what its target gets."""
        if carry not in (None, CONVERSATION):
            self._refuse(f"carry is 'conversation' or left out, not {carry!r}.")
        carries = carry == CONVERSATION
        wished = next((value for key, value in give.items() if key is case.target), None)
        outputs: Sequence[object] = ()
        if wished is not None:
            outputs = (wished,) if isinstance(wished, OutputOf) else tuple(wished)  # type: ignore[arg-type]
        for output in outputs:
            if not isinstance(output, OutputOf):
                self._refuse(f"give takes output_of(step), not {output!r}.")
        gives = tuple(one for one in outputs if isinstance(one, OutputOf))
        function = self._functions.get(id(case.target))
        if isinstance(case.target, End) and (gives or carries):
            self._refuse("End(...) takes no give and no carry: it has an output of its own.")
        if isinstance(case.target, QuestionStep) and carries:
            self._refuse(f"carry goes to agents, and '{case.target.name}' is a question.")
        if function is not None:
            if carries:
                self._refuse(f"carry goes to agents, and '{function.name}' is a function.")
            if gives or not self._catches(case):
                self._check_count(function, len(gives))
        elif carries and not hasattr(case.target, "handoffs"):
            self._refuse(f"carry goes to agents, and '{name_of_step(case.target)}' is none.")
        if isinstance(case.target, Branches) and not case.target.each and not self._catches(case):
            for part in case.target.parts:
                if part.function is not None:
                    self._check_count(part.function, len(gives))
        return replace(case, gives=gives, carries=carries)

    def _check_count(self, function: FunctionStep, gives: int) -> None:
        """Refuse an edge that hands a function more or fewer values than it takes."""
        if fault := count_fault(function, gives):
            self._refuse(
                f"step '{function.name}' {fault}. Name them with give=(output_of(...), ...)."
            )

    @staticmethod
    def _catches(case: Case) -> bool:
        """Whether exceptions take a case."""
        return any(isinstance(key, type) and issubclass(key, Exception) for key in case.keys)

    def _selector(self, on: object, cases: Iterable[object]) -> Selector:
        by_value = not all(isinstance(key, type) for key in cases)
        if on is None:
            return Selector(
                "the output" if by_value else "the class of the output", by_value=by_value
            )
        if isinstance(on, str):
            path = tuple(on.split("."))
            if not all(name.isidentifier() for name in path):
                self._refuse(f"route: on={on!r} is no name of a field.")
            return Selector(on, path)
        if isinstance(on, OutputOf):
            words = repr(on).removeprefix("output_of(").replace(")", "", 1)
            return Selector(words, path_of(on), step_behind(on), by_value=by_value)
        if callable(on):
            function: Callable[[Any], object] = on
            return Selector(f"{name_of_step(on)}(output)", function=function)
        self._refuse(
            "route: on is the name of a field, output_of(step).field, or a function that returns a"
            f" label, not {on!r}."
        )

    def check_first(self, edges: Edges, earlier: Sequence[Edges]) -> None:
        """Refuse further ways out of a step."""
        before = next((one for one in earlier if one.step is edges.step), None)
        if before is not None:
            file, line = before.origin
            self._refuse(
                f"a step has one then(...) or one route(...), and line {line} of {file} has"
                " declared that of this step."
            )

    def _limit(self, at_most: object, exhausted: object, name: str) -> int | None:
        if at_most is None:
            return None
        if type(at_most) is not int or at_most < 1:
            self._refuse(f"{name} must be a whole number from 1 on, not {at_most!r}.")
        if exhausted is None:
            self._refuse(f"{name} needs exhausted=: the step that comes after the last round.")
        return at_most

    def _refuse(self, fault: str) -> NoReturn:
        raise AgentDefinitionError(f"Workflow '{self._workflow}': {fault}")


def count_fault(function: FunctionStep, gives: int) -> str:
    """Why a function cannot take what an edge hands over; empty if it can.

    Args:
        function: The function.
        gives: How many outputs the edge names; without any it hands over the one before it.
    """
    count = gives or min(1, function.most if function.most is not None else 1)
    if function.fewest <= count and (function.most is None or count <= function.most):
        return ""
    return f"takes {_numbers(function)} values, but the edge to it gives {count}"


def _numbers(function: FunctionStep) -> str:
    if function.most is None:
        return f"{function.fewest} or more"
    if function.fewest == function.most:
        return str(function.fewest)
    return f"{function.fewest} to {function.most}"
