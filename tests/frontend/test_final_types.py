"""The type of the final output of a workflow: the union over all ways in which a run can end."""

# Annotations are evaluated where they stand: the front end resolves those of tools.
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import Agent, AgentOutputSchema, ModelSettings, StopAtTools, compile, function_tool
from agentgraph.program import output_type_of


class Report(BaseModel):
    title: str


class Bill(BaseModel):
    euros: int


@function_tool
def bill(euros: int) -> Bill:
    """Make a bill."""
    return Bill(euros=euros)


@function_tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


@function_tool
def untyped(word: str):  # type: ignore[no-untyped-def]
    """Look a word up."""
    return word


def agent(**options: Any) -> Agent[Any]:
    return Agent(name="A", **options)


WRITER = Agent[Any](name="Writer", output_type=Report)
ALWAYS = ModelSettings(tool_choice="required")
STOP = "stop_on_first_tool"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (agent(), str),
        (agent(output_type=Report), Report),
        (agent(output_type=list[Report]), list[Report]),
        (agent(output_type=AgentOutputSchema(Report)), Report),
        (agent(handoffs=[WRITER]), str | Report),
        (agent(output_type=Report, handoffs=[WRITER]), Report),
        (agent(tools=[WRITER.as_tool("write", "Write.")]), str),
        (agent(tools=[bill], tool_use_behavior=STOP), str | Bill),
        (
            agent(
                tools=[bill],
                tool_use_behavior=STOP,
                model_settings=ALWAYS,
                reset_tool_choice=False,
            ),
            Bill,
        ),
        (
            agent(
                tools=[bill, look_up], tool_use_behavior=StopAtTools(stop_at_tool_names=["bill"])
            ),
            str | Bill,
        ),
        (agent(tools=[untyped], tool_use_behavior=STOP), Any),
        (agent(tools=[bill], tool_use_behavior=lambda context, results: None), Any),
        (
            agent(tools=[WRITER.as_tool("write", "Write.")], tool_use_behavior=STOP),
            str | Report,
        ),
    ],
)
def test_the_final_output_has_the_types_of_all_ends(source: Agent[Any], expected: Any) -> None:
    assert output_type_of(source) == expected
    assert compile(source).output_type == expected
