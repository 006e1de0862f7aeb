"""Decisions in words, for `play`: `model("Triage").hands_off("transfer_to_refunds")`.

`script_of` writes the decisions of a route in the same words, as the source of a test.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from agentgraph.testing.routes import Decision, Kind, Route, plain_result

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Reply",
    "ScriptPart",
    "function",
    "guardrail",
    "in_order",
    "model",
    "person",
    "script_of",
    "source_of",
    "tool",
]


class Reply:
    """One reply of a model; each method returns it with one more part.

    Args:
        agent: The name of the agent.
        decisions: The parts of the reply.
    """

    __slots__ = ("_agent", "decisions")

    def __init__(self, agent: str, decisions: Sequence[Decision] = ()) -> None:
        self._agent, self.decisions = agent, tuple(decisions)

    def __repr__(self) -> str:
        words = [f"model({source_of(self._agent)})", *map(_reply_word, self.decisions)]
        return ".".join(words)

    def _with(
        self,
        kind: Kind,
        name: str = "",
        arguments: Mapping[str, Any] | str | None = None,
        value: object = None,
    ) -> Reply:
        decision = Decision(
            by="model", kind=kind, agent=self._agent, name=name, arguments=arguments, value=value
        )
        return Reply(self._agent, (*self.decisions, decision))

    def calls(self, tool: str, /, **arguments: object) -> Reply:
        """Call a tool; without arguments, small ones that fit its schema are made up."""
        return self._with("call", tool, arguments or None)

    def hands_off(self, handoff: str, /, **arguments: object) -> Reply:
        """Call a handoff, by its tool name."""
        return self._with("handoff", handoff, arguments or None)

    def answers(self, value: object = None) -> Reply:
        """Answer with a text, or with the JSON value of an output type; a small one is made up."""
        return self._with("answer", value=value)

    def takes_time(self) -> Reply:
        """Let others go on before the rest of the reply."""
        return self._with("slow")

    def refuses(self) -> Reply:
        """Refuse to answer."""
        return self._with("refuse")

    def says_nothing(self) -> Reply:
        """Reply without any item."""
        return self._with("empty")

    def fails(self, error: str | None = None) -> Reply:
        """Raise a `SimulatedFault`, or an exception that an edge catches, by the name of its
        class."""
        return self._with("raise", value=error)

    def breaks_off(self) -> Reply:
        """Raise a `SimulatedFault` in mid-reply."""
        return self._with("cut")

    def sends(self, kind: Kind, name: str, arguments: Mapping[str, Any] | str) -> Reply:
        """Call something in a way that no model should.

        Args:
            kind: `unknown_tool`, `malformed`, `wrong_types` or `reused_id`; also `call` and
                `handoff` with arguments that are no keywords.
            name: The tool or handoff.
            arguments: The arguments, or their text.
        """
        return self._with(kind, name, arguments)


ScriptPart: TypeAlias = "Decision | Reply"
"""One decision, or a reply of a model."""


def model(agent: str) -> Reply:
    """The reply of an agent's model, to which its methods add."""
    return Reply(agent)


class _Tool:
    def __init__(self, name: str, agent: str) -> None:
        self._name, self._agent = name, agent

    def _decided(self, kind: Kind, value: object = None) -> Decision:
        return Decision(by="tool", kind=kind, agent=self._agent, name=self._name, value=value)

    def returns(self, value: object) -> Decision:
        """Return a value."""
        return self._decided("return", value)

    def fails(self) -> Decision:
        """Raise an error, or tell the model if the tool handles its errors."""
        return self._decided("raise")

    def runs_out_of_time(self) -> Decision:
        """Take longer than `timeout_seconds`."""
        return self._decided("time_out")


def tool(name: str, *, agent: str = "") -> _Tool:
    """What a tool does at its next call, by this agent if one is named."""
    return _Tool(name, agent)


class _Guardrail:
    def __init__(self, name: str, agent: str) -> None:
        self._name, self._agent = name, agent

    def _decided(self, kind: Kind) -> Decision:
        return Decision("guardrail", kind, self._agent, self._name)

    def passes(self) -> Decision:
        """Let the content pass."""
        return self._decided("pass")

    def rejects(self) -> Decision:
        """Reject the content of a tool call; the run goes on."""
        return self._decided("reject")

    def trips(self) -> Decision:
        """End the run."""
        return self._decided("trip")

    def fails(self) -> Decision:
        """Raise a `SimulatedFault`."""
        return self._decided("raise")


def guardrail(name: str, *, agent: str = "") -> _Guardrail:
    """What a guardrail says at its next call, of this agent if one is named."""
    return _Guardrail(name, agent)


class _Person:
    def approves(self, tool: str) -> Decision:
        """Approve the next call of a tool that waits."""
        return Decision("person", "approve", "", tool)

    def rejects(self, tool: str) -> Decision:
        """Reject it."""
        return Decision("person", "reject", "", tool)

    def does_not_decide_on(self, tool: str) -> Decision:
        """Leave it waiting."""
        return Decision("person", "leave", "", tool)

    def answers(self, question: str, value: object) -> Decision:
        """Answer the next question of that name: with a value of the type that it asks for, or its
        JSON form."""
        return Decision(by="person", kind="return", name=question, value=value)

    def does_not_answer(self, question: str) -> Decision:
        """Leave it waiting."""
        return Decision("person", "leave", "", question)


def person() -> _Person:
    """The person who decides on calls that need an approval, and answers questions."""
    return _Person()


class _Function:
    def __init__(self, name: str) -> None:
        self._name = name

    def returns(self, value: object) -> Decision:
        """Return a value: one of the declared type, or its JSON form."""
        return Decision(by="function", kind="return", name=self._name, value=value)

    def fails(self, error: str | None = None) -> Decision:
        """Raise a `SimulatedFault`, or an exception that an edge catches, by the name of its
        class."""
        return Decision(by="function", kind="raise", name=self._name, value=error)


@overload
def function(question: str, says: bool, *, agent: str = "") -> Decision: ...


@overload
def function(question: str) -> _Function: ...


def function(question: str, says: bool | None = None, *, agent: str = "") -> Decision | _Function:
    """What a function of the workflow says, such as `function("refund is on offer", False)`, or
    what one of its edges does: `function("pay").returns("Paid.")`."""
    if says is None:
        return _Function(question)
    return Decision("function", "yes" if says else "no", agent, question)


def in_order(parts: Iterable[ScriptPart]) -> list[Decision]:
    """The decisions of a script; those of one reply have its number."""
    decisions: list[Decision] = []
    for number, part in enumerate(parts, 1):
        if isinstance(part, Reply):
            decisions += [replace(one, reply=number) for one in part.decisions]
        else:
            decisions.append(part)
    return decisions


def script_of(route: Route, real: Collection[str] = ()) -> list[str]:
    """The parts of a script that repeats a route, as source; the words are those of this module.

    Decisions that a script need not mention, because they are the simplest, are left out.

    Args:
        route: The route.
        real: The names of the parts whose own code runs; what they do is left out as well.
    """
    lines: list[str] = []
    last: Decision | None = None
    for one in route.decisions:
        if one.by != "model":
            if one.name not in real or one.by == "person":
                lines += _other_words(one)
            continue
        word = _reply_word(one)
        if last is not None and last.reply == one.reply and last.agent == one.agent:
            lines[-1] += f".{word}"
        else:
            lines.append(f"model({source_of(one.agent)}).{word}")
        last = one
    return lines


def source_of(value: object) -> str:
    """The source of a JSON value, with double quotes."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            inside = (f"{source_of(key)}: {source_of(one)}" for key, one in value.items())
            return f"{{{', '.join(inside)}}}"
        case list():
            return f"[{', '.join(map(source_of, value))}]"
        case _:
            return repr(value)


def _arguments(decision: Decision) -> str:
    arguments = decision.arguments
    assert isinstance(arguments, Mapping)
    parts = [
        source_of(decision.name),
        *(f"{name}={source_of(value)}" for name, value in arguments.items()),
    ]
    return ", ".join(parts)


def _are_keywords(arguments: Mapping[str, Any] | str | None) -> bool:
    return isinstance(arguments, Mapping) and all(
        name.isidentifier() and not keyword.iskeyword(name) for name in arguments
    )


def _reply_word(decision: Decision) -> str:
    match decision.kind:
        case "answer":
            return f"answers({source_of(decision.value)})"
        case "call" if _are_keywords(decision.arguments):
            return f"calls({_arguments(decision)})"
        case "handoff" if _are_keywords(decision.arguments):
            return f"hands_off({_arguments(decision)})"
        case "slow":
            return "takes_time()"
        case "refuse":
            return "refuses()"
        case "empty":
            return "says_nothing()"
        case "cut":
            return "breaks_off()"
        case "raise":
            return _failure(decision)
        case kind:
            arguments = map(source_of, (kind, decision.name, decision.arguments))
            return f"sends({', '.join(arguments)})"


def _failure(decision: Decision) -> str:
    error = decision.value
    return f"fails({source_of(error)})" if isinstance(error, str) else "fails()"


_WORDS: dict[str, str] = {
    "tool raise": "fails()",
    "tool time_out": "runs_out_of_time()",
    "guardrail reject": "rejects()",
    "guardrail trip": "trips()",
    "guardrail raise": "fails()",
    "person reject": "rejects",
    "person leave": "does_not_decide_on",
}


def _other_words(decision: Decision) -> Iterator[str]:
    by, name, quoted = decision.by, decision.name, source_of(decision.name)
    word = _WORDS.get(f"{by} {decision.kind}")
    if (by, decision.kind) == ("function", "raise"):
        word = _failure(decision)
    if decision.by == "function" and decision.kind == "yes":
        yield f"function({quoted}, True, agent={source_of(decision.agent)})"
    elif by in ("tool", "function") and decision.kind == "return":
        if decision.value != plain_result(name):
            yield f"{by}({quoted}).returns({source_of(decision.value)})"
    elif by == "person" and decision.kind == "return":
        yield f"person().answers({quoted}, {source_of(decision.value)})"
    elif word is not None and by == "person":
        word = "does_not_answer" if decision.arguments is None else word
        yield f"person().{word}({quoted})"
    elif word is not None:
        agent = f", agent={source_of(decision.agent)}" if by == "guardrail" else ""
        yield f"{by}({quoted}{agent}).{word}"
