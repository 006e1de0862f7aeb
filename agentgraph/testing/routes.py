"""What one simulated run did, as data: its decisions and its end.

A decision names who made it. The same decisions, given to `play`, repeat the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from agentgraph.frontend.part_names import NO_NAMES, PartNames

if TYPE_CHECKING:
    from agentgraph.models.model_call import ModelCall
    from agentgraph.result import RunResult, RunResultStreaming

__all__ = ["KINDS", "Decider", "Decision", "End", "Kind", "Route", "plain_result"]

Decider: TypeAlias = Literal["model", "tool", "guardrail", "person", "function"]
"""Who decides. A function is one of the workflow's own: one that says yes or no, such as
`is_enabled`, or one of its edges, which returns a value."""

Kind: TypeAlias = Literal[
    "answer", "call", "handoff", "slow", "refuse", "unknown_tool", "malformed", "wrong_types",
    "reused_id", "empty", "cut", "raise",
    "return", "time_out",
    "pass", "reject", "trip",
    "approve", "leave",
    "no", "yes",
]  # fmt: skip

KINDS: Final[Mapping[Decider, tuple[Kind, ...]]] = {
    "model": (
        "answer", "call", "handoff", "slow", "refuse", "unknown_tool", "malformed", "wrong_types",
        "reused_id", "empty", "cut", "raise",
    ),
    "tool": ("return", "raise", "time_out"),
    "guardrail": ("pass", "reject", "trip", "raise"),
    "person": ("approve", "reject", "return", "leave"),
    "function": ("no", "yes", "return", "raise"),
}  # fmt: skip
"""What each decider can decide; the simplest first."""

End: TypeAlias = Literal["answered", "blocked", "cut", "failed", "waiting"]
"""How a run ends: with an answer, at a guardrail (`blocked`), at the bound (`cut`), with an error
(`failed`), or at calls or questions that a person left undecided (`waiting`)."""


def plain_result(tool: str) -> str:
    """What a simulated tool returns if nothing else is decided."""
    return f"The result of {tool}."


class _Printer(Protocol):
    def text(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a run.

    Attributes:
        by: Who decides.
        kind: What is decided; `KINDS` lists what each decider can decide.
        agent: The name of the agent at work.
        name: The tool, handoff, guardrail or question that it is about; empty for an answer.
        arguments: The arguments of a call or handoff, or text that is no JSON object.
        value: An answer of a model or a person, or the result of a tool or function. Where a model
            or a function fails with an exception that an edge catches, the name of its class.
        target: The agent that a handoff leads to.
        reply: The number of the model call that it is part of, from 1; 0 before the first.
    """

    by: Decider
    kind: Kind
    agent: str = ""
    name: str = ""
    arguments: Mapping[str, Any] | str | None = None
    value: object = None
    target: str | None = None
    reply: int = 0

    @property
    def what(self) -> str:
        """The option that was taken: a tool, a handoff or `answer` for a model; else the subject
        and what was decided."""
        if self.by == "model":
            return self.name or self.kind
        if self.by == "guardrail":
            verdicts: dict[Kind, str] = {"pass": "no", "trip": "yes"}
            return f"{self.name} of {self.agent} trips: {verdicts.get(self.kind, self.kind)}"
        return f"{self.name}: {self.kind}"

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        """The form in which Hypothesis and IPython print a decision: what is not its default."""
        values = ((one, getattr(self, one.name)) for one in fields(self))
        parts = [f"{one.name}={value!r}" for one, value in values if value != one.default]
        printer.text(f"Decision({', '.join(parts)})")

    def __str__(self) -> str:
        return _WORDS[self.by](self)


def _call(decision: Decision) -> str:
    arguments = decision.arguments
    if isinstance(arguments, Mapping):
        inside = ", ".join(f"{name}={_as_json_value(one)}" for name, one in arguments.items())
        return f"{decision.name}({inside})"
    return f"{decision.name}({'' if arguments is None else repr(arguments)})"


def _as_json_value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _model_words(decision: Decision) -> str:
    match decision.kind:
        case "answer":
            words = f"answers {_as_json_value(decision.value)}"
        case "call":
            words = f"calls {_call(decision)}"
        case "handoff":
            words = f"hands off to {decision.target} with {_call(decision)}"
        case "unknown_tool":
            words = f"calls a tool that is not there, {_call(decision)}"
        case "malformed":
            words = f"calls {decision.name} with arguments that are no JSON: {decision.arguments!r}"
        case "wrong_types":
            words = f"calls {_call(decision)}, which does not fit the schema"
        case "reused_id":
            words = f"calls {_call(decision)} under the id of an earlier call"
        case "raise":
            words = _failure_words(decision)
        case kind:
            words = _PLAIN_WORDS[kind]
    return f"model of {decision.agent}: {words}"


_PLAIN_WORDS: Final[Mapping[Kind, str]] = {
    "slow": "takes its time",
    "refuse": "refuses to answer",
    "empty": "replies with nothing",
    "cut": "breaks off in mid-reply",
}


def _failure_words(decision: Decision) -> str:
    return f"fails with {decision.value}" if isinstance(decision.value, str) else "fails"


def _tool_words(decision: Decision) -> str:
    match decision.kind:
        case "return":
            return f"tool {_call(decision)} returns {_as_json_value(decision.value)}"
        case "time_out":
            return f"tool {_call(decision)} runs out of time"
        case _:
            return f"tool {_call(decision)} fails"


def _function_words(decision: Decision) -> str:
    match decision.kind:
        case "return":
            return f"function {decision.name} returns {_as_json_value(decision.value)}"
        case "raise":
            return f"function {decision.name} {_failure_words(decision)}"
        case kind:
            return f"function: {decision.name}: {kind}"


def _person_words(decision: Decision) -> str:
    if decision.kind == "return":
        return f"person answers {decision.name} with {_as_json_value(decision.value)}"
    if decision.arguments is None:
        return f"person does not answer {decision.name}"
    return f"person {_RULINGS[decision.kind]} {_call(decision)}"


_VERDICTS: Final[Mapping[Kind, str]] = {
    "pass": "passes", "reject": "rejects", "trip": "trips", "raise": "fails",
}  # fmt: skip
_RULINGS: Final[Mapping[Kind, str]] = {
    "approve": "approves", "reject": "rejects", "leave": "does not decide on",
}  # fmt: skip
_WORDS: Final[Mapping[Decider, Callable[[Decision], str]]] = {
    "model": _model_words,
    "tool": _tool_words,
    "guardrail": lambda one: f"guardrail {one.name} of {one.agent} {_VERDICTS[one.kind]}",
    "person": _person_words,
    "function": _function_words,
}


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """What one run did.

    Attributes:
        decisions: In their order.
        agents: The name of the agent of each model call, in their order.
        end: How the run ended.
        error: The error of a run that failed.
        result: The result of a run that came to rest without an error.
        requests: The request of each model call, in their order.
        names: The names that assertions can use.
    """

    decisions: tuple[Decision, ...]
    agents: tuple[str, ...]
    end: End
    error: Exception | None = field(default=None, compare=False)
    result: RunResult | RunResultStreaming | None = field(default=None, repr=False, compare=False)
    requests: tuple[ModelCall, ...] = field(default=(), repr=False, compare=False)
    names: PartNames = field(default=NO_NAMES, repr=False, compare=False)

    @property
    def last_agent(self) -> str | None:
        """The name of the agent that the run ended at; None if it has no result."""
        return None if self.result is None else self.result.last_agent.name

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that ran, in their order; agents used as tools are none."""
        return tuple(one.name for one in self.decisions if one.by == "tool")

    @property
    def final_output(self) -> Any:
        """The output of the run; None without an answer."""
        return None if self.result is None else self.result.final_output

    def __repr__(self) -> str:
        return f"<Route: {len(self.decisions)} decisions, {self.end}>"

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        """The form in which Hypothesis and IPython print a route."""
        printer.text(repr(self))

    def __str__(self) -> str:
        width = len(str(len(self.decisions)))
        lines = [f"{number:>{width}}. {one}" for number, one in enumerate(self.decisions, 1)]
        end = self.end if self.error is None else f"{self.end}: {type(self.error).__name__}"
        return "\n".join([*lines, f"→ {end}"])
