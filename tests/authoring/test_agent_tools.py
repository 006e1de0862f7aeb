"""An agent as a tool is a description: it can be read, and it cannot be called."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agentgraph import Agent, AgentTool, FunctionTool, RunConfig, UserError
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.schemas.arguments import InvalidToolArguments
from agentgraph.tools.errors import default_tool_error_function


class Translation(BaseModel):
    """What to translate."""

    text: str = Field(description="The text")
    formality: int = 2


@dataclasses.dataclass
class Question:
    about: str


def translator(**settings: Any) -> AgentTool:
    tool = Agent(name="Spanish agent").as_tool("translate", "Translates", **settings)
    assert isinstance(tool, AgentTool)
    return tool


def test_an_agent_tool_is_a_function_tool_that_keeps_its_agent() -> None:
    agent = Agent(name="Spanish agent")
    tool = agent.as_tool("translate", "Translates")
    assert isinstance(tool, FunctionTool)
    assert isinstance(tool, AgentTool)
    assert (tool.name, tool.description, tool.agent) == ("translate", "Translates", agent)
    assert tool.failure_error_function is default_tool_error_function


def test_without_a_name_the_tool_is_named_after_the_agent() -> None:
    tool = Agent(name="Spanish agent").as_tool(None, None)
    assert (tool.name, tool.description) == ("spanish_agent", "")


def test_every_setting_is_kept_as_it_was_given() -> None:
    def listen(event: Any) -> None: ...

    schema = {
        "custom_output_extractor": listen,
        "is_enabled": False,
        "on_stream": listen,
        "run_config": RunConfig(workflow_name="inner"),
        "max_turns": 3,
        "previous_response_id": "resp",
        "conversation_id": "conv",
        "needs_approval": True,
        "failure_error_function": None,
        "input_builder": listen,
        "include_input_schema": True,
        "on_stream_max_pending_events": None,
    }
    tool = translator(**schema)
    assert {name: getattr(tool, name) for name in schema} == schema


def test_the_schema_is_one_text_unless_parameters_say_more() -> None:
    schema = translator().params_json_schema
    assert (list(schema["properties"]), schema["required"]) == (["input"], ["input"])
    schema = translator(parameters=Translation).params_json_schema
    assert schema["required"] == ["text", "formality"]
    assert schema["additionalProperties"] is False


def test_changing_one_tools_schema_leaves_the_next_alone() -> None:
    translator().params_json_schema["properties"].clear()
    assert translator().params_json_schema["properties"]


@pytest.mark.parametrize("parameters", [int, list[int], "Translation", dict])
def test_parameters_without_fields_are_refused(parameters: Any) -> None:
    with pytest.raises(AgentDefinitionError, match="parameters of agent tool 'translate'"):
        translator(parameters=parameters)


def test_on_stream_must_be_callable() -> None:
    with pytest.raises(AgentDefinitionError, match="on_stream must be callable, not int"):
        translator(on_stream=5)


@pytest.mark.parametrize(
    ("parameters", "arguments", "expected"),
    [
        (None, '{"input": "hola"}', {"input": "hola"}),
        (Translation, '{"text": "hola"}', {"text": "hola", "formality": 2}),
        (Question, '{"about": "x"}', {"about": "x"}),
    ],
)
def test_arguments_are_validated(parameters: Any, arguments: str, expected: Any) -> None:
    assert translator(parameters=parameters).read_arguments(arguments) == expected


@pytest.mark.parametrize(
    ("parameters", "arguments", "is_json"),
    [
        (None, "{", False),
        (None, '{"input": 5}', True),
        (None, "[]", True),
        (Translation, "{", False),
        (Translation, '{"formality": "secret"}', True),
    ],
)
def test_arguments_that_do_not_fit_are_the_models_fault_and_stay_private(
    parameters: Any, arguments: str, is_json: bool
) -> None:
    with pytest.raises(InvalidToolArguments, match="translate") as caught:
        translator(parameters=parameters).read_arguments(arguments)
    assert caught.value.is_json is is_json
    assert "secret" not in str(caught.value)


async def test_one_text_is_the_input_as_it_is() -> None:
    assert await translator().build_input({"input": "hola"}) == "hola"


@pytest.mark.parametrize(
    ("whole_schema", "shown", "hidden"),
    [
        (False, "- text (string, required): The text", '"additionalProperties"'),
        (True, '"additionalProperties"', "- text (string"),
    ],
)
async def test_parameters_are_shown_with_their_meaning(
    whole_schema: bool, shown: str, hidden: str
) -> None:
    tool = translator(parameters=Translation, include_input_schema=whole_schema)
    text = await tool.build_input({"text": "hola", "formality": 2})
    assert isinstance(text, str)
    assert '"text": "hola"' in text
    assert shown in text
    assert hidden not in text


async def test_an_input_builder_sees_the_parameters_and_makes_the_input() -> None:
    async def build(options: Any) -> list[Any]:
        return [{"role": "user", "content": options["params"]["text"]}]

    tool = translator(parameters=Translation, input_builder=build)
    assert await tool.build_input({"text": "hola"}) == [{"role": "user", "content": "hola"}]


async def test_an_input_builder_that_makes_no_input_is_refused() -> None:
    with pytest.raises(UserError, match="input_builder"):
        await translator(input_builder=lambda options: 5).build_input({"input": "x"})


def test_a_tool_can_be_replaced_field_by_field() -> None:
    tool = dataclasses.replace(translator(parameters=Question, max_turns=3), name="other")
    assert (tool.name, tool.max_turns, tool.parameters) == ("other", 3, Question)
