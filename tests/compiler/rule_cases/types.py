"""Cases of the rules about types, but for that about contexts."""

# Annotations are evaluated where they stand: the functions below refer to classes of this module.
import enum
from typing import Annotated, Any, Literal, Never, Protocol

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from agentgraph import (
    Agent,
    AgentOutputSchema,
    RunContextWrapper,
    StopAtTools,
    function_tool,
    handoff,
)
from tests.compiler.rule_cases.case import Rows


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


class Prices(BaseModel):
    prices: dict[str, float]


class Shop(BaseModel):
    shelves: list[Prices]
    owner: str


class Frozen(BaseModel, extra="allow"):
    title: str


class Listed(BaseModel):
    prices: list[tuple[str, float]]


def ending(returns: Any, behavior: Any = "stop_on_first_tool", output: Any = Reason) -> Agent[Any]:
    def work(text: str) -> Any:
        """Work."""
        return text

    work.__annotations__["return"] = returns
    return Agent(
        name="A", tools=[function_tool(work)], tool_use_behavior=behavior, output_type=output
    )


def called(context: RunContextWrapper[Any]) -> None: ...


def untyped(context, value):  # type: ignore[no-untyped-def]
    ...


def named(one: object) -> str:
    return one.__name__ if isinstance(one, type) and one.__module__ == __name__ else repr(one)


INPUTS: tuple[tuple[Any, Any, int], ...] = (
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
)
INNOCENT_HANDOFFS = {
    "no input": handoff(Agent[Any](name="B"), on_handoff=called),
    "a parameter without a type": handoff(
        Agent[Any](name="B"), on_handoff=untyped, input_type=Reason
    ),
    "no function": handoff(Agent[Any](name="B")),
}
HANDOFF_INPUT_MISMATCH: Rows = {
    **{
        f"{named(input)} for {named(takes)}": (
            handing(input, takes),
            [f"has the input_type '{__name__}.{named(input)}', but its on_handoff takes"] * number,
        )
        for input, takes, number in INPUTS
    },
    **{name: (Agent(name="A", handoffs=[one]), []) for name, one in INNOCENT_HANDOFFS.items()},
}

OUTPUTS: tuple[tuple[Any, str | None], ...] = (
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
)
IMPOSSIBLE_OUTPUT_TYPE: Rows = {
    named(output): (
        Agent(name="A", output_type=output),
        [] if place is None else [f"it requires '{place}'" if place else "the type itself"],
    )
    for output, place in OUTPUTS
}

OPEN: tuple[tuple[Any, list[str] | None], ...] = (
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
)
OUTPUT_TYPE_NOT_STRICT: Rows = {
    named(output): (
        Agent(name="A", output_type=output),
        [
            f"the keys of field '{path}' are not declared" if path else "strict mode cannot express"
            for path in paths or ()
        ],
    )
    for output, paths in OPEN
}

STOPPING_TOOL_OUTPUT_MISMATCH: Rows = {
    "text for a class": (ending(str), ["tool 'work' ends a run of agent 'A' with"]),
    "another class": (ending(Other), ["tool 'work' ends a run of agent 'A' with"]),
    "a dictionary for a class": (
        ending(dict[str, str]),
        ["tool 'work' ends a run of agent 'A' with"],
    ),
    "the tool that a stop names": (
        ending(str, StopAtTools(stop_at_tool_names=["work"])),
        ["tool 'work' ends a run of agent 'A' with"],
    ),
    "text for a number": (ending(str, output=int), ["tool 'work' ends a run of agent 'A' with"]),
    "the class itself": (ending(Reason), []),
    "a more special class": (ending(Escalation), []),
    "a more general class": (ending(BaseModel), []),
    "any type": (ending(Any), []),
    "perhaps none": (ending(Reason | None), []),
    "the model is asked again": (ending(str, "run_llm_again"), []),
    "a stop names another tool": (ending(str, StopAtTools(stop_at_tool_names=["other"])), []),
    "a function decides": (ending(str, lambda context, results: None), []),
    "an integer for a float": (ending(int, output=float), []),
    "no output type": (ending(Other, output=None), []),
    "perhaps no output": (ending(str, output=Reason | None), []),
    "a schema of its own": (ending(str, output=AgentOutputSchema(Reason)), []),
}

CASES: dict[str, Rows] = {
    "AG302": HANDOFF_INPUT_MISMATCH,
    "AG303": IMPOSSIBLE_OUTPUT_TYPE,
    "AG304": OUTPUT_TYPE_NOT_STRICT,
    "AG305": STOPPING_TOOL_OUTPUT_MISMATCH,
}
