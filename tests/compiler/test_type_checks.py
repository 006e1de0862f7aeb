"""What the rules about types find and what they leave alone: inputs of handoffs, output types.

The rule about contexts has a file of its own, ``test_context_types.py``.
"""

# Annotations are evaluated where they stand: the functions below refer to classes of this module.
import enum
from typing import Annotated, Any, Literal, Never, Protocol

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from agentgraph import (
    Agent,
    AgentOutputSchema,
    RunContextWrapper,
    StopAtTools,
    check,
    function_tool,
    handoff,
)
from agentgraph.program import compile


def messages(agent: Agent[Any], code: str) -> list[str]:
    return [one.message for one in check(agent) if one.rule.code == code]


class Reason(BaseModel):
    text: str


class Escalation(Reason):
    urgency: int


class Other(BaseModel):
    count: int


class Worded(Protocol):
    text: str


class Row(TypedDict):
    text: str


def handing(input_type: Any, takes: Any) -> Agent[Any]:
    def note(context: RunContextWrapper[Any], value: Any) -> None:
        print(value)

    note.__annotations__["value"] = takes
    target = Agent[Any](name="B")
    return Agent(name="A", handoffs=[handoff(target, on_handoff=note, input_type=input_type)])


@pytest.mark.parametrize(
    ("input_type", "takes", "number"),
    [
        (Reason, Other, 1),
        (Reason, Escalation, 1),
        (Reason, dict, 1),
        (Row, Reason, 1),
        (Reason, str, 1),
        (Reason, Reason, 0),
        (Escalation, Reason, 0),
        (Reason, Any, 0),
        (Reason, Worded, 0),
        (Reason, Reason | None, 0),
        (Row, dict[str, str], 0),
        (Reason, "Missing", 0),
    ],
)
def test_handoff_input_mismatch(input_type: Any, takes: Any, number: int) -> None:
    assert len(messages(handing(input_type, takes), "AG302")) == number


def test_a_handoff_without_an_input_or_a_parameter_type_is_innocent() -> None:
    def called(context: RunContextWrapper[Any]) -> None: ...

    def untyped(context, value):  # type: ignore[no-untyped-def]
        ...

    target = Agent[Any](name="B")
    for each in (
        handoff(target, on_handoff=called),
        handoff(target, on_handoff=untyped, input_type=Reason),
        handoff(target),
    ):
        assert messages(Agent(name="A", handoffs=[each]), "AG302") == []


class Empty(enum.Enum):
    """No members."""


class Colour(enum.Enum):
    RED = "red"


class Backwards(BaseModel):
    stars: int = Field(ge=5, le=1)


class Holding(BaseModel):
    inner: Backwards


class MayHold(BaseModel):
    inner: Backwards | None = None
    several: list[Backwards] = []


class Endless(BaseModel):
    next: "Endless"


class Ending(BaseModel):
    next: "Ending | None"


class Tree(BaseModel):
    children: list["Tree"]


class Atleast(BaseModel):
    words: list[str] = Field(min_length=3, max_length=2)


class Exact(BaseModel):
    stars: int = Field(ge=3, le=3)


class Between(BaseModel):
    share: float = Field(gt=1, lt=1)


@pytest.mark.parametrize(
    ("output_type", "place"),
    [
        (Empty, ""),
        (Never, ""),
        (Backwards, "stars"),
        (Holding, "inner.stars"),
        (list[Annotated[int, Field(gt=3, lt=3)]], None),
        (Annotated[list[Empty], Field(min_length=1)], "[]"),
        (Atleast, "words"),
        (Between, "share"),
        (Endless, "next"),
        (Annotated[str, Field(min_length=2, max_length=1)], ""),
        (Colour, None),
        (Exact, None),
        (MayHold, None),
        (Ending, None),
        (Tree, None),
        (Literal["a"], None),
        (int, None),
        (list[Empty], None),
        (Backwards | None, None),
        (str, None),
        (None, None),
    ],
)
def test_impossible_output_type(output_type: Any, place: str | None) -> None:
    agent = Agent(name="A", output_type=output_type)
    findings = [one for one in check(agent) if one.rule.code == "AG303"]
    assert bool(findings) is (place is not None)
    for finding in findings:
        (note,) = finding.notes
        assert f"'{place}'" in note.message if place else "the type itself" in note.message


class Prices(BaseModel):
    prices: dict[str, float]


class Shop(BaseModel):
    shelves: list[Prices]
    owner: str


class Frozen(BaseModel, extra="allow"):
    title: str


class Listed(BaseModel):
    prices: list[tuple[str, float]]


@pytest.mark.parametrize(
    ("output_type", "paths"),
    [
        (Prices, ["prices"]),
        (Shop, ["shelves[].prices"]),
        (dict[str, int], [""]),
        (list[dict[str, int]], ["[]"]),
        (Prices | None, ["prices"]),
        (Frozen, [""]),
        (Listed, None),
        (Reason, None),
        (list[Reason], None),
        (Tree, None),
        (str, None),
        (AgentOutputSchema(Prices, strict_json_schema=False), None),
    ],
)
def test_output_type_not_strict(output_type: Any, paths: list[str] | None) -> None:
    agent = Agent(name="A", output_type=output_type)
    findings = [one for one in check(agent) if one.rule.code == "AG304"]
    assert bool(findings) is (paths is not None)
    for finding in findings:
        words = [note.message for note in finding.notes if note.message.startswith("the keys of")]
        named = [path for path in paths or () if path]
        assert words == [f"the keys of field '{path}' are not declared" for path in named]


def ending(returns: Any, behavior: Any = "stop_on_first_tool", output: Any = Reason) -> Agent[Any]:
    def work(text: str) -> Any:
        """Work."""
        return text

    work.__annotations__["return"] = returns
    return Agent(
        name="A", tools=[function_tool(work)], tool_use_behavior=behavior, output_type=output
    )


@pytest.mark.parametrize(
    ("agent", "number"),
    [
        (ending(str), 1),
        (ending(Other), 1),
        (ending(dict[str, str]), 1),
        (ending(str, StopAtTools(stop_at_tool_names=["work"])), 1),
        (ending(str, output=int), 1),
        (ending(Reason), 0),
        (ending(Escalation), 0),
        (ending(BaseModel), 0),
        (ending(Any), 0),
        (ending(Reason | None), 0),
        (ending(str, "run_llm_again"), 0),
        (ending(str, StopAtTools(stop_at_tool_names=["other"])), 0),
        (ending(str, lambda context, results: None), 0),
        (ending(int, output=float), 0),
        (ending(Other, output=None), 0),
        (ending(str, output=Reason | None), 0),
        (ending(str, output=AgentOutputSchema(Reason)), 0),
    ],
)
def test_stopping_tool_output_mismatch(agent: Agent[Any], number: int) -> None:
    assert len(messages(agent, "AG305")) == number


def test_types_stop_no_compilation() -> None:
    for output_type in (Never, Prices, Backwards):
        assert compile(Agent(name="A", output_type=output_type)).diagnostics
