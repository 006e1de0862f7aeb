"""Cases of the rules about edges in which a person answers a question."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agentgraph import Agent, Workflow
from agentgraph.workflow import End, at_least, below
from tests.compiler.rule_cases.case import Rows


class Verdict(BaseModel):
    ok: bool
    tone: Literal["soft", "hard"] = "soft"


class Refusal(BaseModel):
    reason: str


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


def answered(answer: Any, cases: dict[Any, Any], on: object = None, **more: Any) -> Workflow:
    """A route over an answer."""
    flow = Workflow("Asking", start=Agent(name="Start"))
    person = flow.ask("person", "What?", answer=answer)
    flow.then(flow.start, person)
    flow.route(person, on=on, cases=cases, **more)
    return flow


def looping(*, inner: bool = False) -> Workflow:
    """A loop that a person ends, and a loop in it that a model ends."""
    draft, check = Agent(name="Draft"), Agent(name="Check", output_type=Verdict)
    flow = Workflow("Loop", start=draft)
    person = flow.ask("person", "What?", answer=bool)
    flow.then(draft, check)
    flow.route(check, on="ok", cases={True: person, False: draft if inner else person})
    flow.route(person, cases={True: End(), False: draft})
    return flow


def unused(*, asked: bool) -> Workflow:
    flow = Workflow("Asking", start=Agent(name="Start"))
    person = flow.ask("person", "What?")
    flow.then(flow.start, person if asked else End())
    return flow


def note(text: str) -> str:
    return text


def priced(answer: type[Any]) -> Workflow:
    """An answer that a function takes."""
    flow = Workflow("Asking", start=Agent(name="Start"))
    person = flow.ask("person", "What?", answer=answer)
    flow.then(flow.start, person)
    flow.then(person, note)
    return flow


Percent = Annotated[int, Field(ge=0, le=100)]
GAPS: Rows = {
    "an answer yes or no": (
        answered(bool, {True: End()}),
        ["after step 'person' has no case for false"],
    ),
    "an answer of an enum": (answered(Mood, {Mood.BAD: End()}), ['has no case for "good"']),
    "a field of an answer": (answered(Verdict, {"soft": End()}, "tone"), ['no case for "hard"']),
    "an answer in an interval": (answered(Percent, {below(7): End()}), ["7 to 100"]),
    "an answer that may be left out": (
        answered(bool | None, {True: End(), False: End()}),
        ["null"],
    ),
    "a class of answers": (answered(Verdict | Refusal, {Verdict: End()}), ["Refusal"]),
    "yes and no": (answered(bool, {True: End(), False: End()}), []),
    "every member": (answered(Mood, {Mood.BAD: End(), Mood.GOOD: End()}), []),
    "a whole interval": (answered(Percent, {below(7): End(), at_least(7): End()}), []),
    "every class": (answered(Verdict | Refusal, {Verdict: End(), Refusal: End()}), []),
    "every other answer": (answered(str, {"a": End()}, default=End()), []),
}
DEAD: Rows = {
    "a case that no answer takes": (
        answered(Literal["a", "b"], {"a": End(), "b": End(), "c": End()}),
        ["c"],
    ),
}
FIELDS: Rows = {
    "an answer without that field": (answered(Verdict, {True: End()}, "okay"), ["no field 'okay'"]),
    "a text as answer": (answered(str, {True: End()}, "ok"), ["the output is text"]),
}
LOOPS: Rows = {
    "a model ends the loop before the question": (looping(inner=True), ["'Draft', 'Check'"]),
    "a person ends the loop": (looping(), []),
}
ENTERED: Rows = {
    "a question": (unused(asked=False), ["no way leads to step 'person'"]),
    "a question by an edge": (unused(asked=True), []),
}
TYPES: Rows = {
    "an answer of another type": (priced(int), ["takes text, but step 'person' gives int"]),
    "an answer of its type": (priced(str), []),
}
